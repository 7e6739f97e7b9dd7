//! Why a send failed, whether the broker may have the message, and what was tried.

use super::discovery::DiscoveryError;
use super::hooks::HookError;
use super::receipt::{MessageQueue, SendStatus};
use crate::command::ResponseCode;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, GroupName, TopicName};
use crate::interface::{ConfigError, LostReason};
use crate::message::{Message, MessageError};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// What became of a message that was not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// No broker can have it.
    NotStored,
    /// A broker may have it, once for each attempt that was written.
    MayBeStored,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStored => "not stored",
            Self::MayBeStored => "may be stored",
        })
    }
}

/// A send without a receipt. Tells why, whether a broker may have the message, and what was tried; gives
/// the message back.
///
/// ```
/// # fn handle(error: rocketmq_core::producer::SendError) {
/// use rocketmq_core::producer::Outcome;
///
/// if error.outcome() == Outcome::NotStored {
///     let again = error.into_message(); // safe to send again: no copy exists
/// #   drop(again);
/// }
/// # }
/// ```
#[derive(Clone, Debug, Hash)]
pub struct SendError(pub(crate) Box<SendErrorParts>);

/// One word wide outside, so that results stay small.
#[derive(Clone, Debug, Hash)]
pub(crate) struct SendErrorParts {
    pub(crate) kind: SendErrorKind,
    pub(crate) outcome: Outcome,
    pub(crate) topic: TopicName,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) attempts_left_out: u32,
    pub(crate) written: u32,
    pub(crate) message: Option<Message>,
}

impl SendError {
    /// An error before any attempt: the message never left.
    #[must_use]
    pub fn before_any_attempt(kind: SendErrorKind, topic: TopicName, message: Option<Message>) -> Self {
        Self(Box::new(SendErrorParts {
            kind,
            outcome: Outcome::NotStored,
            topic,
            attempts: Vec::new(),
            attempts_left_out: 0,
            written: 0,
            message,
        }))
    }

    /// For drivers: the client ended with the send under way, so the broker may have it.
    #[must_use]
    pub fn driver_gone(topic: TopicName) -> Self {
        let mut error = Self::before_any_attempt(SendErrorKind::DriverGone, topic, None);
        error.0.outcome = Outcome::MayBeStored;
        error
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> &SendErrorKind {
        &self.0.kind
    }

    /// Whether a broker can have the message.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// True when a broker may have the message: sending it again can make a second copy.
    #[must_use]
    pub fn may_be_stored(&self) -> bool {
        self.0.outcome == Outcome::MayBeStored
    }

    /// The topic of the message.
    #[must_use]
    pub fn topic(&self) -> &TopicName {
        &self.0.topic
    }

    /// What was tried, oldest first. Of very many attempts the ones in the middle are left out.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// How many attempts [`attempts`](Self::attempts) leaves out.
    #[must_use]
    pub fn attempts_left_out(&self) -> u32 {
        self.0.attempts_left_out
    }

    /// Attempts that may have reached a broker: no more copies than these can exist.
    #[must_use]
    pub fn written_attempts(&self) -> u32 {
        self.0.written
    }

    /// The message, if the error holds it.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.0.message.as_ref()
    }

    /// Gives the message back. It keeps its unique id, so a copy that was stored can be recognised.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        self.0.message
    }

    /// For drivers: puts a message in that the core had not been given.
    #[must_use]
    pub fn with_message(mut self, message: Message) -> Self {
        self.0.message = Some(message);
        self
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message for topic {} {}: {}", self.0.topic, self.0.outcome, self.0.kind)?;
        if let Some(last) = self.0.attempts.last() {
            let tried = self.0.attempts.len() + self.0.attempts_left_out as usize;
            write!(f, " (last of {tried} attempts: {last})")?;
        }
        Ok(())
    }
}

impl core::error::Error for SendError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.0.kind)
    }
}

/// Why a send has no receipt.
#[derive(Clone, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The message itself is wrong; nothing was sent. Mend the message.
    #[error(transparent)]
    InvalidMessage(#[from] MessageError),
    /// There was no room and the call does not wait. Send later.
    #[error("no room: the limits of messages or bytes under way are reached")]
    Full,
    /// There was no room until the deadline. Slow down, or raise the limits.
    #[error("no room within the deadline: the limits of messages or bytes under way were reached")]
    NoRoomInTime,
    /// The message is larger than the room ever is. Raise the limits of bytes.
    #[error("message weighs {weight} bytes, the limit of bytes under way is {limit}")]
    LargerThanLimit {
        /// What the message weighs.
        weight: usize,
        /// The smallest limit in its way.
        limit: usize,
    },
    /// The client keeps routes of as many topics as its limits allow, and all of them are in use.
    #[error("no room for another topic: the routes of {0} topics are in use")]
    TooManyTopics(usize),
    /// The message cannot be put into a frame.
    #[error("message cannot be encoded: {0}")]
    NotEncodable(String),
    /// No route to a queue was found until the deadline.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// The chosen queue is not in the route of its topic, or cannot be written.
    #[error("message queue {0} is not a writable queue of its topic's route")]
    UnknownQueue(MessageQueue),
    /// The target is a queue of another topic.
    #[error("message is for another topic than its queue {0}")]
    OtherTopic(MessageQueue),
    /// A broker refused it for a reason that another attempt would not mend.
    #[error("broker {broker} refused it: {code}, {remark}")]
    Refused {
        /// Which broker.
        broker: BrokerName,
        /// Its response code.
        code: ResponseCode,
        /// Its explanation, escaped and capped.
        remark: String,
    },
    /// All attempts that the retry count allows were written, and none was acknowledged.
    #[error("all {0} attempts failed")]
    RetriesExhausted(u32),
    /// The deadline came first.
    #[error("no verdict within the deadline")]
    Timeout,
    /// It may be stored, and the policy forbids another attempt.
    #[error("not acknowledged, and the policy forbids to send it again")]
    ResendForbidden,
    /// An [`RpcHook`](crate::interface::RpcHook) refused the request of an attempt, or panicked.
    #[error("the request was refused by {0}")]
    Hook(Box<HookError>),
    /// A [`SendInterceptor`](crate::interface::SendInterceptor) refused the message, panicked, or made it too heavy. No attempt
    /// was made.
    #[error("the message was refused by {0}")]
    Intercepted(Box<HookError>),
    /// A [`CheckForbidden`](crate::interface::CheckForbidden) forbade an attempt, or panicked.
    #[error("an attempt at queue {queue_id} of broker {broker} was forbidden by {hook}")]
    Forbidden {
        /// The broker that was chosen.
        broker: BrokerName,
        /// The queue that was chosen.
        queue_id: i32,
        /// Who forbade it, and why.
        hook: Box<HookError>,
    },
    /// The producer is closed, or closed before the message was delivered.
    #[error("producer is closed")]
    ProducerClosed,
    /// The client is shut down, or shut down before the message was delivered.
    #[error("client is shut down")]
    ClientClosed,
    /// The task that drives the client ended; what the core had not reported is unknown.
    #[error("the task that drives the client has ended")]
    DriverGone,
}

/// Why there is no route for a message.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoRoute {
    /// The list of name servers is empty. Configure one.
    #[error("no name server is configured")]
    NoNameServerConfigured,
    /// No name server answered. Check addresses and network.
    #[error("no name server reachable: {0}")]
    NoNameServerReachable(String),
    /// HTTP discovery has not brought a name server yet. Check its address, and what it answers.
    #[error("no name server is known, discovery at {endpoint} has failed: {why}")]
    DiscoveryFailed {
        /// Who was asked.
        endpoint: Endpoint,
        /// How the last question ended.
        why: DiscoveryError,
    },
    /// The topic does not exist and cannot be created by sending. Create the topic.
    #[error("topic {topic} does not exist and default topic {default_topic} has no route")]
    TopicUnknown {
        /// The topic of the message.
        topic: TopicName,
        /// The topic that was asked for instead.
        default_topic: TopicName,
    },
    /// The topic exists, without a queue that may be written. Check its permission.
    #[error("topic {0} has no writable queue")]
    NoWritableQueue(TopicName),
    /// The topic has writable queues, but none of their brokers has a master.
    #[error("no broker of topic {0} has a master")]
    NoMaster(TopicName),
    /// The topic is a static (logical queue) topic, which this client does not send to.
    #[error("topic {0} is a static topic, which is not supported")]
    StaticTopic(TopicName),
}

/// One attempt to bring a message to a broker.
#[derive(Clone, Debug, Hash)]
pub struct Attempt {
    /// The chosen broker.
    pub broker: BrokerName,
    /// Its address.
    pub endpoint: Endpoint,
    /// The chosen queue.
    pub queue_id: i32,
    /// How long the attempt took.
    pub took: Duration,
    /// True when the broker may have got all of it.
    pub written: bool,
    /// Why it failed.
    pub failure: AttemptFailure,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = if self.written { "written" } else { "not written" };
        write!(
            f,
            "{} at {} queue {}, {written}, after {} ms: {}",
            self.broker,
            self.endpoint,
            self.queue_id,
            self.took.as_millis(),
            self.failure
        )
    }
}

/// Why one attempt failed.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptFailure {
    /// The connection could not be opened, or ended.
    #[error("connection failed: {0}")]
    Connection(LostReason),
    /// No answer within the share of the deadline that the attempt had.
    #[error("no answer in time")]
    Timeout,
    /// The broker answered with a refusal.
    #[error("refused with {code}: {remark}")]
    Refused {
        /// Its response code.
        code: ResponseCode,
        /// Its explanation, escaped and capped.
        remark: String,
    },
    /// The broker says stored, but its answer lacks what a receipt needs.
    #[error("answer cannot be read: {0}")]
    BadAnswer(String),
    /// Stored, but not as well as asked for, and the producer wants another broker then.
    #[error("stored with status {0}")]
    Status(SendStatus),
    /// The request cannot be put into a frame.
    #[error("request cannot be encoded: {0}")]
    Encode(String),
    /// The message was not yet written when the send ended.
    #[error("not yet written")]
    NotWritten,
}

/// Why a producer could not be opened.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The client has an open producer of this group.
    #[error("producer group {0} is in use by another producer of this client; choose another group name")]
    GroupInUse(GroupName),
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client holds as many producers as its limits allow.
    #[error("the client has {0} producers, as many as its limits allow")]
    TooMany(usize),
    /// The client is shut down.
    #[error("client is shut down")]
    ClientClosed,
}

/// A message that was not delivered when its producer or client was closed.
#[derive(Clone, Debug, Hash)]
pub struct Undelivered {
    /// The message.
    pub message: Message,
    /// Why, and whether a broker may have it. Its own copy of the message is left out.
    pub error: SendError,
}
