//! The message log: every stored message in the order of its commit-log offset, and the queues that point into it.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::cluster::Text;
use crate::cluster::crc32::body_crc;
use crate::cluster::properties::{parse_properties, property_in};
use crate::cluster::topic::HALF_TOPIC;

/// The magic number of the layout with one byte for the length of the topic. The other one is for longer topics, which
/// brokers do not store by default.
const MAGIC: u32 = 0xDAA3_20A7;
const BORN_HOST_IS_IPV6: i32 = 0x10;
const STORE_HOST_IS_IPV6: i32 = 0x20;

/// A message as a broker has stored it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Name of the broker.
    pub broker: String,
    /// The topic under which it is stored.
    pub topic: String,
    /// The queue in which it is stored.
    pub queue_id: i32,
    /// Its place in the queue, from 0.
    pub queue_offset: i64,
    /// Its place in the broker's commit log, in bytes.
    pub commit_offset: i64,
    /// The offset message id that its producer was told (`msgId` of the answer).
    pub offset_message_id: String,
    /// The body as it was sent, still compressed when it was.
    pub body: Bytes,
    /// All properties, those that the broker added included.
    pub properties: BTreeMap<String, String>,
    /// Property `UNIQ_KEY`.
    pub unique_key: Option<String>,
    /// Property `KEYS`, cut at blanks.
    pub keys: Vec<String>,
    /// Property `TAGS`.
    pub tags: Option<String>,
    /// The user's flag.
    pub flag: i32,
    /// The system flag.
    pub system_flag: i32,
    /// When the client says that the message was made, in milliseconds.
    pub born_timestamp: i64,
    /// Address of the client.
    pub born_host: SocketAddr,
    /// When the broker stored it, in milliseconds on the caller's clock.
    pub store_timestamp: i64,
    /// How often it has been consumed before.
    pub reconsume_times: i32,
    /// Code of the request that brought it: 10, 310 or 320.
    pub request_code: i32,
    /// Number of that request on its connection.
    pub opaque: i32,
}

/// A stored message, as far as most questions go: nothing of it is copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredBrief<'a> {
    pub(crate) topic: &'a str,
    pub(crate) queue_id: i32,
    pub(crate) queue_offset: i64,
    pub(crate) commit_offset: i64,
    pub(crate) unique_key: Option<&'a str>,
    /// The first of its keys.
    pub(crate) key: Option<&'a str>,
    /// It is the copy of a half message that a check has made.
    pub(crate) was_checked: bool,
}

/// System flag: the two bits that say where a transaction stands, and two of their values.
const TRANSACTION_BITS: i32 = 0x0C;
const PREPARED: i32 = 0x04;
const ROLLED_BACK: i32 = 0x0C;

/// A message on its way into the log.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) topic: String,
    pub(crate) queue_id: i32,
    pub(crate) body: Bytes,
    pub(crate) properties: String,
    pub(crate) flag: i32,
    pub(crate) system_flag: i32,
    pub(crate) born_timestamp: i64,
    pub(crate) born_host: SocketAddr,
    pub(crate) reconsume_times: i32,
    pub(crate) request_code: i32,
    pub(crate) opaque: i32,
}

pub(crate) struct Record {
    pub(crate) message: NewMessage,
    pub(crate) queue_offset: i64,
    pub(crate) commit_offset: i64,
    pub(crate) store_timestamp: i64,
}

/// Where a message was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) queue_offset: i64,
    pub(crate) commit_offset: i64,
}

pub(crate) struct MessageLog {
    address: SocketAddr,
    records: Vec<Record>,
    /// Topic, then queue id, then indices into `records`.
    queues: HashMap<String, Vec<Vec<usize>>>,
    end: i64,
    /// Topic and key to record indices; filled up to `indexed` when a query comes.
    keys: HashMap<(String, String), Vec<usize>>,
    indexed: usize,
}

impl MessageLog {
    pub(crate) fn new(address: SocketAddr) -> MessageLog {
        let queues = HashMap::new();
        MessageLog { address, records: Vec::new(), queues, end: 0, keys: HashMap::new(), indexed: 0 }
    }

    /// Stores a message at the end. The caller has checked that the queue id is not negative.
    pub(crate) fn append(&mut self, now_ms: u64, mut message: NewMessage) -> Place {
        message.system_flag &= !(BORN_HOST_IS_IPV6 | STORE_HOST_IS_IPV6);
        if message.born_host.is_ipv6() {
            message.system_flag |= BORN_HOST_IS_IPV6;
        }
        if self.address.is_ipv6() {
            message.system_flag |= STORE_HOST_IS_IPV6;
        }
        let queue_id = usize::try_from(message.queue_id).unwrap_or(0);
        let queues = match self.queues.get_mut(&message.topic) {
            Some(queues) => queues,
            None => self.queues.entry(message.topic.clone()).or_default(),
        };
        if queues.len() <= queue_id {
            queues.resize_with(queue_id + 1, Vec::new);
        }
        let queue = &mut queues[queue_id];
        // A message with the flag of a half one, or of one rolled back, is stored and never gets into its queue.
        let in_queue = !matches!(message.system_flag & TRANSACTION_BITS, PREPARED | ROLLED_BACK);
        let queue_offset = if in_queue { queue.len() as i64 } else { 0 };
        let place = Place { queue_offset, commit_offset: self.end };
        if in_queue {
            queue.push(self.records.len());
        }
        self.end += stored_size(&message, self.address) as i64;
        let (queue_offset, commit_offset) = (place.queue_offset, place.commit_offset);
        self.records.push(Record { message, queue_offset, commit_offset, store_timestamp: now_ms as i64 });
        place
    }

    /// Forgets the queues of a topic; its messages stay in the log.
    pub(crate) fn forget_queues(&mut self, topic: &str) {
        self.queues.remove(topic);
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The number of messages in a queue, which is its largest offset plus one; 0 for an unknown one.
    pub(crate) fn max_offset(&self, topic: &str, queue_id: i32) -> i64 {
        self.queue(topic, queue_id).len() as i64
    }

    pub(crate) fn first(&self, topic: &str, queue_id: i32) -> Option<&Record> {
        self.records.get(*self.queue(topic, queue_id).first()?)
    }

    pub(crate) fn queue(&self, topic: &str, queue_id: i32) -> &[usize] {
        let queues = self.queues.get(topic).map(Vec::as_slice).unwrap_or_default();
        usize::try_from(queue_id).ok().and_then(|id| queues.get(id)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The message that begins at this commit-log offset.
    pub(crate) fn at(&self, commit_offset: i64) -> Option<&Record> {
        let found = self.records.binary_search_by_key(&commit_offset, |record| record.commit_offset).ok()?;
        self.records.get(found)
    }

    /// The messages of a topic with this key or unique key, oldest first.
    pub(crate) fn with_key(&mut self, topic: &str, key: &str) -> Vec<&Record> {
        self.index_new_records();
        let found = self.keys.get(&(topic.to_owned(), key.to_owned()));
        found.into_iter().flatten().filter_map(|index| self.records.get(*index)).collect()
    }

    fn index_new_records(&mut self) {
        for (index, record) in self.records.iter().enumerate().skip(self.indexed) {
            for (name, value) in parse_properties(&record.message.properties) {
                let keys: Vec<&str> = match name.as_str() {
                    "UNIQ_KEY" => vec![&value],
                    "KEYS" => value.split(' ').filter(|key| !key.is_empty()).collect(),
                    _ => continue,
                };
                for key in keys {
                    let entry = self.keys.entry((record.message.topic.clone(), key.to_owned())).or_default();
                    if entry.last() != Some(&index) {
                        entry.push(index);
                    }
                }
            }
        }
        self.indexed = self.records.len();
    }

    /// The id that names a message by broker address and commit-log offset.
    pub(crate) fn offset_message_id(&self, commit_offset: i64) -> String {
        let mut id = String::with_capacity(56);
        match self.address.ip() {
            IpAddr::V4(ip) => write_hex(&ip.octets(), &mut id),
            IpAddr::V6(ip) => write_hex(&ip.octets(), &mut id),
        }
        write_hex(&u32::from(self.address.port()).to_be_bytes(), &mut id);
        write_hex(&commit_offset.to_be_bytes(), &mut id);
        id
    }

    /// A message in the layout in which brokers store and hand out messages.
    pub(crate) fn encode(&self, record: &Record) -> Vec<u8> {
        self.encode_as(record, &record.message.topic, record.message.queue_id)
    }

    /// The same with another topic and queue.
    pub(crate) fn encode_as(&self, record: &Record, topic: &str, queue_id: i32) -> Vec<u8> {
        let message = &record.message;
        let size = stored_size(message, self.address) - message.topic.len() + topic.len();
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(&(size as u32).to_be_bytes());
        out.extend_from_slice(&MAGIC.to_be_bytes());
        out.extend_from_slice(&body_crc(&message.body).to_be_bytes());
        out.extend_from_slice(&queue_id.to_be_bytes());
        out.extend_from_slice(&message.flag.to_be_bytes());
        out.extend_from_slice(&record.queue_offset.to_be_bytes());
        out.extend_from_slice(&record.commit_offset.to_be_bytes());
        out.extend_from_slice(&message.system_flag.to_be_bytes());
        out.extend_from_slice(&message.born_timestamp.to_be_bytes());
        write_host(message.born_host, &mut out);
        out.extend_from_slice(&record.store_timestamp.to_be_bytes());
        write_host(self.address, &mut out);
        out.extend_from_slice(&message.reconsume_times.to_be_bytes());
        out.extend_from_slice(&0_i64.to_be_bytes());
        out.extend_from_slice(&(message.body.len() as u32).to_be_bytes());
        out.extend_from_slice(&message.body);
        out.push(topic.len() as u8);
        out.extend_from_slice(topic.as_bytes());
        out.extend_from_slice(&(message.properties.len() as u16).to_be_bytes());
        out.extend_from_slice(message.properties.as_bytes());
        out
    }

    pub(crate) fn brief(&self, index: usize) -> Option<StoredBrief<'_>> {
        let record = self.records.get(index)?;
        let keys = property_in(&record.message.properties, "KEYS").unwrap_or_default();
        Some(StoredBrief {
            topic: &record.message.topic,
            queue_id: record.message.queue_id,
            queue_offset: record.queue_offset,
            commit_offset: record.commit_offset,
            unique_key: property_in(&record.message.properties, "UNIQ_KEY"),
            key: keys.split(' ').find(|key| !key.is_empty()),
            was_checked: record.message.topic == HALF_TOPIC
                && property_in(&record.message.properties, "TRANSACTION_CHECK_TIMES").is_some(),
        })
    }

    pub(crate) fn view(&self, broker: &str, record: &Record) -> StoredMessage {
        let message = &record.message;
        let texts = |(name, value): (Text, Text)| (String::from(name), String::from(value));
        let properties: BTreeMap<String, String> =
            parse_properties(&message.properties).into_iter().map(texts).collect();
        let words =
            |text: &String| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        StoredMessage {
            broker: broker.to_owned(),
            topic: message.topic.clone(),
            queue_id: message.queue_id,
            queue_offset: record.queue_offset,
            commit_offset: record.commit_offset,
            offset_message_id: self.offset_message_id(record.commit_offset),
            body: message.body.clone(),
            unique_key: properties.get("UNIQ_KEY").cloned(),
            keys: properties.get("KEYS").map(words).unwrap_or_default(),
            tags: properties.get("TAGS").cloned(),
            properties,
            flag: message.flag,
            system_flag: message.system_flag,
            born_timestamp: message.born_timestamp,
            born_host: message.born_host,
            store_timestamp: record.store_timestamp,
            reconsume_times: message.reconsume_times,
            request_code: message.request_code,
            opaque: message.opaque,
        }
    }
}

/// Fixed fields of the layout with two IPv4 hosts and one byte for the topic's length.
const FIXED_SIZE: usize = 91;

fn stored_size(message: &NewMessage, store_host: SocketAddr) -> usize {
    let ipv6 = |host: SocketAddr| if host.is_ipv6() { 12 } else { 0 };
    let hosts = ipv6(message.born_host) + ipv6(store_host);
    FIXED_SIZE + hosts + message.body.len() + message.topic.len() + message.properties.len()
}

fn write_host(host: SocketAddr, out: &mut Vec<u8>) {
    write_ip(host.ip(), out);
    out.extend_from_slice(&u32::from(host.port()).to_be_bytes());
}

fn write_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

fn write_ip(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
    }
}
