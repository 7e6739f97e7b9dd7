//! The frame: its size limits, its prefix, and what can be wrong with it.

use core::fmt;
use core::str::FromStr;

/// Largest frame the protocol allows, in bytes, its 4 length bytes included.
pub const MAX_FRAME_BYTES: usize = 16_777_216;

/// Bytes before the header: 4 of length, 1 of serialize type, 3 of header length.
pub(crate) const PREFIX_BYTES: usize = 8;

/// How a header is written. Each frame says it for itself; both kinds mix on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum SerializeType {
    /// JSON text, type byte 0.
    #[default]
    Json,
    /// RocketMQ's binary layout, type byte 1.
    RocketMq,
}

impl SerializeType {
    /// The frame's type byte.
    #[must_use]
    #[inline]
    pub const fn code(self) -> u8 {
        match self {
            Self::Json => 0,
            Self::RocketMq => 1,
        }
    }
}

/// The text is not the name of a serialize type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown serialize type, expected JSON or ROCKETMQ")]
pub struct UnknownSerializeType;

impl FromStr for SerializeType {
    type Err = UnknownSerializeType;

    /// Reads `JSON`, or `ROCKETMQ` and its everyday name `binary`, in any letter case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("JSON") {
            Ok(Self::Json)
        } else if text.eq_ignore_ascii_case("ROCKETMQ") || text.eq_ignore_ascii_case("binary") {
            Ok(Self::RocketMq)
        } else {
            Err(UnknownSerializeType)
        }
    }
}

impl fmt::Display for SerializeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Json => "JSON",
            Self::RocketMq => "ROCKETMQ",
        })
    }
}

/// What a peer may make this client hold or work through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WireLimits {
    /// Largest frame in bytes, its 4 length bytes included.
    pub max_frame: usize,
    /// Largest header in bytes.
    pub max_header: usize,
    /// Most ext fields in one header.
    pub max_ext_fields: usize,
    /// Deepest nesting of a JSON header, the header itself being 1.
    pub max_depth: usize,
}

impl Default for WireLimits {
    fn default() -> Self {
        Self { max_frame: MAX_FRAME_BYTES, max_header: 1024 * 1024, max_ext_fields: 256, max_depth: 64 }
    }
}

/// One whole frame, taken apart but not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawFrame<'a> {
    /// How the header is written.
    pub serialize: SerializeType,
    /// The header, never empty.
    pub header: &'a [u8],
    /// The body; empty when there is none.
    pub body: &'a [u8],
}

/// The received bytes are no frames. The connection cannot be used any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FrameError {
    /// The peer speaks HTTP.
    #[error("the peer answered with HTTP: the address belongs to a web server, dashboard or HTTP proxy")]
    Http,
    /// The peer opened an HTTP/2 connection.
    #[error("the peer sent an HTTP/2 preface: the address belongs to an HTTP/2 or gRPC client")]
    Http2Preface,
    /// A TLS alert.
    #[error("the peer sent a TLS alert: it expects TLS, or refused this client's handshake")]
    TlsAlert,
    /// Any other TLS record.
    #[error("the peer sent a TLS record: it expects TLS on this address")]
    TlsRecord,
    /// A length with its top bit set.
    #[error("negative frame length {length}: the peer does not speak the remoting protocol")]
    NegativeLength {
        /// The announced length.
        length: i32,
    },
    /// A length that leaves no room for the header length.
    #[error("frame length {length} is below 4: the peer does not speak the remoting protocol")]
    TooShort {
        /// The announced length.
        length: u32,
    },
    /// A frame above the limit.
    #[error("frame of {bytes} bytes is above the limit of {limit}: wrong protocol or oversized answer")]
    Oversize {
        /// Size of the whole frame in bytes, its 4 length bytes included.
        bytes: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// A type byte other than 0 and 1.
    #[error("unknown serialize type {found}: the peer does not speak the remoting protocol")]
    UnknownSerializeType {
        /// The type byte.
        found: u8,
    },
    /// A header of no bytes.
    #[error("frame without a header: a gRPC server starts like this, otherwise a broken peer")]
    EmptyHeader,
    /// A header that does not fit into its frame.
    #[error("header of {header} bytes does not fit into a frame length of {length}")]
    HeaderOutsideFrame {
        /// Announced header length in bytes.
        header: u32,
        /// Announced frame length in bytes.
        length: u32,
    },
    /// A header above the limit.
    #[error("header of {header} bytes is above the limit of {limit}")]
    HeaderOversize {
        /// Announced header length in bytes.
        header: u32,
        /// The limit in bytes.
        limit: usize,
    },
}

/// A checked frame prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) serialize: SerializeType,
    pub(crate) header_len: usize,
    /// Size of the whole frame, prefix included.
    pub(crate) frame_len: usize,
}

impl Prefix {
    /// Checks as much of a prefix as there is; `None` when it is sound so far but not complete.
    ///
    /// Length, type byte and header length are looked at in this order, each as soon as its bytes
    /// are there, so that the way a stream was cut does not change what is found.
    #[inline]
    pub(crate) fn check(bytes: &[u8], limits: &WireLimits) -> Result<Option<Self>, FrameError> {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = checked_length(*length, limits)?;
        let Some(kind) = rest.first() else {
            return Ok(None);
        };
        let serialize = match kind {
            0 => SerializeType::Json,
            1 => SerializeType::RocketMq,
            &found => return Err(FrameError::UnknownSerializeType { found }),
        };
        let Some(&[_, a, b, c]) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        let header = u32::from_be_bytes([0, a, b, c]);
        if header == 0 {
            return Err(FrameError::EmptyHeader);
        }
        if header > length - 4 {
            return Err(FrameError::HeaderOutsideFrame { header, length });
        }
        // Both fit into usize: the frame limit was checked above.
        let header_len = header as usize;
        if header_len > limits.max_header {
            return Err(FrameError::HeaderOversize { header, limit: limits.max_header });
        }
        Ok(Some(Self { serialize, header_len, frame_len: length as usize + 4 }))
    }

    /// Takes a frame apart; `None` when `bytes` holds less than all of it.
    #[inline]
    pub(crate) fn frame<'a>(&self, bytes: &'a [u8]) -> Option<RawFrame<'a>> {
        let content = bytes.get(PREFIX_BYTES..self.frame_len)?;
        let (header, body) = content.split_at_checked(self.header_len)?;
        Some(RawFrame { serialize: self.serialize, header, body })
    }
}

#[inline]
fn checked_length(bytes: [u8; 4], limits: &WireLimits) -> Result<u32, FrameError> {
    let length = u32::from_be_bytes(bytes);
    let whole = u64::from(length) + 4;
    if length >= 4 && whole <= limits.max_frame as u64 && length <= i32::MAX as u32 {
        return Ok(length);
    }
    Err(wrong_length(bytes, whole, limits))
}

#[cold]
fn wrong_length(bytes: [u8; 4], whole: u64, limits: &WireLimits) -> FrameError {
    let length = u32::from_be_bytes(bytes);
    match bytes {
        [b'H', b'T', b'T', b'P'] | [b'<', b'!' | b'h' | b'H', _, _] => FrameError::Http,
        [b'P', b'R', b'I', b' '] => FrameError::Http2Preface,
        [0x15, 0x03, _, _] => FrameError::TlsAlert,
        [0x14 | 0x16 | 0x17, 0x03, _, _] => FrameError::TlsRecord,
        _ if length > i32::MAX as u32 => FrameError::NegativeLength { length: i32::from_be_bytes(bytes) },
        _ if length < 4 => FrameError::TooShort { length },
        _ => FrameError::Oversize { bytes: whole, limit: limits.max_frame },
    }
}

#[cfg(test)]
mod tests;
