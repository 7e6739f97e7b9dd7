//! Administrative calls: what they ask, and what they learn.

use super::{ConfigError, MessageQueue};
use crate::body::{ClusterInfo, TopicRouteData};
use crate::ground::names::{BrokerName, TopicName};
use crate::message::{MessageExt, OffsetMessageId};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Most queues of a topic on one broker that [`TopicConfig`] may ask for.
const MOST_QUEUES: u32 = 65_536;
/// Most messages that [`MessageQuery`] may ask each broker for.
const MOST_MESSAGES: u32 = 10_000;
/// Longest key that can be looked up, in bytes: no property is longer.
const LONGEST_KEY: usize = 32_767;

/// What an administrative call asks. The answer is an [`AdminAnswer`].
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
#[doc(alias = "MQAdmin")]
pub enum AdminRequest {
    /// Creates a topic, or changes it. Answer: [`AdminAnswer::TopicCreated`].
    CreateTopic {
        /// The topic as it is to be.
        topic: TopicConfig,
        /// On which brokers.
        place: TopicPlace,
    },
    /// Where a topic lives. Answer: [`AdminAnswer::Route`].
    TopicRoute(TopicName),
    /// The message queues of a topic that can be written. Answer: [`AdminAnswer::Queues`].
    PublishQueues(TopicName),
    /// The place behind the last message of a queue. Answer: [`AdminAnswer::Offset`].
    MaxOffset(MessageQueue),
    /// The place of the first message of a queue that is still there. Answer: [`AdminAnswer::Offset`].
    MinOffset(MessageQueue),
    /// When the first message of a queue that is still there was stored. Answer: [`AdminAnswer::StoreTime`].
    EarliestStoreTime(MessageQueue),
    /// The place in a queue that belongs to a time. Answer: [`AdminAnswer::Offset`].
    SearchOffset {
        /// The queue.
        queue: MessageQueue,
        /// The time in milliseconds since the Unix epoch, by the broker's clock.
        timestamp_ms: i64,
        /// Which of several messages of that time.
        boundary: OffsetBoundary,
    },
    /// The message with an offset message id. Answer: [`AdminAnswer::Message`].
    ///
    /// The id names the broker's address, and that is where the question goes: take ids from trustworthy places only.
    ViewMessage {
        /// The id.
        id: OffsetMessageId,
        /// Its topic, where brokers check permissions.
        topic: Option<TopicName>,
    },
    /// Messages with a key. Answer: [`AdminAnswer::Messages`].
    QueryMessages(MessageQuery),
    /// The message with a unique key. Answer: [`AdminAnswer::Message`].
    QueryUniqueKey {
        /// Its topic.
        topic: TopicName,
        /// The key, of any client: Java's `msgId`.
        key: String,
    },
    /// All brokers and clusters. Answer: [`AdminAnswer::Cluster`].
    ClusterInfo,
    /// The names of all topics, those of the servers among them. Answer: [`AdminAnswer::Topics`].
    TopicList,
}

/// A topic as it is to be.
///
/// ```
/// use rocketmq_core::interface::TopicConfig;
///
/// let mut config = TopicConfig::new("orders".parse()?);
/// config.attributes.insert("message.type".into(), Some("FIFO".into()));
/// config.check()?;
/// assert_eq!((config.read_queues, config.write_queues), (8, 8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct TopicConfig {
    /// Its name.
    pub topic: TopicName,
    /// Queues on each broker that can be read (`readQueueNums`). Default 8.
    pub read_queues: u32,
    /// Queues on each broker that can be written (`writeQueueNums`). Default 8.
    pub write_queues: u32,
    /// Whether it can be read (bit 4 of `perm`). Default: yes.
    pub readable: bool,
    /// Whether it can be written (bit 2 of `perm`). Brokers leave it to clients to heed this. Default: yes.
    pub writable: bool,
    /// Whether name servers list its queues as an order topic's (`order`). Default: no.
    pub order: bool,
    /// Attributes to be set, or with none to be removed, such as `message.type` = `FIFO` (`attributes`). Brokers before
    /// 5.0 pass them over.
    pub attributes: BTreeMap<String, Option<String>>,
}

impl TopicConfig {
    /// The defaults.
    #[must_use]
    pub fn new(topic: TopicName) -> Self {
        Self {
            topic,
            read_queues: 8,
            write_queues: 8,
            readable: true,
            writable: true,
            order: false,
            attributes: BTreeMap::new(),
        }
    }

    /// Refuses what no broker can do, naming the field.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (field, queues) in [("read_queues", self.read_queues), ("write_queues", self.write_queues)] {
            if !(1..=MOST_QUEUES).contains(&queues) {
                let reason = format!("{queues} is not from 1 to {MOST_QUEUES}");
                return Err(ConfigError { field, reason });
            }
        }
        for (name, value) in &self.attributes {
            let texts = [Some(name), value.as_ref()];
            let empty = texts.iter().flatten().any(|text| text.is_empty());
            let breaks = |c: char| c == ',' || c == '=' || c.is_control() || c.is_whitespace();
            if empty || texts.iter().flatten().any(|text| text.contains(breaks)) {
                let reason =
                    format!("{name:?} or its value is empty, or has a comma, an equals sign or a blank");
                return Err(ConfigError { field: "attributes", reason });
            }
        }
        Ok(())
    }
}

/// On which brokers a topic is created: on the master of each.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum TopicPlace {
    /// All brokers of the one cluster that there is; refused when there are several.
    OnlyCluster,
    /// All brokers of a cluster.
    Cluster(String),
    /// One broker.
    Broker(BrokerName),
    /// All brokers in the route of a topic: what Java calls the key.
    RouteOf(TopicName),
}

/// Which place of a queue belongs to a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
#[doc(alias = "BoundaryType")]
pub enum OffsetBoundary {
    /// The first message stored at that time or later (`LOWER`).
    #[default]
    Lower,
    /// The last message stored at that time or earlier (`UPPER`). Brokers before 5.1.4 search the lower one.
    Upper,
}

/// A question for messages with a key.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct MessageQuery {
    /// Their topic.
    pub topic: TopicName,
    /// One of their keys.
    pub key: String,
    /// Most messages that are wanted, the newest ones. Default 64.
    pub most: u32,
    /// Stored then or later, in milliseconds since the Unix epoch. Default: whenever.
    pub begin_ms: i64,
    /// Stored then or earlier, in milliseconds since the Unix epoch. Default: whenever.
    pub end_ms: i64,
}

impl MessageQuery {
    /// The defaults.
    #[must_use]
    pub fn new(topic: TopicName, key: impl Into<String>) -> Self {
        Self { topic, key: key.into(), most: 64, begin_ms: 0, end_ms: i64::MAX }
    }
}

/// Messages with a key.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct QueryResult {
    /// The messages, oldest first by their store time.
    pub messages: Vec<MessageExt>,
    /// When an index was last written, in milliseconds since the Unix epoch: messages of the last moments before may be
    /// missing. The newest of all brokers that had messages.
    #[doc(alias = "getIndexLastUpdateTimestamp")]
    pub index_last_update: Option<i64>,
    /// Brokers that could not be asked: messages of theirs are missing.
    pub failed: Vec<super::BrokerFailure>,
}

/// What an administrative call learnt.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum AdminAnswer {
    /// The brokers that have the topic now.
    TopicCreated(Vec<BrokerName>),
    /// Where a topic lives.
    Route(Box<TopicRouteData>),
    /// Message queues, by broker and number.
    Queues(Vec<MessageQueue>),
    /// A place in a queue.
    Offset(i64),
    /// When a message was stored, in milliseconds since the Unix epoch; none for a queue without messages.
    StoreTime(Option<i64>),
    /// A message.
    Message(Box<MessageExt>),
    /// Messages with a key.
    Messages(QueryResult),
    /// Brokers and clusters.
    Cluster(ClusterInfo),
    /// Names of topics.
    Topics(BTreeSet<String>),
}

impl AdminRequest {
    /// Refuses what cannot be asked, naming the field.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::CreateTopic { topic, .. } => topic.check(),
            Self::MaxOffset(queue)
            | Self::MinOffset(queue)
            | Self::EarliestStoreTime(queue)
            | Self::SearchOffset { queue, .. }
                if queue.queue_id < 0 =>
            {
                let reason = format!("{} is not a number of a queue", queue.queue_id);
                Err(ConfigError { field: "queue_id", reason })
            }
            Self::ViewMessage { id, .. }
                if id.commit_log_offset().is_none_or(|offset| offset < 0)
                    || id.store_address().is_none_or(|address| address.port() == 0) =>
            {
                let reason = format!("{id} names no broker and place; look the message up by its unique key");
                Err(ConfigError { field: "id", reason })
            }
            Self::QueryMessages(query) => {
                if !(1..=MOST_MESSAGES).contains(&query.most) {
                    let reason = format!("{} is not from 1 to {MOST_MESSAGES}", query.most);
                    return Err(ConfigError { field: "most", reason });
                }
                if query.begin_ms > query.end_ms {
                    let reason = format!("{} is before begin_ms, {}", query.end_ms, query.begin_ms);
                    return Err(ConfigError { field: "end_ms", reason });
                }
                check_key(&query.key)
            }
            Self::QueryUniqueKey { key, .. } => check_key(key),
            _ => Ok(()),
        }
    }
}

/// Keys stand in a property, with blanks between them.
fn check_key(key: &str) -> Result<(), ConfigError> {
    let reason = if key.is_empty() {
        "is empty".into()
    } else if key.len() > LONGEST_KEY {
        format!("has {} bytes, no key has more than {LONGEST_KEY}", key.len())
    } else if key.contains([' ', '\u{1}', '\u{2}']) {
        format!("{key:?} has a blank or a separator, which no key has")
    } else {
        return Ok(());
    };
    Err(ConfigError { field: "key", reason })
}

/// What is asked, in words.
impl fmt::Display for AdminRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTopic { topic, place } => write!(f, "creation of topic {} on {place}", topic.topic),
            Self::TopicRoute(topic) => write!(f, "route of topic {topic}"),
            Self::PublishQueues(topic) => write!(f, "writable queues of topic {topic}"),
            Self::MaxOffset(queue) => write!(f, "max offset of {queue}"),
            Self::MinOffset(queue) => write!(f, "min offset of {queue}"),
            Self::EarliestStoreTime(queue) => write!(f, "store time of the first message of {queue}"),
            Self::SearchOffset { queue, timestamp_ms, boundary } => {
                let boundary = match boundary {
                    OffsetBoundary::Lower => "lower",
                    OffsetBoundary::Upper => "upper",
                };
                write!(f, "{boundary} offset of {queue} at {timestamp_ms} ms")
            }
            Self::ViewMessage { id, .. } => write!(f, "message with the offset id {id}"),
            Self::QueryMessages(query) => {
                write!(f, "messages of topic {} with the key {:?}", query.topic, query.key)
            }
            Self::QueryUniqueKey { topic, key } => {
                write!(f, "message of topic {topic} with the unique key {key:?}")
            }
            Self::ClusterInfo => f.write_str("clusters and brokers"),
            Self::TopicList => f.write_str("names of all topics"),
        }
    }
}

impl fmt::Display for TopicPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyCluster => f.write_str("the only cluster"),
            Self::Cluster(cluster) => write!(f, "cluster {}", super::clean_text(cluster)),
            Self::Broker(broker) => write!(f, "broker {broker}"),
            Self::RouteOf(topic) => write!(f, "the brokers of topic {topic}"),
        }
    }
}

/// What was learnt, in few words.
impl fmt::Display for AdminAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TopicCreated(brokers) => write!(f, "{} brokers have the topic", brokers.len()),
            Self::Route(route) => write!(f, "a route with {} brokers", route.broker_datas.len()),
            Self::Queues(queues) => write!(f, "{} queues", queues.len()),
            Self::Offset(offset) => write!(f, "offset {offset}"),
            Self::StoreTime(Some(time)) => write!(f, "stored at {time} ms"),
            Self::StoreTime(None) => f.write_str("no message"),
            Self::Message(message) => write!(f, "message {}", message.offset_message_id()),
            Self::Messages(result) => {
                write!(f, "{} messages, {} brokers failed", result.messages.len(), result.failed.len())
            }
            Self::Cluster(info) => {
                write!(f, "{} brokers in {} clusters", info.brokers.len(), info.clusters.len())
            }
            Self::Topics(topics) => write!(f, "{} topics", topics.len()),
        }
    }
}

#[cfg(test)]
#[path = "admin_tests.rs"]
mod tests;
