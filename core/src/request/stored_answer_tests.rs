use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::BytesMut;
use proptest::prelude::*;

use super::{StoredAnswer, StoredFields};
use crate::command::{LanguageCode, version};
use crate::request::SendMessageResponseHeader;
use crate::wire::{
    CommandHead, FieldSink, Header, Inbox, RawFrame, SerializeType, WireLimits, WriteFields, encode_command,
};

/// Ext fields as they come.
struct Ext(Vec<(&'static str, String)>);

impl WriteFields for Ext {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        for (name, value) in &self.0 {
            sink.str(name, value);
        }
    }
}

/// A frame, with code, flag and remark that an answer to a stored message has not always.
fn frame(serialize: SerializeType, (code, flag, remark): (i32, i32, Option<&str>), ext: &Ext) -> BytesMut {
    let mut out = BytesMut::new();
    let head = CommandHead {
        code,
        flag,
        opaque: -7,
        version: version::CURRENT,
        language: LanguageCode::Java,
        remark,
    };
    encode_command(&mut out, serialize, &head, ext, 0).unwrap();
    out
}

/// What both ways make of a frame.
fn both<T>(bytes: &[u8], look: impl FnOnce(Option<StoredAnswer<'_>>, &RawFrame<'_>) -> T) -> T {
    let limits = WireLimits::default();
    let mut inbox = Inbox::new(limits);
    let mut frames = inbox.feed(bytes);
    let frame = frames.next().unwrap().unwrap();
    look(StoredAnswer::read(&frame, &limits), &frame)
}

/// Whatever is read quickly is what the general way reads.
fn agree(quick: &StoredAnswer<'_>, frame: &RawFrame<'_>) {
    let header = Header::parse(frame, &WireLimits::default()).unwrap();
    assert_eq!((header.code, header.flag, header.opaque), (0, 1, quick.opaque));
    assert_eq!(header.remark, None);
    let general = SendMessageResponseHeader::read(&header.ext).unwrap();
    assert_eq!(StoredFields::from(&general), quick.fields);
}

fn usual() -> Ext {
    Ext([
        ("queueId", "3"),
        ("transactionId", "FD00000000000000000000000000000216FE4E0E2F2A69557F2C0000"),
        ("msgId", "7F00000100005597000000000000B46F"),
        ("TRACE_ON", "true"),
        ("MSG_REGION", "DefaultRegion"),
        ("queueOffset", "123456789012"),
    ]
    .map(|(name, value)| (name, value.to_string()))
    .to_vec())
}

#[test]
fn the_usual_answer_needs_no_other_way() {
    for serialize in [SerializeType::Json, SerializeType::RocketMq] {
        both(&frame(serialize, (0, 1, None), &usual()), |quick, frame| {
            let quick = quick.expect("read at once");
            assert_eq!((quick.opaque, quick.fields.queue_id), (-7, 3));
            assert_eq!(quick.fields.queue_offset, 123_456_789_012);
            assert!(quick.fields.trace_on);
            agree(&quick, frame);
        });
    }
}

#[test]
fn whatever_is_different_is_left_to_the_general_way() {
    let heads = [(1, 1, None), (0, 3, None), (0, 0, None), (0, 1, Some("remark")), (10, 1, None)];
    for serialize in [SerializeType::Json, SerializeType::RocketMq] {
        for head in heads {
            both(&frame(serialize, head, &usual()), |quick, _| assert_eq!(quick, None, "{head:?}"));
        }
        for (place, value) in [(0, "-1"), (0, "2147483648"), (0, "x"), (0, ""), (2, ""), (5, "03"), (5, "+3")]
        {
            let mut ext = usual();
            ext.0[place].1 = value.to_string();
            both(&frame(serialize, (0, 1, None), &ext), |quick, _| assert_eq!(quick, None, "{value:?}"));
        }
        for missing in [0, 2, 5] {
            let mut ext = usual();
            ext.0.remove(missing);
            both(&frame(serialize, (0, 1, None), &ext), |quick, _| assert_eq!(quick, None));
        }
        let mut ext = usual();
        ext.0.push(("recallHandle", "h".to_string()));
        both(&frame(serialize, (0, 1, None), &ext), |quick, _| assert_eq!(quick, None));
    }
}

#[test]
fn tight_limits_are_for_the_general_way() {
    let bytes = frame(SerializeType::Json, (0, 1, None), &usual());
    let mut inbox = Inbox::new(WireLimits::default());
    let mut frames = inbox.feed(&bytes);
    let frame = frames.next().unwrap().unwrap();
    for limits in [
        WireLimits { max_ext_fields: 5, ..WireLimits::default() },
        WireLimits { max_depth: 1, ..WireLimits::default() },
    ] {
        assert_eq!(StoredAnswer::read(&frame, &limits), None);
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &["queueId", "msgId", "queueOffset", "transactionId", "TRACE_ON", "MSG_REGION", "other"][..],
    )
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_i64..1_000).prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => Just("false".to_string()),
        1 => "[a-zA-Z0-9]{0,40}",
        1 => ".{0,12}",
    ]
}

proptest! {
    #[test]
    fn both_ways_agree_on_any_fields(
        fields in prop::collection::vec((name(), value()), 0..8),
        stray in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        serialize in prop::sample::select(&[SerializeType::Json, SerializeType::RocketMq][..]),
    ) {
        let mut ext = usual();
        for (at, field) in fields.into_iter().enumerate() {
            if at % 2 == 0 && at < ext.0.len() { ext.0[at] = field } else { ext.0.push(field) }
        }
        let mut bytes = frame(serialize, (0, 1, None), &ext);
        both(&bytes, |quick, frame| quick.iter().for_each(|quick| agree(quick, frame)));
        // And when a byte of the header is another one.
        let at = 8 + stray.index(bytes.len() - 8);
        bytes[at] = byte;
        both(&bytes, |quick, frame| {
            quick.iter().for_each(|quick| agree(quick, frame));
        });
    }
}
