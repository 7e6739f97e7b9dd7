//! What a simulated cluster consists of and which release it imitates.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The release whose behaviour the servers imitate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Apache RocketMQ 4.9.7: answers in the request's serialize type, refuses a bad queue id or topic name with code
    /// 1, stores empty bodies, gives no `transactionId`; its name server is silent on unknown request codes.
    V4_9_7,
    /// Apache RocketMQ 5.5.0: answers in JSON, refuses a bad queue id or topic name with code 29 and an empty body with
    /// code 1, gives `transactionId`, adds heartbeat ext fields.
    V5_5_0,
}

impl Dialect {
    /// The version number in the header of every answer (the ordinal in Java's `MQVersion`).
    pub fn version(self) -> i32 {
        match self {
            Dialect::V4_9_7 => 407,
            Dialect::V5_5_0 => 513,
        }
    }

    pub(crate) fn is_v5(self) -> bool {
        self == Dialect::V5_5_0
    }

    /// The second line of remarks that point to the documentation.
    pub(crate) fn faq_line(self) -> &'static str {
        match self {
            Dialect::V4_9_7 => "\nSee http://rocketmq.apache.org/docs/faq/ for further details.",
            Dialect::V5_5_0 => {
                "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
            }
        }
    }
}

/// How many servers a [`Cluster`](super::Cluster) has and how they are set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Number of name servers, default 1.
    pub name_servers: usize,
    /// Number of master brokers, named `broker-a`, `broker-b`, ...; default 1.
    pub brokers: usize,
    /// The release to imitate, default 5.5.0.
    pub dialect: Dialect,
    /// The releases of the first brokers; missing ones imitate `dialect`.
    pub broker_dialects: Vec<Dialect>,
    /// Whether a send to an unknown topic creates it (`autoCreateTopicEnable`), default true. When false from the start,
    /// the default topic `TBW102` has no route.
    pub auto_create_topics: bool,
    /// Queues of the default topic `TBW102`, the most that a topic made by a send can get; default 8.
    pub default_queues: u32,
    /// Seed of everything the servers choose at random (the queue for a negative queue id, unique keys), default 0.
    pub seed: u64,
    /// Whether there is an HTTP server that knows the name servers, default false.
    pub discovery: bool,
    /// Its address, 10.0.2.1:8080 if none is given.
    pub discovery_address: Option<SocketAddr>,
    /// Addresses of the name servers; missing ones are 10.0.0.1:9876, 10.0.0.2:9876, ...
    pub name_server_addresses: Vec<SocketAddr>,
    /// Addresses of the brokers as routes give them; missing ones are 10.0.1.1:10911, 10.0.1.2:10911, ...
    pub broker_addresses: Vec<SocketAddr>,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        ClusterConfig {
            name_servers: 1,
            brokers: 1,
            dialect: Dialect::V5_5_0,
            broker_dialects: Vec::new(),
            auto_create_topics: true,
            default_queues: 8,
            seed: 0,
            discovery: false,
            discovery_address: None,
            name_server_addresses: Vec::new(),
            broker_addresses: Vec::new(),
        }
    }
}

impl ClusterConfig {
    /// The release that the broker with this index imitates.
    pub fn broker_dialect(&self, index: usize) -> Dialect {
        self.broker_dialects.get(index).copied().unwrap_or(self.dialect)
    }

    /// The address of the name server with this index.
    pub fn name_server_address(&self, index: usize) -> SocketAddr {
        let given = self.name_server_addresses.get(index).copied();
        given.unwrap_or_else(|| default_address(0, index, 9876))
    }

    /// The address of the HTTP server that knows the name servers.
    pub fn discovery_address(&self) -> SocketAddr {
        self.discovery_address.unwrap_or_else(|| default_address(2, 0, 8080))
    }

    /// The address of the broker with this index.
    pub fn broker_address(&self, index: usize) -> SocketAddr {
        let given = self.broker_addresses.get(index).copied();
        given.unwrap_or_else(|| default_address(1, index, 10911))
    }
}

fn default_address(net: u8, index: usize, port: u16) -> SocketAddr {
    let host = u8::try_from(index + 1).unwrap_or(u8::MAX);
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, net, host)), port)
}
