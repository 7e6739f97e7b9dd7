//! The records of one producer: the queue in which they wait for others to share a message with, and when it is looked at.

use super::producers::ProducerTimer;
use crate::body::TraceKeys;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, GroupName};
use crate::ground::{Instant, TimerKey};
use crate::interface::TraceConfig;
use crate::message::MAX_PROPERTIES_LEN;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

/// Keys of one trace message in bytes: what a message may have, without its other properties.
const MOST_KEYS: usize = MAX_PROPERTIES_LEN - 64;
/// Trace messages of one producer that may be under way.
const MOST_UNDER_WAY: usize = 4;
/// Brokers that want no records, as far as they are remembered.
const MOST_SWITCHED_OFF: usize = 1_024;

/// The records of one producer.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) config: TraceConfig,
    pub(super) group: GroupName,
    queue: VecDeque<Record>,
    /// Of the queue.
    waiting_bytes: usize,
    /// Of messages under way.
    under_way_bytes: usize,
    under_way_records: usize,
    under_way: usize,
    pub(super) timer: Option<(Instant, TimerKey<ProducerTimer>)>,
    /// What waits goes out, however little it is.
    pub(super) overdue: bool,
    /// After a message that was not stored.
    rests_until: Instant,
    /// No further records come.
    retired: bool,
    /// Brokers that said of their last message that they want no records.
    pub(super) switched_off: BTreeSet<BrokerName>,
    /// An address that was written before.
    pub(super) host: Option<(Endpoint, String)>,
}

/// A record as it is sent.
#[derive(Debug)]
struct Record {
    text: String,
    found_by: TraceKeys,
    /// Bytes of the texts by which it is found, with a blank behind each.
    keys_len: usize,
}

/// The content of one trace message.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) body: String,
    /// Separated by blanks.
    pub(super) keys: String,
    pub(super) records: usize,
}

impl Record {
    fn new(write: impl FnOnce(&mut String) -> TraceKeys) -> Self {
        let mut text = String::new();
        let mut found_by = write(&mut text);
        let mut keys_len = found_by.msg_id.len() + 1;
        match &found_by.keys {
            Some(keys) if keys_len + keys.len() < MOST_KEYS => keys_len += keys.len() + 1,
            // It can still be found by its id.
            _ => found_by.keys = None,
        }
        Self { text, found_by, keys_len }
    }

    /// The texts by which it is found.
    fn keys(&self) -> impl Iterator<Item = &str> {
        let part = |range: &core::ops::Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let keys = self.found_by.keys.as_ref().map_or("", part);
        core::iter::once(part(&self.found_by.msg_id)).chain(keys.split(' ').filter(|key| !key.is_empty()))
    }
}

impl Tracer {
    pub(super) fn new(config: TraceConfig, group: GroupName) -> Self {
        Self {
            config,
            group,
            queue: VecDeque::new(),
            waiting_bytes: 0,
            under_way_bytes: 0,
            under_way_records: 0,
            under_way: 0,
            timer: None,
            overdue: false,
            rests_until: Instant::ZERO,
            retired: false,
            switched_off: BTreeSet::new(),
            host: None,
        }
    }

    /// Records that wait or are on their way, and their bytes.
    pub(super) fn memory(&self) -> (usize, usize) {
        (self.queue.len() + self.under_way_records, self.waiting_bytes + self.under_way_bytes)
    }

    pub(super) fn is_done(&self) -> bool {
        self.retired && self.queue.is_empty() && self.under_way == 0
    }

    /// True when another record finds room.
    fn has_room(&self, bytes: usize) -> bool {
        self.queue.len() < self.config.queue_records
            && bytes <= self.config.batch_bytes
            && self.memory().1.saturating_add(bytes) <= self.config.queue_bytes
    }

    /// Takes a record; false when there is no room for it. It is not even written then, if the queue is full.
    pub(super) fn take(&mut self, write: impl FnOnce(&mut String) -> TraceKeys) -> bool {
        if !self.has_room(0) {
            return false;
        }
        let record = Record::new(write);
        if !self.has_room(record.text.len()) {
            return false;
        }
        self.waiting_bytes += record.text.len();
        self.queue.push_back(record);
        true
    }

    /// What waits fills a message.
    pub(super) fn fills_a_message(&self) -> bool {
        self.queue.len() >= self.config.batch_records || self.waiting_bytes >= self.config.batch_bytes
    }

    /// The content of the next message, if there is one to be sent now.
    pub(super) fn next_batch(&mut self, now: Instant) -> Option<Batch> {
        let may = self.under_way < MOST_UNDER_WAY && self.rests_until <= now;
        if !may || self.queue.is_empty() || !(self.overdue || self.fills_a_message()) {
            return None;
        }
        let (mut count, mut bytes, mut keys_len) = (0, 0, 0);
        for record in self.queue.iter().take(self.config.batch_records) {
            let (text, keys) = (record.text.len(), record.keys_len);
            if count > 0 && (bytes + text > self.config.batch_bytes || keys_len + keys > MOST_KEYS) {
                break;
            }
            (count, bytes, keys_len) = (count + 1, bytes + text, keys_len + keys);
        }
        let mut batch = Batch {
            body: String::with_capacity(bytes),
            keys: String::with_capacity(keys_len),
            records: count,
        };
        let records: Vec<Record> = self.queue.drain(..count).collect();
        let mut seen = BTreeSet::new();
        for record in &records {
            batch.body.push_str(&record.text);
            for key in record.keys() {
                if seen.insert(key) {
                    if !batch.keys.is_empty() {
                        batch.keys.push(' ');
                    }
                    batch.keys.push_str(key);
                }
            }
        }
        self.waiting_bytes -= bytes;
        self.under_way_bytes += bytes;
        self.under_way_records += count;
        self.under_way += 1;
        self.overdue &= !self.queue.is_empty();
        Some(batch)
    }

    /// A message has its verdict. What is dropped now besides it.
    pub(super) fn message_over(&mut self, now: Instant, records: usize, bytes: usize, stored: bool) -> usize {
        self.under_way = self.under_way.saturating_sub(1);
        self.under_way_records = self.under_way_records.saturating_sub(records);
        self.under_way_bytes = self.under_way_bytes.saturating_sub(bytes);
        if stored {
            self.rests_until = Instant::ZERO;
            return 0;
        }
        if self.retired {
            return self.drop_waiting();
        }
        // The others need not be lost as well.
        self.rests_until = now + self.config.flush_interval;
        0
    }

    /// No further records come: what waits goes out.
    pub(super) fn retire(&mut self) {
        self.retired = true;
        self.overdue = true;
        self.rests_until = Instant::ZERO;
    }

    pub(super) fn drop_waiting(&mut self) -> usize {
        self.waiting_bytes = 0;
        core::mem::take(&mut self.queue).len()
    }

    /// When to look at the queue again; none when the end of a message will tell.
    pub(super) fn next_look(&self, now: Instant) -> Option<Instant> {
        if self.queue.is_empty() {
            return None;
        }
        let is_due = self.overdue || self.fills_a_message();
        if is_due && self.under_way >= MOST_UNDER_WAY {
            return None;
        }
        if is_due {
            return Some(now.max(self.rests_until));
        }
        Some(self.timer.map_or_else(|| now + self.config.flush_interval, |(at, _)| at))
    }

    /// The switch of a broker, as its answer to a message has it.
    pub(super) fn note_switch(&mut self, broker: &BrokerName, trace_on: bool) {
        if trace_on {
            self.switched_off.remove(broker);
        } else if self.switched_off.len() < MOST_SWITCHED_OFF {
            self.switched_off.insert(broker.clone());
        }
    }
}

#[cfg(test)]
#[path = "trace_queue_tests.rs"]
mod tests;
