//! Topic settings, topic names, and the table of topics that a broker keeps.

use std::collections::BTreeMap;

use super::Dialect;

/// Permission bit: topics made from this one inherit its settings. Only default topics have it.
pub(crate) const PERM_INHERIT: i32 = 1;
/// Permission bit: the topic may be written to. Brokers do not look at it on sends, clients do.
pub(crate) const PERM_WRITE: i32 = 2;
/// Permission bit: the topic may be read from.
pub(crate) const PERM_READ: i32 = 4;

/// The topic whose settings a send to an unknown topic copies.
pub(crate) const DEFAULT_TOPIC: &str = "TBW102";
/// Where delayed messages wait.
pub(crate) const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";
/// Where half messages wait.
pub(crate) const HALF_TOPIC: &str = "RMQ_SYS_TRANS_HALF_TOPIC";
/// Where timer messages of 5.x wait.
pub(crate) const TIMER_TOPIC: &str = "rmq_sys_wheel_timer";
/// What a broker of 5.x has from its start; one of 4.9 makes its topics for half messages when the first one comes.
const V5_TOPICS: [&str; 5] = [
    TIMER_TOPIC,
    HALF_TOPIC,
    OP_TOPIC,
    "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
    "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
];
/// Where half messages go that nobody has ended, however often the broker asked.
pub(crate) const CHECK_MAX_TIME_TOPIC: &str = "TRANS_CHECK_MAX_TIME_TOPIC";
/// Where brokers note that a half message has come to its end.
pub(crate) const OP_TOPIC: &str = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/// Prefix of the topic through which a consumer group gets messages again.
pub(crate) const RETRY_PREFIX: &str = "%RETRY%";
/// Prefix of the topic for messages that a consumer group has given up.
pub(crate) const DLQ_PREFIX: &str = "%DLQ%";

/// Topics that no client may send to.
const NOT_FOR_SENDS: [&str; 6] = [
    SCHEDULE_TOPIC,
    HALF_TOPIC,
    OP_TOPIC,
    "TRANS_CHECK_MAX_TIME_TOPIC",
    "SELF_TEST_TOPIC",
    "OFFSET_MOVED_EVENT",
];

/// Names that no client may create.
const SYSTEM_TOPICS: [&str; 4] = [DEFAULT_TOPIC, "BenchmarkTest", "RMQ_SYS_TRACE_TOPIC", TIMER_TOPIC];
/// Names with this prefix belong to the broker, too.
const SYSTEM_PREFIX: &str = "rmq_sys_";
/// One more name that clients of 5.x may not create.
const CHECKPOINT_TOPIC: &str = "CHECKPOINT_TOPIC";

const NAME_LIMIT: usize = 127;
const GROUP_TOPIC_LIMIT: usize = 255;

/// The settings of a topic on one broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfig {
    /// The topic's name.
    pub name: String,
    /// Number of queues that can be read.
    pub read_queues: i32,
    /// Number of queues that can be written to.
    pub write_queues: i32,
    /// Permission bits: 1 inherit, 2 write, 4 read.
    pub permission: i32,
    /// Whether this is an order topic.
    pub order: bool,
    /// The topic's system flag (1 unit, 2 unit subscription).
    pub system_flag: i32,
}

impl TopicConfig {
    /// A topic that can be read and written, with this many queues for both.
    pub fn new(name: &str, queues: i32) -> TopicConfig {
        TopicConfig {
            name: name.to_owned(),
            read_queues: queues,
            write_queues: queues,
            permission: PERM_READ | PERM_WRITE,
            order: false,
            system_flag: 0,
        }
    }

    /// The queue ids of a send must be below this.
    pub(crate) fn queue_limit(&self) -> i32 {
        self.read_queues.max(self.write_queues)
    }

    /// The text that remarks give for a topic.
    pub(crate) fn describe(&self, dialect: Dialect) -> String {
        let bit = |mask: i32, letter: char| {
            if self.permission & mask != 0 { letter } else { '-' }
        };
        let permission: String =
            [bit(PERM_READ, 'R'), bit(PERM_WRITE, 'W'), bit(PERM_INHERIT, 'X')].iter().collect();
        let end = if dialect.is_v5() { ", attributes={}]" } else { "]" };
        format!(
            "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={permission}, \
             topicFilterType=SINGLE_TAG, topicSysFlag={}, order={}{end}",
            self.name, self.read_queues, self.write_queues, self.system_flag, self.order
        )
    }
}

/// Why a topic name is refused, as the remark says it.
pub(crate) fn name_error(dialect: Dialect, topic: &str) -> Option<String> {
    let v5 = dialect.is_v5();
    if topic.trim().is_empty() {
        return Some("The specified topic is blank.".to_owned());
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'|' | b'_' | b'-');
    if !topic.bytes().all(legal) {
        let subject =
            if v5 { format!("The specified topic: {topic},") } else { "The specified topic".to_owned() };
        return Some(format!("{subject} contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"));
    }
    let of_group = topic.starts_with(RETRY_PREFIX) || topic.starts_with(DLQ_PREFIX);
    let limit = if v5 && of_group { GROUP_TOPIC_LIMIT } else { NAME_LIMIT };
    if topic.len() <= limit {
        None
    } else if v5 && of_group {
        let subject = format!("The specified topic is DLQ or Retry topic: {topic}");
        Some(format!("{subject}, and it's longer than topic max length: {limit}"))
    } else if v5 {
        Some(format!("The specified topic: {topic}, is longer than topic max length: {limit}"))
    } else {
        Some("The specified topic is longer than topic max length.".to_owned())
    }
}

/// Whether sends to this topic are refused whatever its settings.
pub(crate) fn is_forbidden_for_sends(topic: &str) -> bool {
    NOT_FOR_SENDS.contains(&topic)
}

/// The topics of one broker.
#[derive(Debug, Clone)]
pub(crate) struct TopicTable {
    dialect: Dialect,
    topics: BTreeMap<String, TopicConfig>,
    /// What only some topics have.
    extras: BTreeMap<String, Extras>,
    default_queues: i32,
    system: Vec<String>,
}

/// Settings of a topic that neither routes nor sends look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    /// Attributes by name (5.x).
    pub(crate) attributes: BTreeMap<String, String>,
    /// Whether a message may have several tags.
    pub(crate) many_tags: bool,
}

impl TopicTable {
    /// The table of a broker that starts for the first time.
    pub(crate) fn new(
        dialect: Dialect,
        cluster: &str,
        broker: &str,
        default_queues: i32,
        auto_create: bool,
    ) -> TopicTable {
        let (topics, extras) = (BTreeMap::new(), BTreeMap::new());
        let mut table = TopicTable { dialect, topics, extras, default_queues, system: Vec::new() };
        let reply_topic = format!("{cluster}_REPLY_TOPIC");
        let plain = [
            ("SELF_TEST_TOPIC", 1),
            ("BenchmarkTest", 1024),
            ("OFFSET_MOVED_EVENT", 1),
            (SCHEDULE_TOPIC, 18),
            (&reply_topic, 1),
        ];
        for (name, queues) in plain {
            table.insert(TopicConfig::new(name, queues));
        }
        if dialect.is_v5() {
            let (revive, members) =
                (format!("rmq_sys_REVIVE_LOG_{cluster}"), format!("rmq_sys_SYNC_BROKER_MEMBER_{broker}"));
            table.insert(TopicConfig::new(&revive, 8));
            for name in V5_TOPICS.into_iter().chain([members.as_str()]) {
                table.insert(TopicConfig::new(name, 1));
            }
        }
        for (name, queues) in [(cluster, 16), (broker, 1)] {
            table.insert(TopicConfig { permission: 7, ..TopicConfig::new(name, queues) });
        }
        if auto_create {
            table.insert_default_topic();
        }
        table.system = table.topics.keys().cloned().collect();
        table
    }

    pub(crate) fn insert_default_topic(&mut self) {
        let config = TopicConfig::new(DEFAULT_TOPIC, self.default_queues);
        self.insert(TopicConfig { permission: 7, ..config });
    }

    pub(crate) fn insert(&mut self, config: TopicConfig) {
        self.topics.insert(config.name.clone(), config);
    }

    pub(crate) fn remove(&mut self, topic: &str) {
        self.topics.remove(topic);
        self.extras.remove(topic);
    }

    pub(crate) fn extras(&self, topic: &str) -> Extras {
        self.extras.get(topic).cloned().unwrap_or_default()
    }

    pub(crate) fn set_extras(&mut self, topic: &str, extras: Extras) {
        self.extras.insert(topic.to_owned(), extras);
    }

    pub(crate) fn get(&self, topic: &str) -> Option<&TopicConfig> {
        self.topics.get(topic)
    }

    pub(crate) fn get_mut(&mut self, topic: &str) -> Option<&mut TopicConfig> {
        self.topics.get_mut(topic)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TopicConfig> {
        self.topics.values()
    }

    /// Whether a client may not create or change this topic.
    pub(crate) fn is_system(&self, topic: &str) -> bool {
        let listed = SYSTEM_TOPICS.contains(&topic)
            || topic.starts_with(SYSTEM_PREFIX)
            || is_forbidden_for_sends(topic)
            || (self.dialect.is_v5() && topic == CHECKPOINT_TOPIC);
        listed || self.system.iter().any(|name| name == topic)
    }

    /// Makes a topic out of the default topic, as a send to an unknown topic does; false when that is not allowed.
    pub(crate) fn create_from_default(
        &mut self,
        topic: &str,
        default_topic: &str,
        asked: i32,
        allowed: bool,
    ) -> bool {
        let Some(default) = self.topics.get_mut(default_topic) else {
            return false;
        };
        if default_topic == DEFAULT_TOPIC && !allowed {
            // As the server does it: the default topic stays, but nothing inherits from it any more.
            default.permission = PERM_READ | PERM_WRITE;
        }
        if default.permission & PERM_INHERIT == 0 {
            return false;
        }
        let queues = asked.min(default.write_queues).max(0);
        let permission = default.permission & !PERM_INHERIT;
        let system_flag = default.system_flag;
        self.insert(TopicConfig { permission, system_flag, ..TopicConfig::new(topic, queues) });
        true
    }
}
