//! From typed values to frames.

use bytes::BytesMut;

use super::fixed::FixedFields;
use super::frame::{MAX_FRAME_BYTES, SerializeType};
use super::header::FLAG_RESPONSE;
use super::sink::{BinarySink, JsonSink, Measure};
use super::text::find_special;
use crate::command::{LanguageCode, RequestCode, ResponseCode};
use crate::ground::names::{GroupName, TopicName};

/// Room for a usual header. A larger one is written a second time, into a space that surely fits.
pub(crate) const USUAL_HEADER_BYTES: usize = 704;

/// A text without quotes, backslashes and control characters: JSON holds it as it is, so it is copied without a look at
/// its bytes.
///
/// ```
/// use rocketmq_core::wire::Plain;
///
/// assert!(Plain::new("orders").is_some());
/// assert!(Plain::new("a\"b").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain<'a>(&'a [u8]);

impl<'a> Plain<'a> {
    /// The text, if it is plain.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        (find_special(text.as_bytes()) == text.len()).then_some(Self(text.as_bytes()))
    }

    /// A text in ASCII that was checked when it was made.
    #[inline]
    pub(crate) fn known(text: &'a [u8]) -> Self {
        debug_assert!(text.is_ascii() && find_special(text) == text.len(), "{text:?} needs escapes");
        Self(text)
    }

    /// The text as UTF-8.
    #[must_use]
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> From<&'a TopicName> for Plain<'a> {
    #[inline]
    fn from(name: &'a TopicName) -> Self {
        Self::known(name.as_str().as_bytes())
    }
}

impl<'a> From<&'a GroupName> for Plain<'a> {
    #[inline]
    fn from(name: &'a GroupName) -> Self {
        Self::known(name.as_str().as_bytes())
    }
}

/// A part of a text, see [`FieldSink::parts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Any text.
    Text(&'a str),
    /// One that needs no escapes.
    Plain(Plain<'a>),
    /// U+0001, which ends the name of a property.
    NameEnd,
    /// U+0002, which ends the value of a property.
    ValueEnd,
}

impl Part<'_> {
    /// Length without escapes, in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Plain(text) => text.0.len(),
            Self::NameEnd | Self::ValueEnd => 1,
        }
    }
}

/// Takes the ext fields of a header one by one.
///
/// Each name comes at most once.
pub trait FieldSink {
    /// A text.
    fn str(&mut self, name: &str, value: &str);
    /// A whole number, written in decimal.
    fn int(&mut self, name: &str, value: i64);
    /// `true` or `false`.
    fn bool(&mut self, name: &str, value: bool);
    /// A text that needs no escapes.
    fn plain(&mut self, name: &str, value: Plain<'_>);
    /// A text given in parts, written as if they were one.
    fn parts(&mut self, name: &str, parts: &[Part<'_>]);
    /// Fields that were written before.
    fn fixed(&mut self, fields: &FixedFields);
}

/// A typed header that knows its ext fields.
pub trait WriteFields {
    /// Hands all fields to `sink`, always the same ones in the same order.
    fn write<S: FieldSink>(&self, sink: &mut S);
}

/// A header without ext fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoFields;

impl WriteFields for NoFields {
    #[inline]
    fn write<S: FieldSink>(&self, _: &mut S) {}
}

/// The fields every request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// What is asked for.
    pub code: RequestCode,
    /// 0, or 2 for one-way.
    pub flag: i32,
    /// The request's number on its connection.
    pub opaque: i32,
    /// This client's version, see [`version::CURRENT`](crate::command::version::CURRENT).
    pub version: i32,
    /// This client's language.
    pub language: LanguageCode,
}

/// The fields of an answer to a request that the other side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHead<'a> {
    /// What became of it.
    pub code: ResponseCode,
    /// The request's number.
    pub opaque: i32,
    /// A text for people.
    pub remark: Option<&'a str>,
    /// This client's version, see [`version::CURRENT`](crate::command::version::CURRENT).
    pub version: i32,
    /// This client's language.
    pub language: LanguageCode,
}

/// The fields any command has, requests and answers alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandHead<'a> {
    /// Request or response code.
    pub code: i32,
    /// Bit 0: answer; bit 1: one-way.
    pub flag: i32,
    /// The request's number.
    pub opaque: i32,
    /// The sender's version.
    pub version: i32,
    /// The sender's language.
    pub language: LanguageCode,
    /// Free text.
    pub remark: Option<&'a str>,
}

impl From<&RequestHead> for CommandHead<'_> {
    #[inline]
    fn from(head: &RequestHead) -> Self {
        Self {
            code: head.code.0,
            flag: head.flag,
            opaque: head.opaque,
            version: head.version,
            language: head.language,
            remark: None,
        }
    }
}

/// A command that cannot be written as a frame. Nothing was added to the output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Header and body together are too large for any server.
    #[error("frame of {bytes} bytes is above the protocol's limit of {limit}")]
    FrameTooLarge {
        /// Size of the frame in bytes.
        bytes: usize,
        /// [`MAX_FRAME_BYTES`].
        limit: usize,
    },
    /// The code needs more than the 16 bits of a binary header. Use JSON for it.
    #[error("code {code} does not fit into a binary header, send it as JSON")]
    CodeTooLarge {
        /// The code.
        code: i32,
    },
    /// The version needs more than the 16 bits of a binary header.
    #[error("version {version} does not fit into a binary header")]
    VersionTooLarge {
        /// The version.
        version: i32,
    },
    /// The name of an ext field is longer than the 16-bit length of a binary header allows.
    #[error("the name of an ext field is longer than 32767 bytes")]
    NameTooLong,
}

/// Adds a whole request to `out` and returns its size in bytes.
///
/// # Errors
/// [`EncodeError`]; `out` is then as before.
#[inline]
pub fn encode_request<H: WriteFields>(
    out: &mut BytesMut,
    serialize: SerializeType,
    head: &RequestHead,
    fields: &H,
    body: &[u8],
) -> Result<usize, EncodeError> {
    out.reserve(USUAL_HEADER_BYTES.saturating_add(body.len()));
    let written = encode_command(out, serialize, &head.into(), fields, body.len())?;
    out.extend_from_slice(body);
    Ok(written + body.len())
}

/// Adds a request without its body to `out`, for a body that is sent on without being copied.
/// Exactly `body_len` bytes of body must follow on the connection.
///
/// Returns the number of bytes added, without the body.
///
/// # Errors
/// [`EncodeError`]; `out` is then as before.
#[inline]
pub fn encode_request_head<H: WriteFields>(
    out: &mut BytesMut,
    serialize: SerializeType,
    head: &RequestHead,
    fields: &H,
    body_len: usize,
) -> Result<usize, EncodeError> {
    encode_command(out, serialize, &head.into(), fields, body_len)
}

/// Adds the answer to a request that the other side sent. Like the Java client's answers it has
/// no ext fields. Returns its size in bytes, with the body.
///
/// # Errors
/// [`EncodeError`]; `out` is then as before.
pub fn encode_response(
    out: &mut BytesMut,
    serialize: SerializeType,
    head: &ResponseHead<'_>,
    body: &[u8],
) -> Result<usize, EncodeError> {
    let ResponseHead { code, opaque, remark, version, language } = *head;
    let head = CommandHead { code: code.0, flag: FLAG_RESPONSE, opaque, version, language, remark };
    let written = encode_command(out, serialize, &head, &NoFields, body.len())?;
    out.extend_from_slice(body);
    Ok(written + body.len())
}

/// Adds any command without its body to `out`; [`encode_request_head`] in its general form.
///
/// # Errors
/// [`EncodeError`]; `out` is then as before.
#[inline]
pub fn encode_command<H: WriteFields>(
    out: &mut BytesMut,
    serialize: SerializeType,
    head: &CommandHead<'_>,
    fields: &H,
    body_len: usize,
) -> Result<usize, EncodeError> {
    match write_command(out, USUAL_HEADER_BYTES, serialize, head, fields, body_len)? {
        Some(len) => Ok(len),
        None => encode_large_command(out, serialize, head, fields, body_len),
    }
}

/// The same for a header that needs more room than usual. Apart from the usual way, where a loop would let the compiler
/// prepare all numbers in all forms before the first byte is written.
#[cold]
#[inline(never)]
fn encode_large_command<H: WriteFields>(
    out: &mut BytesMut,
    serialize: SerializeType,
    head: &CommandHead<'_>,
    fields: &H,
    body_len: usize,
) -> Result<usize, EncodeError> {
    let mut room = USUAL_HEADER_BYTES;
    loop {
        room = larger_room(head, fields, room)?;
        if let Some(len) = write_command(out, room, serialize, head, fields, body_len)? {
            return Ok(len);
        }
    }
}

/// Adds prefix and header if `room` is enough for them; otherwise `out` stays as it is, as after an error.
#[inline(always)]
fn write_command<H: WriteFields>(
    out: &mut BytesMut,
    room: usize,
    serialize: SerializeType,
    head: &CommandHead<'_>,
    fields: &H,
    body_len: usize,
) -> Result<Option<usize>, EncodeError> {
    let start = out.len();
    out.resize(start + room, 0);
    let space = out.get_mut(start..).unwrap_or_default();
    let written = match serialize {
        SerializeType::Json => JsonSink::command(space, head, fields, body_len),
        SerializeType::RocketMq => BinarySink::command(space, head, fields, body_len),
    };
    let len = written.as_ref().ok().copied().flatten().unwrap_or(0);
    out.truncate(start + len);
    written
}

/// The room for the next attempt: what the texts need without escapes, then twice as much each
/// time. A header that does not fit into the largest frame is refused.
fn larger_room<H: WriteFields>(
    head: &CommandHead<'_>,
    fields: &H,
    room: usize,
) -> Result<usize, EncodeError> {
    let least = Measure::command(head, fields);
    if least / 2 > MAX_FRAME_BYTES || room > MAX_FRAME_BYTES {
        return Err(EncodeError::FrameTooLarge { bytes: least.max(room), limit: MAX_FRAME_BYTES });
    }
    Ok(least.saturating_add(least / 4).max(room.saturating_mul(2)))
}

#[cfg(test)]
mod tests;
