//! The header as JSON, in any form.

use alloc::borrow::Cow;

use super::compact;
use super::frame::WireLimits;
use super::header::{ExtFields, Header, HeaderError};
use super::json::{JsonError, JsonReader, RawText};
use crate::command::LanguageCode;

/// Decodes a JSON header.
pub(super) fn parse<'a>(header: &'a [u8], limits: &WireLimits) -> Result<Header<'a>, HeaderError> {
    let text = core::str::from_utf8(header).map_err(|_| HeaderError::InvalidUtf8)?;
    match compact::parse(text, limits) {
        Some(header) => Ok(header),
        None => parse_any(text, limits),
    }
}

#[inline(never)]
fn parse_any<'a>(text: &'a str, limits: &WireLimits) -> Result<Header<'a>, HeaderError> {
    let mut reader = JsonReader::new(text, limits.max_depth);
    let mut draft = Draft::default();
    match draft.read(&mut reader, text, limits) {
        Ok(()) => draft.finish(),
        Err(Stop::Json(error)) => Err(HeaderError::Json { at: reader.at(), error }),
        Err(Stop::Header(error)) => Err(error),
    }
}

/// Why reading stopped. The place in the text is added once, at the top.
enum Stop {
    Json(JsonError),
    Header(HeaderError),
}

impl From<JsonError> for Stop {
    #[inline]
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

#[derive(Default)]
struct Draft<'a> {
    code: Option<i32>,
    flag: i32,
    opaque: Option<i32>,
    version: i32,
    language: Option<LanguageCode>,
    remark: Option<RawText<'a>>,
    ext: ExtFields<'a>,
}

impl<'a> Draft<'a> {
    #[inline]
    fn read(&mut self, reader: &mut JsonReader<'a>, text: &'a str, limits: &WireLimits) -> Result<(), Stop> {
        reader.open(b'{')?;
        let mut first = true;
        while let Some(key) = reader.key(&mut first)? {
            match &*key.decode() {
                "code" => self.code = integer(reader, "code")?,
                "extFields" => self.ext = ext_fields(reader, text, limits)?,
                "flag" => self.flag = integer(reader, "flag")?.unwrap_or(0),
                "language" => self.language = Some(language(reader)?),
                "opaque" => self.opaque = integer(reader, "opaque")?,
                "remark" => self.remark = reader.value()?,
                "version" => self.version = integer(reader, "version")?.unwrap_or(0),
                _ => {
                    reader.value()?;
                }
            }
        }
        reader.end()?;
        Ok(())
    }

    #[inline]
    fn finish(self) -> Result<Header<'a>, HeaderError> {
        Ok(Header {
            code: self.code.ok_or(HeaderError::Missing { field: "code" })?,
            flag: self.flag,
            opaque: self.opaque.ok_or(HeaderError::Missing { field: "opaque" })?,
            version: self.version,
            // Java's own default; null and unknown names are Unknown.
            language: self.language.unwrap_or(LanguageCode::Java),
            remark: self.remark.map(RawText::decode),
            ext: self.ext,
        })
    }
}

/// A 32-bit integer, also as text; `None` for null.
#[inline]
fn integer(reader: &mut JsonReader<'_>, field: &'static str) -> Result<Option<i32>, Stop> {
    let bad = Stop::Header(HeaderError::BadNumber { field });
    match reader.peek()? {
        b'n' | b'"' | b'-' | b'0'..=b'9' => match reader.value()? {
            None => Ok(None),
            Some(text) => text.decode().parse().map(Some).map_err(|_| bad),
        },
        _ => Err(bad),
    }
}

#[inline]
fn language(reader: &mut JsonReader<'_>) -> Result<LanguageCode, Stop> {
    Ok(match reader.value()? {
        Some(name) => LanguageCode::from_name(&name.decode()),
        None => LanguageCode::Unknown,
    })
}

/// Checks the ext fields and keeps where they are.
fn ext_fields<'a>(
    reader: &mut JsonReader<'a>,
    text: &'a str,
    limits: &WireLimits,
) -> Result<ExtFields<'a>, Stop> {
    if reader.null()? {
        return Ok(ExtFields::default());
    }
    reader.open(b'{')?;
    let start = reader.at();
    let mut first = true;
    let mut count = 0;
    while reader.key(&mut first)?.is_some() {
        reader.value()?;
        count += 1;
    }
    if count > limits.max_ext_fields {
        let limit = limits.max_ext_fields;
        return Err(Stop::Header(HeaderError::TooManyExtFields { limit }));
    }
    // Without the closing brace.
    let text = text.get(start..reader.at() - 1).unwrap_or_default();
    Ok(ExtFields::json(JsonFields { text }))
}

/// The inside of a checked `extFields` object, what has not been iterated over yet.
#[derive(Clone, Copy)]
pub(super) struct JsonFields<'a> {
    text: &'a str,
}

impl<'a> JsonFields<'a> {
    #[cold]
    pub(super) fn next(&mut self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        loop {
            let mut reader = JsonReader::new(self.text, usize::MAX);
            // The end of the text is an error to the reader, and the end here.
            let key = reader.key(&mut true).ok()??;
            let value = reader.value().ok()?;
            let rest = self.text.get(reader.at()..).unwrap_or_default().trim_start();
            self.text = rest.strip_prefix(',').unwrap_or_default();
            if let Some(value) = value {
                return Some((key.decode(), value.decode()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
