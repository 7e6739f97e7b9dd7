//! What sessions add up to.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_sim::world::plan::{FaultCounts, FaultKind, Mode, RunReport};
use rocketmq_sim::world::{Checked, Reached};

/// How often a fault was left out of a session, and how often the session then ended otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) sampled: u64,
    pub(crate) changed: u64,
}

/// One session and its hash over all inputs and actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hashed {
    pub(crate) mode: Mode,
    pub(crate) seed: u64,
    pub(crate) hash: u64,
}

/// The counts of one worker, or of all.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Seeds, each in each mode.
    pub(crate) sessions: u64,
    /// Runs, those that repeat a session included.
    pub(crate) runs: u64,
    pub(crate) sends: u64,
    /// Sessions that ran twice with the same hash.
    pub(crate) repeated: u64,
    /// Sessions whose inputs were given again with actions taken early, late and in the end.
    pub(crate) replayed: u64,
    pub(crate) reached: Reached,
    pub(crate) checked: Checked,
    pub(crate) faults: FaultCounts,
    pub(crate) effects: BTreeMap<FaultKind, Effect>,
    /// To be compared with a second process.
    pub(crate) hashes: Vec<Hashed>,
    /// The session that took longest.
    pub(crate) slowest: Option<(Duration, Mode, u64)>,
    /// Processor time of the workers.
    pub(crate) cpu: Duration,
    /// Some worker could not tell its processor time and gave the time of the clock.
    pub(crate) cpu_is_clock: bool,
}

impl Tally {
    /// Adds one session.
    pub(crate) fn session(&mut self, mode: Mode, seed: u64, report: &RunReport, took: Duration) {
        self.sessions += 1;
        self.sends += report.sends;
        self.reached.add(&report.reached);
        self.checked.add(&report.checked);
        self.faults.add(&report.faults);
        self.slower((took, mode, seed));
    }

    /// Adds what another worker counted.
    pub(crate) fn add(&mut self, other: Tally) {
        self.sessions += other.sessions;
        self.runs += other.runs;
        self.sends += other.sends;
        self.repeated += other.repeated;
        self.replayed += other.replayed;
        self.reached.add(&other.reached);
        self.checked.add(&other.checked);
        self.faults.add(&other.faults);
        for (kind, effect) in other.effects {
            let mine = self.effects.entry(kind).or_default();
            mine.sampled += effect.sampled;
            mine.changed += effect.changed;
        }
        self.hashes.extend(other.hashes);
        if let Some(slowest) = other.slowest {
            self.slower(slowest);
        }
        self.cpu += other.cpu;
        self.cpu_is_clock |= other.cpu_is_clock;
    }

    fn slower(&mut self, session: (Duration, Mode, u64)) {
        if self.slowest.is_none_or(|(took, ..)| took < session.0) {
            self.slowest = Some(session);
        }
    }

    /// Sessions in an hour of one core; none before anything ran.
    pub(crate) fn per_core_hour(&self) -> Option<u64> {
        let hours = self.cpu.as_secs_f64() / 3_600.0;
        (hours > 0.0).then(|| (self.sessions as f64 / hours) as u64)
    }
}
