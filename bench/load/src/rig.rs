//! The client's core without any I/O: fed with sends and with answers that are made on the spot, and timed only while
//! it works.

mod peer;

use crate::answers::Shape;
use crate::stopwatch::Stopwatch;
use crate::usage;
use bytes::Bytes;
use peer::Peer;
use rocketmq_core::client::{
    Action, Answer, Client, ClientConfig, Command, CommandId, ConnId, Input, Limits, ProducerId, Send,
};
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::message::Message;
use rocketmq_core::producer::{ProducerConfig, SendMode, Target};
use rocketmq_core::wire::SerializeType;
use std::collections::BTreeMap;
use std::time::Duration;

/// Time that passes with each batch, for the client.
const BATCH_TAKES: Duration = Duration::from_micros(50);
/// Answers that come with one read at most: what a read buffer of 256 KiB holds.
const ANSWERS_PER_READ: usize = 256;
/// No send runs out of time here: it is not what is measured.
const DEADLINE: Duration = Duration::from_secs(600);

/// How the cluster and the client are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Form of the requests' headers.
    pub requests: SerializeType,
    /// Form of the headers of answers to sends.
    pub answers: SerializeType,
    /// The route of every topic.
    pub shape: Shape,
    /// All randomness of the client.
    pub seed: u64,
}

/// What the core took, only while it worked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    /// Taking sends on, encoding included.
    pub submit: Stopwatch,
    /// Handing bytes out and learning that they were written, encoding of what waited for room included.
    pub write: Stopwatch,
    /// Reading answers and completing sends.
    pub receive: Stopwatch,
    /// Allocations in all of that, if they are counted.
    pub allocations: Option<u64>,
}

impl Costs {
    /// All three in nanoseconds.
    #[must_use]
    pub fn nanos(&self) -> f64 {
        self.submit.nanos() + self.write.nanos() + self.receive.nanos()
    }
}

/// A client with one producer, and a cluster that answers when it is told to.
pub struct Rig {
    client: Client,
    now: Now,
    producer: ProducerId,
    next_id: u64,
    setting: Setting,
    peers: BTreeMap<ConnId, Peer>,
    chunks: Vec<Bytes>,
    todo: Todo,
    costs: Costs,
}

/// What the core asked for.
#[derive(Debug, Default)]
struct Todo {
    connect: Vec<ConnId>,
    write: Vec<ConnId>,
    opened: Option<ProducerId>,
    stored: u64,
    failed: u64,
}

impl Rig {
    /// A client that has opened its producer. Its limits of number and size are raised to what a million waiting sends
    /// of thousands of topics need.
    #[must_use]
    pub fn new(setting: Setting) -> Self {
        let name_server = "127.0.0.1:9876".parse().expect("an address");
        let mut config = ClientConfig::new(name_server, setting.seed);
        config.serialize_type = setting.requests;
        config.limits = roomy();
        let now = Now { mono: Instant::from_millis(1), unix_ms: 1_700_000_000_000 };
        let mut rig = Self {
            client: Client::new(config, now).expect("the settings can work"),
            now,
            producer: ProducerId::from_parts(0, 0),
            next_id: 0,
            setting,
            peers: BTreeMap::new(),
            chunks: Vec::new(),
            todo: Todo::default(),
            costs: Costs::default(),
        };
        let group = crate::message::GROUP.parse().expect("a group name");
        let command = Command::OpenProducer { config: Box::new(ProducerConfig::new(group)) };
        rig.client.handle(now, Input::Command { id: CommandId(0), command });
        take_actions(&mut rig.client, &mut rig.todo);
        rig.producer = rig.todo.opened.expect("a producer opens at once");
        rig
    }

    /// Sends one message to each topic and answers until all are stored: routes are known then, and brokers connected.
    pub fn warm_up(&mut self, topics: &[TopicName]) {
        let mut messages: Vec<Message> =
            topics.iter().map(|topic| Message::new(topic.clone(), "warm")).collect();
        let before = self.todo.stored;
        self.submit(&mut messages);
        while self.pending() > 0 {
            self.answer(usize::MAX);
        }
        assert_eq!(self.todo.stored - before, topics.len() as u64, "not all of the first sends were stored");
        self.costs = Costs::default();
    }

    /// Hands all of `messages` to the core, and takes what it writes.
    pub fn submit(&mut self, messages: &mut Vec<Message>) {
        self.now.mono = self.now.mono + BATCH_TAKES;
        let Self { client, now, producer, next_id, todo, .. } = self;
        let work = || core_submit(client, *now, *producer, next_id, messages, todo);
        measure(&mut self.costs.submit, &mut self.costs.allocations, work);
        self.carry_out();
    }

    /// Answers up to `most` of the oldest requests of each server. Returns how many that were.
    pub fn answer(&mut self, most: usize) -> usize {
        self.now.mono = self.now.mono + BATCH_TAKES;
        let conns: Vec<ConnId> = self.peers.keys().copied().collect();
        let mut answered = 0;
        for conn in conns {
            let mut left = most;
            while left > 0 {
                let Some(peer) = self.peers.get_mut(&conn) else { break };
                let (count, bytes) = peer.answers(left.min(ANSWERS_PER_READ), &self.setting);
                if count == 0 {
                    break;
                }
                let bytes = std::mem::take(bytes);
                self.receive(conn, &bytes);
                if let Some(peer) = self.peers.get_mut(&conn) {
                    peer.keep(bytes);
                }
                left -= count;
                answered += count;
            }
        }
        answered
    }

    /// Requests that wait for an answer.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.peers.values().map(Peer::pending).sum()
    }

    /// Sends under way, those that wait to be written included.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.client.memory().messages
    }

    /// Sends that were stored, and those that failed.
    #[must_use]
    pub fn verdicts(&self) -> (u64, u64) {
        (self.todo.stored, self.todo.failed)
    }

    /// What the core took since the last call.
    pub fn take_costs(&mut self) -> Costs {
        std::mem::take(&mut self.costs)
    }

    fn receive(&mut self, conn: ConnId, bytes: &[u8]) {
        let Self { client, now, todo, costs, .. } = self;
        measure(&mut costs.receive, &mut costs.allocations, || core_receive(client, *now, conn, bytes, todo));
        self.carry_out();
    }

    /// Connects and writes as the core asked for.
    fn carry_out(&mut self) {
        loop {
            if let Some(conn) = self.todo.connect.pop() {
                self.peers.insert(conn, Peer::default());
                self.client.handle(self.now, Input::Connected { conn });
                take_actions(&mut self.client, &mut self.todo);
            } else if let Some(conn) = self.todo.write.pop() {
                self.write(conn);
            } else {
                return;
            }
        }
    }

    /// The socket takes everything.
    fn write(&mut self, conn: ConnId) {
        loop {
            let Self { client, chunks, costs, .. } = self;
            measure(&mut costs.write, &mut costs.allocations, || core_outbox(client, conn, chunks));
            if self.chunks.is_empty() {
                return;
            }
            let count = self.chunks.iter().map(Bytes::len).sum();
            if let Some(peer) = self.peers.get_mut(&conn) {
                peer.read(&self.chunks);
            }
            self.chunks.clear();
            let Self { client, now, todo, costs, .. } = self;
            measure(&mut costs.write, &mut costs.allocations, || core_wrote(client, *now, conn, count, todo));
        }
    }
}

fn roomy() -> Limits {
    const MANY: usize = 1 << 22;
    const BYTES: usize = 1 << 36;
    Limits {
        messages: MANY,
        producer_messages: MANY,
        topic_messages: MANY,
        message_bytes: BYTES,
        producer_message_bytes: BYTES,
        topic_message_bytes: BYTES,
        ..Limits::default()
    }
}

/// Times one piece of the core's work and counts its allocations.
fn measure(watch: &mut Stopwatch, allocations: &mut Option<u64>, work: impl FnOnce()) {
    let before = usage::heap();
    watch.time(work);
    if let (Some(before), Some(after)) = (before, usage::heap()) {
        *allocations.get_or_insert(0) += after.allocations - before.allocations;
    }
}

// The four places where the core works. Each is a function of its own, so that a profiler can be told to look at
// nothing else.

#[inline(never)]
fn core_submit(
    client: &mut Client,
    now: Now,
    producer: ProducerId,
    next_id: &mut u64,
    messages: &mut Vec<Message>,
    todo: &mut Todo,
) {
    for message in messages.drain(..) {
        *next_id += 1;
        let send = Send {
            producer,
            message,
            target: Target::Any,
            deadline: now.mono + DEADLINE,
            mode: SendMode::Acknowledged,
            reservation: None,
            retries: None,
        };
        client.handle(now, Input::Command { id: CommandId(*next_id), command: Command::Send(send) });
        take_actions(client, todo);
    }
}

#[inline(never)]
fn core_outbox(client: &mut Client, conn: ConnId, chunks: &mut Vec<Bytes>) {
    client.outbox(conn, chunks);
}

#[inline(never)]
fn core_wrote(client: &mut Client, now: Now, conn: ConnId, count: usize, todo: &mut Todo) {
    client.handle(now, Input::Wrote { conn, count });
    take_actions(client, todo);
}

#[inline(never)]
fn core_receive(client: &mut Client, now: Now, conn: ConnId, bytes: &[u8], todo: &mut Todo) {
    client.handle(now, Input::Received { conn, bytes });
    take_actions(client, todo);
}

fn take_actions(client: &mut Client, todo: &mut Todo) {
    while let Some(action) = client.poll_action() {
        match action {
            Action::Connect { conn, .. } => todo.connect.push(conn),
            Action::Write { conn } => todo.write.push(conn),
            Action::Answer { answer: Answer::Sent(Ok(_)), .. } => todo.stored += 1,
            Action::Answer { answer: Answer::Sent(Err(_)), .. } => todo.failed += 1,
            Action::Answer { answer: Answer::Opened(opened), .. } => todo.opened = opened.ok(),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "rig_tests.rs"]
mod tests;
