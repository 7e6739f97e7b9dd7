//! What an observer can ask a client: states, tables, counters and memory.

use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, ClientId, TopicName};
use alloc::vec::Vec;

/// The state of a client, as in Java.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ServiceState {
    /// Made, and nothing has happened yet.
    CreateJust,
    /// Accepts producers and sends.
    Running,
    /// Refuses new sends and waits for those under way.
    ShuttingDown,
    /// Never acts again.
    ShutdownAlready,
}

/// What a client knows of its cluster at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterView {
    /// The client's state.
    pub service_state: ServiceState,
    /// The id under which brokers know it.
    pub client_id: ClientId,
    /// The name server in use, if one was chosen.
    pub name_server: Option<Endpoint>,
    /// Every address it has, had or wants a connection to.
    pub connections: Vec<ConnectionView>,
    /// The brokers of all routes.
    pub brokers: Vec<BrokerView>,
    /// The known routes.
    pub topics: Vec<TopicView>,
}

/// One address and how it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionView {
    /// The address.
    pub endpoint: Endpoint,
    /// How it stands.
    pub state: ConnectionState,
    /// Requests on it that wait for their answers.
    pub requests: usize,
}

/// How a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ConnectionState {
    /// Not connected.
    Down,
    /// Being opened.
    Connecting,
    /// Open.
    Up,
    /// Open, with requests that had no answer in time and no sign of life since.
    Silent,
    /// Open until its last answer; the server asked to go away.
    Draining,
}

/// One broker of the known routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerView {
    /// Its name.
    pub name: BrokerName,
    /// The address of its master, if it has one.
    pub master: Option<Endpoint>,
}

/// One known route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicView {
    /// The topic.
    pub topic: TopicName,
    /// Its writable message queues.
    pub queues: usize,
    /// True while it lives on the default topic's route.
    pub provisional: bool,
}

/// What happened so far, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Connections that came up.
    pub connections_opened: u64,
    /// Connects that failed.
    pub connects_failed: u64,
    /// Answers whose request had ended.
    pub late_answers: u64,
    /// Second answers to one request.
    pub duplicate_answers: u64,
    /// Answers to requests that never were.
    pub foreign_answers: u64,
    /// Connections closed because of unreadable bytes.
    pub bad_frames: u64,
    /// Connections closed on silence.
    pub silences: u64,
    /// Requests that servers sent.
    pub inbound_requests: u64,
    /// Sends accepted.
    pub sends: u64,
    /// Attempts that were put on a connection.
    pub attempts: u64,
    /// Sends that ended with a receipt.
    pub stored: u64,
    /// One-way sends that were handed over.
    pub handed_over: u64,
    /// Sends that ended *not stored*.
    pub not_stored: u64,
    /// Sends that ended *may be stored*.
    pub may_be_stored: u64,
    /// Route queries sent.
    pub route_queries: u64,
    /// Heartbeats sent.
    pub heartbeats: u64,
}

/// Memory that grows with work, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemoryUse {
    /// Messages under way.
    pub messages: usize,
    /// Their bytes.
    pub message_bytes: usize,
    /// Callers that wait for room.
    pub waiting_callers: usize,
    /// Encoded bytes not yet taken by a socket.
    pub outbox_bytes: usize,
    /// Bytes of frames that are not complete yet.
    pub inbox_bytes: usize,
    /// Requests that wait for their answers.
    pub requests: usize,
}
