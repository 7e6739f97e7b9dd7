//! One call, and the questions of which it is made.

use super::AdminTimer;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::BrokerName;
use crate::ground::{Instant, Key, TimerKey};
use crate::interface::{AdminRequest, BrokerFailure, CallFailure, CommandId, QueryResult};
use crate::net::{LinkKey, RequestKey};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

pub(super) type CallKey = Key<Call>;
pub(super) type PartKey = Key<Part>;

/// Why this floor made a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdminPurpose(pub(super) PartKey);

/// A call that is under way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CommandId,
    pub(super) request: Box<AdminRequest>,
    pub(super) deadline: Instant,
    pub(super) timer: Option<TimerKey<AdminTimer>>,
    /// Questions that are asked.
    pub(super) parts: Vec<PartKey>,
    /// Brokers that are to be asked.
    pub(super) targets: VecDeque<Target>,
    /// Brokers that did what was asked.
    pub(super) done: Vec<BrokerName>,
    /// Brokers that did not.
    pub(super) failed: Vec<BrokerFailure>,
    /// What queries have brought so far.
    pub(super) found: QueryResult,
    pub(super) found_bytes: usize,
}

impl Call {
    pub(super) fn new(id: CommandId, request: Box<AdminRequest>, deadline: Instant) -> Self {
        Self {
            id,
            request,
            deadline,
            timer: None,
            parts: Vec::new(),
            targets: VecDeque::new(),
            done: Vec::new(),
            failed: Vec::new(),
            found: QueryResult::default(),
            found_bytes: 0,
        }
    }
}

/// One question to one server.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) call: CallKey,
    pub(super) question: Question,
    /// How often it was asked.
    pub(super) attempts: u32,
    /// The name server that was asked last.
    pub(super) asked_at: Option<Endpoint>,
    /// Why the last attempt failed.
    pub(super) last: Option<CallFailure>,
    pub(super) stage: Stage,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// A name server: the route of the topic.
    Route,
    /// A name server: brokers and clusters.
    Cluster,
    /// A name server: the names of all topics.
    Topics,
    /// A broker: what the call is about.
    Broker(Target),
}

/// How far a question is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// Not asked just now.
    Idle,
    /// Asked; `kept`: the link of the broker that is held for it.
    Asked { request: RequestKey, kept: Option<LinkKey> },
    /// Asked again later.
    Pausing(TimerKey<AdminTimer>),
}

/// A broker to ask.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Target {
    pub(super) broker: Option<BrokerName>,
    pub(super) endpoint: Endpoint,
}

impl Target {
    pub(super) fn failed(self, why: CallFailure) -> BrokerFailure {
        BrokerFailure { broker: self.broker, endpoint: Some(self.endpoint), why }
    }
}
