//! Room for messages under way: by number and by bytes; for the client, for each producer, for each topic
//! of a producer. Who finds none waits in line. A producer or topic that has used up its own share does not
//! hold up the others.

use crate::cluster::TopicKey;
use crate::interface::{CommandId, Limits, ProducerId};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

/// Messages and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Amount {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Amount {
    fn fits(self, weight: usize, limit: Self) -> bool {
        self.messages < limit.messages && self.bytes.saturating_add(weight) <= limit.bytes
    }

    fn add(&mut self, weight: usize) {
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(weight);
    }

    fn take_off(&mut self, weight: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(weight);
    }
}

type UseKey = (ProducerId, TopicKey);

/// The book of all room.
#[derive(Debug)]
pub(crate) struct Room {
    client: Amount,
    client_limit: Amount,
    producer_limit: Amount,
    topic_limit: Amount,
    most_waiting: usize,
    producers: BTreeMap<ProducerId, ProducerRoom>,
    uses: BTreeMap<UseKey, Use>,
    /// The lines that only the client's limit can hold up, by the age of their first.
    heads: BTreeSet<(u64, UseKey)>,
    waiting: BTreeMap<CommandId, (UseKey, u64)>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct ProducerRoom {
    amount: Amount,
    /// Topics whose lines the producer's own limit holds up.
    parked: Vec<TopicKey>,
}

#[derive(Debug, Default)]
struct Use {
    amount: Amount,
    line: VecDeque<Waiter>,
    /// The topic's own limit holds the line up.
    parked: bool,
}

#[derive(Debug)]
struct Waiter {
    id: CommandId,
    sequence: u64,
    weight: usize,
}

impl Room {
    pub(crate) fn new(limits: &Limits) -> Self {
        let amount = |messages, bytes| Amount { messages, bytes };
        Self {
            client: Amount::default(),
            client_limit: amount(limits.messages, limits.message_bytes),
            producer_limit: amount(limits.producer_messages, limits.producer_message_bytes),
            topic_limit: amount(limits.topic_messages, limits.topic_message_bytes),
            most_waiting: limits.waiting_callers,
            producers: BTreeMap::new(),
            uses: BTreeMap::new(),
            heads: BTreeSet::new(),
            waiting: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// The smallest limit of bytes: nothing heavier ever fits.
    pub(crate) fn largest(&self) -> usize {
        self.client_limit.bytes.min(self.producer_limit.bytes).min(self.topic_limit.bytes)
    }

    pub(crate) fn used(&self) -> Amount {
        self.client
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn line_is_full(&self) -> bool {
        self.waiting.len() >= self.most_waiting
    }

    /// True when a message may go in at once, without overtaking anybody. `topic`: none if it was never used.
    pub(crate) fn has(&self, producer: ProducerId, topic: Option<TopicKey>, weight: usize) -> bool {
        if !self.heads.is_empty() || !self.client.fits(weight, self.client_limit) {
            return false;
        }
        if let Some(room) = self.producers.get(&producer)
            && !(room.parked.is_empty() && room.amount.fits(weight, self.producer_limit))
        {
            return false;
        }
        let used = topic.and_then(|topic| self.uses.get(&(producer, topic)));
        match used {
            Some(used) => used.line.is_empty() && used.amount.fits(weight, self.topic_limit),
            None => Amount::default().fits(weight, self.topic_limit),
        }
    }

    /// Takes room, whatever the limits say: the caller has asked [`Room::has`] or was granted it.
    pub(crate) fn take(&mut self, producer: ProducerId, topic: TopicKey, weight: usize) {
        self.client.add(weight);
        self.producers.entry(producer).or_default().amount.add(weight);
        self.uses.entry((producer, topic)).or_default().amount.add(weight);
    }

    /// Puts a caller at the end of its line.
    pub(crate) fn wait(&mut self, id: CommandId, producer: ProducerId, topic: TopicKey, weight: usize) {
        self.sequence += 1;
        let (key, sequence) = ((producer, topic), self.sequence);
        let line = self.uses.entry(key).or_default();
        if line.line.is_empty() && !line.parked {
            self.heads.insert((sequence, key));
        }
        line.line.push_back(Waiter { id, sequence, weight });
        self.waiting.insert(id, (key, sequence));
    }

    /// Takes a caller out of its line. False when it does not wait.
    pub(crate) fn leave(&mut self, id: CommandId) -> bool {
        let Some((key, sequence)) = self.waiting.remove(&id) else {
            return false;
        };
        let Some(used) = self.uses.get_mut(&key) else {
            return false;
        };
        let Ok(at) = used.line.binary_search_by_key(&sequence, |waiter| waiter.sequence) else {
            return false;
        };
        used.line.remove(at);
        if at == 0 {
            // Another one is first now, and what held up the old one may let this one pass.
            self.heads.remove(&(sequence, key));
            self.unpark(key);
        }
        true
    }

    /// Gives room back.
    pub(crate) fn give_back(&mut self, producer: ProducerId, topic: TopicKey, weight: usize) {
        self.client.take_off(weight);
        let key = (producer, topic);
        if let Some(used) = self.uses.get_mut(&key) {
            used.amount.take_off(weight);
            if used.parked {
                self.unpark(key);
            }
        }
        let Some(room) = self.producers.get_mut(&producer) else {
            return;
        };
        room.amount.take_off(weight);
        for topic in core::mem::take(&mut room.parked) {
            self.line_up((producer, topic));
        }
    }

    fn unpark(&mut self, key: UseKey) {
        if let Some(used) = self.uses.get_mut(&key) {
            used.parked = false;
        }
        if let Some(room) = self.producers.get_mut(&key.0) {
            room.parked.retain(|topic| *topic != key.1);
        }
        self.line_up(key);
    }

    fn line_up(&mut self, key: UseKey) {
        if let Some(first) = self.uses.get(&key).and_then(|used| used.line.front()) {
            self.heads.insert((first.sequence, key));
        }
    }

    /// The next caller that room can be given to; it is taken.
    pub(crate) fn grant(&mut self) -> Option<(CommandId, ProducerId, TopicKey, usize)> {
        while let Some((sequence, key)) = self.heads.first().copied() {
            let (producer, topic) = key;
            let used = self.uses.get_mut(&key)?;
            let weight = used.line.front()?.weight;
            if !used.amount.fits(weight, self.topic_limit) {
                used.parked = true;
                self.heads.remove(&(sequence, key));
                continue;
            }
            let room = self.producers.entry(producer).or_default();
            if !room.amount.fits(weight, self.producer_limit) {
                room.parked.push(topic);
                self.heads.remove(&(sequence, key));
                continue;
            }
            if !self.client.fits(weight, self.client_limit) {
                return None;
            }
            self.heads.remove(&(sequence, key));
            let waiter = used.line.pop_front()?;
            self.waiting.remove(&waiter.id);
            self.line_up(key);
            self.take(producer, topic, weight);
            return Some((waiter.id, producer, topic, weight));
        }
        None
    }

    /// The callers of a producer that wait for room.
    pub(crate) fn waiting_of(&self, producer: ProducerId) -> Vec<CommandId> {
        self.waiting.iter().filter(|(_, (key, _))| key.0 == producer).map(|(id, _)| *id).collect()
    }

    /// Forgets what is empty of topics and producers that are gone.
    pub(crate) fn sweep(
        &mut self,
        topic_lives: impl Fn(TopicKey) -> bool,
        producer_lives: impl Fn(ProducerId) -> bool,
    ) {
        self.uses.retain(|(producer, topic), used| {
            used.amount.messages > 0
                || !used.line.is_empty()
                || (topic_lives(*topic) && producer_lives(*producer))
        });
        self.producers.retain(|producer, room| room.amount.messages > 0 || producer_lives(*producer));
    }
}
