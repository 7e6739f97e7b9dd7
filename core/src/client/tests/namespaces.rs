//! Namespaces of both kinds, unit and zone: what requests carry, and what is handed out.

mod calls;

use super::transactions::{KEY, SHORT, asks, stored_half_of};
use super::{Request, Rig, config};
use crate::client::{Answer, ClientConfig, Command, Notice, Zone};
use crate::command::RequestCode;
use crate::interface::{
    AdminRequest, HalfMessage, OpenError, SendErrorKind, SendMode, Target, TransactionEnd,
};
use crate::message::{MAX_PROPERTIES_LEN, Message, MessageError};
use crate::producer::ProducerConfig;
use crate::wire::SerializeType;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;

const NS: &str = "MQ_INST_1_a";

fn first_kind() -> ClientConfig {
    ClientConfig { namespace: Some(NS.parse().unwrap()), ..config() }
}

fn second_kind() -> ClientConfig {
    ClientConfig { namespace_v2: Some("shop \"north\"".into()), ..config() }
}

/// A connected producer `PG` that has sent to `T`, and all requests that it took, the route's first.
fn sent_one(config: ClientConfig) -> (Rig, crate::interface::ProducerId, Vec<Request>) {
    let mut rig = Rig::new(config);
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    rig.connect_all();
    let mut all: Vec<Request> = Vec::new();
    all.push(rig.requests[0].copy());
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer(&heartbeat, 0, None);
    rig.answer_stored(&send, 0, 5);
    let receipt = rig.sent(id).unwrap();
    assert_eq!(receipt.queue.topic, "T");
    all.extend([heartbeat, send]);
    (rig, producer, all)
}

impl Request {
    fn copy(&self) -> Request {
        let (ext, body) = (self.ext.clone(), self.body.clone());
        Request { conn: self.conn, code: self.code, opaque: self.opaque, one_way: self.one_way, ext, body }
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

fn fields<'a>(pairs: &[(&'a str, &'a str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect()
}

/// The fields of a send as Java writes them.
fn send_fields(group: &str, topic: &str, unit_mode: &str) -> BTreeMap<String, String> {
    fields(&[
        ("a", group),
        ("b", topic),
        ("c", "TBW102"),
        ("d", "4"),
        ("f", "0"),
        ("g", "1700000000000"),
        ("h", "0"),
        ("j", "0"),
        ("k", unit_mode),
        ("m", "false"),
        ("n", "broker-a"),
    ])
}

/// Without the queue and the properties, which the seed decides.
fn known(mut ext: BTreeMap<String, String>) -> (BTreeMap<String, String>, String) {
    ext.remove("e").unwrap();
    let properties = ext.remove("i").unwrap();
    (ext, properties)
}

#[test]
fn the_first_kind_wraps_what_is_written_and_nothing_that_is_handed_out() {
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let (rig, _, requests) = sent_one(ClientConfig { serialize_type, ..first_kind() });
        let [route, heartbeat, send] = &requests[..] else { panic!() };
        let wanted = fields(&[("topic", "MQ_INST_1_a%T"), ("acceptStandardJsonOnly", "true")]);
        assert_eq!(route.ext, wanted);
        assert!(heartbeat.text().contains(r#""producerDataSet":[{"groupName":"MQ_INST_1_a%PG"}]"#));
        assert!(heartbeat.ext.is_empty());
        let (ext, properties) = known(send.ext.clone());
        assert_eq!(ext, send_fields("MQ_INST_1_a%PG", "MQ_INST_1_a%T", "false"));
        assert!(properties.contains("INSTANCE_ID\u{1}MQ_INST_1_a\u{2}"), "{properties:?}");
        assert_eq!(rig.client.view().topics[0].topic, "T");
        let changed = |notice: &Notice| matches!(notice, Notice::RouteChanged { topic, .. } if *topic == "T");
        assert!(rig.notices.iter().any(changed));
        let info = rig.client.running_info(rig.now);
        assert_eq!(info.producers[0].group, "PG");
        assert!(!format!("{info:?}{:?}", rig.told).contains(NS));
    }
}

#[test]
fn further_sends_have_the_same_names_and_their_own_properties() {
    let (mut rig, producer, _) = sent_one(first_kind());
    for (tag, topic) in [("one", "T"), ("two", "T"), ("three", "MQ_INST_1_a%T")] {
        let message = Message::builder(topic.parse().unwrap()).body("body").tag(tag).build().unwrap();
        let id = rig.send_with(producer, message, SHORT, Target::Any, SendMode::Acknowledged);
        if rig.requests.iter().any(|request| request.code == RequestCode::GET_ROUTEINFO_BY_TOPIC) {
            assert_eq!(rig.requests[0].ext["topic"], "MQ_INST_1_a%T", "it has its namespace already");
            rig.answer_route(&["broker-a"]);
        }
        let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        rig.answer_stored(&send, 0, 6);
        assert_eq!(rig.sent(id).unwrap().queue.topic, *topic, "as it was given");
        let (ext, properties) = known(send.ext);
        assert_eq!(ext, send_fields("MQ_INST_1_a%PG", "MQ_INST_1_a%T", "false"));
        let start = format!("WAIT\u{1}true\u{2}TAGS\u{1}{tag}\u{2}INSTANCE_ID\u{1}{NS}\u{2}UNIQ_KEY\u{1}");
        assert!(properties.starts_with(&start), "{properties:?}");
    }
}

#[test]
fn a_message_that_comes_back_is_as_it_was_given() {
    let (mut rig, producer, _) = sent_one(first_kind());
    let message = Message::builder("T".parse().unwrap()).body("body").tag("x").build().unwrap();
    let id = rig.send_with(producer, message.clone(), SHORT, Target::Any, SendMode::Acknowledged);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer(&send, 13, Some("MQ_INST_1_a%T"));
    let error = rig.sent(id).unwrap_err();
    assert_eq!(*error.topic(), "T");
    let mut back = error.into_message().unwrap();
    assert_eq!((back.topic(), back.tag(), back.property("INSTANCE_ID")), (message.topic(), Some("x"), None));
    back.set_unique_key(KEY.parse().unwrap());
    // Sent again, it carries one unique key and one namespace.
    rig.send_with(producer, back, SHORT, Target::Any, SendMode::OneWay);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    let wanted = format!("WAIT\u{1}true\u{2}TAGS\u{1}x\u{2}UNIQ_KEY\u{1}{KEY}\u{2}INSTANCE_ID\u{1}{NS}\u{2}");
    assert_eq!(send.ext["i"], wanted);
}

#[test]
fn topics_that_do_not_exist_borrow_the_route_of_the_bare_default_topic() {
    let mut rig = Rig::new(first_kind());
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    rig.connect_all();
    let asked = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
    assert_eq!(asked.ext["topic"], "MQ_INST_1_a%T");
    rig.answer(&asked, 17, Some("No topic route info in name server for the topic: MQ_INST_1_a%T"));
    let asked = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
    assert_eq!(asked.ext["topic"], "TBW102");
    rig.answer(&asked, 17, None);
    rig.pass(SHORT);
    let error = rig.sent(id).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::NoRoute(_)), "{error}");
    assert!(!format!("{error} {error:?}").contains(NS), "{error:?}");
}

#[test]
fn a_key_topic_of_the_users_own_is_wrapped() {
    let mut rig = Rig::new(first_kind());
    let mut config = ProducerConfig::new("PG".parse().unwrap());
    config.create_topic_key = "KEY".parse().unwrap();
    config.topics = vec!["T".parse().unwrap()];
    rig.command(Command::OpenProducer { config: Box::new(config) });
    rig.connect_all();
    let asked = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
    rig.answer(&asked, 17, None);
    assert_eq!(rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC).ext["topic"], "MQ_INST_1_a%KEY");
}

#[test]
fn half_messages_their_ends_and_farewells_name_the_wrapped_group() {
    let (mut rig, producer, _) = sent_one(first_kind());
    for _ in 0..2 {
        let id = rig.send_with(
            producer,
            Message::new("T".parse().unwrap(), "half"),
            SHORT,
            Target::Any,
            SendMode::Half,
        );
        let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        rig.answer_stored(&send, 0, 5);
        let half = HalfMessage::of(&rig.sent(id).unwrap()).unwrap();
        assert_eq!(half.topic, "T");
        let (ext, properties) = known(send.ext);
        let mut wanted = send_fields("MQ_INST_1_a%PG", "MQ_INST_1_a%T", "false");
        wanted.insert("f".into(), "4".into());
        assert_eq!(ext, wanted);
        let mark = format!("INSTANCE_ID\u{1}{NS}\u{2}TRAN_MSG\u{1}true\u{2}PGROUP\u{1}{NS}%PG\u{2}");
        assert!(properties.contains(&mark), "{properties:?}");
        let end = rig.end(producer, &half, TransactionEnd::Commit);
        let request = rig.take_request(RequestCode::END_TRANSACTION);
        assert_eq!(
            (&*request.ext["topic"], &*request.ext["producerGroup"]),
            ("MQ_INST_1_a%T", "MQ_INST_1_a%PG")
        );
        rig.answer(&request, 0, None);
        assert!(rig.ended(end).is_ok());
    }
    rig.command(Command::CloseProducer { producer, deadline: rig.now.mono + SHORT });
    let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
    assert_eq!(farewell.ext["producerGroup"], "MQ_INST_1_a%PG");
}

#[test]
fn checks_are_for_the_producer_whose_wrapped_group_they_name() {
    let (mut rig, producer, _) = sent_one(first_kind());
    let conn = rig.broker_conn();
    // A broker must not make this client answer for a group outside of its namespace.
    for foreign in
        ["PG", "MQ_INST_2_b%PG", "%RETRY%MQ_INST_1_a%PG", "MQ_INST_1_a%OTHER", "MQ_INST_1_a%", "\u{7f}"]
    {
        let before = rig.client.counters().checks_left;
        rig.receive(
            conn,
            (39, 2, 77),
            None,
            asks(KEY, 6),
            &stored_half_of("MQ_INST_1_a%T", foreign, KEY, b"x", 0),
        );
        assert_eq!((rig.checks.len(), rig.client.counters().checks_left), (0, before + 1), "{foreign}");
    }
    // A topic of another namespace is what it is.
    for (topic, handed_out, written) in [
        ("MQ_INST_1_a%T", "T", "MQ_INST_1_a%T"),
        ("MQ_INST_2_b%T", "MQ_INST_2_b%T", "MQ_INST_1_a%MQ_INST_2_b%T"),
    ] {
        rig.receive(
            conn,
            (39, 2, 77),
            None,
            asks(KEY, 6),
            &stored_half_of(topic, "MQ_INST_1_a%PG", KEY, b"x", 0),
        );
        let check = rig.checks.pop().expect("it is for PG");
        assert_eq!((check.producer, &*check.group.to_string()), (producer, "PG"));
        assert_eq!(*check.message.message.topic(), *handed_out);
        let half = HalfMessage {
            topic: check.message.message.topic().clone(),
            broker_name: check.broker_name.clone(),
            unique_key: check.unique_key,
            queue_offset: 6,
            commit_log_offset: 600,
        };
        let (end, deadline) = (TransactionEnd::Rollback, rig.now.mono + SHORT);
        rig.command(Command::AnswerCheck { check: check.id, half, end, deadline });
        let request = rig.take_request(RequestCode::END_TRANSACTION);
        assert_eq!((&*request.ext["topic"], &*request.ext["producerGroup"]), (written, "MQ_INST_1_a%PG"));
        rig.answer(&request, 13, None);
    }
}

#[test]
fn a_group_is_one_whether_its_namespace_is_given_or_not() {
    let mut rig = Rig::new(first_kind());
    rig.open("PG");
    let config = Box::new(ProducerConfig::new("MQ_INST_1_a%PG".parse().unwrap()));
    let id = rig.command(Command::OpenProducer { config });
    match rig.answers.remove(&id) {
        Some(Answer::Opened(Err(OpenError::GroupInUse(group)))) => assert_eq!(group, "PG"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn there_is_room_for_the_namespace_in_the_properties() {
    let (mut rig, producer, _) = sent_one(first_kind());
    let message = |len: usize| {
        let value = "v".repeat(len - "WAIT\u{1}true\u{2}p\u{1}\u{2}".len());
        Message::builder("T".parse().unwrap()).body("b").property("p", &value).build().unwrap()
    };
    let more = "INSTANCE_ID\u{1}MQ_INST_1_a\u{2}".len();
    let id = rig.send_with(
        producer,
        message(MAX_PROPERTIES_LEN - more + 1),
        SHORT,
        Target::Any,
        SendMode::Acknowledged,
    );
    let error = rig.sent(id).unwrap_err();
    let too_long = MessageError::PropertiesTooLong { len: MAX_PROPERTIES_LEN + 1, max: MAX_PROPERTIES_LEN };
    assert!(matches!(error.kind(), SendErrorKind::InvalidMessage(error) if *error == too_long), "{error}");
    rig.send_with(producer, message(MAX_PROPERTIES_LEN - more), SHORT, Target::Any, SendMode::Acknowledged);
    assert!(rig.take_request(RequestCode::SEND_MESSAGE_V2).ext["i"].len() <= 32_767);
}

#[test]
fn the_second_kind_is_a_field_of_every_request_and_leaves_names_alone() {
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let (mut rig, producer, mut requests) = sent_one(ClientConfig { serialize_type, ..second_kind() });
        let half = rig.half(producer);
        rig.end(producer, &half, TransactionEnd::Commit);
        requests.push(rig.take_request(RequestCode::END_TRANSACTION));
        let request = Box::new(AdminRequest::ClusterInfo);
        rig.command(Command::Admin { request, deadline: rig.now.mono + SHORT });
        requests.push(rig.take_request(RequestCode::GET_BROKER_CLUSTER_INFO));
        rig.command(Command::CloseProducer { producer, deadline: rig.now.mono });
        requests.push(rig.take_request(RequestCode::UNREGISTER_CLIENT));
        for request in &mut requests {
            let added = (request.ext.remove("nsd"), request.ext.remove("ns"));
            assert_eq!(added, (Some("true".into()), Some("shop \"north\"".into())), "{:?}", request.code);
        }
        let [route, heartbeat, send, ..] = &requests[..] else { panic!() };
        assert_eq!(route.ext["topic"], "T");
        assert!(heartbeat.text().contains(r#"{"groupName":"PG"}"#));
        let (ext, properties) = known(send.ext.clone());
        assert_eq!(ext, send_fields("PG", "T", "false"));
        assert!(!properties.contains("INSTANCE_ID"));
    }
}

#[test]
fn a_zone_and_a_unit_go_with_every_request() {
    let mut config = config();
    config.identity.instance_name = Some("one".into());
    config.identity.unit_name = Some("north".into());
    config.unit_mode = true;
    config.zone = Some(Zone { name: "z-1".into(), mode: true });
    let (rig, _, mut requests) = sent_one(config.clone());
    assert_eq!(*rig.client.client_id(), "127.0.0.1@one@north");
    assert!(requests[1].text().starts_with(r#"{"clientID":"127.0.0.1@one@north","#));
    for request in &mut requests {
        let added = (request.ext.remove("__ZONE_NAME"), request.ext.remove("__ZONE_MODE"));
        assert_eq!(added, (Some("z-1".into()), Some("true".into())), "{:?}", request.code);
    }
    assert_eq!(known(requests[2].ext.clone()).0, send_fields("PG", "T", "true"));
    // Without the mode, only the name is told.
    config.zone = Some(Zone { name: "z-1".into(), mode: false });
    let (_, _, requests) = sent_one(config);
    assert!(requests.iter().all(|request| !request.ext.contains_key("__ZONE_MODE")));
}

#[test]
fn both_kinds_hold_together() {
    let namespace = Some(NS.parse().unwrap());
    let (_, _, requests) = sent_one(ClientConfig { namespace, ..second_kind() });
    assert_eq!((&*requests[2].ext["b"], &*requests[2].ext["nsd"]), ("MQ_INST_1_a%T", "true"));
}

#[test]
fn wrong_settings_are_refused_by_name() {
    let field = |config: ClientConfig| config.check().unwrap_err().field;
    let second = |text: &str| ClientConfig { namespace_v2: Some(text.into()), ..config() };
    for wrong in [" ", "", "a\nb", &"n".repeat(256)] {
        assert_eq!(field(second(wrong)), "namespace_v2", "{wrong:?}");
        let zone = Some(Zone { name: wrong.into(), mode: false });
        assert_eq!(field(ClientConfig { zone, ..config() }), "zone", "{wrong:?}");
    }
    assert!(second(&"n".repeat(255)).check().is_ok());
    let mut long = config();
    long.identity.unit_name = Some("u".repeat(255));
    assert_eq!(field(long), "instance_name");
}

/// More topics and brokers than headers are kept for: the others are written field by field, and say the same.
#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn what_is_not_kept_is_written_alike() {
    let namespace = Some(NS.parse().unwrap());
    let (mut rig, producer, _) = sent_one(ClientConfig { namespace, ..second_kind() });
    let mut last = BTreeMap::new();
    for number in 0..4_100 {
        let topic = format!("T{number}");
        let id = rig.send(producer, &topic, Duration::from_secs(3));
        rig.answer_route(&["broker-a"]);
        let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        rig.answer_stored(&send, 0, 6);
        assert_eq!(rig.sent(id).unwrap().queue.topic, *topic);
        assert_eq!((&*send.ext["a"], &*send.ext["b"]), ("MQ_INST_1_a%PG", &*format!("MQ_INST_1_a%{topic}")));
        last = send.ext;
    }
    assert_eq!((last["nsd"].as_str(), last["k"].as_str()), ("true", "false"));
}
