//! Why an administrative call failed.

use super::{ConfigError, LostReason, MessageQueue};
use crate::command::ResponseCode;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, TopicName};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why an administrative call failed. All calls may be repeated: none of them does harm twice.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// Something that was given cannot be. Nothing was asked.
    #[error(transparent)]
    Invalid(#[from] ConfigError),
    /// The client has as many calls under way as its limits allow. Call later.
    #[error("{0} administrative calls are under way, as many as the limits allow")]
    TooMany(usize),
    /// The list of name servers is empty. Configure one.
    #[error("no name server is configured")]
    NoNameServerConfigured,
    /// No name server gave an answer that can be used. Check addresses and network.
    #[error("no name server answered; the last one asked was {endpoint}: {failure}")]
    NoNameServer {
        /// The last one.
        endpoint: Endpoint,
        /// What became of its question.
        failure: CallFailure,
    },
    /// The topic does not exist. Create it.
    #[error("topic {0} does not exist")]
    TopicUnknown(TopicName),
    /// The topic is a static (logical queue) topic, which this client does not know how to ask for.
    #[error("topic {0} is a static topic, which is not supported")]
    StaticTopic(TopicName),
    /// The topic has no queue that can be written on a broker with a master. Check its permission.
    #[error("topic {0} has no writable queue on a broker with a master")]
    NoWritableQueue(TopicName),
    /// The topic has more queues than the limit of a route. Raise it.
    #[error("the topic has more than {0} queues, the limit of a route")]
    TooManyQueues(usize),
    /// The topic has no such queue. Brokers would answer with offset 0.
    #[error("message queue {0} does not exist")]
    UnknownQueue(MessageQueue),
    /// No cluster has that name.
    #[error("cluster {cluster:?} does not exist; name servers know {}", List(.known))]
    UnknownCluster {
        /// The name that was given.
        cluster: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// There is not exactly one cluster, and none was named. Name one.
    #[error("which cluster? name servers know {}", List(.0))]
    WhichCluster(Vec<String>),
    /// No broker has that name.
    #[error("broker {0} is not known to the name server")]
    UnknownBroker(BrokerName),
    /// The broker that has the answer gave none.
    #[error("{0}")]
    Broker(BrokerFailure),
    /// Several brokers were asked, and some of them failed. When a topic was to be created, the others have it.
    #[error("{} of {} brokers failed: {}", .failed.len(), .failed.len() + .done.len(), Failures(.failed))]
    Brokers {
        /// Those that did what was asked.
        done: Vec<BrokerName>,
        /// Those that did not, and why.
        failed: Vec<BrokerFailure>,
    },
    /// There is no such message, or not any more, or it is in no index yet.
    #[error("no message found")]
    NotFound,
    /// The messages that were found have more bytes than the limit. Ask for fewer, or raise the limit.
    #[error("the messages have more than {0} bytes, the limit of one answer")]
    TooLarge(usize),
    /// The deadline of the call lies in the past.
    #[error("no time is left for the call")]
    Timeout,
    /// The client is shut down, or was before the answer came.
    #[error("client is shut down")]
    ClientClosed,
    /// The task that drives the client ended.
    #[error("the task that drives the client has ended")]
    DriverGone,
}

/// A broker that did not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct BrokerFailure {
    /// Its name, if it was looked up by name.
    pub broker: Option<BrokerName>,
    /// Its address, if it has one.
    pub endpoint: Option<Endpoint>,
    /// Why.
    pub why: CallFailure,
}

impl fmt::Display for BrokerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broker")?;
        if let Some(broker) = &self.broker {
            write!(f, " {broker}")?;
        }
        if let Some(endpoint) = &self.endpoint {
            write!(f, " at {endpoint}")?;
        }
        write!(f, ": {}", self.why)
    }
}

/// What became of one question to one server.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// The broker has no master just now.
    #[error("has no master")]
    NoMaster,
    /// The connection could not be opened, or ended.
    #[error("connection failed: {0}")]
    Connection(LostReason),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The server answered with a refusal.
    #[error("refused with {code}: {remark}")]
    Refused {
        /// Its response code.
        code: ResponseCode,
        /// Its explanation, escaped and capped.
        remark: String,
    },
    /// The answer does not hold what it should.
    #[error("answer cannot be read: {0}")]
    BadAnswer(String),
    /// An [`RpcHook`](crate::interface::RpcHook) refused the question, or panicked.
    #[error("the question was refused by {0}")]
    Hook(super::HookError),
    /// The question does not fit into a frame.
    #[error("question cannot be encoded: {0}")]
    NotEncodable(String),
}

/// Most entries of a list that an error's text shows.
const SHOWN: usize = 5;

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let texts = self.0.iter().map(|text| super::clean_text(text));
        shown(f, texts, self.0.len(), ", ")
    }
}

struct Failures<'a>(&'a [BrokerFailure]);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, self.0.iter(), self.0.len(), "; ")
    }
}

fn shown<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    all: impl Iterator<Item = T>,
    count: usize,
    between: &str,
) -> fmt::Result {
    for (index, one) in all.take(SHOWN).enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write!(f, "{one}")?;
    }
    match count.saturating_sub(SHOWN) {
        0 => Ok(()),
        more => write!(f, "{between}and {more} more"),
    }
}
