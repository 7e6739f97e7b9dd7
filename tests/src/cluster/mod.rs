//! Name servers and brokers as state machines: bytes and the time go in, bytes come out.
//!
//! All times are milliseconds on the clock of the caller. The same number is written into stored messages as the wall
//! time, so a caller who wants real dates passes milliseconds since the Unix epoch; a simulation may start anywhere.
//!
//! What is simulated: routes, topics, key-value configuration and cluster information on the name servers; heartbeats
//! with what consumers of a group hear of each other, topics, settings, sends of all kinds, half messages with the questions
//! about them and their ends, the message log with its queries, and lists of clients on the brokers; HTTP discovery of the
//! name servers. What is not: what consumers ask for (pull, pop, offsets, locks), replies, static topics, access control,
//! TLS and the PROXY protocol. Such request codes are answered as unknown ones. How the answers compare with those of real servers, request by request,
//! is a test: `tests/real_faithfulness.rs`.

mod broker;
mod config;
mod crc32;
mod discovery;
mod frame;
mod header_binary;
mod header_json;
mod header_scan;
mod name_server;
mod properties;
mod registry;
mod route;
mod text;
pub(crate) mod topic;
mod transport;
mod wiring;

#[cfg(test)]
mod tests;

pub(crate) use broker::StoredBrief;
pub use broker::{
    Broker, BrokerConfig, BrokerSettings, SendAttempt, SendDecision, SendPolicy, StoredMessage,
};
pub use config::{ClusterConfig, Dialect};
pub use discovery::{DiscoveryMood, DiscoveryServer};
pub use frame::{Frame, FrameError, FrameReader, SerializeType};
pub use name_server::NameServer;
pub use properties::{parse_properties, write_properties};
pub use registry::Registration;
pub use text::Text;
pub use topic::TopicConfig;
pub use wiring::Cluster;

/// Names one connection that a server has accepted. The caller chooses the number; it must be unique per server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnKey(pub u64);

/// Names one server of a [`Cluster`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerId {
    /// The name server with this index, from 0.
    NameServer(usize),
    /// The broker with this index, from 0.
    Broker(usize),
    /// The HTTP server that knows the name servers, if the cluster has one.
    Discovery,
}

/// What a server wants done with one of its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerAction {
    /// Write these bytes; neighbouring answers on one connection come as one action.
    Send {
        /// The connection to write to.
        conn: ConnKey,
        /// One or more whole frames.
        bytes: Vec<u8>,
    },
    /// Close the connection at once; the server has forgotten it already.
    Close {
        /// The connection to close.
        conn: ConnKey,
    },
}
