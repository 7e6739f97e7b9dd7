//! What servers ask, and what they are answered.

use super::transactions::{KEY, stored_half};
use super::{Rig, frame, ready};
use crate::client::Input;
use crate::command::RequestCode;
use crate::wire::{Inbox, SerializeType, WireLimits};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

type Fields = Vec<(&'static str, String)>;

const ASKS_FOR_CONSUMER: [(&str, &str); 2] = [("consumerGroup", "CG"), ("clientId", "10.0.0.9@1")];
const NO_CONSUMER: &str = "The Consumer Group <CG> not exist in this consumer";

fn fields(pairs: &[(&'static str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| (*name, (*value).to_string())).collect()
}

/// The fields of a reply, with these properties.
fn reply(properties: &str) -> Fields {
    let fixed = [
        ("producerGroup", "g"),
        ("topic", "T"),
        ("sysFlag", "0"),
        ("bornTimestamp", "1"),
        ("storeTimestamp", "2"),
        ("bornHost", "10.0.0.1:5"),
        ("storeHost", "10.0.0.2:6"),
        ("properties", properties),
    ];
    fields(&fixed)
}

/// What comes back: code, remark, body, and the form of the header.
type Said = (i32, Option<String>, String, SerializeType);

/// Asks in the form, and returns the answer, if there is one.
fn asked(serialize: SerializeType, code: i32, flag: i32, ext: Fields, body: &[u8]) -> Option<Said> {
    let (mut rig, _) = ready(&["broker-a"]);
    let conn = rig.broker_conn();
    rig.keep_bytes = true;
    let bytes = frame(serialize, (code, flag, -4), None, ext, body);
    rig.input(Input::Received { conn, bytes: &bytes });
    let mut chunks = Vec::new();
    rig.client.outbox(conn, &mut chunks);
    let mut inbox = Inbox::new(WireLimits::default());
    let bytes = chunks.concat();
    let mut frames = inbox.feed(&bytes);
    let frame = frames.next().unwrap()?;
    let header = crate::wire::Header::parse(&frame, &WireLimits::default()).unwrap();
    assert!(header.is_response() && header.opaque == -4 && header.ext.iter().next().is_none());
    let remark = header.remark.as_deref().map(ToString::to_string);
    Some((header.code, remark, String::from_utf8(frame.body.to_vec()).unwrap(), frame.serialize))
}

fn in_json(code: i32, ext: Fields, body: &[u8]) -> Option<(i32, Option<String>, String)> {
    asked(SerializeType::Json, code, 0, ext, body).map(|(code, remark, body, _)| (code, remark, body))
}

fn error(remark: &str) -> Option<(i32, Option<String>, String)> {
    Some((1, Some(remark.to_string()), String::new()))
}

#[test]
fn each_request_is_answered_as_java_does() {
    let message = stored_half("PG", KEY, b"half", 0);
    let offsets = r#"{"consumerTable":{},"messageQueueTable":{}}"#.to_string();
    let of_topic = fields(&[("topic", "T"), ("group", "CG"), ("AccessKey", "of the tool")]);
    assert_eq!(in_json(40, fields(&ASKS_FOR_CONSUMER), b""), None);
    assert_eq!(in_json(220, of_topic.clone(), b"{}"), None);
    assert_eq!(in_json(221, of_topic, b""), Some((0, None, offsets)));
    assert_eq!(in_json(307, fields(&ASKS_FOR_CONSUMER), b""), error(NO_CONSUMER));
    assert_eq!(in_json(309, fields(&ASKS_FOR_CONSUMER), &message), error(NO_CONSUMER));
    let found = in_json(326, reply("CORRELATION_ID\u{1}7\u{2}"), b"reply");
    assert_eq!(found, Some((0, None, String::new())));
    let unknown = Some((3, Some(" request type 999 not supported".to_string()), String::new()));
    assert_eq!(in_json(999, Vec::new(), b""), unknown);
}

#[test]
fn what_is_missing_or_broken_is_named() {
    let missing = |name: &str| error(&alloc::format!("the header field `{name}` is missing"));
    assert_eq!(in_json(221, fields(&[("topic", "T")]), b""), missing("group"));
    assert_eq!(in_json(307, fields(&[("consumerGroup", "CG")]), b""), missing("clientId"));
    assert_eq!(in_json(309, Vec::new(), b""), missing("consumerGroup"));
    let (code, remark, _) = in_json(309, fields(&ASKS_FOR_CONSUMER), b"no message").unwrap();
    assert_eq!(code, 1);
    assert_ne!(remark.as_deref(), Some(NO_CONSUMER));
    let mut broken = reply("");
    assert_eq!(in_json(326, broken.clone(), b""), error("process reply message fail"));
    broken.retain(|(name, _)| *name != "bornHost");
    assert_eq!(in_json(326, broken, b""), missing("bornHost"));
}

#[test]
fn the_answer_has_the_form_of_the_request() {
    for serialize in [SerializeType::Json, SerializeType::RocketMq] {
        let said = asked(serialize, 307, 0, fields(&ASKS_FOR_CONSUMER), b"").unwrap();
        assert_eq!(said.3, serialize);
    }
}

#[test]
fn one_way_requests_are_never_answered() {
    for code in [39, 40, 220, 221, 307, 309, 326, 999] {
        assert_eq!(asked(SerializeType::Json, code, 2, fields(&ASKS_FOR_CONSUMER), b""), None, "{code}");
    }
    // Nor is a check, whatever it says of itself.
    assert_eq!(in_json(39, vec![], b""), None);
}

#[test]
fn requests_are_counted() {
    let (mut rig, _): (Rig, _) = ready(&["broker-a"]);
    let conn = rig.broker_conn();
    rig.receive(conn, (40, 2, 1), None, Vec::new(), b"");
    rig.receive(conn, (999, 0, 2), None, Vec::new(), b"");
    assert_eq!(rig.client.counters().inbound_requests, 2);
    assert_eq!(rig.take_request(RequestCode(3)).opaque, 2);
}
