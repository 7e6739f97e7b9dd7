//! The client whose memory is measured.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_core::client::{
    Action, Answer, Client, ClientConfig, Command, CommandId, ConnId, Input, Limits, ProducerId, Send,
};
use rocketmq_core::command::{LanguageCode, RequestCode};
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::message::Message;
use rocketmq_core::producer::{ProducerConfig, SendMode, Target};
use rocketmq_core::wire::{
    CommandHead, FieldSink, Header, Inbox, SerializeType, WireLimits, WriteFields, encode_command,
};
use stats_alloc::Region;

use crate::ALLOCATOR;

/// A client with one producer and a broker that answers when it is told to.
pub(crate) struct Rig {
    pub(crate) client: Client,
    pub(crate) now: Now,
    pub(crate) producer: ProducerId,
    pub(crate) next_id: u64,
    pub(crate) inboxes: BTreeMap<ConnId, Inbox>,
    /// Requests without answer: connection, code, opaque.
    pub(crate) pending: Vec<(ConnId, RequestCode, i32)>,
    pub(crate) stored: u64,
    pub(crate) failed: u64,
    pub(crate) granted: u64,
    pub(crate) closed: usize,
    /// What the core allocated inside `handle` and `poll_action`.
    pub(crate) allocations: usize,
    /// The broker takes no byte.
    pub(crate) stuck: bool,
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
    pub(crate) fn new(limits: Limits) -> Self {
        Self::with(|config| config.limits = limits)
    }

    fn with(change: impl FnOnce(&mut ClientConfig)) -> Self {
        let mut config = ClientConfig::new("127.0.0.1:9876".parse().unwrap(), 3);
        change(&mut config);
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

    pub(crate) fn input(&mut self, input: Input<'_>) {
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

    pub(crate) fn act(&mut self, action: Action) {
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

    pub(crate) fn write(&mut self, conn: ConnId) {
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

    pub(crate) fn command(&mut self, command: Command) {
        self.next_id += 1;
        self.input(Input::Command { id: CommandId(self.next_id), command });
    }

    pub(crate) fn message(bytes: usize) -> Message {
        Message::new("T".parse().unwrap(), vec![7_u8; bytes])
    }

    pub(crate) fn send(&mut self, message: Message) {
        let deadline = self.now.mono + Duration::from_secs(3_600);
        let producer = self.producer;
        let send = Send {
            producer,
            message,
            target: Target::Any,
            deadline,
            mode: SendMode::Acknowledged,
            reservation: None,
            retries: None,
        };
        self.command(Command::Send(send));
    }

    /// Answers everything that is pending: routes, heartbeats, sends.
    pub(crate) fn answer_all(&mut self) {
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
    pub(crate) fn warm(limits: Limits) -> Self {
        Self::new(limits).warmed()
    }

    /// With namespaces of both kinds.
    pub(crate) fn warm_in_namespaces() -> Self {
        let rig = Self::with(|config| {
            config.namespace = Some("MQ_INST_1_shop".parse().unwrap());
            config.namespace_v2 = Some("shop".into());
        });
        rig.warmed()
    }

    fn warmed(mut self) -> Self {
        let rig = &mut self;
        rig.send(Self::message(10));
        for _ in 0..3 {
            rig.answer_all();
        }
        assert_eq!(rig.stored, 1);
        self
    }
}
