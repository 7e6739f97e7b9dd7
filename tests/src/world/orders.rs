//! What tests ask of a client, and what they get to know.

use std::time::Duration;

use rocketmq_core::client::{CommandId, ProducerId};
use rocketmq_core::message::Message;
use rocketmq_core::producer::{SendError, SendReceipt, Target};

/// An open producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimProducer {
    /// The client it belongs to, from 0.
    pub client: usize,
    /// Its id there.
    pub id: ProducerId,
}

/// One send that was given to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SendHandle(pub(crate) usize);

/// One other command that was given to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    pub(crate) client: usize,
    pub(crate) id: CommandId,
}

/// What became of a send.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a test holds few of them")]
pub enum Verdict {
    /// A broker has it.
    Stored(SendReceipt),
    /// One-way: the socket took all of it.
    HandedOver,
    /// It failed; the error tells whether a broker may have it.
    Failed(SendError),
}

impl Verdict {
    /// The receipt of a stored message.
    pub fn receipt(&self) -> Option<&SendReceipt> {
        match self {
            Verdict::Stored(receipt) => Some(receipt),
            _ => None,
        }
    }

    /// The error of a failed send.
    pub fn error(&self) -> Option<&SendError> {
        match self {
            Verdict::Failed(error) => Some(error),
            _ => None,
        }
    }
}

/// A send to be made: topic, body, target, options.
#[derive(Debug, Clone)]
pub struct Order {
    pub(crate) topic: String,
    pub(crate) body: Vec<u8>,
    pub(crate) within: Duration,
    pub(crate) target: Target,
    pub(crate) one_way: bool,
    pub(crate) retries: Option<u32>,
    pub(crate) reservation: Option<Ticket>,
    pub(crate) message: Option<Message>,
}

impl Order {
    /// A small message to a topic, to any queue, within 3 s.
    pub fn to(topic: &str) -> Order {
        Order {
            topic: topic.to_owned(),
            body: b"hello".to_vec(),
            within: Duration::from_secs(3),
            target: Target::Any,
            one_way: false,
            retries: None,
            reservation: None,
            message: None,
        }
    }

    /// A message that exists already, for example one that an error gave back.
    pub fn again(message: Message) -> Order {
        Order { message: Some(message.clone()), ..Order::to(message.topic().as_str()) }
    }

    /// With a body of this many bytes.
    pub fn size(mut self, bytes: usize) -> Order {
        self.body = vec![b'x'; bytes];
        self
    }

    /// With a verdict within this time.
    pub fn within(mut self, time: Duration) -> Order {
        self.within = time;
        self
    }

    /// With a verdict within this many milliseconds.
    pub fn within_ms(self, millis: u64) -> Order {
        self.within(Duration::from_millis(millis))
    }

    /// To this queue, or to the queue of a sharding key.
    pub fn target(mut self, target: Target) -> Order {
        self.target = target;
        self
    }

    /// Without an answer of the broker.
    pub fn one_way(mut self) -> Order {
        self.one_way = true;
        self
    }

    /// With this many retries.
    pub fn retries(mut self, retries: u32) -> Order {
        self.retries = Some(retries);
        self
    }

    /// With room that was granted before.
    pub fn reservation(mut self, ticket: Ticket) -> Order {
        self.reservation = Some(ticket);
        self
    }
}

/// A send and its verdict.
#[derive(Debug)]
pub(crate) struct SendRecord {
    pub(crate) client: usize,
    /// The message's `KEYS`, by which it is found in the brokers' logs.
    pub(crate) key: String,
    /// When the verdict came, in microseconds.
    pub(crate) ended_at: u64,
    pub(crate) verdict: Option<Verdict>,
}
