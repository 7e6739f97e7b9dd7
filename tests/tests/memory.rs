//! Memory: a send in steady state allocates nothing in the core, and every limit of the table holds in bytes of
//! the allocator, not only in the core's own books.

use bytes::BytesMut;
use rocketmq_core::client::{
    Action, Answer, Client, ClientConfig, Command, CommandId, ConnId, Input, Limits, ProducerId, Send,
};
use rocketmq_core::command::{LanguageCode, RequestCode};
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::message::Message;
use rocketmq_core::producer::{ProducerConfig, SendErrorKind, Target};
use rocketmq_core::wire::{
    CommandHead, FieldSink, Header, Inbox, SerializeType, WireLimits, WriteFields, encode_command,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts for the whole process, so only one test measures at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

const MIB: usize = 1024 * 1024;

/// A client with one producer and a broker that answers when it is told to.
struct Rig {
    client: Client,
    now: Now,
    producer: ProducerId,
    next_id: u64,
    inboxes: BTreeMap<ConnId, Inbox>,
    /// Requests without answer: connection, code, opaque.
    pending: Vec<(ConnId, RequestCode, i32)>,
    stored: u64,
    failed: u64,
    granted: u64,
    closed: usize,
    /// What the core allocated inside `handle` and `poll_action`.
    allocations: usize,
    /// The broker takes no byte.
    stuck: bool,
}

struct Ext<'a>(&'a [(&'static str, &'a str)]);

impl WriteFields for Ext<'_> {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        for (name, value) in self.0 {
            sink.str(name, value);
        }
    }
}

impl Rig {
    fn new(limits: Limits) -> Self {
        let mut config = ClientConfig::new("127.0.0.1:9876".parse().unwrap(), 3);
        config.limits = limits;
        let now = Now { mono: Instant::from_millis(1), unix_ms: 1_700_000_000_000 };
        let mut rig = Self {
            client: Client::new(config, now).unwrap(),
            now,
            producer: ProducerId::from_parts(0, 0),
            next_id: 0,
            inboxes: BTreeMap::new(),
            pending: Vec::new(),
            stored: 0,
            failed: 0,
            granted: 0,
            closed: 0,
            allocations: 0,
            stuck: false,
        };
        let config = Box::new(ProducerConfig::new("PG".parse().unwrap()));
        rig.command(Command::OpenProducer { config });
        rig
    }

    fn input(&mut self, input: Input<'_>) {
        let region = Region::new(ALLOCATOR);
        self.client.handle(self.now, input);
        self.allocations += region.change().allocations + region.change().reallocations;
        loop {
            let region = Region::new(ALLOCATOR);
            let action = self.client.poll_action();
            self.allocations += region.change().allocations + region.change().reallocations;
            match action {
                Some(action) => self.act(action),
                None => return,
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect { conn, .. } => {
                self.inboxes.insert(conn, Inbox::new(WireLimits::default()));
                self.client.handle(self.now, Input::Connected { conn });
            }
            Action::Write { conn } if !self.stuck => self.write(conn),
            Action::Close { .. } => self.closed += 1,
            Action::Answer { answer, .. } => match answer {
                Answer::Opened(opened) => self.producer = opened.unwrap(),
                Answer::Sent(Ok(_)) | Answer::HandedOver(Ok(())) => self.stored += 1,
                Answer::Sent(Err(_)) | Answer::HandedOver(Err(_)) => self.failed += 1,
                Answer::Room(Ok(())) => self.granted += 1,
                other => panic!("{other:?}"),
            },
            _ => {}
        }
    }

    fn write(&mut self, conn: ConnId) {
        let mut chunks = Vec::new();
        self.client.outbox(conn, &mut chunks);
        let inbox = self.inboxes.get_mut(&conn).unwrap();
        let mut count = 0;
        for chunk in &chunks {
            count += chunk.len();
            let mut frames = inbox.feed(chunk);
            while let Some(frame) = frames.next().unwrap() {
                let header = Header::parse(&frame, &WireLimits::default()).unwrap();
                if !header.is_oneway() {
                    self.pending.push((conn, RequestCode(header.code), header.opaque));
                }
            }
        }
        drop(chunks);
        let region = Region::new(ALLOCATOR);
        self.client.handle(self.now, Input::Wrote { conn, count });
        self.allocations += region.change().allocations + region.change().reallocations;
    }

    fn command(&mut self, command: Command) {
        self.next_id += 1;
        self.input(Input::Command { id: CommandId(self.next_id), command });
    }

    fn message(bytes: usize) -> Message {
        Message::new("T".parse().unwrap(), vec![7_u8; bytes])
    }

    fn send(&mut self, message: Message) {
        let deadline = self.now.mono + Duration::from_secs(3_600);
        let producer = self.producer;
        let send = Send {
            producer,
            message,
            target: Target::Any,
            deadline,
            one_way: false,
            reservation: None,
            retries: None,
        };
        self.command(Command::Send(send));
    }

    /// Answers everything that is pending: routes, heartbeats, sends.
    fn answer_all(&mut self) {
        let mut out = BytesMut::with_capacity(64 * 1024);
        for (conn, code, opaque) in std::mem::take(&mut self.pending) {
            out.clear();
            let mut body: &[u8] = b"";
            let mut ext: &[(&'static str, &str)] = &[];
            match code {
                RequestCode::GET_ROUTEINFO_BY_TOPIC => {
                    body = br#"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"a","cluster":"C"}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":8,"writeQueueNums":8}]}"#;
                }
                RequestCode::SEND_MESSAGE_V2 => {
                    ext = &[
                        ("queueId", "1"),
                        ("msgId", "0A00000200002A9F00000000000003E8"),
                        ("queueOffset", "77"),
                        ("MSG_REGION", "DefaultRegion"),
                        ("TRACE_ON", "true"),
                    ];
                }
                _ => {}
            }
            let head = CommandHead {
                code: 0,
                flag: 1,
                opaque,
                version: 513,
                language: LanguageCode::Java,
                remark: None,
            };
            encode_command(&mut out, SerializeType::Json, &head, &Ext(ext), body.len()).unwrap();
            out.extend_from_slice(body);
            let answer = std::mem::take(&mut out);
            self.input(Input::Received { conn, bytes: &answer });
            out = answer;
        }
    }

    /// Route, heartbeat and a first send are done.
    fn warm(limits: Limits) -> Self {
        let mut rig = Self::new(limits);
        rig.send(Self::message(10));
        for _ in 0..3 {
            rig.answer_all();
        }
        assert_eq!(rig.stored, 1);
        rig
    }
}

/// Bytes that the allocator holds more than at `start`.
fn grown(start: &Region<'_, System>) -> usize {
    let change = start.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

fn steady_state(in_flight: usize) -> f64 {
    let mut rig = Rig::warm(Limits::default());
    let messages: Vec<Message> = (0..in_flight).map(|_| Rig::message(1_024)).collect();
    let round = |rig: &mut Rig| {
        for message in &messages {
            rig.send(message.clone());
        }
        rig.answer_all();
    };
    let rounds = 20_000 / in_flight;
    for _ in 0..rounds {
        round(&mut rig);
    }
    rig.allocations = 0;
    for _ in 0..rounds {
        round(&mut rig);
    }
    rig.allocations as f64 / (rounds * in_flight) as f64
}

#[test]
fn a_send_in_steady_state_allocates_nothing() {
    let _alone = alone();
    for in_flight in [1, 16, 256, 1_024] {
        let per_send = steady_state(in_flight);
        // What is left is the outbox's chunk, shared by the frames of 64 KiB.
        assert!(per_send < 0.1, "{per_send} allocations per send with {in_flight} in flight");
    }
}

#[test]
fn messages_under_way_hold_what_the_limit_says_and_no_more() {
    let _alone = alone();
    let limits = Limits {
        messages: 2_000,
        message_bytes: 4 * MIB,
        producer_messages: 1_500,
        producer_message_bytes: 3 * MIB,
        topic_messages: 1_000,
        topic_message_bytes: 2 * MIB,
        ..Limits::default()
    };
    for size in [100, 4_096] {
        let mut rig = Rig::warm(limits.clone());
        let start = Region::new(ALLOCATOR);
        let topic = "T".parse().unwrap();
        let mut accepted = 0;
        for _ in 0..5_000 {
            let message = Rig::message(size);
            if rig.client.room_for(rig.producer, &topic, message.weight()) {
                accepted += 1;
            }
            rig.send(message);
        }
        let by_number = accepted == limits.topic_messages;
        let by_bytes = accepted == limits.topic_message_bytes / Rig::message(size).weight();
        assert!(by_number || by_bytes, "{accepted} of {size} bytes");
        assert_eq!(rig.failed, 5_000 - accepted as u64);
        // The message, its place in the tables, its frame in the outbox of the broker that has not answered.
        let most = 3 * limits.topic_message_bytes + MIB;
        assert!(grown(&start) < most, "{} bytes held for {accepted} messages", grown(&start));
        rig.answer_all();
        while !rig.pending.is_empty() {
            rig.answer_all();
        }
        assert_eq!(rig.stored, 1 + accepted as u64);
        assert_eq!(rig.client.memory().message_bytes, 0);
    }
}

#[test]
fn a_broker_that_takes_no_byte_fills_the_outbox_and_no_more() {
    let _alone = alone();
    let limits = Limits { outbox_bytes: 64 * 1024, ..Limits::default() };
    let mut rig = Rig::warm(limits);
    rig.stuck = true;
    for _ in 0..5_000 {
        rig.send(Rig::message(1_024));
    }
    let memory = rig.client.memory();
    assert!(memory.outbox_bytes >= 64 * 1024, "{memory:?}");
    assert!(memory.outbox_bytes < 64 * 1024 + 2_048, "one frame beyond the limit at most: {memory:?}");
    assert_eq!(memory.messages, 5_000, "the others wait as values");
}

#[test]
fn callers_in_line_are_bounded_in_number_and_size() {
    let _alone = alone();
    let limits = Limits { topic_messages: 1, waiting_callers: 10_000, ..Limits::default() };
    let mut rig = Rig::warm(limits);
    rig.send(Rig::message(10));
    let start = Region::new(ALLOCATOR);
    let topic: rocketmq_core::ground::names::TopicName = "T".parse().unwrap();
    let mut refused = 0;
    for n in 0..12_000_u64 {
        let deadline = rig.now.mono + Duration::from_secs(60);
        let command =
            Command::Reserve { producer: rig.producer, topic: topic.clone(), weight: 300, deadline };
        rig.client.handle(rig.now, Input::Command { id: CommandId(1_000_000 + n), command });
        while let Some(action) = rig.client.poll_action() {
            if let Action::Answer { answer: Answer::Room(Err(error)), .. } = action {
                assert!(matches!(error.kind(), SendErrorKind::Full));
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 2_000);
    assert_eq!(rig.client.memory().waiting_callers, 10_000);
    let each = grown(&start) / 10_000;
    assert!(each <= 400, "{each} bytes for each caller in line");
}

#[test]
fn a_frame_that_is_announced_takes_memory_as_its_bytes_come() {
    let _alone = alone();
    let mut rig = Rig::warm(Limits::default());
    rig.send(Rig::message(10));
    let conn = rig.pending[0].0;
    let start = Region::new(ALLOCATOR);
    let mut announced = 16_000_000_u32.to_be_bytes().to_vec();
    announced.extend_from_slice(&[0, 0, 0, 200]);
    announced.extend_from_slice(&[b' '; 1_000]);
    rig.input(Input::Received { conn, bytes: &announced });
    assert!(grown(&start) < 64 * 1024, "{} bytes held for 1 KiB that came", grown(&start));
    assert_eq!(rig.client.memory().inbox_bytes, announced.len());
    assert_eq!(rig.closed, 0);
}

#[test]
fn a_frame_above_the_limit_closes_the_connection_and_holds_nothing() {
    let _alone = alone();
    let mut rig = Rig::warm(Limits { frame_bytes: 100_000, header_bytes: 10_000, ..Limits::default() });
    rig.send(Rig::message(10));
    let conn = rig.pending[0].0;
    let start = Region::new(ALLOCATOR);
    let mut frame = 100_001_u32.to_be_bytes().to_vec();
    frame.extend_from_slice(&[0, 0, 0, 200]);
    rig.input(Input::Received { conn, bytes: &frame });
    assert_eq!(rig.closed, 1);
    assert_eq!(rig.client.counters().bad_frames, 1);
    assert!(grown(&start) < 64 * 1024);
}

#[test]
fn requests_on_a_connection_are_bounded_and_the_rest_waits() {
    let _alone = alone();
    let mut rig = Rig::warm(Limits { connection_requests: 100, ..Limits::default() });
    for _ in 0..1_000 {
        rig.send(Rig::message(10));
    }
    assert_eq!(rig.pending.len(), 100);
    while !rig.pending.is_empty() {
        rig.answer_all();
    }
    assert_eq!(rig.stored, 1_001);
}
