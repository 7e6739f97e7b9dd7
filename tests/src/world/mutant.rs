//! Mutants: a client that is broken on purpose, each in one way, to prove that the check of an invariant can fail.
//!
//! The core itself has no switch for this. What breaks is the way between core and world: inputs on their way in,
//! actions, answers and bytes on their way out, and what the core says about itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use rocketmq_core::client::{Action, ClientConfig, CloseReason, Command, ConnId, OwnedInput};
use rocketmq_core::ground::{Instant, Rng};
use rocketmq_core::producer::{ProducerConfig, SendReceipt};

use super::mutant_wire::FrameCutter;
use super::{Invariant, PipeId, World, hooks};

/// Mutants that need some time to have something to break begin then, in microseconds.
pub(super) const BEGIN_US: u64 = 2_000_000;
/// When [`Mutant::NeverReconnects`] begins.
const LAST_CONNECT_US: u64 = 13_000_000;

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident = $text:literal breaks $invariant:ident,)*) => {
        /// One way to be broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// All of them, in the order of the invariants that they break.
            pub const ALL: &[Mutant] = &[$(Mutant::$name,)*];

            /// Its name in words with hyphens.
            pub fn name(self) -> &'static str {
                match self { $(Mutant::$name => $text,)* }
            }

            /// The invariant that it breaks.
            pub fn breaks(self) -> Invariant {
                match self { $(Mutant::$name => Invariant::$invariant,)* }
            }
        }
    };
}

mutants! {
    /// Some sends are answered twice.
    AnswersTwice = "answers-twice" breaks ExactlyOneVerdict,
    /// Answers come to commands that nobody gave.
    AnswersUnasked = "answers-unasked" breaks ExactlyOneVerdict,
    /// Failed sends get receipts that no broker wrote.
    InventsReceipts = "invents-receipts" breaks NoFalseOk,
    /// One-way sends that failed are said to be handed over.
    SaysHandedOver = "says-handed-over" breaks NoFalseOk,
    /// *May be stored* is told as *not stored*.
    DeniesStored = "denies-stored" breaks NoFalseCertainty,
    /// Bytes that a socket left over when its connection ended are told as written.
    FearsTheWorst = "fears-the-worst" breaks NoFalseCertainty,
    /// Some frames of sends are written twice.
    WritesTwice = "writes-twice" breaks Duplicates,
    /// Receipts do not count the attempts before the last.
    ForgetsAttempts = "forgets-attempts" breaks Duplicates,
    /// More messages are held than the limits allow.
    IgnoresLimits = "ignores-limits" breaks BoundedMemory,
    /// The next timer is due at once, again and again.
    TimerStandsStill = "timer-stands-still" breaks NoBusyLoop,
    /// There is always one more action.
    ActsForEver = "acts-for-ever" breaks NoBusyLoop,
    /// Some flushes are never answered.
    ForgetsFlushes = "forgets-flushes" breaks Deadlines,
    /// Nothing happens when a timer goes off.
    SleepsOn = "sleeps-on" breaks Deadlines,
    /// After a while lost connections are not opened any more.
    NeverReconnects = "never-reconnects" breaks Liveness,
    /// Choices depend on something outside the world.
    Guesses = "guesses" breaks Determinism,
    /// The order of actions depends on when they are taken.
    SwapsActions = "swaps-actions" breaks Determinism,
    /// An answer completes another request of the same connection.
    MixesUpAnswers = "mixes-up-answers" breaks Isolation,
    /// The end of one connection is taken for the end of another.
    BlamesAnother = "blames-another" breaks Isolation,
    /// Something is done after the shutdown is over.
    ActsAfterEnd = "acts-after-end" breaks ShutdownDrains,
    /// A timer stays armed after the shutdown is over.
    WakesAfterEnd = "wakes-after-end" breaks ShutdownDrains,
    /// Heartbeats are replaced by something else, except for the first.
    ForgetsHeartbeats = "forgets-heartbeats" breaks Heartbeat,
    /// Connections begin without a heartbeat.
    ForgetsGreeting = "forgets-greeting" breaks Heartbeat,
    /// Sends name a queue that no route has.
    RewritesQueue = "rewrites-queue" breaks RouteUse,
    /// Queues that nobody may write to are taken for writable ones.
    WritesToReadOnly = "writes-to-read-only" breaks RouteUse,
    /// Slaves are taken for masters.
    WritesToSlaves = "writes-to-slaves" breaks RouteUse,
    /// After a while new routes are not looked at any more.
    KeepsOldRoutes = "keeps-old-routes" breaks RouteUse,
    /// Lengths of frames are wrong.
    CorruptsFrames = "corrupts-frames" breaks FrameIntegrity,
    /// What a short write left over is handed out with another content.
    ChangesHandedOver = "changes-handed-over" breaks FrameIntegrity,
    /// Bytes come for a connection that has ended.
    WritesAfterEnd = "writes-after-end" breaks FrameIntegrity,
    /// A body gets lost on the way.
    LosesBodies = "loses-bodies" breaks FrameIntegrity,
    /// Messages get the unique id of the message before.
    ReusesUniqueIds = "reuses-unique-ids" breaks UniqueIds,
    /// The client panics.
    Panics = "panics" breaks NoPanic,
    /// Room that is given back stays taken.
    ForgetsWithdrawals = "forgets-withdrawals" breaks Cancellation,
    /// When one caller leaves, another one is sent away, too.
    DropsNeighbour = "drops-neighbour" breaks Cancellation,
    /// Two sends with the same sharding key leave in the wrong order.
    SwapsFrames = "swaps-frames" breaks Order,
    /// An ordered send goes to another queue than the one that was chosen.
    LeavesItsQueue = "leaves-its-queue" breaks Order,
    /// Room is given to a caller that is not next in line.
    GrantsOutOfTurn = "grants-out-of-turn" breaks Order,
    /// Some commits become rollbacks, and the other way round.
    ChangesItsMind = "changes-its-mind" breaks OneOutcome,
    /// Some transactions are ended twice.
    EndsTwice = "ends-twice" breaks EndsOnce,
    /// Ends that failed are told as done.
    InventsEnds = "invents-ends" breaks EndVerdicts,
    /// Checks get lost in the client.
    LosesChecks = "loses-checks" breaks UnknownsSettle,
    /// Once in a while a name leaves without its namespace.
    ForgetsNamespace = "forgets-namespace" breaks Names,
    /// Once in a while a name is handed out with its namespace.
    HandsOutNamespace = "hands-out-namespace" breaks Names,
    /// Producers are traced that are not to be.
    TracesEverybody = "traces-everybody" breaks TraceRecords,
    /// Brokers that want no records get them.
    IgnoresTraceSwitch = "ignores-trace-switch" breaks TraceRecords,
    /// Records get lost on the way.
    LosesRecords = "loses-records" breaks TraceRecords,
    /// Records come twice.
    RepeatsRecords = "repeats-records" breaks TraceRecords,
    /// Hooks do not learn how some requests and sends ended.
    LosesHookCalls = "loses-hook-calls" breaks HookCalls,
}

impl Mutant {
    /// True when it shows only in worlds that heal.
    pub fn needs_liveness(self) -> bool {
        matches!(self, Mutant::NeverReconnects | Mutant::LosesChecks)
    }
}

/// A mutant at work.
pub(super) struct Mutation {
    pub(super) mutant: Mutant,
    /// Its own, so that it takes no number away from the world.
    pub(super) rng: Rng,
    /// Bytes of each connection, cut into frames, up and down.
    pub(super) up: BTreeMap<PipeId, FrameCutter>,
    pub(super) down: BTreeMap<(usize, ConnId), FrameCutter>,
    /// A frame of each lane that waits for one to change places with.
    pub(super) kept_back: BTreeMap<PipeId, Vec<u8>>,
    /// The unique id of the send before.
    pub(super) last_id: Option<String>,
    pub(super) receipt: Option<SendReceipt>,
    pub(super) next_actions: VecDeque<(usize, Action)>,
    /// Bytes that the socket of the connection that ended last had not taken.
    pub(super) left_over: usize,
    kept_action: Option<Action>,
    inputs: u64,
}

impl Mutation {
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.rng.below(times) == 0
    }
}

/// Something outside every world: how many clients this process has guessed for.
static GUESSES: AtomicU64 = AtomicU64::new(1);

impl World {
    /// Breaks the clients of this world on purpose. To be called before anything happens in it.
    ///
    /// # Panics
    /// When a configuration is refused.
    pub fn with_mutant(&mut self, mutant: Mutant) {
        self.mutation = Some(Box::new(Mutation {
            mutant,
            rng: Rng::new(self.seed).fork("mutant"),
            up: BTreeMap::new(),
            down: BTreeMap::new(),
            kept_back: BTreeMap::new(),
            last_id: None,
            receipt: None,
            next_actions: VecDeque::new(),
            left_over: 0,
            kept_action: None,
            inputs: 0,
        }));
        self.make_cores_again();
    }

    /// The clients are made once more, as they are to be.
    pub(super) fn make_cores_again(&mut self) {
        for client in 0..self.clients.len() {
            let config = self.core_config(&self.clients[client].config);
            let (now, book) = (self.clients[client].started, self.hook_book());
            self.clients[client].core = hooks::client(config, book.as_ref(), now);
            self.clients[client].hooks = book;
        }
    }

    pub(super) fn is_mutant(&self, mutant: Mutant) -> bool {
        self.mutation.as_ref().is_some_and(|mutation| mutation.mutant == mutant)
    }

    /// The configuration that a core really gets.
    pub(super) fn core_config(&self, config: &ClientConfig) -> ClientConfig {
        let mut config = config.clone();
        if self.is_mutant(Mutant::IgnoresLimits) {
            for limit in [
                &mut config.limits.messages,
                &mut config.limits.producer_messages,
                &mut config.limits.topic_messages,
            ] {
                *limit *= 16;
            }
        }
        if self.is_mutant(Mutant::Guesses) {
            config.seed = config.seed.wrapping_add(GUESSES.fetch_add(1, Ordering::Relaxed));
        }
        config
    }

    /// What a client gets instead of an input.
    pub(super) fn mutate_input(&mut self, client: usize, input: OwnedInput) -> Vec<OwnedInput> {
        let late = self.now_us >= BEGIN_US;
        let Some(mutation) = &mut self.mutation else {
            return vec![input];
        };
        mutation.inputs += 1;
        match (mutation.mutant, &input) {
            (Mutant::SleepsOn, OwnedInput::Tick) if late => Vec::new(),
            (Mutant::ForgetsWithdrawals, OwnedInput::Command { command: Command::Withdraw { .. }, .. }) => {
                Vec::new()
            }
            (
                Mutant::DropsNeighbour,
                OwnedInput::Command { id, command: Command::Withdraw { reservation } },
            ) => {
                let other = self.clients[client].held.another_waiting(*reservation);
                let too =
                    |reservation| OwnedInput::Command { id: *id, command: Command::Withdraw { reservation } };
                let too = other.map(too);
                std::iter::once(input).chain(too).collect()
            }
            (
                Mutant::TracesEverybody,
                OwnedInput::Command { id, command: Command::OpenProducer { config } },
            ) => {
                let trace = Some(config.trace.clone().unwrap_or_default());
                let config = Box::new(ProducerConfig { trace, ..(**config).clone() });
                vec![OwnedInput::Command { id: *id, command: Command::OpenProducer { config } }]
            }
            (Mutant::FearsTheWorst, OwnedInput::Closed { conn, .. }) => {
                let (conn, count) = (*conn, std::mem::take(&mut mutation.left_over));
                let wrote = (count > 0).then_some(OwnedInput::Wrote { conn, count });
                wrote.into_iter().chain([input]).collect()
            }
            (Mutant::BlamesAnother, OwnedInput::Closed { conn, why }) => {
                let (conn, why) = (*conn, *why);
                vec![OwnedInput::Closed { conn: self.another_conn(client, conn).unwrap_or(conn), why }]
            }
            (mutant, OwnedInput::Received { conn, bytes }) => {
                let (conn, bytes) = (*conn, bytes.clone());
                match self.mutate_received(mutant, client, conn, &bytes) {
                    None => vec![input],
                    Some(bytes) if bytes.is_empty() => Vec::new(),
                    Some(bytes) => vec![OwnedInput::Received { conn, bytes: bytes.into() }],
                }
            }
            _ => vec![input],
        }
    }

    pub(super) fn is_time_to_panic(&self) -> bool {
        self.mutation
            .as_ref()
            .is_some_and(|mutation| mutation.mutant == Mutant::Panics && mutation.inputs > 100)
    }

    /// An open connection of a client to another address.
    fn another_conn(&self, client: usize, conn: ConnId) -> Option<ConnId> {
        let address = self.ledger.address_of(client, conn);
        let mut others = self.pipes.values().filter(|pipe| pipe.is_live() && pipe.client == client);
        let other = others.find(|pipe| pipe.conn != conn && Some(pipe.address.as_str()) != address)?;
        Some(other.conn)
    }

    /// Actions that come before those of the core.
    pub(super) fn mutant_action(&mut self, client: usize) -> Option<Action> {
        let mutation = self.mutation.as_mut()?;
        if mutation.next_actions.front().is_some_and(|(owner, _)| *owner == client) {
            return mutation.next_actions.pop_front().map(|(_, action)| action);
        }
        let forever = mutation.mutant == Mutant::ActsForEver && self.now_us >= BEGIN_US;
        forever.then_some(Action::SetTimer { at: Instant::from_micros(self.now_us) })
    }

    /// What comes out instead of an action.
    pub(super) fn mutate_action(&mut self, client: usize, action: Action) -> Option<Action> {
        if self.is_mutant(Mutant::NeverReconnects)
            && let Action::Connect { conn, to } = &action
            && self.now_us >= LAST_CONNECT_US
        {
            let refused = OwnedInput::Closed { conn: *conn, why: CloseReason::Refused };
            self.ledger.note_connect(client, *conn, &to.to_string());
            self.plan(self.now_us, super::Event::Call(Box::new(move |world| world.give(client, refused))));
            return None;
        }
        match action {
            Action::Answer { id, answer } => self.mutate_answer(client, id, answer),
            other => Some(other),
        }
    }

    /// The next action of a core that is broken on purpose.
    pub(super) fn poll_swapped(&mut self, client: usize) -> Option<Action> {
        let kept = self.mutation.as_mut().and_then(|mutation| mutation.kept_action.take());
        if let Some(action) = kept {
            return Some(action);
        }
        let first = self.poll_core(client)?;
        if !self.is_mutant(Mutant::SwapsActions) {
            return Some(first);
        }
        let Some(second) = self.poll_core(client) else {
            return Some(first);
        };
        // An end must not come before its reason, nor an answer before what belongs to it.
        let stays = |action: &Action| matches!(action, Action::Answer { .. } | Action::Close { .. });
        let stays = stays(&first) || stays(&second);
        let (first, second) = if stays { (first, second) } else { (second, first) };
        if let Some(mutation) = &mut self.mutation {
            mutation.kept_action = Some(second);
        }
        Some(first)
    }

    /// When a client says that it wants a tick.
    pub(super) fn deadline_of(&self, client: usize) -> Option<Instant> {
        let it = &self.clients[client];
        let deadline = it.core.deadline();
        match self.mutation.as_ref().map(|mutation| mutation.mutant) {
            Some(Mutant::TimerStandsStill) if self.now_us >= BEGIN_US => {
                deadline.map(|at| at.min(Instant::from_micros(self.now_us)))
            }
            Some(Mutant::WakesAfterEnd) if it.over => Some(Instant::from_micros(self.now_us + 1_000_000)),
            _ => deadline,
        }
    }
}
