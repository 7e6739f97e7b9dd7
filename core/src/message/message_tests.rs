use alloc::format;
use alloc::vec::Vec;

use super::*;

fn topic() -> TopicName {
    "orders".parse().unwrap()
}

fn build(change: impl FnOnce(MessageBuilder) -> MessageBuilder) -> Result<Message, MessageError> {
    change(Message::builder(topic()).body("b")).build()
}

#[test]
fn a_new_message_waits_for_the_store_and_has_nothing_else() {
    let message = Message::new(topic(), "hello");
    assert_eq!(message.properties().as_wire(), "WAIT\u{1}true\u{2}");
    assert_eq!(message.body().as_ref(), b"hello");
    assert_eq!(message.topic(), &topic());
    assert_eq!((message.flag(), message.tag()), (0, None));
    assert_eq!(message.keys().count(), 0);
    assert_eq!(message.unique_key(), None);
    assert!(message.wait_store_msg_ok());
    assert_eq!(message, build(|b| b.body("hello")).unwrap());
}

#[test]
fn a_builder_sets_every_part() {
    let message = build(|b| {
        b.body(&b"4 apples"[..])
            .tag("created")
            .key("k1")
            .keys(["k2", "k3"])
            .property("region", "north")
            .flag(-7)
            .wait_store_msg_ok(false)
    })
    .unwrap();
    assert_eq!(message.body().as_ref(), b"4 apples");
    assert_eq!(message.tag(), Some("created"));
    assert_eq!(message.property("KEYS"), Some("k1 k2 k3"));
    assert_eq!(message.keys().collect::<Vec<_>>(), ["k1", "k2", "k3"]);
    assert_eq!(message.property("region"), Some("north"));
    assert_eq!(message.property("nothing"), None);
    assert_eq!(message.flag(), -7);
    assert_eq!(message.property("WAIT"), Some("false"));
    assert!(!message.wait_store_msg_ok());
}

#[test]
fn the_last_tag_and_value_win() {
    let message = build(|b| b.tag("a").tag("b").property("p", "1").property("p", "2")).unwrap();
    assert_eq!(message.tag(), Some("b"));
    assert_eq!(message.property("p"), Some("2"));
    assert_eq!(message.properties().iter().count(), 3);
}

#[test]
fn tags_and_keys_cannot_inject_properties() {
    for character in ['\u{0}', '\u{1}', '\u{2}', '\t', '\n', '\u{1f}'] {
        let text = format!("a{character}DELAY{character}18");
        for (name, refused) in [
            ("TAGS", build(|b| b.tag(&text))),
            ("KEYS", build(|b| b.key(&text))),
            ("p", build(|b| b.property("p", &text))),
        ] {
            let name = name.into();
            let error = PropertyError::ControlInValue { name, character };
            assert_eq!(refused, Err(error.into()));
        }
    }
}

#[test]
fn keys_have_no_blank_and_are_not_blank() {
    let refused = build(|b| b.keys(["ok", "two keys"]));
    let key = "two keys".into();
    assert_eq!(refused, Err(PropertyError::BlankInKey { key }.into()));
    for (name, refused) in [("KEYS", build(|b| b.key(""))), ("TAGS", build(|b| b.tag(" ")))] {
        let name = name.into();
        assert_eq!(refused, Err(PropertyError::BlankValue { name }.into()));
    }
}

#[test]
fn the_first_mistake_is_told() {
    let refused = build(|b| b.tag("ok").property("KEYS", "k").tag("").key("a b"));
    let name = "KEYS".into();
    assert_eq!(refused, Err(PropertyError::Reserved { name }.into()));
}

#[test]
fn the_unique_key_stays_once_set() {
    let mut keys = UniqueKeys::new([10, 0, 0, 2].into(), 1, 1);
    let (first, second) = (keys.next(0), keys.next(0));
    let mut message = build(|b| b.tag("t")).unwrap();
    message.set_unique_key(first);
    assert_eq!(message.unique_key(), Some(first));
    assert_eq!(message.clone().unique_key(), Some(first));
    assert_eq!(message.property("UNIQ_KEY"), Some(first.as_str()));
    message.set_unique_key(second);
    assert_eq!(message.unique_key(), Some(second));
    assert_eq!(message.properties().iter().count(), 3);
}

#[test]
fn an_ordinary_message_has_room_for_its_unique_key() {
    for ip in [[10, 0, 0, 2].into(), core::net::Ipv6Addr::LOCALHOST.into()] {
        let key = UniqueKeys::new(ip, 1, 1).next(0);
        let mut plain = Message::new(topic(), "b");
        let mut ordinary = build(|b| b.tag("created").key("order-4711")).unwrap();
        let mut large = build(|b| b.property("p", &"v".repeat(500))).unwrap();
        for message in [&mut plain, &mut ordinary, &mut large] {
            let before = message.properties().as_wire().as_ptr();
            message.set_unique_key(key);
            assert_eq!(message.properties().as_wire().as_ptr(), before);
        }
    }
}

#[test]
fn what_comes_after_a_key_stands_before_it() {
    let message =
        build(|b| b.key("k1").tag("t").property("p", "1").key("k2").tag("u").wait_store_msg_ok(false));
    let expected = "p\u{1}1\u{2}TAGS\u{1}u\u{2}WAIT\u{1}false\u{2}KEYS\u{1}k1 k2\u{2}";
    assert_eq!(message.unwrap().properties().as_wire(), expected);
}

#[test]
fn a_foreign_wait_text_is_read_as_java_reads_it() {
    let mut message = Message::new(topic(), "b");
    for (text, waits) in [("TRUE", true), ("no", false), ("false", false)] {
        message.properties.insert_reserved("WAIT", text).unwrap();
        assert_eq!(message.wait_store_msg_ok(), waits, "{text}");
    }
    message.properties = Properties::new();
    assert!(message.wait_store_msg_ok());
}

#[test]
fn weight_counts_every_part() {
    let message = Message::new(topic(), "hello");
    let parts = "hello".len() + "orders".len() + "WAIT_true_".len();
    assert_eq!(message.weight(), parts + MESSAGE_OVERHEAD);
}

#[test]
fn clones_share_the_body() {
    let message = Message::new(topic(), alloc::vec![7; 4096]);
    assert_eq!(message.clone().body().as_ptr(), message.body().as_ptr());
}
