//! A broker: heartbeats, topics, sends, the message log and its queries.

mod admin;
mod batch;
mod checks;
mod clients;
mod configure;
mod control;
mod delay;
mod heartbeat;
mod heartbeat_body;
mod log;
mod policy;
mod query;
mod send;
mod send_checks;
mod send_header;
mod settings;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use checks::OpenHalves;
use clients::Clients;
use delay::Delayed;
use log::MessageLog;
pub(crate) use log::StoredBrief;
pub use log::StoredMessage;
use policy::{Reply, ScriptedAnswers};
pub use policy::{SendAttempt, SendDecision, SendPolicy};
pub use settings::{BrokerConfig, BrokerSettings};

use super::registry::Registration;
use super::topic::{PERM_READ, PERM_WRITE, TopicConfig, TopicTable};
use super::transport::{Answer, Held, Transport};
use super::{ConnKey, Dialect, Frame, ServerAction};

/// How often a broker registers with the name servers, in milliseconds.
const REGISTRATION_MS: u64 = 30_000;
/// How often brokers ask about half messages (`transactionCheckInterval`), in milliseconds.
const CHECK_INTERVAL_V5_MS: u64 = 30_000;
const CHECK_INTERVAL_V4_MS: u64 = 60_000;
/// Requests of a newer version than this (5.3.1) are told to go away by a server that is shutting down.
const GO_AWAY_ABOVE_VERSION: i32 = 475;

/// A broker as a state machine.
pub struct Broker {
    config: BrokerConfig,
    settings: BrokerSettings,
    transport: Transport,
    clients: Clients,
    topics: TopicTable,
    /// Consumer groups that the broker has settings of.
    groups: BTreeSet<String>,
    log: MessageLog,
    delayed: Delayed,
    halves: OpenHalves,
    scripted: Option<ScriptedAnswers>,
    policy: Option<Box<dyn SendPolicy>>,
    sends: u64,
    random: u64,
    unregistered_changes: bool,
    /// What was registered last; as long as nothing changes, the same is registered again.
    registered: Arc<BTreeMap<String, TopicConfig>>,
    registration_due: u64,
}

impl Broker {
    /// A broker that starts for the first time, at this time.
    pub fn new(config: BrokerConfig, now_ms: u64) -> Broker {
        let queues = i32::try_from(config.default_queues).unwrap_or(i32::MAX);
        let (dialect, auto) = (config.dialect, config.auto_create_topics);
        let topics = TopicTable::new(dialect, &config.cluster, &config.name, queues, auto);
        let interval = if dialect.is_v5() { CHECK_INTERVAL_V5_MS } else { CHECK_INTERVAL_V4_MS };
        Broker {
            settings: BrokerSettings {
                auto_create_topics: auto,
                transaction_check_interval_ms: interval,
                ..BrokerSettings::default()
            },
            transport: Transport::new(dialect),
            clients: Clients::new(dialect, now_ms),
            topics,
            groups: BTreeSet::new(),
            log: MessageLog::new(config.address),
            delayed: Delayed::default(),
            halves: OpenHalves::new(now_ms, interval),
            scripted: None,
            policy: None,
            sends: 0,
            random: config.seed,
            unregistered_changes: true,
            registered: Arc::default(),
            registration_due: now_ms,
            config,
        }
    }

    /// A client has connected. A broker that is down closes the connection at once.
    pub fn on_connect(&mut self, now_ms: u64, conn: ConnKey, peer: SocketAddr) {
        if !self.transport.hold(|| Held::Connect(conn, peer)) {
            self.transport.connect(now_ms, conn, peer);
        }
    }

    /// Bytes have arrived on a connection.
    pub fn on_bytes(&mut self, now_ms: u64, conn: ConnKey, bytes: &[u8]) {
        if self.transport.hold(|| Held::Bytes(conn, bytes.to_vec())) {
            return;
        }
        self.transport.receive(now_ms, conn, bytes);
        loop {
            match self.transport.next_request(conn) {
                Ok(Some(request)) => self.process(now_ms, conn, &request),
                Ok(None) => return,
                Err(_) => return self.forget_client(now_ms, conn),
            }
        }
    }

    /// The client has closed the connection.
    pub fn on_close(&mut self, now_ms: u64, conn: ConnKey) {
        if !self.transport.hold(|| Held::Close(conn)) {
            self.transport.forget(conn);
            self.forget_client(now_ms, conn);
        }
    }

    /// Time has passed: answers that are due are sent, idle and silent connections closed, delayed messages delivered.
    pub fn on_tick(&mut self, now_ms: u64) {
        if self.transport.is_paused() {
            return;
        }
        for conn in self.transport.tick(now_ms) {
            self.forget_client(now_ms, conn);
        }
        for conn in self.clients.scan(now_ms) {
            self.transport.close(conn);
            self.forget_client(now_ms, conn);
        }
        if self.transport.is_up() {
            for message in self.delayed.take_due(now_ms) {
                self.log.append(now_ms, message);
            }
            self.check_transactions(now_ms);
        }
    }

    /// When [`Broker::on_tick`] or [`Broker::take_registration`] has something to do; `None` while paused or down.
    pub fn next_deadline(&self) -> Option<u64> {
        if self.transport.is_paused() || !self.transport.is_up() {
            return None;
        }
        let others = [
            self.transport.next_deadline(),
            self.clients.next_deadline(),
            self.delayed.next_due(),
            self.halves.next_round(),
        ];
        others.into_iter().flatten().chain([self.registration_due]).min()
    }

    /// The next thing to do on a connection.
    pub fn poll_action(&mut self) -> Option<ServerAction> {
        self.transport.poll_action()
    }

    /// What every name server is to be told now: after a start, after a change of topics, and every 30 s.
    pub fn take_registration(&mut self, now_ms: u64) -> Option<Registration> {
        let due = self.unregistered_changes || now_ms >= self.registration_due;
        if !due || !self.transport.is_up() || self.transport.is_paused() {
            return None;
        }
        if std::mem::take(&mut self.unregistered_changes) {
            let topics = self.topics.iter().map(|topic| (topic.name.clone(), self.as_registered(topic)));
            self.registered = Arc::new(topics.collect());
        }
        self.registration_due = now_ms.saturating_add(REGISTRATION_MS);
        Some(Registration {
            cluster: self.config.cluster.clone(),
            broker_name: self.config.name.clone(),
            address: self.config.address,
            topics: Arc::clone(&self.registered),
        })
    }

    /// The broker's own permission limits what routes show; sends do not look at it.
    fn as_registered(&self, topic: &TopicConfig) -> TopicConfig {
        let both = PERM_READ | PERM_WRITE;
        let mut topic = topic.clone();
        if self.settings.permission & both != both {
            topic.permission &= self.settings.permission;
        }
        topic
    }

    fn process(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) {
        let answer = if self.goes_away(request) {
            Answer::refused(1500, "please go away")
        } else {
            match request.code {
                10 | 310 | 320 => return self.process_send(now_ms, conn, request),
                12 => self.query_message(request),
                17 => self.create_topic_on_request(request),
                25 => self.configure(request),
                29 => self.search_offset(request),
                30 => self.max_offset(request),
                31 => self.min_offset(request),
                32 => self.earliest_store_time(request),
                33 => self.view_message(request),
                34 => self.heartbeat(now_ms, conn, request),
                35 => self.unregister(now_ms, conn, request),
                37 => match self.end_transaction(now_ms, request) {
                    Some(answer) => answer,
                    None => return,
                },
                38 => self.clients.members(request),
                203 => self.clients.consumer_connections(&self.transport, request),
                204 => self.clients.producer_connections(&self.transport, request),
                215 => self.delete_topic(request),
                351 if self.dialect().is_v5() => self.topic_settings(request),
                370 if self.dialect().is_v5() => recall_is_off(),
                code => Answer::refused(3, format!(" request type {code} not supported")),
            }
        };
        self.transport.answer(now_ms, conn, request, answer);
    }

    fn goes_away(&self, request: &Frame) -> bool {
        self.settings.go_away && self.dialect().is_v5() && request.version > GO_AWAY_ABOVE_VERSION
    }

    fn process_send(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) {
        match self.send(now_ms, conn, request) {
            Reply::Now(answer) => self.transport.answer(now_ms, conn, request, answer),
            Reply::Twice(answer) => {
                self.transport.answer(now_ms, conn, request, answer.clone());
                self.transport.answer(now_ms, conn, request, answer);
            }
            Reply::At(due_ms, answer) => self.transport.answer_at(due_ms, conn, request, answer),
            Reply::Never => {}
        }
    }

    fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    /// The next number of the seeded sequence (splitmix64).
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// RECALL_MESSAGE 370 is off by default (`recallMessageEnable`).
fn recall_is_off() -> Answer {
    Answer::refused(16, "recall failed, operation is forbidden").ext("MSG_REGION", "DefaultRegion")
}
