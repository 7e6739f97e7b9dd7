//! What is known of each send from the outside: what was asked, which frames of it left, what was answered. From this
//! follow isolation, unique ids, and the order of sends to one queue.

use std::collections::BTreeMap;

use bytes::Bytes;
use rocketmq_core::client::{CommandId, ConnId, ProducerId, Send};
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::producer::{SendReceipt, Target};

use super::message_trace::is_trace_frame;
use super::model::{Handed, Said};
use super::{Invariant, PipeId, World};
use crate::cluster::Frame;

/// One send.
#[derive(Debug)]
pub(super) struct Known {
    client: usize,
    body: Bytes,
    /// Of sends to a queue, or with a sharding key: those that must keep their order share a lane.
    lane: Option<Lane>,
    /// The queue that it must go to, as soon as that is known: broker and number.
    queue: Option<(String, i32)>,
    topic: TopicName,
    /// What had disturbed the sends of its topic when it was given.
    disturbances: u64,
    /// The largest offset in that queue that sends of the lane were told before this one was given.
    behind: Option<(String, i32, i64)>,
    pub(super) frames: Vec<Handed>,
}

/// Client, and producer with topic and target.
pub(super) type Lane = (usize, String);

#[derive(Debug, Default)]
struct LaneBook {
    /// Sends without a frame, in the order in which they were given.
    unsent: Vec<usize>,
    /// The last one that was told stored.
    last: Option<(String, i32, i64)>,
}

/// All sends.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sends: BTreeMap<usize, Known>,
    /// Requests on the wire: the send and which of its frames.
    on_wire: BTreeMap<(PipeId, i32), (usize, usize)>,
    /// Unique id to one send of its message.
    owners: BTreeMap<String, usize>,
    lanes: BTreeMap<Lane, LaneBook>,
    /// Changes of routes, by client: a master that moves does so for all topics.
    route_changes: BTreeMap<usize, u64>,
    /// Retries, by client and topic.
    retries: BTreeMap<(usize, String), u64>,
    /// Sends that a later one has overtaken, unless actions that are not taken yet excuse it.
    overtaken: Vec<(usize, usize)>,
    /// Where connections go that a client has opened.
    opened: BTreeMap<(usize, ConnId), String>,
    /// Ends of connections that the client has not told of.
    ended: BTreeMap<(usize, String), usize>,
}

impl Ledger {
    pub(super) fn frames_of(&self, send: usize) -> &[Handed] {
        self.sends.get(&send).map_or(&[], |known| &known.frames)
    }

    /// The body that a send was given.
    pub(super) fn body_of(&self, send: usize) -> Option<&Bytes> {
        self.sends.get(&send).map(|known| &known.body)
    }

    /// One send of the message with this unique id.
    pub(super) fn owner_of(&self, unique: &str) -> Option<usize> {
        self.owners.get(unique).copied()
    }

    /// The send whose request this is, as long as it has no answer.
    pub(super) fn unanswered(&self, pipe: PipeId, opaque: i32) -> Option<usize> {
        let (send, frame) = *self.on_wire.get(&(pipe, opaque))?;
        self.sends.get(&send)?.frames.get(frame)?.said.is_none().then_some(send)
    }

    /// The requests on a connection: opaque and send.
    pub(super) fn requests_on(&self, pipe: PipeId) -> impl Iterator<Item = (i32, usize)> + Clone + '_ {
        let of_pipe = self.on_wire.range((pipe, i32::MIN)..=(pipe, i32::MAX));
        of_pipe.map(|((_, opaque), (send, _))| (*opaque, *send))
    }

    /// Where an open connection goes.
    pub(super) fn address_of(&self, client: usize, conn: ConnId) -> Option<&str> {
        self.opened.get(&(client, conn)).map(String::as_str)
    }

    /// The lane of an ordered send.
    pub(super) fn lane_of(&self, send: usize) -> Option<&Lane> {
        self.sends.get(&send)?.lane.as_ref()
    }

    /// The queue that an ordered send was given to, or that its first attempt has chosen.
    pub(super) fn settled_queue(&self, send: usize) -> Option<i32> {
        self.sends.get(&send)?.queue.as_ref().map(|(_, queue)| *queue)
    }

    /// Another send that was told the place of this receipt.
    pub(super) fn told_to_another(&self, send: usize, receipt: &SendReceipt) -> Option<usize> {
        let told = |frame: &Handed| frame.said.as_ref().is_some_and(|said| said.is_of(receipt));
        let mut others = self.sends.iter().filter(|(number, _)| **number != send);
        others.find(|(_, known)| known.frames.iter().any(told)).map(|(number, _)| *number)
    }

    pub(super) fn note_route_change(&mut self, client: usize) {
        *self.route_changes.entry(client).or_default() += 1;
    }

    pub(super) fn note_retry(&mut self, client: usize, topic: &str) {
        *self.retries.entry((client, topic.to_owned())).or_default() += 1;
    }

    fn disturbed(&self, client: usize, topic: &str) -> u64 {
        let retries = self.retries.get(&(client, topic.to_owned())).copied().unwrap_or(0);
        self.route_changes.get(&client).copied().unwrap_or(0) + retries
    }

    pub(super) fn note_connect(&mut self, client: usize, conn: ConnId, address: &str) {
        self.opened.insert((client, conn), address.to_owned());
    }

    /// A connection ends, for whatever reason.
    pub(super) fn note_end(&mut self, client: usize, conn: ConnId) {
        if let Some(address) = self.opened.remove(&(client, conn)) {
            *self.ended.entry((client, address)).or_default() += 1;
        }
    }

    /// The client tells of the end of a connection. False when none has ended there.
    pub(super) fn note_told_end(&mut self, client: usize, address: &str) -> bool {
        match self.ended.get_mut(&(client, address.to_owned())) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// A send is about to be given.
    pub(super) fn note_send(&mut self, client: usize, number: usize, send: &Send) {
        let lane = lane_of(client, send.producer, send);
        let queue = match &send.target {
            Target::Queue(queue) => Some((queue.broker_name.to_string(), queue.queue_id)),
            _ => None,
        };
        let mut behind = None;
        if let Some(lane) = &lane {
            let book = self.lanes.entry(lane.clone()).or_default();
            book.unsent.push(number);
            behind = book.last.clone();
        }
        let (body, topic) = (send.message.body().clone(), send.message.topic().clone());
        let disturbances = self.disturbed(client, topic.as_str());
        let known = Known { client, body, lane, queue, topic, disturbances, behind, frames: Vec::new() };
        self.sends.insert(number, known);
    }

    /// The first frame of a send left: those of its lane that were given before must have left, too.
    fn first_frame(&mut self, number: usize) {
        let Some(lane) = self.sends.get(&number).and_then(|known| known.lane.as_ref()) else {
            return;
        };
        let Some(book) = self.lanes.get_mut(lane) else { return };
        let Some(at) = book.unsent.iter().position(|other| *other == number) else {
            return;
        };
        book.unsent.remove(at);
        self.overtaken.extend(book.unsent[..at].iter().map(|other| (*other, number)));
    }

    /// A send has its verdict. Says what is wrong with its place among the others of its lane.
    pub(super) fn note_verdict(
        &mut self,
        number: usize,
        receipt: Option<&SendReceipt>,
    ) -> Result<(), String> {
        self.overtaken.retain(|(earlier, _)| *earlier != number);
        let Some(known) = self.sends.get(&number) else {
            return Ok(());
        };
        let Some(book) = known.lane.as_ref().and_then(|lane| self.lanes.get_mut(lane)) else {
            return Ok(());
        };
        book.unsent.retain(|other| *other != number);
        let Some(receipt) = receipt else { return Ok(()) };
        let (broker, queue, offset) =
            (receipt.queue.broker_name.as_str(), receipt.queue.queue_id, receipt.queue_offset);
        if let Some((before_broker, before_queue, before)) = &known.behind
            && (before_broker.as_str(), *before_queue) == (broker, queue)
            && *before >= offset
        {
            return Err(format!("stored at {offset}, one before it had {before} in {broker}/{queue}"));
        }
        let is_last = book.last.as_ref().is_none_or(|(last_broker, last_queue, last)| {
            (last_broker.as_str(), *last_queue) != (broker, queue) || *last < offset
        });
        if is_last {
            book.last = Some((broker.to_owned(), queue, offset));
        }
        Ok(())
    }
}

/// Sends with the same lane reach their queue in the order in which they were given.
fn lane_of(client: usize, producer: ProducerId, send: &Send) -> Option<Lane> {
    let topic = send.message.topic();
    match &send.target {
        Target::Any => None,
        Target::Queue(queue) => {
            Some((client, format!("{producer:?} {topic} {}/{}", queue.broker_name, queue.queue_id)))
        }
        Target::ShardingKey(text) => Some((client, format!("{producer:?} {topic} key {text}"))),
    }
}

/// A property in the text of all properties.
pub(super) fn property<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.bytes().position(|byte| byte == 2).unwrap_or(rest.len());
        let value = rest.get(..end)?.strip_prefix(name).and_then(|pair| pair.strip_prefix('\u{1}'));
        if value.is_some() {
            return value;
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    None
}

impl World {
    pub(super) fn note_send_command(&mut self, client: usize, id: CommandId, send: &Send) {
        if let Some(number) = self.by_command.get(&(client, id)) {
            self.ledger.note_send(client, *number, send);
        }
    }

    /// All of a send's frame was handed over.
    pub(super) fn note_send_frame(&mut self, id: PipeId, frame: &Frame) {
        let Some(client) = self.pipes.get(&id).map(|pipe| pipe.client) else {
            return;
        };
        if is_trace_frame(frame) {
            return self.note_trace_frame(id, frame);
        }
        let properties = frame.ext("i").unwrap_or_default();
        let keys = property(properties, "KEYS").unwrap_or_default();
        let key = keys.split(' ').next().unwrap_or_default();
        let numbers = self.book.sends_of.get(key).map_or(&[][..], Vec::as_slice);
        let of_client = |number: &&usize| self.sends[**number].client == client;
        let pending = |number: &&usize| of_client(number) && self.sends[**number].verdict.is_none();
        let found = numbers.iter().find(pending).or_else(|| numbers.iter().rfind(of_client));
        let Some(number) = found.copied() else {
            let text = format!("client {client} sends {key:?}, which nobody gave to it");
            return self.fail(Invariant::FrameIntegrity, text);
        };
        self.check_body(number, frame);
        self.check_unique_id(number, property(properties, "UNIQ_KEY").unwrap_or_default());
        self.add_frame(id, number, frame);
        self.check_queue(number, frame);
        if self.network.late_actions_us == 0 {
            self.check_overtaken();
        }
        if self.sends[number].verdict.is_some() {
            self.check_told(number);
        }
    }

    fn check_body(&mut self, number: usize, frame: &Frame) {
        self.checked(Invariant::FrameIntegrity);
        // The flag of half messages says nothing of the body.
        let plain = frame.ext("f").is_none_or(|flags| matches!(flags, "0" | "4"));
        if plain && self.ledger.sends.get(&number).is_some_and(|known| known.body != frame.body) {
            let text = format!("{} leaves with another body than it was given", self.sends[number].key);
            self.fail(Invariant::FrameIntegrity, text);
        }
    }

    /// I15 on the wire: an id belongs to one message.
    fn check_unique_id(&mut self, number: usize, unique: &str) {
        self.checked(Invariant::UniqueIds);
        let owner = match self.ledger.owners.get(unique) {
            Some(owner) => *owner,
            None => *self.ledger.owners.entry(unique.to_owned()).or_insert(number),
        };
        if self.sends[owner].key != self.sends[number].key {
            let (first, second) = (&self.sends[owner].key, &self.sends[number].key);
            let text = format!("{unique} is the id of {first} and of {second}");
            self.fail(Invariant::UniqueIds, text);
        }
    }

    fn add_frame(&mut self, pipe: PipeId, number: usize, frame: &Frame) {
        let opaque = frame.opaque.unwrap_or_default();
        let queue_id = frame.ext("e").and_then(|text| text.parse().ok()).unwrap_or(-1);
        let Some(known) = self.ledger.sends.get_mut(&number) else {
            return;
        };
        known.frames.push(Handed { queue_id, said: None });
        let at = known.frames.len() - 1;
        if !frame.is_one_way() {
            self.ledger.on_wire.insert((pipe, opaque), (number, at));
        }
        if at == 0 {
            self.ledger.first_frame(number);
        }
    }

    /// I18: every attempt of an ordered send goes to the same queue, and to the one that was asked for.
    fn check_queue(&mut self, number: usize, frame: &Frame) {
        let Some(known) = self.ledger.sends.get_mut(&number).filter(|known| known.lane.is_some()) else {
            return;
        };
        let queue = known.frames.last().map_or(-1, |frame| frame.queue_id);
        let broker = frame.ext("n").unwrap_or_default();
        let (wanted, wanted_id) = known.queue.get_or_insert_with(|| (broker.to_owned(), queue));
        let wrong = (wanted.as_str(), *wanted_id) != (broker, queue);
        let text = wrong.then(|| format!("goes to {broker}/{queue} instead of {wanted}/{wanted_id}"));
        self.checked(Invariant::Order);
        if let Some(text) = text {
            let text = format!("{} {text}", self.sends[number].key);
            self.fail(Invariant::Order, text);
        }
    }

    /// I18: nobody overtakes within a lane, except while retries of the topic or changes of routes mix things up.
    pub(super) fn check_overtaken(&mut self) {
        for (earlier, later) in std::mem::take(&mut self.ledger.overtaken) {
            let Some(known) = self.ledger.sends.get(&earlier) else { continue };
            let undisturbed = self.ledger.disturbed(known.client, known.topic.as_str()) == known.disturbances;
            if undisturbed && known.frames.is_empty() && self.sends[earlier].verdict.is_none() {
                let (first, second) = (&self.sends[earlier].key, &self.sends[later].key);
                let text = format!("{second} leaves before {first}, which was given first: {:?}", known.lane);
                self.fail(Invariant::Order, text);
            }
        }
    }

    /// The client has read an answer.
    pub(super) fn note_answer(&mut self, id: PipeId, answer: &Frame) {
        let Some(opaque) = answer.opaque else { return };
        let Some((number, at)) = self.ledger.on_wire.get(&(id, opaque)).copied() else {
            return;
        };
        if let Some(frame) = self.ledger.sends.get_mut(&number).and_then(|known| known.frames.get_mut(at))
            && frame.said.is_none()
        {
            frame.said = Some(Said::read(answer));
        }
    }
}
