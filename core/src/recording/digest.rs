//! A running hash over the actions of a client: two runs with the same actions have the same hash.

use super::Bodies;
use crate::interface::{Action, Answer, SendError, SendReceipt};
use crate::message::Message;
use alloc::string::String;
use core::fmt::{Debug, Write};

/// An odd number without pattern: the golden ratio in 64 bits.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Number and hash of the actions so far. Bodies of messages that come back with an error count with their bytes
/// only when the recording keeps bodies, else with their lengths.
#[derive(Debug)]
pub(super) struct Digest {
    hash: Hash,
    actions: u64,
    with_bodies: bool,
    /// Kept for its memory.
    text: String,
}

impl Digest {
    pub(super) fn new(bodies: Bodies) -> Self {
        Self { hash: Hash::default(), actions: 0, with_bodies: bodies == Bodies::Keep, text: String::new() }
    }

    pub(super) fn actions(&self) -> u64 {
        self.actions
    }

    pub(super) fn value(&self) -> u64 {
        self.hash.value()
    }

    pub(super) fn add(&mut self, action: &Action) {
        self.actions += 1;
        match action {
            Action::Connect { conn, to } => {
                self.hash.numbers(&[1, key(conn.index(), conn.life()), u64::from(to.port())]);
                self.hash.bytes(to.host().as_bytes());
            }
            Action::Write { conn } => self.hash.numbers(&[2, key(conn.index(), conn.life())]),
            Action::Close { conn } => self.hash.numbers(&[3, key(conn.index(), conn.life())]),
            Action::SetTimer { at } => self.hash.numbers(&[4, at.as_micros()]),
            Action::Answer { id, answer } => {
                self.hash.numbers(&[5, id.0]);
                self.answer(answer);
            }
            Action::Check(check) => {
                self.hash.numbers(&[7, key(check.id.index(), check.id.life())]);
                self.hash.numbers(&[key(check.producer.index(), check.producer.life())]);
                self.hash.bytes(check.unique_key.as_bytes());
                self.hash.numbers(&[check.message.commit_log_offset.cast_unsigned()]);
                // The recording has another body than the client got.
                if self.with_bodies {
                    self.message(&check.message.message);
                }
            }
            Action::Notice(notice) => {
                self.hash.numbers(&[6]);
                self.text(notice);
            }
        }
    }

    fn answer(&mut self, answer: &Answer) {
        match answer {
            Answer::Sent(Ok(receipt)) => self.receipt(receipt),
            Answer::Sent(Err(error)) => self.error(2, error),
            Answer::HandedOver(Ok(())) => self.hash.numbers(&[3]),
            Answer::HandedOver(Err(error)) => self.error(4, error),
            Answer::Room(Ok(())) => self.hash.numbers(&[5]),
            Answer::Room(Err(error)) => self.error(6, error),
            Answer::Opened(opened) => {
                self.hash.numbers(&[7]);
                self.text(opened);
            }
            Answer::Ended(ended) => {
                self.hash.numbers(&[11]);
                self.text(ended);
            }
            Answer::Flushed(flushed) => {
                self.hash.numbers(&[8]);
                self.text(flushed);
            }
            Answer::Admin(result) => {
                self.hash.numbers(&[12]);
                self.text(result);
            }
            Answer::Closed(undelivered) => {
                self.hash.numbers(&[9, undelivered.len() as u64]);
                for one in undelivered {
                    self.message(&one.message);
                    self.error(10, &one.error);
                }
            }
        }
    }

    fn receipt(&mut self, receipt: &SendReceipt) {
        // Named one by one, so that none is forgotten.
        let SendReceipt {
            status,
            message_id,
            offset_message_id,
            queue,
            queue_offset,
            transaction_id,
            region,
            trace_on,
            recall_handle,
            attempts,
        } = receipt;
        self.hash.numbers(&[
            1,
            *status as u64,
            queue_offset.cast_unsigned(),
            u64::from(queue.queue_id.cast_unsigned()),
            u64::from(*attempts),
            u64::from(*trace_on),
        ]);
        self.hash.bytes(message_id.as_bytes());
        self.hash.bytes(offset_message_id.as_str().as_bytes());
        self.hash.bytes(queue.topic.as_str().as_bytes());
        self.hash.bytes(queue.broker_name.as_str().as_bytes());
        for text in [transaction_id.as_deref(), region.as_deref(), recall_handle.as_deref()] {
            self.hash.bytes(text.unwrap_or_default().as_bytes());
        }
    }

    fn error(&mut self, tag: u64, error: &SendError) {
        let outcome = error.outcome() as u64;
        let (written, left_out) = (error.written_attempts(), error.attempts_left_out());
        self.hash.numbers(&[tag, outcome, u64::from(written), u64::from(left_out)]);
        self.hash.bytes(error.topic().as_str().as_bytes());
        self.text(error.kind());
        self.text(&error.attempts());
        match error.message() {
            Some(message) => self.message(message),
            None => self.hash.numbers(&[0]),
        }
    }

    fn message(&mut self, message: &Message) {
        let flag = u64::from(message.flag().cast_unsigned());
        self.hash.numbers(&[1, flag, message.body().len() as u64]);
        self.hash.bytes(message.topic().as_str().as_bytes());
        self.hash.bytes(message.properties().as_wire().as_bytes());
        if self.with_bodies {
            self.hash.bytes(message.body());
        }
    }

    /// What is rare is hashed as its text.
    fn text(&mut self, value: &impl Debug) {
        self.text.clear();
        // Writing into a string cannot fail. It is hashed in one piece: formatters cut texts as they like.
        let _never_fails = write!(self.text, "{value:?}");
        self.hash.bytes(self.text.as_bytes());
    }
}

fn key(index: u32, life: u32) -> u64 {
    u64::from(index) << 32 | u64::from(life)
}

/// The hash of a body that [`Bodies::Hash`] leaves behind, to find out which message it was. Not made to keep a
/// secret: whoever can guess a body can check the guess.
///
/// Bytes are taken in words of eight, lowest byte first, the last one filled up with zeros, after a word with their
/// number. For each word the hash, which starts with `0x9E3779B97F4A7C15`, is combined with it by exclusive or,
/// multiplied by that same number to 128 bits, and the halves of the product are combined by exclusive or; then
/// it is rotated left by 23 bits.
///
/// ```
/// use rocketmq_core::recording::body_hash;
/// assert_eq!(body_hash(b"4 apples"), body_hash(b"4 apples"));
/// assert_ne!(body_hash(b"4 apples"), body_hash(b"5 apples"));
/// assert_ne!(body_hash(b""), body_hash(b"\0"));
/// ```
#[must_use]
pub fn body_hash(body: &[u8]) -> u64 {
    let mut hash = Hash::default();
    hash.bytes(body);
    hash.value()
}

/// The same on every machine, and fast: see [`body_hash`].
#[derive(Debug)]
pub(super) struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(FACTOR)
    }
}

impl Hash {
    pub(super) fn value(&self) -> u64 {
        self.0
    }

    pub(super) fn number(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * u128::from(FACTOR);
        self.0 = ((product as u64) ^ ((product >> 64) as u64)).rotate_left(23);
    }

    fn numbers(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.number(*number);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let mut rest = bytes;
        while let Some((word, behind)) = rest.split_first_chunk::<8>() {
            self.number(u64::from_le_bytes(*word));
            rest = behind;
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(rest) {
                *to = *from;
            }
            self.number(u64::from_le_bytes(word));
        }
    }
}
