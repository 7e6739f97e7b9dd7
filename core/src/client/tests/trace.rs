//! Message trace and the inner producer that sends it.

use super::transactions::SHORT;
use super::{Request, Rig, config};
use crate::client::{Answer, CloseReason, Command, Input};
use crate::command::RequestCode;
use crate::interface::{ProducerId, SendMode, Target, TransactionEnd};
use crate::message::Message;
use crate::producer::{ProducerConfig, TraceConfig};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;

const FLUSH: Duration = Duration::from_secs(5);

impl Rig {
    pub(super) fn open_traced(&mut self, group: &str, trace: TraceConfig) -> ProducerId {
        let mut config = ProducerConfig::new(group.parse().unwrap());
        config.trace = Some(trace);
        let id = self.command(Command::OpenProducer { config: Box::new(config) });
        match self.answers.remove(&id) {
            Some(Answer::Opened(Ok(producer))) => producer,
            other => panic!("{other:?}"),
        }
    }

    /// A message that is stored at once.
    fn stored(&mut self, producer: ProducerId, message: Message) -> String {
        let id = self.send_with(producer, message, SHORT, Target::Any, SendMode::Acknowledged);
        let request = self.take_send("T");
        self.answer_stored(&request, 0, 5);
        self.sent(id).unwrap().message_id.to_string()
    }

    pub(super) fn take_send(&mut self, topic: &str) -> Request {
        let is_it =
            |request: &Request| request.code == RequestCode::SEND_MESSAGE_V2 && request.ext["b"] == topic;
        let at = self.requests.iter().position(is_it).unwrap_or_else(|| panic!("no send to {topic}"));
        self.requests.remove(at)
    }

    pub(super) fn sends_to(&self, topic: &str) -> usize {
        let is_it = |request: &&Request| request.ext.get("b").is_some_and(|name| name == topic);
        self.requests.iter().filter(is_it).count()
    }

    /// Traced messages that were stored, `count` of them, and a broker that was asked for nothing else.
    pub(super) fn traced(&mut self, producer: ProducerId, count: usize) -> Vec<String> {
        (0..count).map(|_| self.stored(producer, plain())).collect()
    }

    pub(super) fn trace_counts(&self) -> (u64, u64, u64, usize) {
        let counters = self.client.counters();
        let waiting = self.client.memory().trace_records;
        (counters.trace_records, counters.trace_records_sent, counters.trace_records_dropped, waiting)
    }
}

fn plain() -> Message {
    Message::new("T".parse().unwrap(), "body")
}

pub(super) fn records(request: &Request) -> Vec<Vec<&str>> {
    let text = core::str::from_utf8(&request.body).unwrap();
    text.split_terminator('\u{2}').map(|record| record.split('\u{1}').collect()).collect()
}

/// A rig with a traced producer, a connected broker, and a trace topic on it.
fn traced_with(trace: TraceConfig) -> (Rig, ProducerId) {
    let mut rig = Rig::new(config());
    let producer = rig.open_traced("PG", trace.clone());
    rig.send(producer, trace.topic.as_str(), Duration::from_secs(3));
    rig.send(producer, "T", Duration::from_secs(3));
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    let groups = String::from_utf8(heartbeat.body.clone()).unwrap();
    assert!(groups.contains(r#"[{"groupName":"PG"},{"groupName":"CLIENT_INNER_PRODUCER"}]"#), "{groups}");
    rig.answer(&heartbeat, 0, None);
    for topic in [trace.topic.as_str(), "T"] {
        let send = rig.take_send(topic);
        let fields = vec![
            ("msgId", "0A".to_string()),
            ("queueId", "0".to_string()),
            ("queueOffset", "1".to_string()),
            ("TRACE_ON", "false".to_string()),
        ];
        rig.answer_raw(send.conn, send.opaque, 0, None, fields, b"");
    }
    assert_eq!(rig.answers.len(), 2);
    rig.answers.clear();
    assert_eq!(rig.trace_counts(), (0, 0, 0, 0), "the topic itself, and one whose broker wants none");
    (rig, producer)
}

pub(super) fn traced() -> (Rig, ProducerId) {
    traced_with(TraceConfig::default())
}

#[test]
fn ten_records_share_a_message_of_the_inner_producer() {
    let (mut rig, producer) = traced();
    let tagged = Message::builder("T".parse().unwrap()).body("12345").tag("a").key("k1").key("k2").build();
    rig.now.unix_ms += 7;
    let first = rig.stored(producer, tagged.unwrap());
    let others = rig.traced(producer, 9);
    let request = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    assert_eq!(request.ext["a"], "CLIENT_INNER_PRODUCER");
    assert!(request.ext["i"].contains(&format!("KEYS\u{1}{first} k1 k2 {} {}", others[0], others[1])));
    let records = records(&request);
    assert_eq!(records.len(), 10);
    let expected = [
        "Pub",
        &rig.now.unix_ms.to_string(),
        "DefaultRegion",
        "PG",
        "T",
        &first,
        "a",
        "k1 k2",
        "10.0.0.0:10911",
        "5",
        "0",
        "0",
        "0A00000200002A9F00000000000003E8",
        "true",
    ];
    assert_eq!(records[0], expected);
    assert_eq!(rig.trace_counts(), (10, 0, 0, 10));
    let before = rig.client.counters();
    rig.answer_stored(&request, 0, 1);
    assert_eq!(rig.trace_counts(), (10, 10, 0, 0));
    let after = rig.client.counters();
    assert_eq!((before.stored, before.sends, before.attempts), (after.stored, after.sends, after.attempts));
    assert_eq!((after.sends, after.attempts, after.stored), (12, 12, 12), "those of the user");
    assert!(rig.answers.is_empty() && rig.requests.is_empty(), "trace is not traced");
}

#[test]
fn a_lone_record_goes_out_after_the_interval() {
    let (mut rig, producer) = traced();
    rig.stored(producer, plain());
    rig.pass(FLUSH - Duration::from_millis(1));
    assert_eq!(rig.sends_to("RMQ_SYS_TRACE_TOPIC"), 0);
    rig.pass(Duration::from_millis(1));
    let request = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    assert_eq!(records(&request).len(), 1);
    assert_eq!(rig.client.memory().messages, 0, "it takes no room");
    rig.answer_stored(&request, 0, 1);
    rig.pass(FLUSH * 2);
    assert_eq!(rig.sends_to("RMQ_SYS_TRACE_TOPIC"), 0);
}

#[test]
fn one_send_gives_one_record_with_its_last_verdict() {
    let (mut rig, producer) = traced();
    // Stored by the second attempt.
    let id = rig.send(producer, "T", SHORT);
    let request = rig.take_send("T");
    rig.answer(&request, 2, Some("[REJECTREQUEST]"));
    rig.pass(Duration::from_secs(1));
    let request = rig.take_send("T");
    rig.answer_stored(&request, 10, 1);
    assert!(rig.sent(id).is_ok());
    // Refused, and lost.
    let id = rig.send(producer, "T", SHORT);
    let request = rig.take_send("T");
    rig.answer(&request, 13, Some("illegal"));
    assert!(rig.sent(id).is_err());
    let id = rig.send(producer, "T", Duration::from_millis(100));
    let request = rig.take_send("T");
    rig.input(Input::Closed { conn: request.conn, why: CloseReason::Reset });
    rig.pass(Duration::from_millis(200));
    assert!(rig.sent(id).is_err());
    // One-way sends have no verdict, and what is refused here was never sent.
    rig.connect_all();
    rig.send_with(producer, plain(), SHORT, Target::Any, SendMode::OneWay);
    rig.send_with(
        producer,
        Message::new("T".parse().unwrap(), ""),
        SHORT,
        Target::Any,
        SendMode::Acknowledged,
    );
    rig.pass(FLUSH);
    let trace = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    let ends: Vec<_> =
        records(&trace).iter().map(|r| (r[8].to_string(), r[12].to_string(), r[13] == "true")).collect();
    let host = || "10.0.0.0:10911".to_string();
    let null = || "null".to_string();
    let offset_id = "0A00000200002A9F00000000000003E8".to_string();
    assert_eq!(ends, [(host(), offset_id, false), (host(), null(), false), (host(), null(), false)]);
}

#[test]
fn a_message_that_is_kept_at_a_second_broker_leaves_one_record() {
    let mut rig = Rig::new(config());
    let mut settings = ProducerConfig::new("PG".parse().unwrap());
    settings.trace = Some(TraceConfig { batch_records: 1, ..TraceConfig::default() });
    settings.retry_another_broker_when_not_store_ok = true;
    rig.command(Command::OpenProducer { config: Box::new(settings) });
    let Some(Answer::Opened(Ok(producer))) = rig.answers.remove(&1) else { panic!("not open") };
    let id = rig.send(producer, "T", Duration::from_secs(3));
    rig.connect_all();
    rig.answer_route(&["broker-a", "broker-b"]);
    rig.connect_all();
    let first = rig.take_send("T");
    rig.answer_stored(&first, 10, 1);
    assert_eq!(rig.trace_counts().0, 0, "another broker is tried");
    rig.connect_all();
    let second = rig.take_send("T");
    rig.answer(&second, 13, Some("illegal"));
    assert!(rig.sent(id).is_ok());
    assert_eq!(rig.trace_counts().0, 1);
    rig.answer_route(&["broker-a", "broker-b"]);
    let trace = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    let host = if first.ext["n"] == "broker-a" { "10.0.0.0:10911" } else { "10.0.0.1:10911" };
    let records = records(&trace);
    assert_eq!((records.len(), records[0][8], records[0][13]), (1, host, "false"));
    assert_eq!(records[0][12], "0A00000200002A9F00000000000003E8");
}

#[test]
fn half_messages_and_their_ends_are_traced() {
    let (mut rig, producer) = traced();
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    rig.answer(&request, 0, None);
    assert!(rig.ended(id).is_ok());
    // The broker asks about another one; its answer is lost, and comes again with the next check.
    let other = rig.half(producer);
    let conn = rig.broker_conn();
    rig.check(conn, other.unique_key.as_str(), "PG", 900);
    let check = rig.checks.pop().unwrap();
    let deadline = rig.now.mono + Duration::from_millis(10);
    let (check, end) = (check.id, TransactionEnd::Rollback);
    rig.command(Command::AnswerCheck { check, half: other.clone(), end, deadline });
    rig.pass(Duration::from_millis(20));
    // A refusal changed nothing, and leaves nothing.
    let third = rig.half(producer);
    let id = rig.end(producer, &third, TransactionEnd::Commit);
    let _lost = rig.take_request(RequestCode::END_TRANSACTION);
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    rig.answer(&request, 1, Some("no such message"));
    assert!(rig.ended(id).is_err());
    rig.pass(FLUSH);
    let trace = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    let records = records(&trace);
    let kinds: Vec<_> = records.iter().map(|record| record[0]).collect();
    assert_eq!(kinds, ["Pub", "EndTransaction", "Pub", "EndTransaction", "Pub"]);
    assert!(records.iter().filter(|record| record[0] == "Pub").all(|record| record[11] == "1"));
    let key = half.unique_key.as_str();
    assert_eq!(records[1][2..9], ["DefaultRegion", "PG", "T", key, "null", "null", "10.0.0.0:10911"]);
    assert_eq!(records[1][9..], ["2", key, "COMMIT_MESSAGE", "false"]);
    assert_eq!(records[3][9..], ["2", other.unique_key.as_str(), "ROLLBACK_MESSAGE", "true"]);
}

#[test]
fn a_broker_switches_trace_off_and_on() {
    let (mut rig, producer) = traced();
    let half = rig.half(producer);
    assert_eq!(rig.trace_counts().0, 1, "nothing said is on");
    let id = rig.send(producer, "T", SHORT);
    let request = rig.take_send("T");
    let fields = vec![
        ("msgId", "0A".to_string()),
        ("queueId", "0".to_string()),
        ("queueOffset", "1".to_string()),
        ("TRACE_ON", "False".to_string()),
        ("MSG_REGION", "north".to_string()),
    ];
    rig.answer_raw(request.conn, request.opaque, 0, None, fields, b"");
    assert!(rig.sent(id).is_ok());
    // Neither do its refusals nor ends at it leave a record now.
    let id = rig.send(producer, "T", SHORT);
    let request = rig.take_send("T");
    rig.answer(&request, 13, Some("illegal"));
    assert!(rig.sent(id).is_err());
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    rig.answer(&request, 0, None);
    assert!(rig.ended(id).is_ok());
    assert_eq!(rig.trace_counts().0, 1);
    rig.traced(producer, 1);
    assert_eq!(rig.trace_counts().0, 2, "on again");
}

#[test]
fn a_full_queue_drops_and_a_failing_topic_disturbs_nobody() {
    let trace =
        TraceConfig { batch_records: 1, queue_records: 2, ..TraceConfig::to("audit".parse().unwrap()) };
    let (mut rig, producer) = traced_with(trace);
    // Four are under way, two wait, and there is no place for the others.
    rig.traced(producer, 8);
    assert_eq!((rig.sends_to("audit"), rig.trace_counts()), (4, (8, 0, 2, 6)));
    let request = rig.take_send("audit");
    rig.answer(&request, 13, Some("illegal"));
    assert_eq!(rig.trace_counts(), (8, 0, 3, 5));
    assert_eq!(rig.sends_to("audit"), 3, "after a failure it rests");
    assert!(rig.answers.is_empty());
    let request = rig.take_send("audit");
    rig.answer_stored(&request, 0, 1);
    assert_eq!((rig.sends_to("audit"), rig.trace_counts()), (4, (8, 1, 3, 4)), "that worked, so it goes on");
    let flush = rig.command(Command::Flush { producer: None, deadline: rig.now.mono });
    assert!(matches!(rig.answers.remove(&flush), Some(Answer::Flushed(Ok(())))), "no flush waits for trace");
    // A trace message has five seconds.
    rig.requests.clear();
    rig.live(Duration::from_secs(6));
    assert_eq!(rig.trace_counts(), (8, 1, 7, 0));
}

#[test]
fn without_a_route_the_records_are_counted_and_sends_go_on() {
    let mut rig = Rig::new(config());
    let trace = TraceConfig { batch_records: 1, ..TraceConfig::default() };
    let producer = rig.open_traced("PG", trace);
    let id = rig.send(producer, "T", SHORT);
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    let request = rig.take_send("T");
    rig.answer_stored(&request, 0, 1);
    assert!(rig.sent(id).is_ok());
    // The name server knows no such topic, and the default topic has no route either.
    let deadline = rig.now.mono + Duration::from_secs(5);
    while rig.now.mono < deadline {
        rig.pass(Duration::from_millis(100));
        while rig.requests.iter().any(|request| request.code == RequestCode::GET_ROUTEINFO_BY_TOPIC) {
            let question = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
            rig.answer(&question, 17, Some("No topic route info"));
        }
    }
    assert_eq!(rig.trace_counts(), (1, 0, 1, 0));
    assert!(rig.answers.is_empty());
}

#[test]
fn in_a_namespace_records_have_the_names_of_users_and_go_to_the_topic_of_the_system() {
    let mut config = config();
    config.namespace = Some("MQ_INST_1_shop".parse().unwrap());
    let mut rig = Rig::new(config);
    let trace = TraceConfig { batch_records: 1, ..TraceConfig::default() };
    let producer = rig.open_traced("PG", trace);
    let id = rig.send(producer, "T", Duration::from_secs(3));
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    let send = rig.take_send("MQ_INST_1_shop%T");
    rig.answer_stored(&send, 0, 1);
    let unique = rig.sent(id).unwrap().message_id.to_string();
    let route = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
    assert_eq!(route.ext["topic"], "RMQ_SYS_TRACE_TOPIC");
    rig.requests.push(route);
    rig.answer_route(&["broker-a"]);
    let request = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    assert_eq!(request.ext["a"], "CLIENT_INNER_PRODUCER");
    assert_eq!(records(&request)[0][3..6], ["PG", "T", unique.as_str()]);
}
