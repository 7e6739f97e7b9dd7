//! Administrative calls with a namespace, and the lengths of names.

use super::super::admin::stored_message;
use super::*;
use crate::interface::{
    AdminAnswer, AdminError, MessageQuery, MessageQueue, OffsetBoundary, TopicConfig, TopicPlace,
};
use crate::message::OffsetMessageId;
use alloc::collections::BTreeSet;

/// What a call asked of brokers and name servers for: the fields of its requests that name topics.
fn asked(request: AdminRequest) -> (Rig, u64, Vec<String>) {
    let mut rig = Rig::new(first_kind());
    let id = rig.command(Command::Admin { request: Box::new(request), deadline: rig.now.mono + SHORT });
    rig.connect_all();
    let mut topics = Vec::new();
    while let Some(request) = rig.requests.first() {
        topics.extend(request.ext.get("topic").cloned());
        if request.code != RequestCode::GET_ROUTEINFO_BY_TOPIC {
            break;
        }
        rig.answer_route(&["broker-a"]);
        rig.connect_all();
    }
    (rig, id, topics)
}

#[test]
fn administrative_calls_ask_for_wrapped_topics() {
    const WRAPPED: &str = "MQ_INST_1_a%T";
    let topic = || "T".parse().unwrap();
    let queue = || MessageQueue { topic: topic(), broker_name: "broker-a".parse().unwrap(), queue_id: 1 };
    let id = "0A00000000002A9F00000000000003E8".parse::<OffsetMessageId>().unwrap();
    let created = |key: &str| AdminRequest::CreateTopic {
        topic: TopicConfig::new(topic()),
        place: TopicPlace::RouteOf(key.parse().unwrap()),
    };
    for (request, wanted) in [
        (AdminRequest::TopicRoute(topic()), vec![WRAPPED]),
        (AdminRequest::PublishQueues(topic()), vec![WRAPPED]),
        (AdminRequest::MaxOffset(queue()), vec![WRAPPED, WRAPPED]),
        (AdminRequest::MinOffset(queue()), vec![WRAPPED, WRAPPED]),
        (AdminRequest::EarliestStoreTime(queue()), vec![WRAPPED, WRAPPED]),
        (
            AdminRequest::SearchOffset { queue: queue(), timestamp_ms: 7, boundary: OffsetBoundary::Lower },
            vec![WRAPPED, WRAPPED],
        ),
        (AdminRequest::ViewMessage { id, topic: Some(topic()) }, vec![WRAPPED]),
        (AdminRequest::QueryMessages(MessageQuery::new(topic(), "k")), vec![WRAPPED, WRAPPED]),
        (AdminRequest::QueryUniqueKey { topic: topic(), key: KEY.into() }, vec![WRAPPED, WRAPPED]),
        (created("TBW102"), vec!["TBW102", WRAPPED]),
        (created("other"), vec!["MQ_INST_1_a%other", WRAPPED]),
    ] {
        let shown = request.to_string();
        assert_eq!(asked(request).2, wanted, "{shown}");
    }
}

#[test]
fn administrative_calls_hand_out_bare_topics() {
    let topic = || "T".parse().unwrap();
    let (mut rig, id, _) = asked(AdminRequest::PublishQueues(topic()));
    let Some(Answer::Admin(Ok(AdminAnswer::Queues(queues)))) = rig.answers.remove(&id) else { panic!() };
    assert!(queues.len() == 4 && queues.iter().all(|queue| queue.topic == "T"));

    let calls = [
        AdminRequest::QueryMessages(MessageQuery::new(topic(), "k")),
        AdminRequest::QueryUniqueKey { topic: topic(), key: KEY.into() },
        AdminRequest::ViewMessage { id: "0A00000000002A9F0000000000000384".parse().unwrap(), topic: None },
    ];
    for call in calls {
        let (mut rig, id, _) = asked(call);
        let request = rig.requests.remove(0);
        let mut messages = [
            // With the same key, but a bare topic: of somebody else.
            stored_message("T", "k", KEY, b"foreign", 900),
            stored_message("MQ_INST_1_a%T", "k", KEY, b"own", 900),
        ];
        if request.code == RequestCode::VIEW_MESSAGE_BY_ID {
            messages[0].clear();
        }
        rig.answer_raw(request.conn, request.opaque, 0, None, Vec::new(), &messages.concat());
        let message = match rig.answers.remove(&id) {
            Some(Answer::Admin(Ok(AdminAnswer::Message(message)))) => *message,
            Some(Answer::Admin(Ok(AdminAnswer::Messages(mut found)))) if found.messages.len() == 1 => {
                found.messages.remove(0)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((message.message.topic().as_str(), &message.message.body()[..]), ("T", &b"own"[..]));
    }
}

#[test]
fn of_all_topics_those_are_listed_that_the_user_can_name() {
    let mut rig = Rig::new(first_kind());
    let request = Box::new(AdminRequest::TopicList);
    let id = rig.command(Command::Admin { request, deadline: rig.now.mono + SHORT });
    rig.connect_all();
    let asked = rig.take_request(RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER);
    let list =
        br#"{"topicList":["T","MQ_INST_1_a%T","MQ_INST_2_b%T","%RETRY%MQ_INST_1_a%C","TBW102","%RETRY%C"]}"#;
    rig.answer_raw(asked.conn, asked.opaque, 0, None, Vec::new(), list);
    let Some(Answer::Admin(Ok(AdminAnswer::Topics(topics)))) = rig.answers.remove(&id) else { panic!() };
    assert_eq!(
        topics,
        ["T", "%RETRY%C", "TBW102"].map(ToString::to_string).into_iter().collect::<BTreeSet<_>>()
    );
}

#[test]
fn names_are_limited_with_their_namespace() {
    let mut rig = Rig::new(first_kind());
    let producer = rig.open("PG");
    // 12 characters are the namespace's.
    let fits: String = "t".repeat(115);
    let too_long = format!("{fits}t");
    let id = rig.send(producer, &too_long, SHORT);
    let error = rig.sent(id).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::InvalidMessage(MessageError::Topic(_))), "{error}");
    assert!(error.to_string().contains("has 128 characters, at most 127"), "{error}");
    rig.send(producer, &fits, SHORT);
    rig.connect_all();
    assert_eq!(rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC).ext["topic"].len(), 127);

    let open = |rig: &mut Rig, change: &dyn Fn(&mut ProducerConfig)| {
        let mut config = ProducerConfig::new("other".parse().unwrap());
        change(&mut config);
        let id = rig.command(Command::OpenProducer { config: Box::new(config) });
        match rig.answers.remove(&id) {
            Some(Answer::Opened(Err(OpenError::Config(error)))) => error.field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(open(&mut rig, &|config| config.group = "g".repeat(109).parse().unwrap()), "group");
    assert_eq!(open(&mut rig, &|config| config.topics = vec![too_long.parse().unwrap()]), "topics");
    assert_eq!(
        open(&mut rig, &|config| config.create_topic_key = too_long.parse().unwrap()),
        "create_topic_key"
    );
    let request = Box::new(AdminRequest::TopicRoute(too_long.parse().unwrap()));
    let id = rig.command(Command::Admin { request, deadline: rig.now.mono + SHORT });
    match rig.answers.remove(&id) {
        Some(Answer::Admin(Err(AdminError::Invalid(error)))) => assert_eq!(error.field, "topic"),
        other => panic!("{other:?}"),
    }
}
