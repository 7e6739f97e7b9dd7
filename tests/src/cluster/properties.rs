//! The properties string of a message: `name 0x01 value 0x02`, repeated.

/// Reads a properties string as servers do: pieces shorter than three characters, empty names and empty values are
/// dropped, and the last value of a name wins.
pub fn parse_properties(text: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
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
pub fn write_properties(pairs: &[(String, String)], close: bool) -> String {
    let length = pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut text = String::with_capacity(length);
    for (name, value) in pairs {
        text.push_str(name);
        text.push('\u{1}');
        text.push_str(value);
        text.push('\u{2}');
    }
    if !close {
        text.pop();
    }
    text
}

pub(crate) fn get_property<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

pub(crate) fn set_property(pairs: &mut Vec<(String, String)>, name: &str, value: &str) {
    match pairs.iter_mut().find(|(key, _)| key == name) {
        Some(pair) => value.clone_into(&mut pair.1),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
}

pub(crate) fn remove_property(pairs: &mut Vec<(String, String)>, name: &str) {
    pairs.retain(|(key, _)| key != name);
}
