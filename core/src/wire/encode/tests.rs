use alloc::string::String;
use alloc::vec::Vec;

use bytes::BytesMut;

use super::{
    EncodeError, FieldSink, NoFields, Part, Plain, RequestHead, ResponseHead, WriteFields, encode_request,
    encode_request_head, encode_response,
};
use crate::command::{LanguageCode, RequestCode, ResponseCode, version};
use crate::request::GetRouteInfoRequestHeader;
use crate::wire::SerializeType::{Json, RocketMq};

fn head(code: RequestCode, opaque: i32) -> RequestHead {
    RequestHead { code, flag: 0, opaque, version: 479, language: LanguageCode::Rust }
}

fn plain(text: &str) -> Plain<'_> {
    Plain::new(text).unwrap()
}

/// Fields of every kind, as a send has them.
struct Send<'a>(&'a [Part<'a>]);

impl WriteFields for Send<'_> {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        sink.plain("a", plain("PG"));
        sink.plain("b", plain("T"));
        sink.plain("c", plain("TBW102"));
        sink.int("d", 4);
        sink.int("e", 2);
        sink.int("f", 0);
        sink.int("g", 1_700_000_000_000);
        sink.int("h", 0);
        sink.parts("i", self.0);
        sink.int("j", 0);
        sink.bool("k", false);
        sink.bool("m", false);
        sink.str("n", "broker-a");
    }
}

#[test]
fn a_route_request_has_exactly_these_bytes() {
    let fields = GetRouteInfoRequestHeader { topic: "T".into(), accept_standard_json_only: None };
    let head = head(RequestCode::GET_ROUTEINFO_BY_TOPIC, 1);
    let mut out = BytesMut::new();
    assert_eq!(encode_request(&mut out, Json, &head, &fields, b""), Ok(131));
    let json = br#"{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"RUST","opaque":1,"serializeTypeCurrentRPC":"JSON","version":479}"#;
    assert_eq!(&out[..8], [0, 0, 0, 0x7F, 0, 0, 0, 0x7B]);
    assert_eq!(&out[8..], json);

    let mut out = BytesMut::new();
    assert_eq!(encode_request(&mut out, RocketMq, &head, &fields, b""), Ok(41));
    let binary =
        b"\0\0\0\x25\x01\0\0\x21\0\x69\x0C\x01\xDF\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x0C\0\x05topic\0\0\0\x01T";
    assert_eq!(&out[..], binary);
}

#[test]
fn a_send_request_has_exactly_these_bytes() {
    let properties = [
        Part::Plain(plain("UNIQ_KEY")),
        Part::NameEnd,
        Part::Text("7F0000010001"),
        Part::ValueEnd,
        Part::Text("WAIT\u{1}true\u{2}"),
    ];
    let head = head(RequestCode::SEND_MESSAGE_V2, 2);
    let mut out = BytesMut::new();
    assert_eq!(encode_request(&mut out, Json, &head, &Send(&properties), b"hi"), Ok(309));
    let json = concat!(
        r#"{"code":310,"extFields":{"a":"PG","b":"T","c":"TBW102","d":"4","e":"2","f":"0","#,
        r#""g":"1700000000000","h":"0","i":"UNIQ_KEY\u00017F0000010001\u0002WAIT\u0001true\u0002","#,
        r#""j":"0","k":"false","m":"false","n":"broker-a"},"flag":0,"language":"RUST","opaque":2,"#,
        r#""serializeTypeCurrentRPC":"JSON","version":479}"#,
    );
    assert_eq!(&out[..8], [0, 0, 1, 0x31, 0, 0, 1, 0x2B]);
    assert_eq!(&out[8..], [json.as_bytes(), b"hi"].concat());
    let mut out = BytesMut::new();
    assert_eq!(encode_request(&mut out, RocketMq, &head, &Send(&properties), b"hi"), Ok(199));
    assert_eq!(&out[..10], [0, 0, 0, 0xC3, 1, 0, 0, 0xBD, 1, 0x36]);
    assert!(out.ends_with(b"\0\x01n\0\0\0\x08broker-ahi"));
}

#[test]
fn without_fields_there_is_no_ext_object() {
    let mut out = BytesMut::new();
    let head = ResponseHead {
        code: ResponseCode::SUCCESS,
        opaque: 3,
        remark: None,
        version: version::V4_9_7,
        language: LanguageCode::Rust,
    };
    encode_response(&mut out, Json, &head, b"").unwrap();
    let json =
        br#"{"code":0,"flag":1,"language":"RUST","opaque":3,"serializeTypeCurrentRPC":"JSON","version":407}"#;
    assert_eq!(&out[8..], json);
    let mut out = BytesMut::new();
    encode_response(&mut out, RocketMq, &head, b"").unwrap();
    assert_eq!(out.len(), 8 + 21);
    assert_eq!(encode_response(&mut out, RocketMq, &head, b"body"), Ok(8 + 21 + 4));
    assert_eq!(out[29..33], [0, 0, 0, 29], "the length counts the body");
    assert!(out.ends_with(b"body"));
}

#[test]
fn a_head_announces_a_body_that_follows_on_its_own() {
    for serialize in [Json, RocketMq] {
        let head = head(RequestCode::SEND_MESSAGE_V2, 9);
        let mut whole = BytesMut::new();
        encode_request(&mut whole, serialize, &head, &Send(&[Part::Text("x")]), b"body").unwrap();
        let mut alone = BytesMut::new();
        let written =
            encode_request_head(&mut alone, serialize, &head, &Send(&[Part::Text("x")]), 4).unwrap();
        assert_eq!(written, alone.len());
        alone.extend_from_slice(b"body");
        assert_eq!(whole, alone);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn large_headers_are_written_whole() {
    let head = head(RequestCode::SEND_MESSAGE_V2, 1);
    for len in [600, 650, 700, 750, 5_000, 32_767, 200_000] {
        for unit in ["x", "\u{1}", "é"] {
            let text = unit.repeat(len);
            let mut json = BytesMut::new();
            encode_request(&mut json, Json, &head, &Send(&[Part::Text(&text)]), b"").unwrap();
            let read: serde_json::Value = serde_json::from_slice(&json[8..]).unwrap();
            assert_eq!(read["extFields"]["i"], text);
            let mut binary = BytesMut::new();
            encode_request(&mut binary, RocketMq, &head, &Send(&[Part::Text(&text)]), b"").unwrap();
            assert!(binary.windows(4).any(|length| length == (text.len() as u32).to_be_bytes()));
            assert!(binary.len() > text.len() && binary.len() < text.len() + 250);
        }
    }
}

/// A field with a name that no binary header can carry, or a text that no frame can.
struct Odd<'a>(&'static str, &'a str);

impl WriteFields for Odd<'_> {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        sink.str(self.0, self.1);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn what_cannot_be_sent_is_refused_and_leaves_nothing_behind() {
    let long_name = String::leak("n".repeat(32_768));
    let huge = "x".repeat(17 * 1024 * 1024);
    let too_large = |bytes| EncodeError::FrameTooLarge { bytes, limit: 16_777_216 };
    let usual = head(RequestCode::HEART_BEAT, 1);
    let pop = head(RequestCode::POP_MESSAGE, 1);
    let newer = RequestHead { version: 40_000, ..usual };
    let mut out = BytesMut::from(&b"earlier"[..]);
    let code = EncodeError::CodeTooLarge { code: 200_050 };
    assert_eq!(encode_request(&mut out, RocketMq, &pop, &NoFields, b""), Err(code));
    let version = EncodeError::VersionTooLarge { version: 40_000 };
    assert_eq!(encode_request(&mut out, RocketMq, &newer, &NoFields, b""), Err(version));
    let name = encode_request(&mut out, RocketMq, &usual, &Odd(long_name, ""), b"");
    assert_eq!(name, Err(EncodeError::NameTooLong));
    for serialize in [Json, RocketMq] {
        let header = encode_request_head(&mut out, serialize, &usual, &Odd("n", &huge), 0);
        assert!(matches!(header, Err(EncodeError::FrameTooLarge { .. })), "{header:?}");
        let body = encode_request_head(&mut out, serialize, &usual, &NoFields, usize::MAX);
        assert!(matches!(body, Err(EncodeError::FrameTooLarge { .. })));
    }
    assert_eq!(&out[..], b"earlier");
    // The largest body next to the smallest binary header, and one byte more.
    let room = 16_777_216 - 8 - 21;
    assert_eq!(encode_request_head(&mut out, RocketMq, &usual, &NoFields, room), Ok(29));
    let more = encode_request_head(&mut out, RocketMq, &usual, &NoFields, room + 1);
    assert_eq!(more, Err(too_large(16_777_217)));
    assert_eq!(encode_request(&mut out, Json, &pop, &NoFields, b"").map(|_| ()), Ok(()));
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_reused_buffer_takes_no_memory() {
    let body = [7; 1024];
    let mut out = BytesMut::with_capacity(2048);
    let place = out.as_ptr();
    for opaque in 0..1000 {
        for serialize in [Json, RocketMq] {
            out.clear();
            let head = head(RequestCode::SEND_MESSAGE_V2, opaque);
            encode_request(&mut out, serialize, &head, &Send(&[Part::Text("a\u{1}b\u{2}")]), &body).unwrap();
            assert_eq!((out.as_ptr(), out.capacity()), (place, 2048));
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn numbers_of_every_size_are_written_in_decimal() {
    struct Numbers(Vec<i64>);
    impl WriteFields for Numbers {
        fn write<S: FieldSink>(&self, sink: &mut S) {
            self.0.iter().for_each(|number| sink.int("n", *number));
        }
    }
    let mut numbers = alloc::vec![0, -1, i64::MIN, i64::MAX, i64::from(i32::MIN)];
    for power in 0..19 {
        let power = 10_i64.pow(power);
        numbers.extend([power - 1, power, power + 1, -power, 7 * (power / 2)]);
    }
    for number in numbers {
        let text = alloc::format!("{number}");
        let mut json = BytesMut::new();
        let head = head(RequestCode::HEART_BEAT, 0);
        encode_request(&mut json, Json, &head, &Numbers(alloc::vec![number]), b"").unwrap();
        let json = String::from_utf8(json[8..].to_vec()).unwrap();
        assert!(json.contains(&alloc::format!(r#"{{"n":"{text}"}}"#)), "{json}");
        let mut binary = BytesMut::new();
        encode_request(&mut binary, RocketMq, &head, &Numbers(alloc::vec![number]), b"").unwrap();
        let field = [b"\0\x01n\0\0\0", &[text.len() as u8][..], text.as_bytes()].concat();
        assert!(binary.ends_with(&field));
    }
}

#[test]
fn parts_make_the_same_frame_as_their_text() {
    let parts = [
        Part::Text("TAGS\u{1}a\"b\u{2}"),
        Part::Plain(plain("KEYS")),
        Part::NameEnd,
        Part::Text("k"),
        Part::ValueEnd,
    ];
    let head = head(RequestCode::SEND_MESSAGE_V2, 5);
    for serialize in [Json, RocketMq] {
        let (mut in_parts, mut whole) = (BytesMut::new(), BytesMut::new());
        encode_request(&mut in_parts, serialize, &head, &Send(&parts), b"body").unwrap();
        let text = [Part::Text("TAGS\u{1}a\"b\u{2}KEYS\u{1}k\u{2}")];
        encode_request(&mut whole, serialize, &head, &Send(&text), b"body").unwrap();
        assert_eq!(in_parts, whole);
    }
}

#[test]
fn what_needs_escapes_is_not_plain() {
    assert!(Plain::new("%RETRY%a|b-c_1 \u{e9}").is_some());
    for text in ["a\"", "\\", "12345678\u{1}", "\n"] {
        assert!(Plain::new(text).is_none(), "{text:?}");
    }
}
