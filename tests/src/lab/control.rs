//! What a test does to its cluster: servers, network, clock, and when.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use super::Lab;
use super::network::{Connects, Network, server_name};
use super::sends::{SendFault, SendRules};
use super::state::{Event, State, lock, micros};
use crate::cluster::{BrokerSettings, Cluster, SendPolicy, ServerId, StoredMessage, TopicConfig};

/// When things happen.
impl Lab {
    /// Runs `script` so long after the start of the run; at once when that has passed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// rocketmq_sim::lab::run(7, |lab| async move {
    ///     lab.at(Duration::from_secs(60), |lab| lab.name_server(0).crash());
    ///     lab.at(Duration::from_secs(90), |lab| lab.name_server(0).restart());
    ///     lab.sleep(Duration::from_secs(75)).await;
    ///     assert!(!lab.name_server(0).is_up());
    /// });
    /// ```
    pub fn at(&self, at: Duration, script: impl FnOnce(&Lab) + Send + 'static) {
        self.shared.enter(|state| state.plan(micros(at), Event::Script(Box::new(script))));
    }

    /// Runs `script` so long from now.
    pub fn after(&self, time: Duration, script: impl FnOnce(&Lab) + Send + 'static) {
        self.at(self.now().saturating_add(time), script);
    }

    /// Moves the wall clock of all clients, forwards or back. Time-outs do not hang on it. A client goes by its last look
    /// at it for up to a millisecond.
    pub fn jump_wall_clock(&self, by_ms: i64) {
        self.shared.jump_wall_clock(by_ms);
        self.note(format!("the wall clock jumps by {by_ms} ms"));
    }

    /// The wall clock of the clients. It starts on 1 January 2026, 00:00 UTC.
    #[must_use]
    pub fn wall_clock(&self) -> SystemTime {
        self.shared.wall_clock()
    }
}

/// What there is.
impl Lab {
    /// A broker, by its number from 0.
    ///
    /// # Panics
    /// There is no such broker.
    #[must_use]
    pub fn broker(&self, index: usize) -> Broker {
        let server = self.server(ServerId::Broker(index));
        Broker { server, index }
    }

    /// A name server, by its number from 0.
    ///
    /// # Panics
    /// There is no such name server.
    #[must_use]
    pub fn name_server(&self, index: usize) -> Server {
        self.server(ServerId::NameServer(index))
    }

    /// The HTTP server that knows the name servers, see [`LabBuilder::discovery`](super::LabBuilder::discovery). What it
    /// answers is set with [`Lab::with_cluster`] and
    /// [`Cluster::discovery_mut`](crate::cluster::Cluster::discovery_mut).
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn discovery(&self) -> Server {
        self.server(ServerId::Discovery)
    }

    /// All brokers.
    pub fn brokers(&self) -> impl Iterator<Item = Broker> + '_ {
        let count = self.shared.enter(|state| state.cluster.brokers().len());
        (0..count).map(|index| self.broker(index))
    }

    /// All name servers.
    pub fn name_servers(&self) -> impl Iterator<Item = Server> + '_ {
        let count = self.shared.enter(|state| state.cluster.name_servers().len());
        (0..count).map(|index| self.name_server(index))
    }

    fn server(&self, id: ServerId) -> Server {
        let known = self.shared.enter(|state| state.cluster.servers().contains(&id));
        assert!(known, "there is no {} in this lab, see LabBuilder", server_name(id));
        Server { lab: self.clone(), id }
    }

    /// Creates a topic, or changes its queues, on every broker.
    pub fn create_topic(&self, name: &str, queues: u32) {
        let topic = TopicConfig::new(name, i32::try_from(queues).unwrap_or(i32::MAX));
        self.with_cluster(|cluster, now_ms| cluster.create_topic(now_ms, &topic));
    }

    /// Sets the permission of a topic on every broker, as routes show it: 2 write, 4 read, 6 both. Clients learn it when
    /// they ask for the route again, every 30 s.
    pub fn set_topic_permission(&self, topic: &str, permission: i32) {
        self.note(format!("permission {permission} for topic {topic}"));
        self.with_cluster(|cluster, now_ms| cluster.set_permission(now_ms, topic, permission));
    }

    /// How bytes travel from now on. Bytes on their way are not touched.
    pub fn set_network(&self, network: Network) {
        self.shared.enter(|state| state.network = network);
    }

    /// How bytes travel at present.
    #[must_use]
    pub fn network(&self) -> Network {
        self.shared.enter(|state| state.network.clone())
    }

    /// The servers themselves, with everything that a [`Cluster`] offers, and their time: milliseconds since 1970.
    /// Pauses and crashes belong to [`Server`], which does the same on the network.
    ///
    /// # Panics
    /// `call` uses the lab.
    pub fn with_cluster<T>(&self, call: impl FnOnce(&mut Cluster, u64) -> T) -> T {
        self.shared.enter(|state| {
            let now_ms = state.server_ms();
            let result = call(&mut state.cluster, now_ms);
            state.collect();
            result
        })
    }
}

/// A server of the lab, see [`Lab::broker`] and [`Lab::name_server`].
#[derive(Clone)]
pub struct Server {
    lab: Lab,
    id: ServerId,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.id).finish()
    }
}

impl Server {
    fn act<T>(&self, what: &str, act: impl FnOnce(&mut State) -> T) -> T {
        self.lab.shared.enter(|state| {
            state.tell(|| format!("{} {what}", server_name(self.id)));
            let result = act(state);
            state.collect();
            result
        })
    }

    /// Which server it is.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.id
    }

    /// Its address, as routes give it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.lab.shared.enter(|state| state.cluster.address(self.id))
    }

    /// Whether it runs; a paused one does.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.lab.shared.enter(|state| state.cluster.is_up(self.id))
    }

    /// Kills it: its connections close, new ones are refused. A broker keeps its store, and name servers forget it.
    pub fn crash(&self) {
        self.act("is killed", |state| state.cluster.crash(state.server_ms(), self.id));
    }

    /// Starts it again. A broker registers at once; a name server knows no broker until they register, within 30 s. A
    /// server that runs is left alone.
    pub fn restart(&self) {
        if !self.is_up() {
            self.act("starts", |state| state.cluster.restart(state.server_ms(), self.id));
        }
    }

    /// Stops it as a stopped process: connections stay and come up, and nothing is said.
    pub fn pause(&self) {
        self.act("is paused", |state| state.cluster.pause(self.id));
    }

    /// Ends a pause; what has arrived meanwhile is processed.
    pub fn resume(&self) {
        self.act("goes on", |state| {
            for rules in &state.send_rules {
                lock(rules).now_us = state.now_us;
            }
            state.cluster.resume(state.server_ms(), self.id);
            state.read_on(self.id);
            state.have_effects(None);
        });
    }

    /// Resets its connections: both ends learn it at once, bytes on their way are lost.
    pub fn reset_connections(&self) {
        self.act("loses its connections", |state| state.reset_all(self.id));
    }

    /// What becomes of new connections to it.
    pub fn set_connects(&self, connects: Connects) {
        self.act(&format!("connects: {connects:?}"), |state| state.connects.insert(self.id, connects));
    }

    /// Holds back everything between clients and this server, connects included, until it is [healed](Self::heal).
    pub fn cut_off(&self) {
        self.act("is cut off", |state| state.cut_off.insert(self.id));
    }

    /// Ends [`cut_off`](Self::cut_off): what was held back arrives, in order.
    pub fn heal(&self) {
        self.act("can be reached again", |state| state.heal(self.id));
    }

    /// How bytes travel between clients and this server, if not as everywhere: latency, jitter, bytes per second.
    pub fn set_network(&self, network: Option<Network>) {
        self.act("has another network", |state| match network {
            Some(network) => state.networks.insert(self.id, network),
            None => state.networks.remove(&self.id),
        });
    }

    /// How many requests with this code have arrived, such as 105 (`GET_ROUTEINFO_BY_TOPIC`) or 310
    /// (`SEND_MESSAGE_V2`).
    #[must_use]
    pub fn requests(&self, code: i32) -> u64 {
        self.lab.shared.enter(|state| match self.id {
            ServerId::NameServer(index) => {
                state.cluster.name_servers().get(index).map_or(0, |server| server.requests(code))
            }
            ServerId::Broker(index) => {
                state.cluster.brokers().get(index).map_or(0, |broker| broker.requests(code))
            }
            ServerId::Discovery => 0,
        })
    }
}

/// A broker of the lab: a [`Server`] and what only brokers do.
#[derive(Clone, Debug)]
pub struct Broker {
    server: Server,
    index: usize,
}

impl Deref for Broker {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Broker {
    /// Its name, as routes and receipts give it.
    #[must_use]
    pub fn name(&self) -> String {
        server_name(self.id())
    }

    /// Lets it stop in order: name servers forget it, answers that were due are sent, then it is gone.
    pub fn leave(&self) {
        self.act("leaves", |state| state.cluster.leave(state.server_ms(), self.index));
    }

    /// What goes wrong with the next `count` sends that are in order. Calls queue up.
    pub fn next_sends(&self, count: u64, fault: SendFault) {
        if count > 0 {
            self.rules(|rules| rules.scripted.push_back((count, fault)));
        }
    }

    /// What goes wrong with so many of 1000 sends, drawn from the seed. Several faults are tried in the order of the
    /// calls.
    pub fn random_sends(&self, per_mille: u32, fault: SendFault) {
        self.rules(|rules| rules.at_random.push((per_mille, fault)));
    }

    /// Answers every send with `SYSTEM_BUSY` for so long from now, and stores none.
    pub fn busy_for(&self, time: Duration) {
        let until = micros(self.lab.now().saturating_add(time));
        self.act("is busy", |_| ());
        self.rules(|rules| rules.busy_until_us = until);
    }

    /// Takes back what [`next_sends`](Self::next_sends), [`random_sends`](Self::random_sends),
    /// [`busy_for`](Self::busy_for) and [`set_send_policy`](Self::set_send_policy) have said.
    pub fn clear_send_faults(&self) {
        let old = self.rules(|rules| {
            rules.scripted.clear();
            rules.at_random.clear();
            rules.busy_until_us = 0;
            rules.policy.take()
        });
        drop(old);
    }

    /// Lets the test decide about each send that nothing else is said about. The policy must not use the lab.
    pub fn set_send_policy(&self, policy: impl SendPolicy + 'static) {
        let old = self.rules(|rules| rules.policy.replace(Box::new(policy)));
        drop(old);
    }

    /// The settings of the broker, to be changed: disk full, largest body, permission, ...
    ///
    /// # Panics
    /// `change` uses the lab.
    pub fn settings<T>(&self, change: impl FnOnce(&mut BrokerSettings) -> T) -> T {
        self.lab.with_cluster(|cluster, _| match cluster.broker_mut(self.index) {
            Some(broker) => change(broker.settings_mut()),
            None => unknown(self.index),
        })
    }

    /// Sets the permission of the broker (`brokerPermission`), as routes show it: 2 write, 4 read, 6 both.
    pub fn set_permission(&self, permission: i32) {
        self.act(&format!("has permission {permission}"), |state| {
            state.cluster.set_broker_permission(state.server_ms(), self.index, permission);
        });
    }

    /// The messages that it has stored under a topic, in the order of its commit log.
    #[must_use]
    pub fn stored(&self, topic: &str) -> Vec<StoredMessage> {
        self.lab.with_cluster(|cluster, _| {
            cluster.brokers().get(self.index).map(|broker| broker.stored(topic)).unwrap_or_default()
        })
    }

    /// The client ids in a producer group, one for each connection.
    #[must_use]
    pub fn producers(&self, group: &str) -> Vec<String> {
        self.lab.with_cluster(|cluster, _| {
            cluster.brokers().get(self.index).map(|broker| broker.producers(group)).unwrap_or_default()
        })
    }

    fn rules<T>(&self, change: impl FnOnce(&mut SendRules) -> T) -> T {
        self.lab.shared.enter(|state| match state.send_rules.get(self.index) {
            Some(rules) => change(&mut lock(rules)),
            None => unknown(self.index),
        })
    }
}

fn unknown(index: usize) -> ! {
    panic!("there is no broker {index} in this lab")
}
