//! A slow and obvious second implementation of header decoding, to compare the real one with.

use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::{Header, RawFrame, SerializeType, WireLimits};

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

enum Node {
    Null,
    Text(String),
    Object(String, Vec<(String, Node)>),
    Other(String),
}

impl Node {
    fn text(self) -> Option<String> {
        match self {
            Node::Null => None,
            Node::Text(text) | Node::Object(text, _) | Node::Other(text) => Some(text),
        }
    }
}

fn slow_json(header: &[u8], limits: &WireLimits) -> Option<SlowHeader> {
    let text: Vec<char> = std::str::from_utf8(header).ok()?.chars().collect();
    let mut json = Json { text, at: 0, max_depth: limits.max_depth };
    let Node::Object(_, members) = json.value(1)? else {
        return None;
    };
    json.space();
    if json.at != json.text.len() {
        return None;
    }
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

struct Json {
    text: Vec<char>,
    at: usize,
    max_depth: usize,
}

impl Json {
    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.text.get(self.at - 1).copied()
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn raw(&self, start: usize) -> String {
        self.text[start..self.at].iter().collect()
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        self.space();
        let start = self.at;
        match self.peek()? {
            '"' => self.string().map(Node::Text),
            '{' => {
                let members = self.members(depth)?;
                Some(Node::Object(self.raw(start), members))
            }
            '[' => {
                self.items(depth)?;
                Some(Node::Other(self.raw(start)))
            }
            'n' => self.word("null").map(|()| Node::Null),
            't' => self.word("true").map(|()| Node::Other("true".into())),
            'f' => self.word("false").map(|()| Node::Other("false".into())),
            _ => {
                self.number()?;
                Some(Node::Other(self.raw(start)))
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.chars().try_for_each(|wanted| (self.next()? == wanted).then_some(()))
    }

    fn members(&mut self, depth: usize) -> Option<Vec<(String, Node)>> {
        self.next();
        if depth > self.max_depth {
            return None;
        }
        let mut members = Vec::new();
        self.space();
        if self.peek()? == '}' {
            self.next();
            return Some(members);
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            if self.next()? != ':' {
                return None;
            }
            members.push((key, self.value(depth + 1)?));
            self.space();
            match self.next()? {
                ',' => {}
                '}' => return Some(members),
                _ => return None,
            }
        }
    }

    fn items(&mut self, depth: usize) -> Option<()> {
        self.next();
        if depth > self.max_depth {
            return None;
        }
        self.space();
        if self.peek()? == ']' {
            self.next();
            return Some(());
        }
        loop {
            self.value(depth + 1)?;
            self.space();
            match self.next()? {
                ',' => {}
                ']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        if self.next()? != '"' {
            return None;
        }
        let mut units: Vec<u16> = Vec::new();
        loop {
            let character = match self.next()? {
                '"' => return String::from_utf16(&units).ok(),
                '\\' => match self.next()? {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    plain @ ('"' | '\\' | '/') => plain,
                    'u' => {
                        let mut unit = 0;
                        for _ in 0..4 {
                            unit = unit * 16 + self.next()?.to_digit(16)? as u16;
                        }
                        units.push(unit);
                        continue;
                    }
                    _ => return None,
                },
                control if control < ' ' => return None,
                plain => plain,
            };
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == '-' {
            self.next();
        }
        let zero = self.peek()? == '0';
        if self.digits()? > 1 && zero {
            return None;
        }
        if self.peek() == Some('.') {
            self.next();
            self.digits()?;
        }
        if let Some('e' | 'E') = self.peek() {
            self.next();
            if let Some('+' | '-') = self.peek() {
                self.next();
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(self.at - start)
    }
}

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
