//! Exact deadlines: an indexed heap, so that setting and unsetting allocate nothing in steady state.

use super::slots::{Key, Slots};
use super::time::Instant;
use alloc::vec::Vec;

/// Names one armed deadline of [`Timers`].
pub type TimerKey<K> = Key<Armed<K>>;

/// An armed deadline, as [`Timers`] keeps it.
#[derive(Debug)]
pub struct Armed<K> {
    what: K,
    place: u32,
}

/// Deadlines in order of time; those of the same instant in the order in which they were set.
#[derive(Debug)]
pub struct Timers<K> {
    heap: Vec<Entry<K>>,
    armed: Slots<Armed<K>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry<K> {
    at: Instant,
    sequence: u64,
    key: TimerKey<K>,
}

impl<K> Clone for Entry<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Entry<K> {}

/// Children per node: four keep the heap shallow and its nodes in one cache line.
const ARITY: usize = 4;

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { heap: Vec::new(), armed: Slots::default(), sequence: 0 }
    }
}

impl<K: Copy> Timers<K> {
    /// Number of armed deadlines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// True when nothing is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Arms a deadline. One at [`Instant::NEVER`] is kept, and never due.
    pub fn set(&mut self, at: Instant, what: K) -> TimerKey<K> {
        let place = self.heap.len();
        let key = self.armed.insert(Armed { what, place: u32::try_from(place).unwrap_or(u32::MAX) });
        self.sequence = self.sequence.wrapping_add(1);
        self.heap.push(Entry { at, sequence: self.sequence, key });
        self.rise(place);
        key
    }

    /// Disarms a deadline; a stale key is ignored.
    pub fn unset(&mut self, key: TimerKey<K>) {
        if let Some(armed) = self.armed.remove(key) {
            self.take_out(armed.place as usize);
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.heap.first().map(|entry| entry.at)
    }

    /// Takes the earliest deadline that is not later than `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        let first = *self.heap.first()?;
        if first.at > now || first.at == Instant::NEVER {
            return None;
        }
        let armed = self.armed.remove(first.key)?;
        self.take_out(0);
        Some(armed.what)
    }

    fn take_out(&mut self, place: usize) {
        if place >= self.heap.len() {
            return;
        }
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.note_place(place);
            self.rise(place);
            self.sink(place);
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if self.order(parent) <= self.order(place) {
                break;
            }
            self.heap.swap(parent, place);
            self.note_place(place);
            place = parent;
        }
        self.note_place(place);
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let first = place * ARITY + 1;
            let last = (first + ARITY).min(self.heap.len());
            let Some(least) = (first..last).min_by_key(|child| self.order(*child)) else {
                break;
            };
            if self.order(place) <= self.order(least) {
                break;
            }
            self.heap.swap(place, least);
            self.note_place(place);
            place = least;
        }
        self.note_place(place);
    }

    fn order(&self, place: usize) -> (Instant, u64) {
        self.heap.get(place).map_or((Instant::NEVER, u64::MAX), |entry| (entry.at, entry.sequence))
    }

    fn note_place(&mut self, place: usize) {
        let Some(entry) = self.heap.get(place) else {
            return;
        };
        if let Some(armed) = self.armed.get_mut(entry.key) {
            armed.place = u32::try_from(place).unwrap_or(u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TimerKey, Timers};
    use crate::ground::{Instant, Rng};
    use alloc::vec::Vec;

    #[test]
    fn equal_deadlines_come_in_the_order_they_were_set() {
        let mut timers = Timers::default();
        for n in 0..100 {
            timers.set(Instant::from_micros(5), n);
        }
        for n in 0..100 {
            assert_eq!(timers.pop_due(Instant::from_micros(5)), Some(n));
        }
        assert_eq!(timers.pop_due(Instant::NEVER), None);
    }

    #[test]
    fn never_is_never_due() {
        let mut timers = Timers::default();
        timers.set(Instant::NEVER, ());
        assert_eq!(timers.pop_due(Instant::NEVER), None);
        assert_eq!(timers.len(), 1);
    }

    #[test]
    fn random_use_agrees_with_a_sorted_list() {
        let mut rng = Rng::new(11);
        let mut timers = Timers::default();
        let mut model: Vec<(Instant, u64, TimerKey<u64>)> = Vec::new();
        for step in 0..20_000_u64 {
            match rng.below(5) {
                0..=2 => {
                    let at = Instant::from_micros(step / 10 + rng.below(500));
                    let key = timers.set(at, step);
                    model.push((at, step, key));
                }
                3 if !model.is_empty() => {
                    let at = usize::try_from(rng.below(model.len() as u64)).unwrap();
                    let (_, _, key) = model.swap_remove(at);
                    timers.unset(key);
                    timers.unset(key);
                }
                _ => {
                    let now = Instant::from_micros(step / 10);
                    model.sort_by_key(|(at, step, _)| (*at, *step));
                    let expected = model.first().filter(|(at, ..)| *at <= now).map(|(_, n, _)| *n);
                    assert_eq!(timers.pop_due(now), expected);
                    if expected.is_some() {
                        model.remove(0);
                    }
                }
            }
            assert_eq!(timers.len(), model.len());
            assert_eq!(timers.next(), model.iter().map(|(at, ..)| *at).min());
        }
    }
}
