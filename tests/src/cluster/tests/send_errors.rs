//! Every check of a send, in both releases.

use super::client::{BROKER, DIALECTS, World, change};
use crate::cluster::{ClusterConfig, Dialect, Frame, TopicConfig};

const V4: Dialect = Dialect::V4_9_7;
const V5: Dialect = Dialect::V5_5_0;

fn assert_refused(world: &mut World, answer: &Frame, code: i32) {
    assert_eq!(answer.code, code, "{:?}", answer.remark);
    assert_eq!((answer.ext("MSG_REGION"), answer.ext("TRACE_ON")), (Some("DefaultRegion"), Some("true")));
    assert_eq!((answer.ext("msgId"), answer.ext("queueId")), (None, None));
    assert_eq!(world.cluster.stored_count(), 0);
}

fn assert_exception(world: &mut World, answer: &Frame, name: &str) {
    let remark = answer.remark.as_deref().unwrap_or_default();
    assert_eq!((answer.code, answer.ext_fields.as_ref()), (1, None), "{remark}");
    assert!(remark.starts_with(&format!("java.{name}")), "{remark}");
    assert_eq!(world.cluster.stored_count(), 0);
}

fn send_changed(world: &mut World, name: &str, value: Option<&str>) -> Frame {
    let mut request = world.send_request("T", "UNIQ_KEY\u{1}u\u{2}", b"x");
    change(&mut request, name, value);
    world.ask(BROKER, &request)
}

#[test]
fn busy_comes_first_and_bare() {
    let mut world = World::new(V5);
    world.cluster.broker_mut(0).expect("a broker").settings_mut().busy = true;
    let answer = world.send("bad topic", "", b"");
    assert_eq!((answer.code, answer.ext_fields), (2, None));
    assert_eq!(answer.remark.as_deref(), Some("[REJECTREQUEST]system busy, start flow control for a while"));
}

/// 4.9 finds a topic that is missing blank.
fn assert_no_topic(world: &mut World, dialect: Dialect, answer: &Frame) {
    if dialect == V5 {
        return assert_exception(world, answer, "lang.NullPointerException");
    }
    assert_refused(world, answer, 1);
    assert_eq!(answer.remark.as_deref(), Some("The specified topic is blank."));
}

#[test]
fn only_five_fields_are_needed() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        for name in ["e", "f", "g", "h"] {
            let answer = send_changed(&mut world, name, None);
            assert_exception(&mut world, &answer, "lang.NullPointerException");
        }
        let answer = send_changed(&mut world, "b", None);
        assert_no_topic(&mut world, dialect, &answer);
        let bare = Frame { ext_fields: None, ..world.send_request("T", "", b"x") };
        let answer = world.ask(BROKER, &bare);
        assert_no_topic(&mut world, dialect, &answer);
        world.cluster.create_topic(world.now, &TopicConfig::new("T", 4));
        for (stored, name) in ["a", "c", "d", "i", "j", "k", "l", "m", "n"].into_iter().enumerate() {
            assert_eq!(send_changed(&mut world, name, None).code, 0, "{name}");
            assert_eq!(world.cluster.stored_count(), stored + 1);
        }
    }
}

#[test]
fn the_names_must_fit_the_code() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        let mut short_under_10 = world.send_request("T", "", b"x");
        short_under_10.code = 10;
        let answer = world.ask(BROKER, &short_under_10);
        assert_no_topic(&mut world, dialect, &answer);
        for (code, expected) in [(310, 1), (320, 1), (10, 0)] {
            let long_names = [
                ("producerGroup", "g"),
                ("topic", "T"),
                ("defaultTopic", "TBW102"),
                ("defaultTopicQueueNums", "4"),
                ("queueId", "0"),
                ("sysFlag", "0"),
                ("bornTimestamp", "1"),
                ("flag", "0"),
            ];
            let mut request = Frame::request(code, 1, &long_names);
            request.body = b"x".to_vec().into();
            assert_eq!(world.ask(BROKER, &request).code, expected, "{code}");
        }
    }
}

#[test]
fn numbers_are_read_as_java_reads_them() {
    let mut world = World::new(V5);
    for (name, text) in
        [("e", " 0"), ("e", "x"), ("g", "1.5"), ("f", "2147483648"), ("d", ""), ("j", "x"), ("l", "x")]
    {
        let answer = send_changed(&mut world, name, Some(text));
        assert_exception(&mut world, &answer, "lang.NumberFormatException");
    }
    assert_eq!(send_changed(&mut world, "e", Some("+0")).code, 0);
}

#[test]
fn an_empty_body_is_refused_by_5_5_and_stored_by_4_9() {
    let mut new = World::new(V5);
    let answer = new.send("T", "", b"");
    assert_exception(&mut new, &answer, "lang.NullPointerException");
    let mut old = World::new(V4);
    assert_eq!(old.send("T", "", b"").code, 0);
    assert!(old.stored("T")[0].body.is_empty());
}

#[test]
fn a_broker_may_not_accept_sends_yet() {
    let mut world = World::new(V5);
    let from = world.now + 5_000;
    world.cluster.broker_mut(0).expect("a broker").settings_mut().accept_sends_from_ms = from;
    let answer = world.send("T", "", b"x");
    assert_refused(&mut world, &answer, 1);
    world.run_until(from);
    assert_eq!(world.send("T", "", b"x").code, 0);
}

#[test]
fn a_broker_without_write_permission_refuses_order_topics_only() {
    let mut world = World::new(V5);
    let order = TopicConfig { order: true, ..TopicConfig::new("Order", 4) };
    world.cluster.create_topic(world.now, &order);
    world.cluster.set_broker_permission(world.now, 0, 4);
    let answer = world.send("Order", "", b"x");
    assert_refused(&mut world, &answer, 16);
    assert_eq!(world.send("Plain", "", b"x").code, 0);
}

#[test]
fn the_permission_of_a_topic_is_not_looked_at() {
    let mut world = World::new(V5);
    world.cluster.create_topic(world.now, &TopicConfig::new("T", 4));
    for permission in [4, 2, 0] {
        world.cluster.set_permission(world.now, "T", permission);
        assert_eq!(world.send("T", "", b"x").code, 0);
    }
}

#[test]
fn bad_topic_names_get_the_code_of_the_release() {
    for (dialect, code) in [(V4, 1), (V5, 29)] {
        let mut world = World::new(dialect);
        let longest = "t".repeat(127);
        for topic in ["", "bad topic", "a/b", "\u{e9}", &"t".repeat(128)] {
            let answer = world.send(topic, "", b"x");
            assert_refused(&mut world, &answer, code);
        }
        assert_eq!(world.send(&longest, "", b"x").code, 0);
    }
    let mut world = World::new(V5);
    assert_eq!(world.send(&format!("%DLQ%{}", "g".repeat(122)), "", b"x").code, 0);
    // Legal as a name, too long to be stored.
    assert_eq!(world.send(&format!("%DLQ%{}", "g".repeat(123)), "", b"x").code, 13);
    assert_eq!(world.send(&format!("%DLQ%{}", "g".repeat(250)), "", b"x").code, 13);
    assert_eq!(world.send(&format!("%DLQ%{}", "g".repeat(251)), "", b"x").code, 29);
    // The name of a consumer group is shorter than that of its topics may be.
    assert_eq!(world.send(&format!("%RETRY%{}", "g".repeat(120)), "", b"x").code, 0);
    assert_eq!(world.send(&format!("%RETRY%{}", "g".repeat(121)), "", b"x").code, 26);
}

#[test]
fn system_topics_get_16() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        let topics = [
            "SCHEDULE_TOPIC_XXXX",
            "RMQ_SYS_TRANS_HALF_TOPIC",
            "RMQ_SYS_TRANS_OP_HALF_TOPIC",
            "TRANS_CHECK_MAX_TIME_TOPIC",
            "SELF_TEST_TOPIC",
            "OFFSET_MOVED_EVENT",
        ];
        for topic in topics {
            let answer = world.send(topic, "", b"x");
            assert_refused(&mut world, &answer, 16);
            assert_eq!(answer.remark, Some(format!("Sending message to topic[{topic}] is forbidden.")));
        }
    }
}

#[test]
fn an_unknown_topic_without_a_usable_default_topic_gets_17() {
    for (dialect, faq) in [(V4, "http://rocketmq.apache.org/docs/faq/"), (V5, "06FAQ for further details.")] {
        let mut world = World::new(dialect);
        world.cluster.create_topic(world.now, &TopicConfig::new("Ordinary", 4));
        for default_topic in ["Unknown", "", "Ordinary"] {
            let answer = send_changed(&mut world, "c", Some(default_topic));
            assert_refused(&mut world, &answer, 17);
            let remark = answer.remark.unwrap_or_default();
            assert!(remark.starts_with("topic[T] not exist, apply first please!\nSee "), "{remark}");
            assert!(remark.contains(faq), "{remark}");
        }
    }
}

#[test]
fn auto_create_off_gets_17() {
    let config = ClusterConfig { auto_create_topics: false, ..ClusterConfig::default() };
    let mut from_the_start = World::with(config);
    assert!(from_the_start.route("TBW102").is_null());
    let answer = from_the_start.send("T", "", b"x");
    assert_refused(&mut from_the_start, &answer, 17);
    let mut while_running = World::new(V5);
    while_running.cluster.set_auto_create_topics(while_running.now, false);
    let answer = while_running.send("T", "", b"x");
    assert_refused(&mut while_running, &answer, 17);
    assert!(!while_running.route("TBW102").is_null());
}

#[test]
fn a_queue_id_out_of_range_gets_the_code_of_the_release() {
    for (dialect, code, end) in [(V4, 1, ""), (V5, 29, ", attributes={}")] {
        let mut world = World::new(dialect);
        let config = TopicConfig { read_queues: 6, write_queues: 4, ..TopicConfig::new("T", 4) };
        world.cluster.create_topic(world.now, &config);
        let answer = send_changed(&mut world, "e", Some("6"));
        assert_refused(&mut world, &answer, code);
        let expected = format!(
            "request queueId[6] is illegal, TopicConfig [topicName=T, readQueueNums=6, writeQueueNums=4, perm=RW-, \
             topicFilterType=SINGLE_TAG, topicSysFlag=0, order=false{end}] Producer: 10.9.9.9:5555"
        );
        assert_eq!(answer.remark, Some(expected));
        assert_eq!(send_changed(&mut world, "e", Some("5")).code, 0);
    }
}

#[test]
fn retry_topics_need_a_group_only_when_groups_are_not_made() {
    let mut world = World::new(V5);
    world.cluster.broker_mut(0).expect("a broker").settings_mut().auto_create_groups = false;
    let answer = world.send("%RETRY%g", "", b"x");
    assert_refused(&mut world, &answer, 26);
    world.cluster.broker_mut(0).expect("a broker").settings_mut().auto_create_groups = true;
    assert_eq!(world.send("%RETRY%g", "", b"x").code, 0);
}

#[test]
fn sizes_are_limited() {
    for (dialect, longest) in [(V4, 32_745), (V5, 32_705)] {
        let mut world = World::new(dialect);
        let with_length = |length: usize| {
            let rest = "UNIQ_KEY\u{1}u\u{2}k\u{1}\u{2}".len();
            format!("UNIQ_KEY\u{1}u\u{2}k\u{1}{}\u{2}", "v".repeat(length - rest))
        };
        let answer = world.send("T", &with_length(longest + 1), b"x");
        assert_refused(&mut world, &answer, 13);
        let answer = world.send("T", "", &vec![0; 4_194_305]);
        assert_refused(&mut world, &answer, 13);
        assert_eq!(world.send("T", &with_length(longest), b"x").code, 0);
        assert_eq!(world.send("T", "", &vec![0; 4_194_304]).code, 0);
    }
}

#[test]
fn an_inner_batch_property_is_refused_by_5_5() {
    let mut world = World::new(V5);
    let answer = world.send("T", "INNER_NUM\u{1}123\u{2}", b"x");
    assert_refused(&mut world, &answer, 13);
    assert_eq!(World::new(V4).send("T", "INNER_NUM\u{1}123\u{2}", b"x").code, 0);
}

#[test]
fn half_messages_can_be_refused() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        world.cluster.broker_mut(0).expect("a broker").settings_mut().reject_transactions = true;
        let answer = world.send("T", "TRAN_MSG\u{1}true\u{2}", b"x");
        assert_refused(&mut world, &answer, 16);
        let remark = "the broker[10.0.1.1] sending transaction message is forbidden";
        assert_eq!(answer.remark.as_deref(), Some(remark));
    }
}

#[test]
fn bad_delays_are_refused() {
    let mut world = World::new(V5);
    let answer = world.send("T", "DELAY\u{1}x12\u{2}", b"x");
    assert_exception(&mut world, &answer, "lang.NumberFormatException");
    for text in ["TIMER_DELAY_SEC\u{1}259201\u{2}", "TIMER_DELAY_MS\u{1}soon\u{2}"] {
        let answer = world.send("T", text, b"x");
        assert_refused(&mut world, &answer, 13);
    }
    world.cluster.broker_mut(0).expect("a broker").settings_mut().timer_wheel = false;
    let answer = world.send("T", "TIMER_DELAY_SEC\u{1}100\u{2}", b"x");
    assert_refused(&mut world, &answer, 1);
}

#[test]
fn a_full_disk_gets_14() {
    let mut world = World::new(V5);
    world.cluster.broker_mut(0).expect("a broker").settings_mut().disk_full = true;
    let answer = world.send("T", "", b"x");
    assert_refused(&mut world, &answer, 14);
    assert!(answer.remark.is_some_and(|remark| remark.starts_with("service not available now.")));
}

fn batch(world: &mut World, topic: &str, properties: &str, body: &[u8]) -> Frame {
    let mut request = world.send_request(topic, properties, body);
    request.code = 320;
    change(&mut request, "m", Some("true"));
    world.ask(BROKER, &request)
}

#[test]
fn batches_are_checked() {
    let part = super::sends::part(0, b"x", "");
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        let delayed = batch(&mut world, "T", "DELAY\u{1}123\u{2}", &part);
        assert_refused(&mut world, &delayed, 13);
        let mut transactional = world.send_request("T", "", &part);
        change(&mut transactional, "m", Some("true"));
        change(&mut transactional, "f", Some("4"));
        let answer = world.ask(BROKER, &transactional);
        assert_refused(&mut world, &answer, 13);
        let too_much = super::sends::part(0, &vec![0; 4_194_304], "");
        let answer = batch(&mut world, "T", "", &too_much);
        assert_eq!(answer.code, if dialect == V5 { 1 } else { 13 });
        let trailing = [&part[..], &[0, 0]].concat();
        let negative = [&part[..16], &[0xFF; 4], &part[20..]].concat();
        for broken in [&part[..part.len() - 1], &trailing, &negative] {
            let answer = batch(&mut world, "T", "", broken);
            assert_exception(&mut world, &answer, "");
        }
        let empty = batch(&mut world, "T", "", b"");
        assert_exception(&mut world, &empty, "");
        let retry = batch(&mut world, "%RETRY%g", "", &part);
        assert_eq!(retry.code, if dialect == V5 { 13 } else { 0 });
    }
}
