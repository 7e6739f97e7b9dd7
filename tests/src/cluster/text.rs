//! Texts of headers and properties. Almost all are short, and a world reads very many of them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// Names, numbers and most values are no longer than this. With it, the fields of a send fit into a small allocation.
const SHORT: usize = 30;

/// A text that takes no memory of its own when it is short.
#[derive(Clone)]
pub struct Text(Kept);

#[derive(Clone)]
enum Kept {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(String),
}

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Copied from a text, so it is one.
            Kept::Short { .. } => std::str::from_utf8(self.bytes()).unwrap_or_default(),
            Kept::Long(text) => text,
        }
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes()
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Long(text) => text.as_bytes(),
        }
    }

    fn short(text: &str) -> Option<Text> {
        let mut bytes = [0; SHORT];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Text(Kept::Short { length: text.len() as u8, bytes }))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::short(text).unwrap_or_else(|| Text(Kept::Long(text.to_owned())))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::short(&text).unwrap_or(Text(Kept::Long(text)))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> String {
        match text.0 {
            Kept::Long(text) => text,
            Kept::Short { .. } => text.as_str().to_owned(),
        }
    }
}

impl Default for Text {
    fn default() -> Text {
        Text::from("")
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        let (mine, other) = (self.bytes(), other.as_bytes());
        // Most of what is compared differs at once.
        mine.len() == other.len() && mine.first() == other.first() && mine == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Text) -> std::cmp::Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{SHORT, Text};

    #[test]
    fn short_and_long_texts_are_what_they_were() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 500] {
            let plain = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let (copied, taken) = (Text::from(plain.as_str()), Text::from(plain.clone()));
            assert_eq!((copied.as_str(), copied.len()), (plain.as_str(), length));
            assert_eq!(copied, taken);
            assert!(copied == *plain && copied != *format!("{plain}x"));
            assert_eq!(format!("{copied} {taken:?}"), format!("{plain} {plain:?}"));
            assert_eq!(String::from(taken), plain);
        }
    }

    #[test]
    fn texts_are_ordered_as_their_letters() {
        let mut texts = ["b", "", "ab", &"a".repeat(50), "é"].map(Text::from);
        texts.sort();
        assert_eq!(texts.map(String::from), ["", &"a".repeat(50), "ab", "b", "é"]);
    }
}
