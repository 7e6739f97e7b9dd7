//! The header as JSON: read with the leniency of the server's JSON library, written without white space.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Dialect, Frame, SerializeType, Text, header_scan};

/// Language names in the order of their codes.
const LANGUAGES: [&str; 14] = [
    "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS",
    "RUST", "NODE_JS",
];

/// How many language codes a release knows.
pub(crate) fn known_languages(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::V4_9_7 => 13,
        Dialect::V5_5_0 => 14,
    }
}

/// The name of a language code.
pub(crate) fn language_name(code: u8) -> Option<&'static str> {
    LANGUAGES.get(usize::from(code)).copied()
}

/// The code of a language name; none for one that the release does not know.
pub(crate) fn language_code(dialect: Dialect, name: &str) -> Option<u8> {
    let known = LANGUAGES.iter().take(usize::from(known_languages(dialect)));
    known.zip(0_u8..).find(|(language, _)| **language == name).map(|(_, code)| code)
}

/// Reads a header; `None` when a server would close the connection over it. The body is left empty.
pub(crate) fn read(dialect: Dialect, header: &[u8]) -> Option<Frame> {
    header_scan::read(dialect, header).or_else(|| read_any(dialect, header))
}

/// Reads a header with the JSON library.
pub(crate) fn read_any(dialect: Dialect, header: &[u8]) -> Option<Frame> {
    let parsed: Result<Value, _> = match dialect {
        // The 4.9 library replaces what is not UTF-8, the one of 5.5 refuses it.
        Dialect::V4_9_7 => serde_json::from_str(&String::from_utf8_lossy(header)),
        Dialect::V5_5_0 => serde_json::from_slice(header),
    };
    let Ok(Value::Object(mut fields)) = parsed else {
        return None;
    };
    if dialect.is_v5() && fields.get("body").is_some_and(|body| !body.is_null()) {
        return None;
    }
    Some(Frame {
        serialize_type: SerializeType::Json,
        code: read_i32(&fields, "code")?.unwrap_or(0),
        language: read_language(dialect, &fields)?,
        version: read_i32(&fields, "version")?.unwrap_or(0),
        opaque: read_i32(&fields, "opaque")?,
        flag: read_i32(&fields, "flag")?.unwrap_or(0),
        remark: fields.remove("remark").and_then(into_text),
        ext_fields: read_ext_fields(fields.remove("extFields"))?,
        body: Bytes::new(),
    })
}

/// Outer `None`: refused; inner `None`: absent or null. Numbers may be written as text, as truth, or with a fraction,
/// which is cut off.
fn read_i32(fields: &Map<String, Value>, name: &str) -> Option<Option<i32>> {
    match fields.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| number.as_f64().map(|fraction| fraction as i64))?;
            Some(Some(i32::try_from(whole).ok()?))
        }
        Some(Value::String(text)) if text.is_empty() => Some(None),
        Some(Value::String(text)) => Some(Some(text.parse().ok()?)),
        Some(Value::Bool(truth)) => Some(Some(i32::from(*truth))),
        Some(_) => None,
    }
}

/// An unknown name counts as no language; a number outside the server's list is refused.
fn read_language(dialect: Dialect, fields: &Map<String, Value>) -> Option<Option<u8>> {
    let known = known_languages(dialect);
    match fields.get("language") {
        None => Some(Some(0)),
        Some(Value::Number(number)) => {
            let code = u8::try_from(number.as_u64()?).ok()?;
            (code < known).then_some(Some(code))
        }
        Some(Value::String(text)) => Some(language_code(dialect, text)),
        Some(Value::Array(_) | Value::Object(_)) => None,
        Some(_) => Some(None),
    }
}

type ExtFields = Vec<(Text, Option<Text>)>;

fn read_ext_fields(value: Option<Value>) -> Option<Option<ExtFields>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::Object(map)) => Some(Some(
            map.into_iter().map(|(name, value)| (name.into(), into_text(value).map(Text::from))).collect(),
        )),
        Some(_) => None,
    }
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Writes the header of a frame: keys in alphabetical order, absent fields left out.
pub(crate) fn write(frame: &Frame, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"code\":");
    write_i32(frame.code, out);
    if let Some(fields) = &frame.ext_fields {
        out.extend_from_slice(b",\"extFields\":{");
        write_ext_fields(fields, out);
        out.push(b'}');
    }
    out.extend_from_slice(b",\"flag\":");
    write_i32(frame.flag, out);
    if let Some(name) = frame.language.and_then(language_name) {
        out.extend_from_slice(b",\"language\":");
        write_text(name, out);
    }
    if let Some(opaque) = frame.opaque {
        out.extend_from_slice(b",\"opaque\":");
        write_i32(opaque, out);
    }
    if let Some(remark) = &frame.remark {
        out.extend_from_slice(b",\"remark\":");
        write_text(remark, out);
    }
    out.extend_from_slice(b",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":");
    write_i32(frame.version, out);
    out.push(b'}');
}

fn write_ext_fields(fields: &[(Text, Option<Text>)], out: &mut Vec<u8>) {
    let mut first = true;
    for (name, value) in fields {
        let Some(value) = value else { continue };
        if !first {
            out.push(b',');
        }
        first = false;
        write_escaped(name.as_bytes(), out);
        out.push(b':');
        write_escaped(value.as_bytes(), out);
    }
}

pub(crate) fn write_i32(number: i32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a JSON string: quotes, backslashes and control characters escaped, everything else as it is.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    write_escaped(text.as_bytes(), out);
}

fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        match special[0] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = &special[1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
