//! How a client fares, for people: everything that an observer can ask it, at one moment and as a text.

use super::counters::{Counters, MemoryUse};
use super::view::{ClusterView, ConnectionState, ServiceState};
use crate::command::LanguageCode;
use crate::ground::names::{GroupName, TopicName};
use crate::wire::SerializeType;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// How a client fares at one moment. What Java tells administrative tools of its consumers
/// (`GET_CONSUMER_RUNNING_INFO`, request code 307) this tells of a client and its producers. Its text, several lines long, is
/// for logs and for people; programs read the fields.
///
/// ```
/// use rocketmq_core::client::{Client, ClientConfig};
/// use rocketmq_core::ground::Now;
///
/// let client = Client::new(ClientConfig::new("10.0.0.1:9876".parse()?, 7), Now::default())?;
/// let info = client.running_info(Now::default());
/// assert!(info.to_string().contains("name servers: 10.0.0.1:9876"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[doc(alias = "ConsumerRunningInfo")]
pub struct RunningInfo {
    /// For how long the client has been there.
    pub uptime: Duration,
    /// The version of this library.
    pub library_version: &'static str,
    /// The protocol version that requests carry, see [`version`](crate::command::version).
    pub protocol_version: i32,
    /// The language that requests carry.
    pub language: LanguageCode,
    /// The form of the headers of requests.
    pub serialize_type: SerializeType,
    /// Name servers, connections, brokers, topics.
    pub cluster: ClusterView,
    /// The producers that are open.
    pub producers: Vec<ProducerView>,
    /// What happened so far.
    pub counters: Counters,
    /// Memory that grows with work.
    pub memory: MemoryUse,
}

/// One producer and what it has under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerView {
    /// Its group.
    pub group: GroupName,
    /// False once it closes: it takes nothing new.
    pub is_open: bool,
    /// Sends without verdict.
    pub sends: usize,
    /// Ends of transactions without result.
    pub ends: usize,
    /// The topics that it declared.
    pub topics: Vec<TopicName>,
}

impl fmt::Display for RunningInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, language, .. } = self;
        let (id, state, seconds) = (&cluster.client_id, cluster.service_state, self.uptime.as_secs());
        writeln!(f, "client {id}: {state} for {seconds} s")?;
        write!(f, "library {}, protocol version {}", self.library_version, self.protocol_version)?;
        writeln!(f, ", language {language:?}, headers in {}", self.serialize_type)?;
        self.write_cluster(f)?;
        for producer in &self.producers {
            let ProducerView { group, is_open, sends, ends, topics } = producer;
            let state = if *is_open { "open" } else { "closing" };
            write!(
                f,
                "producer group {group}: {state}, {sends} sends and {ends} ends of transactions under way"
            )?;
            write_list(f, ", declared topics: ", topics)?;
            writeln!(f)?;
        }
        write_numbers(f, "memory", self.memory.iter().map(|(name, value)| (name, value as u64)))?;
        write_numbers(f, "so far", self.counters.iter())
    }
}

impl RunningInfo {
    fn write_cluster(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClusterView { name_server, name_servers, connections, brokers, topics, .. } = &self.cluster;
        f.write_str("name servers: ")?;
        if name_servers.is_empty() {
            f.write_str("none")?;
        }
        write_list(f, "", name_servers)?;
        match name_server {
            Some(in_use) => writeln!(f, "; in use: {in_use}")?,
            None => writeln!(f, "; none in use")?,
        }
        for connection in connections {
            let (endpoint, state) = (&connection.endpoint, connection.state);
            writeln!(f, "connection to {endpoint}: {state}, {} requests wait", connection.requests)?;
        }
        for broker in brokers {
            match &broker.master {
                Some(master) => writeln!(f, "broker {}: master at {master}", broker.name)?,
                None => writeln!(f, "broker {}: no master", broker.name)?,
            }
        }
        for topic in topics {
            let borrowed = if topic.provisional { ", the default topic's route" } else { "" };
            writeln!(f, "topic {}: {} writable queues{borrowed}", topic.topic, topic.queues)?;
        }
        Ok(())
    }
}

fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, before: &str, items: &[T]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        f.write_str(if at == 0 { before } else { ", " })?;
        write!(f, "{item}")?;
    }
    Ok(())
}

/// Those that are not zero.
fn write_numbers(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    numbers: impl Iterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    write!(f, "{what}:")?;
    for (name, value) in numbers.filter(|(_, value)| *value > 0) {
        write!(f, " {name}={value}")?;
    }
    writeln!(f)
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateJust => "just created",
            Self::Running => "running",
            Self::ShuttingDown => "shutting down",
            Self::ShutdownAlready => "shut down",
        })
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "down",
            Self::Connecting => "connecting",
            Self::Up => "up",
            Self::Silent => "silent",
            Self::Draining => "draining",
        })
    }
}
