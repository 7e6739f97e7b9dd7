//! The client against a scripted name server and broker, one input at a time.

mod admin;
mod checks;
mod declared_topics;
mod heartbeat;
mod hooks;
mod inbound;
mod inner_producer;
mod latency_fault;
mod name_servers;
mod namespaces;
mod routes_again;
mod running_info;
mod send_hooks;
mod silence;
mod start;
mod trace;
mod transactions;
mod vip;

use super::{
    Action, Answer, Client, ClientConfig, CloseReason, Command, CommandId, ConnId, ConnectionState, Input,
    Notice, Send, ServiceState,
};
use crate::command::{LanguageCode, RequestCode, ResponseCode, version};
use crate::ground::{Instant, Now};
use crate::interface::{ProducerId, SendMode, Target, TransactionCheck};
use crate::message::Message;
use crate::producer::{Outcome, ProducerConfig, SendErrorKind, SendReceipt};
use crate::wire::{
    CommandHead, FieldSink, Header, Inbox, NoFields, SerializeType, WireLimits, WriteFields, encode_command,
};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use bytes::BytesMut;
use core::time::Duration;

/// A request that the client wrote.
struct Request {
    conn: ConnId,
    code: RequestCode,
    opaque: i32,
    one_way: bool,
    ext: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// The client, its clock, and what came out of it.
struct Rig {
    client: Client,
    now: Now,
    inboxes: BTreeMap<ConnId, Inbox>,
    addresses: BTreeMap<ConnId, String>,
    answers: BTreeMap<u64, Answer>,
    requests: Vec<Request>,
    /// What was written that is no frame.
    texts: Vec<(ConnId, String)>,
    told: Vec<String>,
    connects: Vec<ConnId>,
    closes: Vec<ConnId>,
    checks: Vec<TransactionCheck>,
    notices: Vec<Notice>,
    next_id: u64,
    /// The socket takes nothing by itself.
    keep_bytes: bool,
}

struct Fields(Vec<(&'static str, String)>);

impl WriteFields for Fields {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        for (name, value) in &self.0 {
            sink.str(name, value);
        }
    }
}

impl Rig {
    fn new(config: ClientConfig) -> Self {
        let now = Now { mono: Instant::from_millis(1_000), unix_ms: 1_700_000_000_000 };
        Self {
            client: Client::new(config, now).unwrap(),
            now,
            inboxes: BTreeMap::new(),
            addresses: BTreeMap::new(),
            answers: BTreeMap::new(),
            requests: Vec::new(),
            texts: Vec::new(),
            told: Vec::new(),
            connects: Vec::new(),
            closes: Vec::new(),
            checks: Vec::new(),
            notices: Vec::new(),
            next_id: 0,
            keep_bytes: false,
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.client.handle(self.now, input);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Connect { conn, to } => {
                    self.addresses.insert(conn, to.to_string());
                    self.inboxes.insert(conn, Inbox::new(WireLimits::default()));
                    self.connects.push(conn);
                }
                Action::Write { conn } if !self.keep_bytes => self.write(conn),
                Action::Close { conn } => self.closes.push(conn),
                Action::Answer { id, answer } => {
                    assert!(self.answers.insert(id.0, answer).is_none(), "answered twice");
                }
                Action::Check(check) => self.checks.push(*check),
                Action::Notice(notice) => {
                    self.told.push(format!("{notice:?}"));
                    self.notices.push(notice);
                }
                Action::Write { .. } | Action::SetTimer { .. } => {}
            }
        }
    }

    fn write(&mut self, conn: ConnId) {
        loop {
            let mut chunks = Vec::new();
            self.client.outbox(conn, &mut chunks);
            if chunks.is_empty() {
                return;
            }
            for chunk in chunks {
                self.read_requests(conn, &chunk);
                self.client.handle(self.now, Input::Wrote { conn, count: chunk.len() });
            }
        }
    }

    fn read_requests(&mut self, conn: ConnId, bytes: &[u8]) {
        if bytes.starts_with(b"GET ") {
            self.texts.push((conn, String::from_utf8(bytes.to_vec()).unwrap()));
            return;
        }
        let inbox = self.inboxes.get_mut(&conn).unwrap();
        let mut frames = inbox.feed(bytes);
        while let Some(frame) = frames.next().unwrap() {
            let header = Header::parse(&frame, &WireLimits::default()).unwrap();
            self.requests.push(Request {
                conn,
                code: RequestCode(header.code),
                opaque: header.opaque,
                one_way: header.is_oneway(),
                ext: header.ext.iter().map(|(k, v)| (k.into_owned(), v.into_owned())).collect(),
                body: frame.body.to_vec(),
            });
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(at) = self.client.deadline().filter(|at| *at <= end) {
            self.now.unix_ms += i64::try_from(at.since(self.now.mono).as_millis()).unwrap();
            self.now.mono = self.now.mono.max(at);
            self.input(Input::Tick);
            assert!(self.client.deadline().is_none_or(|next| next > self.now.mono), "a due timer is left");
        }
        self.now.mono = end;
    }

    fn command(&mut self, command: Command) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        self.input(Input::Command { id: CommandId(id), command });
        id
    }

    fn open(&mut self, group: &str) -> ProducerId {
        let config = Box::new(ProducerConfig::new(group.parse().unwrap()));
        let id = self.command(Command::OpenProducer { config });
        match self.answers.remove(&id) {
            Some(Answer::Opened(Ok(producer))) => producer,
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, producer: ProducerId, topic: &str, within: Duration) -> u64 {
        let message = Message::new(topic.parse().unwrap(), "body");
        self.send_with(producer, message, within, Target::Any, SendMode::Acknowledged)
    }

    fn send_with(
        &mut self,
        producer: ProducerId,
        message: Message,
        within: Duration,
        target: Target,
        mode: SendMode,
    ) -> u64 {
        let deadline = self.now.mono + within;
        self.command(Command::Send(Send {
            producer,
            message,
            target,
            deadline,
            mode,
            reservation: None,
            retries: None,
        }))
    }

    fn connect_all(&mut self) {
        for conn in core::mem::take(&mut self.connects) {
            self.input(Input::Connected { conn });
        }
    }

    fn take_request(&mut self, code: RequestCode) -> Request {
        let at = self.requests.iter().position(|request| request.code == code);
        let codes: Vec<_> = self.requests.iter().map(|request| request.code).collect();
        self.requests.remove(at.unwrap_or_else(|| panic!("no {code:?} among {codes:?}")))
    }

    fn answer_raw(
        &mut self,
        conn: ConnId,
        opaque: i32,
        code: i32,
        remark: Option<&str>,
        ext: Vec<(&'static str, String)>,
        body: &[u8],
    ) {
        self.receive(conn, (code, 1, opaque), remark, ext, body);
    }

    /// A frame arrives: its code, flag and opaque.
    fn receive(
        &mut self,
        conn: ConnId,
        head: (i32, i32, i32),
        remark: Option<&str>,
        ext: Vec<(&'static str, String)>,
        body: &[u8],
    ) {
        let bytes = frame(SerializeType::Json, head, remark, ext, body);
        self.input(Input::Received { conn, bytes: &bytes });
    }

    fn answer(&mut self, request: &Request, code: i32, remark: Option<&str>) {
        self.answer_raw(request.conn, request.opaque, code, remark, Vec::new(), b"");
    }

    fn answer_stored(&mut self, request: &Request, code: i32, offset: i64) {
        let ext = vec![
            ("msgId", "0A00000200002A9F00000000000003E8".to_string()),
            ("queueId", request.ext["e"].clone()),
            ("queueOffset", offset.to_string()),
            ("MSG_REGION", "DefaultRegion".to_string()),
        ];
        self.answer_raw(request.conn, request.opaque, code, None, ext, b"");
    }

    fn answer_route(&mut self, brokers: &[&str]) {
        let request = self.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
        let datas: Vec<String> = brokers
            .iter()
            .enumerate()
            .map(|(n, name)| {
                format!(r#"{{"brokerAddrs":{{"0":"10.0.0.{n}:10911"}},"brokerName":"{name}","cluster":"C"}}"#)
            })
            .collect();
        let queues: Vec<String> = brokers
            .iter()
            .map(|name| {
                format!(
                    r#"{{"brokerName":"{name}","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}}"#
                )
            })
            .collect();
        let body = format!(
            r#"{{"brokerDatas":[{}],"filterServerTable":{{}},"queueDatas":[{}]}}"#,
            datas.join(","),
            queues.join(",")
        );
        self.answer_raw(request.conn, request.opaque, 0, None, Vec::new(), body.as_bytes());
    }

    fn sent(&mut self, id: u64) -> Result<SendReceipt, crate::producer::SendError> {
        match self.answers.remove(&id) {
            Some(Answer::Sent(result)) => result,
            other => panic!("no verdict: {other:?}"),
        }
    }
}

/// A frame with its code, flag and opaque.
fn frame(
    serialize: SerializeType,
    (code, flag, opaque): (i32, i32, i32),
    remark: Option<&str>,
    ext: Vec<(&'static str, String)>,
    body: &[u8],
) -> BytesMut {
    let (version, language) = (version::CURRENT, LanguageCode::Java);
    let head = CommandHead { code, flag, opaque, version, language, remark };
    let mut out = BytesMut::new();
    if ext.is_empty() {
        encode_command(&mut out, serialize, &head, &NoFields, body.len()).unwrap();
    } else {
        encode_command(&mut out, serialize, &head, &Fields(ext), body.len()).unwrap();
    }
    out.extend_from_slice(body);
    out
}

fn config() -> ClientConfig {
    ClientConfig::new("127.0.0.1:9876".parse().unwrap(), 7)
}

/// A rig with a route, one connected broker and its heartbeat answered.
fn ready(brokers: &[&str]) -> (Rig, ProducerId) {
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", Duration::from_secs(3));
    rig.connect_all();
    rig.answer_route(brokers);
    rig.connect_all();
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer(&heartbeat, 0, None);
    rig.answer_stored(&send, 0, 5);
    assert_eq!(rig.sent(id).unwrap().queue_offset, 5);
    (rig, producer)
}

#[test]
fn a_first_send_takes_two_connects_and_two_round_trips() {
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    assert!(rig.connects.is_empty(), "nothing to say yet");
    let id = rig.send(producer, "T", Duration::from_secs(3));
    assert_eq!(rig.connects.len(), 1);
    rig.connect_all();
    assert_eq!(rig.requests.len(), 1);
    assert_eq!(rig.requests[0].ext["topic"], "T");
    rig.answer_route(&["broker-a"]);
    assert_eq!(rig.addresses[&rig.connects[0]], "10.0.0.0:10911");
    rig.connect_all();
    let codes: Vec<_> = rig.requests.iter().map(|request| request.code).collect();
    assert_eq!(codes, [RequestCode::HEART_BEAT, RequestCode::SEND_MESSAGE_V2]);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(
        (send.ext["a"].as_str(), send.ext["n"].as_str(), send.ext["c"].as_str()),
        ("PG", "broker-a", "TBW102")
    );
    rig.answer_stored(&send, 0, 17);
    let receipt = rig.sent(id).unwrap();
    assert_eq!((receipt.queue_offset, receipt.attempts), (17, 1));
    assert!(send.ext["i"].contains(receipt.message_id.as_str()));
    assert_eq!(rig.client.memory().messages, 0);
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_busy_broker_is_waited_out() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let id = rig.send(producer, "T", Duration::from_secs(3));
    for _ in 0..6 {
        let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        rig.answer(&send, 2, Some("[REJECTREQUEST]system busy"));
        rig.pass(Duration::from_millis(400));
    }
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer_stored(&send, 0, 6);
    assert_eq!(rig.sent(id).unwrap().attempts, 7);
}

#[test]
fn a_lost_connection_tells_what_may_be_stored() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let id = rig.send(producer, "T", Duration::from_millis(500));
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.input(Input::Closed { conn: send.conn, why: CloseReason::Reset });
    rig.pass(Duration::from_millis(600));
    let error = rig.sent(id).unwrap_err();
    assert_eq!(error.outcome(), Outcome::MayBeStored);
    assert_eq!(error.written_attempts(), 1);
    assert!(matches!(error.kind(), SendErrorKind::Timeout), "{error}");
    let message = error.into_message().unwrap();
    assert!(message.unique_key().is_some());
}

#[test]
fn a_refused_send_goes_to_the_other_broker() {
    let (mut rig, producer) = ready(&["broker-a", "broker-b"]);
    let id = rig.send(producer, "T", Duration::from_secs(3));
    rig.connect_all();
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    let first = send.ext["n"].clone();
    rig.answer(&send, 14, Some("disk full"));
    rig.connect_all();
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_ne!(send.ext["n"], first);
    rig.answer_stored(&send, 10, 1);
    assert_eq!(rig.sent(id).unwrap().attempts, 2);
}

#[test]
fn shutdown_unregisters_and_then_nothing_happens() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let pending = rig.send(producer, "T", Duration::from_secs(60));
    let shutdown = rig.command(Command::Shutdown { deadline: rig.now.mono + Duration::from_secs(2) });
    assert!(rig.answers.is_empty());
    let late = rig.send(producer, "T", Duration::from_secs(60));
    assert!(matches!(rig.sent(late).unwrap_err().kind(), SendErrorKind::ClientClosed));
    rig.pass(Duration::from_secs(2));
    let error = rig.sent(pending).unwrap_err();
    assert_eq!(error.outcome(), Outcome::MayBeStored);
    let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
    assert_eq!(farewell.ext["producerGroup"], "PG");
    rig.answer(&farewell, 0, None);
    match rig.answers.remove(&shutdown) {
        Some(Answer::Closed(left)) => assert_eq!(left.len(), 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.client.service_state(), ServiceState::ShutdownAlready);
    assert_eq!(rig.client.deadline(), None);
    assert_eq!(rig.closes.len(), 2);
    rig.input(Input::Tick);
    assert!(rig.client.poll_action().is_none());
}

#[test]
fn one_way_ends_when_the_socket_has_all_of_it() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let message = Message::new("T".parse().unwrap(), "body");
    let id = rig.send_with(producer, message, Duration::from_secs(1), Target::Any, SendMode::OneWay);
    assert!(rig.take_request(RequestCode::SEND_MESSAGE_V2).one_way);
    assert!(matches!(rig.answers.remove(&id), Some(Answer::HandedOver(Ok(())))));
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn routes_and_heartbeats_come_every_thirty_seconds_and_nothing_else_does() {
    let (mut rig, _) = ready(&["broker-a"]);
    let mut wakes = 0;
    let end = rig.now.mono + Duration::from_secs(300);
    while let Some(at) = rig.client.deadline().filter(|at| *at <= end) {
        rig.now.mono = at;
        rig.input(Input::Tick);
        wakes += 1;
        for request in core::mem::take(&mut rig.requests) {
            match request.code {
                RequestCode::HEART_BEAT => rig.answer(&request, 0, None),
                RequestCode::GET_ROUTEINFO_BY_TOPIC => {
                    rig.requests.push(request);
                    rig.answer_route(&["broker-a"]);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!((10..=50).contains(&wakes), "{wakes} wake-ups in five minutes");
    assert_eq!(rig.client.counters().heartbeats, 11);
    assert_eq!(rig.client.counters().route_queries, 11);
}

#[test]
fn a_connection_that_we_close_ourselves_may_still_have_sent_what_was_encoded() {
    let (mut rig, producer) = ready(&["broker-a"]);
    rig.keep_bytes = true;
    let id = rig.send(producer, "T", Duration::from_millis(200));
    let conn = *rig.addresses.iter().find(|(_, address)| *address == "10.0.0.0:10911").unwrap().0;
    // The driver holds the bytes and has reported nothing when the peer sends rubbish.
    rig.input(Input::Received { conn, bytes: b"HTTP/1.1 400 Bad Request\r\n\r\n" });
    assert_eq!(rig.closes, [conn]);
    rig.pass(Duration::from_millis(300));
    assert_eq!(rig.sent(id).unwrap_err().outcome(), Outcome::MayBeStored);
}

#[test]
fn a_connection_that_the_driver_lost_before_the_last_byte_has_stored_nothing() {
    let (mut rig, producer) = ready(&["broker-a"]);
    rig.keep_bytes = true;
    let id = rig.send(producer, "T", Duration::from_millis(200));
    let conn = *rig.addresses.iter().find(|(_, address)| *address == "10.0.0.0:10911").unwrap().0;
    let mut chunks = Vec::new();
    rig.client.outbox(conn, &mut chunks);
    let all: usize = chunks.iter().map(bytes::Bytes::len).sum();
    rig.input(Input::Wrote { conn, count: all - 1 });
    rig.input(Input::Closed { conn, why: CloseReason::Reset });
    rig.pass(Duration::from_millis(300));
    let error = rig.sent(id).unwrap_err();
    assert_eq!((error.outcome(), error.written_attempts()), (Outcome::NotStored, 0));
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_server_that_only_says_go_away_is_asked_less_and_less_often() {
    let (mut rig, _) = ready(&["broker-a"]);
    let mut connects = 0;
    let end = rig.now.mono + Duration::from_secs(60);
    let conn = *rig.addresses.iter().find(|(_, address)| *address == "10.0.0.0:10911").unwrap().0;
    rig.input(Input::Closed { conn, why: CloseReason::EndOfStream });
    while rig.now.mono < end {
        connects += rig.connects.len();
        rig.connect_all();
        for request in core::mem::take(&mut rig.requests) {
            if request.code == RequestCode::HEART_BEAT {
                rig.answer(&request, 1_500, Some("please go away"));
            }
        }
        rig.pass(Duration::from_millis(10));
    }
    assert!((20..=80).contains(&connects), "{connects} connects in a minute");
}

#[test]
fn a_connection_that_drains_is_seen_beside_the_one_that_follows_it() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let kept = rig.send(producer, "T", Duration::from_secs(60));
    let refused = rig.send(producer, "T", Duration::from_secs(60));
    let first = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    let second = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer(&second, 1_500, Some("please go away"));
    let states = |rig: &Rig| {
        let all = rig.client.view().connections;
        all.into_iter().filter(|c| c.endpoint.port() == 10_911).map(|c| c.state).collect::<Vec<_>>()
    };
    assert_eq!(states(&rig), [ConnectionState::Down, ConnectionState::Draining]);
    rig.answer_stored(&first, 0, 8);
    assert_eq!(rig.sent(kept).unwrap().queue_offset, 8);
    assert_eq!(states(&rig), [ConnectionState::Down]);
    assert!(rig.answers.is_empty(), "the refused one ({refused}) goes on until its deadline");
}

/// What a name server knows can end the use of its own address: by a route that named it as a broker's.
#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_name_server_at_the_address_of_a_broker_that_moves_is_still_understood() {
    let mut rig = Rig::new(ClientConfig::new("10.0.0.0:10911".parse().unwrap(), 7));
    let producer = rig.open("PG");
    for topic in ["T", "U"] {
        rig.send(producer, topic, Duration::from_secs(3));
        rig.connect_all();
        rig.answer_route(&["broker-a"]);
    }
    rig.pass(Duration::from_secs(30));
    rig.connect_all();
    let moved = r#"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.9:10911"},"brokerName":"broker-a","cluster":"C"}],
        "queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}"#;
    for _ in ["T", "U"] {
        let request = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
        rig.answer_raw(request.conn, request.opaque, 0, None, Vec::new(), moved.as_bytes());
    }
    rig.requests.clear();
    rig.pass(Duration::from_secs(30));
    rig.connect_all();
    let queries = rig.requests.iter().filter(|it| it.code == RequestCode::GET_ROUTEINFO_BY_TOPIC);
    let topics: Vec<&str> = queries.map(|query| query.ext["topic"].as_str()).collect();
    assert_eq!(topics, ["T", "U"], "every topic is looked up in every round");
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_default_route_without_a_queue_is_looked_for_less_and_less_often() {
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", Duration::from_secs(2));
    let readable = r#"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.9:10911"},"brokerName":"broker-a","cluster":"C"}],
        "queueDatas":[{"brokerName":"broker-a","perm":4,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}"#;
    let (mut queries, mut at_first) = (0, 0);
    for second in 0..120 {
        rig.connect_all();
        while let Some(at) = rig.requests.iter().position(|it| it.code == RequestCode::GET_ROUTEINFO_BY_TOPIC)
        {
            let request = rig.requests.remove(at);
            let known = request.ext["topic"] != "T";
            let (code, body) = if known { (0, readable.as_bytes()) } else { (17, &b""[..]) };
            queries += 1;
            rig.answer_raw(request.conn, request.opaque, code, None, Vec::new(), body);
        }
        if second == 2 {
            at_first = queries;
        }
        rig.pass(Duration::from_secs(1));
    }
    assert!(rig.sent(id).is_err());
    // Two questions to a search: while the send waits each second, then at growing intervals.
    assert!(queries - at_first <= 20, "{at_first} queries while a send waited, then {queries} in all");
}
