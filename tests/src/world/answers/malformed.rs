//! Answers whose header is none, or an odd one.

use crate::cluster::{Frame, SerializeType};

/// An ext field of the answer to a send that is missing or unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldFlaw {
    /// This field is missing.
    Missing(&'static str),
    /// This field has this text. None of them may look like a proper value: a client could not know.
    Garbled(&'static str, &'static str),
    /// No ext fields at all.
    NoFields,
}

impl FieldFlaw {
    /// Some of each.
    pub const ALL: [FieldFlaw; 10] = [
        FieldFlaw::Missing("msgId"),
        FieldFlaw::Missing("queueId"),
        FieldFlaw::Missing("queueOffset"),
        FieldFlaw::Garbled("msgId", "nonsense"),
        FieldFlaw::Garbled("msgId", ""),
        FieldFlaw::Garbled("queueId", "x"),
        FieldFlaw::Garbled("queueId", "99999999999"),
        FieldFlaw::Garbled("queueOffset", "1e3"),
        FieldFlaw::Garbled("queueOffset", "9223372036854775808"),
        FieldFlaw::NoFields,
    ];

    pub(super) fn apply(self, frame: &mut Frame) -> Option<()> {
        let fields = frame.ext_fields.as_mut()?;
        match self {
            FieldFlaw::Missing(name) => fields.retain(|(field, _)| field != name),
            FieldFlaw::Garbled(name, text) => {
                let (_, value) = fields.iter_mut().find(|(field, _)| field == name)?;
                *value = Some(text.into());
            }
            FieldFlaw::NoFields => frame.ext_fields = None,
        }
        Some(())
    }
}

/// What is wrong with a JSON header, or odd about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum JsonFlaw {
    Truncated,
    NoCode,
    NullCode,
    TextCode,
    FractionCode,
    HugeCode,
    NoOpaque,
    NullOpaque,
    DuplicateKeys,
    NullRemark,
    NumberRemark,
    UnknownKeys,
    DeepNesting,
    Escapes,
    LoneSurrogate,
    ByteOrderMark,
    InvalidUtf8,
    LongRemark,
    NumberFields,
    NullFields,
    ListFields,
    NotAnObject,
}

impl JsonFlaw {
    /// All of them.
    pub const ALL: [JsonFlaw; 22] = [
        JsonFlaw::Truncated,
        JsonFlaw::NoCode,
        JsonFlaw::NullCode,
        JsonFlaw::TextCode,
        JsonFlaw::FractionCode,
        JsonFlaw::HugeCode,
        JsonFlaw::NoOpaque,
        JsonFlaw::NullOpaque,
        JsonFlaw::DuplicateKeys,
        JsonFlaw::NullRemark,
        JsonFlaw::NumberRemark,
        JsonFlaw::UnknownKeys,
        JsonFlaw::DeepNesting,
        JsonFlaw::Escapes,
        JsonFlaw::LoneSurrogate,
        JsonFlaw::ByteOrderMark,
        JsonFlaw::InvalidUtf8,
        JsonFlaw::LongRemark,
        JsonFlaw::NumberFields,
        JsonFlaw::NullFields,
        JsonFlaw::ListFields,
        JsonFlaw::NotAnObject,
    ];

    /// The answer as a frame, with the flaw.
    pub(super) fn encode(self, frame: &Frame) -> Vec<u8> {
        let plain = Frame { serialize_type: SerializeType::Json, body: bytes::Bytes::new(), ..frame.clone() };
        let header = String::from_utf8_lossy(&plain.encode()[8..]).into_owned();
        let code = format!("\"code\":{}", frame.code);
        let opaque = format!("\"opaque\":{}", frame.opaque.unwrap_or_default());
        let with = |member: &str| header.replacen('{', &format!("{{{member},"), 1);
        let text = match self {
            JsonFlaw::Truncated => header[..header.len() / 2].to_owned(),
            JsonFlaw::NoCode => header.replacen(&code, "\"none\":0", 1),
            JsonFlaw::NullCode => header.replacen(&code, "\"code\":null", 1),
            JsonFlaw::TextCode => header.replacen(&code, &format!("\"code\":\"{}\"", frame.code), 1),
            JsonFlaw::FractionCode => header.replacen(&code, "\"code\":0.5", 1),
            JsonFlaw::HugeCode => header.replacen(&code, "\"code\":4294967296", 1),
            JsonFlaw::NoOpaque => header.replacen(&opaque, "\"none\":0", 1),
            JsonFlaw::NullOpaque => header.replacen(&opaque, "\"opaque\":null", 1),
            JsonFlaw::DuplicateKeys => with(&format!("{code},{opaque}")),
            JsonFlaw::NullRemark => with("\"remark\":null"),
            JsonFlaw::NumberRemark => with("\"remark\":17"),
            JsonFlaw::UnknownKeys => with("\"\":true,\"zone\":{\"a\":[1,{}]}"),
            JsonFlaw::DeepNesting => with(&format!("\"deep\":{}{}", "[".repeat(900), "]".repeat(900))),
            JsonFlaw::Escapes => with("\"remark\":\"\\u0000\\/\\b\\f\\ud83d\\ude00\""),
            JsonFlaw::LoneSurrogate => with("\"remark\":\"\\ud83d\""),
            JsonFlaw::ByteOrderMark => format!("\u{feff}{header}"),
            JsonFlaw::InvalidUtf8 => with("\"remark\":\"\u{1}\""),
            JsonFlaw::LongRemark => with(&format!("\"remark\":\"{}\"", "long ".repeat(4_000))),
            JsonFlaw::NumberFields => with("\"extFields\":{\"msgId\":5,\"queueId\":0,\"queueOffset\":[]}"),
            JsonFlaw::NullFields => with("\"extFields\":null"),
            JsonFlaw::ListFields => with("\"extFields\":[1,2]"),
            JsonFlaw::NotAnObject => "[]".to_owned(),
        };
        let mut bytes = text.into_bytes();
        if self == JsonFlaw::InvalidUtf8 {
            bytes.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xFF);
        }
        with_header(0, &bytes, &frame.body)
    }
}

/// What is wrong with a binary header, or odd about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BinaryFlaw {
    NegativeRemark,
    RemarkPastEnd,
    NegativeFields,
    FieldsPastEnd,
    FieldsCut,
    NegativeKey,
    ValuePastEnd,
    Tail,
    DuplicateKey,
    EmptyValue,
    TooShort,
}

impl BinaryFlaw {
    /// All of them.
    pub const ALL: [BinaryFlaw; 11] = [
        BinaryFlaw::NegativeRemark,
        BinaryFlaw::RemarkPastEnd,
        BinaryFlaw::NegativeFields,
        BinaryFlaw::FieldsPastEnd,
        BinaryFlaw::FieldsCut,
        BinaryFlaw::NegativeKey,
        BinaryFlaw::ValuePastEnd,
        BinaryFlaw::Tail,
        BinaryFlaw::DuplicateKey,
        BinaryFlaw::EmptyValue,
        BinaryFlaw::TooShort,
    ];

    /// The answer as a frame, with the flaw.
    pub(super) fn encode(self, frame: &Frame) -> Vec<u8> {
        // Code, language, version, request number, flag.
        let mut header = Vec::from((frame.code as u16).to_be_bytes());
        header.push(0);
        header.extend_from_slice(&(frame.version as u16).to_be_bytes());
        header.extend_from_slice(&frame.opaque.unwrap_or_default().to_be_bytes());
        header.extend_from_slice(&frame.flag.to_be_bytes());
        let mut fields = Vec::new();
        for (name, value) in frame.ext_fields.iter().flatten() {
            let doubled = if self == BinaryFlaw::DuplicateKey { 2 } else { 1 };
            for _ in 0..doubled {
                put_field(&mut fields, name, value.as_deref().unwrap_or_default());
            }
        }
        match self {
            BinaryFlaw::EmptyValue => put_field(&mut fields, "empty", ""),
            BinaryFlaw::NegativeKey => fields.extend_from_slice(&[0xFF, 0xFF, 1, 2]),
            BinaryFlaw::ValuePastEnd => fields.extend_from_slice(&[0, 1, b'k', 0, 0, 0xFF, 0xFF, 1]),
            _ => {}
        }
        let (remark, length): (i32, i32) = match self {
            BinaryFlaw::NegativeRemark => (-1, fields.len() as i32),
            BinaryFlaw::RemarkPastEnd => (1 << 20, fields.len() as i32),
            BinaryFlaw::NegativeFields => (0, -7),
            BinaryFlaw::FieldsPastEnd => (0, fields.len() as i32 + 9),
            BinaryFlaw::FieldsCut => (0, (fields.len() as i32 - 3).max(1)),
            _ => (0, fields.len() as i32),
        };
        header.extend_from_slice(&remark.to_be_bytes());
        header.extend_from_slice(&length.to_be_bytes());
        header.extend_from_slice(&fields);
        match self {
            BinaryFlaw::Tail => header.extend_from_slice(b"tail"),
            BinaryFlaw::TooShort => header.truncate(11),
            _ => {}
        }
        with_header(1, &header, &frame.body)
    }
}

fn put_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(&(name.len() as u16).to_be_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(&(value.len() as u32).to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}

/// A frame with a header of any bytes.
fn with_header(serialize_type: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + header.len() + body.len());
    out.extend_from_slice(&((4 + header.len() + body.len()) as u32).to_be_bytes());
    out.extend_from_slice(&(u32::from(serialize_type) << 24 | header.len() as u32).to_be_bytes());
    out.extend_from_slice(header);
    out.extend_from_slice(body);
    out
}
