//! A bare core with a name server and a broker around it that answer when they are told to. Inputs come and
//! actions are taken one by one, as the driver does it.

use std::collections::BTreeMap;
use std::mem::take;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rocketmq_core::client::{
    Action, Answer, Client, ClientConfig, Command, CommandId, ConnId, Input, ProducerId, Send,
};
use rocketmq_core::command::RequestCode;
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::interface::Hooks;
use rocketmq_core::message::Message;
use rocketmq_core::producer::{ProducerConfig, SendMode, Target, TraceConfig};
use rocketmq_core::recording::Bodies;
use rocketmq_core::wire::{Inbox, SerializeType, WireLimits};

use crate::answers::{Fate, Request, answer};
use crate::probe::Probe;
use crate::tape::Tape;

/// How much a socket gives at once.
const READ: usize = 64 * 1024;
const BODY: &[u8] = &[b'x'; 1024];
const FIRST_UNIX_MS: i64 = 1_795_258_349_875;
/// The time a user's send has by default.
const SEND_TIMEOUT: Duration = Duration::from_secs(3);
/// How much later each next round happens.
const ROUND: Duration = Duration::from_micros(100);

/// The client with its surroundings.
pub struct Rig<'p> {
    client: Client,
    tape: Option<Tape>,
    probe: &'p mut Probe,
    /// Whether what the core does now counts.
    pub measuring: bool,
    serialize: SerializeType,
    now: Now,
    producer: ProducerId,
    messages: u64,
    next_command: u64,
    /// What came of it all.
    pub done: Done,
    inboxes: BTreeMap<ConnId, Inbox>,
    chunks: Vec<Bytes>,
    pending: Vec<(ConnId, Request)>,
}

/// What the core wanted done or has told.
#[derive(Debug, Default)]
pub struct Done {
    /// Sends that were stored.
    pub stored: u64,
    /// Sends that were not.
    pub failed: u64,
    opened: Option<ProducerId>,
    closed: bool,
    connects: Vec<ConnId>,
    writes: Vec<ConnId>,
}

impl Done {
    fn note(&mut self, action: Action) {
        match action {
            Action::Connect { conn, .. } => self.connects.push(conn),
            Action::Write { conn } => self.writes.push(conn),
            Action::Answer { answer, .. } => match answer {
                Answer::Sent(Ok(_)) => self.stored += 1,
                Answer::Sent(Err(_)) => self.failed += 1,
                Answer::Opened(opened) => self.opened = opened.ok(),
                Answer::Closed(undelivered) => self.closed = undelivered.is_empty(),
                Answer::Room(_)
                | Answer::HandedOver(_)
                | Answer::Flushed(_)
                | Answer::Ended(_)
                | Answer::Admin(_) => {}
            },
            Action::Close { .. } | Action::SetTimer { .. } | Action::Check(_) | Action::Notice(_) => {}
        }
    }
}

impl<'p> Rig<'p> {
    /// A new client; counts its making when `measuring`.
    ///
    /// # Panics
    /// When the settings are refused.
    pub fn new(probe: &'p mut Probe, serialize: SerializeType, measuring: bool) -> Self {
        Self::with(probe, serialize, Hooks::default(), measuring, |_| {})
    }

    fn with(
        probe: &'p mut Probe,
        serialize: SerializeType,
        hooks: Hooks,
        measuring: bool,
        set: impl FnOnce(&mut ClientConfig),
    ) -> Self {
        Self::make(probe, serialize, (hooks, None), measuring, set)
    }

    fn make(
        probe: &'p mut Probe,
        serialize: SerializeType,
        (hooks, recorded): (Hooks, Option<Bodies>),
        measuring: bool,
        set: impl FnOnce(&mut ClientConfig),
    ) -> Self {
        let mut config = ClientConfig::new("127.0.0.1:9876".parse().expect("an address"), 7);
        config.serialize_type = serialize;
        config.identity.ip = [10, 0, 0, 2].into();
        config.identity.pid = 4_711;
        set(&mut config);
        let now = Now { mono: Instant::from_millis(1_000), unix_ms: FIRST_UNIX_MS };
        let tape = recorded.map(|bodies| Tape::new(&config, now, bodies));
        let make = || Client::with_hooks(config, hooks, now).expect("settings are sound");
        let client = if measuring { probe.measure(make) } else { make() };
        let done = Done { connects: Vec::with_capacity(8), writes: Vec::with_capacity(8), ..Done::default() };
        Self {
            client,
            tape,
            probe,
            measuring,
            serialize,
            now,
            producer: ProducerId::from_parts(0, 0),
            messages: 0,
            next_command: 0,
            done,
            inboxes: BTreeMap::new(),
            chunks: Vec::with_capacity(64),
            pending: Vec::new(),
        }
    }

    /// A client that has sent a message: route, connections and heartbeat are done.
    pub fn warm(probe: &'p mut Probe, serialize: SerializeType) -> Self {
        Self::warm_with(probe, serialize, Hooks::default())
    }

    /// The same with hooks.
    pub fn warm_with(probe: &'p mut Probe, serialize: SerializeType, hooks: Hooks) -> Self {
        let mut rig = Self::with(probe, serialize, hooks, false, |_| {});
        rig.open_producer();
        rig.send_and_store(1);
        rig
    }

    /// The same with other settings, and headers in JSON.
    pub fn warm_set(probe: &'p mut Probe, set: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut rig = Self::with(probe, SerializeType::Json, Hooks::default(), false, set);
        rig.open_producer();
        rig.send_and_store(1);
        rig
    }

    /// The same with a producer that is traced.
    pub fn warm_traced(probe: &'p mut Probe, serialize: SerializeType) -> Self {
        let mut rig = Self::new(probe, serialize, false);
        rig.open_producer_with(Some(TraceConfig::default()));
        rig.send_and_store(1);
        rig
    }

    /// The same with a client that is recorded.
    pub fn warm_recorded(probe: &'p mut Probe, bodies: Bodies) -> Self {
        let extras = (Hooks::default(), Some(bodies));
        let mut rig = Self::make(probe, SerializeType::Json, extras, false, |_| {});
        rig.open_producer();
        rig.send_and_store(1);
        rig
    }

    fn input(&mut self, input: Input<'_>) {
        let Self { client, tape, probe, now, done, .. } = self;
        // Decided outside of what counts: the other scenarios do not pay for the question.
        if let Some(tape) = tape {
            let work = || tape.input(client, *now, input, |action| done.note(action));
            return if self.measuring { probe.measure(work) } else { work() };
        }
        let work = || {
            client.handle(*now, input);
            while let Some(action) = client.poll_action() {
                done.note(action);
            }
        };
        if self.measuring { probe.measure(work) } else { work() }
    }

    fn command(&mut self, command: Command) {
        self.next_command += 1;
        self.input(Input::Command { id: CommandId(self.next_command), command });
    }

    /// Opens the producer.
    ///
    /// # Panics
    /// When it is refused.
    pub fn open_producer(&mut self) {
        self.open_producer_with(None);
    }

    fn open_producer_with(&mut self, trace: Option<TraceConfig>) {
        let mut config = Box::new(ProducerConfig::new("bench-producer-group".parse().expect("a group")));
        config.trace = trace;
        self.command(Command::OpenProducer { config });
        self.producer = self.done.opened.expect("the producer opens");
    }

    /// Starts sends of 1 KiB with tag and key.
    pub fn send(&mut self, count: u64) {
        for _ in 0..count {
            self.send_with(SEND_TIMEOUT, None);
        }
    }

    /// Starts a send.
    ///
    /// # Panics
    /// When the message is refused.
    pub fn send_with(&mut self, timeout: Duration, retries: Option<u32>) {
        self.messages += 1;
        // The same number of digits always: their number must not decide where the count ends.
        let key = format!("k{:07}", self.messages);
        let message = Message::builder("Bench".parse().expect("a topic"))
            .body(Bytes::from_static(BODY))
            .tag("TagA")
            .key(&key)
            .build()
            .expect("a sound message");
        let deadline = self.now.mono + timeout;
        let (producer, target) = (self.producer, Target::Any);
        let send = Send {
            producer,
            message,
            target,
            deadline,
            mode: SendMode::Acknowledged,
            reservation: None,
            retries,
        };
        self.command(Command::Send(send));
    }

    /// Connects and writes what the core wants, until it wants nothing more.
    pub fn move_bytes(&mut self) {
        while !self.done.connects.is_empty() || !self.done.writes.is_empty() {
            while let Some(conn) = self.done.connects.pop() {
                self.inboxes.insert(conn, Inbox::new(WireLimits::default()));
                self.input(Input::Connected { conn });
            }
            while let Some(conn) = self.done.writes.pop() {
                self.write(conn);
            }
        }
    }

    fn write(&mut self, conn: ConnId) {
        let Self { client, probe, chunks, .. } = self;
        let mut work = || client.outbox(conn, chunks);
        if self.measuring {
            probe.measure(work)
        } else {
            work()
        }
        let count = self.chunks.iter().map(Bytes::len).sum();
        self.read_requests(conn);
        // The driver lets go of what is written before it reports it.
        self.chunks.clear();
        self.input(Input::Wrote { conn, count });
    }

    /// Writes what waits, and counts only what the core does when it hears of it.
    ///
    /// # Panics
    /// When nothing waits.
    pub fn write_measured_report(&mut self) {
        let conn = self.done.writes.pop().expect("something waits to be written");
        self.client.outbox(conn, &mut self.chunks);
        let count = self.chunks.iter().map(Bytes::len).sum();
        self.read_requests(conn);
        self.chunks.clear();
        self.measuring = true;
        self.input(Input::Wrote { conn, count });
        self.measuring = false;
    }

    fn read_requests(&mut self, conn: ConnId) {
        let inbox = self.inboxes.get_mut(&conn).expect("only what is connected writes");
        for chunk in &self.chunks {
            let mut frames = inbox.feed(chunk);
            while let Some(frame) = frames.next().expect("the core writes sound frames") {
                self.pending.extend(Request::read(&frame).map(|request| (conn, request)));
            }
        }
    }

    /// Answers everything that is pending, each connection in pieces as a socket gives them.
    pub fn answer_all(&mut self, fate: Fate) {
        let mut streams: BTreeMap<ConnId, BytesMut> = BTreeMap::new();
        for (conn, request) in take(&mut self.pending) {
            let offset = 1_000_000 + self.messages;
            answer(streams.entry(conn).or_default(), self.serialize, &request, fate, offset);
        }
        for (conn, stream) in streams {
            for bytes in stream.chunks(READ) {
                self.input(Input::Received { conn, bytes });
            }
        }
    }

    /// Forgets the sends that are pending: they will have no answer.
    pub fn drop_pending_sends(&mut self) {
        self.pending.retain(|(_, request)| request.code != RequestCode::SEND_MESSAGE_V2);
    }

    /// Sends, and answers until all of it is stored.
    ///
    /// # Panics
    /// When that takes more than the few steps that it needs.
    pub fn send_and_store(&mut self, count: u64) {
        let wanted = self.done.stored + count;
        self.send(count);
        for _ in 0..8 {
            self.move_bytes();
            self.answer_all(Fate::Stored);
        }
        assert_eq!(self.done.stored, wanted, "{:?}", self.done);
    }

    /// Lets time pass and tells the core.
    pub fn tick_after(&mut self, length: Duration) {
        self.pass(length);
        self.input(Input::Tick);
    }

    /// Lets time pass until the next round. Inputs tell the core.
    pub fn next_round(&mut self) {
        self.pass(ROUND);
    }

    fn pass(&mut self, length: Duration) {
        self.now.mono = self.now.mono + length;
        self.now.unix_ms = FIRST_UNIX_MS + (self.now.mono.as_micros() / 1_000).cast_signed();
    }

    /// Records of message trace so far: made, sent, dropped.
    #[must_use]
    pub fn trace_records(&self) -> (u64, u64, u64) {
        let counters = self.client.counters();
        (counters.trace_records, counters.trace_records_sent, counters.trace_records_dropped)
    }

    /// Bytes that wait to be written.
    #[must_use]
    pub fn outbox_bytes(&self) -> usize {
        self.client.memory().outbox_bytes
    }

    /// Shuts the client down and drops it.
    ///
    /// # Panics
    /// When the client does not end.
    pub fn shut_down(mut self) {
        let deadline = self.now.mono + SEND_TIMEOUT;
        self.command(Command::Shutdown { deadline });
        self.move_bytes();
        self.answer_all(Fate::Stored);
        assert!(self.done.closed, "the client ends");
        let Self { client, probe, measuring, .. } = self;
        let work = || drop(client);
        if measuring { probe.measure(work) } else { work() }
    }
}
