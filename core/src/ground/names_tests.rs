use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use core::net::{IpAddr, Ipv6Addr};

use super::*;

fn topic(text: &str) -> Result<TopicName, NameError> {
    text.parse()
}

fn group(text: &str) -> Result<GroupName, NameError> {
    text.parse()
}

#[test]
fn topic_takes_its_whole_alphabet() {
    for text in ["a", "A-Z_0-9", "%RETRY%group", "ns%topic", "a|b", &"t".repeat(127)] {
        assert_eq!(topic(text).unwrap(), *text);
    }
}

#[test]
fn blank_names_are_refused_first() {
    for text in ["", " ", "\t\n "] {
        assert_eq!(topic(text), Err(NameError::Blank { what: "topic" }));
        assert_eq!(group(text), Err(NameError::Blank { what: "group" }));
        let broker = text.parse::<BrokerName>();
        assert_eq!(broker, Err(NameError::Blank { what: "broker name" }));
        let client = text.parse::<ClientId>();
        assert_eq!(client, Err(NameError::Blank { what: "client id" }));
    }
}

#[test]
fn length_comes_before_characters() {
    let long = "/".repeat(128);
    let (what, len) = ("topic", 128);
    assert_eq!(topic(&long), Err(NameError::TooLong { what, len, max: 127 }));
    let (what, len) = ("group", 121);
    assert_eq!(group(&"/".repeat(121)), Err(NameError::TooLong { what, len, max: 120 }));
    assert!(group(&"g".repeat(120)).is_ok());
    // Java counts UTF-16 units: 64 of these are 128.
    let (what, len) = ("topic", 128);
    let emoji = "\u{1f600}".repeat(64);
    assert_eq!(topic(&emoji), Err(NameError::TooLong { what, len, max: 127 }));
}

#[test]
fn characters_outside_the_alphabet_are_named() {
    let what = "topic";
    for (text, character, at) in [
        ("../../../../topic2020", '.', 0),
        ("a b", ' ', 1),
        ("ab\u{1}", '\u{1}', 2),
        ("\u{e4}\u{f6}", '\u{e4}', 0),
        ("ok\u{ff11}", '\u{ff11}', 2),
        ("a$", '$', 1),
    ] {
        let expected = NameError::IllegalCharacter { what, character, at };
        assert_eq!(topic(text), Err(expected), "{text:?}");
        assert!(matches!(group(text), Err(NameError::IllegalCharacter { what: "group", .. })));
    }
}

#[test]
fn group_names_of_rocketmq_are_reserved() {
    for text in ["DEFAULT_PRODUCER", "CLIENT_INNER_PRODUCER"] {
        let error = group(text).unwrap_err();
        assert!(matches!(error, NameError::Reserved { what: "group", name, .. } if name == text));
        assert!(error.to_string().contains(text));
    }
    assert!(group("DEFAULT_PRODUCER_2").is_ok());
    assert!(topic("DEFAULT_PRODUCER").is_ok());
}

#[test]
fn six_system_topics_are_forbidden_to_send() {
    for text in [
        "SCHEDULE_TOPIC_XXXX",
        "RMQ_SYS_TRANS_HALF_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC",
        "TRANS_CHECK_MAX_TIME_TOPIC",
        "SELF_TEST_TOPIC",
        "OFFSET_MOVED_EVENT",
    ] {
        assert!(topic(text).unwrap().is_forbidden_to_send(), "{text}");
    }
    assert!(!TopicName::default_topic().is_forbidden_to_send());
    assert!(!topic("selftest_topic").unwrap().is_forbidden_to_send());
    assert_eq!(TopicName::default_topic(), "TBW102");
}

#[test]
fn broker_names_are_bounded_and_printable() {
    for text in ["broker-a", "broker a.\u{e4}/\u{4e2d}", &"b".repeat(255)] {
        assert_eq!(text.parse::<BrokerName>().unwrap().as_str(), text);
    }
    let (what, len, max) = ("broker name", 256, 255);
    let long = "b".repeat(256).parse::<BrokerName>();
    assert_eq!(long, Err(NameError::TooLong { what, len, max }));
    for text in ["a\nb", "a\u{0}", "a\u{7f}"] {
        let error = text.parse::<BrokerName>().unwrap_err();
        assert!(matches!(error, NameError::IllegalCharacter { at: 1, .. }));
        assert!(error.to_string().contains("control characters are not allowed"));
    }
}

#[test]
fn client_id_is_address_instance_and_unit() {
    let v4 = IpAddr::from([192, 168, 1, 2]);
    let v6 = IpAddr::from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
    let id = |ip, instance, unit| ClientId::new(ip, instance, unit).unwrap();
    assert_eq!(id(v4, "4711#12", None), "192.168.1.2@4711#12");
    assert_eq!(id(v4, "a", Some("north")), "192.168.1.2@a@north");
    assert_eq!(id(v4, "a", Some(" ")), "192.168.1.2@a");
    assert_eq!(id(v4, "a", Some("")), "192.168.1.2@a");
    assert_eq!(id(v6, "a", None), "[fe80::1]@a");
}

#[test]
fn client_id_refuses_what_would_break_a_header() {
    let ip = IpAddr::from([10, 0, 0, 1]);
    let blank = Err(NameError::Blank { what: "instance name" });
    assert_eq!(ClientId::new(ip, " ", None), blank);
    for (instance, unit) in [("a\u{1}", None), ("a", Some("b\u{2}"))] {
        let refused = ClientId::new(ip, instance, unit);
        assert!(matches!(refused, Err(NameError::IllegalCharacter { .. })));
    }
    let refused = ClientId::new(ip, &"x".repeat(255), None);
    assert!(matches!(refused, Err(NameError::TooLong { len: 264, max: 255, .. })));
}

#[test]
fn every_way_in_checks_alike() {
    assert_eq!(TopicName::try_from("t").unwrap(), topic("t").unwrap());
    assert_eq!(TopicName::try_from(String::from("t")).unwrap(), "t");
    assert!(TopicName::try_from("a b").is_err());
    assert!(TopicName::try_from(String::from("a b")).is_err());
}

#[test]
fn names_print_sort_and_look_up_as_their_text() {
    let name = topic("orders").unwrap();
    assert_eq!(alloc::format!("{name} {name:?} {name:>8}"), "orders \"orders\"   orders");
    let mut sorted = vec![topic("b").unwrap(), topic("a").unwrap()];
    sorted.sort();
    assert_eq!(sorted, ["a", "b"]);
    let map = BTreeMap::from([(name.clone(), 1)]);
    assert_eq!(map.get("orders"), Some(&1));
    assert!(core::ptr::eq(name.as_str(), name.clone().as_str()));
}
