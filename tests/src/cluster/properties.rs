//! The properties string of a message: `name 0x01 value 0x02`, repeated.

use super::Text;

/// Reads a properties string as servers do: pieces shorter than three characters, empty names and empty values are
/// dropped, and the last value of a name wins.
pub fn parse_properties(text: &str) -> Vec<(Text, Text)> {
    let mut pairs: Vec<(Text, Text)> = Vec::with_capacity(8);
    for piece in text.split('\u{2}') {
        if piece.len() < 3 {
            continue;
        }
        let Some((name, value)) = piece.split_once('\u{1}') else {
            continue;
        };
        if !name.is_empty() && !value.is_empty() {
            set_property(&mut pairs, name, value);
        }
    }
    pairs
}

/// Writes pairs as a properties string. The 4.9 servers leave the last separator out (`close` false).
pub fn write_properties(pairs: &[(Text, Text)], close: bool) -> String {
    let length = pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut text = Vec::with_capacity(length);
    for (name, value) in pairs {
        text.extend_from_slice(name.as_bytes());
        text.push(1);
        text.extend_from_slice(value.as_bytes());
        text.push(2);
    }
    if !close {
        text.pop();
    }
    // Made of texts, so it is one.
    String::from_utf8(text).unwrap_or_default()
}

/// One value in a properties string, as [`parse_properties`] reads it.
pub(crate) fn property_in<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.bytes().position(|byte| byte == 2).unwrap_or(rest.len());
        let value = rest.get(..end)?.strip_prefix(name).and_then(|piece| piece.strip_prefix('\u{1}'));
        found = value.filter(|value| !value.is_empty()).or(found);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    found
}

pub(crate) fn get_property<'a>(pairs: &'a [(Text, Text)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

pub(crate) fn set_property(pairs: &mut Vec<(Text, Text)>, name: &str, value: &str) {
    match pairs.iter_mut().find(|(key, _)| key == name) {
        Some(pair) => pair.1 = value.into(),
        None => pairs.push((name.into(), value.into())),
    }
}

pub(crate) fn remove_property(pairs: &mut Vec<(Text, Text)>, name: &str) {
    pairs.retain(|(key, _)| key != name);
}

#[cfg(test)]
mod tests {
    use super::{parse_properties, property_in};

    #[test]
    fn one_value_is_what_the_whole_reading_gives() {
        let texts = [
            "KEYS\u{1}k7\u{2}WAIT\u{1}true\u{2}",
            "KEYS\u{1}k7\u{2}WAIT\u{1}true",
            "KEYS\u{1}old\u{2}KEYS\u{1}new\u{2}KEYS\u{1}\u{2}",
            "KEYSX\u{1}a\u{2}XKEYS\u{1}b\u{2}KEYS",
            "KEYS\u{1}a\u{1}b\u{2}\u{2}\u{1}",
            "\u{2}\u{2}KEYS\u{1}k",
            "",
        ];
        for text in texts {
            for name in ["KEYS", "WAIT", "X"] {
                let pairs = parse_properties(text);
                let whole = pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
                assert_eq!(property_in(text, name), whole, "{name} in {text:?}");
            }
        }
    }
}
