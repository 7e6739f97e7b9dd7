//! A slow and obvious second implementation of header decoding, to compare the real one with: `serde_json` reads the
//! JSON, and the leniency towards what Java's servers send stands here as plain rules.

use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::{Header, RawFrame, SerializeType, WireLimits};

use super::json::{self, Node};

/// A header with everything owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlowHeader {
    pub(crate) code: i32,
    pub(crate) flag: i32,
    pub(crate) opaque: i32,
    pub(crate) version: i32,
    pub(crate) language: LanguageCode,
    pub(crate) remark: Option<String>,
    pub(crate) ext: Vec<(String, String)>,
}

impl From<&Header<'_>> for SlowHeader {
    fn from(header: &Header<'_>) -> Self {
        Self {
            code: header.code,
            flag: header.flag,
            opaque: header.opaque,
            version: header.version,
            language: header.language,
            remark: header.remark.clone().map(Into::into),
            ext: header.ext.iter().map(|(k, v)| (k.into_owned(), v.into_owned())).collect(),
        }
    }
}

/// What the library makes of a header, `None` when it refuses it.
pub(crate) fn fast(serialize: SerializeType, header: &[u8], limits: &WireLimits) -> Option<SlowHeader> {
    let frame = RawFrame { serialize, header, body: &[] };
    Header::parse(&frame, limits).ok().map(|header| SlowHeader::from(&header))
}

/// What this file makes of the same header.
pub(crate) fn slow(serialize: SerializeType, header: &[u8], limits: &WireLimits) -> Option<SlowHeader> {
    match serialize {
        SerializeType::Json => slow_json(header, limits),
        SerializeType::RocketMq => slow_binary(header, limits),
    }
}

/// The rules: any order, the last of repeated keys counts, unknown keys are passed over, numbers may be text, null is
/// absent, ext values that are no text are their JSON. A header without code or opaque is refused, unlike in Java.
fn slow_json(header: &[u8], limits: &WireLimits) -> Option<SlowHeader> {
    let Node::Object(_, members) = json::read(std::str::from_utf8(header).ok()?, limits.max_depth)? else {
        return None;
    };
    let (mut code, mut flag, mut opaque, mut version) = (None, None, None, None);
    let mut language = LanguageCode::Java;
    let mut remark = None;
    let mut ext = Vec::new();
    for (key, value) in members {
        match key.as_str() {
            "code" => code = integer(value)?,
            "flag" => flag = integer(value)?,
            "opaque" => opaque = integer(value)?,
            "version" => version = integer(value)?,
            "language" => language = language_of(value.text()),
            "remark" => remark = value.text(),
            "extFields" => {
                ext = match value {
                    Node::Null => Vec::new(),
                    Node::Object(_, fields) => {
                        if fields.len() > limits.max_ext_fields {
                            return None;
                        }
                        let named = fields.into_iter().map(|(k, v)| Some((k, v.text()?)));
                        named.flatten().collect()
                    }
                    _ => return None,
                }
            }
            _ => {}
        }
    }
    let (flag, version) = (flag.unwrap_or(0), version.unwrap_or(0));
    Some(SlowHeader { code: code?, flag, opaque: opaque?, version, language, remark, ext })
}

fn integer(value: Node) -> Option<Option<i32>> {
    match value.text() {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    }
}

fn language_of(name: Option<String>) -> LanguageCode {
    let name = name.unwrap_or_default();
    let known = LanguageCode::NAMED.into_iter().find(|known| known.name() == name);
    known.unwrap_or(LanguageCode::Unknown)
}

/// The rules: an empty remark is none, a negative length of the ext fields means none, what follows them is ignored.
fn slow_binary(header: &[u8], limits: &WireLimits) -> Option<SlowHeader> {
    let mut rest = header;
    let code = i32::from(i16::from_be_bytes(take(&mut rest, 2)?.try_into().ok()?));
    let language = LanguageCode::from_code(take(&mut rest, 1)?[0]);
    let version = i32::from(i16::from_be_bytes(take(&mut rest, 2)?.try_into().ok()?));
    let opaque = long(&mut rest)?;
    let flag = long(&mut rest)?;
    let len = long(&mut rest)?;
    let remark = text(&mut rest, len)?;
    let remark = (!remark.is_empty()).then_some(remark);
    let len = long(&mut rest)?.max(0);
    let mut block = take(&mut rest, usize::try_from(len).ok()?)?;
    let mut ext = Vec::new();
    while !block.is_empty() {
        let len = i16::from_be_bytes(take(&mut block, 2)?.try_into().ok()?);
        let name = text(&mut block, len.into())?;
        let len = long(&mut block)?;
        ext.push((name, text(&mut block, len)?));
    }
    if ext.len() > limits.max_ext_fields {
        return None;
    }
    Some(SlowHeader { code, flag, opaque, version, language, remark, ext })
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    if len > rest.len() {
        return None;
    }
    let (taken, left) = rest.split_at(len);
    *rest = left;
    Some(taken)
}

fn long(rest: &mut &[u8]) -> Option<i32> {
    Some(i32::from_be_bytes(take(rest, 4)?.try_into().ok()?))
}

fn text(rest: &mut &[u8], len: i32) -> Option<String> {
    String::from_utf8(take(rest, usize::try_from(len).ok()?)?.to_vec()).ok()
}
