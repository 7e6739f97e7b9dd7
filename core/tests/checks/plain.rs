//! Frames taken apart with plain slices and `serde_json`.

use std::collections::BTreeMap;

use rocketmq_core::wire::SerializeType;
use serde_json::Value;

/// A frame decoded with plain slices and `serde_json`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plain {
    pub(crate) serialize: SerializeType,
    pub(crate) code: i64,
    pub(crate) flag: i64,
    pub(crate) opaque: i64,
    pub(crate) version: i64,
    /// Upper case name.
    pub(crate) language: String,
    pub(crate) remark: Option<String>,
    pub(crate) ext: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Takes one whole frame apart; panics when it is not exactly one sound frame.
pub(crate) fn plain(frame: &[u8]) -> Plain {
    let total = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
    assert_eq!(frame.len(), total + 4, "length field");
    let header_len = u32::from_be_bytes([0, frame[5], frame[6], frame[7]]) as usize;
    let (header, body) = frame[8..].split_at(header_len);
    match frame[4] {
        0 => plain_json(header, body),
        1 => plain_binary(header, body),
        kind => panic!("type byte {kind}"),
    }
}

fn plain_json(header: &[u8], body: &[u8]) -> Plain {
    let json: Value = serde_json::from_slice(header).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ext = json
        .get("extFields")
        .map(|ext| ext.as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value))).collect());
    Plain {
        serialize: SerializeType::Json,
        code: json["code"].as_i64().unwrap(),
        flag: json["flag"].as_i64().unwrap(),
        opaque: json["opaque"].as_i64().unwrap(),
        version: json["version"].as_i64().unwrap(),
        language: text(&json["language"]),
        remark: json.get("remark").map(text),
        ext: ext.unwrap_or_default(),
        body: body.to_vec(),
    }
}

fn plain_binary(header: &[u8], body: &[u8]) -> Plain {
    const LANGUAGES: [&str; 14] = [
        "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS",
        "RUST", "NODE_JS",
    ];
    let short = |at: usize| i64::from(i16::from_be_bytes(header[at..at + 2].try_into().unwrap()));
    let long = |at: usize| i64::from(i32::from_be_bytes(header[at..at + 4].try_into().unwrap()));
    let text = |at: usize, len: i64| {
        String::from_utf8(header[at..at + usize::try_from(len).unwrap()].to_vec()).unwrap()
    };
    let remark_len = long(13);
    let remark = (remark_len > 0).then(|| text(17, remark_len));
    let mut at = 17 + remark_len as usize;
    let end = at + 4 + long(at) as usize;
    at += 4;
    let mut ext = BTreeMap::new();
    while at < end {
        let name = text(at + 2, short(at));
        at += 2 + name.len();
        let value = text(at + 4, long(at));
        at += 4 + value.len();
        ext.insert(name, value);
    }
    assert_eq!(at, header.len(), "nothing after the ext fields");
    Plain {
        serialize: SerializeType::RocketMq,
        code: short(0),
        flag: long(9),
        opaque: long(5),
        version: short(3),
        language: LANGUAGES[usize::from(header[2])].into(),
        remark,
        ext,
        body: body.to_vec(),
    }
}
