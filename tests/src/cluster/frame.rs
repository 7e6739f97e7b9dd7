//! Frames: the four length bytes, the serialize type, the header, the body.

use bytes::Bytes;

use super::{Dialect, Text, header_binary, header_json};

/// The largest value of the total-length field that servers accept: a frame of 16 MiB less its own four length bytes.
pub(crate) const MAX_TOTAL: usize = 16_777_212;

/// A 5.x server looks at nothing before this many bytes of a new connection have arrived (it looks for a PROXY header).
const V5_FIRST_LOOK: usize = 12;

/// Bit 0 of a frame's flag: this is an answer.
const FLAG_RESPONSE: i32 = 1;
/// Bit 1 of a frame's flag: the sender wants no answer.
pub(crate) const FLAG_ONE_WAY: i32 = 2;

/// How a header is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SerializeType {
    /// Type byte 0: a JSON object.
    Json,
    /// Type byte 1: RocketMQ's own binary form.
    RocketMq,
}

/// One frame, in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The form of the header.
    pub serialize_type: SerializeType,
    /// Request or response code.
    pub code: i32,
    /// Language code of the sender; `None` for one that the reader does not know.
    pub language: Option<u8>,
    /// The sender's version (the ordinal in Java's `MQVersion`).
    pub version: i32,
    /// Number of the request, repeated in its answer; `None` only for a JSON header without the field.
    pub opaque: Option<i32>,
    /// Bit 0: answer, bit 1: one-way.
    pub flag: i32,
    /// Text for people.
    pub remark: Option<String>,
    /// The custom header; `None` when there is no such field at all, which servers tell from an empty one.
    pub ext_fields: Option<Vec<(Text, Option<Text>)>>,
    /// The body; an empty one cannot be told from none.
    pub body: Bytes,
}

impl Frame {
    /// A request with ext fields and without a body: language JAVA, the version of the 5.5.0 Java client, flag 0.
    pub fn request(code: i32, opaque: i32, ext_fields: &[(&str, &str)]) -> Frame {
        let own = |(name, value): &(&str, &str)| ((*name).into(), Some((*value).into()));
        Frame {
            serialize_type: SerializeType::Json,
            code,
            language: Some(0),
            version: Dialect::V5_5_0.version(),
            opaque: Some(opaque),
            flag: 0,
            remark: None,
            ext_fields: Some(ext_fields.iter().map(own).collect()),
            body: Bytes::new(),
        }
    }

    /// The value of an ext field; a field that is there twice counts with its last value.
    pub fn ext(&self, name: &str) -> Option<&str> {
        let fields = self.ext_fields.as_ref()?;
        let last = fields.iter().rev().find(|(key, _)| key == name)?;
        last.1.as_deref()
    }

    /// Whether the sender wants no answer.
    pub fn is_one_way(&self) -> bool {
        self.flag & FLAG_ONE_WAY != 0
    }

    /// Whether this is an answer and not a request.
    pub fn is_response(&self) -> bool {
        self.flag & FLAG_RESPONSE != 0
    }

    /// The whole frame as bytes, in the form that `serialize_type` names.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.body.len());
        self.encode_into(&mut out);
        out
    }

    /// Appends the whole frame to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 8]);
        let type_byte: u8 = match self.serialize_type {
            SerializeType::Json => {
                header_json::write(self, out);
                0
            }
            SerializeType::RocketMq => {
                header_binary::write(self, out);
                1
            }
        };
        let header_length = out.len() - start - 8;
        out.extend_from_slice(&self.body);
        let total = out.len() - start - 4;
        let marked = (u32::from(type_byte) << 24) | (header_length as u32 & 0x00FF_FFFF);
        out[start..start + 4].copy_from_slice(&(total as u32).to_be_bytes());
        out[start + 4..start + 8].copy_from_slice(&marked.to_be_bytes());
    }
}

/// Why a server closes a connection without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// The total length is negative, below 4, or above 16 777 212.
    Length,
    /// The header length is 0 or larger than the frame.
    HeaderLength,
    /// The type byte is neither 0 nor 1.
    SerializeType,
    /// The header does not parse.
    Header,
}

/// Cuts a stream of bytes into frames, as a server of the given release does.
#[derive(Debug, Clone)]
pub struct FrameReader {
    dialect: Dialect,
    buffer: Vec<u8>,
    /// Bytes before this position have been read.
    start: usize,
    looked: bool,
}

impl FrameReader {
    /// A reader at the start of a connection.
    pub fn new(dialect: Dialect) -> FrameReader {
        FrameReader { dialect, buffer: Vec::new(), start: 0, looked: false }
    }

    /// Takes bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that have arrived and belong to no whole frame yet.
    pub fn held(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next whole frame, `None` when more bytes are needed.
    ///
    /// # Errors
    /// After an error the stream is useless: a server closes the connection.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        if !self.looked {
            if self.dialect.is_v5() && rest.len() < V5_FIRST_LOOK {
                return Ok(None);
            }
            self.looked = !rest.is_empty();
        }
        let Some((length_bytes, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        // A negative length is above the limit when it is read as unsigned.
        let total = u32::from_be_bytes(*length_bytes) as usize;
        if !(4..=MAX_TOTAL).contains(&total) {
            return Err(FrameError::Length);
        }
        let Some(content) = rest.get(..total) else {
            return Ok(None);
        };
        let frame = read_content(self.dialect, content)?;
        self.start += 4 + total;
        Ok(Some(frame))
    }
}

fn read_content(dialect: Dialect, content: &[u8]) -> Result<Frame, FrameError> {
    let (marked, rest) = content.split_first_chunk::<4>().ok_or(FrameError::Length)?;
    let header_length = (u32::from_be_bytes(*marked) & 0x00FF_FFFF) as usize;
    if header_length == 0 {
        return Err(FrameError::HeaderLength);
    }
    let (header, body) = rest.split_at_checked(header_length).ok_or(FrameError::HeaderLength)?;
    let parsed = match marked[0] {
        0 => header_json::read(dialect, header),
        1 => header_binary::read(dialect, header),
        _ => return Err(FrameError::SerializeType),
    };
    let mut frame = parsed.ok_or(FrameError::Header)?;
    frame.body = Bytes::copy_from_slice(body);
    Ok(frame)
}
