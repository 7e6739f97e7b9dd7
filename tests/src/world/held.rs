//! What one client should be holding: sends without verdict, room that was granted, callers in line. Compared with what
//! its core says it holds, so that nothing is ever leaked, freed twice, or taken from somebody else.

use std::collections::{BTreeMap, BTreeSet};

use rocketmq_core::client::{Answer, Command, CommandId, MemoryUse, ProducerId};

/// Room for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Room {
    producer: ProducerId,
    topic: String,
    weight: usize,
}

/// Whether a client answers a command.
pub(super) fn is_answered(command: &Command) -> bool {
    !matches!(command, Command::Withdraw { .. } | Command::SetNameServers { .. } | Command::DropCheck { .. })
}

/// The books of one client, kept from the commands and answers alone.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Sends without verdict, with the bytes they count for.
    sends: BTreeMap<CommandId, usize>,
    bytes: usize,
    granted: BTreeMap<CommandId, Room>,
    /// Callers in line for room.
    waiting: BTreeMap<CommandId, Room>,
    /// Producers that close or are closed: what was granted to them is taken back.
    closing: BTreeSet<ProducerId>,
    closes: bool,
    /// Open producers that do not close.
    open: BTreeSet<ProducerId>,
    /// Since when there is one of them all the time, in microseconds.
    open_since: u64,
    /// Commands that have no answer yet.
    pub(super) unanswered: usize,
    /// Inputs since actions were taken.
    pub(super) inputs: usize,
}

impl Held {
    /// A command is about to be given.
    pub(super) fn note_command(&mut self, id: CommandId, command: &Command) {
        self.unanswered += usize::from(is_answered(command));
        match command {
            Command::Reserve { producer, topic, weight, .. } => {
                let room = Room { producer: *producer, topic: topic.to_string(), weight: *weight };
                self.waiting.insert(id, room);
            }
            Command::Send(send) => {
                let grant = send.reservation.filter(|reservation| {
                    self.granted.get(reservation).is_some_and(|room| room.producer == send.producer)
                });
                let reserved = grant.and_then(|reservation| self.take_back(reservation));
                let weight = reserved.unwrap_or_else(|| send.message.weight());
                self.sends.insert(id, weight);
                self.bytes += weight;
            }
            Command::Withdraw { reservation } => {
                self.take_back(*reservation);
                if self.waiting.remove(reservation).is_some() {
                    self.unanswered -= 1;
                }
            }
            Command::CloseProducer { producer, .. } => {
                self.closing.insert(*producer);
                self.open.remove(producer);
                self.take_back_of_closing();
            }
            Command::Shutdown { .. } => {
                self.closes = true;
                self.open.clear();
                self.take_back_of_closing();
            }
            _ => {}
        }
    }

    fn take_back(&mut self, reservation: CommandId) -> Option<usize> {
        let room = self.granted.remove(&reservation)?;
        self.bytes -= room.weight;
        Some(room.weight)
    }

    fn take_back_of_closing(&mut self) {
        let (closes, closing, bytes) = (self.closes, &self.closing, &mut self.bytes);
        self.granted.retain(|_, room| {
            let stays = !closes && !closing.contains(&room.producer);
            *bytes -= if stays { 0 } else { room.weight };
            stays
        });
    }

    /// An answer came. Says what is wrong when somebody is served out of turn.
    pub(super) fn note_answer(&mut self, id: CommandId, answer: &Answer, now_us: u64) -> Result<(), String> {
        self.unanswered = self.unanswered.saturating_sub(1);
        match answer {
            Answer::Opened(Ok(producer)) if !self.closes => {
                if self.open.is_empty() {
                    self.open_since = now_us;
                }
                self.open.insert(*producer);
            }
            Answer::Sent(_) | Answer::HandedOver(_) => {
                self.bytes -= self.sends.remove(&id).unwrap_or(0);
            }
            Answer::Room(result) => {
                let Some(room) = self.waiting.remove(&id) else {
                    return Ok(());
                };
                if result.is_ok() {
                    return self.note_grant(id, room);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn note_grant(&mut self, id: CommandId, room: Room) -> Result<(), String> {
        let mut earlier = self.waiting.range(..id);
        let first = earlier.find(|(_, other)| (other.producer, &other.topic) == (room.producer, &room.topic));
        let passed = first.map(|(other, _)| format!("{id:?} gets room before {other:?}, which asked first"));
        if !self.closes && !self.closing.contains(&room.producer) {
            self.bytes += room.weight;
            self.granted.insert(id, room);
        }
        passed.map_or(Ok(()), Err)
    }

    /// Since when brokers must hear heartbeats; none while there is nothing to tell them.
    pub(super) fn greets_since(&self) -> Option<u64> {
        (!self.open.is_empty()).then_some(self.open_since)
    }

    /// Another caller in line, of any producer.
    pub(super) fn another_waiting(&self, than: CommandId) -> Option<CommandId> {
        self.waiting.keys().copied().find(|id| *id != than)
    }

    /// Somebody who waits for the same room and asked later.
    pub(super) fn next_in_line(&self, id: CommandId) -> Option<CommandId> {
        let room = self.waiting.get(&id)?;
        let mut later = self.waiting.iter().filter(|(other, _)| **other > id);
        let same = |other: &Room| (other.producer, &other.topic) == (room.producer, &room.topic);
        later.find(|(_, other)| same(other)).map(|(other, _)| *other)
    }

    /// Says what is wrong when the core, all its actions taken, holds more or less than it should.
    pub(super) fn compare(&self, memory: &MemoryUse) -> Result<(), String> {
        let messages = self.sends.len() + self.granted.len();
        let should = (messages, self.bytes, self.waiting.len());
        let does = (memory.messages, memory.message_bytes, memory.waiting_callers);
        if should == does {
            return Ok(());
        }
        Err(format!(
            "holds {} messages of {} bytes and {} callers; it should be {} of {} and {}: sends {:?}, granted {:?}, \
             waiting {:?}",
            does.0, does.1, does.2, should.0, should.1, should.2, self.sends, self.granted, self.waiting
        ))
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.sends.is_empty() && self.granted.is_empty() && self.waiting.is_empty()
    }
}
