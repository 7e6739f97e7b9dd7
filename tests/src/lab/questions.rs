//! What a test asks its cluster.

use std::collections::BTreeMap;

use super::Lab;
use crate::cluster::StoredMessage;

/// A message that is stored more than once, see [`Lab::duplicates`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The unique key that the copies share (`UNIQ_KEY`): a client gives each message one and keeps it when it sends
    /// again.
    pub unique_key: String,
    /// The copies, broker after broker, each in the order of its commit log.
    pub copies: Vec<StoredMessage>,
}

impl Lab {
    /// The messages stored under a topic: broker after broker, each in the order of its commit log. Brokers that are
    /// down count.
    #[must_use]
    pub fn stored(&self, topic: &str) -> Vec<StoredMessage> {
        self.with_cluster(|cluster, _| cluster.stored(topic))
    }

    /// The messages under a topic that have this key (`KEYS`), see
    /// [`MessageBuilder::key`](rocketmq_driver::MessageBuilder::key).
    #[must_use]
    pub fn stored_with_key(&self, topic: &str, key: &str) -> Vec<StoredMessage> {
        let has_key = |message: &StoredMessage| message.keys.iter().any(|known| known == key);
        self.stored(topic).into_iter().filter(has_key).collect()
    }

    /// The messages under a topic that are stored more than once, by their unique key.
    ///
    /// Two messages of the application that say the same are not meant: they have a unique key each.
    #[must_use]
    pub fn duplicates(&self, topic: &str) -> Vec<Duplicate> {
        let mut by_key: BTreeMap<String, Vec<StoredMessage>> = BTreeMap::new();
        for message in self.stored(topic) {
            if let Some(key) = message.unique_key.clone() {
                by_key.entry(key).or_default().push(message);
            }
        }
        let several = by_key.into_iter().filter(|(_, copies)| copies.len() > 1);
        several.map(|(unique_key, copies)| Duplicate { unique_key, copies }).collect()
    }

    /// How many messages all brokers have stored, under all topics.
    #[must_use]
    pub fn stored_count(&self) -> usize {
        self.with_cluster(|cluster, _| cluster.stored_count())
    }

    /// How many requests with this code have arrived at all servers, such as 310 (`SEND_MESSAGE_V2`).
    #[must_use]
    pub fn requests(&self, code: i32) -> u64 {
        self.with_cluster(|cluster, _| cluster.requests(code))
    }
}
