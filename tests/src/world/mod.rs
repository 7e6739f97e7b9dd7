//! The world of the simulation: the real client core against the simulated cluster, over a simulated network, under
//! simulated time. One seed decides everything, nothing sleeps, and a run is the same every time.
//!
//! A heap of events keyed by time and sequence drives everything. After every event the invariants are checked (see
//! the names in [`World::report`]); the first one that breaks ends the run with the seed and the story so far.

mod book;
mod commands;
mod control;
mod driver;
mod faults;
mod network;
mod orders;
mod pipe;
mod random;
mod reached;
mod record;
mod routes;
mod settings;
mod story;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rocketmq_core::client::{Action, Answer, Client, ClientConfig, CloseReason, CommandId, ConnId};
use rocketmq_core::ground::{Instant, Now, Rng};

use crate::cluster::{Cluster, ClusterConfig, Frame, ServerId};
use book::Book;
use orders::SendRecord;
pub use orders::{Order, SendHandle, SimProducer, Ticket, Verdict};
use pipe::Pipe;
pub use random::{SeedOutcome, run_seed};
pub use reached::Reached;
use record::Recorded;
use routes::RouteBook;
pub use settings::{Connects, Network, Tamper};
use story::{Story, TraceHash};

/// Wall time at the start of every run, in milliseconds since 1970: 30 November 2024, 23:59:30 UTC, so that the month
/// ends soon.
const START_MS: u64 = 1_733_011_170_000;

/// Names one connection of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipeId(pub(crate) u64);

type Call = Box<dyn FnOnce(&mut World)>;
type AnswerHook = Box<dyn FnMut(ServerId, &Frame) -> Tamper>;

enum Event {
    /// The timer of a client; a stale token means that it was armed anew.
    Tick {
        client: usize,
        token: u64,
    },
    Actions {
        client: usize,
    },
    ConnectDone(PipeId),
    Write(PipeId),
    Wrote(PipeId),
    Up(PipeId, Vec<u8>),
    UpEnd(PipeId),
    Down(PipeId, Vec<u8>),
    DownEnd(PipeId, CloseReason),
    Read(PipeId),
    Call(Call),
}

/// One client and its driver.
struct SimClient {
    core: Client,
    config: ClientConfig,
    started: Now,
    inputs: Vec<(Now, Recorded)>,
    actions_hash: TraceHash,
    actions: usize,
    timer_token: u64,
    armed_for: Option<Instant>,
    actions_planned: bool,
    next_command: u64,
    /// Open producers and those that close.
    groups: usize,
    /// The answer to a shutdown was given.
    over: bool,
}

/// The whole world.
pub struct World {
    seed: u64,
    rng: Rng,
    now_us: u64,
    wall_jump_ms: i64,
    sequence: u64,
    events: BTreeMap<(u64, u64), Event>,
    cluster: Cluster,
    cluster_ticked_at: Option<u64>,
    network: Network,
    /// How late things may have happened at the worst so far.
    slack_us: u64,
    connects: BTreeMap<ServerId, Connects>,
    tamper: Option<AnswerHook>,
    clients: Vec<SimClient>,
    pipes: BTreeMap<PipeId, Pipe>,
    by_conn: BTreeMap<(usize, ConnId), PipeId>,
    next_pipe: u64,
    sends: Vec<SendRecord>,
    by_command: BTreeMap<(usize, CommandId), usize>,
    answers: BTreeMap<(usize, CommandId), Answer>,
    /// Commands without answer.
    pending: BTreeSet<(usize, CommandId)>,
    /// When each of them must be answered at the latest.
    due: BTreeSet<(u64, usize, CommandId)>,
    due_of: BTreeMap<(usize, CommandId), u64>,
    routes: RouteBook,
    book: Book,
    story: Story,
    hash: TraceHash,
    broken: Vec<String>,
    shutdowns: BTreeSet<(usize, CommandId)>,
    withdrawn: BTreeSet<(usize, CommandId)>,
    records: bool,
    reached: Reached,
}

impl World {
    /// A cluster and one client (number 0) with the given changes to its configuration.
    ///
    /// # Panics
    /// When the configuration is refused.
    pub fn new(seed: u64, cluster: ClusterConfig, tweak: impl FnOnce(&mut ClientConfig)) -> World {
        let mut world = World {
            seed,
            rng: Rng::new(seed).fork("world"),
            now_us: 0,
            wall_jump_ms: 0,
            sequence: 0,
            events: BTreeMap::new(),
            cluster: Cluster::new(cluster, START_MS),
            cluster_ticked_at: None,
            network: Network::default(),
            slack_us: 1,
            connects: BTreeMap::new(),
            tamper: None,
            clients: Vec::new(),
            pipes: BTreeMap::new(),
            by_conn: BTreeMap::new(),
            next_pipe: 0,
            sends: Vec::new(),
            by_command: BTreeMap::new(),
            answers: BTreeMap::new(),
            pending: BTreeSet::new(),
            due: BTreeSet::new(),
            due_of: BTreeMap::new(),
            routes: RouteBook::default(),
            book: Book::default(),
            story: Story::default(),
            hash: TraceHash::default(),
            broken: Vec::new(),
            shutdowns: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            records: true,
            reached: Reached::default(),
        };
        world.add_client(tweak);
        world
    }

    /// Adds a client; returns its number.
    ///
    /// # Panics
    /// When the configuration is refused.
    pub fn add_client(&mut self, tweak: impl FnOnce(&mut ClientConfig)) -> usize {
        let number = self.clients.len();
        let servers = self.cluster.name_server_addr();
        let servers = servers.parse().expect("addresses of the simulated cluster");
        let mut config = ClientConfig::new(servers, self.seed.wrapping_mul(97).wrapping_add(number as u64));
        config.identity.pid = 4_711;
        tweak(&mut config);
        let started = self.now();
        let core = Client::new(config.clone(), started).expect("a configuration that can work");
        self.clients.push(SimClient {
            core,
            config,
            started,
            inputs: Vec::new(),
            actions_hash: TraceHash::default(),
            actions: 0,
            timer_token: 0,
            armed_for: None,
            actions_planned: false,
            next_command: 0,
            groups: 0,
            over: false,
        });
        number
    }

    /// The clocks, as clients see them.
    pub fn now(&self) -> Now {
        let wall = (START_MS + self.now_us / 1_000).cast_signed();
        Now { mono: Instant::from_micros(self.now_us), unix_ms: wall.saturating_add(self.wall_jump_ms) }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(self.now_us)
    }

    fn server_ms(&self) -> u64 {
        START_MS + self.now_us / 1_000
    }

    fn plan(&mut self, at_us: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((at_us.max(self.now_us), self.sequence), event);
    }

    fn chance(&mut self, of_1000: u64) -> bool {
        of_1000 > 0 && self.rng.below(1_000) < of_1000
    }

    fn up_to(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { self.rng.below(most + 1) }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        let limit = self.now_us.saturating_add(micros(time));
        while self.step(limit) {}
    }

    /// Lets time pass until something is so; false when it was not within `most`.
    pub fn run_until(&mut self, most: Duration, mut is_so: impl FnMut(&World) -> bool) -> bool {
        let limit = self.now_us.saturating_add(micros(most));
        loop {
            if is_so(self) {
                return true;
            }
            if !self.step(limit) {
                return is_so(self);
            }
        }
    }

    /// One event; false, with the clock at `limit`, when none is left until then.
    fn step(&mut self, limit: u64) -> bool {
        let event_at = self.events.first_key_value().map(|((at, _), _)| *at);
        let cluster_at = self.cluster_due();
        let at = match (event_at, cluster_at) {
            (Some(event), Some(cluster)) => event.min(cluster),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => u64::MAX,
        };
        if at > limit {
            self.now_us = self.now_us.max(limit);
            self.check();
            return false;
        }
        self.now_us = at;
        if cluster_at.is_some_and(|cluster| event_at.is_none_or(|event| cluster <= event)) {
            self.cluster_ticked_at = Some(at);
            self.cluster.on_tick(self.server_ms());
            self.collect_cluster();
        } else if let Some((_, event)) = self.events.pop_first() {
            self.happen(event);
        }
        self.check();
        true
    }

    fn cluster_due(&self) -> Option<u64> {
        let at_us = (self.cluster.next_deadline()?.saturating_sub(START_MS)).saturating_mul(1_000);
        // A server that has nothing to do although it is time does not stop the clock.
        let least = self.cluster_ticked_at.map_or(0, |at| at + 1_000);
        Some(at_us.max(self.now_us).max(least))
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick { client, token } => self.timer(client, token),
            Event::Actions { client } => {
                self.clients[client].actions_planned = false;
                self.take_actions(client);
            }
            Event::ConnectDone(pipe) => self.connect_done(pipe),
            Event::Write(pipe) => self.write(pipe),
            Event::Wrote(pipe) => self.report_written(pipe),
            Event::Up(pipe, bytes) => self.arrive_up(pipe, &bytes),
            Event::UpEnd(pipe) => self.end_up(pipe),
            Event::Down(pipe, bytes) => self.arrive_down(pipe, &bytes),
            Event::DownEnd(pipe, why) => self.end_down(pipe, why),
            Event::Read(pipe) => self.read(pipe),
            Event::Call(call) => call(self),
        }
    }

    fn fail(&mut self, invariant: &str, text: String) {
        self.broken.push(format!("{invariant}: {text}"));
    }

    /// Checks what must hold after every event, and ends the run when something does not.
    fn check(&mut self) {
        if let Some((due, client, id)) = self.due.first().copied()
            && due < self.now_us
        {
            let late = self.now_us - due;
            self.fail(
                "I7 deadlines",
                format!("client {client}, {id:?} has no answer {late} µs after its deadline"),
            );
        }
        assert!(self.broken.is_empty(), "{}", self.report());
    }

    /// What broke, with the seed and the story so far.
    pub fn report(&self) -> String {
        format!("seed {}\n{}\n{}", self.seed, self.transcript(), self.broken.join("\n"))
    }

    /// The story so far, with simulated times.
    pub fn transcript(&self) -> String {
        self.story.text()
    }

    /// Keeps no story and no recording: faster.
    pub fn be_silent(&mut self) {
        self.story.silent = true;
    }

    /// Keeps no recording of the inputs: faster, and [`World::check_replay`] checks nothing.
    pub fn record_nothing(&mut self) {
        self.records = false;
    }

    /// Hash over all inputs and actions of all clients so far (I9).
    pub fn trace_hash(&self) -> u64 {
        self.hash.value()
    }

    /// The client's core, to be asked.
    pub fn core(&self, client: usize) -> &Client {
        &self.clients[client].core
    }

    /// Checks what must hold in the end: one verdict per command, verdicts and logs agree, actions do not depend on
    /// when they are taken.
    ///
    /// # Panics
    /// With the report, when something does not hold.
    pub fn finish(&mut self) {
        self.check_book();
        for (client, id) in self.pending.clone() {
            self.fail("I1 one verdict", format!("client {client}, {id:?} was never answered"));
        }
        self.check_replay();
        self.check();
    }

    /// Gives the same inputs to a new client whose actions are taken in the end only: they must be the same.
    ///
    /// # Panics
    /// With the report, when they are not.
    pub fn check_replay(&mut self) {
        if !self.records {
            return;
        }
        for client in 0..self.clients.len() {
            while let Some(action) = self.clients[client].core.poll_action() {
                self.note_action(client, &action);
            }
            let it = &self.clients[client];
            let again = record::replay(&it.config, it.started, &it.inputs);
            let first = (it.actions_hash.value(), it.actions);
            if again != Some(first) {
                self.fail(
                    "I9 determinism",
                    format!("client {client}: actions {first:?}, all taken in the end {again:?}"),
                );
            }
        }
        self.check();
    }

    fn note_action(&mut self, client: usize, action: &Action) {
        self.hash.add(action);
        let it = &mut self.clients[client];
        it.actions_hash.add(action);
        it.actions += 1;
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
