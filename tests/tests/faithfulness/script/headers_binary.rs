//! What servers accept as a binary header.

use crate::faithfulness::step::{Request, Step, Subject, To};

/// A binary header that can be bent.
struct Header {
    code: i16,
    language: u8,
    remark: (i32, Vec<u8>),
    /// The length that is written for the field block, if not the right one.
    length: Option<i32>,
    fields: Vec<u8>,
    rest: Vec<u8>,
}

impl Header {
    fn new() -> Header {
        let fields = [entry(b"topic", b"Probe"), entry(b"queueId", b"0")].concat();
        Header { code: 30, language: 0, remark: (0, Vec::new()), length: None, fields, rest: Vec::new() }
    }

    fn frame(&self, number: i32) -> Vec<u8> {
        let mut header = self.code.to_be_bytes().to_vec();
        header.push(self.language);
        header.extend_from_slice(&513_i16.to_be_bytes());
        header.extend_from_slice(&number.to_be_bytes());
        header.extend_from_slice(&0_i32.to_be_bytes());
        header.extend_from_slice(&self.remark.0.to_be_bytes());
        header.extend_from_slice(&self.remark.1);
        header.extend_from_slice(&self.length.unwrap_or(self.fields.len() as i32).to_be_bytes());
        header.extend_from_slice(&self.fields);
        header.extend_from_slice(&self.rest);
        whole(&header)
    }
}

fn whole(header: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u32 + 4).to_be_bytes().to_vec();
    bytes.extend_from_slice(&((1 << 24) | header.len() as u32).to_be_bytes());
    bytes.extend_from_slice(header);
    bytes
}

fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    entry_with(key.len() as i16, key, value.len() as i32, value)
}

fn entry_with(key_length: i16, key: &[u8], value_length: i32, value: &[u8]) -> Vec<u8> {
    [&key_length.to_be_bytes()[..], key, &value_length.to_be_bytes()[..], value].concat()
}

fn bent(it: &mut Subject, name: &str, bend: impl Fn(&mut Header) + 'static) {
    it.bytes(name, move |number| {
        let mut header = Header::new();
        bend(&mut header);
        header.frame(number)
    });
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("binary header");
    bent(&mut it, "plain", |_| {});
    bent(&mut it, "unknown language", |header| header.language = 200);
    bent(&mut it, "language RUST", |header| header.language = 12);
    bent(&mut it, "unknown code", |header| header.code = 9999);
    bent(&mut it, "negative code", |header| header.code = -5);
    bent(&mut it, "with remark", |header| header.remark = (5, b"hello".to_vec()));
    bent(&mut it, "remark not UTF-8", |header| header.remark = (2, vec![0xFF, 0xFE]));
    bent(&mut it, "remark length -1", |header| header.remark = (-1, Vec::new()));
    bent(&mut it, "remark longer than the header", |header| header.remark = (10_000, b"hello".to_vec()));
    bent(&mut it, "remark length smallest", |header| header.remark = (i32::MIN, Vec::new()));
    fields(&mut it);
    for length in [1, 10, 20, 21] {
        it.bytes(&format!("header of {length} bytes"), move |number| {
            let header = Header { fields: Vec::new(), ..Header::new() };
            whole(&header.frame(number)[8..8 + length])
        });
    }
    it.ask("no fields, name server", Request::new(206).without_fields().binary().one_way())
        .to(To::NameServer);
    it.ask("code that does not fit", Request::new(200_050).binary());
    it.ask(
        "version that does not fit",
        Request::new(30).fields(&[("topic", "Probe"), ("queueId", "0")]).version(70_000).binary(),
    );
    it.steps
}

fn fields(it: &mut Subject) {
    bent(it, "block length -1", |header| header.length = Some(-1));
    bent(it, "block length 0", |header| header.length = Some(0));
    bent(it, "block longer than the header", |header| header.length = Some(10_000));
    bent(it, "block one byte longer", |header| header.length = Some(header.fields.len() as i32 + 1));
    bent(it, "block one byte shorter", |header| header.length = Some(header.fields.len() as i32 - 1));
    bent(it, "block ends behind the first", |header| {
        header.length = Some(entry(b"topic", b"Probe").len() as i32)
    });
    bent(it, "bytes behind the block", |header| header.rest = vec![1, 2, 3]);
    bent(it, "key twice", |header| header.fields.extend(entry(b"queueId", b"1")));
    bent(it, "empty value", |header| header.fields.extend(entry(b"extra", b"")));
    bent(it, "empty key", |header| header.fields.extend(entry(b"", b"value")));
    bent(it, "empty topic", |header| {
        header.fields = [entry(b"topic", b""), entry(b"queueId", b"0")].concat();
    });
    bent(it, "key length negative", |header| header.fields.extend(entry_with(-1, b"", 1, b"v")));
    bent(it, "key longer than the header", |header| header.fields.extend(entry_with(9999, b"k", 1, b"v")));
    bent(it, "value length negative", |header| header.fields.extend(entry_with(1, b"k", -1, b"")));
    bent(it, "value longer than the header", |header| header.fields.extend(entry_with(1, b"k", 9999, b"v")));
    bent(it, "value longer than the block", |header| {
        header.length = Some(header.fields.len() as i32 + 8);
        header.fields.extend(entry_with(1, b"k", 4, b"vvvv"));
    });
    bent(it, "value not UTF-8", |header| header.fields.extend(entry(b"k", &[0xFF])));
    bent(it, "value with every kind of character", |header| {
        header.fields.extend(entry(b"k", "\u{0}\u{1}\"\\\u{e4}\u{4e2d}\u{1f600}".as_bytes()));
    });
}
