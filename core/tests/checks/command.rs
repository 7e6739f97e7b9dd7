//! Any command, written by the library and by an encoder that shares nothing with it.

use bytes::BytesMut;
use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::{
    CommandHead, FieldSink, Header, Inbox, Part, SerializeType, WireLimits, WriteFields, encode_command,
};

use super::plain::plain;
use super::slow::SlowHeader;

/// Names that fields may have.
pub(crate) const NAMES: [&str; 6] = ["a", "b", "topic", "acceptStandardJsonOnly", "queueOffset", "UNIQ_KEY"];

/// The value of an ext field, in each of the ways the library takes one.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    Text(String),
    Int(i64),
    Bool(bool),
    Parts(Vec<String>),
}

impl Field {
    pub(crate) fn text(&self) -> String {
        match self {
            Field::Text(text) => text.clone(),
            Field::Int(number) => number.to_string(),
            Field::Bool(value) => value.to_string(),
            Field::Parts(parts) => parts.concat(),
        }
    }
}

/// A command of any kind.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) code: i16,
    pub(crate) flag: i32,
    pub(crate) opaque: i32,
    pub(crate) version: i16,
    pub(crate) language: LanguageCode,
    pub(crate) remark: Option<String>,
    pub(crate) fields: Vec<(&'static str, Field)>,
    pub(crate) body: Vec<u8>,
}

impl WriteFields for Command {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        for (name, field) in &self.fields {
            match field {
                Field::Text(text) => sink.str(name, text),
                Field::Int(number) => sink.int(name, *number),
                Field::Bool(value) => sink.bool(name, *value),
                Field::Parts(parts) => {
                    let parts: Vec<Part<'_>> = parts.iter().map(|part| Part::Text(part)).collect();
                    sink.parts(name, &parts);
                }
            }
        }
    }
}

impl Command {
    /// By the library.
    pub(crate) fn encode(&self, serialize: SerializeType) -> Vec<u8> {
        let head = CommandHead {
            code: self.code.into(),
            flag: self.flag,
            opaque: self.opaque,
            version: self.version.into(),
            language: self.language,
            remark: self.remark.as_deref(),
        };
        let mut out = BytesMut::new();
        let written = encode_command(&mut out, serialize, &head, self, self.body.len()).unwrap();
        assert_eq!(written, out.len());
        out.extend_from_slice(&self.body);
        out.to_vec()
    }

    /// By the other encoder.
    pub(crate) fn expected(&self, serialize: SerializeType) -> Vec<u8> {
        let header = match serialize {
            SerializeType::Json => self.expected_json(),
            SerializeType::RocketMq => self.expected_binary(),
        };
        frame(serialize, &header, &self.body)
    }

    fn expected_json(&self) -> Vec<u8> {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let fields = self.fields.iter().map(|(name, field)| format!("\"{name}\":{}", quoted(&field.text())));
        let fields: Vec<String> = fields.collect();
        let ext = match fields.join(",") {
            none if none.is_empty() => String::new(),
            fields => format!("\"extFields\":{{{fields}}},"),
        };
        let remark = self.remark.as_ref().map(|text| format!(",\"remark\":{}", quoted(text)));
        let Command { code, flag, opaque, version, language, .. } = self;
        let text = format!(
            "{{\"code\":{code},{ext}\"flag\":{flag},\"language\":\"{}\",\"opaque\":{opaque}{},\
             \"serializeTypeCurrentRPC\":\"JSON\",\"version\":{version}}}",
            language.name(),
            remark.unwrap_or_default()
        );
        text.into_bytes()
    }

    fn expected_binary(&self) -> Vec<u8> {
        let with_length = |text: &str| [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
        let fields = self.fields.iter().map(|(name, field)| {
            let name_length = (name.len() as u16).to_be_bytes();
            [&name_length[..], name.as_bytes(), &with_length(&field.text())].concat()
        });
        let fields: Vec<u8> = fields.collect::<Vec<_>>().concat();
        [
            &self.code.to_be_bytes()[..],
            &[self.language.code()],
            &self.version.to_be_bytes(),
            &self.opaque.to_be_bytes(),
            &self.flag.to_be_bytes(),
            &with_length(self.remark.as_deref().unwrap_or_default()),
            &(fields.len() as u32).to_be_bytes(),
            &fields,
        ]
        .concat()
    }

    /// What a reader must find.
    pub(crate) fn header(&self, serialize: SerializeType) -> SlowHeader {
        SlowHeader {
            code: self.code.into(),
            flag: self.flag,
            opaque: self.opaque,
            version: self.version.into(),
            language: self.language,
            remark: self
                .remark
                .clone()
                // A binary header cannot tell an empty remark from none.
                .filter(|text| serialize == SerializeType::Json || !text.is_empty()),
            ext: self.fields.iter().map(|(name, field)| ((*name).to_owned(), field.text())).collect(),
        }
    }

    /// Both encoders agree to the byte, and both decoders give the command back.
    pub(crate) fn check(&self) {
        for serialize in [SerializeType::Json, SerializeType::RocketMq] {
            let bytes = self.encode(serialize);
            assert_eq!(bytes, self.expected(serialize));
            self.check_read(&bytes, serialize);
            let found = plain(&bytes);
            let wanted = self.header(serialize);
            assert_eq!((found.code, found.version), (wanted.code.into(), wanted.version.into()));
            assert_eq!((found.flag, found.opaque), (wanted.flag.into(), wanted.opaque.into()));
            assert_eq!((found.remark, &*found.language), (wanted.remark, wanted.language.name()));
            assert_eq!((found.ext, found.body), (wanted.ext.into_iter().collect(), self.body.clone()));
        }
    }

    /// The library reads this frame as the command.
    pub(crate) fn check_read(&self, bytes: &[u8], serialize: SerializeType) {
        let limits = WireLimits::default();
        let mut inbox = Inbox::new(limits);
        let mut frames = inbox.feed(bytes);
        let frame = frames.next().unwrap().unwrap();
        assert_eq!((frame.serialize, frame.body), (serialize, &self.body[..]));
        let header = SlowHeader::from(&Header::parse(&frame, &limits).unwrap());
        assert_eq!(header, self.header(serialize));
        assert_eq!(frames.next(), Ok(None));
    }
}

/// A frame around a header and a body.
pub(crate) fn frame(serialize: SerializeType, header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (header.len() + body.len() + 4) as u32;
    let kind = u32::from(serialize == SerializeType::RocketMq) << 24;
    let prefix = [length.to_be_bytes(), (kind | header.len() as u32).to_be_bytes()].concat();
    [&prefix, header, body].concat()
}
