//! The truth about messages: what the brokers' logs hold, compared with what clients were told.

use std::collections::BTreeMap;

use rocketmq_core::client::TransactionEnd;
use rocketmq_core::producer::{Outcome, SendReceipt};

use super::message_trace::TraceBook;
use super::model::{judge, written};
use super::{Invariant, Mutant, SendHandle, Verdict, World};
use crate::cluster::topic::{CHECK_MAX_TIME_TOPIC, HALF_TOPIC};
use crate::cluster::{StoredBrief, StoredMessage};

/// A message in a log: the index of the broker, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copy {
    broker: usize,
    number: usize,
}

/// A copy of a half message that is none any more.
struct Visible {
    topic: String,
    unique: String,
}

impl Visible {
    fn of(copy: &StoredBrief<'_>) -> Visible {
        let unique = copy.unique_key.unwrap_or_default().to_owned();
        Visible { topic: copy.topic.to_owned(), unique }
    }
}

/// Whether a half message is as it came; a check makes another copy of it.
fn is_first_copy(copy: &StoredBrief<'_>) -> bool {
    copy.topic == HALF_TOPIC && !copy.was_checked
}

/// What was found in the logs so far.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Messages of each broker that have been read.
    read: Vec<usize>,
    /// By the message's `KEYS`.
    copies: BTreeMap<String, Vec<Copy>>,
    /// `KEYS` to the sends of that message; a message that was given back may be sent again.
    pub(super) sends_of: BTreeMap<String, Vec<usize>>,
}

impl World {
    fn read_logs(&mut self) {
        let (mut unlike, mut visible) = (Vec::new(), Vec::new());
        for (index, broker) in self.cluster.brokers().iter().enumerate() {
            if self.book.read.len() <= index {
                self.book.read.push(0);
            }
            let read = &mut self.book.read[index];
            if broker.stored_count() == *read {
                continue;
            }
            while let Some(copy) = broker.brief_at(*read) {
                if TraceBook::is_trace_topic(copy.topic) {
                    self.traces.note_copy(index, *read);
                    *read += 1;
                    continue;
                }
                let key = copy.key.unwrap_or_default();
                let sends = self.book.sends_of.get(key).map_or(&[][..], Vec::as_slice);
                if sends.iter().any(|send| self.halves.is_half(*send)) && !is_first_copy(&copy) {
                    visible.extend((copy.topic != HALF_TOPIC).then(|| Visible::of(&copy)));
                    *read += 1;
                    continue;
                }
                let copies = self.book.copies.entry(key.to_owned()).or_default();
                let unique_key =
                    |first: &Copy| self.cluster.brokers()[first.broker].brief_at(first.number)?.unique_key;
                if copies.first().is_some_and(|first| unique_key(first) != copy.unique_key) {
                    unlike.push(format!("two copies of {key:?} have different unique ids"));
                }
                copies.push(Copy { broker: index, number: *read });
                *read += 1;
            }
        }
        for text in unlike {
            self.fail(Invariant::Duplicates, text);
        }
        for copy in visible {
            self.check_visible(&copy);
        }
    }

    /// I19: nobody sees a message whose transaction was not ended so.
    fn check_visible(&mut self, copy: &Visible) {
        self.checked(Invariant::OneOutcome);
        if copy.topic == CHECK_MAX_TIME_TOPIC {
            self.reached.halves_given_up += 1;
        } else if !self.ends.was_asked_for(&copy.unique, TransactionEnd::Commit) {
            let text = format!("{} can be seen in {}, and nobody has asked for it", copy.unique, copy.topic);
            self.fail(Invariant::OneOutcome, text);
        } else {
            self.reached.halves_visible += 1;
        }
    }

    /// I1 to I4, I10 and I18 for one send that has just ended.
    pub(super) fn check_verdict(&mut self, number: usize) {
        self.check_told(number);
        let receipt = self.sends[number].verdict.as_ref().and_then(Verdict::receipt);
        if let Err(text) = self.ledger.note_verdict(number, receipt) {
            let text = format!("{}: {text}", self.sends[number].key);
            self.fail(Invariant::Order, text);
        }
        self.read_logs();
        self.check_receipt(number);
        let key = self.sends[number].key.clone();
        self.check_copies(&key);
    }

    /// The verdict is one that the model allows, with the frames that left and the answers that came.
    pub(super) fn check_told(&mut self, number: usize) {
        for invariant in
            [Invariant::NoFalseOk, Invariant::NoFalseCertainty, Invariant::Duplicates, Invariant::Isolation]
        {
            self.checked(invariant);
        }
        let record = &self.sends[number];
        // Frames of a message that was given again do not tell to which of its sends they belong.
        let again = self.book.sends_of.get(&record.key).is_none_or(|sends| sends.len() > 1);
        let Some(verdict) = record.verdict.as_ref().filter(|_| !again) else {
            return;
        };
        let Err((invariant, text)) = judge(self.ledger.frames_of(number), verdict) else {
            return;
        };
        let told = |receipt: &SendReceipt| self.ledger.told_to_another(number, receipt);
        if let Some(other) = verdict.receipt().and_then(told) {
            let text = format!("{} got the answer to {}", record.key, self.sends[other].key);
            return self.fail(Invariant::Isolation, text);
        }
        let text = format!("{}: {text}", record.key);
        self.fail(invariant, text);
    }

    /// I3 in the end: what is told as written has left, where it must have.
    fn check_written(&mut self) {
        // That mutant keeps frames back which count as written.
        if self.is_mutant(Mutant::SwapsFrames) {
            return;
        }
        let prompt = self.is_prompt();
        for number in 0..self.sends.len() {
            let record = &self.sends[number];
            let once = self.book.sends_of.get(&record.key).is_some_and(|sends| sends.len() == 1);
            let Some(Verdict::Failed(error)) = record.verdict.as_ref().filter(|_| once) else { continue };
            let objection = written(self.ledger.frames_of(number), error, prompt).err();
            let text = objection.map(|(invariant, text)| (invariant, format!("{}: {text}", record.key)));
            self.checked(Invariant::NoFalseCertainty);
            if let Some((invariant, text)) = text {
                return self.fail(invariant, text);
            }
        }
    }

    /// Whether whatever was encoded has been handed over at once so far.
    fn is_prompt(&self) -> bool {
        let network = &self.network;
        !self.sockets_lag
            && self.frozen_until == 0
            && network.late_actions_us == 0
            && network.late_wrote_us == 0
    }

    /// I2: the log has the message where the receipt says.
    fn check_receipt(&mut self, number: usize) {
        let (record, is_half) = (&self.sends[number], self.halves.is_half(number));
        let copies = self.book.copies.get(&record.key).map_or(&[][..], Vec::as_slice);
        let Some(Verdict::Stored(receipt)) = &record.verdict else {
            return;
        };
        // An id that names no place is what somebody on the way has made of it: the model has compared it.
        let id = Some(&receipt.offset_message_id).filter(|id| id.commit_log_offset().is_some());
        let topic = self.topic_on_servers(record.client, receipt.queue.topic.as_str());
        let is_it = |copy: &Copy| {
            let broker = &self.cluster.brokers()[copy.broker];
            broker.brief_at(copy.number).is_some_and(|copy| {
                // A half message waits in a queue of its own.
                let right_queue = copy.topic == topic && copy.queue_id == receipt.queue.queue_id;
                copy.unique_key == Some(receipt.message_id.as_str())
                    && broker.name() == receipt.queue.broker_name.as_str()
                    && if is_half { copy.topic == HALF_TOPIC } else { right_queue }
                    && copy.queue_offset == receipt.queue_offset
                    && id.is_none_or(|id| broker.offset_message_id(copy.commit_offset) == id.as_str())
            })
        };
        if !copies.iter().any(is_it) {
            let copies = self.stored(copies);
            let text = format!("{} is told stored at {:?}, the logs have {copies:?}", record.key, receipt);
            self.fail(Invariant::NoFalseOk, text);
        }
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
            let invariant = if none_allowed { Invariant::NoFalseCertainty } else { Invariant::Duplicates };
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
                self.fail(Invariant::NoFalseOk, format!("the logs have {key:?}, which nobody sent"));
            }
            self.check_copies(&key);
        }
        self.check_written();
    }

    /// The copies of a message in the brokers' logs.
    pub fn copies(&mut self, send: SendHandle) -> Vec<StoredMessage> {
        self.read_logs();
        let copies = self.book.copies.get(&self.sends[send.0].key);
        copies.map(|copies| self.stored(copies)).unwrap_or_default()
    }

    /// How many copies of a message the brokers' logs have.
    pub fn copy_count(&mut self, send: SendHandle) -> usize {
        self.read_logs();
        self.book.copies.get(&self.sends[send.0].key).map_or(0, Vec::len)
    }

    fn stored(&self, copies: &[Copy]) -> Vec<StoredMessage> {
        let brokers = self.cluster.brokers();
        copies.iter().filter_map(|copy| brokers[copy.broker].stored_at(copy.number)).collect()
    }
}
