//! Torture: the steps of a session that an operating system may refuse are counted, and one of them fails.

use rocketmq_core::client::CloseReason;

use super::{Event, PipeId, World};

/// How late a late step is, in microseconds.
const LATE_US: u64 = 2_000_000;

/// A step that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A connection is opened.
    Connect,
    /// A socket takes bytes.
    Write,
    /// A socket gives bytes.
    Read,
    /// A timer goes off.
    Timer,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepFailure {
    /// Not at all: refused, or the connection is reset. A timer goes off three times.
    Reset,
    /// Half of the bytes, and then the connection is reset.
    Half,
    /// One byte, and the others right after it.
    OneByte,
    /// Two seconds later.
    Late,
}

impl StepFailure {
    /// All of them.
    pub const ALL: [StepFailure; 4] =
        [StepFailure::Reset, StepFailure::Half, StepFailure::OneByte, StepFailure::Late];
}

/// The count, and the step that fails.
#[derive(Debug, Default)]
pub(super) struct Torture {
    steps: u64,
    fails: Option<(u64, StepFailure)>,
    failed: Option<Step>,
}

impl World {
    /// Lets one step fail: that of this number, from 0.
    pub fn fail_step(&mut self, number: u64, failure: StepFailure) {
        self.torture.fails = Some((number, failure));
    }

    /// How many steps there were that can fail.
    pub fn fallible_steps(&self) -> u64 {
        self.torture.steps
    }

    /// The step that failed, once it has.
    pub fn failed_step(&self) -> Option<Step> {
        self.torture.failed
    }

    fn fallible(&mut self, step: Step) -> Option<StepFailure> {
        let number = self.torture.steps;
        self.torture.steps += 1;
        let (_, failure) = self.torture.fails.filter(|(fails, _)| *fails == number)?;
        self.torture.failed = Some(step);
        let at = self.now_us;
        self.story.tell(at, || format!("-- step {number}, {step:?}, fails: {failure:?}"));
        Some(failure)
    }

    /// True when this connection is not opened now.
    pub(super) fn fails_to_connect(&mut self, id: PipeId) -> bool {
        match self.fallible(Step::Connect) {
            None | Some(StepFailure::OneByte) => return false,
            Some(StepFailure::Late) => self.plan(self.now_us + LATE_US, Event::ConnectDone(id)),
            Some(StepFailure::Reset | StepFailure::Half) => self.refuse(id, CloseReason::Refused),
        }
        true
    }

    /// True when these bytes are not taken now; else there may be fewer of them.
    pub(super) fn fails_to_write(&mut self, id: PipeId, bytes: &mut Vec<u8>) -> bool {
        match self.fallible(Step::Write) {
            None => {}
            Some(StepFailure::Reset) => {
                self.reset(id);
                return true;
            }
            Some(StepFailure::Late) => {
                let until = self.now_us + LATE_US;
                if let Some(pipe) = self.pipes.get_mut(&id) {
                    (pipe.stalled_until, pipe.hindered_since) = (until, Some(self.now_us));
                }
                self.plan_write(id, until);
                return true;
            }
            Some(StepFailure::OneByte) => bytes.truncate(1),
            Some(StepFailure::Half) => {
                bytes.truncate(bytes.len() / 2);
                if bytes.is_empty() {
                    self.reset(id);
                    return true;
                }
                self.cut_up(id, bytes.len());
            }
        }
        false
    }

    /// How many bytes are read at most; none when none are.
    pub(super) fn fails_to_read(&mut self, id: PipeId) -> Option<usize> {
        let Some(pipe) = self.pipes.get(&id).filter(|pipe| pipe.is_live() && !pipe.arrived.is_empty()) else {
            return Some(usize::MAX);
        };
        let half = pipe.arrived.len() / 2;
        match self.fallible(Step::Read) {
            None => return Some(usize::MAX),
            Some(StepFailure::OneByte) => return Some(1),
            Some(StepFailure::Late) => {
                if let Some(pipe) = self.pipes.get_mut(&id) {
                    pipe.read_planned = true;
                }
                self.plan(self.now_us + LATE_US, Event::Read(id));
            }
            Some(StepFailure::Half) if half > 0 => {
                self.cut_down(id, half);
                return Some(half);
            }
            Some(StepFailure::Half | StepFailure::Reset) => self.reset(id),
        }
        None
    }

    /// True when this timer goes off later.
    pub(super) fn fails_to_wake(&mut self, client: usize) -> bool {
        match self.fallible(Step::Timer) {
            None => {}
            Some(StepFailure::Late) => {
                let until = self.now_us + LATE_US;
                // Whatever is due meanwhile is late for that reason.
                self.slack_us += LATE_US;
                let grace = until + self.network.granule_us() + 1_000;
                for (due, client, id) in std::mem::take(&mut self.due) {
                    self.due.insert((due.max(grace), client, id));
                    self.due_of.insert((client, id), due.max(grace));
                }
                self.clients[client].timer = Some((until, self.events.next_sequence()));
                return true;
            }
            Some(StepFailure::Reset | StepFailure::Half | StepFailure::OneByte) => {
                for _ in 0..2 {
                    self.plan(self.now_us, Event::Tick { client });
                }
            }
        }
        false
    }
}
