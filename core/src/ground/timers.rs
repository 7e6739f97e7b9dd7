//! Exact deadlines, of which setting and unsetting allocate nothing in steady state.
//!
//! Deadlines of one kind, such as those of requests, are set nearly in order of time. So they stand in lanes, at the end
//! of which a later one is put in a few steps however many there are; one that fits into no lane goes into a heap. A
//! deadline that is unset inside a lane leaves its entry behind, to be passed over.

use super::slots::{Key, Slots};
use super::time::Instant;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Names one armed deadline of [`Timers`].
pub type TimerKey<K> = Key<Armed<K>>;

/// An armed deadline, as [`Timers`] keeps it.
#[derive(Debug)]
pub struct Armed<K> {
    at: Instant,
    what: K,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Lane(u8),
    Heap(u32),
}

/// Deadlines in order of time; those of the same instant in the order in which they were set.
#[derive(Debug)]
pub struct Timers<K> {
    /// Each in order; the first entry of each is armed.
    lanes: [VecDeque<Entry<K>>; LANES],
    heap: Vec<Entry<K>>,
    armed: Slots<Armed<K>>,
    sequence: u64,
    /// The earliest deadline, which is asked for after each step; [`Instant::NEVER`] when there is none.
    first: Instant,
}

#[derive(Debug)]
struct Entry<K> {
    at: Instant,
    sequence: u64,
    key: TimerKey<K>,
}

impl<K> Entry<K> {
    fn order(&self) -> (Instant, u64) {
        (self.at, self.sequence)
    }
}

impl<K> Clone for Entry<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Entry<K> {}

/// More than there are kinds of deadlines that are set all the time.
const LANES: usize = 4;
/// Children per node: four keep the heap shallow and its nodes in one cache line.
const ARITY: usize = 4;

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self {
            lanes: core::array::from_fn(|_| VecDeque::new()),
            heap: Vec::new(),
            armed: Slots::default(),
            sequence: 0,
            first: Instant::NEVER,
        }
    }
}

impl<K: Copy> Timers<K> {
    /// Number of armed deadlines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.armed.len()
    }

    /// True when nothing is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// Arms a deadline. One at [`Instant::NEVER`] is kept, and never due.
    pub fn set(&mut self, at: Instant, what: K) -> TimerKey<K> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        self.first = self.first.min(at);
        if let Some((number, lane)) = fitting(&mut self.lanes, at) {
            let key = self.armed.insert(Armed { at, what, place: Place::Lane(number) });
            lane.push_back(Entry { at, sequence, key });
            // Entries that were left behind are swept in bulk.
            if lane.len() > self.armed.len() * 2 + 64 {
                let armed = &self.armed;
                lane.retain(|entry| armed.get(entry.key).is_some());
            }
            return key;
        }
        let place = self.heap.len();
        let armed = Armed { at, what, place: Place::Heap(u32::try_from(place).unwrap_or(u32::MAX)) };
        let key = self.armed.insert(armed);
        self.heap.push(Entry { at, sequence, key });
        self.rise(place);
        key
    }

    /// Disarms a deadline; a stale key is ignored.
    pub fn unset(&mut self, key: TimerKey<K>) {
        let Some(armed) = self.armed.remove(key) else {
            return;
        };
        match armed.place {
            Place::Lane(number) => self.tidy(number),
            Place::Heap(place) => self.take_out(place as usize),
        }
        if armed.at == self.first {
            self.find_first();
        }
    }

    /// The earliest deadline, [`Instant::NEVER`] when there is none.
    #[must_use]
    #[inline]
    pub fn next(&self) -> Instant {
        self.first
    }

    fn find_first(&mut self) {
        let lanes = self.lanes.iter().filter_map(VecDeque::front);
        let first = lanes.chain(self.heap.first()).map(|entry| entry.at).min();
        self.first = first.unwrap_or(Instant::NEVER);
    }

    /// Takes the earliest deadline that is not later than `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.first > now {
            return None;
        }
        let lanes = self.lanes.iter().filter_map(VecDeque::front);
        let first = *lanes.chain(self.heap.first()).min_by_key(|entry| entry.order())?;
        if first.at > now || first.at == Instant::NEVER {
            return None;
        }
        let armed = self.armed.remove(first.key)?;
        match armed.place {
            Place::Lane(number) => self.tidy(number),
            Place::Heap(place) => self.take_out(place as usize),
        }
        self.find_first();
        Some(armed.what)
    }

    /// Lets a lane begin with an armed deadline again.
    fn tidy(&mut self, number: u8) {
        let Some(lane) = self.lanes.get_mut(usize::from(number)) else {
            return;
        };
        while let Some(first) = lane.front()
            && self.armed.get(first.key).is_none()
        {
            lane.pop_front();
        }
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
        self.heap.get(place).map_or((Instant::NEVER, u64::MAX), Entry::order)
    }

    fn note_place(&mut self, place: usize) {
        let Some(entry) = self.heap.get(place) else {
            return;
        };
        if let Some(armed) = self.armed.get_mut(entry.key) {
            armed.place = Place::Heap(u32::try_from(place).unwrap_or(u32::MAX));
        }
    }
}

/// The lane whose last deadline is the latest that is not later than `at`, with its number. One that is empty is the last
/// choice: it may be needed for another kind of deadlines. What is never due would block a lane.
fn fitting<K>(lanes: &mut [VecDeque<Entry<K>>; LANES], at: Instant) -> Option<(u8, &mut VecDeque<Entry<K>>)> {
    if at == Instant::NEVER {
        return None;
    }
    let fits = lanes.iter_mut().enumerate().filter_map(|(number, lane)| {
        let last = lane.back().map(|entry| entry.at);
        (last <= Some(at)).then_some((last, number, lane))
    });
    let (_, number, lane) = fits.max_by_key(|(last, ..)| *last)?;
    Some((number as u8, lane))
}

#[cfg(test)]
mod tests {
    use super::{TimerKey, Timers};
    use crate::ground::{Instant, Rng};
    use alloc::collections::VecDeque;
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
        // An interpreter needs a hundred times as long.
        for step in 0..if cfg!(miri) { 120 } else { 20_000_u64 } {
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
            assert_eq!(timers.next(), model.iter().map(|(at, ..)| *at).min().unwrap_or(Instant::NEVER));
        }
    }

    #[test]
    fn lanes_do_not_grow_with_what_was_unset() {
        let mut timers = Timers::default();
        // An old one holds the lane up.
        timers.set(Instant::from_micros(1), 0);
        for n in 2..if cfg!(miri) { 200 } else { 10_000 } {
            let key = timers.set(Instant::from_micros(n), n);
            timers.unset(key);
        }
        let entries: usize = timers.lanes.iter().map(VecDeque::len).sum();
        assert!(entries <= 2 + 66, "{entries} entries");
        assert_eq!((timers.len(), timers.next()), (1, Instant::from_micros(1)));
    }

    #[test]
    fn kinds_in_order_need_no_heap() {
        let mut timers = Timers::default();
        for n in 0..if cfg!(miri) { 20 } else { 1_000 } {
            for wait in [3_000, 10, 30_000, 500] {
                timers.set(Instant::from_micros(n + wait), ());
            }
        }
        assert!(timers.heap.is_empty(), "{} in the heap", timers.heap.len());
    }
}
