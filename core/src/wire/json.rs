//! A pull reader for JSON text, for headers and, a little more tolerant, for bodies.

use alloc::borrow::Cow;
use alloc::string::String;

use super::text::find_special;

/// Nesting is followed by recursion, so no limit above this one is honoured.
const MOST_DEPTH: usize = 128;

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JsonError {
    /// The text ends inside a value.
    #[error("the text ends too early")]
    Truncated,
    /// A byte that cannot stand where it is.
    #[error("unexpected byte 0x{0:02x}")]
    Unexpected(u8),
    /// A backslash sequence that JSON does not have, or half of a surrogate pair.
    #[error("bad escape")]
    BadEscape,
    /// A control character that is not escaped.
    #[error("control character in a string")]
    ControlCharacter,
    /// A number that JSON does not allow.
    #[error("bad number")]
    BadNumber,
    /// Objects and lists nested deeper than the limit.
    #[error("nested too deep")]
    TooDeep,
    /// More text after the value.
    #[error("more text after the value")]
    TrailingText,
}

/// The inside of a string, or the text of another scalar, as it stands in the JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawText<'a> {
    pub(crate) text: &'a str,
    pub(crate) escaped: bool,
}

impl<'a> RawText<'a> {
    #[inline]
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(unescape(self.text)) } else { Cow::Borrowed(self.text) }
    }
}

/// Reads JSON from front to back.
#[derive(Clone, Debug)]
pub(crate) struct JsonReader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    max_depth: usize,
    tolerant: bool,
}

impl<'a> JsonReader<'a> {
    /// A reader of strict JSON.
    #[inline]
    pub(crate) fn new(text: &'a str, max_depth: usize) -> Self {
        Self { text, at: 0, depth: 0, max_depth: max_depth.min(MOST_DEPTH), tolerant: false }
    }

    /// A reader that also takes integers without quotes as keys and single surrogates.
    pub(crate) fn tolerant(text: &'a str, max_depth: usize) -> Self {
        Self { tolerant: true, ..Self::new(text, max_depth) }
    }

    /// Place in the text, in bytes.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space and looks at the next byte.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, JsonError> {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(byte),
                None => return Err(JsonError::Truncated),
            }
        }
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Result<(), JsonError> {
        let byte = self.peek()?;
        if byte != wanted {
            return Err(JsonError::Unexpected(byte));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether nothing but white space follows.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(JsonError::TrailingText),
        }
    }

    /// Enters an object or list, given its opening byte.
    #[inline]
    pub(crate) fn open(&mut self, opening: u8) -> Result<(), JsonError> {
        self.expect(opening)?;
        if self.depth >= self.max_depth {
            return Err(JsonError::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    /// Moves to the next element; false when the container's closing byte was there instead.
    #[inline]
    fn advance(&mut self, first: &mut bool, closing: u8) -> Result<bool, JsonError> {
        let byte = self.peek()?;
        if byte == closing {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if core::mem::replace(first, false) {
            return Ok(true);
        }
        self.expect(b',')?;
        let byte = self.peek()?;
        if byte == closing { Err(JsonError::Unexpected(byte)) } else { Ok(true) }
    }

    /// The next key of an object with its colon consumed, `None` at the end of the object.
    #[inline]
    pub(crate) fn key(&mut self, first: &mut bool) -> Result<Option<RawText<'a>>, JsonError> {
        if !self.advance(first, b'}')? {
            return Ok(None);
        }
        let key = match self.peek()? {
            b'-' | b'0'..=b'9' if self.tolerant => RawText { text: self.number()?, escaped: false },
            _ => self.string()?,
        };
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Moves to the next item of a list; false at its end.
    pub(crate) fn item(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.advance(first, b']')
    }

    /// Takes `null` if it is next.
    #[inline]
    pub(crate) fn null(&mut self) -> Result<bool, JsonError> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.literal("null")?;
        Ok(true)
    }

    fn literal(&mut self, word: &'static str) -> Result<&'a str, JsonError> {
        let start = self.at;
        for wanted in word.bytes() {
            match self.byte() {
                Some(byte) if byte == wanted => self.at += 1,
                Some(byte) => return Err(JsonError::Unexpected(byte)),
                None => return Err(JsonError::Truncated),
            }
        }
        Ok(self.since(start))
    }

    #[inline]
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads a string with its quotes.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<RawText<'a>, JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += self.text.as_bytes().get(self.at..).map_or(0, find_special);
            match self.byte() {
                Some(b'"') => {
                    let text = self.since(start);
                    self.at += 1;
                    return Ok(RawText { text, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(JsonError::ControlCharacter),
                None => return Err(JsonError::Truncated),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => self.unicode_escape()?,
            Some(_) => return Err(JsonError::BadEscape),
            None => return Err(JsonError::Truncated),
        }
        Ok(())
    }

    /// Checks `uXXXX`, and the low half that must follow a high surrogate.
    fn unicode_escape(&mut self) -> Result<(), JsonError> {
        let unit = self.hex_unit()?;
        if self.tolerant || !(0xD800..=0xDFFF).contains(&unit) {
            return Ok(());
        }
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if unit > 0xDBFF || !rest.starts_with(b"\\u") {
            return Err(JsonError::BadEscape);
        }
        self.at += 1;
        match self.hex_unit()? {
            0xDC00..=0xDFFF => Ok(()),
            _ => Err(JsonError::BadEscape),
        }
    }

    fn hex_unit(&mut self) -> Result<u16, JsonError> {
        self.at += 1;
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let Some(unit) = rest.first_chunk::<4>().and_then(hex4) else {
            let short = rest.len() < 4 && rest.iter().all(u8::is_ascii_hexdigit);
            return Err(if short { JsonError::Truncated } else { JsonError::BadEscape });
        };
        self.at += 4;
        Ok(unit)
    }

    /// Reads a number as its text.
    pub(crate) fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let first_digit = self.at;
        let whole = self.digits()?;
        if whole > 1 && self.text.as_bytes().get(first_digit) == Some(&b'0') {
            return Err(JsonError::BadNumber);
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.since(start))
    }

    fn digits(&mut self) -> Result<usize, JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        match self.at - start {
            0 if self.byte().is_none() => Err(JsonError::Truncated),
            0 => Err(JsonError::BadNumber),
            count => Ok(count),
        }
    }

    /// Reads any value as text: a string's inside, and of anything else its JSON. `None` for null.
    pub(crate) fn value(&mut self) -> Result<Option<RawText<'a>>, JsonError> {
        let text = match self.peek()? {
            b'"' => return self.string().map(Some),
            b'n' => {
                self.literal("null")?;
                return Ok(None);
            }
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'-' | b'0'..=b'9' => self.number()?,
            b'{' | b'[' => {
                let start = self.at;
                self.skip_container()?;
                self.since(start)
            }
            byte => return Err(JsonError::Unexpected(byte)),
        };
        Ok(Some(RawText { text, escaped: false }))
    }

    fn skip_container(&mut self) -> Result<(), JsonError> {
        let mut first = true;
        if self.peek()? == b'{' {
            self.open(b'{')?;
            while self.key(&mut first)?.is_some() {
                self.value()?;
            }
        } else {
            self.open(b'[')?;
            while self.item(&mut first)? {
                self.value()?;
            }
        }
        Ok(())
    }
}

fn hex4(digits: &[u8; 4]) -> Option<u16> {
    digits.iter().try_fold(0, |unit: u16, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | value as u16)
    })
}

/// Undoes the escapes of a checked string; half of a surrogate pair becomes U+FFFD.
#[cold]
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (clean, escape) = rest.split_at(at);
        out.push_str(clean);
        let (character, len) = unescape_one(escape.as_bytes());
        out.push(character);
        rest = escape.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn unescape_one(escape: &[u8]) -> (char, usize) {
    let character = match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unicode(escape),
        Some(&byte) => char::from(byte),
        None => char::REPLACEMENT_CHARACTER,
    };
    (character, 2)
}

fn unescape_unicode(escape: &[u8]) -> (char, usize) {
    let unit = |at: usize| escape.get(at..)?.first_chunk::<4>().and_then(hex4);
    let Some(high) = unit(2) else {
        return (char::REPLACEMENT_CHARACTER, 6);
    };
    if let Some(character) = char::from_u32(u32::from(high)) {
        return (character, 6);
    }
    let low = if escape.get(6..8) == Some(b"\\u") { unit(8) } else { None };
    let pair = low.and_then(|low| char::decode_utf16([high, low]).next()?.ok());
    pair.map_or((char::REPLACEMENT_CHARACTER, 6), |character| (character, 12))
}

#[cfg(test)]
mod tests;
