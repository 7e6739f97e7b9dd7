//! What name servers know about brokers and their topics.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::TopicConfig;

/// A broker that has not registered for this long is forgotten, in milliseconds.
const BROKER_EXPIRY_MS: u64 = 120_000;

/// What a broker tells every name server: at start, after each change of its topics, and every 30 s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The cluster's name.
    pub cluster: String,
    /// The broker's name.
    pub broker_name: String,
    /// The broker's address as routes give it.
    pub address: SocketAddr,
    /// All topics by name, with the permission that routes show.
    pub topics: Arc<BTreeMap<String, TopicConfig>>,
}

#[derive(Debug, Clone)]
pub(crate) struct RegisteredBroker {
    pub(crate) cluster: String,
    pub(crate) address: SocketAddr,
    topics: Arc<BTreeMap<String, TopicConfig>>,
    last_update: u64,
}

/// The brokers that are registered, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    brokers: BTreeMap<String, RegisteredBroker>,
}

impl Registry {
    pub(crate) fn register(&mut self, now_ms: u64, registration: &Registration) {
        let topics = Arc::clone(&registration.topics);
        if let Some(known) = self.brokers.get_mut(&registration.broker_name)
            && known.address == registration.address
            && known.cluster == registration.cluster
        {
            (known.topics, known.last_update) = (topics, now_ms);
            return;
        }
        let entry = RegisteredBroker {
            cluster: registration.cluster.clone(),
            address: registration.address,
            topics,
            last_update: now_ms,
        };
        self.brokers.insert(registration.broker_name.clone(), entry);
    }

    pub(crate) fn forget(&mut self, broker_name: &str) {
        self.brokers.remove(broker_name);
    }

    pub(crate) fn clear(&mut self) {
        self.brokers.clear();
    }

    pub(crate) fn expire(&mut self, now_ms: u64) {
        self.brokers.retain(|_, broker| now_ms < broker.last_update.saturating_add(BROKER_EXPIRY_MS));
    }

    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.brokers.values().map(|broker| broker.last_update.saturating_add(BROKER_EXPIRY_MS)).min()
    }

    /// The brokers that have this topic, with its settings there.
    pub(crate) fn brokers_of<'a>(
        &'a self,
        topic: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a RegisteredBroker, &'a TopicConfig)> {
        let with_topic = move |(name, broker): (&'a String, &'a RegisteredBroker)| {
            broker.topics.get(topic).map(|config| (name.as_str(), broker, config))
        };
        self.brokers.iter().filter_map(with_topic)
    }

    pub(crate) fn brokers(&self) -> impl Iterator<Item = (&str, &RegisteredBroker)> {
        self.brokers.iter().map(|(name, broker)| (name.as_str(), broker))
    }

    /// Forgets a topic until a broker registers it again.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        for broker in self.brokers.values_mut() {
            if broker.topics.contains_key(topic) {
                Arc::make_mut(&mut broker.topics).remove(topic);
            }
        }
    }

    /// The names of all topics, or of those of one cluster.
    pub(crate) fn topic_names(&self, cluster: Option<&str>) -> Vec<String> {
        let chosen = |broker: &&RegisteredBroker| cluster.is_none_or(|name| broker.cluster == name);
        let brokers = self.brokers.values().filter(chosen);
        let mut names: Vec<String> = brokers.flat_map(|broker| broker.topics.keys().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }
}
