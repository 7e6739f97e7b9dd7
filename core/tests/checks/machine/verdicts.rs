//! Answers of the client, compared with what its servers were asked and what they said.

use rocketmq_core::client::{Answer, CommandId, HalfMessage};
use rocketmq_core::producer::{Outcome, SendError, SendReceipt, SendStatus};

use super::peer::Told;
use super::{Attempt, Kind, Machine};

/// How a send ended.
pub(super) enum Verdict {
    Stored(Box<SendReceipt>),
    HandedOver,
    NotStored,
    MayBeStored(u32),
}

impl Machine {
    pub(super) fn answered(&mut self, id: CommandId, answer: Answer) {
        if self.withdrawn.remove(&id) {
            return;
        }
        let pending = self.pending.remove(&id);
        let pending = pending.unwrap_or_else(|| panic!("{id:?} answered again or unasked: {answer:?}"));
        let verdict = match answer {
            Answer::Sent(Ok(receipt)) => Verdict::Stored(Box::new(receipt)),
            Answer::HandedOver(Ok(())) => Verdict::HandedOver,
            Answer::Sent(Err(error)) | Answer::HandedOver(Err(error)) => failed(&error),
            Answer::Opened(opened) => {
                assert!(pending.kind == Kind::Open);
                return self.producers.extend(opened.ok());
            }
            Answer::Closed(left) => {
                assert!(matches!(pending.kind, Kind::Close | Kind::Shutdown));
                self.over |= pending.kind == Kind::Shutdown;
                assert!(left.len() <= self.sends.len());
                return;
            }
            Answer::Room(room) => {
                assert!(pending.kind == Kind::Room);
                if room.is_err() {
                    self.reservations.retain(|known| *known != id);
                }
                return;
            }
            Answer::Flushed(_) => return assert!(pending.kind == Kind::Flush),
            Answer::Ended(result) => {
                assert!(pending.kind == Kind::End);
                return self.ended(&result);
            }
            Answer::Admin(_) => return assert!(pending.kind == Kind::Admin),
        };
        let Kind::Send(number) = pending.kind else {
            panic!("a verdict for {id:?}, which is no send");
        };
        assert!(self.sends[number].verdict.is_none());
        self.check_verdict(number, &verdict);
        self.sends[number].verdict = Some(verdict);
        self.check_copies(number);
    }

    fn check_verdict(&mut self, number: usize, verdict: &Verdict) {
        let one_way = self.sends[number].one_way;
        match verdict {
            Verdict::Stored(receipt) => {
                assert!(!one_way);
                self.note_key(number, receipt.message_id.as_str());
                let send = &self.sends[number];
                if send.half {
                    self.transactions.halves.extend(HalfMessage::of(receipt));
                }
                assert_eq!(receipt.queue.topic.as_str(), send.topic);
                let proof =
                    send.attempts.iter().map(|at| &self.attempts[*at]).find(|at| says_so(at, receipt));
                assert!(proof.is_some(), "told stored, and nobody said so: {receipt:?}");
            }
            Verdict::HandedOver => {
                assert!(one_way && !self.sends[number].attempts.is_empty(), "handed over, and nothing came");
            }
            Verdict::NotStored => {}
            Verdict::MayBeStored(written) => assert!(*written > 0, "may be stored, and nothing was written"),
        }
    }

    /// No more possible copies than the verdict admits, whenever they come.
    pub(super) fn check_copies(&self, number: usize) {
        let send = &self.sends[number];
        let possible = |at: &&usize| !self.attempts[**at].told.is_some_and(|told| told.proves_not_stored);
        let copies = send.attempts.iter().filter(possible).count();
        match &send.verdict {
            None | Some(Verdict::HandedOver) => {}
            Some(Verdict::Stored(receipt)) => {
                assert!(copies <= receipt.attempts as usize, "{copies} copies of {number}, told {receipt:?}");
            }
            Some(Verdict::NotStored) => assert_eq!(copies, 0, "{number} may be stored, told not stored"),
            Some(Verdict::MayBeStored(written)) => {
                assert!(copies <= *written as usize, "{copies} copies of {number}, told {written}");
            }
        }
    }

    pub(super) fn check_attempts(&self) {
        for number in 0..self.sends.len() {
            self.check_copies(number);
            assert!(self.sends[number].verdict.is_some());
        }
    }

    /// Every message has its own unique id, and keeps it.
    pub(super) fn note_key(&mut self, number: usize, key: &str) {
        let owner = *self.keys.entry(key.to_owned()).or_insert(number);
        assert_eq!(owner, number, "{key} is the id of two messages");
        let known = self.sends[number].key.get_or_insert_with(|| key.to_owned());
        assert_eq!(known, key, "another id for the same message");
    }

    pub(super) fn told(&mut self, told: Told) {
        // A second answer says nothing any more.
        self.attempts[told.attempt].told.get_or_insert(told);
    }
}

fn failed(error: &SendError) -> Verdict {
    match error.outcome() {
        Outcome::NotStored => Verdict::NotStored,
        _ => Verdict::MayBeStored(error.written_attempts()),
    }
}

/// Whether this attempt was answered with that receipt.
fn says_so(attempt: &Attempt, receipt: &SendReceipt) -> bool {
    let status = match receipt.status {
        SendStatus::SendOk => 0,
        SendStatus::FlushDiskTimeout => 10,
        SendStatus::SlaveNotAvailable => 11,
        SendStatus::FlushSlaveTimeout => 12,
    };
    let said = attempt.told.and_then(|told| told.stored);
    said == Some((status, receipt.queue.queue_id, receipt.queue_offset))
        && attempt.broker == receipt.queue.broker_name.as_str()
        && attempt.queue == receipt.queue.queue_id.to_string()
}
