//! A decoded header, whichever way it was written.

use alloc::borrow::Cow;
use core::fmt;

use super::binary::{self, BinaryFields};
use super::compact::CompactFields;
use super::frame::{RawFrame, SerializeType, WireLimits};
use super::json::JsonError;
use super::json_header::{self, JsonFields};
use crate::command::LanguageCode;

/// Bit 0 of the header field `flag`: the frame is an answer.
pub const FLAG_RESPONSE: i32 = 1;
/// Bit 1 of the header field `flag`: no answer is wanted.
pub const FLAG_ONEWAY: i32 = 2;

/// The header of a request or an answer.
#[derive(Clone, Debug)]
#[doc(alias = "RemotingCommand")]
pub struct Header<'a> {
    /// A [`RequestCode`](crate::command::RequestCode), or for an answer a
    /// [`ResponseCode`](crate::command::ResponseCode).
    pub code: i32,
    /// Bit 0: answer; bit 1: one-way.
    pub flag: i32,
    /// The request's number, which its answer repeats. Both ends count for themselves.
    pub opaque: i32,
    /// The sender's version, see [`version`](crate::command::version).
    pub version: i32,
    /// The sender's language.
    pub language: LanguageCode,
    /// Free text, mostly the reason of a refusal. Successes may have one too.
    pub remark: Option<Cow<'a, str>>,
    /// The ext fields (`extFields`).
    pub ext: ExtFields<'a>,
}

/// A header that cannot be understood. The connection cannot be trusted any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HeaderError {
    /// The header is not UTF-8.
    #[error("the header is not valid UTF-8")]
    InvalidUtf8,
    /// The header is not the JSON object it should be.
    #[error("bad JSON header at byte {at}: {error}")]
    Json {
        /// Place in the header, in bytes.
        at: usize,
        /// What is wrong there.
        error: JsonError,
    },
    /// A field that must be there is missing or null.
    #[error("the header has no `{field}`")]
    Missing {
        /// `code` or `opaque`.
        field: &'static str,
    },
    /// A field is not a whole number of 32 bits.
    #[error("the header field `{field}` is not a 32-bit integer")]
    BadNumber {
        /// Name of the field.
        field: &'static str,
    },
    /// More ext fields than [`WireLimits::max_ext_fields`].
    #[error("the header has more than {limit} ext fields")]
    TooManyExtFields {
        /// The limit.
        limit: usize,
    },
    /// A binary header that ends too early, or whose lengths are negative or reach past its end.
    #[error("bad binary header at byte {at}: {part} does not fit")]
    Binary {
        /// Place in the header, in bytes.
        at: usize,
        /// What was read there.
        part: &'static str,
    },
}

impl<'a> Header<'a> {
    /// Decodes the header of a frame.
    ///
    /// Accepts what servers send: any order of keys, white space, unknown keys, numbers as text,
    /// ext values that are numbers, booleans or null. A missing or null `code` or `opaque` is
    /// refused, although Java fills them in, because the answer could then reach the wrong
    /// request.
    ///
    /// # Errors
    /// [`HeaderError`] says what is wrong and where. Nothing has been allocated then except for
    /// texts with escapes.
    #[inline]
    pub fn parse(frame: &RawFrame<'a>, limits: &WireLimits) -> Result<Self, HeaderError> {
        match frame.serialize {
            SerializeType::Json => json_header::parse(frame.header, limits),
            SerializeType::RocketMq => binary::parse(frame.header, limits),
        }
    }

    /// Whether this is an answer. If not, it is a request, even if its opaque is one of ours.
    #[must_use]
    #[inline]
    pub const fn is_response(&self) -> bool {
        self.flag & FLAG_RESPONSE != 0
    }

    /// Whether the sender wants no answer.
    #[must_use]
    #[inline]
    pub const fn is_oneway(&self) -> bool {
        self.flag & FLAG_ONEWAY != 0
    }
}

/// A view of a header's ext fields, checked when the header was decoded.
#[derive(Clone, Copy, Default)]
pub struct ExtFields<'a>(Repr<'a>);

#[derive(Clone, Copy, Default)]
enum Repr<'a> {
    #[default]
    None,
    Compact(CompactFields<'a>),
    Json(JsonFields<'a>),
    Binary(BinaryFields<'a>),
}

impl<'a> ExtFields<'a> {
    #[inline]
    pub(super) fn compact(fields: CompactFields<'a>) -> Self {
        Self(Repr::Compact(fields))
    }

    #[inline]
    pub(super) fn json(fields: JsonFields<'a>) -> Self {
        Self(Repr::Json(fields))
    }

    #[inline]
    pub(super) fn binary(fields: BinaryFields<'a>) -> Self {
        Self(Repr::Binary(fields))
    }

    /// The fields as the sender ordered them, names and values as text.
    ///
    /// Null values are passed over. A name may come twice; the last one counts.
    #[inline]
    pub fn iter(&self) -> ExtFieldsIter<'a> {
        ExtFieldsIter(self.0)
    }

    /// The value of a field; of a repeated one the last.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.iter().filter(|(key, _)| key == name).last().map(|(_, value)| value)
    }

    /// Whether there is no field at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl fmt::Debug for ExtFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &ExtFields<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);
    type IntoIter = ExtFieldsIter<'a>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterator over [`ExtFields`].
#[derive(Clone)]
pub struct ExtFieldsIter<'a>(Repr<'a>);

impl fmt::Debug for ExtFieldsIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.clone()).finish()
    }
}

impl<'a> Iterator for ExtFieldsIter<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Repr::None => None,
            Repr::Compact(fields) => fields.next(),
            Repr::Json(fields) => fields.next(),
            Repr::Binary(fields) => fields.next(),
        }
    }
}

#[cfg(test)]
mod tests;
