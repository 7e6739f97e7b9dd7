//! What servers accept as a JSON header: its fields.

use crate::faithfulness::step::{Step, Subject, To};

/// A frame whose header is this text, with `OPAQUE` replaced by the step's number.
pub(super) fn json(number: i32, header: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = split(header, b"OPAQUE");
    let header = parts.join(number.to_string().as_bytes());
    let mut bytes = (header.len() as u32 + 4).to_be_bytes().to_vec();
    bytes.extend_from_slice(&(header.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&header);
    bytes
}

/// The parts of a text between the places where a word stands.
pub(super) fn split<'a>(text: &'a [u8], word: &[u8]) -> Vec<&'a [u8]> {
    let at = text.windows(word.len()).position(|window| window == word);
    match at {
        None => vec![text],
        Some(at) => {
            let mut parts = vec![&text[..at]];
            parts.extend(split(&text[at + word.len()..], word));
            parts
        }
    }
}

const FIELDS: &str = r#""extFields":{"topic":"Probe","queueId":"0"}"#;

/// Name of a step, and what stands in the header between the field map and the number.
const WITH_NUMBER: [(&str, &str); 29] = [
    ("nothing else", r#""code":30"#),
    ("code as text", r#""code":"30""#),
    ("code as fraction", r#""code":30.0"#),
    ("code with exponent", r#""code":3e1"#),
    ("code null", r#""code":null"#),
    ("no code", r#""flag":0"#),
    ("code beyond 32 bits", r#""code":4294967326"#),
    ("code as list", r#""code":[30]"#),
    ("code as empty text", r#""code":"""#),
    ("code as word", r#""code":"thirty""#),
    ("code true", r#""code":true"#),
    ("flag null", r#""code":30,"flag":null"#),
    ("flag as text", r#""code":30,"flag":"0""#),
    ("version as text", r#""code":30,"version":"513""#),
    ("version null", r#""code":30,"version":null"#),
    ("version beyond 32 bits", r#""code":30,"version":99999999999"#),
    ("language null", r#""code":30,"language":null"#),
    ("language in small letters", r#""code":30,"language":"java""#),
    ("language unknown", r#""code":30,"language":"COBOL""#),
    ("language as known number", r#""code":30,"language":3"#),
    ("language as number 12", r#""code":30,"language":12"#),
    ("language as number 13", r#""code":30,"language":13"#),
    ("language as number 99", r#""code":30,"language":99"#),
    ("language as negative number", r#""code":30,"language":-1"#),
    ("language empty", r#""code":30,"language":"""#),
    ("language as list", r#""code":30,"language":["JAVA"]"#),
    ("remark as number", r#""code":30,"remark":5"#),
    ("another serialize type", r#""code":30,"serializeTypeCurrentRPC":"ROCKETMQ""#),
    ("unknown serialize type", r#""code":30,"serializeTypeCurrentRPC":"YAML""#),
];

/// Name of a step, and the field map.
const FIELD_MAPS: [(&str, &str); 12] = [
    ("number in the map", r#"{"topic":"Probe","queueId":0}"#),
    ("true in the map", r#"{"topic":true,"queueId":"0"}"#),
    ("fraction in the map", r#"{"topic":"Probe","queueId":0.0}"#),
    ("null in the map", r#"{"topic":null,"queueId":"0"}"#),
    ("list in the map", r#"{"topic":["Probe", 1],"queueId":"0"}"#),
    ("object in the map", r#"{"topic":{"a":1},"queueId":"0"}"#),
    ("key twice in the map", r#"{"topic":"Probe","queueId":"x","queueId":"0"}"#),
    ("map empty", "{}"),
    ("map null", "null"),
    ("map a list", "[]"),
    ("map a text", "\"topic\""),
    ("map a number", "7"),
];

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("JSON header");
    for (name, middle) in WITH_NUMBER {
        let header = format!("{{{FIELDS},{middle},\"opaque\":OPAQUE}}");
        it.bytes(name, move |number| json(number, header.as_bytes()));
    }
    for (name, map) in FIELD_MAPS {
        let header = format!("{{\"code\":30,\"extFields\":{map},\"opaque\":OPAQUE}}");
        it.bytes(name, move |number| json(number, header.as_bytes()));
    }
    let numbers = [
        ("number as text", "\"OPAQUE\""),
        ("number 2^31", "2147483648"),
        ("number with fraction", "1.5"),
        ("number null", "null"),
    ];
    for (name, opaque) in numbers {
        let header = format!("{{\"code\":30,{FIELDS},\"opaque\":{opaque}}}");
        it.bytes(name, move |number| json(number, header.as_bytes()));
    }
    it.bytes("no number", |number| json(number, format!("{{\"code\":30,{FIELDS}}}").as_bytes()));
    it.bytes("no number, name server", |number| {
        json(number, br#"{"code":105,"extFields":{"topic":"Nowhere"},"version":513}"#)
    })
    .to(To::NameServer);
    it.bytes("language unknown, name server", |number| {
        let text = br#"{"code":105,"extFields":{"topic":"Nowhere"},"language":"COBOL","opaque":OPAQUE}"#;
        json(number, text)
    })
    .to(To::NameServer);
    it.steps
}
