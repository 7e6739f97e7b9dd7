//! The truth about messages: what the brokers' logs hold, compared with what clients were told.

use std::collections::BTreeMap;

use rocketmq_core::producer::Outcome;

use super::{SendHandle, Verdict, World};
use crate::cluster::StoredMessage;

/// What was found in the logs so far.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Messages of each broker that have been read.
    read: Vec<usize>,
    /// By the message's `KEYS`.
    copies: BTreeMap<String, Vec<StoredMessage>>,
    /// Unique key to `KEYS`.
    keys_of: BTreeMap<String, String>,
    /// `KEYS` to the sends of that message; a message that was given back may be sent again.
    pub(super) sends_of: BTreeMap<String, Vec<usize>>,
}

impl World {
    fn read_logs(&mut self) {
        let mut unlike = Vec::new();
        for (index, broker) in self.cluster.brokers().iter().enumerate() {
            if self.book.read.len() <= index {
                self.book.read.push(0);
            }
            let read = &mut self.book.read[index];
            if broker.stored_count() == *read {
                continue;
            }
            for copy in broker.stored_all().split_off(*read) {
                *read += 1;
                let key = copy.keys.first().cloned().unwrap_or_default();
                let unique = copy.unique_key.clone().unwrap_or_default();
                let owner = self.book.keys_of.entry(unique.clone()).or_insert_with(|| key.clone());
                if *owner != key {
                    unlike.push(("I15 unique ids", format!("{unique} is the id of {owner} and of {key}")));
                }
                let copies = self.book.copies.entry(key.clone()).or_default();
                if copies.first().is_some_and(|first| first.unique_key != copy.unique_key) {
                    unlike.push(("I4 duplicates", format!("two copies of {key} have different unique ids")));
                }
                copies.push(copy);
            }
        }
        for (invariant, text) in unlike {
            self.fail(invariant, text);
        }
    }

    /// I2, I3, I4 for one send that has just ended.
    pub(super) fn check_verdict(&mut self, number: usize) {
        self.read_logs();
        let record = &self.sends[number];
        let copies = self.book.copies.get(&record.key).map_or(&[][..], Vec::as_slice);
        if let Some(Verdict::Stored(receipt)) = &record.verdict {
            let is_it = |copy: &StoredMessage| {
                copy.unique_key.as_deref() == Some(receipt.message_id.as_str())
                    && copy.broker == receipt.queue.broker_name.as_str()
                    && copy.topic == receipt.queue.topic.as_str()
                    && copy.queue_id == receipt.queue.queue_id
                    && copy.queue_offset == receipt.queue_offset
                    && copy.offset_message_id == receipt.offset_message_id.to_string()
            };
            if !copies.iter().any(is_it) {
                let text =
                    format!("{} is told stored at {:?}, the logs have {copies:?}", record.key, receipt);
                self.fail("I2 no false OK", text);
            }
        }
        if let Some(Verdict::Failed(error)) = &self.sends[number].verdict
            && error.outcome() == Outcome::MayBeStored
            && error.written_attempts() == 0
        {
            let text = format!("{}: may be stored without a written attempt", self.sends[number].key);
            self.fail("I3 no false certainty", text);
        }
        let key = self.sends[number].key.clone();
        self.check_copies(&key);
    }

    /// I3 and I4: not more copies than the verdicts allow. A send without verdict allows any number.
    fn check_copies(&mut self, key: &str) {
        let copies = self.book.copies.get(key).map_or(0, Vec::len);
        let sends = self.book.sends_of.get(key).map_or(&[][..], Vec::as_slice);
        let mut allowed = 0;
        let mut none_allowed = !sends.is_empty();
        for number in sends {
            match &self.sends[*number].verdict {
                None | Some(Verdict::HandedOver) => return,
                Some(Verdict::Stored(receipt)) => {
                    none_allowed = false;
                    allowed += receipt.attempts as usize;
                }
                Some(Verdict::Failed(error)) if error.outcome() == Outcome::NotStored => {}
                Some(Verdict::Failed(error)) => {
                    none_allowed = false;
                    allowed += error.written_attempts() as usize;
                }
            }
        }
        if copies > allowed {
            let invariant = if none_allowed { "I3 no false certainty" } else { "I4 duplicates" };
            let told: Vec<_> = sends.iter().map(|number| &self.sends[*number].verdict).collect();
            let text = format!("{key}: {copies} copies, {allowed} allowed by {told:?}");
            self.fail(invariant, text);
        }
    }

    /// All messages once more, in the end: copies may have come after the verdict.
    pub(super) fn check_book(&mut self) {
        self.read_logs();
        let keys: Vec<String> = self.book.copies.keys().cloned().collect();
        for key in keys {
            if !self.book.sends_of.contains_key(&key) {
                self.fail("I2 no false OK", format!("the logs have {key:?}, which nobody sent"));
            }
            self.check_copies(&key);
        }
    }

    /// The copies of a message in the brokers' logs.
    pub fn copies(&mut self, send: SendHandle) -> Vec<StoredMessage> {
        self.read_logs();
        self.book.copies.get(&self.sends[send.0].key).cloned().unwrap_or_default()
    }
}
