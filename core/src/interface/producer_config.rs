//! The settings of one producer, with their Java names.

use super::receipt::MessageQueue;
use super::trace_config::TraceConfig;
use crate::ground::names::{GroupName, TopicName};
use crate::interface::ConfigError;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// The largest body that any broker takes with its default settings: 4 MiB.
pub const DEFAULT_MAX_MESSAGE_SIZE: usize = 4 * 1024 * 1024;

/// The settings of one producer. Defaults are those of the Java producer unless said otherwise.
///
/// | field | default | Java name |
/// |---|---|---|
/// | `group` | – | `producerGroup` |
/// | `send_timeout` | 3 s | `sendMsgTimeout` |
/// | `retries` | 2 | `retryTimesWhenSendFailed`, `retryTimesWhenSendAsyncFailed` |
/// | `resend` | `WhenMayBeStored` | – (Java always resends) |
/// | `retry_another_broker_when_not_store_ok` | false | `retryAnotherBrokerWhenNotStoreOK` |
/// | `max_message_size` | 4 MiB | `maxMessageSize` |
/// | `create_topic_key` | `TBW102` | `createTopicKey` |
/// | `default_topic_queue_nums` | 4 | `defaultTopicQueueNums` |
/// | `topics` | none | `topics` of the constructor |
/// | `trace` | none | `enableTrace`, see [`TraceConfig`] |
///
/// ```
/// use rocketmq_core::producer::ProducerConfig;
///
/// let mut config = ProducerConfig::new("orders".parse()?);
/// config.retries = 5;
/// config.check()?;
/// config.max_message_size = 0;
/// assert_eq!(config.check().unwrap_err().field, "max_message_size");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Hash)]
pub struct ProducerConfig {
    /// The producer group.
    #[doc(alias = "setProducerGroup")]
    pub group: GroupName,
    /// How long a send may take in all when the call does not say.
    #[doc(alias = "setSendMsgTimeout")]
    pub send_timeout: Duration,
    /// Further attempts after one that may have reached a broker. Attempts that never left, and refusals
    /// that prove *not stored* and ask to wait, do not count.
    #[doc(alias = "setRetryTimesWhenSendFailed")]
    #[doc(alias = "setRetryTimesWhenSendAsyncFailed")]
    pub retries: u32,
    /// Whether a message that may be stored already is sent again.
    pub resend: Resend,
    /// Try another broker when the status is not `SEND_OK`, although the message is stored.
    #[doc(alias = "setRetryAnotherBrokerWhenNotStoreOK")]
    pub retry_another_broker_when_not_store_ok: bool,
    /// Largest body in bytes.
    #[doc(alias = "setMaxMessageSize")]
    pub max_message_size: usize,
    /// The topic whose route and settings a topic that does not exist yet borrows.
    #[doc(alias = "setCreateTopicKey")]
    pub create_topic_key: TopicName,
    /// Queues per broker of a topic that is created by a send.
    #[doc(alias = "setDefaultTopicQueueNums")]
    pub default_topic_queue_nums: u32,
    /// Topics whose routes are asked for and whose brokers are greeted before the first send, and as long as the producer
    /// is open. Brokers can ask it about transactions from then on.
    #[doc(alias = "setTopics")]
    pub topics: Vec<TopicName>,
    /// Message trace; none: nothing is recorded.
    #[doc(alias = "setEnableTrace")]
    pub trace: Option<TraceConfig>,
}

impl ProducerConfig {
    /// The defaults for a producer group.
    #[must_use]
    pub fn new(group: GroupName) -> Self {
        Self {
            group,
            send_timeout: Duration::from_secs(3),
            retries: 2,
            resend: Resend::WhenMayBeStored,
            retry_another_broker_when_not_store_ok: false,
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            create_topic_key: TopicName::default_topic(),
            default_topic_queue_nums: 4,
            topics: Vec::new(),
            trace: None,
        }
    }

    /// Refuses values that can never work, naming the field.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, reason: String| Err(ConfigError { field, reason });
        if self.send_timeout.is_zero() {
            return refuse("send_timeout", "must be longer than zero".into());
        }
        if self.max_message_size == 0 || self.max_message_size > 15 * 1024 * 1024 {
            let given = self.max_message_size;
            return refuse("max_message_size", format!("{given} is not between 1 byte and 15 MiB"));
        }
        if self.default_topic_queue_nums == 0 || self.default_topic_queue_nums > 65_536 {
            let given = self.default_topic_queue_nums;
            return refuse("default_topic_queue_nums", format!("{given} is not between 1 and 65536"));
        }
        if self.retries > 1_000 {
            return refuse("retries", format!("{} is more than 1000", self.retries));
        }
        self.trace.as_ref().map_or(Ok(()), TraceConfig::check)
    }
}

/// Whether a message whose attempt *may be stored* is sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Resend {
    /// As Java: send again, with the same unique id; the broker may then hold it twice.
    #[default]
    WhenMayBeStored,
    /// Never risk a second copy: such a send ends with *may be stored* at once.
    OnlyWhenNotStored,
}

/// To which message queue a message goes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub enum Target {
    /// Any writable queue, round robin, away from brokers that just failed.
    #[default]
    Any,
    /// Exactly this queue; tried again there only.
    #[doc(alias = "MessageQueueSelector")]
    Queue(MessageQueue),
    /// The queue that Java's `SelectMessageQueueByHash` picks for this text. It is chosen once, when the
    /// route is known, and kept for all attempts of the send, so that order within the queue holds. When
    /// the number of queues changes, later messages of the same key may go to another queue.
    #[doc(alias = "SelectMessageQueueByHash")]
    ShardingKey(String),
}
