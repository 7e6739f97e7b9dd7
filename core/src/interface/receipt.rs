//! What a producer learns of a message that is stored.

use crate::ground::names::{BrokerName, TopicName};
use crate::message::{OffsetMessageId, UniqueKey};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

/// A message queue: a part of a topic on one broker.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageQueue {
    /// The topic.
    pub topic: TopicName,
    /// The broker that holds the queue.
    pub broker_name: BrokerName,
    /// The queue's number on that broker, from 0.
    pub queue_id: i32,
}

impl fmt::Display for MessageQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.broker_name, self.queue_id)
    }
}

/// How well a stored message is kept. All four mean *stored*.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SendStatus {
    /// `SEND_OK` (response code 0).
    SendOk,
    /// `FLUSH_DISK_TIMEOUT` (10): stored, not yet flushed to disk.
    FlushDiskTimeout,
    /// `FLUSH_SLAVE_TIMEOUT` (12): stored, not yet replicated.
    FlushSlaveTimeout,
    /// `SLAVE_NOT_AVAILABLE` (11): stored, and there is no slave to replicate to.
    SlaveNotAvailable,
}

impl SendStatus {
    /// Java's spelling, such as `SEND_OK`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendOk => "SEND_OK",
            Self::FlushDiskTimeout => "FLUSH_DISK_TIMEOUT",
            Self::FlushSlaveTimeout => "FLUSH_SLAVE_TIMEOUT",
            Self::SlaveNotAvailable => "SLAVE_NOT_AVAILABLE",
        }
    }
}

impl fmt::Display for SendStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Proof that a broker stored a message.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
#[doc(alias = "SendResult")]
pub struct SendReceipt {
    /// How well it is kept.
    pub status: SendStatus,
    /// The unique id that the client gave the message (property `UNIQ_KEY`): Java's `msgId`.
    #[doc(alias = "getMsgId")]
    pub message_id: UniqueKey,
    /// The broker's id of the stored copy: Java's `offsetMsgId`.
    #[doc(alias = "getOffsetMsgId")]
    pub offset_message_id: OffsetMessageId,
    /// Where it is stored.
    #[doc(alias = "getMessageQueue")]
    pub queue: MessageQueue,
    /// Its position in that queue.
    #[doc(alias = "getQueueOffset")]
    pub queue_offset: i64,
    /// The transaction id, if the broker gave one that is not the unique id itself.
    pub transaction_id: Option<Box<str>>,
    /// The region of the broker (`MSG_REGION`), if it named one.
    #[doc(alias = "getRegionId")]
    pub region: Option<Arc<str>>,
    /// False when the broker does not want traces of this message (`TRACE_ON`).
    pub trace_on: bool,
    /// The handle with which a timer message can be recalled.
    pub recall_handle: Option<Box<str>>,
    /// Attempts that may have reached a broker, this one included: at most so many copies exist.
    pub attempts: u32,
}

/// Java's name of [`SendReceipt`].
pub type SendResult = SendReceipt;
