//! RPC hooks: every request is shown once before it is written and once when it has ended.

use super::transactions::SHORT;
use super::{Request, Rig, config};
use crate::client::{Answer, Client, ClientConfig, CloseReason, Command, Input};
use crate::command::RequestCode;
use crate::interface::{
    AdminError, AdminRequest, EndErrorKind, EndVerdict, Hooks, Outcome, OutgoingRequest, ProducerId, Refusal,
    RequestView, RpcFailure, RpcHook, RpcOutcome, SendErrorKind, SendMode, Target, TransactionEnd,
};
use crate::message::Message;
use crate::wire::SerializeType;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;
use std::sync::Mutex;

/// Adds what it was told to, refuses what it was told to, and writes down what it sees.
#[derive(Default)]
pub(super) struct Watcher {
    adds: Vec<(&'static str, String)>,
    refuses: Mutex<Option<RequestCode>>,
    seen: Mutex<Vec<String>>,
}

impl Watcher {
    fn adding(fields: &[(&'static str, &str)]) -> Arc<Self> {
        let adds = fields.iter().map(|(name, value)| (*name, (*value).to_string())).collect();
        Arc::new(Self { adds, ..Self::default() })
    }

    fn refuse(&self, code: RequestCode) {
        *self.refuses.lock().unwrap() = Some(code);
    }

    fn note(&self, line: String) {
        self.seen.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        core::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl RpcHook for Watcher {
    fn name(&self) -> &str {
        "watcher"
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        if *self.refuses.lock().unwrap() == Some(request.code()) {
            self.note(format!("refused {}", request.code().0));
            return Err(Refusal::new("not\nthis one"));
        }
        for (name, value) in &self.adds {
            request.add_field(name, value)?;
        }
        self.note(format!("before {} {}", request.code().0, request.endpoint()));
        Ok(())
    }

    fn after_response(&self, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        let was_written = !matches!(outcome, RpcOutcome::Failed { why: RpcFailure::Hook(_), .. });
        for (name, value) in self.adds.iter().filter(|_| was_written) {
            assert_eq!(
                request.fields().get(name).as_deref(),
                Some(value.as_str()),
                "after knows what was added"
            );
        }
        let what = match outcome {
            RpcOutcome::Answered(answer) => {
                let fields = answer.fields.iter().count();
                let remark = answer.remark.unwrap_or_default();
                format!("answered {} {remark} {fields} {}", answer.code.0, answer.body.len())
            }
            RpcOutcome::HandedOver => "handed over".to_string(),
            RpcOutcome::Failed { written, why } => format!("failed {written} {why}"),
        };
        self.note(format!("after {} {} {what}", request.code.0, request.endpoint));
    }
}

impl Rig {
    pub(super) fn with_hooks(config: ClientConfig, hooks: Hooks) -> Self {
        let mut rig = Self::new(config.clone());
        rig.client = Client::with_hooks(config, hooks, rig.now).unwrap();
        rig
    }

    fn with_rpc(config: ClientConfig, hooks: &[&Arc<Watcher>]) -> Self {
        let rpc = hooks.iter().map(|hook| Arc::clone(hook) as Arc<dyn RpcHook>).collect();
        Self::with_hooks(config, Hooks { rpc, ..Hooks::default() })
    }

    /// Opens a producer whose first message `broker-a` stores.
    pub(super) fn set_up(&mut self) -> ProducerId {
        let producer = self.open("PG");
        let id = self.send(producer, "T", SHORT);
        self.connect_all();
        self.answer_route(&["broker-a"]);
        self.connect_all();
        let heartbeat = self.take_request(RequestCode::HEART_BEAT);
        self.answer(&heartbeat, 0, None);
        let send = self.take_request(RequestCode::SEND_MESSAGE_V2);
        self.answer_stored(&send, 0, 5);
        assert!(self.sent(id).is_ok());
        producer
    }

    fn take_any(&mut self) -> Request {
        assert!(!self.requests.is_empty(), "no request");
        self.requests.remove(0)
    }
}

const FIELDS: [(&str, &str); 2] = [("AccessKey", "key \"1\""), ("Signature", "sig\u{1}nature")];

fn is_signed(request: &Request) {
    for (name, value) in FIELDS {
        assert_eq!(request.ext.get(name).map(String::as_str), Some(value), "{:?}", request.code);
    }
}

/// One request of every floor, in both forms of header, with a small and with a large body.
#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn fields_are_added_to_the_requests_of_every_floor_in_both_forms() {
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let hook = Watcher::adding(&FIELDS);
        let mut rig = Rig::with_rpc(ClientConfig { serialize_type, ..config() }, &[&hook]);
        let producer = rig.open("PG");
        let id = rig.send(producer, "T", SHORT);
        rig.connect_all();
        is_signed(&rig.requests[0]);
        rig.answer_route(&["broker-a"]);
        rig.connect_all();
        let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
        is_signed(&heartbeat);
        assert!(heartbeat.body.starts_with(b"{"));
        rig.answer(&heartbeat, 0, None);
        let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        is_signed(&send);
        assert_eq!((send.ext["a"].as_str(), send.body.as_slice()), ("PG", b"body".as_slice()));
        rig.answer_stored(&send, 0, 5);
        assert!(rig.sent(id).is_ok());

        let large = vec![7; 100_000];
        let message = Message::new("T".parse().unwrap(), large.clone());
        let id = rig.send_with(producer, message, SHORT, Target::Any, SendMode::Acknowledged);
        let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        is_signed(&send);
        assert_eq!(send.body, large);
        rig.answer_stored(&send, 0, 6);
        assert!(rig.sent(id).is_ok());

        let half = rig.half(producer);
        let id = rig.end(producer, &half, TransactionEnd::Commit);
        let end = rig.take_request(RequestCode::END_TRANSACTION);
        is_signed(&end);
        rig.answer(&end, 0, None);
        assert!(rig.ended(id).is_ok());

        let message = Message::new("T".parse().unwrap(), "one-way");
        let id = rig.send_with(producer, message, SHORT, Target::Any, SendMode::OneWay);
        let one_way = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        assert!(one_way.one_way);
        is_signed(&one_way);
        assert!(matches!(rig.answers.remove(&id), Some(Answer::HandedOver(Ok(())))));

        let deadline = rig.now.mono + SHORT;
        rig.command(Command::Admin { request: Box::new(AdminRequest::TopicList), deadline });
        is_signed(&rig.take_any());

        rig.command(Command::CloseProducer { producer, deadline });
        let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
        is_signed(&farewell);
    }
}

#[test]
fn requests_to_which_nothing_is_added_keep_every_byte() {
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let config = || ClientConfig { serialize_type, ..config() };
        let bytes = |mut rig: Rig| {
            rig.keep_bytes = true;
            let producer = rig.open("PG");
            rig.send(producer, "T", SHORT);
            rig.connect_all();
            let mut chunks = Vec::new();
            let conn = *rig.addresses.keys().next().unwrap();
            rig.client.outbox(conn, &mut chunks);
            chunks.concat()
        };
        let plain = bytes(Rig::new(config()));
        assert!(!plain.is_empty());
        assert_eq!(bytes(Rig::with_rpc(config(), &[&Watcher::adding(&[])])), plain);
    }
}

#[test]
fn each_request_that_was_let_through_ends_once() {
    let hook = Watcher::adding(&[]);
    let mut rig = Rig::with_rpc(config(), &[&hook]);
    let producer = rig.set_up();
    let expected = [
        "before 105 127.0.0.1:9876".to_string(),
        format!("after 105 127.0.0.1:9876 answered 0  0 {}", 221),
        "before 34 10.0.0.0:10911".to_string(),
        "before 310 10.0.0.0:10911".to_string(),
        "after 34 10.0.0.0:10911 answered 0  0 0".to_string(),
        "after 310 10.0.0.0:10911 answered 0  4 0".to_string(),
    ];
    assert_eq!(hook.take(), expected);

    // A refusal is an answer, and each attempt is a request.
    let id = rig.send(producer, "T", SHORT);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer(&send, 2, Some("busy"));
    rig.pass(Duration::from_millis(100));
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer_stored(&send, 0, 6);
    // One that comes twice is nobody's.
    rig.answer_stored(&send, 0, 6);
    assert_eq!(rig.sent(id).unwrap().attempts, 2);
    let seen = hook.take();
    assert_eq!(
        seen,
        [
            "before 310 10.0.0.0:10911",
            "after 310 10.0.0.0:10911 answered 2 busy 0 0",
            "before 310 10.0.0.0:10911",
            "after 310 10.0.0.0:10911 answered 0  4 0",
        ]
    );

    // Handed over.
    let message = Message::new("T".parse().unwrap(), "one-way");
    rig.send_with(producer, message, SHORT, Target::Any, SendMode::OneWay);
    assert_eq!(hook.take(), ["before 310 10.0.0.0:10911", "after 310 10.0.0.0:10911 handed over"]);

    // Lost with the connection.
    rig.send(producer, "T", Duration::from_millis(400));
    let conn = rig.requests.last().unwrap().conn;
    rig.input(Input::Closed { conn, why: CloseReason::Reset });
    assert_eq!(
        hook.take(),
        ["before 310 10.0.0.0:10911", "after 310 10.0.0.0:10911 failed true connection reset"]
    );
}

#[test]
fn a_request_without_an_answer_ends_by_its_time_or_with_the_send() {
    let hook = Watcher::adding(&[]);
    let mut rig = Rig::with_rpc(config(), &[&hook]);
    let producer = rig.set_up();
    hook.take();
    // The last attempt has the rest of the time.
    let deadline = rig.now.mono + Duration::from_millis(500);
    let target = Target::Any;
    let message = Message::new("T".parse().unwrap(), "body");
    rig.command(Command::Send(crate::client::Send {
        producer,
        message,
        target,
        deadline,
        mode: SendMode::Acknowledged,
        reservation: None,
        retries: Some(0),
    }));
    rig.pass(Duration::from_millis(600));
    let timed_out = |line: &&String| *line == "after 310 10.0.0.0:10911 failed true no answer in time";
    let mut all = hook.take();
    assert_eq!(all.iter().filter(timed_out).count(), 1);
    // A producer that is closed gives up what is under way.
    rig.send(producer, "T", SHORT);
    rig.command(Command::CloseProducer { producer, deadline: rig.now.mono });
    let seen = hook.take();
    let gone = "after 310 10.0.0.0:10911 failed true nobody waits for the answer any more";
    assert_eq!(seen.iter().filter(|line| *line == gone).count(), 1, "{seen:?}");
    // A shutdown leaves nothing under way.
    rig.command(Command::Shutdown { deadline: rig.now.mono });
    rig.pass(Duration::from_secs(5));
    all.extend(seen.into_iter().chain(hook.take()));
    let ends = |what: &str| all.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!(ends("after"), ends("before"), "{all:?}");
}

#[test]
fn a_refused_send_is_not_stored_and_touches_nothing_else() {
    let hook = Watcher::adding(&[]);
    let first = Watcher::adding(&[("First", "1")]);
    let mut rig = Rig::with_rpc(config(), &[&first, &hook]);
    let producer = rig.set_up();
    first.take();
    let under_way = rig.send(producer, "T", SHORT);
    hook.refuse(RequestCode::SEND_MESSAGE_V2);
    let id = rig.send(producer, "T", SHORT);
    let error = rig.sent(id).unwrap_err();
    assert_eq!((error.outcome(), error.written_attempts()), (Outcome::NotStored, 0));
    assert!(
        matches!(error.kind(), SendErrorKind::Hook(why) if why.to_string() == "hook watcher: not this one")
    );
    assert_eq!(rig.requests.len(), 1, "nothing was written");
    // The one before it had let the request through, and learns that it was for nothing.
    let seen = first.take();
    let nothing = "after 310 10.0.0.0:10911 failed false hook watcher: not this one";
    assert_eq!(seen, ["before 310 10.0.0.0:10911", "before 310 10.0.0.0:10911", nothing]);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(send.ext["First"], "1");
    rig.answer_stored(&send, 0, 7);
    assert!(rig.sent(under_way).is_ok());
    assert_eq!(rig.client.memory().messages, 0);
}

#[test]
fn every_floor_survives_a_hook_that_refuses() {
    let hook = Watcher::adding(&[]);
    let mut rig = Rig::with_rpc(config(), &[&hook]);
    // No route: the send ends at its deadline, and says why.
    hook.refuse(RequestCode::GET_ROUTEINFO_BY_TOPIC);
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    rig.connect_all();
    rig.pass(SHORT);
    let error = rig.sent(id).unwrap_err();
    assert!(error.to_string().contains("hook watcher: not this one"), "{error}");
    assert!(hook.take().len() < 40, "searches pause");
    // No heartbeat: it is told, and tried again.
    hook.refuse(RequestCode::HEART_BEAT);
    rig.pass(Duration::from_secs(2));
    let id = rig.send(producer, "T", SHORT);
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer_stored(&send, 0, 5);
    assert!(rig.sent(id).is_ok());
    assert!(rig.told.iter().any(|told| told.contains("HeartbeatFailed") && told.contains("not this one")));
    hook.refuse(RequestCode::END_TRANSACTION);
    rig.pass(Duration::from_secs(2));
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    rig.answer(&heartbeat, 0, None);
    // No end.
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    let error = rig.ended(id).unwrap_err();
    assert!(matches!(error.kind(), EndErrorKind::Hook(_)), "{error}");
    assert_eq!(error.verdict(), EndVerdict::NotDelivered);
    // No administrative call.
    hook.refuse(RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER);
    let deadline = rig.now.mono + SHORT;
    let id = rig.command(Command::Admin { request: Box::new(AdminRequest::TopicList), deadline });
    let answer = rig.answers.remove(&id);
    assert!(matches!(&answer, Some(Answer::Admin(Err(AdminError::NoNameServer { .. })))), "{answer:?}");
    assert!(format!("{answer:?}").contains("watcher"));
    // No farewell, and yet an end.
    hook.refuse(RequestCode::UNREGISTER_CLIENT);
    let id = rig.command(Command::Shutdown { deadline: rig.now.mono });
    assert!(matches!(rig.answers.remove(&id), Some(Answer::Closed(_))));
}

#[test]
fn what_is_there_stays_and_what_is_added_is_bounded() {
    struct Bold;
    impl RpcHook for Bold {
        fn name(&self) -> &str {
            "bold"
        }
        fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
            if request.code() != RequestCode::SEND_MESSAGE_V2 {
                return Ok(());
            }
            assert_eq!(request.field("a").as_deref(), Some("PG"));
            assert_eq!((request.body(), request.is_one_way()), (b"body".as_slice(), false));
            for name in ["a", "", "x\u{1}", "x\"", "x\\", &"x".repeat(256)] {
                assert!(request.add_field(name, "1").is_err(), "{name:?}");
            }
            assert!(request.add_field("big", &"x".repeat(32 * 1024)).is_err());
            for number in 0..64 {
                request.add_field(&format!("n{number}"), "1")?;
                assert!(request.add_field(&format!("n{number}"), "2").is_err(), "taken");
            }
            assert!(request.add_field("n64", "1").is_err());
            assert_eq!(request.field("n63").as_deref(), Some("1"));
            Ok(())
        }
    }
    let mut rig = Rig::with_hooks(config(), Hooks { rpc: vec![Arc::new(Bold)], ..Hooks::default() });
    let producer = rig.set_up();
    rig.send(producer, "T", SHORT);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(send.ext["a"], "PG");
    let added: BTreeMap<_, _> =
        send.ext.iter().filter(|(name, _)| name.starts_with('n') && name.len() > 1).collect();
    assert_eq!(added.len(), 64);
}
