//! The settings of message trace.

use super::config::ConfigError;
use super::producer_config::DEFAULT_MAX_MESSAGE_SIZE;
use crate::ground::names::TopicName;
use alloc::format;
use alloc::string::String;
use core::time::Duration;

/// Most records of one trace message: their ids are its keys, and brokers index each key.
const MOST_BATCH_RECORDS: usize = 200;
/// Least size of a trace message: an ordinary record fits in.
const LEAST_BATCH_BYTES: usize = 1_024;
/// Most records that may wait.
const MOST_QUEUE_RECORDS: usize = 1_048_576;

/// Message trace of one producer: a record for each send and each end of a transaction, in messages to a topic of its own,
/// where consoles look for them.
///
/// Records wait in a queue of the producer, off the path of its sends. They go out when there are enough for a trace
/// message or the oldest has waited for `flush_interval`. When the queue is full, further ones are dropped and counted
/// ([`Counters`](super::Counters)): trace never holds up a send, nor fails one.
///
/// | field | default | Java name |
/// |---|---|---|
/// | `topic` | `RMQ_SYS_TRACE_TOPIC` | `traceTopic` |
/// | `flush_interval` | 5 s | – (Java fixes it) |
/// | `batch_records` | 10 | `traceMsgBatchNum` (Java takes 20 at most) |
/// | `batch_bytes` | 128 000 | – (Java fixes it) |
/// | `queue_records` | 2 048 | – (Java fixes it) |
/// | `queue_bytes` | 4 MiB | – (Java has no such bound) |
///
/// ```
/// use rocketmq_core::producer::{ProducerConfig, TraceConfig};
///
/// let mut config = ProducerConfig::new("orders".parse()?);
/// config.trace = Some(TraceConfig { topic: "audit".parse()?, ..TraceConfig::default() });
/// config.check()?;
/// config.trace = Some(TraceConfig { batch_records: 0, ..TraceConfig::default() });
/// assert_eq!(config.check().unwrap_err().field, "trace.batch_records");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "enableTrace")]
#[doc(alias = "enableMsgTrace")]
#[doc(alias = "AsyncTraceDispatcher")]
pub struct TraceConfig {
    /// The topic that takes the records. Sends to a topic whose name begins with it are not traced. In a client with a
    /// namespace a topic of your own is in that namespace, as all your topics are; Java's is not.
    #[doc(alias = "setTraceTopic")]
    #[doc(alias = "customizedTraceTopic")]
    pub topic: TopicName,
    /// How long a record waits for others to share its message with.
    pub flush_interval: Duration,
    /// Records of one trace message.
    #[doc(alias = "setTraceMsgBatchNum")]
    pub batch_records: usize,
    /// Bytes of one trace message. A record that is longer by itself is dropped.
    pub batch_bytes: usize,
    /// Records that may wait. Further ones are dropped.
    pub queue_records: usize,
    /// Bytes of the records that wait or are on their way. Further ones are dropped.
    pub queue_bytes: usize,
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self {
            topic: TopicName::trace_topic(),
            flush_interval: Duration::from_secs(5),
            batch_records: 10,
            batch_bytes: 128_000,
            queue_records: 2_048,
            queue_bytes: 4 * 1024 * 1024,
        }
    }
}

impl TraceConfig {
    /// To another topic than the default one.
    #[must_use]
    pub fn to(topic: TopicName) -> Self {
        Self { topic, ..Self::default() }
    }

    /// Refuses values that can never work, naming the field.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, reason: String| Err(ConfigError { field, reason });
        if self.topic.is_forbidden_to_send() {
            return refuse("trace.topic", format!("clients must not send to {}", self.topic));
        }
        if self.flush_interval.is_zero() {
            return refuse("trace.flush_interval", "must be longer than zero".into());
        }
        let ranges = [
            ("trace.batch_records", self.batch_records, 1, MOST_BATCH_RECORDS),
            ("trace.batch_bytes", self.batch_bytes, LEAST_BATCH_BYTES, DEFAULT_MAX_MESSAGE_SIZE),
            ("trace.queue_records", self.queue_records, self.batch_records, MOST_QUEUE_RECORDS),
        ];
        for (field, given, least, most) in ranges {
            if given < least || given > most {
                return refuse(field, format!("{given} is not between {least} and {most}"));
            }
        }
        if self.queue_bytes < self.batch_bytes {
            let (queue, batch) = (self.queue_bytes, self.batch_bytes);
            return refuse("trace.queue_bytes", format!("{queue} is less than batch_bytes, {batch}"));
        }
        Ok(())
    }
}
