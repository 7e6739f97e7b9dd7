//! Everything a driver must do, and everything a caller learns.

use super::discovery::DiscoveryError;
use super::input::{CloseReason, CommandId, ConnId, ProducerId};
use crate::command::ResponseCode;
use crate::ground::Instant;
use crate::ground::endpoint::{Endpoint, NameServers};
use crate::ground::names::{BrokerName, TopicName};
use crate::interface::{
    AdminAnswer, AdminError, EndTransactionError, OpenError, SendError, SendReceipt, TransactionCheck,
    Undelivered,
};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// One thing for the driver to do. Queued by `handle` as a function of the inputs alone.
#[derive(Debug, Hash)]
pub enum Action {
    /// Open a connection; ends in one `Connected` or one `Closed`.
    Connect {
        /// Its number from now on.
        conn: ConnId,
        /// Where to. Host names are to be resolved anew each time.
        to: Endpoint,
    },
    /// The outbox of this connection is no longer empty. A reminder: the outbox can be asked at any time.
    Write {
        /// Where.
        conn: ConnId,
    },
    /// Close this connection, or give up opening it. No further input about it is wanted.
    Close {
        /// Which.
        conn: ConnId,
    },
    /// The deadline moved earlier. A reminder: `deadline()` can be asked at any time.
    SetTimer {
        /// When `Tick` is wanted.
        at: Instant,
    },
    /// The one answer to a command.
    Answer {
        /// The number of the command.
        id: CommandId,
        /// The answer.
        answer: Answer,
    },
    /// A broker asks what became of a half message: answered by [`Command::AnswerCheck`](super::Command::AnswerCheck), or
    /// given up by [`Command::DropCheck`](super::Command::DropCheck).
    Check(Box<TransactionCheck>),
    /// Something an observer may want to know. Nothing depends on it.
    Notice(Notice),
}

/// The answer to a command.
#[derive(Debug, Hash)]
pub enum Answer {
    /// To `OpenProducer`.
    Opened(Result<ProducerId, OpenError>),
    /// To `Reserve`: room was given, or why not. The message is still with its caller, so the error holds none.
    Room(Result<(), SendError>),
    /// To `Send`.
    Sent(Result<SendReceipt, SendError>),
    /// To a one-way `Send`: the socket took all of it, or why not.
    HandedOver(Result<(), SendError>),
    /// To `EndTransaction` and `AnswerCheck`: the broker has done it, or what is known instead.
    Ended(Result<(), EndTransactionError>),
    /// To `Flush`: everything has a verdict, or how many sends had none at the deadline.
    Flushed(Result<(), usize>),
    /// To `CloseProducer` and `Shutdown`: what was not delivered.
    Closed(Vec<Undelivered>),
    /// To `Admin`.
    Admin(Result<AdminAnswer, AdminError>),
}

/// Something an observer may want to know: log it, count it, or ignore it.
#[derive(Debug, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// A connection came up.
    ConnectionUp {
        /// Which.
        conn: ConnId,
        /// Where to.
        endpoint: Endpoint,
    },
    /// A connection ended or could not be opened.
    ConnectionDown {
        /// Where to.
        endpoint: Endpoint,
        /// Why.
        why: LostReason,
    },
    /// The route of a topic changed.
    RouteChanged {
        /// Which topic.
        topic: TopicName,
        /// Writable message queues now.
        queues: usize,
        /// True while the route is borrowed from the default topic.
        provisional: bool,
    },
    /// A broker is in no route any more; its connections are dropped.
    BrokerLeft {
        /// Its name.
        broker: BrokerName,
    },
    /// The VIP port of a broker cannot be used: sends take the ordinary port, see
    /// [`vip_channel`](super::ClientConfig::vip_channel).
    VipChannelUnreachable {
        /// The broker's name.
        broker: BrokerName,
        /// Its VIP address.
        address: Endpoint,
        /// Why.
        why: LostReason,
        /// For how long the address is left alone. The first send after that tries it again.
        pause: Duration,
    },
    /// The latency-fault strategy avoids a broker from now on, see
    /// [`LatencyFault`](super::LatencyFault).
    BrokerAvoided {
        /// Its name.
        broker: BrokerName,
        /// How long the attempt took that brought it about.
        latency: Duration,
        /// True when that attempt failed, false when it was only late.
        failed: bool,
        /// For how long. Then it is tried with one message.
        avoided_for: Duration,
    },
    /// The list of name servers is another one now.
    NameServersChanged {
        /// The new list.
        name_servers: NameServers,
    },
    /// HTTP discovery brought no list of name servers. The list in use stays, and the question is repeated.
    DiscoveryFailed {
        /// Who was asked.
        endpoint: Endpoint,
        /// Why.
        why: DiscoveryError,
    },
    /// An attempt failed and another one follows.
    Retry {
        /// The topic of the message.
        topic: TopicName,
        /// The broker that failed, if the attempt came that far.
        broker: Option<BrokerName>,
        /// Why, for people. Text of servers is escaped and capped.
        why: String,
        /// How long the send waits before the next attempt.
        after: Duration,
    },
    /// An answer that nobody waits for was dropped.
    StrayAnswer {
        /// From where.
        endpoint: Endpoint,
        /// Its kind.
        kind: Stray,
        /// Its code.
        code: ResponseCode,
    },
    /// A broker did not accept a heartbeat.
    HeartbeatFailed {
        /// Which.
        endpoint: Endpoint,
        /// Why.
        why: String,
    },
}

/// What kind of answer came without a waiting request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Stray {
    /// Its request had ended before, by time or by retry.
    Late,
    /// Its request had an answer already.
    Duplicate,
    /// No request of this connection ever had that number.
    Foreign,
}

/// Why a connection is lost, as the core sees it.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LostReason {
    /// The driver reported it.
    #[error("{0}")]
    Closed(#[from] CloseReason),
    /// Opening it took too long.
    #[error("not connected within {}", Millis(*.0))]
    ConnectTimeout(Duration),
    /// Requests were pending and no byte came for this long.
    #[error("silent for {} with requests pending", Millis(*.0))]
    Silent(Duration),
    /// What came is not the remoting protocol.
    #[error("{0}")]
    BadFrame(#[from] crate::wire::FrameError),
    /// A frame's header cannot be read.
    #[error("{0}")]
    BadHeader(#[from] crate::wire::HeaderError),
    /// The server asked to go away (code 1500) and everything pending is done.
    #[error("server is going away (1500)")]
    GoAway,
    /// No route needs it any more.
    #[error("no longer needed")]
    Unused,
    /// The client shuts down.
    #[error("client is shutting down")]
    Shutdown,
}

/// A duration in whole milliseconds, for messages.
#[derive(Clone, Copy, Debug)]
pub struct Millis(pub Duration);

impl core::fmt::Display for Millis {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}
