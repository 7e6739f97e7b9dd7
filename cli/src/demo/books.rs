//! What the client was told about each message of the demo, and the check of it against the brokers.

use std::collections::BTreeMap;

use rocketmq_driver::{SendError, SendReceipt};
use rocketmq_sim::cluster::StoredMessage;

/// What the client was told about one message.
#[derive(Debug)]
pub(super) enum Told {
    /// It is stored.
    Stored(Box<SendReceipt>),
    /// A one-way message was handed to a connection.
    HandedOver,
    /// It has no receipt.
    Failed(SendError),
}

/// What the client was told about every message, by its key.
#[derive(Debug, Default)]
pub(super) struct Books {
    told: BTreeMap<String, Told>,
}

/// The result of the check.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Audit {
    /// Messages of the client.
    pub(super) messages: usize,
    /// Told as stored.
    pub(super) stored: usize,
    /// Told as handed over.
    pub(super) handed_over: usize,
    /// Of those, the ones that a broker has.
    pub(super) handed_over_found: usize,
    /// Told as not stored.
    pub(super) not_stored: usize,
    /// Told as may be stored.
    pub(super) may_be_stored: usize,
    /// Messages in the stores of all brokers, copies included.
    pub(super) in_stores: usize,
    /// Copies beyond the first one of their message, each accounted for by an attempt.
    pub(super) copies: usize,
    /// What does not add up.
    pub(super) faults: Vec<String>,
}

impl Books {
    /// Enters what the client was told about the message with this key.
    pub(super) fn enter(&mut self, key: String, told: Told) {
        self.told.insert(key, told);
    }

    /// Messages told as stored by the broker of this name.
    pub(super) fn stored_by(&self, broker: &str) -> usize {
        let by = |told: &&Told| matches!(told, Told::Stored(r) if r.queue.broker_name.as_str() == broker);
        self.told.values().filter(by).count()
    }

    /// Messages that needed more than one attempt.
    pub(super) fn retried(&self) -> usize {
        let again = |told: &&Told| matches!(told, Told::Stored(receipt) if receipt.attempts > 1);
        self.told.values().filter(again).count()
    }

    /// Compares with all that the brokers hold.
    pub(super) fn audit(&self, stores: &[StoredMessage]) -> Audit {
        let mut found: BTreeMap<&str, Vec<&StoredMessage>> = BTreeMap::new();
        for stored in stores {
            let key = stored.keys.first().map_or("", String::as_str);
            found.entry(key).or_default().push(stored);
        }
        let mut audit = Audit { messages: self.told.len(), in_stores: stores.len(), ..Audit::default() };
        for (key, told) in &self.told {
            let copies = found.remove(key.as_str()).unwrap_or_default();
            audit.copies += copies.len().saturating_sub(1);
            audit.check(key, told, &copies);
        }
        for key in found.keys() {
            audit.faults.push(format!("a broker has message {key:?}, which was never sent"));
        }
        audit
    }
}

impl Audit {
    fn check(&mut self, key: &str, told: &Told, copies: &[&StoredMessage]) {
        let attempts = match told {
            Told::Stored(receipt) => {
                self.stored += 1;
                if !copies.iter().any(|copy| is_of(receipt, copy)) {
                    self.faults.push(format!("{key} was told as stored, and its place does not hold it"));
                }
                receipt.attempts
            }
            Told::HandedOver => {
                self.handed_over += 1;
                self.handed_over_found += usize::from(!copies.is_empty());
                1
            }
            Told::Failed(error) if error.may_be_stored() => {
                self.may_be_stored += 1;
                error.written_attempts()
            }
            Told::Failed(_) => {
                self.not_stored += 1;
                0
            }
        };
        if u32::try_from(copies.len()).map_or(true, |count| count > attempts) {
            let count = copies.len();
            self.faults.push(format!("{key} is stored {count} times after {attempts} attempts"));
        }
    }
}

/// Whether this is the copy that the receipt tells of.
fn is_of(receipt: &SendReceipt, copy: &StoredMessage) -> bool {
    copy.broker == receipt.queue.broker_name.as_str()
        && copy.queue_id == receipt.queue.queue_id
        && copy.queue_offset == receipt.queue_offset
        && copy.offset_message_id == receipt.offset_message_id.as_str()
        && copy.unique_key.as_deref() == Some(receipt.message_id.as_str())
}

impl From<Result<SendReceipt, SendError>> for Told {
    fn from(result: Result<SendReceipt, SendError>) -> Self {
        match result {
            Ok(receipt) => Self::Stored(Box::new(receipt)),
            Err(error) => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests;
