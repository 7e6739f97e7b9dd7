//! Checks between the core and those who answer them.

use rocketmq_core::interface::{ProducerId, TransactionCheck};
use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

/// Checks between the core and those who answer them, in order. How many there are the core limits.
#[derive(Debug, Default)]
pub(crate) struct CheckQueues {
    /// For producers that somebody answers for.
    queues: BTreeMap<ProducerId, CheckQueue>,
    next_number: u64,
}

#[derive(Debug, Default)]
struct CheckQueue {
    checks: VecDeque<Box<TransactionCheck>>,
    /// Everyone who takes from it, and whom to wake.
    takers: BTreeMap<u64, Option<Waker>>,
}

impl CheckQueues {
    pub(crate) fn open(&mut self, producer: ProducerId) -> u64 {
        self.next_number += 1;
        self.queues.entry(producer).or_default().takers.insert(self.next_number, None);
        self.next_number
    }

    /// One who took goes away. When it was the last one, the checks that are left come back.
    pub(crate) fn close(
        &mut self,
        producer: ProducerId,
        number: u64,
    ) -> (Option<Waker>, VecDeque<Box<TransactionCheck>>) {
        let Some(queue) = self.queues.get_mut(&producer) else {
            return (None, VecDeque::new());
        };
        let waker = queue.takers.remove(&number).flatten();
        if !queue.takers.is_empty() {
            return (waker, VecDeque::new());
        }
        let left = self.queues.remove(&producer).map(|queue| queue.checks).unwrap_or_default();
        (waker, left)
    }

    pub(crate) fn pop(&mut self, producer: ProducerId) -> Option<Box<TransactionCheck>> {
        self.queues.get_mut(&producer)?.checks.pop_front()
    }

    /// Notes whom to wake for the next check; the waker of before comes back.
    pub(crate) fn wait(&mut self, producer: ProducerId, number: u64, waker: Waker) -> Option<Waker> {
        self.queues.get_mut(&producer)?.takers.get_mut(&number)?.replace(waker)
    }

    /// Puts a check in line, and adds to `wake` who waits for one. It comes back when nobody does.
    pub(crate) fn push(
        &mut self,
        check: Box<TransactionCheck>,
        wake: &mut Vec<Waker>,
    ) -> Option<Box<TransactionCheck>> {
        let Some(queue) = self.queues.get_mut(&check.producer) else {
            return Some(check);
        };
        queue.checks.push_back(check);
        wake.extend(queue.takers.values_mut().filter_map(Option::take));
        None
    }

    /// Everybody who waits is to look again.
    pub(crate) fn take_wakers(&mut self, wake: &mut Vec<Waker>) {
        for queue in self.queues.values_mut() {
            wake.extend(queue.takers.values_mut().filter_map(Option::take));
        }
    }
}
