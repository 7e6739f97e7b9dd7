//! Everything that can happen to a client.

use crate::ground::endpoint::NameServers;
use crate::ground::names::TopicName;
use crate::ground::{Instant, Key};
use crate::interface::{AdminRequest, CheckId, HalfMessage, ProducerConfig, Target, TransactionEnd};
use crate::message::Message;
use alloc::boxed::Box;

/// Marks keys of connections.
#[derive(Debug)]
pub enum ConnTag {}
/// Marks keys of producers.
#[derive(Debug)]
pub enum ProducerTag {}

/// Names one connection for the driver. The core never uses a number twice, so a stale one is harmless.
pub type ConnId = Key<ConnTag>;
/// Names one producer of a client.
pub type ProducerId = Key<ProducerTag>;

/// The number of a command. The caller chooses it; the answer repeats it. It must not be in use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CommandId(pub u64);

/// One thing that happened. Given with the time to [`Client::handle`](crate::client::Client::handle).
#[derive(Debug)]
pub enum Input<'a> {
    /// An application wants something. Ends in exactly one [`Action::Answer`](super::Action::Answer)
    /// with the same number, except [`Command::Withdraw`], [`Command::DropCheck`] and [`Command::SetNameServers`],
    /// which have none.
    Command {
        /// Repeated by the answer.
        id: CommandId,
        /// What is wanted.
        command: Command,
    },
    /// The connection that was asked for is up.
    Connected {
        /// Which.
        conn: ConnId,
    },
    /// Bytes arrived, in order, none left out, split in any way.
    Received {
        /// Where.
        conn: ConnId,
        /// What; the core keeps a copy of what it cannot use yet.
        bytes: &'a [u8],
    },
    /// The socket took the first `count` bytes of the outbox.
    Wrote {
        /// Where.
        conn: ConnId,
        /// Number of bytes.
        count: usize,
    },
    /// The connection is gone, or never came to be. At most once per connection.
    Closed {
        /// Which.
        conn: ConnId,
        /// Why, as far as the driver knows.
        why: CloseReason,
    },
    /// Time passed. Early, late and repeated ticks are harmless.
    Tick,
}

/// Why a connection ended, as the driver saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// The name could not be resolved.
    #[error("host name could not be resolved")]
    Unresolved,
    /// The network or host could not be reached.
    #[error("host or network unreachable")]
    Unreachable,
    /// The operating system gave up waiting.
    #[error("timed out in the operating system")]
    TimedOut,
    /// The peer closed the stream.
    #[error("closed by the peer")]
    EndOfStream,
    /// The peer or the network cut the connection.
    #[error("connection reset")]
    Reset,
    /// Anything else the operating system reported.
    #[error("input or output error")]
    Other,
}

/// What an application may want.
#[derive(Clone, Debug, Hash)]
pub enum Command {
    /// Opens a producer. Answer: [`Answer::Opened`](super::Answer::Opened).
    OpenProducer {
        /// Group, limits and retry policy.
        config: Box<ProducerConfig>,
    },
    /// Asks for room for one message. Answer: [`Answer::Room`](super::Answer::Room); room that was given
    /// is used up by a [`Command::Send`] that names it, or given back by [`Command::Withdraw`].
    Reserve {
        /// Whose room.
        producer: ProducerId,
        /// The topic the message is for: no topic may take all the room.
        topic: TopicName,
        /// The weight of the message, see [`Message::weight`].
        weight: usize,
        /// How long to wait for room.
        deadline: Instant,
    },
    /// Takes back a [`Command::Reserve`] that was not used, answered or not. Has no answer.
    Withdraw {
        /// The number of the reservation.
        reservation: CommandId,
    },
    /// Sends a message. Answer: [`Answer::Sent`](super::Answer::Sent), or
    /// [`Answer::HandedOver`](super::Answer::HandedOver) when one-way.
    Send(Send),
    /// Ends the transaction of a half message, unasked. Answer: [`Answer::Ended`](super::Answer::Ended).
    EndTransaction {
        /// Who sent the half message.
        producer: ProducerId,
        /// Which.
        half: HalfMessage,
        /// How.
        end: TransactionEnd,
        /// Until when the broker may be asked. It is asked once.
        deadline: Instant,
    },
    /// Answers a check. Answer: [`Answer::Ended`](super::Answer::Ended).
    AnswerCheck {
        /// Which.
        check: CheckId,
        /// The half message, for the error of a check that is over.
        half: HalfMessage,
        /// How its transaction ends.
        end: TransactionEnd,
        /// Until when the broker may be asked. It is asked once.
        deadline: Instant,
    },
    /// A check gets no answer: the state of the transaction is not known, or nobody is there who could know. Has no answer.
    DropCheck {
        /// Which.
        check: CheckId,
    },
    /// Waits until every send accepted so far has its verdict. Answer: [`Answer::Flushed`](super::Answer::Flushed).
    Flush {
        /// One producer, or all of the client.
        producer: Option<ProducerId>,
        /// How long to wait.
        deadline: Instant,
    },
    /// Closes a producer: refuses new sends, waits for those under way until the deadline, unregisters the
    /// group. Answer: [`Answer::Closed`](super::Answer::Closed).
    CloseProducer {
        /// Which.
        producer: ProducerId,
        /// Until when to wait for sends under way.
        deadline: Instant,
    },
    /// Closes all producers, then every connection. Answer: [`Answer::Closed`](super::Answer::Closed);
    /// after it the client never acts again.
    Shutdown {
        /// Until when to wait for sends under way.
        deadline: Instant,
    },
    /// Replaces the list of name servers: the new one is used from the next question on, and connections to servers
    /// that left are closed once what is pending on them has ended. An empty list changes nothing. Has no answer.
    #[doc(alias = "updateNameServerAddressList")]
    SetNameServers {
        /// The new list.
        name_servers: NameServers,
    },
    /// An administrative call. Answer: [`Answer::Admin`](super::Answer::Admin).
    Admin {
        /// What is asked.
        request: Box<AdminRequest>,
        /// Ends by then, look-ups and repetitions included.
        deadline: Instant,
    },
}

/// A send, as given to the core.
#[derive(Clone, Debug, Hash)]
pub struct Send {
    /// By which producer.
    pub producer: ProducerId,
    /// What.
    pub message: Message,
    /// To which message queue.
    pub target: Target,
    /// Ends in a verdict by then. Covers the wait for room, route, connection and answer, and all attempts.
    pub deadline: Instant,
    /// What is wanted of it.
    pub mode: SendMode,
    /// Room that was reserved before. Without it the send is refused when there is no room at once.
    pub reservation: Option<CommandId>,
    /// How often to try again after an attempt that may have reached a broker; none: the producer's setting.
    pub retries: Option<u32>,
}

/// What is wanted of a send.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SendMode {
    /// A visible message: the broker's answer is the verdict.
    #[default]
    Acknowledged,
    /// No answer of the broker is wanted; ends when the socket has taken the last byte.
    OneWay,
    /// A half message, which stays invisible until its transaction ends: the broker's answer is the verdict.
    Half,
}
