//! Where answers wait for their callers: a table of slots whose numbers go stale.

use rocketmq_core::interface::{Answer, CommandId};
use std::task::Waker;

/// An empty table gives memory beyond this many slots back.
const KEEP: usize = 1_024;
const NONE: u32 = u32::MAX;

/// What a slot is used for. Waker and answer lie beside it, so that a change moves nothing else.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Free, and the next free one behind it.
    Free(u32),
    /// A caller waits; the waker is that of its last poll.
    Waiting,
    /// The answer is here and its caller has not fetched it; true: it was woken for it.
    Ready(bool),
    /// Nobody wants the answer any more.
    Abandoned,
}

#[derive(Debug)]
struct Slot {
    life: u32,
    state: State,
    waker: Option<Waker>,
    answer: Option<Answer>,
}

/// What a caller finds when it looks for its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    /// Here it is; the slot is free again.
    Ready,
    /// Not yet.
    Waiting,
    /// There is no such slot: a slip of the caller, or the answer was fetched before.
    Stale,
}

/// What became of an answer that was handed in.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each send")]
pub(crate) enum Delivered {
    /// A caller waits for it: wake it after unlocking.
    Wake(Waker),
    /// A caller will find it.
    Kept,
    /// Nobody wants it.
    Unwanted(Answer),
}

/// The table. A number is the slot's index and its life, so a stale one finds nothing. Freed slots are
/// used again newest first: they are the ones that a processor's cache still holds.
#[derive(Debug)]
pub(crate) struct Completions {
    slots: Vec<Slot>,
    free: u32,
    used: usize,
    /// Callers that were woken for an answer and have not fetched it.
    roused: usize,
    /// The life of slots that are made anew: above all lives ever given, so that shrinking revives no number.
    first_life: u32,
    highest_life: u32,
    /// Wakers to be dropped behind the lock: the last waker of a task may drop the task, and with it
    /// futures that want the lock.
    pub(crate) retired: Vec<Waker>,
}

impl Default for Completions {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: NONE,
            used: 0,
            roused: 0,
            first_life: 0,
            highest_life: 0,
            retired: Vec::new(),
        }
    }
}

impl Completions {
    /// A slot whose caller waits, without a waker as yet.
    pub(crate) fn open(&mut self) -> CommandId {
        self.insert(State::Waiting)
    }

    /// A slot whose answer nobody wants.
    pub(crate) fn open_abandoned(&mut self) -> CommandId {
        self.insert(State::Abandoned)
    }

    fn insert(&mut self, state: State) -> CommandId {
        self.used += 1;
        let index = self.free;
        if let Some(slot) = self.slots.get_mut(index as usize)
            && let State::Free(next) = slot.state
        {
            self.free = next;
            slot.life = slot.life.wrapping_add(1);
            self.highest_life = self.highest_life.max(slot.life);
            slot.state = state;
            return number(index, slot.life);
        }
        // Memory ends long before the numbers do: the core's limits are far smaller.
        let index = u32::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(Slot { life: self.first_life, state, waker: None, answer: None });
        number(index, self.first_life)
    }

    /// Fetches the answer, or remembers whom to wake for it.
    ///
    /// The answer goes straight to where its caller wants it: it is large, and each hand that it goes through by value
    /// is a copy.
    pub(crate) fn look(&mut self, id: CommandId, waker: Option<&Waker>, into: &mut Option<Answer>) -> Look {
        let Some(slot) = find(&mut self.slots, id) else {
            return Look::Stale;
        };
        match slot.state {
            State::Waiting => {
                if let Some(waker) = waker
                    && !slot.waker.as_ref().is_some_and(|known| known.will_wake(waker))
                {
                    let old = slot.waker.replace(waker.clone());
                    self.retired.extend(old);
                }
                Look::Waiting
            }
            State::Ready(_) => {
                std::mem::swap(into, &mut slot.answer);
                self.free(id);
                Look::Ready
            }
            State::Abandoned | State::Free(_) => Look::Stale,
        }
    }

    /// Hands an answer in. A number that is not in use finds nobody.
    pub(crate) fn deliver(&mut self, id: CommandId, answer: Answer) -> Delivered {
        let Some(slot) = find(&mut self.slots, id) else {
            return Delivered::Unwanted(answer);
        };
        match slot.state {
            State::Waiting => {
                let waker = slot.waker.take();
                slot.answer = Some(answer);
                slot.state = State::Ready(waker.is_some());
                self.roused += usize::from(waker.is_some());
                waker.map_or(Delivered::Kept, Delivered::Wake)
            }
            State::Abandoned => {
                self.free(id);
                Delivered::Unwanted(answer)
            }
            // The core answers once; a second answer would be its slip and reaches nobody.
            State::Ready(_) | State::Free(_) => Delivered::Unwanted(answer),
        }
    }

    /// The caller goes away. Returns an answer that it had not fetched.
    pub(crate) fn abandon(&mut self, id: CommandId) -> Option<Answer> {
        let slot = find(&mut self.slots, id)?;
        match slot.state {
            State::Waiting => {
                slot.state = State::Abandoned;
                self.retired.extend(slot.waker.take());
                None
            }
            State::Ready(_) => {
                let answer = slot.answer.take();
                self.free(id);
                answer
            }
            State::Abandoned | State::Free(_) => None,
        }
    }

    /// Frees a slot at once, for a command whose answer may never come.
    pub(crate) fn forget(&mut self, id: CommandId) {
        if let Some(slot) = find(&mut self.slots, id) {
            self.retired.extend(slot.waker.take());
            slot.answer = None;
            self.free(id);
        }
    }

    /// Takes the wakers of all who wait, for the end of the driver.
    pub(crate) fn take_wakers(&mut self, into: &mut Vec<Waker>) {
        for slot in &mut self.slots {
            into.extend(slot.waker.take());
        }
    }

    /// Slots in use: commands under way, and answers that were not fetched.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Callers that were woken and have not had their turn: they may be about to give more.
    pub(crate) fn roused(&self) -> usize {
        self.roused
    }

    fn free(&mut self, id: CommandId) {
        let Some(slot) = find(&mut self.slots, id) else {
            return;
        };
        match slot.state {
            State::Free(_) => return,
            State::Ready(true) => self.roused = self.roused.saturating_sub(1),
            State::Ready(false) | State::Waiting | State::Abandoned => {}
        }
        slot.state = State::Free(self.free);
        self.free = parts(id).0;
        self.used -= 1;
        if self.used == 0 && self.slots.len() > KEEP {
            self.slots.clear();
            self.slots.shrink_to(KEEP);
            self.free = NONE;
            self.first_life = self.highest_life.wrapping_add(1);
            self.highest_life = self.first_life;
        }
    }
}

fn find(slots: &mut [Slot], id: CommandId) -> Option<&mut Slot> {
    let (index, life) = parts(id);
    slots.get_mut(index as usize).filter(|slot| slot.life == life)
}

fn number(index: u32, life: u32) -> CommandId {
    CommandId(u64::from(life) << 32 | u64::from(index))
}

fn parts(id: CommandId) -> (u32, u32) {
    // Both halves fit by construction.
    ((id.0 & u64::from(u32::MAX)) as u32, (id.0 >> 32) as u32)
}

#[cfg(test)]
#[path = "completions_tests.rs"]
mod tests;
