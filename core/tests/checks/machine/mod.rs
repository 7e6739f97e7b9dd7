//! Sequences of operations on the client, drawn from a fuzzer's bytes, against servers that say anything; after each one
//! hold the invariants that can be seen from outside.
//!
//! Checked: one verdict for each command, no false receipt, no false certainty, copies within what the verdict counts,
//! bounded memory, no busy loop, deadlines, actions that do not depend on when they are taken, answers that reach their
//! own request only, a shutdown after which nothing moves, sends to offered queues only, whole frames, unique ids.

mod additions;
mod admin;
mod ops;
mod peer;
mod rerun;
mod servers;
mod sockets;
mod transactions;
mod verdicts;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use rocketmq_core::client::{
    Action, Client, ClientConfig, Command, CommandId, ConnId, FaultDetector, LatencyFault, OwnedInput,
    ProducerId, ServiceState,
};
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::wire::SerializeType;

use peer::{Peer, State, Told};
use rerun::{Actions, replay};
use transactions::Transactions;

/// Bounds the time of one input.
const MOST_OPERATIONS: usize = 300;

/// Actions that one input may cause besides those for each message, caller and connection.
const FEW_ACTIONS: usize = 64;

/// Choices that make a client and what happens to it.
pub(crate) fn check(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    let Ok(mut machine) = Machine::draw(&mut choices) else {
        return;
    };
    for _ in 0..MOST_OPERATIONS {
        if choices.is_empty() || machine.operation(&mut choices).is_err() {
            break;
        }
    }
    machine.finish();
}

/// One message that was handed in.
struct Sent {
    topic: &'static str,
    body_len: usize,
    one_way: bool,
    half: bool,
    /// Its unique id, once a request or a verdict showed it.
    key: Option<String>,
    attempts: Vec<usize>,
    verdict: Option<verdicts::Verdict>,
}

/// One request with a message that came in whole.
struct Attempt {
    told: Option<Told>,
    /// The queue it named.
    broker: String,
    queue: String,
}

/// What a command wants.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Room,
    /// The message with this number.
    Send(usize),
    Flush,
    Close,
    Shutdown,
    /// The end of a transaction.
    End,
    Admin,
}

/// A command without its answer.
struct Pending {
    kind: Kind,
    until: Instant,
}

/// The client, its driver, and the world around it.
struct Machine {
    config: ClientConfig,
    started: Now,
    client: Client,
    now: Now,
    inputs: Option<Vec<(Now, OwnedInput)>>,
    actions: Actions,
    /// Actions wait until they are asked for.
    holding: bool,
    /// As many actions as the inputs since then may have caused.
    may_be_held: usize,
    peers: BTreeMap<ConnId, Peer>,
    next_id: u64,
    pending: BTreeMap<CommandId, Pending>,
    withdrawn: BTreeSet<CommandId>,
    /// Room that was given or is waited for.
    reservations: Vec<CommandId>,
    producers: Vec<ProducerId>,
    sends: Vec<Sent>,
    attempts: Vec<Attempt>,
    keys: BTreeMap<String, usize>,
    /// Queues that some route offered: topic, broker, queue.
    offered: BTreeSet<(String, String, i32)>,
    /// Addresses of masters that the route of any topic named: broker, address.
    masters: BTreeSet<(String, String)>,
    stored: i64,
    over: bool,
    /// Half messages are among the operations.
    with_transactions: bool,
    transactions: Transactions,
}

impl Machine {
    fn draw(choices: &mut Unstructured<'_>) -> Result<Machine> {
        let [kind, seed] = choices.arbitrary::<[u8; 2]>()?;
        let servers = "10.0.0.1:9876;10.0.0.2:9876".parse().unwrap();
        let mut config = ClientConfig::new(servers, seed.into());
        if kind & 1 != 0 {
            config.serialize_type = SerializeType::RocketMq;
        }
        if kind & 2 != 0 {
            let limits = &mut config.limits;
            (limits.messages, limits.producer_messages, limits.topic_messages) = (4, 3, 2);
            (limits.waiting_callers, limits.message_bytes) = (2, 4_000);
        }
        if kind & 4 != 0 {
            config.limits.outbox_bytes = 1;
        }
        if kind & 8 != 0 {
            config.limits.connection_requests = 1;
        }
        if kind & 16 != 0 {
            config.timing.silence_timeout = Duration::from_millis(50);
            config.timing.heartbeat_interval = Duration::from_millis(70);
        }
        match kind & 0xc0 {
            0x40 => config.heartbeat_v2 = true,
            0x80 => config.latency_fault = Some(touchy()),
            _ => {}
        }
        web::draw(&mut config, seed);
        config.vip_channel = seed % 16 == 11;
        additions::draw(&mut config, seed);
        // The bound on requests counts a few for each connection.
        config.limits.admin_calls = 8;
        // The last second of a month, or a wall clock that was never set.
        let unix_ms = if kind & 32 != 0 { 1_733_011_199_000 } else { 0 };
        let started = Now { mono: Instant::from_millis(1), unix_ms };
        Ok(Machine {
            client: additions::client(config.clone(), started),
            config,
            started,
            now: started,
            inputs: (kind & 0xc0 == 0xc0).then(Vec::new),
            actions: Actions::default(),
            holding: false,
            may_be_held: 0,
            peers: BTreeMap::new(),
            next_id: 0,
            pending: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            reservations: Vec::new(),
            producers: Vec::new(),
            sends: Vec::new(),
            attempts: Vec::new(),
            keys: BTreeMap::new(),
            offered: BTreeSet::new(),
            masters: BTreeSet::new(),
            stored: 0,
            over: false,
            with_transactions: seed & 0xc0 == 0x80,
            transactions: Transactions::default(),
        })
    }

    fn give(&mut self, input: OwnedInput) {
        let is_tick = matches!(input, OwnedInput::Tick);
        if let Some(inputs) = &mut self.inputs {
            inputs.push((self.now, input.clone()));
        }
        input.give(&mut self.client, self.now);
        self.check_memory();
        if self.holding {
            self.may_be_held += self.most_actions();
        } else {
            self.take_actions();
        }
        if is_tick {
            let deadline = self.client.deadline();
            assert!(
                deadline.is_none_or(|at| at > self.now.mono),
                "due at once: {deadline:?} at {:?}",
                self.now
            );
            self.check_due();
        }
    }

    /// The number of the next command. Its answer may come while it is given.
    fn next_command(&self) -> CommandId {
        CommandId(self.next_id + 1)
    }

    fn command(&mut self, kind: Kind, until: Instant, command: Command) {
        let id = self.next_command();
        self.pending.insert(id, Pending { kind, until });
        self.command_without_answer(command);
    }

    fn command_without_answer(&mut self, command: Command) {
        let id = self.next_command();
        self.next_id += 1;
        self.give(OwnedInput::Command { id, command });
    }

    /// What has to be answered by now is. A closing producer says farewell after its deadline, for a while.
    fn check_due(&self) {
        if self.holding {
            return;
        }
        for (id, pending) in &self.pending {
            let says_farewell = matches!(pending.kind, Kind::Close | Kind::Shutdown);
            let late = pending.until <= self.now.mono && !says_farewell;
            assert!(!late, "{id:?} is without answer at {:?}", self.now.mono);
        }
    }

    /// One input causes no more.
    fn most_actions(&self) -> usize {
        let memory = self.client.memory();
        let work = memory.messages + memory.waiting_callers + memory.requests + self.sends.len();
        FEW_ACTIONS + 8 * (work + self.peers.len() + self.next_id as usize)
    }

    fn take_actions(&mut self) {
        let mut left = std::mem::take(&mut self.may_be_held) + self.most_actions();
        while let Some(action) = self.client.poll_action() {
            left -= 1;
            assert!(left > 0, "actions without end");
            if self.inputs.is_some() {
                self.actions.note(&action);
            }
            self.carry_out(action);
        }
        assert!(self.client.poll_action().is_none());
    }

    fn carry_out(&mut self, action: Action) {
        assert!(!self.over || matches!(action, Action::Answer { .. }), "acts after its end: {action:?}");
        match action {
            Action::Connect { conn, to } => {
                let known = self.peers.insert(conn, Peer::new(to.to_string()));
                assert!(known.is_none(), "{conn:?} is used twice");
            }
            Action::Close { conn } => {
                let peer = self.peers.get_mut(&conn).unwrap();
                assert!(peer.state != State::ClosedHere, "closed twice: {conn:?}");
                // It may have gone while the action waited.
                if peer.state != State::Gone {
                    peer.state = State::ClosedHere;
                }
            }
            Action::Answer { id, answer } => self.answered(id, answer),
            Action::Write { conn } => assert!(self.peers.contains_key(&conn)),
            Action::Check(check) => self.check_put(*check),
            Action::SetTimer { .. } | Action::Notice(_) => {}
        }
    }

    fn check_memory(&self) {
        let (memory, limits) = (self.client.memory(), &self.config.limits);
        assert!(memory.messages <= limits.messages, "{memory:?}");
        assert!(memory.message_bytes <= limits.message_bytes, "{memory:?}");
        assert!(memory.waiting_callers <= limits.waiting_callers, "{memory:?}");
        let open = self.peers.len();
        let others = 32 * (open + 2) + self.next_id as usize;
        assert!(memory.requests <= memory.messages + others, "{memory:?}");
        self.check_transaction_memory();
        assert!(memory.outbox_bytes <= (open + 1) * (limits.outbox_bytes * 4 + (1 << 17)), "{memory:?}");
        let arrived = 1 << 20;
        assert!(memory.inbox_bytes <= arrived, "{memory:?}");
    }

    /// Time passes for all that is still under way; then the client is shut down, and nothing is left of it.
    fn finish(&mut self) {
        self.release();
        self.tick_until(|machine| machine.pending.is_empty());
        for reservation in std::mem::take(&mut self.reservations) {
            self.command_without_answer(Command::Withdraw { reservation });
        }
        if !self.over {
            let deadline = self.now.mono;
            self.command(Kind::Shutdown, deadline, Command::Shutdown { deadline });
            self.tick_until(|machine| machine.over);
        }
        assert_eq!(self.client.service_state(), ServiceState::ShutdownAlready);
        self.pass(Duration::from_secs(100));
        assert_eq!(self.client.deadline(), None);
        let memory = self.client.memory();
        assert_eq!((memory.messages, memory.message_bytes, memory.waiting_callers), (0, 0, 0), "{memory:?}");
        assert_eq!(memory.transaction_checks, 0, "{memory:?}");
        let counters = self.client.counters();
        assert_eq!((memory.trace_records, memory.trace_bytes), (0, 0), "{memory:?}");
        let told = counters.trace_records_sent + counters.trace_records_dropped;
        assert_eq!(counters.trace_records, told, "{counters:?}");
        assert!(self.pending.is_empty());
        for (conn, peer) in &self.peers {
            assert!(
                !matches!(peer.state, State::Connecting | State::Open),
                "{conn:?} is left open: {peer:?}"
            );
        }
        self.check_attempts();
        if let Some(inputs) = &self.inputs {
            let again = replay(self.config.clone(), self.started, inputs);
            assert_eq!((again.count, again.hash()), (self.actions.count, self.actions.hash()));
        }
    }

    /// Actions are taken at once from now on.
    fn release(&mut self) {
        self.holding = false;
        self.take_actions();
    }

    /// Ticks, first when the client wants it and then after whatever has to be answered, until it is so.
    fn tick_until(&mut self, is_so: impl Fn(&Machine) -> bool) {
        for round in 0..40 {
            if is_so(self) {
                return;
            }
            let last = self.pending.values().map(|pending| pending.until).max();
            let at = match self.client.deadline() {
                Some(at) if round < 20 => at,
                _ => last.unwrap_or(self.now.mono).max(self.now.mono) + Duration::from_secs(2),
            };
            self.pass(at.since(self.now.mono));
        }
        let left: Vec<_> = self.pending.keys().collect();
        assert!(is_so(self), "never answered: {left:?}");
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono + time;
        self.now.unix_ms = self.now.unix_ms.saturating_add(i64::try_from(time.as_millis()).unwrap_or(0));
        self.give(OwnedInput::Tick);
    }
}

/// Avoids brokers early and for a short time, so that much happens within a session.
fn touchy() -> LatencyFault {
    let [early, late, short, long] = [2, 30, 20, 90].map(Duration::from_millis);
    LatencyFault {
        latency_max: vec![early, late],
        not_available_duration: vec![short, long],
        detector: Some(FaultDetector { interval: short, timeout: early }),
    }
}
