//! What a test can make a broker do with sends that are in order.

use crate::cluster::transport::Answer;

/// A send that has passed all checks and is about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct SendAttempt<'a> {
    /// Number of this send on this broker, from 0; refused sends do not count.
    pub number: u64,
    /// The broker's name.
    pub broker: &'a str,
    /// The topic of the request.
    pub topic: &'a str,
    /// The queue id that was chosen.
    pub queue_id: i32,
    /// The unique key (`UNIQ_KEY`) of the message, or of the batch when it has one.
    pub unique_key: Option<&'a str>,
    /// The keys (`KEYS`) of the message, as one text.
    pub keys: Option<&'a str>,
    /// Request code: 10, 310 or 320.
    pub request_code: i32,
    /// Number of the request on its connection.
    pub opaque: i32,
    /// Whether the client wants no answer.
    pub one_way: bool,
    /// Length of the request's body in bytes.
    pub body_length: usize,
}

/// What becomes of one send. A one-way send is never answered, whatever the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendDecision {
    /// Store the message and answer 0.
    Store,
    /// Store the message and never answer.
    StoreSilently,
    /// Neither store nor answer: as if the request had been lost.
    Lose,
    /// Do not store; answer this code.
    Refuse {
        /// Response code.
        code: i32,
        /// Remark of the answer.
        remark: String,
    },
    /// Store at once, answer later.
    Delay {
        /// How much later, in milliseconds.
        millis: u64,
    },
    /// Store once, answer twice.
    AnswerTwice,
    /// Store, but answer this code: with 10, 11 and 12 the answer says where the message is, with others it is an error.
    StoreThenAnswer {
        /// Response code.
        code: i32,
        /// Remark of the answer.
        remark: String,
    },
}

/// Decides what a broker does with each send that is in order. Closures will do.
pub trait SendPolicy: Send {
    /// Called once per send, in the order of arrival.
    fn decide(&mut self, send: &SendAttempt<'_>) -> SendDecision;
}

impl<F> SendPolicy for F
where
    F: FnMut(&SendAttempt<'_>) -> SendDecision + Send,
{
    fn decide(&mut self, send: &SendAttempt<'_>) -> SendDecision {
        self(send)
    }
}

/// A number of sends to be answered with a code of the test's choice.
#[derive(Debug, Clone)]
pub(super) struct ScriptedAnswers {
    pub(super) left: u64,
    pub(super) code: i32,
    pub(super) remark: String,
}

impl ScriptedAnswers {
    /// The decision for the next send, while there are any left.
    pub(super) fn next(&mut self) -> Option<SendDecision> {
        self.left = self.left.checked_sub(1)?;
        let (code, remark) = (self.code, self.remark.clone());
        Some(match code {
            0 => SendDecision::Store,
            10..=12 => SendDecision::StoreThenAnswer { code, remark },
            _ => SendDecision::Refuse { code, remark },
        })
    }
}

/// When and whether a request is answered.
pub(super) enum Reply {
    Now(Answer),
    Twice(Answer),
    At(u64, Answer),
    Never,
}

impl Reply {
    /// The same with another answer.
    pub(super) fn map(self, change: impl FnOnce(Answer) -> Answer) -> Reply {
        match self {
            Reply::Now(answer) => Reply::Now(change(answer)),
            Reply::Twice(answer) => Reply::Twice(change(answer)),
            Reply::At(at, answer) => Reply::At(at, change(answer)),
            Reply::Never => Reply::Never,
        }
    }
}
