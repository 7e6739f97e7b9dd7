//! Messages as a broker stores them, and as it hands them out in the answer to a pull.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Magic number of the layout with one length byte for the topic.
const MAGIC_V1: u32 = 0xDAA3_20A7;
/// Magic number of the layout with two length bytes for the topic, used for topics of more than 127 bytes.
const MAGIC_V2: u32 = 0xDAA3_20AB;
/// Bits of the system flag that tell that a host is an IPv6 address.
const BORN_HOST_IS_V6: i32 = 0x10;
const STORE_HOST_IS_V6: i32 = 0x20;

/// One message out of a broker's store. Its `Debug` form is short: a failed test may print thousands of them.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Name of the broker it was read from.
    pub broker: String,
    /// Topic.
    pub topic: String,
    /// Queue it stands in.
    pub queue_id: i32,
    /// Place in that queue.
    pub queue_offset: i64,
    /// Place in the commit log.
    pub commit_log_offset: i64,
    /// Flag of the application.
    pub flag: i32,
    /// System flag: compression, transaction state, kind of the hosts.
    pub sys_flag: i32,
    /// When the producer made it, in milliseconds since 1970.
    pub born_timestamp: i64,
    /// Address of the producer, as the broker saw it.
    pub born_host: SocketAddr,
    /// When the broker stored it, in milliseconds since 1970.
    pub store_timestamp: i64,
    /// Address of the broker.
    pub store_host: SocketAddr,
    /// How often it came back from a consumer.
    pub reconsume_times: i32,
    /// CRC-32 of the body, without its highest bit, as the broker worked it out.
    pub body_crc: u32,
    /// Body as stored, compressed if the system flag says so.
    pub body: Vec<u8>,
    /// Properties.
    pub properties: BTreeMap<String, String>,
}

impl StoredMessage {
    /// The keys the producer gave it, separated by blanks; empty if none.
    pub fn keys(&self) -> &str {
        self.property("KEYS")
    }

    /// The id the producer gave it (`UNIQ_KEY`, the message id of receipts); empty if none.
    pub fn unique_key(&self) -> &str {
        self.property("UNIQ_KEY")
    }

    /// Length of the stored body in bytes.
    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    /// The id made of the broker's address and the place in its commit log (`offsetMsgId` of receipts).
    pub fn offset_message_id(&self) -> String {
        let host = match self.store_host.ip() {
            IpAddr::V4(ip) => format!("{:08X}", u32::from(ip)),
            IpAddr::V6(ip) => format!("{:032X}", u128::from(ip)),
        };
        format!("{host}{:08X}{:016X}", self.store_host.port(), self.commit_log_offset)
    }

    fn property(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    /// Reads messages that stand back to back, as in the answer to PULL_MESSAGE (11).
    pub fn parse_all(broker: &str, bytes: &[u8]) -> Result<Vec<Self>, MalformedStore> {
        let mut reader = Reader { rest: bytes, length: bytes.len() };
        let mut messages = Vec::new();
        while !reader.rest.is_empty() {
            messages.push(reader.message(broker)?);
        }
        Ok(messages)
    }
}

impl fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}@{}", self.broker, self.topic, self.queue_id, self.queue_offset)?;
        write!(f, " (key {:?}, {:?}, {} bytes)", self.keys(), self.unique_key(), self.body.len())
    }
}

/// Bytes that are not stored messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedStore {
    /// Where the reader stood, in bytes.
    pub at: usize,
    /// What it read there.
    pub reason: &'static str,
}

impl fmt::Display for MalformedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.at)
    }
}

impl std::error::Error for MalformedStore {}

struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    fn message(&mut self, broker: &str) -> Result<StoredMessage, MalformedStore> {
        let start = self.at();
        let total = self.u32()?;
        let magic = self.u32()?;
        if magic != MAGIC_V1 && magic != MAGIC_V2 {
            return Err(self.error("unknown magic number"));
        }
        let body_crc = self.u32()?;
        let queue_id = self.i32()?;
        let flag = self.i32()?;
        let queue_offset = self.i64()?;
        let commit_log_offset = self.i64()?;
        let sys_flag = self.i32()?;
        let born_timestamp = self.i64()?;
        let born_host = self.host(sys_flag & BORN_HOST_IS_V6 != 0)?;
        let store_timestamp = self.i64()?;
        let store_host = self.host(sys_flag & STORE_HOST_IS_V6 != 0)?;
        let reconsume_times = self.i32()?;
        let _prepared_transaction_offset = self.i64()?;
        let body_len = self.u32()?;
        let body = self.bytes(body_len)?.to_vec();
        let topic_len = if magic == MAGIC_V1 { u32::from(self.array::<1>()?[0]) } else { self.u16()? };
        let topic = self.text(topic_len)?;
        let properties_len = self.u16()?;
        let properties = properties(&self.text(properties_len)?);
        if usize::try_from(total) != Ok(self.at() - start) {
            return Err(self.error("total size differs from the sizes of the fields"));
        }
        Ok(StoredMessage {
            broker: broker.to_owned(),
            topic,
            queue_id,
            queue_offset,
            commit_log_offset,
            flag,
            sys_flag,
            born_timestamp,
            born_host,
            store_timestamp,
            store_host,
            reconsume_times,
            body_crc,
            body,
            properties,
        })
    }

    fn at(&self) -> usize {
        self.length - self.rest.len()
    }

    fn error(&self, reason: &'static str) -> MalformedStore {
        MalformedStore { at: self.at(), reason }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MalformedStore> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.error("cut off"))?;
        self.rest = rest;
        Ok(*head)
    }

    fn bytes(&mut self, count: u32) -> Result<&'a [u8], MalformedStore> {
        let (head, rest) = usize::try_from(count)
            .ok()
            .and_then(|count| self.rest.split_at_checked(count))
            .ok_or_else(|| self.error("cut off"))?;
        self.rest = rest;
        Ok(head)
    }

    fn text(&mut self, count: u32) -> Result<String, MalformedStore> {
        let bytes = self.bytes(count)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.error("text that is not UTF-8"))
    }

    fn u16(&mut self) -> Result<u32, MalformedStore> {
        Ok(u32::from(u16::from_be_bytes(self.array()?)))
    }

    fn u32(&mut self) -> Result<u32, MalformedStore> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, MalformedStore> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, MalformedStore> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn host(&mut self, is_v6: bool) -> Result<SocketAddr, MalformedStore> {
        let ip = if is_v6 {
            IpAddr::from(Ipv6Addr::from(self.array::<16>()?))
        } else {
            IpAddr::from(Ipv4Addr::from(self.array::<4>()?))
        };
        let port = u16::try_from(self.u32()?).map_err(|_| self.error("port out of range"))?;
        Ok(SocketAddr::new(ip, port))
    }
}

/// Pairs `name \x01 value`, each followed by `\x02`; of two with one name the last counts.
fn properties(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('\u{2}').filter_map(|pair| pair.split_once('\u{1}'));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
#[path = "stored_message_tests.rs"]
mod tests;
