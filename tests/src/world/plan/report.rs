//! What comes out of a run.

use std::time::Duration;

use rocketmq_core::producer::Outcome;

use super::FaultCounts;
use crate::world::{Broken, Checked, Reached, Verdict};

/// What came out of a run.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// Hash over all inputs and actions.
    pub hash: u64,
    /// The first invariant that did not hold.
    pub broken: Option<Broken>,
    /// The story, unless the run was silent.
    pub transcript: String,
    /// Which states were reached.
    pub reached: Reached,
    /// How many sends were given to clients.
    pub sends: u64,
    /// How often each invariant was checked.
    pub checked: Checked,
    /// How often each kind of fault was injected.
    pub faults: FaultCounts,
    /// What became of each send of the plan, by its label.
    pub verdicts: Vec<(u32, VerdictLine)>,
}

/// What became of a send, as far as runs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerdictLine {
    /// The verdict.
    pub class: VerdictClass,
    /// Attempts that may have reached a broker.
    pub attempts: u32,
    /// How long it took.
    pub delay: DelayClass,
}

/// A verdict without its particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictClass {
    /// A broker has it.
    Stored,
    /// The socket took all of a one-way send.
    HandedOver,
    /// No broker has it.
    NotStored,
    /// A broker may have it.
    MayBeStored,
    /// None: the send was never made, or the run broke off.
    None,
}

/// How long a send took, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DelayClass {
    /// Less than 100 ms.
    Short,
    /// Less than 1 s.
    Medium,
    /// Less than 10 s.
    Long,
    /// More.
    VeryLong,
}

impl DelayClass {
    pub(super) fn of(time: Duration) -> DelayClass {
        match time.as_millis() {
            0..100 => DelayClass::Short,
            100..1_000 => DelayClass::Medium,
            1_000..10_000 => DelayClass::Long,
            _ => DelayClass::VeryLong,
        }
    }
}

impl VerdictLine {
    pub(super) const NONE: VerdictLine =
        VerdictLine { class: VerdictClass::None, attempts: 0, delay: DelayClass::Short };

    pub(super) fn of(verdict: &Verdict, took: Duration) -> VerdictLine {
        let (class, attempts) = match verdict {
            Verdict::Stored(receipt) => (VerdictClass::Stored, receipt.attempts),
            Verdict::HandedOver => (VerdictClass::HandedOver, 1),
            Verdict::Failed(error) if error.outcome() == Outcome::NotStored => {
                (VerdictClass::NotStored, error.written_attempts())
            }
            Verdict::Failed(error) => (VerdictClass::MayBeStored, error.written_attempts()),
        };
        VerdictLine { class, attempts, delay: DelayClass::of(took) }
    }
}

impl RunReport {
    /// How many sends that both runs had came out otherwise here than there.
    pub fn differences(&self, other: &RunReport) -> usize {
        let mut theirs = other.verdicts.iter().peekable();
        let mut count = 0;
        for (label, line) in &self.verdicts {
            while theirs.next_if(|(other, _)| other < label).is_some() {}
            count += usize::from(theirs.peek().is_some_and(|(other, there)| other == label && there != line));
        }
        count
    }
}
