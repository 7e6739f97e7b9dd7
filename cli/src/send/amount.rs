//! How many messages there will be, and where their bodies come from.

use std::io::{self, BufReader};

use bytes::Bytes;
use rocketmq_driver::ProducerConfig;

use super::source::Source;
use crate::args::SendArgs;

impl SendArgs {
    /// How many messages there will be, if that is known.
    pub(super) fn total(&self) -> Option<u64> {
        match (&self.size, &self.body) {
            (None, None) => self.count,
            _ => Some(self.count.unwrap_or(1)),
        }
    }

    /// Senders that can have something to do at the same time.
    pub(super) fn lanes(&self) -> usize {
        let total = self.total().and_then(|total| usize::try_from(total).ok());
        self.in_flight.min(total.unwrap_or(usize::MAX))
    }

    /// Copies of a message without a verdict that may exist.
    pub(super) fn most_attempts(&self) -> u32 {
        if self.one_way { 1 } else { self.retries.saturating_add(1) }
    }

    pub(super) fn source(&self) -> io::Result<Source> {
        let body = match (&self.size, &self.body) {
            (Some(size), _) => Bytes::from(vec![b'x'; *size]),
            (None, Some(body)) => Bytes::from(body.clone()),
            (None, None) => {
                let input = BufReader::new(io::stdin());
                let most = self.count.unwrap_or(u64::MAX);
                let longest = ProducerConfig::new(self.group.clone()).max_message_size;
                return Source::lines(input, most, longest);
            }
        };
        Ok(Source::repeated(body, self.count.unwrap_or(1)))
    }
}
