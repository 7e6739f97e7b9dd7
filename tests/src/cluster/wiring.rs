//! Name servers and brokers wired together.

use std::net::SocketAddr;

use super::{
    Broker, BrokerConfig, ClusterConfig, ConnKey, DiscoveryServer, NameServer, ServerAction, ServerId,
    StoredMessage, TopicConfig,
};

/// Name of the one cluster that all brokers belong to.
const CLUSTER_NAME: &str = "DefaultCluster";

/// A whole cluster: every broker registers with every name server, without a network between them.
pub struct Cluster {
    config: ClusterConfig,
    name_servers: Vec<NameServer>,
    brokers: Vec<Broker>,
    discovery: Option<DiscoveryServer>,
}

impl Cluster {
    /// A cluster that has just started: all brokers are registered.
    pub fn new(config: ClusterConfig, now_ms: u64) -> Cluster {
        let name_servers = (0..config.name_servers).map(|_| NameServer::new(config.dialect)).collect();
        let broker = |index: usize| {
            let broker_config = BrokerConfig {
                dialect: config.broker_dialect(index),
                cluster: CLUSTER_NAME.to_owned(),
                name: broker_name(index),
                address: config.broker_address(index),
                auto_create_topics: config.auto_create_topics,
                default_queues: config.default_queues,
                seed: config.seed.wrapping_add(index as u64),
            };
            Broker::new(broker_config, now_ms)
        };
        let brokers = (0..config.brokers).map(broker).collect();
        let mut cluster = Cluster { config, name_servers, brokers, discovery: None };
        cluster.discovery =
            cluster.config.discovery.then(|| DiscoveryServer::new(&cluster.name_server_addr()));
        cluster.register_brokers(now_ms);
        cluster
    }

    /// All servers: the name servers, then the brokers, then the HTTP server.
    pub fn servers(&self) -> Vec<ServerId> {
        let name_servers = (0..self.name_servers.len()).map(ServerId::NameServer);
        let brokers = (0..self.brokers.len()).map(ServerId::Broker);
        name_servers.chain(brokers).chain(self.discovery.iter().map(|_| ServerId::Discovery)).collect()
    }

    /// The address of a server. Unused indices have one too.
    pub fn address(&self, server: ServerId) -> SocketAddr {
        match server {
            ServerId::NameServer(index) => self.config.name_server_address(index),
            ServerId::Broker(index) => self.config.broker_address(index),
            ServerId::Discovery => self.config.discovery_address(),
        }
    }

    /// The server that listens at an address, whether it is up or not.
    pub fn server_at(&self, address: SocketAddr) -> Option<ServerId> {
        self.servers().into_iter().find(|server| self.address(*server) == address)
    }

    /// The name-server addresses as clients are configured with them: `host:port;host:port`.
    pub fn name_server_addr(&self) -> String {
        let count = self.name_servers.len();
        let addresses: Vec<String> =
            (0..count).map(|index| self.config.name_server_address(index).to_string()).collect();
        addresses.join(";")
    }

    /// Whether a server runs, so that connections to it are accepted (a paused one accepts them, too).
    pub fn is_up(&self, server: ServerId) -> bool {
        match server {
            ServerId::NameServer(index) => self.name_servers.get(index).is_some_and(NameServer::is_up),
            ServerId::Broker(index) => self.brokers.get(index).is_some_and(Broker::is_up),
            ServerId::Discovery => self.discovery.as_ref().is_some_and(DiscoveryServer::is_up),
        }
    }

    /// Whether a server is paused.
    pub fn is_paused(&self, server: ServerId) -> bool {
        match server {
            ServerId::NameServer(index) => self.name_servers.get(index).is_some_and(NameServer::is_paused),
            ServerId::Broker(index) => self.brokers.get(index).is_some_and(Broker::is_paused),
            // It can be silent instead.
            ServerId::Discovery => false,
        }
    }

    /// A client has connected to a server.
    pub fn on_connect(&mut self, now_ms: u64, server: ServerId, conn: ConnKey, peer: SocketAddr) {
        match server {
            ServerId::NameServer(index) => {
                if let Some(name_server) = self.name_servers.get_mut(index) {
                    name_server.on_connect(now_ms, conn, peer);
                }
            }
            ServerId::Broker(index) => {
                if let Some(broker) = self.brokers.get_mut(index) {
                    broker.on_connect(now_ms, conn, peer);
                }
            }
            ServerId::Discovery => self.discovery.iter_mut().for_each(|server| server.on_connect(conn)),
        }
    }

    /// Bytes have arrived at a server.
    pub fn on_bytes(&mut self, now_ms: u64, server: ServerId, conn: ConnKey, bytes: &[u8]) {
        match server {
            ServerId::NameServer(index) => {
                if let Some(name_server) = self.name_servers.get_mut(index) {
                    name_server.on_bytes(now_ms, conn, bytes);
                }
            }
            ServerId::Broker(index) => {
                if let Some(broker) = self.brokers.get_mut(index) {
                    broker.on_bytes(now_ms, conn, bytes);
                }
                self.register_brokers(now_ms);
            }
            ServerId::Discovery => {
                self.discovery.iter_mut().for_each(|server| server.on_bytes(now_ms, conn, bytes));
            }
        }
    }

    /// A client has closed its connection to a server.
    pub fn on_close(&mut self, now_ms: u64, server: ServerId, conn: ConnKey) {
        match server {
            ServerId::NameServer(index) => {
                if let Some(name_server) = self.name_servers.get_mut(index) {
                    name_server.on_close(now_ms, conn);
                }
            }
            ServerId::Broker(index) => {
                if let Some(broker) = self.brokers.get_mut(index) {
                    broker.on_close(now_ms, conn);
                }
            }
            ServerId::Discovery => self.discovery.iter_mut().for_each(|server| server.on_close(conn)),
        }
    }

    /// Time has passed, for all servers.
    pub fn on_tick(&mut self, now_ms: u64) {
        for broker in &mut self.brokers {
            broker.on_tick(now_ms);
        }
        self.register_brokers(now_ms);
        for name_server in &mut self.name_servers {
            name_server.on_tick(now_ms);
        }
        self.discovery.iter_mut().for_each(|server| server.on_tick(now_ms));
    }

    /// When [`Cluster::on_tick`] has something to do.
    pub fn next_deadline(&self) -> Option<u64> {
        let name_servers = self.name_servers.iter().filter_map(NameServer::next_deadline);
        let brokers = self.brokers.iter().filter_map(Broker::next_deadline);
        let discovery = self.discovery.iter().filter_map(DiscoveryServer::next_deadline);
        name_servers.chain(brokers).chain(discovery).min()
    }

    /// The next thing to do on a connection of a server.
    pub fn poll_action(&mut self) -> Option<(ServerId, ServerAction)> {
        for (index, name_server) in self.name_servers.iter_mut().enumerate() {
            if let Some(action) = name_server.poll_action() {
                return Some((ServerId::NameServer(index), action));
            }
        }
        for (index, broker) in self.brokers.iter_mut().enumerate() {
            if let Some(action) = broker.poll_action() {
                return Some((ServerId::Broker(index), action));
            }
        }
        Some((ServerId::Discovery, self.discovery.as_mut()?.poll_action()?))
    }

    fn register_brokers(&mut self, now_ms: u64) {
        for broker in &mut self.brokers {
            let Some(registration) = broker.take_registration(now_ms) else {
                continue;
            };
            for name_server in &mut self.name_servers {
                name_server.register(now_ms, &registration);
            }
        }
    }
}

/// Controls for tests.
impl Cluster {
    /// The brokers, by index.
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }

    /// One broker, to be controlled. A change that name servers must know reaches them with the next event.
    pub fn broker_mut(&mut self, index: usize) -> Option<&mut Broker> {
        self.brokers.get_mut(index)
    }

    /// The name servers, by index.
    pub fn name_servers(&self) -> &[NameServer] {
        &self.name_servers
    }

    /// One name server, to be controlled.
    pub fn name_server_mut(&mut self, index: usize) -> Option<&mut NameServer> {
        self.name_servers.get_mut(index)
    }

    /// The HTTP server that knows the name servers, to be controlled; none unless the cluster has one.
    pub fn discovery_mut(&mut self) -> Option<&mut DiscoveryServer> {
        self.discovery.as_mut()
    }

    /// Creates a topic, or changes it, on every broker.
    pub fn create_topic(&mut self, now_ms: u64, config: &TopicConfig) {
        for broker in &mut self.brokers {
            broker.create_topic(config.clone());
        }
        self.register_brokers(now_ms);
    }

    /// Sets the permission of a topic on every broker that has it, as routes show it.
    pub fn set_permission(&mut self, now_ms: u64, topic: &str, permission: i32) {
        for broker in &mut self.brokers {
            broker.set_permission(topic, permission);
        }
        self.register_brokers(now_ms);
    }

    /// Sets the permission of one broker (`brokerPermission`), as routes show it for all its topics.
    pub fn set_broker_permission(&mut self, now_ms: u64, broker: usize, permission: i32) {
        if let Some(broker) = self.brokers.get_mut(broker) {
            broker.settings_mut().permission = permission;
        }
        self.register_brokers(now_ms);
    }

    /// Turns `autoCreateTopicEnable` on or off on every running broker.
    pub fn set_auto_create_topics(&mut self, now_ms: u64, on: bool) {
        for broker in &mut self.brokers {
            broker.settings_mut().auto_create_topics = on;
        }
        self.register_brokers(now_ms);
    }

    /// Stops a server as a stopped process: it accepts connections and says nothing.
    pub fn pause(&mut self, server: ServerId) {
        match server {
            ServerId::NameServer(index) => {
                self.name_servers.get_mut(index).into_iter().for_each(NameServer::pause)
            }
            ServerId::Broker(index) => self.brokers.get_mut(index).into_iter().for_each(Broker::pause),
            ServerId::Discovery => {}
        }
    }

    /// Ends a pause: what has arrived meanwhile is processed, a broker registers at once.
    pub fn resume(&mut self, now_ms: u64, server: ServerId) {
        match server {
            ServerId::NameServer(index) => {
                if let Some(name_server) = self.name_servers.get_mut(index) {
                    name_server.resume(now_ms);
                }
            }
            ServerId::Broker(index) => {
                if let Some(broker) = self.brokers.get_mut(index) {
                    broker.resume(now_ms);
                }
                self.register_brokers(now_ms);
            }
            ServerId::Discovery => {}
        }
    }

    /// Kills a server: its connections are closed, name servers forget a broker at once, a name server forgets all
    /// brokers.
    pub fn crash(&mut self, now_ms: u64, server: ServerId) {
        match server {
            ServerId::NameServer(index) => {
                self.name_servers.get_mut(index).into_iter().for_each(NameServer::crash)
            }
            ServerId::Broker(index) => {
                if let Some(broker) = self.brokers.get_mut(index) {
                    broker.crash(now_ms);
                    forget(&mut self.name_servers, broker.name());
                }
            }
            ServerId::Discovery => self.discovery.iter_mut().for_each(DiscoveryServer::crash),
        }
    }

    /// Lets a broker stop in order: name servers forget it, answers that were due are sent, connections are closed.
    pub fn leave(&mut self, now_ms: u64, broker: usize) {
        if let Some(broker) = self.brokers.get_mut(broker) {
            forget(&mut self.name_servers, broker.name());
            broker.leave(now_ms);
        }
    }

    /// Starts a server again: a broker with its store, a name server without brokers until they register (every 30 s).
    pub fn restart(&mut self, now_ms: u64, server: ServerId) {
        match server {
            ServerId::NameServer(index) => {
                self.name_servers.get_mut(index).into_iter().for_each(NameServer::restart)
            }
            ServerId::Broker(index) => {
                if let Some(broker) = self.brokers.get_mut(index) {
                    broker.restart(now_ms);
                }
                self.register_brokers(now_ms);
            }
            ServerId::Discovery => self.discovery.iter_mut().for_each(DiscoveryServer::restart),
        }
    }

    /// Gives a broker another address, as when another machine becomes its master. For brokers that are down.
    pub fn move_broker(&mut self, index: usize, address: SocketAddr) {
        for missing in self.config.broker_addresses.len()..=index {
            self.config.broker_addresses.push(self.config.broker_address(missing));
        }
        self.config.broker_addresses[index] = address;
        self.brokers.get_mut(index).into_iter().for_each(|broker| broker.move_to(address));
    }

    /// The messages stored under a topic: broker after broker, each in the order of its commit log.
    pub fn stored(&self, topic: &str) -> Vec<StoredMessage> {
        self.brokers.iter().flat_map(|broker| broker.stored(topic)).collect()
    }

    /// How many messages all brokers have stored, under all topics.
    pub fn stored_count(&self) -> usize {
        self.brokers.iter().map(Broker::stored_count).sum()
    }

    /// The client ids in a producer group, one for each connection to a broker.
    pub fn producers(&self, group: &str) -> Vec<String> {
        self.brokers.iter().flat_map(|broker| broker.producers(group)).collect()
    }

    /// How many requests with this code have arrived at all servers.
    pub fn requests(&self, code: i32) -> u64 {
        let name_servers: u64 = self.name_servers.iter().map(|server| server.requests(code)).sum();
        name_servers + self.brokers.iter().map(|broker| broker.requests(code)).sum::<u64>()
    }
}

fn forget(name_servers: &mut [NameServer], broker_name: &str) {
    for name_server in name_servers {
        name_server.forget_broker(broker_name);
    }
}

/// `broker-a` to `broker-z`, then `broker-26`, ...
fn broker_name(index: usize) -> String {
    match u8::try_from(index) {
        Ok(small) if small < 26 => format!("broker-{}", char::from(b'a' + small)),
        _ => format!("broker-{index}"),
    }
}
