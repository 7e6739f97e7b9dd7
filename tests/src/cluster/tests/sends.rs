//! Sends that succeed.

use super::client::{BROKER, DIALECTS, World, change, peer};
use crate::cluster::{Dialect, Frame, TopicConfig};

const V5: Dialect = Dialect::V5_5_0;

/// One message of a batch.
pub(super) fn part(flag: i32, body: &[u8], properties: &str) -> Vec<u8> {
    let total = 22 + body.len() + properties.len();
    let mut out = (total as u32).to_be_bytes().to_vec();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&flag.to_be_bytes());
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(&(properties.len() as u16).to_be_bytes());
    out.extend_from_slice(properties.as_bytes());
    out
}

fn ext(answer: &Frame, name: &str) -> String {
    answer.ext(name).unwrap_or_default().to_owned()
}

#[test]
fn the_answer_says_where_the_message_is() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        let first = world.send("T", "UNIQ_KEY\u{1}U1\u{2}KEYS\u{1}a b\u{2}TAGS\u{1}tag\u{2}", b"one");
        let second = world.send("T", "UNIQ_KEY\u{1}U2\u{2}", b"two");
        assert_eq!((first.code, second.code), (0, 0));
        assert_eq!(ext(&first, "msgId"), "0A00010100002A9F0000000000000000");
        assert_eq!((ext(&first, "queueId"), ext(&first, "queueOffset")), ("0".to_owned(), "0".to_owned()));
        assert_eq!(ext(&second, "queueOffset"), "1");
        assert_eq!(first.ext("transactionId"), (dialect == V5).then_some("U1"));
        let stored = world.stored("T");
        assert_eq!(stored.len(), 2);
        let message = &stored[0];
        assert_eq!((&message.body[..], message.queue_id, message.queue_offset), (&b"one"[..], 0, 0));
        assert_eq!(message.unique_key.as_deref(), Some("U1"));
        assert_eq!(
            (message.keys.as_slice(), message.tags.as_deref()),
            (&["a".into(), "b".into()][..], Some("tag"))
        );
        assert_eq!((message.born_timestamp, message.born_host), (1_700_000_000_000, peer()));
        assert_eq!((message.request_code, message.opaque), (310, first.opaque.unwrap_or(-1)));
        assert_eq!(ext(&second, "msgId"), stored[1].offset_message_id);
        assert_eq!(stored[1].commit_offset, 91 + 3 + 1 + properties_length(message, dialect));
    }
}

fn properties_length(message: &crate::cluster::StoredMessage, dialect: Dialect) -> i64 {
    let length: usize = message.properties.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    length as i64 - i64::from(dialect != V5)
}

#[test]
fn properties_are_completed_as_the_release_does() {
    let sent = "WAIT\u{1}true\u{2}POP_CK\u{1}ck\u{2}mine\u{1}1\u{2}";
    let mut old = World::new(Dialect::V4_9_7);
    old.send("T", sent, b"x");
    let names: Vec<String> = old.stored("T")[0].properties.keys().cloned().collect();
    assert_eq!(names, ["CLUSTER", "POP_CK", "mine"]);
    let mut new = World::new(V5);
    let answer = new.send("T", sent, b"x");
    let stored = new.stored("T").remove(0);
    let names: Vec<&str> = stored.properties.keys().map(String::as_str).collect();
    assert_eq!(names, ["CLUSTER", "MSG_REGION", "TRACE_ON", "UNIQ_KEY", "WAIT", "mine"]);
    assert_eq!(stored.unique_key.as_deref(), answer.ext("transactionId"));
    assert_eq!(stored.unique_key.map(|key| key.len()), Some(32));
}

#[test]
fn a_topic_is_created_with_as_many_queues_as_asked_for_at_most_eight() {
    for (asked, queues) in [("4", 4), ("100", 8), ("1", 1)] {
        let mut world = World::new(V5);
        let mut request = world.send_request("T", "", b"x");
        change(&mut request, "d", Some(asked));
        assert_eq!(world.ask(BROKER, &request).code, 0);
        let topic = world.cluster.brokers()[0].topic("T").cloned();
        assert_eq!(topic, Some(TopicConfig::new("T", queues)));
        assert_eq!(world.route("T")["queueDatas"][0]["writeQueueNums"], queues);
    }
}

#[test]
fn a_negative_queue_id_lets_the_broker_choose_by_its_seed() {
    let choose = || {
        let mut world = World::new(V5);
        world.cluster.create_topic(world.now, &TopicConfig::new("T", 4));
        let mut chosen = Vec::new();
        for text in ["-1", "-5"].repeat(10) {
            let mut request = world.send_request("T", "", b"x");
            change(&mut request, "e", Some(text));
            chosen.push(ext(&world.ask(BROKER, &request), "queueId"));
        }
        chosen
    };
    let chosen = choose();
    assert_eq!(chosen, choose());
    for queue in ["0", "1", "2", "3"] {
        assert!(chosen.iter().any(|id| id == queue), "{chosen:?}");
    }
}

#[test]
fn one_way_sends_are_stored() {
    let mut world = World::new(V5);
    let request = Frame { flag: 2, ..world.send_request("T", "", b"x") };
    assert!(world.raw(BROKER, &request.encode()).is_empty());
    assert_eq!(world.stored("T").len(), 1);
}

#[test]
fn many_sends_in_one_write_are_answered_in_one_write() {
    let mut world = World::new(V5);
    let mut bytes = Vec::new();
    for _ in 0..100 {
        bytes.extend(world.send_request("T", "", b"x").encode());
    }
    world.cluster.on_bytes(world.now, BROKER, super::client::CONN, &bytes);
    assert!(world.cluster.poll_action().is_some());
    assert!(world.cluster.poll_action().is_none());
    assert_eq!(world.stored("T").len(), 100);
}

#[test]
fn batch_is_decided_by_its_field_and_not_by_the_code() {
    let body = [part(7, b"one", "UNIQ_KEY\u{1}P1\u{2}"), part(8, b"", "UNIQ_KEY\u{1}P2")].concat();
    for (dialect, code) in [(Dialect::V4_9_7, 310), (V5, 320)] {
        let mut world = World::new(dialect);
        let mut request = world.send_request("T", "WAIT\u{1}true\u{2}", &body);
        request.code = code;
        assert_eq!(world.ask(BROKER, &request).code, 0);
        assert_eq!(world.stored("T").len(), 1);
        change(&mut request, "m", Some("true"));
        let answer = world.ask(BROKER, &request);
        assert_eq!(
            (answer.code, answer.ext("queueOffset"), answer.ext("transactionId")),
            (0, Some("1"), None)
        );
        let stored = world.stored("T");
        let ids: Vec<&str> = stored[1..].iter().map(|message| message.offset_message_id.as_str()).collect();
        assert_eq!(ext(&answer, "msgId"), ids.join(","));
        let parts: Vec<(i32, &[u8], Option<&str>)> =
            stored[1..].iter().map(|m| (m.flag, &m.body[..], m.unique_key.as_deref())).collect();
        assert_eq!(parts, [(7, &b"one"[..], Some("P1")), (8, &b""[..], Some("P2"))]);
        let names: Vec<&str> = stored[1].properties.keys().map(String::as_str).collect();
        let expected: &[&str] = if dialect == V5 { &["UNIQ_KEY"] } else { &["CLUSTER", "UNIQ_KEY", "WAIT"] };
        assert_eq!(names, expected);
    }
}

#[test]
fn a_batch_key_overrides_those_of_the_parts_on_4_9() {
    let body = part(0, b"x", "UNIQ_KEY\u{1}part\u{2}");
    for (dialect, key) in [(Dialect::V4_9_7, "batch"), (V5, "part")] {
        let mut world = World::new(dialect);
        let mut request = world.send_request("T", "UNIQ_KEY\u{1}batch\u{2}", &body);
        change(&mut request, "m", Some("true"));
        assert_eq!(world.ask(BROKER, &request).ext("transactionId"), (dialect == V5).then_some("batch"));
        assert_eq!(world.stored("T")[0].unique_key.as_deref(), Some(key));
    }
}

#[test]
fn delay_levels_are_kept_and_delivered() {
    for dialect in DIALECTS {
        for (level, seconds, queue) in [("003", 10, 2), ("999", 7200, 17)] {
            let mut world = World::new(dialect);
            let start = world.now;
            world.send("T", &format!("DELAY\u{1}{level}\u{2}UNIQ_KEY\u{1}U\u{2}"), b"x");
            let waiting = world.stored("SCHEDULE_TOPIC_XXXX").remove(0);
            assert_eq!(waiting.queue_id, queue);
            assert_eq!(waiting.properties.get("REAL_TOPIC").map(String::as_str), Some("T"));
            world.run_until(start + seconds * 1000 - 1);
            assert!(world.stored("T").is_empty());
            world.run_until(start + seconds * 1000);
            let delivered = world.stored("T").remove(0);
            assert_eq!((delivered.queue_id, delivered.unique_key.as_deref()), (0, Some("U")));
            // What is delivered still says where it has been.
            assert_eq!(delivered.properties.get("REAL_TOPIC").map(String::as_str), Some("T"));
        }
    }
}

#[test]
fn timers_are_a_matter_of_5_5() {
    let properties = "TIMER_DELAY_MS\u{1}2500\u{2}UNIQ_KEY\u{1}U\u{2}";
    let mut old = World::new(Dialect::V4_9_7);
    old.send("T", properties, b"x");
    assert_eq!(old.stored("T").len(), 1);
    let mut new = World::new(V5);
    let start = new.now;
    let answer = new.send("T", properties, b"x");
    // "v1 T broker-a 1002001 U"
    assert_eq!(answer.ext("recallHandle"), Some("djEgVCBicm9rZXItYSAxMDAyMDAxIFU="));
    assert!(new.stored("T").is_empty());
    new.run_until(start + 10_000);
    assert_eq!(new.stored("T").len(), 1);
    let past = new.send("T", "TIMER_DELIVER_MS\u{1}1\u{2}", b"x");
    assert_eq!((past.ext("recallHandle"), new.stored("T").len()), (None, 2));
}

#[test]
fn half_messages_wait_in_their_own_topic() {
    let mut world = World::new(V5);
    let mut request = world.send_request("T", "TRAN_MSG\u{1}true\u{2}", b"x");
    change(&mut request, "f", Some("5"));
    change(&mut request, "e", Some("2"));
    let answer = world.ask(BROKER, &request);
    assert_eq!((answer.code, answer.ext("queueId"), answer.ext("queueOffset")), (0, Some("2"), Some("0")));
    assert!(world.stored("T").is_empty());
    let half = world.stored("RMQ_SYS_TRANS_HALF_TOPIC").remove(0);
    assert_eq!((half.queue_id, half.system_flag), (0, 1));
    assert_eq!(half.properties.get("REAL_QID").map(String::as_str), Some("2"));
    let mut by_flag_alone = world.send_request("T", "", b"x");
    change(&mut by_flag_alone, "f", Some("4"));
    assert_eq!(world.ask(BROKER, &by_flag_alone).code, 0);
    assert_eq!(world.stored("T")[0].system_flag, 4);
}

#[test]
fn messages_that_failed_too_often_go_to_the_dead_letter_topic() {
    let mut world = World::new(V5);
    for (times, limit, version) in
        [("16", None, 513), ("17", None, 513), ("4", Some("3"), 513), ("4", Some("3"), 120)]
    {
        let mut request = world.send_request("%RETRY%g", "", b"x");
        change(&mut request, "j", Some(times));
        change(&mut request, "l", limit);
        request.version = version;
        assert_eq!(world.ask(BROKER, &request).code, 0);
    }
    let times = |messages: Vec<crate::cluster::StoredMessage>| -> Vec<i32> {
        messages.iter().map(|message| message.reconsume_times).collect()
    };
    assert_eq!(times(world.stored("%RETRY%g")), [16, 4]);
    assert_eq!(times(world.stored("%DLQ%g")), [17, 4]);
}
