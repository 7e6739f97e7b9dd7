//! The body of the answer to `GET_ROUTEINFO_BY_TOPIC` (105).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::BodyError;
use super::route_json;

/// Where a topic lives.
///
/// Two routes are equal when they say the same, whatever the order in which the name server
/// listed queues and brokers: both lists are sorted by broker name when they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TopicRouteData {
    /// Queues of an order topic, `broker:count;broker:count` (`orderTopicConf`).
    pub order_topic_conf: Option<String>,
    /// Queues per broker (`queueDatas`).
    pub queue_datas: Vec<QueueData>,
    /// The brokers (`brokerDatas`).
    pub broker_datas: Vec<BrokerData>,
    /// Whether the topic is a static topic (`topicQueueMappingByBroker` is not empty).
    pub static_topic: bool,
}

/// The queues of a topic on one broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueData {
    /// Name of the broker (`brokerName`).
    pub broker_name: String,
    /// Number of queues to read from (`readQueueNums`).
    pub read_queue_nums: i32,
    /// Number of queues to write to (`writeQueueNums`).
    pub write_queue_nums: i32,
    /// Permission bits (`perm`): 4 read, 2 write, 1 inherit.
    pub perm: i32,
    /// Unit bits (`topicSysFlag`, on old servers `topicSynFlag`).
    pub topic_sys_flag: i32,
}

/// One broker: a master and its replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerData {
    /// Name of the cluster (`cluster`).
    pub cluster: String,
    /// Name of the broker (`brokerName`).
    pub broker_name: String,
    /// Address `host:port` by broker id; id 0 is the master (`brokerAddrs`).
    pub broker_addrs: BTreeMap<i64, String>,
    /// Name of the zone (`zoneName`).
    pub zone_name: Option<String>,
    /// Whether a replica may act for a missing master (`enableActingMaster`).
    pub enable_acting_master: bool,
}

/// What a route may make this client hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteLimits {
    /// Most elements of `brokerDatas` and of `queueDatas`.
    pub max_brokers: usize,
    /// Most addresses of one broker.
    pub max_addresses: usize,
    /// Most queues of the topic, over all brokers.
    pub max_queues: usize,
    /// Longest name or address in bytes; `orderTopicConf` may have this much for each broker.
    pub max_name: usize,
    /// Deepest nesting of the JSON.
    pub max_depth: usize,
}

impl Default for RouteLimits {
    fn default() -> Self {
        Self { max_brokers: 1024, max_addresses: 64, max_queues: 65_536, max_name: 1024, max_depth: 64 }
    }
}

impl TopicRouteData {
    /// Reads the body of a successful answer.
    ///
    /// Takes every dialect of JSON that name servers write: integer keys with and without quotes,
    /// numbers as text, escapes for all that is not ASCII, null in place of lists and texts,
    /// references to elements that came before, and members it does not know.
    ///
    /// # Errors
    /// [`BodyError`] for anything else, for an absent body, and for a route above the limits.
    pub fn parse(body: &[u8], limits: &RouteLimits) -> Result<Self, BodyError> {
        route_json::parse(body, limits)
    }
}

#[cfg(test)]
mod tests;
