//! What the headers of all messages of a run have in common, and what changes from one to the next.

use crate::unique_id::{CHANGING_DIGITS, UniqueIds};

/// `SEND_MESSAGE_V2`.
pub(crate) const CODE: u16 = 310;
/// The version that requests carry: 5.5.0.
pub(crate) const VERSION: u16 = 513;
pub(crate) const GROUP: &str = "bench-producer-group";
/// Milliseconds since 1970, until the year 2286.
pub(crate) const MILLIS_DIGITS: usize = 13;

/// Writes requests of one route in one form.
pub(crate) trait Encoder {
    /// Prepares what all messages have in common.
    fn new(common: &Common<'_>) -> Self;
    /// Adds a whole frame to `out`.
    fn encode(&self, out: &mut Vec<u8>, own: &Own);
}

/// What is the same for all messages.
pub(crate) struct Common<'a> {
    pub(crate) topic: &'a str,
    pub(crate) broker_name: &'a str,
    pub(crate) body: &'a [u8],
}

/// What each message has of its own.
pub(crate) struct Own {
    pub(crate) opaque: u32,
    pub(crate) queue_id: u16,
    /// The key without its `k`.
    pub(crate) key: u64,
    pub(crate) born: [u8; MILLIS_DIGITS],
    pub(crate) unique_id: [u8; CHANGING_DIGITS],
}

/// Numbers messages.
pub(crate) struct Numbering {
    queues: u16,
    next_queue: u16,
    next_key: u64,
    born: [u8; MILLIS_DIGITS],
    born_millis: u64,
    unique_ids: UniqueIds,
}

impl Numbering {
    pub(crate) fn new(queues: u16, now_millis: u64) -> Self {
        let mut numbering = Self {
            queues,
            next_queue: 0,
            next_key: 0,
            born: [b'0'; MILLIS_DIGITS],
            born_millis: 0,
            unique_ids: UniqueIds::new(now_millis),
        };
        numbering.set_time(now_millis);
        numbering
    }

    /// Says what time it is, from now on: once for a batch.
    pub(crate) fn set_time(&mut self, now_millis: u64) {
        if now_millis == self.born_millis {
            return;
        }
        self.born_millis = now_millis;
        self.unique_ids.set_time(now_millis);
        let mut rest = now_millis;
        for digit in self.born.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }

    #[inline]
    pub(crate) fn next(&mut self, opaque: u32) -> Own {
        let queue_id = self.next_queue;
        self.next_queue = if queue_id + 1 == self.queues { 0 } else { queue_id + 1 };
        let key = self.next_key;
        self.next_key += 1;
        Own { opaque, queue_id, key, born: self.born, unique_id: self.unique_ids.next() }
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
