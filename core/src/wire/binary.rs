//! The header in RocketMQ's binary layout.

use alloc::borrow::Cow;

use super::frame::WireLimits;
use super::header::{ExtFields, Header, HeaderError};
use crate::command::LanguageCode;

const EXT_VALUE: &str = "ext value";

/// Decodes a binary header.
///
/// As in Java, a negative length of the ext fields means none, and bytes after them are ignored.
#[inline]
pub(super) fn parse<'a>(header: &'a [u8], limits: &WireLimits) -> Result<Header<'a>, HeaderError> {
    let mut reader = Reader { bytes: header, at: 0, offset: 0, text: None };
    let code = i32::from(i16::from_be_bytes(*reader.array("code")?));
    let [language] = *reader.array("language")?;
    let version = i32::from(i16::from_be_bytes(*reader.array("version")?));
    let opaque = i32::from_be_bytes(*reader.array("opaque")?);
    let flag = i32::from_be_bytes(*reader.array("flag")?);
    let remark = match reader.value("remark")? {
        "" => None,
        remark => Some(Cow::Borrowed(remark)),
    };
    let ext = match i32::from_be_bytes(*reader.array("length of the ext fields")?) {
        ..=0 => ExtFields::default(),
        length => ExtFields::binary(checked_fields(reader, length, limits)?),
    };
    let language = LanguageCode::from_code(language);
    Ok(Header { code, flag, opaque, version, language, remark, ext })
}

fn checked_fields<'a>(
    mut reader: Reader<'a>,
    length: i32,
    limits: &WireLimits,
) -> Result<BinaryFields<'a>, HeaderError> {
    let offset = reader.at;
    let block = reader.take(length.into(), "ext fields")?;
    // Names, values and even their lengths are mostly ASCII: then one look checks all of them.
    let fields = Reader { bytes: block, at: 0, offset, text: core::str::from_utf8(block).ok() };
    let mut walk = fields;
    let mut count = 0;
    while walk.at < block.len() {
        walk.name()?;
        walk.value(EXT_VALUE)?;
        count += 1;
        if count > limits.max_ext_fields {
            return Err(HeaderError::TooManyExtFields { limit: limits.max_ext_fields });
        }
    }
    Ok(BinaryFields(fields))
}

/// Reads bytes from front to back.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where `bytes` starts in the header, for errors.
    offset: usize,
    /// The same bytes, if all of them are UTF-8.
    text: Option<&'a str>,
}

impl<'a> Reader<'a> {
    #[cold]
    fn misfit(&self, part: &'static str) -> HeaderError {
        HeaderError::Binary { at: self.offset + self.at, part }
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self, part: &'static str) -> Result<&'a [u8; N], HeaderError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()) {
            Some(array) => {
                self.at += N;
                Ok(array)
            }
            None => Err(self.misfit(part)),
        }
    }

    /// Moves over `len` bytes, which must be there, and returns where they end.
    #[inline(always)]
    fn skip(&mut self, len: i64, part: &'static str) -> Result<usize, HeaderError> {
        let left = self.bytes.len() - self.at;
        match usize::try_from(len) {
            Ok(len) if len <= left => {
                self.at += len;
                Ok(self.at)
            }
            _ => Err(self.misfit(part)),
        }
    }

    #[inline(always)]
    fn take(&mut self, len: i64, part: &'static str) -> Result<&'a [u8], HeaderError> {
        let start = self.at;
        let end = self.skip(len, part)?;
        self.bytes.get(start..end).ok_or_else(|| self.misfit(part))
    }

    /// A name: 16 bits of length and its text.
    #[inline(always)]
    fn name(&mut self) -> Result<&'a str, HeaderError> {
        const PART: &str = "ext name";
        let len = i16::from_be_bytes(*self.array(PART)?);
        self.text(len.into(), PART)
    }

    /// A value: 32 bits of length and its text.
    #[inline(always)]
    fn value(&mut self, part: &'static str) -> Result<&'a str, HeaderError> {
        let len = i32::from_be_bytes(*self.array(part)?);
        self.text(len.into(), part)
    }

    #[inline(always)]
    fn text(&mut self, len: i64, part: &'static str) -> Result<&'a str, HeaderError> {
        let start = self.at;
        let end = self.skip(len, part)?;
        let text = match self.text {
            Some(text) => text.get(start..end),
            None if len == 0 => Some(""),
            None => core::str::from_utf8(self.bytes.get(start..end).unwrap_or_default()).ok(),
        };
        text.ok_or(HeaderError::InvalidUtf8)
    }
}

/// A checked block of ext fields, what has not been iterated over yet.
#[derive(Clone, Copy)]
pub(super) struct BinaryFields<'a>(Reader<'a>);

impl<'a> BinaryFields<'a> {
    #[inline]
    pub(super) fn next(&mut self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        if self.0.at >= self.0.bytes.len() {
            return None;
        }
        let name = self.0.name().ok()?;
        let value = self.0.value(EXT_VALUE).ok()?;
        Some((Cow::Borrowed(name), Cow::Borrowed(value)))
    }
}

#[cfg(test)]
mod tests;
