//! Stored messages by key and by place.

use super::*;

#[test]
fn messages_with_a_key_come_from_all_brokers_oldest_first() {
    let mut rig = Rig::new(config());
    let id = rig.asks(query());
    rig.route(&["broker-a", "broker-b", "broker-c"]);
    let other_key = Stored { keys: "kk", body: b"hash", ..ORDINARY }.bytes();
    let other_topic = Stored { topic: "U", body: b"topic", ..ORDINARY }.bytes();
    let late = Stored { keys: "a k", stored_ms: 9, body: b"late", ..ORDINARY }.bytes();
    let early = Stored { stored_ms: 4, body: b"early", ..ORDINARY }.bytes();
    let ext = [("indexLastUpdateTimestamp", "12"), ("indexLastUpdatePhyoffset", "7")];
    let asked = rig.reply(RequestCode::QUERY_MESSAGE, &ext, &[late, other_key].concat());
    let of = |name: &str| asked.ext[name].as_str();
    assert_eq!((of("topic"), of("key"), of("maxNum"), of("_UNIQUE_KEY_QUERY")), ("T", "k", "64", "false"));
    rig.reply(RequestCode::QUERY_MESSAGE, &[], &[other_topic, early].concat());
    let nothing = rig.take_request(RequestCode::QUERY_MESSAGE);
    rig.answer(&nothing, 22, Some("can not find message"));
    let Ok(AdminAnswer::Messages(result)) = rig.administered(id) else {
        panic!("no messages");
    };
    assert_eq!(bodies(&result.messages), [&b"early"[..], b"late"]);
    assert_eq!((result.index_last_update, result.failed.len()), (Some(12), 0));
}

#[test]
fn only_the_newest_messages_are_kept_when_there_are_more_than_wanted() {
    let mut rig = Rig::new(config());
    let wanted = MessageQuery { most: 1, ..MessageQuery::new("T".parse().unwrap(), "k") };
    let id = rig.asks(AdminRequest::QueryMessages(wanted));
    rig.route(&["broker-a"]);
    let old = Stored { body: b"old", ..ORDINARY }.bytes();
    let new = Stored { stored_ms: 6, body: b"new", ..ORDINARY }.bytes();
    rig.reply(RequestCode::QUERY_MESSAGE, &[], &[new, old].concat());
    let Ok(AdminAnswer::Messages(result)) = rig.administered(id) else {
        panic!("no messages");
    };
    assert_eq!(bodies(&result.messages), [b"new"]);
}

#[test]
fn a_broker_that_fails_makes_a_result_partial_and_nothing_uncertain() {
    // What the other broker has: a message, or none.
    for has_message in [true, false] {
        let mut rig = Rig::new(config());
        let id = rig.asks(query());
        rig.route(&["broker-a", "broker-b"]);
        let asked = rig.take_request(RequestCode::QUERY_MESSAGE);
        rig.answer(&asked, 1, Some("disk is gone"));
        if has_message {
            rig.reply(RequestCode::QUERY_MESSAGE, &[], &ORDINARY.bytes());
        } else {
            let asked = rig.take_request(RequestCode::QUERY_MESSAGE);
            rig.answer(&asked, 22, None);
        }
        match rig.administered(id) {
            Ok(AdminAnswer::Messages(result)) if has_message => {
                assert_eq!((result.messages.len(), result.failed.len()), (1, 1));
            }
            Err(AdminError::Brokers { done, failed }) if !has_message => {
                assert_eq!((done.len(), failed.len()), (1, 1));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_unique_key_is_found_as_soon_as_one_broker_has_it() {
    let mut rig = Rig::new(config());
    let request = || AdminRequest::QueryUniqueKey { topic: "T".parse().unwrap(), key: "A1".into() };
    let id = rig.asks(request());
    rig.route(&["broker-a", "broker-b"]);
    let silent = rig.take_request(RequestCode::QUERY_MESSAGE);
    let asked = rig.reply(RequestCode::QUERY_MESSAGE, &[], &ORDINARY.bytes());
    assert_eq!((asked.ext["_UNIQUE_KEY_QUERY"].as_str(), asked.ext["indexType"].as_str()), ("true", "U"));
    match rig.administered(id) {
        Ok(AdminAnswer::Message(message)) => assert_eq!(&message.message.body()[..], b"body"),
        other => panic!("{other:?}"),
    }
    // Late, the other answer changes nothing.
    rig.answer(&silent, 22, None);
    let id = rig.asks(request());
    rig.route(&["broker-a"]);
    rig.reply(RequestCode::QUERY_MESSAGE, &[], &Stored { unique_key: "A2", ..ORDINARY }.bytes());
    assert_eq!(rig.fails(id), AdminError::NotFound);
}

#[test]
fn a_message_is_viewed_at_the_address_of_its_id() {
    let mut rig = Rig::new(config());
    let id = rig.asks(view(1_000));
    let asked = rig.reply(RequestCode::VIEW_MESSAGE_BY_ID, &[], &ORDINARY.bytes());
    assert_eq!((rig.address_of(asked.conn), asked.ext["offset"].as_str()), ("10.0.0.0:10911", "1000"));
    match rig.administered(id) {
        Ok(AdminAnswer::Message(message)) => assert_eq!(message.commit_log_offset, 1_000),
        other => panic!("{other:?}"),
    }
    let id = rig.asks(view(1_001));
    rig.reply(RequestCode::VIEW_MESSAGE_BY_ID, &[], &ORDINARY.bytes());
    assert!(rig.fails(id).to_string().contains("it is the message at 1000"));
    let id = rig.asks(view(1_002));
    let asked = rig.take_request(RequestCode::VIEW_MESSAGE_BY_ID);
    rig.answer(&asked, 1, Some("can not find message by the offset, 1002"));
    assert_eq!(rig.fails(id), AdminError::NotFound);
    let address = "[fd00::5]:10911".parse().unwrap();
    let request = AdminRequest::ViewMessage { id: OffsetMessageId::new(address, 1), topic: None };
    rig.admin(request);
    assert_eq!(rig.addresses[&rig.connects[0]], "[fd00::5]:10911");
}

#[test]
fn messages_that_are_cut_off_are_an_error_of_their_broker() {
    let whole = ORDINARY.bytes();
    for len in [1, 50, whole.len() - 1, whole.len() + 3] {
        let mut rig = Rig::new(config());
        let id = rig.asks(query());
        rig.route(&["broker-a"]);
        let body: Vec<u8> = whole.iter().chain(&whole).take(len).copied().collect();
        rig.reply(RequestCode::QUERY_MESSAGE, &[], &body);
        match rig.administered(id) {
            // What came whole counts.
            Ok(AdminAnswer::Messages(result)) if len > whole.len() => {
                assert_eq!((result.messages.len(), result.failed.len()), (1, 1));
            }
            Err(AdminError::Brokers { failed, .. }) => {
                assert!(matches!(failed[0].why, CallFailure::BadAnswer(_)), "{len}");
            }
            other => panic!("{len}: {other:?}"),
        }
    }
    let mut rig = Rig::new(config());
    let id = rig.asks(view(1_000));
    rig.reply(RequestCode::VIEW_MESSAGE_BY_ID, &[], &whole[..60]);
    assert!(matches!(rig.fails(id), AdminError::Broker(_)));
}

#[test]
fn the_bytes_of_an_answer_are_limited() {
    let mut limited = config();
    limited.limits.admin_message_bytes = 2_000;
    let mut rig = Rig::new(limited);
    let id = rig.asks(query());
    rig.route(&["broker-a"]);
    let large = Stored { body: &[b'x'; 1_200], ..ORDINARY }.bytes();
    rig.reply(RequestCode::QUERY_MESSAGE, &[], &large.repeat(2));
    assert_eq!(rig.fails(id), AdminError::TooLarge(2_000));
}
