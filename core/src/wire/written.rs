//! Requests that this client has written: what is in them, and how fields are added to them.
//!
//! Their headers have one known form, so nothing is read in the general way, and what is there keeps every byte.

use core::ops::Range;

use bytes::{BufMut, BytesMut};

use super::encode::{EncodeError, WriteFields};
use super::fixed::FixedFields;
use super::frame::{MAX_FRAME_BYTES, PREFIX_BYTES, RawFrame, SerializeType};

const JSON_BEGIN: &[u8] = b"{\"code\":";
const JSON_FIELDS: &[u8] = b"\"extFields\":{";
const JSON_AFTER_FIELDS: &[u8] = b"},\"flag\":";
/// Code, language, version, number and flag of a binary header.
const BINARY_BEGIN: usize = 13;

/// The beginning of a request that this client has written: all of its header, and as much of its body as follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    pub(crate) frame: RawFrame<'a>,
    pub(crate) code: i32,
    /// Where the fields begin and end in the header. In JSON both are the same when there are none.
    begin: usize,
    end: usize,
}

impl<'a> Written<'a> {
    /// None of bytes that are nothing of the kind.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
        let [_, _, _, _, kind, a, b, c] = *prefix;
        let serialize =
            if kind == SerializeType::Json.code() { SerializeType::Json } else { SerializeType::RocketMq };
        let (header, body) = rest.split_at_checked(u32::from_be_bytes([0, a, b, c]) as usize)?;
        let (code, Range { start: begin, end }) = match serialize {
            SerializeType::Json => json_fields(header)?,
            SerializeType::RocketMq => binary_fields(header)?,
        };
        Some(Self { frame: RawFrame { serialize, header, body }, code, begin, end })
    }

    fn fields(&self) -> &'a [u8] {
        self.frame.header.get(self.begin..self.end).unwrap_or_default()
    }

    /// Whether there is a field of this name. Its own names need no escapes.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        let name = name.as_bytes();
        match self.frame.serialize {
            // Quotes in texts are escaped, so these can only stand around a name.
            SerializeType::Json => self
                .fields()
                .windows(name.len() + 3)
                .any(|window| matches!(window, [b'"', found @ .., b'"', b':'] if found == name)),
            SerializeType::RocketMq => binary_names(self.fields()).any(|found| found == name),
        }
    }

    /// Adds prefix and header to `out`, with more fields; a body of `body_len` bytes is to follow.
    ///
    /// # Errors
    /// [`EncodeError`] if no frame can hold them; `out` stays as it is then.
    pub(crate) fn append_with<H: WriteFields>(
        &self,
        out: &mut BytesMut,
        more: &H,
        body_len: usize,
    ) -> Result<(), EncodeError> {
        let more = FixedFields::new(more)?;
        let (begin, fields) = (self.frame.header.get(..self.begin).unwrap_or_default(), self.fields());
        let rest = self.frame.header.get(self.end..).unwrap_or_default();
        let parts: [&[u8]; 6] = match self.frame.serialize {
            SerializeType::Json if fields.is_empty() => {
                let more = more.json().strip_suffix(b",").unwrap_or_default();
                [begin, JSON_FIELDS, more, b"},", rest, b""]
            }
            SerializeType::Json => [begin, more.json(), fields, rest, b"", b""],
            SerializeType::RocketMq => [begin, fields, more.binary(), rest, b"", b""],
        };
        let header_len: usize = parts.iter().map(|part| part.len()).sum();
        let bytes = PREFIX_BYTES.saturating_add(header_len).saturating_add(body_len);
        if bytes > MAX_FRAME_BYTES {
            return Err(EncodeError::FrameTooLarge { bytes, limit: MAX_FRAME_BYTES });
        }
        // All lengths are below 2^24 now.
        let (frame_len, header_word) = ((bytes - 4) as u32, header_len as u32);
        out.reserve(PREFIX_BYTES + header_len);
        out.put_u32(frame_len);
        out.put_u32(u32::from(self.frame.serialize.code()) << 24 | header_word);
        let header_at = out.len();
        parts.into_iter().for_each(|part| out.extend_from_slice(part));
        if self.frame.serialize == SerializeType::RocketMq {
            let len = (fields.len() + more.binary().len()) as u32;
            let place = out.get_mut(header_at + self.begin - 4..header_at + self.begin);
            place.into_iter().for_each(|place| place.copy_from_slice(&len.to_be_bytes()));
        }
        Ok(())
    }
}

/// Code, and where the fields are.
fn json_fields(header: &[u8]) -> Option<(i32, Range<usize>)> {
    let rest = header.strip_prefix(JSON_BEGIN)?;
    let digits = rest.iter().position(|byte| *byte == b',')?;
    let code = core::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    let at = JSON_BEGIN.len() + digits + 1;
    let Some(fields) = header.get(at..)?.strip_prefix(JSON_FIELDS) else {
        return Some((code, at..at));
    };
    let begin = at + JSON_FIELDS.len();
    // From behind, where no text of anybody else's stands: what follows the fields has no brace but the last one.
    let len = fields.split_last()?.1.iter().rposition(|byte| *byte == b'}')?;
    fields.get(len..)?.starts_with(JSON_AFTER_FIELDS).then_some((code, begin..begin + len))
}

fn binary_fields(header: &[u8]) -> Option<(i32, Range<usize>)> {
    let code = i16::from_be_bytes(*header.first_chunk::<2>()?);
    let (remark_len, _) = split_length(header.get(BINARY_BEGIN..)?)?;
    let at = (BINARY_BEGIN + 4).checked_add(remark_len)?;
    let (len, rest) = split_length(header.get(at..)?)?;
    (rest.len() == len).then_some((code.into(), at + 4..at + 4 + len))
}

fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_be_bytes(*len)).ok()?, rest))
}

fn binary_names(mut fields: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (len, rest) = fields.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        let (len, rest) = split_length(rest)?;
        fields = rest.get(len..)?;
        Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::Written;
    use crate::wire::{
        CommandHead, FieldSink, Header, NoFields, RawFrame, SerializeType, WireLimits, WriteFields,
        encode_command,
    };
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use bytes::BytesMut;
    use proptest::prelude::{any, proptest};

    struct Fields<'a>(&'a [(&'static str, String)]);

    impl WriteFields for Fields<'_> {
        fn write<S: FieldSink>(&self, sink: &mut S) {
            self.0.iter().for_each(|(name, value)| sink.str(name, value));
        }
    }

    const HEAD: CommandHead<'static> = CommandHead {
        code: 310,
        flag: 2,
        opaque: -7,
        version: 501,
        language: crate::command::LanguageCode::Rust,
        remark: None,
    };
    const FORMS: [SerializeType; 2] = [SerializeType::Json, SerializeType::RocketMq];

    fn frame<H: WriteFields>(form: SerializeType, fields: &H, body: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        encode_command(&mut out, form, &HEAD, fields, body.len()).unwrap();
        out.extend_from_slice(body);
        out
    }

    fn read(bytes: &[u8]) -> (i32, i32, i32, Vec<(String, String)>) {
        let len = u32::from_be_bytes(*bytes.first_chunk().unwrap()) as usize;
        assert_eq!(len + 4, bytes.len(), "the length of the frame");
        let header_len = u32::from_be_bytes([0, bytes[5], bytes[6], bytes[7]]) as usize;
        let serialize = if bytes[4] == 0 { SerializeType::Json } else { SerializeType::RocketMq };
        let (header, body) = bytes[8..].split_at(header_len);
        let frame = RawFrame { serialize, header, body };
        let header = Header::parse(&frame, &WireLimits::default()).unwrap();
        let mut fields: Vec<_> =
            header.ext.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        fields.sort();
        (header.code, header.flag, header.opaque, fields)
    }

    fn check(there: &[(&'static str, String)], more: &[(&'static str, String)]) {
        for form in FORMS {
            let before = frame(form, &Fields(there), b"body");
            let written = Written::read(&before).unwrap();
            assert_eq!((written.code, written.frame.body), (310, b"body".as_slice()));
            for (name, _) in there {
                assert!(written.has_field(name), "{name}");
            }
            assert!(!more.iter().any(|(name, _)| written.has_field(name)));
            let mut after = BytesMut::from(b"what was there".as_slice());
            written.append_with(&mut after, &Fields(more), written.frame.body.len()).unwrap();
            after.extend_from_slice(written.frame.body);
            let all: Vec<_> = there.iter().chain(more).cloned().collect();
            let wanted = frame(form, &Fields(&all), b"body");
            assert_eq!(read(&after[14..]), read(&wanted), "{form:?}");
        }
    }

    #[test]
    fn fields_are_added_to_some_and_to_none() {
        let there = [("a", "one".to_string()), ("i", "\"b\":},\"flag\":\u{1}\\".to_string())];
        let more = [("b", "two".to_string()), ("\u{e4} b", "\n".to_string())];
        check(&there, &more);
        check(&[], &more);
        check(&there, &more[..1]);
    }

    #[test]
    fn names_that_are_no_fields_are_free() {
        for form in FORMS {
            let bytes = frame(form, &Fields(&[("topic", "code".into())]), b"\"x\":");
            let written = Written::read(&bytes).unwrap();
            for name in ["code", "flag", "opaque", "extFields", "opi", "x", ","] {
                assert!(!written.has_field(name), "{name} in {form:?}");
            }
            let nothing = frame(form, &NoFields, b"");
            assert!(!Written::read(&nothing).unwrap().has_field("topic"));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_values_are(values in any::<[String; 4]>()) {
            let [a, b, c, d] = values;
            check(&[("a", a), ("topic", b)], &[("b", c), ("AccessKey", d)]);
        }

        #[test]
        fn other_bytes_do_no_harm(bytes in any::<Vec<u8>>(), cut in 0..200_usize) {
            let _ = Written::read(&bytes);
            let whole = frame(SerializeType::RocketMq, &Fields(&[("a", "b".into())]), b"");
            if let Some(written) = whole.get(..cut).and_then(Written::read) {
                assert!(written.has_field("a"));
            }
        }
    }
}
