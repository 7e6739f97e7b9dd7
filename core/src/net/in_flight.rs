//! The requests of one connection that wait for their answers. The opaque is a slot and its life, so an
//! answer that comes late, twice or out of nowhere finds nobody.

use super::RequestKey;
use crate::interface::Stray;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Freed slots rest until so many others are free too, so that a life comes round again only after
/// millions of requests.
const RESTING: usize = 1_024;

/// Table from opaque to request.
#[derive(Debug)]
pub(crate) struct InFlight {
    slots: Vec<Slot>,
    free: VecDeque<u16>,
    used: usize,
    limit: usize,
    first_life: u16,
}

#[derive(Debug)]
struct Slot {
    life: u16,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Waiting(RequestKey),
    Answered,
    Abandoned,
}

impl InFlight {
    /// A table of at most `limit` requests; lives start at `first_life`.
    pub(crate) fn new(limit: usize, first_life: u16) -> Self {
        Self { slots: Vec::new(), free: VecDeque::new(), used: 0, limit: limit.min(1 << 16), first_life }
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    pub(crate) fn is_full(&self) -> bool {
        self.used >= self.limit
    }

    /// Gives the request a number, unless the table is full.
    pub(crate) fn insert(&mut self, request: RequestKey) -> Option<i32> {
        if self.is_full() {
            return None;
        }
        let may_grow = self.slots.len() < self.limit.clamp(RESTING, 1 << 16);
        let index = if self.free.len() > RESTING || !may_grow {
            self.free.pop_front()?
        } else {
            let index = u16::try_from(self.slots.len()).ok()?;
            self.slots.push(Slot { life: self.first_life.wrapping_sub(1), state: State::Abandoned });
            index
        };
        let slot = self.slots.get_mut(usize::from(index))?;
        slot.life = slot.life.wrapping_add(1);
        slot.state = State::Waiting(request);
        self.used += 1;
        Some(opaque(index, slot.life))
    }

    /// An answer came: takes its request out, or says what kind of stray it is.
    pub(crate) fn answered(&mut self, opaque: i32) -> Result<RequestKey, Stray> {
        self.end(opaque, State::Answered)
    }

    /// Nobody waits for this answer any more.
    pub(crate) fn abandon(&mut self, opaque: i32) {
        // A stray here only says that the request had ended already.
        let _ended_before = self.end(opaque, State::Abandoned);
    }

    fn end(&mut self, opaque: i32, how: State) -> Result<RequestKey, Stray> {
        let (index, life) = parts(opaque);
        let slot = self.slots.get_mut(usize::from(index)).ok_or(Stray::Foreign)?;
        if slot.life != life {
            let ago = slot.life.wrapping_sub(life);
            let lived = slot.life.wrapping_sub(self.first_life);
            return Err(if ago <= lived { Stray::Late } else { Stray::Foreign });
        }
        match slot.state {
            State::Waiting(request) => {
                slot.state = how;
                self.free.push_back(index);
                self.used -= 1;
                Ok(request)
            }
            State::Answered => Err(Stray::Duplicate),
            State::Abandoned => Err(Stray::Late),
        }
    }

    /// All requests that wait.
    pub(crate) fn requests(&self) -> impl Iterator<Item = RequestKey> + '_ {
        self.slots.iter().filter_map(|slot| match slot.state {
            State::Waiting(request) => Some(request),
            _ => None,
        })
    }
}

fn opaque(index: u16, life: u16) -> i32 {
    (u32::from(life) << 16 | u32::from(index)).cast_signed()
}

fn parts(opaque: i32) -> (u16, u16) {
    let [a, b, c, d] = opaque.cast_unsigned().to_be_bytes();
    (u16::from_be_bytes([c, d]), u16::from_be_bytes([a, b]))
}

#[cfg(test)]
#[path = "in_flight_map_tests.rs"]
mod map_tests;
#[cfg(test)]
mod tests {
    use super::{InFlight, RESTING, parts};
    use crate::ground::Key;
    use crate::interface::Stray;
    use alloc::vec::Vec;

    #[test]
    fn strays_are_told_apart() {
        let mut table = InFlight::new(10, 0xFFFF);
        let first = table.insert(Key::from_parts(1, 1)).unwrap();
        assert_eq!(table.answered(first), Ok(Key::from_parts(1, 1)));
        assert_eq!(table.answered(first), Err(Stray::Duplicate));
        let second = table.insert(Key::from_parts(2, 2)).unwrap();
        table.abandon(second);
        assert_eq!(table.answered(second), Err(Stray::Late));
        assert_eq!(table.answered(0x0003_7FFF), Err(Stray::Foreign));
        assert_eq!(table.answered(first.wrapping_add(1 << 16)), Err(Stray::Foreign));
        assert_eq!(table.len(), 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many steps for an interpreter")]
    fn a_slot_rests_before_it_is_used_again() {
        let mut table = InFlight::new(4, 5);
        let mut seen = Vec::new();
        for n in 0..3 * u32::try_from(RESTING).unwrap() {
            let opaque = table.insert(Key::from_parts(n, 0)).unwrap();
            assert!(!seen.contains(&opaque), "used twice");
            seen.push(opaque);
            assert_eq!(table.answered(opaque), Ok(Key::from_parts(n, 0)));
        }
        let (_, life) = parts(seen[2 * RESTING + 10]);
        assert_eq!(life, 7);
        assert_eq!(table.answered(seen[0]), Err(Stray::Late));
    }

    #[test]
    fn the_limit_holds() {
        let mut table = InFlight::new(2, 0);
        let one = table.insert(Key::from_parts(1, 0)).unwrap();
        assert!(table.insert(Key::from_parts(2, 0)).is_some());
        assert_eq!(table.insert(Key::from_parts(3, 0)), None);
        table.abandon(one);
        assert!(table.insert(Key::from_parts(3, 0)).is_some());
        assert_eq!(table.requests().count(), 2);
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many steps for an interpreter")]
    fn all_of_the_sixteen_bits_can_be_used() {
        let mut table = InFlight::new(1 << 16, 0);
        for n in 0..1 << 16 {
            assert!(table.insert(Key::from_parts(n, 0)).is_some());
        }
        assert_eq!(table.insert(Key::from_parts(0, 1)), None);
        table.abandon(77);
        assert!(table.insert(Key::from_parts(0, 1)).is_some());
    }
}
