//! Room for messages under way: by number and by bytes; for the client, for each producer, for each topic
//! of a producer. Who finds none waits in line. A producer or topic that has used up its own share does not
//! hold up the others.

use crate::cluster::{BrokerKey, TopicKey};
use crate::ground::{Key, Slots};
use crate::interface::{CommandId, Limits, ProducerId};
use crate::request::SendMessageTemplate;
use crate::wire::EncodeError;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

/// Templates that are kept, about 300 bytes each: those of a thousand topics on a few brokers.
const MOST_TEMPLATES: usize = 4_096;

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

/// Names what a producer uses of one topic.
pub(crate) type UseKey = Key<Use>;

/// Room that was given and is not used yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    pub(crate) producer: ProducerId,
    pub(crate) topic: TopicKey,
    pub(crate) place: UseKey,
    pub(crate) weight: usize,
}

/// The book of all room.
#[derive(Debug)]
pub(crate) struct Room {
    client: Amount,
    client_limit: Amount,
    producer_limit: Amount,
    topic_limit: Amount,
    most_waiting: usize,
    producers: Slots<ProducerRoom>,
    by_producer: BTreeMap<ProducerId, Key<ProducerRoom>>,
    uses: Slots<Use>,
    by_topic: BTreeMap<(ProducerId, TopicKey), UseKey>,
    /// Found last: sends often go to the topic of the one before, and then nothing is searched for.
    last: UseKey,
    /// Templates of all uses together.
    templates: usize,
    /// The lines that only the client's limit can hold up, by the age of their first.
    heads: BTreeSet<(u64, UseKey)>,
    waiting: BTreeMap<CommandId, (UseKey, u64)>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct ProducerRoom {
    amount: Amount,
    /// Topics whose lines the producer's own limit holds up.
    parked: Vec<UseKey>,
}

/// What a producer uses of one topic.
#[derive(Debug)]
pub(crate) struct Use {
    producer: ProducerId,
    topic: TopicKey,
    of: Key<ProducerRoom>,
    amount: Amount,
    line: VecDeque<Waiter>,
    /// The topic's own limit holds the line up.
    parked: bool,
    /// What all messages of the producer to the topic have in common, for brokers that got one.
    templates: Vec<(BrokerKey, SendMessageTemplate)>,
    /// The same for half messages.
    half_templates: Vec<(BrokerKey, SendMessageTemplate)>,
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
            producers: Slots::default(),
            by_producer: BTreeMap::new(),
            uses: Slots::default(),
            by_topic: BTreeMap::new(),
            last: Key::from_parts(u32::MAX, u32::MAX),
            templates: 0,
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
        let used = topic.and_then(|topic| self.find(producer, topic)).map(|(_, used)| used);
        let of = used.map(|used| used.of).or_else(|| self.by_producer.get(&producer).copied());
        if let Some(room) = of.and_then(|of| self.producers.get(of))
            && !(room.parked.is_empty() && room.amount.fits(weight, self.producer_limit))
        {
            return false;
        }
        match used {
            Some(used) => used.line.is_empty() && used.amount.fits(weight, self.topic_limit),
            None => Amount::default().fits(weight, self.topic_limit),
        }
    }

    fn find(&self, producer: ProducerId, topic: TopicKey) -> Option<(UseKey, &Use)> {
        match self.uses.get(self.last) {
            Some(last) if last.topic == topic && last.producer == producer => Some((self.last, last)),
            _ => {
                let key = *self.by_topic.get(&(producer, topic))?;
                Some((key, self.uses.get(key)?))
            }
        }
    }

    fn find_or_add(&mut self, producer: ProducerId, topic: TopicKey) -> UseKey {
        if let Some((found, _)) = self.find(producer, topic) {
            self.last = found;
            return found;
        }
        let producers = &mut self.producers;
        let of =
            *self.by_producer.entry(producer).or_insert_with(|| producers.insert(ProducerRoom::default()));
        let key = self.uses.insert(Use {
            producer,
            topic,
            of,
            amount: Amount::default(),
            line: VecDeque::new(),
            parked: false,
            templates: Vec::new(),
            half_templates: Vec::new(),
        });
        self.by_topic.insert((producer, topic), key);
        self.last = key;
        key
    }

    /// The template for messages to a broker; it is made when there is none. None when memory for templates is used up.
    pub(super) fn template(
        &mut self,
        key: UseKey,
        broker: BrokerKey,
        is_half: bool,
        make: impl FnOnce() -> Result<SendMessageTemplate, EncodeError>,
    ) -> Result<Option<&SendMessageTemplate>, EncodeError> {
        let Some(used) = self.uses.get_mut(key) else {
            return Ok(None);
        };
        let templates = if is_half { &mut used.half_templates } else { &mut used.templates };
        let at = match templates.iter().position(|(of, _)| *of == broker) {
            Some(at) => at,
            None if self.templates >= MOST_TEMPLATES => return Ok(None),
            None => {
                templates.push((broker, make()?));
                self.templates += 1;
                templates.len() - 1
            }
        };
        Ok(templates.get(at).map(|(_, template)| template))
    }

    /// Takes room, whatever the limits say: the caller has asked [`Room::has`] or was granted it.
    pub(crate) fn take(&mut self, producer: ProducerId, topic: TopicKey, weight: usize) -> UseKey {
        let key = self.find_or_add(producer, topic);
        self.take_for(key, weight);
        key
    }

    fn take_for(&mut self, key: UseKey, weight: usize) {
        self.client.add(weight);
        let Some(used) = self.uses.get_mut(key) else { return };
        used.amount.add(weight);
        if let Some(room) = self.producers.get_mut(used.of) {
            room.amount.add(weight);
        }
    }

    /// Puts a caller at the end of its line.
    pub(crate) fn wait(&mut self, id: CommandId, producer: ProducerId, topic: TopicKey, weight: usize) {
        let key = self.find_or_add(producer, topic);
        let Some(used) = self.uses.get_mut(key) else { return };
        self.sequence += 1;
        let sequence = self.sequence;
        if used.line.is_empty() && !used.parked {
            self.heads.insert((sequence, key));
        }
        used.line.push_back(Waiter { id, sequence, weight });
        self.waiting.insert(id, (key, sequence));
    }

    /// Takes a caller out of its line. False when it does not wait.
    pub(crate) fn leave(&mut self, id: CommandId) -> bool {
        let Some((key, sequence)) = self.waiting.remove(&id) else {
            return false;
        };
        let Some(used) = self.uses.get_mut(key) else {
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
    pub(crate) fn give_back(&mut self, key: UseKey, weight: usize) {
        let Some(used) = self.uses.get_mut(key) else { return };
        used.amount.take_off(weight);
        self.client.take_off(weight);
        let (parked, of) = (used.parked, used.of);
        if parked {
            self.unpark(key);
        }
        let Some(room) = self.producers.get_mut(of) else { return };
        room.amount.take_off(weight);
        for key in core::mem::take(&mut room.parked) {
            self.line_up(key);
        }
    }

    fn unpark(&mut self, key: UseKey) {
        if let Some(used) = self.uses.get_mut(key) {
            used.parked = false;
            if let Some(room) = self.producers.get_mut(used.of) {
                room.parked.retain(|parked| *parked != key);
            }
        }
        self.line_up(key);
    }

    fn line_up(&mut self, key: UseKey) {
        if let Some(first) = self.uses.get(key).and_then(|used| used.line.front()) {
            self.heads.insert((first.sequence, key));
        }
    }

    /// The next caller that room can be given to; it is taken.
    pub(crate) fn grant(&mut self) -> Option<(CommandId, Grant)> {
        while let Some((sequence, key)) = self.heads.first().copied() {
            let used = self.uses.get_mut(key)?;
            let (producer, topic) = (used.producer, used.topic);
            let weight = used.line.front()?.weight;
            if !used.amount.fits(weight, self.topic_limit) {
                used.parked = true;
                self.heads.remove(&(sequence, key));
                continue;
            }
            if let Some(room) = self.producers.get_mut(used.of)
                && !room.amount.fits(weight, self.producer_limit)
            {
                room.parked.push(key);
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
            self.take_for(key, weight);
            return Some((waiter.id, Grant { producer, topic, place: key, weight }));
        }
        None
    }

    /// The callers of a producer that wait for room.
    pub(crate) fn waiting_of(&self, producer: ProducerId) -> Vec<CommandId> {
        let is_it = |key: UseKey| self.uses.get(key).is_some_and(|used| used.producer == producer);
        self.waiting.iter().filter(|(_, (key, _))| is_it(*key)).map(|(id, _)| *id).collect()
    }

    /// Forgets what is empty of topics and producers that are gone, and the templates for brokers that are gone.
    pub(crate) fn sweep(
        &mut self,
        topic_lives: impl Fn(TopicKey) -> bool,
        producer_lives: impl Fn(ProducerId) -> bool,
        broker_lives: impl Fn(BrokerKey) -> bool,
    ) {
        let (uses, producers) = (&mut self.uses, &mut self.producers);
        self.by_topic.retain(|(producer, topic), key| {
            let is_empty =
                uses.get(*key).is_none_or(|used| used.amount.messages == 0 && used.line.is_empty());
            let stays = !is_empty || (topic_lives(*topic) && producer_lives(*producer));
            stays || !uses.discard(*key)
        });
        self.templates = 0;
        for (_, used) in uses.iter_mut() {
            for templates in [&mut used.templates, &mut used.half_templates] {
                templates.retain(|(broker, _)| broker_lives(*broker));
                self.templates += templates.len();
            }
        }
        self.by_producer.retain(|producer, key| {
            let is_empty = producers.get(*key).is_none_or(|room| room.amount.messages == 0);
            !is_empty || producer_lives(*producer) || !producers.discard(*key)
        });
    }
}

#[cfg(test)]
#[path = "room_tests.rs"]
mod tests;
