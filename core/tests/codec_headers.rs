//! Header decoding against `serde_json`, against a slow second implementation, and back and forth
//! through the encoder.

mod checks;

use checks::command::{Command, Field, NAMES};
use checks::slow::{fast, slow};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::{SerializeType, WireLimits};
use serde_json::Value;

const LIMITS: WireLimits =
    WireLimits { max_frame: 1 << 24, max_header: 1 << 20, max_ext_fields: 256, max_depth: 64 };

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![9 => Just(""), 1 => select(&[" ", "\n", "\t\r ", "\u{a0}"][..])]
}

/// The inside of a JSON string: plain text, escapes, and now and then something that is wrong.
fn string_inside() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        10 => "[a-zA-Z0-9_ .:/-]{0,20}",
        2 => "\\PC{0,6}",
        3 => select(&[
            "\\n", "\\\"", "\\\\", "\\/", "\\u0001", "\\u0002", "\\ud83d\\ude00", "\\u00e9", "\u{7f}",
        ][..]).prop_map(String::from),
        1 => select(&["\\ud83d", "\\ude00", "\\x", "\\u12", "\u{1}", "\n", "\\ud83d\\u0041"][..])
            .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => string_inside().prop_map(|inside| format!("\"{inside}\"")),
        4 => any::<i32>().prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<i32>().prop_map(|number| format!("\"{number}\"")),
        2 => select(&[
            "null", "true", "false", "0", "-0", "1.5", "2e3", "01", "-", "+1", "1.", ".5", "1e",
            "nul", "NaN", "2147483648", "\"\"", "'x'",
        ][..]).prop_map(String::from),
    ]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|i| format!("[{}]", i.join(","))),
            prop::collection::vec((string_inside(), inner), 0..4).prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn key() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 7] = ["code", "flag", "opaque", "version", "language", "remark", "extFields"];
    prop_oneof![
        12 => select(&KNOWN[..]).prop_map(String::from),
        1 => Just("serializeTypeCurrentRPC".to_owned()),
        1 => Just("c\\u006fde".to_owned()),
        1 => string_inside(),
    ]
}

/// A header that is nearly right: usual members, in any order, with some that are off.
fn json_header() -> impl Strategy<Value = Vec<u8>> {
    let ext = prop::collection::vec((string_inside(), scalar()), 0..6).prop_map(|m| object(&m));
    let usual = (any::<i32>(), any::<i32>(), ext).prop_map(|(code, opaque, ext)| {
        [("code", code.to_string()), ("opaque", opaque.to_string()), ("extFields", ext)]
            .map(|(key, value)| (key.to_owned(), value))
            .to_vec()
    });
    let other = prop::collection::vec((key(), value()), 0..4);
    let layout = (space(), space(), space(), select(&["", ",", "x", "}", "\u{feff}"][..]));
    (usual, other, any::<Index>(), layout, prop::bool::weighted(0.1)).prop_map(
        |(usual, other, turn, (before, comma, after, junk), broken)| {
            let mut members = [other, usual].concat();
            let turn = turn.index(members.len());
            members.rotate_left(turn);
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("\"{key}\"{after}:{before}{value}")).collect();
            let junk = if broken { junk } else { "" };
            let comma = format!("{comma},");
            format!("{before}{{{}{after}}}{after}{junk}", members.join(&comma)).into_bytes()
        },
    )
}

/// What `serde_json` can tell about a header: everything but the order and repetition of keys.
fn model(header: &[u8]) -> Option<Value> {
    serde_json::from_slice(header).ok()
}

fn number_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            number.as_i64().or(if number.as_f64() == Some(0.0) { Some(0) } else { None })
        }
        Value::String(text) => text.parse::<i32>().ok().map(i64::from),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn json_headers_are_read_as_the_slow_implementation_reads_them(header in json_header()) {
        prop_assert_eq!(
            fast(SerializeType::Json, &header, &LIMITS),
            slow(SerializeType::Json, &header, &LIMITS)
        );
    }

    #[test]
    fn what_serde_json_refuses_is_refused_and_what_is_read_is_the_same(header in json_header()) {
        let Some(ours) = fast(SerializeType::Json, &header, &LIMITS) else { return Ok(()) };
        let Some(model) = model(&header) else {
            return Err(TestCaseError::fail("read although it is not JSON"));
        };
        prop_assert_eq!(number_of(&model["code"]), Some(i64::from(ours.code)));
        prop_assert_eq!(number_of(&model["opaque"]), Some(i64::from(ours.opaque)));
        if let Value::String(remark) = &model["remark"] {
            prop_assert_eq!(Some(remark), ours.remark.as_ref());
        }
        let Value::Object(ext) = &model["extFields"] else { return Ok(()) };
        for (key, value) in ext {
            let last = ours.ext.iter().rev().find(|(name, _)| name == key).map(|(_, text)| text);
            match value {
                Value::String(text) => prop_assert_eq!(last, Some(text)),
                Value::Bool(known) => {
                    let text = known.to_string();
                    prop_assert_eq!(last, Some(&text));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn damaged_json_headers_are_read_alike(
        header in json_header(), at in any::<Index>(), byte in any::<u8>(), cut in any::<Index>(),
    ) {
        let mut changed = header.clone();
        *at.get_mut(&mut changed) = byte;
        for header in [&changed[..], &header[..cut.index(header.len())]] {
            prop_assert_eq!(
                fast(SerializeType::Json, header, &LIMITS),
                slow(SerializeType::Json, header, &LIMITS)
            );
        }
    }

    #[test]
    fn commands_are_written_as_an_independent_encoder_writes_them_and_come_back(command in command()) {
        command.check();
    }

    #[test]
    fn damaged_binary_headers_are_read_alike(
        command in command(), at in any::<Index>(), byte in prop_oneof![any::<u8>(), select(&[0, 1, 0x7f, 0x80, 0xff][..])],
        cut in any::<Index>(), tail in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let command = Command { body: Vec::new(), ..command };
        let frame = command.encode(SerializeType::RocketMq);
        let header = &frame[8..];
        let mut changed = header.to_vec();
        *at.get_mut(&mut changed) = byte;
        let longer = [header, &tail[..]].concat();
        for header in [&changed[..], &header[..cut.index(header.len())], &longer[..]] {
            prop_assert_eq!(
                fast(SerializeType::RocketMq, header, &LIMITS),
                slow(SerializeType::RocketMq, header, &LIMITS)
            );
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9_%.-]{0,40}",
        2 => prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter),
        2 => prop::collection::vec(select(&['\u{0}', '\u{1}', '\u{2}', '"', '\\', '\n', '\u{1f}', 'x', 'é', '😀'][..]), 0..40)
            .prop_map(String::from_iter),
        1 => "[a-z\u{1}]{700,3000}",
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let field = prop_oneof![
        any_text().prop_map(Field::Text),
        prop_oneof![
            any::<i64>(),
            -20_i64..200,
            9_990_i64..10_010,
            99_999_990_i64..100_000_010,
            9_999_999_999_999_990_i64..10_000_000_000_000_010
        ]
        .prop_map(Field::Int),
        any::<bool>().prop_map(Field::Bool),
        prop::collection::vec(any_text(), 0..4).prop_map(Field::Parts),
    ];
    let fields = prop::collection::vec(field, 0..=NAMES.len())
        .prop_map(|fields| NAMES.into_iter().zip(fields).collect());
    let remark = prop::option::of(any_text());
    let language = select(&LanguageCode::NAMED[..]);
    let body = prop::collection::vec(any::<u8>(), 0..50);
    (any::<i16>(), any::<i32>(), any::<i32>(), any::<i16>(), language, remark, fields, body).prop_map(
        |(code, flag, opaque, version, language, remark, fields, body)| Command {
            code,
            flag,
            opaque,
            version,
            language,
            remark,
            fields,
            body,
        },
    )
}
