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
    /// The name servers it may ask, in their order of turns.
    pub name_servers: Vec<Endpoint>,
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
