//! Stored messages: the form in which brokers bring them, in checks of transactions, queries and pulls.
//!
//! | size in bytes | field |
//! |---|---|
//! | 4 | total size |
//! | 4 | magic: the first or the second version of the layout |
//! | 4 | checksum of the stored body |
//! | 4, 4 | queue, flag |
//! | 8, 8 | offset in the queue, offset in the commit log |
//! | 4 | system flag |
//! | 8; 4 or 16, and 4 | when the message was made; address and port of its maker |
//! | 8; 4 or 16, and 4 | when it was stored; address and port of the broker |
//! | 4, 8 | how often consumers have tried it; offset of the half message that it came from |
//! | 4, then so many | body |
//! | 1 or (second version) 2, then so many | topic |
//! | 2, then so many | properties |

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str;

use bytes::Bytes;

use super::{Message, OffsetMessageId, Properties, UniqueKey, names};
use crate::ground::names::{NameError, TopicName};

/// The layout whose topic has at most 127 bytes.
const MAGIC_V1: u32 = 0xDAA3_20A7;
/// The layout for longer topics, from 5.1.0 on.
const MAGIC_V2: u32 = 0xDAA3_20AB;

/// System flag: the body is compressed.
const COMPRESSED: i32 = 0x1;
/// System flag: which way.
const COMPRESSION_TYPE: i32 = 0x700;
/// System flag: the maker's address has 16 bytes.
const BORN_HOST_V6: i32 = 0x10;
/// System flag: the broker's address has 16 bytes.
const STORE_HOST_V6: i32 = 0x20;

/// How a body is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[doc(alias = "CompressionType")]
#[non_exhaustive]
pub enum Compression {
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
    /// zlib, what Java clients use unless they are told otherwise.
    Zlib,
    /// A number that this client does not know.
    Unknown(u8),
}

impl Compression {
    /// What the system flag of a message says; none when its body is as it was sent.
    #[must_use]
    pub fn of_system_flag(flag: i32) -> Option<Compression> {
        if flag & COMPRESSED == 0 {
            return None;
        }
        // Clients before 4.9.4 name no type: theirs is zlib.
        Some(match (flag & COMPRESSION_TYPE) >> 8 {
            1 => Compression::Lz4,
            2 => Compression::Zstd,
            0 | 3 => Compression::Zlib,
            other => Compression::Unknown(u8::try_from(other).unwrap_or(u8::MAX)),
        })
    }
}

/// A message as a broker keeps it: what was sent, and what the broker knows of it.
///
/// Dereferences to nothing: the message itself is [`message`](Self::message).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MessageExt {
    /// Topic, body, flag and properties. The body is still compressed when [`compression`](Self::compression) says so.
    pub message: Message,
    /// Message queue of its topic.
    pub queue_id: i32,
    /// Place in the message queue; of a half message, in the queue of half messages.
    pub queue_offset: i64,
    /// Where it begins in the broker's commit log, in bytes.
    pub commit_log_offset: i64,
    /// Bits for compression, transactions and the kinds of addresses.
    pub system_flag: i32,
    /// When its maker made it, in milliseconds since the Unix epoch, by the maker's clock.
    pub born_timestamp: i64,
    /// The maker's address, as the broker saw it.
    pub born_host: SocketAddr,
    /// When it was stored, in milliseconds since the Unix epoch, by the broker's clock.
    pub store_timestamp: i64,
    /// The broker's address.
    pub store_host: SocketAddr,
    /// How often consumers have tried it already.
    pub reconsume_times: i32,
    /// Where the half message that it came from begins in the commit log; 0 for a message without transaction.
    pub prepared_transaction_offset: i64,
}

/// Why bytes are no stored message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageExtError {
    /// A field, or what its length announces, goes beyond the end.
    #[error("a stored message is cut off in its {0}")]
    CutOff(&'static str),
    /// Neither of the two layouts.
    #[error("a stored message has the unknown magic number {0:#010x}")]
    Magic(u32),
    /// A length below zero.
    #[error("a stored message has a negative length of its {0}")]
    NegativeLength(&'static str),
    /// A port that is none.
    #[error("a stored message has the port {0}")]
    Port(u32),
    /// Text that is not UTF-8.
    #[error("the {0} of a stored message is not UTF-8")]
    NotUtf8(&'static str),
    /// A topic that cannot be one.
    #[error("the topic of a stored message: {0}")]
    Topic(#[from] NameError),
}

impl MessageExt {
    /// Reads the first of the stored messages in `bytes`, and moves `bytes` behind it.
    ///
    /// The body is copied: it may outlive the frame in which it came. As in Java, the checksum is not looked at, and the
    /// message ends where its fields do.
    ///
    /// # Errors
    /// The first thing that is wrong. What follows cannot be found then.
    #[doc(alias = "MessageDecoder")]
    pub fn read(bytes: &mut &[u8]) -> Result<MessageExt, MessageExtError> {
        let mut reader = Reader(bytes);
        reader.u32("size")?;
        let magic = reader.u32("magic number")?;
        if magic != MAGIC_V1 && magic != MAGIC_V2 {
            return Err(MessageExtError::Magic(magic));
        }
        reader.u32("checksum")?;
        let (queue_id, flag) = (reader.i32("queue")?, reader.i32("flag")?);
        let (queue_offset, commit_log_offset) =
            (reader.i64("queue offset")?, reader.i64("commit log offset")?);
        let system_flag = reader.i32("system flag")?;
        let born_timestamp = reader.i64("born timestamp")?;
        let born_host = reader.host("born host", system_flag & BORN_HOST_V6 != 0)?;
        let store_timestamp = reader.i64("store timestamp")?;
        let store_host = reader.host("store host", system_flag & STORE_HOST_V6 != 0)?;
        let reconsume_times = reader.i32("reconsume times")?;
        let prepared_transaction_offset = reader.i64("prepared transaction offset")?;
        let len = reader.i32("body")?;
        let body = Bytes::copy_from_slice(reader.take("body", len.into())?);
        let len = if magic == MAGIC_V1 { reader.i8("topic")?.into() } else { reader.i16("topic")?.into() };
        let topic: TopicName = reader.text("topic", len)?.parse()?;
        let len = reader.i16("properties")?;
        let properties = Properties::parse(reader.text("properties", len.into())?);
        *bytes = reader.0;
        Ok(MessageExt {
            message: Message { topic, body, flag, properties },
            queue_id,
            queue_offset,
            commit_log_offset,
            system_flag,
            born_timestamp,
            born_host,
            store_timestamp,
            store_host,
            reconsume_times,
            prepared_transaction_offset,
        })
    }

    /// How its body is compressed; none when it is as it was sent.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        Compression::of_system_flag(self.system_flag)
    }

    /// The key that its maker gave it, unless it has none or one of another form.
    #[doc(alias = "getMsgId")]
    #[must_use]
    pub fn unique_key(&self) -> Option<UniqueKey> {
        self.message.unique_key()
    }

    /// The id that the broker gave it.
    #[doc(alias = "getOffsetMsgId")]
    #[must_use]
    pub fn offset_message_id(&self) -> OffsetMessageId {
        OffsetMessageId::new(self.store_host, self.commit_log_offset)
    }

    /// The producer group that sent it as a half message.
    #[must_use]
    pub fn producer_group(&self) -> Option<&str> {
        self.message.property(names::PGROUP)
    }

    /// How often the broker has asked about this half message, this time included.
    #[must_use]
    pub fn transaction_check_times(&self) -> u32 {
        self.message
            .property(names::TRANSACTION_CHECK_TIMES)
            .and_then(|times| times.parse().ok())
            .unwrap_or(0)
    }

    /// Puts the body in as it was sent.
    #[cfg_attr(not(feature = "zlib"), expect(dead_code, reason = "nothing is inflated without the feature"))]
    pub(crate) fn set_plain_body(&mut self, body: Bytes) {
        self.message.body = body;
        self.system_flag &= !(COMPRESSED | COMPRESSION_TYPE);
    }
}

/// Fields from front to back. The whole came in a frame, whose size is bounded.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, what: &'static str, len: i64) -> Result<&'a [u8], MessageExtError> {
        let len = usize::try_from(len).map_err(|_| MessageExtError::NegativeLength(what))?;
        let (taken, rest) = self.0.split_at_checked(len).ok_or(MessageExtError::CutOff(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], MessageExtError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(MessageExtError::CutOff(what))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn i8(&mut self, what: &'static str) -> Result<i8, MessageExtError> {
        self.array(what).map(i8::from_be_bytes)
    }

    fn i16(&mut self, what: &'static str) -> Result<i16, MessageExtError> {
        self.array(what).map(i16::from_be_bytes)
    }

    fn i32(&mut self, what: &'static str) -> Result<i32, MessageExtError> {
        self.array(what).map(i32::from_be_bytes)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, MessageExtError> {
        self.array(what).map(u32::from_be_bytes)
    }

    fn i64(&mut self, what: &'static str) -> Result<i64, MessageExtError> {
        self.array(what).map(i64::from_be_bytes)
    }

    fn host(&mut self, what: &'static str, v6: bool) -> Result<SocketAddr, MessageExtError> {
        let ip = if v6 {
            IpAddr::V6(Ipv6Addr::from(self.array::<16>(what)?))
        } else {
            IpAddr::V4(Ipv4Addr::from(self.array::<4>(what)?))
        };
        let port = self.u32(what)?;
        let port = u16::try_from(port).map_err(|_| MessageExtError::Port(port))?;
        Ok(SocketAddr::new(ip, port))
    }

    fn text(&mut self, what: &'static str, len: i64) -> Result<&'a str, MessageExtError> {
        str::from_utf8(self.take(what, len)?).map_err(|_| MessageExtError::NotUtf8(what))
    }
}

#[cfg(test)]
#[path = "message_ext_tests.rs"]
mod tests;
