//! The events of a world, in the order in which they happen: by time, and by the order in which they were planned.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Things that will happen.
pub(super) struct Events<E> {
    heap: BinaryHeap<Planned<E>>,
    sequence: u64,
}

struct Planned<E> {
    at: u64,
    sequence: u64,
    event: E,
}

impl<E> Planned<E> {
    fn order(&self) -> (u64, u64) {
        (self.at, self.sequence)
    }
}

/// The first is the greatest: that is what the heap hands out.
impl<E> Ord for Planned<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.order().cmp(&self.order())
    }
}

impl<E> PartialOrd for Planned<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Planned<E> {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl<E> Eq for Planned<E> {}

impl<E> Default for Events<E> {
    fn default() -> Self {
        Events { heap: BinaryHeap::new(), sequence: 0 }
    }
}

impl<E> Events<E> {
    /// Plans an event behind all others of the same time.
    pub(super) fn plan(&mut self, at: u64, event: E) {
        let sequence = self.next_sequence();
        self.heap.push(Planned { at, sequence, event });
    }

    /// A place in the order, for something that is kept elsewhere and happens among the events.
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Time and place of the first event.
    pub(super) fn first(&self) -> Option<(u64, u64)> {
        self.heap.peek().map(Planned::order)
    }

    pub(super) fn pop(&mut self) -> Option<E> {
        self.heap.pop().map(|planned| planned.event)
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn events_come_by_time_and_then_in_the_order_of_planning() {
        let mut events = Events::default();
        for (number, at) in [5, 3, 5, 1, 3].into_iter().enumerate() {
            events.plan(at, number);
        }
        assert_eq!(events.first(), Some((1, 4)));
        let order: Vec<usize> = std::iter::from_fn(|| events.pop()).collect();
        assert_eq!(order, [3, 1, 4, 0, 2]);
        assert_eq!(events.first(), None);
    }
}
