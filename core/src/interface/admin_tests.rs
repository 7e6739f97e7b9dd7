use super::{AdminRequest, MessageQuery, OffsetBoundary, TopicConfig, TopicPlace};
use crate::interface::{AdminError, BrokerFailure, CallFailure, MessageQueue};
use crate::message::OffsetMessageId;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

fn topic_config() -> TopicConfig {
    TopicConfig::new("T".parse().unwrap())
}

fn refused(request: &AdminRequest) -> &'static str {
    request.check().expect_err("refused").field
}

#[test]
fn wrong_settings_of_a_topic_are_named() {
    assert_eq!(topic_config().check(), Ok(()));
    for queues in [0, 65_537, u32::MAX] {
        let error = TopicConfig { read_queues: queues, ..topic_config() }.check().unwrap_err();
        assert_eq!(error.field, "read_queues");
        assert!(error.reason.contains(&queues.to_string()), "{error}");
        let write = TopicConfig { write_queues: queues, ..topic_config() };
        assert_eq!(write.check().unwrap_err().field, "write_queues");
    }
    for (name, value) in [
        ("", Some("a")),
        ("a", Some("")),
        ("a,b", Some("c")),
        ("a", Some("b=c")),
        ("a b", None),
        ("a\n", None),
    ] {
        let attributes = [(name.to_string(), value.map(ToString::to_string))].into();
        let config = TopicConfig { attributes, ..topic_config() };
        let place = TopicPlace::OnlyCluster;
        assert_eq!(refused(&AdminRequest::CreateTopic { topic: config, place }), "attributes", "{name:?}");
    }
}

#[test]
fn what_cannot_be_asked_is_named() {
    let queue =
        |queue_id| MessageQueue { topic: "T".parse().unwrap(), broker_name: "b".parse().unwrap(), queue_id };
    let (timestamp_ms, boundary) = (0, OffsetBoundary::Upper);
    for request in [
        AdminRequest::MaxOffset(queue(-1)),
        AdminRequest::MinOffset(queue(i32::MIN)),
        AdminRequest::EarliestStoreTime(queue(-1)),
        AdminRequest::SearchOffset { queue: queue(-1), timestamp_ms, boundary },
    ] {
        assert_eq!(refused(&request), "queue_id");
    }
    assert_eq!(AdminRequest::MaxOffset(queue(i32::MAX)).check(), Ok(()));
    let without_port = OffsetMessageId::new("10.0.0.2:0".parse().unwrap(), 1_000);
    for id in [OffsetMessageId::parse("abc").unwrap(), without_port] {
        assert_eq!(refused(&AdminRequest::ViewMessage { id, topic: None }), "id", "{id}");
    }
    let negative = OffsetMessageId::new("10.0.0.2:10911".parse().unwrap(), -1);
    assert_eq!(refused(&AdminRequest::ViewMessage { id: negative, topic: None }), "id");
}

#[test]
fn queries_that_can_find_nothing_are_refused() {
    let query = || MessageQuery::new("T".parse().unwrap(), "k");
    assert_eq!(AdminRequest::QueryMessages(query()).check(), Ok(()));
    for most in [0, 10_001] {
        assert_eq!(refused(&AdminRequest::QueryMessages(MessageQuery { most, ..query() })), "most");
    }
    let backwards = MessageQuery { begin_ms: 2, end_ms: 1, ..query() };
    assert_eq!(refused(&AdminRequest::QueryMessages(backwards)), "end_ms");
    for key in ["", "a b", "a\u{1}b", "a\u{2}", &"x".repeat(32_768)] {
        let key = String::from(key);
        assert_eq!(
            refused(&AdminRequest::QueryMessages(MessageQuery { key: key.clone(), ..query() })),
            "key"
        );
        assert_eq!(refused(&AdminRequest::QueryUniqueKey { topic: "T".parse().unwrap(), key }), "key");
    }
}

#[test]
fn errors_tell_who_failed_and_stay_short() {
    let failure = |n: usize| BrokerFailure {
        broker: Some(format!("b{n}").parse().unwrap()),
        endpoint: Some("10.0.0.1:10911".parse().unwrap()),
        why: CallFailure::Timeout,
    };
    let failed: Vec<_> = (0..7).map(failure).collect();
    let error = AdminError::Brokers { done: vec!["c".parse().unwrap()], failed };
    let text = error.to_string();
    assert!(
        text.starts_with("7 of 8 brokers failed: broker b0 at 10.0.0.1:10911: no answer in time; "),
        "{text}"
    );
    assert!(text.ends_with("; and 2 more"), "{text}");
    let known = vec!["A".to_string(), "B\u{1b}".to_string()];
    let error = AdminError::UnknownCluster { cluster: "C".into(), known };
    assert_eq!(error.to_string(), "cluster \"C\" does not exist; name servers know A, B\\u{1b}");
    assert_eq!(AdminError::WhichCluster(Vec::new()).to_string(), "which cluster? name servers know none");
}
