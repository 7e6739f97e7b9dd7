//! What Java and we make of a frame.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::{Header, HeaderError, Inbox, WireLimits};

const READ_FRAMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/real/read-frames");

/// A frame that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fields {
    pub(crate) numbers: [i32; 4],
    /// None: one that is not known.
    pub(crate) language: Option<String>,
    pub(crate) remark: Option<String>,
    pub(crate) ext: BTreeMap<String, Option<String>>,
    pub(crate) body: Vec<u8>,
}

impl Fields {
    /// We do not tell a field that is null from one that is not there.
    pub(crate) fn without_null(mut self) -> Fields {
        self.ext.retain(|_, value| value.is_some());
        self
    }

    pub(crate) fn without_empty(mut self) -> Fields {
        self.remark = self.remark.filter(|text| !text.is_empty());
        self.ext.retain(|_, value| value.as_ref().is_some_and(|text| !text.is_empty()));
        self
    }
}

/// What Java made of a frame.
#[derive(Debug)]
pub(crate) enum Made {
    Refused(String),
    /// What it read, and the frame as it writes it, or why it cannot.
    Read {
        fields: Fields,
        as_json: Result<Vec<u8>, String>,
        as_binary: Result<Vec<u8>, String>,
    },
}

/// Lets the Java client read frames.
pub(crate) fn read_all(frames: &[Vec<u8>]) -> Vec<Made> {
    let mut child = Command::new(READ_FRAMES)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/real/read-frames runs");
    let mut input = child.stdin.take().expect("its input");
    let lines: String = frames.iter().map(|frame| hex(frame) + "\n").collect();
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("its output");
    writer.join().expect("the writer").expect("its input takes all frames");
    assert!(output.status.success(), "{}", output.status);
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    let made: Vec<Made> = output.lines().map(made).collect();
    assert_eq!(made.len(), frames.len());
    made
}

fn made(line: &str) -> Made {
    let columns: Vec<&str> = line.split('\t').collect();
    if columns[0] == "refused" {
        return Made::Refused(columns[1].into());
    }
    assert_eq!((columns[0], columns.len()), ("read", 11), "{line}");
    let number = |at: usize| columns[at].parse().expect("a number");
    let pairs = columns[7].split(',').filter(|pair| pair.contains('='));
    let ext = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').expect("a name");
        (text(name).expect("a name"), text(value))
    });
    Made::Read {
        fields: Fields {
            numbers: [number(1), number(2), number(3), number(4)],
            language: Some(columns[5].to_owned()).filter(|name| name != "null"),
            remark: text(columns[6]),
            ext: ext.collect(),
            body: bytes(columns[8]).unwrap_or_default(),
        },
        as_json: bytes(columns[9]).ok_or_else(|| columns[9].into()),
        as_binary: bytes(columns[10]).ok_or_else(|| columns[10].into()),
    }
}

/// Reads a whole frame with our decoder.
pub(crate) fn ours(frame: &[u8]) -> Result<Fields, HeaderError> {
    let limits = WireLimits::default();
    let mut inbox = Inbox::new(limits);
    let mut frames = inbox.feed(frame);
    let frame = frames.next().expect("a sound frame").expect("a whole frame");
    let header = Header::parse(&frame, &limits)?;
    let language = Some(header.language).filter(|language| *language != LanguageCode::Unknown);
    Ok(Fields {
        numbers: [header.code, header.flag, header.opaque, header.version],
        language: language.map(|language| language.name().to_owned()),
        remark: header.remark.map(Into::into),
        ext: header.ext.iter().map(|(name, value)| (name.into(), Some(value.into()))).collect(),
        body: frame.body.to_vec(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if digits.len().is_multiple_of(2) { digits.chunks(2).map(byte).collect() } else { None }
}

fn text(hex: &str) -> Option<String> {
    bytes(hex).map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
}
