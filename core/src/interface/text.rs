//! Text of servers, made fit for logs and errors.

use alloc::string::String;

/// Longest text of a server that is kept.
const MOST_CHARACTERS: usize = 256;

/// Escapes control characters and those that turn the writing direction, and cuts what is too long. Line
/// breaks become blanks, so that a remark of several lines is one line of a log.
pub(crate) fn clean_text(text: &str) -> String {
    let mut clean = String::new();
    for (count, character) in text.trim().chars().enumerate() {
        if count == MOST_CHARACTERS {
            clean.push('…');
            break;
        }
        match character {
            '\n' | '\r' | '\t' => clean.push(' '),
            '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                clean.extend(character.escape_unicode());
            }
            other if other.is_control() => clean.extend(other.escape_unicode()),
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::clean_text;

    #[test]
    fn control_characters_are_escaped_and_length_is_capped() {
        assert_eq!(clean_text(" a\nb\u{1b}[31mc\u{202e}d "), "a b\\u{1b}[31mc\\u{202e}d");
        let long = "x".repeat(10_000);
        assert_eq!(clean_text(&long).chars().count(), 257);
    }
}
