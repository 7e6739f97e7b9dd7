//! Transactions: half messages, how they end, and what brokers ask about them.

use super::input::ProducerId;
use super::receipt::SendReceipt;
use super::send_error::AttemptFailure;
use crate::command::ResponseCode;
use crate::ground::Key;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, GroupName, TopicName};
use crate::message::{MessageExt, UniqueKey};
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// Marks keys of checks.
#[derive(Debug)]
pub enum CheckTag {}

/// Names one check that waits for its answer.
pub type CheckId = Key<CheckTag>;

/// What became of a local transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LocalTransactionState {
    /// The message is to become visible.
    #[doc(alias = "COMMIT_MESSAGE")]
    Commit,
    /// The message is to be thrown away.
    #[doc(alias = "ROLLBACK_MESSAGE")]
    Rollback,
    /// Not known yet. Nothing is sent, and the broker asks again later.
    #[doc(alias = "UNKNOW")]
    Unknown,
}

impl LocalTransactionState {
    /// How the transaction ends by it; none while that is open.
    #[must_use]
    pub const fn end(self) -> Option<TransactionEnd> {
        match self {
            Self::Commit => Some(TransactionEnd::Commit),
            Self::Rollback => Some(TransactionEnd::Rollback),
            Self::Unknown => None,
        }
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransactionEnd {
    /// The message becomes visible.
    Commit,
    /// The message is thrown away.
    Rollback,
}

impl fmt::Display for TransactionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Rollback => "rollback",
        })
    }
}

/// A half message at its broker: what it takes to end its transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HalfMessage {
    /// Its topic.
    pub topic: TopicName,
    /// The broker that has it.
    pub broker_name: BrokerName,
    /// Its unique key, which is also the id of the transaction.
    pub unique_key: UniqueKey,
    /// Its place in the queue of half messages.
    pub queue_offset: i64,
    /// Where it begins in the broker's commit log, in bytes.
    pub commit_log_offset: i64,
}

impl HalfMessage {
    /// What the receipt of a half message tells; none when its offset message id is of an unknown form. Then the message
    /// can only be ended in answer to a check.
    #[must_use]
    pub fn of(receipt: &SendReceipt) -> Option<Self> {
        Some(Self {
            topic: receipt.queue.topic.clone(),
            broker_name: receipt.queue.broker_name.clone(),
            unique_key: receipt.message_id,
            queue_offset: receipt.queue_offset,
            commit_log_offset: receipt.offset_message_id.commit_log_offset()?,
        })
    }
}

/// A broker asks what became of a half message.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct TransactionCheck {
    /// Names it in the answer.
    pub id: CheckId,
    /// Who is asked: the producer of the message's group.
    pub producer: ProducerId,
    /// That group.
    pub group: GroupName,
    /// The broker that asks.
    pub broker_name: BrokerName,
    /// The half message, with its own topic and queue.
    pub message: MessageExt,
    /// Its unique key, which is also the id of the transaction.
    pub unique_key: UniqueKey,
}

impl TransactionCheck {
    /// The half message that is asked about, as this check tells of it. A newer check may name another place.
    #[must_use]
    pub fn half(&self) -> HalfMessage {
        HalfMessage {
            topic: self.message.message.topic().clone(),
            broker_name: self.broker_name.clone(),
            unique_key: self.unique_key,
            queue_offset: self.message.queue_offset,
            commit_log_offset: self.message.commit_log_offset,
        }
    }
}

/// What is known of the request that was to end a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EndVerdict {
    /// The broker did not accept it. It asks again, unless it says otherwise.
    Refused,
    /// No broker got it. The broker asks later.
    NotDelivered,
    /// The broker may have done it. It is not sent again, for brokers would do it twice; when the broker asks, the client
    /// answers with the same decision.
    MayBeDelivered,
}

impl fmt::Display for EndVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::NotDelivered => "not delivered",
            Self::MayBeDelivered => "may be delivered",
        })
    }
}

/// Why it is not certain that a transaction ended as it was to.
#[derive(Clone, Debug, Hash)]
pub struct EndTransactionError(pub(crate) Box<EndTransactionErrorParts>);

#[derive(Clone, Debug, Hash)]
pub(crate) struct EndTransactionErrorParts {
    pub(crate) kind: EndErrorKind,
    pub(crate) verdict: EndVerdict,
    pub(crate) end: TransactionEnd,
    pub(crate) topic: TopicName,
    pub(crate) unique_key: UniqueKey,
}

impl EndTransactionError {
    /// An error about ending a half message.
    #[must_use]
    pub fn new(kind: EndErrorKind, verdict: EndVerdict, end: TransactionEnd, half: &HalfMessage) -> Self {
        Self(Box::new(EndTransactionErrorParts {
            kind,
            verdict,
            end,
            topic: half.topic.clone(),
            unique_key: half.unique_key,
        }))
    }

    /// What is known of it.
    #[must_use]
    pub fn verdict(&self) -> EndVerdict {
        self.0.verdict
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> &EndErrorKind {
        &self.0.kind
    }

    /// How the transaction was to end.
    #[must_use]
    pub fn end(&self) -> TransactionEnd {
        self.0.end
    }

    /// The topic of the message.
    #[must_use]
    pub fn topic(&self) -> &TopicName {
        &self.0.topic
    }

    /// The unique key of the message, which is also the id of the transaction.
    #[must_use]
    pub fn unique_key(&self) -> UniqueKey {
        self.0.unique_key
    }
}

impl fmt::Display for EndTransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.0;
        write!(f, "{} of {} in topic {} {}: ", parts.end, parts.unique_key, parts.topic, parts.verdict)?;
        write!(f, "{}", parts.kind)
    }
}

impl core::error::Error for EndTransactionError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.0.kind)
    }
}

/// Why a transaction did not end, or may not have ended.
#[derive(Clone, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EndErrorKind {
    /// Code 604: the time in which the producer may end it unasked is over (`CHECK_IMMUNITY_TIME_IN_SECONDS`). Wait for
    /// the check.
    #[error("broker {broker} decides by a check now (604)")]
    ImmunityTimeOver {
        /// The broker.
        broker: BrokerName,
    },
    /// Code 1: group or offsets are not those of a half message there, or its store failed. Wait for the check.
    #[error("broker {broker} does not find the half message (1): {remark}")]
    NotFound {
        /// The broker.
        broker: BrokerName,
        /// What it says, escaped and capped.
        remark: String,
    },
    /// Code 11: it is no master. Wait for the check.
    #[error("broker {broker} is not a master (11)")]
    NotMaster {
        /// The broker.
        broker: BrokerName,
    },
    /// Code 13: the message cannot be stored as it is.
    #[error("broker {broker} cannot store the message (13): {remark}")]
    MessageIllegal {
        /// The broker.
        broker: BrokerName,
        /// What it says, escaped and capped.
        remark: String,
    },
    /// Code 14: it cannot store anything just now. Wait for the check.
    #[error("broker {broker} cannot store just now (14): {remark}")]
    ServiceNotAvailable {
        /// The broker.
        broker: BrokerName,
        /// What it says, escaped and capped.
        remark: String,
    },
    /// Any other refusal.
    #[error("broker {broker} refused: {code}, {remark}")]
    Refused {
        /// The broker.
        broker: BrokerName,
        /// Its code.
        code: ResponseCode,
        /// What it says, escaped and capped.
        remark: String,
    },
    /// An [`RpcHook`](crate::interface::RpcHook) refused the request, or panicked. Wait for the check.
    #[error("the request was refused by {0}")]
    Hook(super::HookError),
    /// The receipt does not tell where the half message is. Wait for the check.
    #[error("the receipt of the half message does not tell its place")]
    NoPlace,
    /// No master of the broker was known, or none could be reached.
    #[error("no master of broker {broker} was reached within the deadline")]
    Unreachable {
        /// The broker.
        broker: BrokerName,
    },
    /// No answer within the deadline.
    #[error("no answer within the deadline")]
    Timeout,
    /// The connection was lost.
    #[error("{endpoint}: {why}")]
    Lost {
        /// Where to.
        endpoint: Endpoint,
        /// How.
        why: AttemptFailure,
    },
    /// The transaction of this key was ended before, or is being ended. That is not done twice.
    #[error("this transaction was ended already")]
    EndedAlready,
    /// The check waited too long, or the client is no longer asked. The broker asks again.
    #[error("this check is over; the broker asks again")]
    CheckOver,
    /// The producer is closed, or there is none.
    #[error("the producer is closed")]
    ProducerClosed,
    /// The client is shut down.
    #[error("the client is shut down")]
    ClientClosed,
    /// The task that drives the client has ended.
    #[error("the task that drives the client has ended")]
    DriverGone,
}
