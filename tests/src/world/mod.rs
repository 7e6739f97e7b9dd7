//! The world of the simulation: the real client core against the simulated cluster, over a simulated network, under
//! simulated time. One seed decides everything, nothing sleeps, and a run is the same every time.
//!
//! A heap of events keyed by time and sequence drives everything. The invariants (see [`Invariant`]) are checked as soon as
//! they can break: after every event, input, frame or verdict, some of them in the end as well. The first one that breaks
//! ends the run with the seed and the story so far.

mod answers;
mod arrivals;
mod book;
mod commands;
mod control;
mod driver;
mod ends;
mod events;
mod heartbeats;
mod held;
mod hooks;
mod invariants;
mod ledger;
mod message_trace;
mod mishaps;
mod model;
mod mutant;
mod mutant_answer;
mod mutant_table;
mod mutant_wire;
mod names;
mod network;
mod orders;
mod pipe;
pub mod plan;
mod reached;
mod rerun;
mod routes;
mod servers;
mod settings;
mod story;
#[cfg(test)]
mod tests;
mod torture;
mod trace;
mod transactions;
mod turns;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rocketmq_core::client::{Answer, Client, ClientConfig, CloseReason, CommandId, ConnId, OwnedInput};
use rocketmq_core::ground::{Instant, Now, Rng};

use crate::cluster::{ClusterConfig, Frame, ServerId};
use answers::AnswerRules;
pub use answers::{AnswerChange, AnswerRule, AnswersOf, BinaryFlaw, FieldFlaw, JsonFlaw, RouteLie};
use book::Book;
use ends::EndBook;
use events::Events;
use held::Held;
use hooks::HookBook;
pub use hooks::HookRules;
pub use invariants::{Broken, Checked, Invariant};
use ledger::Ledger;
use message_trace::TraceBook;
pub use mutant::Mutant;
use mutant::Mutation;
pub use mutant_table::{MutantRow, mutant_table, print_mutants};
use orders::SendRecord;
pub use orders::{Order, SendHandle, SimProducer, Ticket, Verdict};
use pipe::Pipe;
pub use reached::Reached;
use routes::RouteBook;
use servers::Servers;
pub use settings::{Connects, Network, Tamper};
use story::Story;
use torture::Torture;
pub use torture::{Step, StepFailure};
use trace::TraceHash;
use transactions::Halves;
pub use transactions::LocalTransaction;

/// Wall time at the start of every run, in milliseconds since 1970: 30 November 2024, 23:59:30 UTC, so that the month
/// ends soon.
const START_MS: u64 = 1_733_011_170_000;

/// Names one connection of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipeId(pub(crate) u64);

type Call = Box<dyn FnOnce(&mut World)>;
type AnswerHook = Box<dyn FnMut(ServerId, &Frame) -> Tamper>;

enum Event {
    /// A tick that nobody asked for.
    Tick {
        client: usize,
    },
    Actions {
        client: usize,
    },
    ConnectDone(PipeId),
    Write(PipeId),
    Wrote(PipeId),
    Up(PipeId, Bytes),
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
    inputs: Vec<(Now, OwnedInput)>,
    actions_hash: TraceHash,
    actions: usize,
    /// Of the bytes of each report of what a socket took, if the world records.
    written: Vec<u64>,
    armed_for: Option<Instant>,
    /// When the timer goes off, and its place among the events of that time.
    timer: Option<(u64, u64)>,
    actions_planned: bool,
    held: Held,
    hooks: Option<Arc<HookBook>>,
    next_command: u64,
    /// The answer to a shutdown was given.
    over: bool,
}

/// The whole world.
pub struct World {
    seed: u64,
    rng: Rng,
    now_us: u64,
    wall_jump_ms: i64,
    events: Events<Event>,
    happened: u64,
    cluster: Servers,
    cluster_ticked_at: Option<u64>,
    network: Network,
    /// How late things may have happened at the worst so far.
    slack_us: u64,
    connects: BTreeMap<ServerId, Connects>,
    tamper: Option<AnswerHook>,
    rules: AnswerRules,
    /// The processes of all clients stand still until then.
    frozen_until: u64,
    /// When that began.
    frozen_from: u64,
    /// Some socket has not taken everything at once.
    sockets_lag: bool,
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
    ledger: Ledger,
    halves: Halves,
    ends: EndBook,
    traces: TraceBook,
    mutation: Option<Box<Mutation>>,
    hook_rules: Option<HookRules>,
    /// Brokers listen on their second port, too.
    pub(crate) vip_is_open: bool,
    story: Story,
    torture: Torture,
    hash: TraceHash,
    broken: Vec<Broken>,
    checked: Checked,
    lenient: bool,
    shutdowns: BTreeSet<(usize, CommandId)>,
    /// Closes of producers: as shutdowns, they wait for brokers after their deadline.
    closes: BTreeSet<(usize, CommandId)>,
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
            events: Events::default(),
            happened: 0,
            cluster: Servers::new(cluster, START_MS),
            cluster_ticked_at: None,
            network: Network::default(),
            slack_us: 1,
            connects: BTreeMap::new(),
            tamper: None,
            rules: AnswerRules::default(),
            frozen_until: 0,
            frozen_from: 0,
            sockets_lag: false,
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
            ledger: Ledger::default(),
            halves: Halves::default(),
            ends: EndBook::default(),
            traces: TraceBook::default(),
            mutation: None,
            hook_rules: None,
            vip_is_open: false,
            story: Story::default(),
            torture: Torture::default(),
            hash: TraceHash::default(),
            broken: Vec::new(),
            checked: Checked::default(),
            lenient: false,
            shutdowns: BTreeSet::new(),
            closes: BTreeSet::new(),
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
        let hooks = self.hook_book();
        let core = hooks::client(self.core_config(&config), hooks.as_ref(), started);
        self.clients.push(SimClient {
            core,
            config,
            started,
            inputs: Vec::new(),
            actions_hash: TraceHash::default(),
            actions: 0,
            written: Vec::new(),
            armed_for: None,
            timer: None,
            actions_planned: false,
            held: Held::default(),
            hooks,
            next_command: 0,
            over: false,
        });
        number
    }

    /// The clocks, as clients see them.
    pub fn now(&self) -> Now {
        let wall = (START_MS + self.now_us / 1_000).cast_signed();
        let mono = self.now_us - self.now_us % self.network.clock_step_us.max(1);
        Now { mono: Instant::from_micros(mono), unix_ms: wall.saturating_add(self.wall_jump_ms) }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(self.now_us)
    }

    fn server_ms(&self) -> u64 {
        START_MS + self.now_us / 1_000
    }

    fn plan(&mut self, at_us: u64, event: Event) {
        self.events.plan(at_us.max(self.now_us), event);
    }

    fn chance(&mut self, of_1000: u64) -> bool {
        of_1000 > 0 && self.rng.below(1_000) < of_1000
    }

    fn up_to(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { self.rng.below(most + 1) }
    }

    /// How many events have happened so far: what a run costs, in a measure that is the same on every machine.
    pub fn events_so_far(&self) -> u64 {
        self.happened
    }

    /// The client's core, to be asked.
    pub fn core(&self, client: usize) -> &Client {
        &self.clients[client].core
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
