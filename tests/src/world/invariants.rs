//! The invariants by name: how often each was checked, which broke, and what a run does then.

use std::fmt;

use rocketmq_core::client::Client;

use super::rerun::{Taken, replay};
use super::{World, hooks};

/// What must hold in every world, whatever happens in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Invariant {
    /// I1: every accepted send, and every other command that is answered, gets exactly one answer.
    ExactlyOneVerdict,
    /// I2: a receipt names a message that the broker's log has at that place, and that broker said so to that request.
    NoFalseOk,
    /// I3: *not stored* is said only when no attempt can have been stored, *may be stored* only when one can.
    NoFalseCertainty,
    /// I4: not more copies than the verdict counts attempts, and all of them with one unique id.
    Duplicates,
    /// I5: buffers, tables and queues stay within the configured limits.
    BoundedMemory,
    /// I6: one input causes a bounded number of actions, and no timer is due again at once.
    NoBusyLoop,
    /// I7: everything ends by its deadline, whatever peers do or leave undone.
    Deadlines,
    /// I8: in a world that has healed, every send succeeds.
    Liveness,
    /// I9: the same seed has the same inputs and actions, and the same inputs the same actions and bytes, whenever actions are
    /// taken.
    Determinism,
    /// I10: an answer completes the request that it answers, on its own connection, and no other.
    Isolation,
    /// I11: a shutdown ends every send, says farewell, refuses new work, and then nothing moves any more.
    ShutdownDrains,
    /// I12: brokers hear a heartbeat before any send and then in every period, for as long as routes name them. Sockets that
    /// take nothing and connections of few requests may delay it.
    Heartbeat,
    /// I13: sends go to writable queues of brokers that a route of the client names, or named when they were put in line.
    RouteUse,
    /// I14: what is written is whole frames, nothing follows a torn one, and no byte changes after it was handed over.
    FrameIntegrity,
    /// I15: no two messages have the same unique id, whatever the wall clock does.
    UniqueIds,
    /// I16: nothing panics, overflows or recurses without end.
    NoPanic,
    /// I17: leaving at any moment frees what was held, once, and harms nobody else.
    Cancellation,
    /// I18: sends of one producer to one queue leave in the order in which they were given, until a retry of the topic or a
    /// change of routes.
    Order,
    /// I19: a half message is never both committed and rolled back, and never ended but as its local transaction ended.
    OneOutcome,
    /// I20: nobody ends a transaction twice: not while an end has no answer or was acknowledged, and after an end of
    /// unknown fate once for each check.
    EndsOnce,
    /// I21: what is said of an end is true.
    EndVerdicts,
    /// I22: in a world that has healed, a check is followed by an end that its broker takes.
    UnknownsSettle,
    /// I23: names on the wire have the client's namespace, requests carry what the client's settings add, and names that are
    /// handed out are bare.
    Names,
    /// I24: each request that a hook let through is followed by exactly one call after it, and each message by exactly one
    /// with the verdict of its caller.
    HookCalls,
    /// I25: each traced send with a verdict gives one record at most, no record is lost without being counted, and nothing
    /// untraced appears.
    TraceRecords,
}

impl Invariant {
    /// All of them, by number.
    pub const ALL: [Invariant; 25] = [
        Invariant::ExactlyOneVerdict,
        Invariant::NoFalseOk,
        Invariant::NoFalseCertainty,
        Invariant::Duplicates,
        Invariant::BoundedMemory,
        Invariant::NoBusyLoop,
        Invariant::Deadlines,
        Invariant::Liveness,
        Invariant::Determinism,
        Invariant::Isolation,
        Invariant::ShutdownDrains,
        Invariant::Heartbeat,
        Invariant::RouteUse,
        Invariant::FrameIntegrity,
        Invariant::UniqueIds,
        Invariant::NoPanic,
        Invariant::Cancellation,
        Invariant::Order,
        Invariant::OneOutcome,
        Invariant::EndsOnce,
        Invariant::EndVerdicts,
        Invariant::UnknownsSettle,
        Invariant::Names,
        Invariant::HookCalls,
        Invariant::TraceRecords,
    ];

    /// Its short name, from `I1` to `I25`.
    pub fn id(self) -> &'static str {
        const IDS: [&str; Invariant::ALL.len()] = [
            "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14", "I15",
            "I16", "I17", "I18", "I19", "I20", "I21", "I22", "I23", "I24", "I25",
        ];
        IDS[self as usize]
    }

    /// Its name in words.
    pub fn name(self) -> &'static str {
        match self {
            Invariant::ExactlyOneVerdict => "one verdict",
            Invariant::NoFalseOk => "no false OK",
            Invariant::NoFalseCertainty => "no false certainty",
            Invariant::Duplicates => "duplicates",
            Invariant::BoundedMemory => "bounded memory",
            Invariant::NoBusyLoop => "no busy loop",
            Invariant::Deadlines => "deadlines",
            Invariant::Liveness => "liveness",
            Invariant::Determinism => "determinism",
            Invariant::Isolation => "isolation",
            Invariant::ShutdownDrains => "shutdown",
            Invariant::Heartbeat => "heartbeat",
            Invariant::RouteUse => "route use",
            Invariant::FrameIntegrity => "whole frames",
            Invariant::UniqueIds => "unique ids",
            Invariant::NoPanic => "no panic",
            Invariant::Cancellation => "cancellation",
            Invariant::Order => "order",
            Invariant::OneOutcome => "one outcome",
            Invariant::EndsOnce => "ends once",
            Invariant::EndVerdicts => "true ends",
            Invariant::UnknownsSettle => "unknowns settle",
            Invariant::Names => "names",
            Invariant::HookCalls => "hook calls",
            Invariant::TraceRecords => "trace records",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id(), self.name())
    }
}

/// An invariant that did not hold, and how that showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub invariant: Invariant,
    /// What was seen, for people.
    pub text: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}

/// How often each invariant was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked([u64; Invariant::ALL.len()]);

impl Checked {
    /// One more check.
    pub fn count(&mut self, invariant: Invariant) {
        self.0[invariant as usize] += 1;
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Checked) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// How often this one was checked.
    pub fn of(&self, invariant: Invariant) -> u64 {
        self.0[invariant as usize]
    }

    /// All of them with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Invariant, u64)> + '_ {
        Invariant::ALL.into_iter().zip(self.0)
    }
}

impl World {
    /// A check did not hold. The run ends after the event in which this happens.
    pub(super) fn fail(&mut self, invariant: Invariant, text: String) {
        self.broken.push(Broken { invariant, text });
    }

    /// Counts one check of an invariant.
    pub(super) fn checked(&mut self, invariant: Invariant) {
        self.checked.count(invariant);
    }

    /// What did not hold so far, the first one first.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// How often each invariant was checked so far.
    pub fn checks(&self) -> &Checked {
        &self.checked
    }

    /// An invariant that breaks does not panic any more: time stands still from then on, and [`World::broken`] tells.
    pub fn be_lenient(&mut self) {
        self.lenient = true;
    }

    /// Checks what must hold after every event, and ends the run when something does not.
    ///
    /// # Panics
    /// With the report, when something does not hold, unless the world is lenient.
    pub(super) fn check(&mut self) {
        if let Some((due, client, id)) = self.due.first().copied()
            && due < self.now_us
        {
            let late = self.now_us - due;
            let text = format!("client {client}, {id:?} has no answer {late} µs after its deadline");
            self.fail(Invariant::Deadlines, text);
        }
        self.checked(Invariant::Deadlines);
        assert!(self.broken.is_empty() || self.lenient, "{}", self.report());
    }

    /// Checks what must hold in the end: one verdict per command, verdicts and logs agree, heartbeats never stopped,
    /// actions do not depend on when they are taken.
    ///
    /// # Panics
    /// With the report, when something does not hold, unless the world is lenient.
    pub fn finish(&mut self) {
        if !self.broken.is_empty() {
            return self.check();
        }
        self.check_book();
        self.check_traces();
        for (client, id) in self.pending.clone() {
            let text = format!("client {client}, {id:?} was never answered");
            self.fail(Invariant::ExactlyOneVerdict, text);
        }
        for pipe in self.pipes() {
            self.note_pipe_end(pipe);
        }
        self.check_names_shown();
        self.check_replay();
        self.check();
    }

    /// I9: gives the same inputs to new clients, whose actions are taken at once, later, or in the end only: they must be
    /// the same, and so must the bytes be that sockets took.
    ///
    /// # Panics
    /// With the report, when they are not, unless the world is lenient.
    pub fn check_replay(&mut self) {
        if !self.records || !self.broken.is_empty() {
            return;
        }
        for client in 0..self.clients.len() {
            while let Some(action) = self.clients[client].core.poll_action() {
                self.note_action(client, &action);
            }
            for taken in [Taken::AtOnce, Taken::Late, Taken::InTheEnd] {
                self.checked(Invariant::Determinism);
                let it = &self.clients[client];
                let first = (it.actions_hash.value(), it.actions, None);
                let again = replay(&it.config, self.hook_rules, it.started, &it.inputs, &it.written, taken);
                if again != first {
                    let text = format!("client {client}: actions {first:?}, taken {taken:?} {again:?}");
                    self.fail(Invariant::Determinism, text);
                }
            }
        }
        self.check();
    }

    /// Gives what a client was given to a new core once more, and shows it after every input: to measure it alone.
    ///
    /// # Panics
    /// When the configuration is refused.
    pub fn replay_each(&self, client: usize, mut after: impl FnMut(&Client)) {
        let it = &self.clients[client];
        let mut core = hooks::client(it.config.clone(), self.hook_book().as_ref(), it.started);
        for (now, input) in &it.inputs {
            input.clone().give(&mut core, *now);
            while core.poll_action().is_some() {}
            after(&core);
        }
    }

    /// What broke, with the seed and the story so far.
    pub fn report(&self) -> String {
        let broken: Vec<String> = self.broken.iter().map(ToString::to_string).collect();
        format!("seed {}\n{}\n{}", self.seed, self.transcript(), broken.join("\n"))
    }
}
