//! Random runs as data: a seed draws a [`Plan`], and only then the plan runs. So a run can be shrunk, changed, compared
//! with the same run without one kind of fault, and drawn from other sources than a seed.
//!
//! What applications do and what goes wrong are drawn from separate dice, one for each kind of fault: leaving a kind out
//! changes nothing else that was drawn.

mod coverage;
mod dice;
mod draw;
mod ending;
mod inject;
mod kinds;
mod names;
mod report;
mod rows;
mod run;
mod shape;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use coverage::{CoverageReport, coverage};
use dice::Forks;
pub use dice::{ByteDice, Dice};
pub use kinds::{FaultClass, FaultCounts, FaultKind};
pub use names::Names;
pub use report::{DelayClass, RunReport, VerdictClass, VerdictLine};
pub use rows::{FAULT_ROWS, FaultRow, Where};
pub use run::{RunOptions, run_plan, run_seed};
pub use shape::{ProducerShape, Shape, TraceShape};

use rocketmq_core::ground::Rng;

use super::LocalTransaction;

/// The topics of random runs: the first gets most of the messages.
pub const TOPICS: [&str; 3] = ["orders", "payments", "logs"];

/// What a random run must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Faults never stop: nothing false is said.
    Safety,
    /// The world heals in the end: then everything succeeds.
    Liveness,
}

/// One random run, before it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The seed that drew it; also that of the network, of the servers and of the clients.
    pub seed: u64,
    /// What it must show.
    pub mode: Mode,
    /// The world.
    pub shape: Shape,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// How it ends.
    pub ending: Ending,
}

/// One thing that happens, and the time until the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What happens.
    pub what: What,
    /// Time that passes afterwards.
    pub pause: Duration,
}

/// What happens. Producers, reservations and clients are given as numbers that are taken modulo those there are.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A send.
    Send(SendStep),
    /// A half message, whose local transaction ends so.
    Half {
        /// The send.
        send: SendStep,
        /// Its local transaction.
        local: LocalTransaction,
    },
    /// A caller asks for room.
    Reserve {
        /// By which producer.
        producer: usize,
        /// Index into [`TOPICS`].
        topic: usize,
        /// For how many bytes.
        weight: usize,
        /// How long to wait for it.
        within: Duration,
    },
    /// A send that uses room which was asked for before, if it was granted; else the caller leaves.
    UseReservation {
        /// Which one.
        reservation: usize,
        /// The send.
        send: SendStep,
    },
    /// A caller gives back room, or leaves the line.
    Withdraw {
        /// Which one.
        reservation: usize,
    },
    /// A caller waits for everything under way.
    Flush {
        /// Of which client.
        client: usize,
        /// Of which producer only.
        producer: Option<usize>,
        /// How long to wait.
        within: Duration,
    },
    /// A producer is closed, and opened again once it is.
    Close {
        /// Which one.
        producer: usize,
        /// How long to wait for its sends.
        within: Duration,
    },
    /// A client is told its name servers again.
    SetNameServers {
        /// Which one.
        client: usize,
    },
    /// All faults end.
    Heal,
    /// A fault.
    Fault(FaultStep),
}

/// A send.
#[derive(Debug, Clone, PartialEq)]
pub struct SendStep {
    /// The number by which its verdict is compared between runs.
    pub label: u32,
    /// By which producer.
    pub producer: usize,
    /// Index into [`TOPICS`].
    pub topic: usize,
    /// Time to its deadline.
    pub within: Duration,
    /// Bytes of the body.
    pub size: usize,
    /// Bytes of a further property; none when 0.
    pub property: usize,
    /// To which queue.
    pub aim: Aim,
    /// Whether no answer is wanted.
    pub one_way: bool,
    /// How many retries, where not as the producer says.
    pub retries: Option<u32>,
    /// The kind of fault that made this send an odd one.
    pub odd: Option<FaultKind>,
}

/// To which queue a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Any.
    Any,
    /// That of a sharding key.
    ShardingKey(u8),
    /// This one.
    Queue {
        /// Index of the broker.
        broker: usize,
        /// The queue there.
        queue: i32,
    },
}

/// One fault. What the numbers mean depends on the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultStep {
    /// Which kind.
    pub kind: FaultKind,
    /// Which server or connection, modulo those there are.
    pub which: u64,
    /// Further choices.
    pub draw: u64,
    /// How long it lasts, where that can be chosen.
    pub time: Duration,
}

/// How a run ends, after its steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// A producer that is closed first, and how long that may take.
    pub close: Option<(usize, Duration)>,
    /// Of all reservations that are left, those whose bit is set are withdrawn.
    pub withdraw: u64,
    /// How long shutdowns wait for sends under way.
    pub within: Duration,
    /// Whether every client is shut down twice.
    pub twice: bool,
}

impl Plan {
    /// The plan of a seed. `only`: exactly these kinds of faults, instead of a subset that the seed draws.
    pub fn draw(seed: u64, mode: Mode, only: Option<&[FaultKind]>) -> Plan {
        draw::plan(seed, mode, only, &mut Forks::Seeded(Rng::new(seed).fork("plan")))
    }

    /// A plan of other dice. The seed is that of the network, of the servers and of the clients.
    pub fn draw_with(seed: u64, mode: Mode, only: Option<&[FaultKind]>, dice: &mut dyn Dice) -> Plan {
        draw::plan(seed, mode, only, &mut Forks::One(dice))
    }

    /// The same run without one kind of fault; sends that it made odd are ordinary ones.
    pub fn without(&self, kind: FaultKind) -> Plan {
        let mut plan = self.clone();
        plan.shape.calm(kind);
        if kind == FaultKind::SecondShutdown {
            plan.ending.twice = false;
        }
        let every = kind == FaultKind::Everything;
        plan.steps.retain(|step| !matches!(&step.what, What::Fault(fault) if every || fault.kind == kind));
        for step in &mut plan.steps {
            if let What::Send(send) | What::UseReservation { send, .. } = &mut step.what
                && send.odd.is_some_and(|odd| every || odd == kind)
            {
                send.be_ordinary();
            }
        }
        plan
    }

    /// The same run without half messages: what was drawn before there were any.
    pub fn without_halves(&self) -> Plan {
        let mut plan = self.clone();
        plan.shape.check_interval_ms = None;
        plan.steps.retain(|step| !matches!(step.what, What::Half { .. }));
        plan
    }

    /// The same run with clients that add nothing to names and requests: what was drawn before some did.
    pub fn without_names(&self) -> Plan {
        let mut plan = self.clone();
        plan.shape.names = Names::default();
        plan
    }

    /// The same run without all that is drawn beside sends and faults.
    #[must_use]
    pub fn plain(&self) -> Plan {
        self.without_halves().without_names().without_trace().without_hooks().without_strategies()
    }

    /// The same run with heartbeats of version 1 and without the latency-fault strategy.
    #[must_use]
    pub fn without_strategies(&self) -> Plan {
        let mut plan = self.clone();
        (plan.shape.heartbeat_v2, plan.shape.latency_fault) = (false, None);
        plan
    }

    /// The same run without hooks, and over the brokers' ordinary ports.
    pub fn without_hooks(&self) -> Plan {
        let mut plan = self.clone();
        (plan.shape.hooks, plan.shape.vip_channel) = (None, None);
        plan
    }

    /// The same run without message trace.
    pub fn without_trace(&self) -> Plan {
        let mut plan = self.clone();
        plan.shape.trace = None;
        plan
    }

    /// The kinds of faults in it.
    pub fn faults(&self) -> Vec<FaultKind> {
        let mut kinds = self.shape.faults.clone();
        for step in &self.steps {
            match &step.what {
                What::Fault(fault) => kinds.push(fault.kind),
                What::Send(send) | What::UseReservation { send, .. } => kinds.extend(send.odd),
                _ => {}
            }
        }
        if self.ending.twice {
            kinds.push(FaultKind::SecondShutdown);
        }
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// How many sends are planned.
    pub fn sends(&self) -> usize {
        let is_send = |step: &&Step| {
            matches!(step.what, What::Send(_) | What::UseReservation { .. } | What::Half { .. })
        };
        self.steps.iter().filter(is_send).count()
    }
}

impl SendStep {
    /// A small message to any queue, as [`Plan::without`] makes one of an odd send.
    fn be_ordinary(&mut self) {
        (self.within, self.size, self.property) = (Duration::from_secs(3), 20, 0);
        self.odd = None;
    }
}
