//! The message log: layout, offsets, queries.

use std::fs;

use super::client::{BROKER, DIALECTS, World, change};
use crate::cluster::{ClusterConfig, Dialect, Frame, FrameReader, Text, TopicConfig, parse_properties};

const V4: Dialect = Dialect::V4_9_7;
const V5: Dialect = Dialect::V5_5_0;

fn captured(dialect: Dialect, name: &str) -> Frame {
    let path = format!("{}/testdata/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut reader = FrameReader::new(dialect);
    reader.push(&fs::read(path).expect("a captured frame"));
    reader.next_frame().expect("a frame that can be read").expect("a whole frame")
}

/// A stored message with its offsets, the client's address and the time of storing blanked, and its properties apart.
fn comparable(message: &[u8]) -> (Vec<u8>, Vec<(Text, Text)>) {
    let mut fixed = message.to_vec();
    for range in [20..36, 48..56, 56..64] {
        fixed[range].fill(0);
    }
    let body_length = u32::from_be_bytes([message[84], message[85], message[86], message[87]]) as usize;
    let topic_length = usize::from(message[88 + body_length]);
    let properties_at = 88 + body_length + 1 + topic_length + 2;
    let mut properties = parse_properties(&String::from_utf8_lossy(&message[properties_at..]));
    properties.sort();
    fixed.truncate(properties_at);
    (fixed, properties)
}

#[test]
fn stored_messages_equal_those_of_real_brokers() {
    let cases = [
        (
            V5,
            "5.5.0-json/031-client-send-message-v2.bin",
            "5.5.0-json/107-server-view-message-by-id-answer-0.bin",
        ),
        (
            V4,
            "4.9.7-json/026-client-send-message-v2.bin",
            "4.9.7-json/098-server-view-message-by-id-answer-0.bin",
        ),
    ];
    for (dialect, send, view) in cases {
        let port = if dialect == V5 { 21911 } else { 24911 };
        let address = format!("127.0.0.1:{port}").parse().expect("an address");
        let config = ClusterConfig { dialect, broker_addresses: vec![address], ..ClusterConfig::default() };
        let mut world = World::with(config);
        let answer = world.ask(BROKER, &captured(dialect, send));
        assert_eq!(answer.code, 0);
        let ours = world.call(BROKER, 33, &[("offset", "0")]);
        let theirs = captured(dialect, view);
        assert_eq!(comparable(&ours.body), comparable(&theirs.body), "{dialect:?}");
        assert_eq!(ours.body.len(), theirs.body.len());
    }
}

#[test]
fn ipv6_takes_more_room() {
    let config = ClusterConfig {
        broker_addresses: vec!["[fe80::1]:10911".parse().expect("an address")],
        ..ClusterConfig::default()
    };
    let mut world = World::with(config);
    let answer = world.send("T", "UNIQ_KEY\u{1}U\u{2}", b"hi");
    assert_eq!(answer.ext("msgId"), Some("FE80000000000000000000000000000100002A9F0000000000000000"));
    let body = world.call(BROKER, 33, &[("offset", "0")]).body;
    assert_eq!(body[..4], (body.len() as u32).to_be_bytes());
    // CRC-32 of "hi" with its sign bit cleared.
    assert_eq!(body[8..12], 0x5893_2AAC_u32.to_be_bytes());
    assert_eq!(body[36..40], 0x20_u32.to_be_bytes());
    let topic_at = 84 + 12 + 4 + 2;
    assert_eq!(body[topic_at..topic_at + 2], *b"\x01T");
}

#[test]
fn offsets_of_unknown_queues_are_0_and_times_minus_1() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        let queue = [("topic", "No"), ("queueId", "9"), ("timestamp", "5")];
        for code in [29, 30, 31] {
            let answer = world.call(BROKER, code, &queue);
            assert_eq!((answer.code, answer.ext("offset")), (0, Some("0")), "{code}");
        }
        assert_eq!(world.call(BROKER, 32, &queue).ext("timestamp"), Some("-1"));
        assert_eq!(world.call(BROKER, 30, &queue[..1]).code, 1);
    }
}

#[test]
fn offsets_follow_the_queue() {
    for (dialect, behind) in [(V4, "2"), (V5, "3")] {
        let mut world = World::new(dialect);
        let start = world.now;
        for step in 0..3 {
            world.run_until(start + step * 1000);
            world.send("T", "", b"x");
        }
        let queue = [("topic", "T"), ("queueId", "0")];
        assert_eq!(world.call(BROKER, 30, &queue).ext("offset"), Some("3"));
        assert_eq!(world.call(BROKER, 31, &queue).ext("offset"), Some("0"));
        let earliest = start.to_string();
        assert_eq!(world.call(BROKER, 32, &queue).ext("timestamp"), Some(earliest.as_str()));
        for (after_ms, offset) in [(0, "0"), (1000, "1"), (1500, "2"), (9000, behind)] {
            let at = (start + after_ms).to_string();
            let fields = [queue[0], queue[1], ("timestamp", at.as_str())];
            assert_eq!(world.call(BROKER, 29, &fields).ext("offset"), Some(offset), "{after_ms}");
        }
    }
}

#[test]
fn a_message_is_viewed_by_its_offset() {
    let mut world = World::new(V5);
    world.send("T", "", b"first");
    let second = world.send("T", "", b"second");
    let id = second.ext("msgId").expect("an id");
    let offset = i64::from_str_radix(&id[16..], 16).expect("hex digits").to_string();
    let body = world.call(BROKER, 33, &[("offset", &offset)]).body;
    assert_eq!(&body[88..94], b"second");
    let missing = world.call(BROKER, 33, &[("offset", "1")]);
    assert_eq!((missing.code, missing.remark.as_deref()), (1, Some("can not find message by the offset, 1")));
}

#[test]
fn messages_are_queried_by_key_and_unique_key() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        for number in 0..5 {
            world.send("T", &format!("KEYS\u{1}k both\u{2}UNIQ_KEY\u{1}U{number}\u{2}"), &[number]);
        }
        world.send("Other", "KEYS\u{1}both\u{2}", b"x");
        let bodies = |answer: &Frame| -> Vec<u8> {
            let mut rest = &answer.body[..];
            let mut bodies = Vec::new();
            while let Some(length) = rest.first_chunk::<4>() {
                bodies.push(rest[88]);
                rest = &rest[u32::from_be_bytes(*length) as usize..];
            }
            bodies
        };
        let mut fields = vec![
            ("topic", "T"),
            ("key", "both"),
            ("maxNum", "3"),
            ("beginTimestamp", "0"),
            ("endTimestamp", "9999999"),
            ("_UNIQUE_KEY_QUERY", "false"),
        ];
        assert_eq!(bodies(&world.call(BROKER, 12, &fields)), [2, 3, 4]);
        fields[5].1 = "true";
        assert_eq!(bodies(&world.call(BROKER, 12, &fields)), [0, 1, 2, 3, 4]);
        fields[1].1 = "U3";
        fields.truncate(5);
        assert_eq!(bodies(&world.call(BROKER, 12, &fields)), [3]);
        // A message that comes after the first query is found, too.
        world.send("T", "KEYS\u{1}late\u{2}", b"z");
        fields[1].1 = "late";
        assert_eq!(bodies(&world.call(BROKER, 12, &fields)), [b'z']);
        fields[4].1 = "5";
        let none = world.call(BROKER, 12, &fields);
        assert_eq!((none.code, none.ext("indexLastUpdateTimestamp")), (22, Some("0")));
    }
}

#[test]
fn queues_have_offsets_of_their_own_and_share_the_log() {
    let mut world = World::new(V5);
    world.cluster.create_topic(world.now, &TopicConfig::new("T", 4));
    let mut places = Vec::new();
    for queue in ["0", "3", "0"] {
        let mut request = world.send_request("T", "UNIQ_KEY\u{1}U\u{2}", b"x");
        change(&mut request, "e", Some(queue));
        let answer = world.ask(BROKER, &request);
        places.push((answer.ext("queueId").map(str::to_owned), answer.ext("queueOffset").map(str::to_owned)));
    }
    let expected =
        [("0", "0"), ("3", "0"), ("0", "1")].map(|(id, at)| (Some(id.to_owned()), Some(at.to_owned())));
    assert_eq!(places, expected);
    let offsets: Vec<i64> = world.stored("T").iter().map(|message| message.commit_offset).collect();
    assert!(offsets.is_sorted_by(|left, right| left < right));
}
