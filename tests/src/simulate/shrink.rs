//! Makes a plan that breaks an invariant smaller while it still breaks the same one: fewer steps, fewer kinds of
//! faults, a simpler world, shorter pauses. What is left is what the failure needs.

use std::time::Duration;

use rocketmq_core::client::{Limits, Timing};
use rocketmq_core::wire::SerializeType;

use crate::world::plan::{Aim, Plan, What};
use crate::world::{Broken, Network};

/// What became of a plan.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The smallest plan that was found.
    pub plan: Plan,
    /// How it breaks: the same invariant as in the beginning.
    pub broken: Broken,
    /// How many plans were run.
    pub runs: usize,
    /// Nothing that can be tried makes it smaller. False: the runs were used up before.
    pub done: bool,
}

/// Makes `plan`, which was seen to break as `broken` says, smaller. `run` runs a plan and tells what broke first; it is
/// called at most `most_runs` times.
pub fn shrink(
    plan: Plan,
    broken: Broken,
    most_runs: usize,
    run: &mut dyn FnMut(&Plan) -> Option<Broken>,
) -> Shrunk {
    let mut search = Search { plan, broken, runs: 0, most_runs, run };
    let done = search.until_nothing_helps();
    Shrunk { plan: search.plan, broken: search.broken, runs: search.runs, done }
}

struct Search<'a> {
    plan: Plan,
    broken: Broken,
    runs: usize,
    most_runs: usize,
    run: &'a mut dyn FnMut(&Plan) -> Option<Broken>,
}

impl Search<'_> {
    /// False: the runs are used up.
    fn until_nothing_helps(&mut self) -> bool {
        loop {
            let mut smaller = self.fewer_steps();
            smaller |= self.fewer_kinds();
            smaller |= self.simpler_shape();
            smaller |= self.simpler_steps();
            smaller |= self.shorter_pauses();
            if self.runs >= self.most_runs {
                return false;
            }
            if !smaller {
                return true;
            }
        }
    }

    /// Keeps the candidate when it breaks the same invariant.
    fn try_out(&mut self, candidate: Plan) -> bool {
        if self.runs >= self.most_runs {
            return false;
        }
        self.runs += 1;
        let Some(broken) = (self.run)(&candidate).filter(|it| it.invariant == self.broken.invariant) else {
            return false;
        };
        (self.plan, self.broken) = (candidate, broken);
        true
    }

    /// Leaves out runs of steps: halves first, single ones in the end. Late ones first, because most of what came after
    /// the failure goes at once.
    fn fewer_steps(&mut self) -> bool {
        let mut smaller = false;
        let mut size = self.plan.steps.len().div_ceil(2);
        while size > 0 {
            let mut end = self.plan.steps.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                smaller |= self.without_steps(start, end);
                end = start;
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        smaller
    }

    fn without_steps(&mut self, start: usize, end: usize) -> bool {
        let mut candidate = self.plan.clone();
        let left_out: Duration = candidate.steps.drain(start..end).map(|step| step.pause).sum();
        let later = candidate.clone();
        if self.try_out(candidate) {
            return true;
        }
        // Perhaps only the time was needed.
        let mut later = later;
        match start.checked_sub(1).and_then(|before| later.steps.get_mut(before)) {
            Some(step) if !left_out.is_zero() => step.pause += left_out,
            _ => return false,
        }
        self.try_out(later)
    }
    /// Leaves out whole kinds of faults.
    fn fewer_kinds(&mut self) -> bool {
        let kinds = self.plan.faults();
        let mut smaller = false;
        for kind in kinds {
            let candidate = self.plan.without(kind);
            smaller |= candidate != self.plan && self.try_out(candidate);
        }
        smaller
    }

    /// Makes the world an ordinary one, property by property.
    fn simpler_shape(&mut self) -> bool {
        let mut smaller = false;
        for change in SIMPLER_WORLDS {
            let mut candidate = self.plan.clone();
            change(&mut candidate);
            smaller |= candidate != self.plan && self.try_out(candidate);
        }
        smaller
    }

    /// Makes each step an ordinary one.
    fn simpler_steps(&mut self) -> bool {
        let mut smaller = false;
        for at in 0..self.plan.steps.len() {
            for change in SIMPLER_STEPS {
                let mut candidate = self.plan.clone();
                if let Some(step) = candidate.steps.get_mut(at) {
                    change(&mut step.what);
                }
                smaller |= candidate != self.plan && self.try_out(candidate);
            }
        }
        smaller
    }

    /// Shortens pauses: to nothing, else by half for as long as that goes.
    fn shorter_pauses(&mut self) -> bool {
        let mut smaller = false;
        for at in 0..self.plan.steps.len() {
            if self.with_pause(at, |_| Duration::ZERO) {
                smaller = true;
                continue;
            }
            while self.with_pause(at, |pause| whole_millis(pause / 2)) {
                smaller = true;
            }
        }
        smaller
    }

    fn with_pause(&mut self, at: usize, change: impl Fn(Duration) -> Duration) -> bool {
        let mut candidate = self.plan.clone();
        let Some(step) = candidate.steps.get_mut(at) else {
            return false;
        };
        let shorter = change(step.pause);
        if shorter >= step.pause {
            return false;
        }
        step.pause = shorter;
        self.try_out(candidate)
    }
}

/// Rounded down, so that halving comes to an end.
fn whole_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Ways to make the world around the steps an ordinary one.
const SIMPLER_WORLDS: [fn(&mut Plan); 16] = [
    |plan| plan.shape.network.jitter_us = 0,
    |plan| plan.shape.network.latency_us = Network::default().latency_us,
    |plan| plan.shape.name_servers = 1,
    |plan| plan.shape.brokers = 1,
    |plan| plan.shape.limits = Limits::default(),
    |plan| plan.shape.timing = Timing::default(),
    |plan| plan.shape.heartbeat_v2 = false,
    |plan| plan.shape.latency_fault = None,
    |plan| plan.shape.serialize_type = SerializeType::Json,
    |plan| plan.shape.client_seed = None,
    |plan| {
        // One client, unless all producers belong to others.
        if plan.shape.producers.iter().any(|producer| producer.client == 0) {
            plan.shape.producers.retain(|producer| producer.client == 0);
            plan.shape.clients = 1;
        }
    },
    |plan| plan.shape.producers.truncate(1),
    |plan| plan.ending.close = None,
    |plan| plan.ending.twice = false,
    |plan| plan.ending.withdraw = 0,
    |plan| plan.ending.within = Duration::ZERO,
];

/// Ways to make a step an ordinary one.
const SIMPLER_STEPS: [fn(&mut What); 4] = [
    |what| {
        if let What::Send(send) | What::UseReservation { send, .. } = what {
            (send.size, send.property) = (1, 0);
        }
    },
    |what| {
        if let What::Send(send) | What::UseReservation { send, .. } = what {
            (send.aim, send.one_way, send.retries) = (Aim::Any, false, None);
        }
    },
    |what| {
        if let What::Send(send) | What::UseReservation { send, .. } = what {
            (send.topic, send.producer) = (0, 0);
        }
    },
    |what| {
        if let What::Fault(fault) = what {
            fault.time = whole_millis(fault.time / 2);
        }
    },
];

#[cfg(test)]
#[path = "shrink_tests.rs"]
mod tests;
