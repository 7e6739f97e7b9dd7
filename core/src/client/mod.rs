//! Floor 9: the client. Knows all floors: every input enters here, and here alone answers find their floor.

mod administer;
mod commands;
mod discovery;
mod dispatch;
mod hooks;
mod inbound;
mod owned_input;
mod purpose;
#[cfg(test)]
mod tests;

pub use crate::interface::{
    Action, Answer, BrokerView, CheckId, ClientConfig, CloseReason, ClusterView, Command, CommandId,
    ConfigError, ConnId, ConnectionState, ConnectionView, Counters, EndErrorKind, EndTransactionError,
    EndVerdict, FaultDetector, HalfMessage, Identity, Input, LatencyFault, Limits, LocalTransactionState,
    LostReason, MemoryUse, Millis, Notice, ProducerId, ProducerView, RunningInfo, Send, SendMode,
    ServiceState, Stray, Timing, TopicView, TransactionCheck, TransactionEnd, Zone,
};
pub use owned_input::OwnedInput;

use crate::admin::Admin;
use crate::cluster::Cluster;
use crate::command::{LanguageCode, version};
use crate::ground::names::{ClientId, TopicName};
use crate::ground::{Instant, Now, Rng};
use crate::heartbeat::{self, Heartbeat};
use crate::interface::{Hooks, Undelivered};
use crate::message::UniqueKey;
use crate::net::{LinkState, Net, conn_key};
use crate::producer::{Context, Producers};
use crate::wire::{SerializeType, WireLimits};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;
use hooks::RpcHooks;
use purpose::Purpose;

/// A RocketMQ client as a pure state machine.
///
/// Everything that happens is given to [`handle`](Self::handle) with the time at which it happened;
/// everything to be done comes out of [`poll_action`](Self::poll_action). Any number of inputs may come
/// before actions are taken: that changes none of them. The same configuration and the same inputs give
/// the same actions, bit for bit.
///
/// ```
/// use rocketmq_core::client::{Action, Client, ClientConfig, Command, CommandId, Input};
/// use rocketmq_core::ground::Now;
/// use rocketmq_core::producer::ProducerConfig;
///
/// let config = ClientConfig::new("127.0.0.1:9876".parse()?, 7);
/// let mut client = Client::new(config, Now::default())?;
/// let command = Command::OpenProducer { config: Box::new(ProducerConfig::new("orders".parse()?)) };
/// client.handle(Now::default(), Input::Command { id: CommandId(1), command });
/// let first = core::iter::from_fn(|| client.poll_action()).find(|a| matches!(a, Action::Answer { .. }));
/// assert!(matches!(first, Some(Action::Answer { id: CommandId(1), .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client {
    now: Now,
    started: Instant,
    state: ServiceState,
    client_id: ClientId,
    wire: WireLimits,
    serialize: SerializeType,
    language: LanguageCode,
    net: Net<Purpose>,
    cluster: Cluster,
    heartbeat: Heartbeat,
    producers: Producers,
    admin: Admin,
    actions: VecDeque<Action>,
    counters: Counters,
    shutdown: Shutdown,
    /// None without RPC hooks.
    rpc: Option<Box<RpcHooks>>,
    /// The deadline that the last `SetTimer` told of.
    told_deadline: Instant,
}

/// Who waits for the end of the client, and what they will get.
#[derive(Debug, Default)]
struct Shutdown {
    ids: Vec<CommandId>,
    undelivered: Vec<Undelivered>,
}

impl Client {
    /// A client that has not done anything yet.
    ///
    /// # Errors
    /// A setting that cannot work, by its name.
    pub fn new(config: ClientConfig, now: Now) -> Result<Self, ConfigError> {
        Self::with_hooks(config, Hooks::default(), now)
    }

    /// As [`new`](Self::new), with hooks. A hook that panics takes this client with it: drivers hand in hooks that do not.
    ///
    /// # Errors
    /// A setting that cannot work, by its name.
    pub fn with_hooks(config: ClientConfig, hooks: Hooks, now: Now) -> Result<Self, ConfigError> {
        config.check()?;
        let Hooks { rpc, interceptors, forbidden } = hooks;
        let client_id = config.client_id()?;
        let naming = config.naming()?;
        let rng = Rng::new(config.seed);
        let heartbeat = Heartbeat::new(&config, client_id.clone(), &naming, rng.fork("heartbeat"));
        let mut net = Net::new(config.timing.clone(), &config.limits, rng.fork("net"));
        if !rpc.is_empty() {
            net.watch_requests();
        }
        let mut producers = Producers::new(&config, client_id.clone(), &naming, &rng);
        producers.set_hooks(interceptors, forbidden);
        Ok(Self {
            now,
            started: now.mono,
            state: ServiceState::CreateJust,
            wire: config.limits.wire(),
            serialize: config.serialize_type,
            language: config.language,
            net,
            cluster: Cluster::new(&config, &naming, now.mono, &rng),
            heartbeat,
            producers,
            admin: Admin::new(&config, naming, &rng),
            client_id,
            actions: VecDeque::new(),
            counters: Counters::default(),
            shutdown: Shutdown::default(),
            rpc: RpcHooks::new(rpc),
            told_deadline: Instant::NEVER,
        })
    }

    /// Takes in one thing that happened. The only way in which anything changes. Time that goes back counts
    /// as standing still.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        self.now = Now { mono: now.mono.max(self.now.mono), unix_ms: now.unix_ms };
        if self.state == ServiceState::CreateJust {
            self.state = ServiceState::Running;
        }
        match input {
            Input::Command { id, command } if self.producers.has_hooks() => {
                self.intercepted_command(id, command);
            }
            Input::Command { id, command } => self.command(id, command),
            _ if self.state == ServiceState::ShutdownAlready => return,
            Input::Connected { conn } => {
                let Self { net, counters, actions, .. } = self;
                net.connected(self.now.mono, conn_key(conn), counters, actions);
            }
            Input::Received { conn, bytes } => self.received(conn_key(conn), bytes),
            Input::Wrote { conn, count } => {
                self.net.wrote(self.now.mono, conn_key(conn), count, &mut self.actions);
            }
            Input::Closed { conn, why } => {
                let Self { net, counters, actions, .. } = self;
                net.closed(self.now.mono, conn_key(conn), why.into(), counters, actions);
            }
            Input::Tick => {}
        }
        if self.state == ServiceState::ShutdownAlready {
            return;
        }
        let deadline = self.settle();
        self.tell_deadline(deadline);
    }

    /// The next thing to do, in order.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When a `Tick` is wanted at the latest. After a `Tick` it is later than the time given with it.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let next = self.next_deadline();
        (next != Instant::NEVER).then_some(next)
    }

    /// As [`deadline`](Self::deadline); [`Instant::NEVER`] when there is none.
    fn next_deadline(&self) -> Instant {
        if self.state == ServiceState::ShutdownAlready {
            return Instant::NEVER;
        }
        let (net, cluster) = (self.net.deadline(), self.cluster.deadline());
        let others = self.producers.deadline().min(self.admin.deadline());
        net.min(cluster).min(self.heartbeat.deadline()).min(others)
    }

    /// Hands out the bytes for a connection, from the first that no `Wrote` has reported; at most about
    /// 256 KiB a call. The chunks are shared, not copied. Changes nothing that can be observed.
    pub fn outbox(&mut self, conn: ConnId, into: &mut Vec<Bytes>) {
        self.net.outbox(conn, into);
    }

    /// True when a message of that weight would be taken on at once, overtaking nobody.
    #[must_use]
    pub fn room_for(&self, producer: ProducerId, topic: &TopicName, weight: usize) -> bool {
        self.state == ServiceState::Running
            && self.producers.has_room(producer, self.cluster.find_topic(topic), weight)
    }

    /// The client's state.
    #[must_use]
    pub fn service_state(&self) -> ServiceState {
        self.state
    }

    /// The id under which brokers know this client.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// What happened so far, in numbers.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters { route_queries: self.cluster.queries, ..self.counters }
    }

    /// How often brokers have asked about a transaction of which this client knows how it ended, or that it may have.
    #[must_use]
    pub fn transaction_checks_of(&self, producer: ProducerId, transaction: UniqueKey) -> u32 {
        self.producers.checks_of(producer, transaction)
    }

    /// Memory that grows with work, in numbers.
    #[must_use]
    pub fn memory(&self) -> MemoryUse {
        let (messages, message_bytes, waiting_callers) = self.producers.memory();
        let (requests, outbox_bytes, in_frames) = self.net.memory();
        let inbox_bytes = in_frames + self.cluster.discovery_held();
        let (transaction_checks, ended_transactions) = self.producers.transaction_memory();
        let (trace_records, trace_bytes) = self.producers.trace_memory();
        MemoryUse {
            messages,
            message_bytes,
            waiting_callers,
            outbox_bytes,
            inbox_bytes,
            requests,
            transaction_checks,
            ended_transactions,
            trace_records,
            trace_bytes,
        }
    }

    /// True until a producer is closed.
    #[must_use]
    pub fn has_producer(&self, producer: ProducerId) -> bool {
        self.producers.has(producer)
    }

    /// Changes whenever [`view`](Self::view) may show something new.
    #[must_use]
    pub fn view_version(&self) -> u64 {
        let state = self.state as u64;
        self.net.version.wrapping_add(self.cluster.version).wrapping_add(state)
    }

    /// What the client knows of its cluster just now.
    #[must_use]
    pub fn view(&self) -> ClusterView {
        ClusterView {
            service_state: self.state,
            client_id: self.client_id.clone(),
            name_server: self.cluster.name_server().cloned(),
            name_servers: self.cluster.name_servers().cloned().collect(),
            connections: self.connections(),
            brokers: self.cluster.brokers_view(),
            topics: self.cluster.topics_view(),
        }
    }

    /// How the client fares: all that an observer can ask, with a text for people.
    #[must_use]
    #[doc(alias = "consumerRunningInfo")]
    pub fn running_info(&self, now: Now) -> RunningInfo {
        let topic_name = |key| self.cluster.topic(key).map(|topic| topic.name.clone());
        RunningInfo {
            uptime: now.mono.max(self.now.mono).since(self.started),
            library_version: env!("CARGO_PKG_VERSION"),
            protocol_version: version::CURRENT,
            language: self.language,
            serialize_type: self.serialize,
            cluster: self.view(),
            producers: self.producers.view(topic_name).collect(),
            counters: self.counters(),
            memory: self.memory(),
        }
    }

    fn connections(&self) -> Vec<ConnectionView> {
        let of_links = self.net.links().map(|(_, link)| {
            let conn = link.conn().and_then(|conn| self.net.connection(conn));
            let state = match (link.state, conn) {
                (LinkState::Connecting { .. }, _) => ConnectionState::Connecting,
                (LinkState::Up { .. }, Some(conn)) if conn.is_silent() => ConnectionState::Silent,
                (LinkState::Up { .. }, Some(_)) => ConnectionState::Up,
                _ => ConnectionState::Down,
            };
            let requests = conn.map_or(0, |conn| conn.in_flight.len());
            ConnectionView { endpoint: link.endpoint.clone(), state, requests }
        });
        // A link has moved on when its old connection drains.
        let draining = self.net.draining().map(|(endpoint, conn)| ConnectionView {
            endpoint: endpoint.clone(),
            state: ConnectionState::Draining,
            requests: conn.in_flight.len(),
        });
        of_links.chain(draining).collect()
    }

    /// The producer floor with what it needs of the others.
    fn producing(&mut self) -> (&mut Producers, Context<'_, Purpose>) {
        let Self { now, net, cluster, actions, counters, producers, .. } = self;
        (producers, Context { now: *now, net, cluster, actions, counters })
    }

    /// The heartbeat floor with what it needs of the others.
    fn greeting(&mut self) -> (&mut Heartbeat, heartbeat::Context<'_, Purpose>) {
        let Self { now, net, cluster, actions, counters, heartbeat, .. } = self;
        (heartbeat, heartbeat::Context { now: now.mono, net, cluster, actions, counters })
    }

    /// Reminds the driver when the deadline has moved earlier.
    fn tell_deadline(&mut self, deadline: Instant) {
        if deadline < self.told_deadline {
            self.actions.push_back(Action::SetTimer { at: deadline });
        }
        self.told_deadline = deadline;
    }
}
