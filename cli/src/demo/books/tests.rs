use super::*;
use rocketmq_driver::{MessageQueue, OffsetMessageId, SendErrorKind, SendStatus, TopicName};

const ID: &str = "7F00000100001B6D3586000000000000";

fn topic() -> TopicName {
    "orders".parse().expect("a topic")
}

fn receipt(offset: i64, attempts: u32) -> SendReceipt {
    SendReceipt {
        status: SendStatus::SendOk,
        message_id: ID.parse().expect("a key"),
        offset_message_id: OffsetMessageId::new(([10, 0, 1, 1], 10911).into(), offset * 100),
        queue: MessageQueue {
            topic: topic(),
            broker_name: "broker-a".parse().expect("a broker"),
            queue_id: 2,
        },
        queue_offset: offset,
        transaction_id: None,
        region: None,
        trace_on: true,
        recall_handle: None,
        attempts,
    }
}

fn copy(key: &str, offset: i64) -> StoredMessage {
    StoredMessage {
        broker: "broker-a".into(),
        topic: "orders".into(),
        queue_id: 2,
        queue_offset: offset,
        commit_offset: offset * 100,
        offset_message_id: receipt(offset, 1).offset_message_id.as_str().into(),
        body: bytes::Bytes::new(),
        properties: BTreeMap::new(),
        unique_key: Some(ID.into()),
        keys: vec![key.into()],
        tags: None,
        flag: 0,
        system_flag: 0,
        born_timestamp: 0,
        born_host: ([127, 0, 0, 1], 1).into(),
        store_timestamp: 0,
        reconsume_times: 0,
        request_code: 310,
        opaque: 1,
    }
}

fn told(entries: Vec<(&str, Told)>) -> Books {
    let mut books = Books::default();
    for (key, told) in entries {
        books.enter(key.into(), told);
    }
    books
}

fn stored(offset: i64, attempts: u32) -> Told {
    Ok(receipt(offset, attempts)).into()
}

#[test]
fn a_stored_message_in_its_place_adds_up() {
    let audit = told(vec![("a", stored(0, 1))]).audit(&[copy("a", 0)]);
    let expected = Audit { messages: 1, stored: 1, in_stores: 1, ..Audit::default() };
    assert_eq!(audit, expected);
}

#[test]
fn a_stored_message_that_no_broker_has_is_a_fault() {
    let audit = told(vec![("a", stored(0, 1))]).audit(&[]);
    assert_eq!(audit.faults.len(), 1);
    let elsewhere = told(vec![("a", stored(0, 1))]).audit(&[copy("a", 7)]);
    assert_eq!(elsewhere.faults.len(), 1);
}

#[test]
fn a_second_copy_needs_a_second_attempt() {
    let copies = [copy("a", 0), copy("a", 1)];
    let explained = told(vec![("a", stored(1, 2))]).audit(&copies);
    assert_eq!((explained.copies, explained.faults.len()), (1, 0));
    let unexplained = told(vec![("a", stored(1, 1))]).audit(&copies);
    assert_eq!(unexplained.faults.len(), 1);
}

#[test]
fn a_message_told_as_not_stored_must_not_be_there() {
    let refused = || {
        let error = SendError::before_any_attempt(SendErrorKind::Timeout, topic(), None);
        told(vec![("a", Told::Failed(error))])
    };
    assert_eq!(refused().audit(&[]).faults, [""; 0]);
    assert_eq!(refused().audit(&[copy("a", 0)]).faults.len(), 1);
}

#[test]
fn a_one_way_message_may_be_missing_but_not_twice() {
    let books = || told(vec![("a", Told::HandedOver)]);
    assert_eq!(books().audit(&[]).handed_over_found, 0);
    assert_eq!(books().audit(&[]).faults, [""; 0]);
    assert_eq!(books().audit(&[copy("a", 0)]).handed_over_found, 1);
    assert_eq!(books().audit(&[copy("a", 0), copy("a", 1)]).faults.len(), 1);
}

#[test]
fn a_message_of_nobody_is_a_fault() {
    assert_eq!(Books::default().audit(&[copy("x", 0)]).faults.len(), 1);
}
