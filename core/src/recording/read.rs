//! Reads recordings: strictly, within bounds, and without believing a single length.

use super::error::{ReadError, ReadErrorKind as Wrong};
use super::parts::Parts;
use super::read_command::Commands;
use super::settings::read_client;
use super::write::{
    CLOSED, CONNECTED, END, GAP, MARK, RECEIVED, START, TICK, TOLD, WROTE, close_reason, expected_unix_ms,
};
use super::{Bodies, EndReason, FORMAT_VERSION, MAGIC, MAX_RECORD_BYTES, OLDEST_FORMAT_VERSION};
use crate::client::OwnedInput;
use crate::ground::{Instant, Now};
use crate::interface::{ClientConfig, ConnId, HookNames};
use alloc::borrow::ToOwned;
use alloc::string::String;
use bytes::Bytes;

/// How the recorded client began.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its configuration.
    pub config: ClientConfig,
    /// The names of its hooks.
    pub hooks: HookNames,
    /// When it was made.
    pub now: Now,
    /// What became of bodies.
    pub bodies: Bodies,
    /// The version of the format.
    pub format: u8,
    /// The version of this crate that recorded it. Another one may act differently with good reason.
    pub made_by: String,
}

/// One record.
#[derive(Clone, Debug)]
pub enum Record {
    /// Something happened.
    Input {
        /// When.
        now: Now,
        /// What. Bodies that were not kept are zeros.
        input: OwnedInput,
        /// For a send: whether the body is the true one.
        body: BodyKept,
        /// For a `Wrote`: the hash of what the socket took, of which bodies may be left out. None in version 1.
        wrote: Option<u64>,
    },
    /// The number of actions so far, and a hash over them.
    Mark {
        /// How many.
        actions: u64,
        /// The hash.
        hash: u64,
    },
    /// The client did something, in words.
    Told {
        /// When.
        now: Now,
        /// What.
        text: String,
    },
    /// Older records were dropped here.
    Gap {
        /// How many.
        records: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The recording ends.
    End {
        /// When.
        now: Now,
        /// Why.
        why: EndReason,
    },
}

/// Whether a body is the one that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BodyKept {
    /// There is none.
    #[default]
    None,
    /// It is.
    Whole,
    /// It was left out; zeros of the same length stand for it.
    LeftOut,
    /// As left out, and this is its [hash](super::body_hash).
    Hashed(u64),
}

/// How a recording stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Not read to its end yet.
    Reading,
    /// It was ended, for this reason.
    Ended(EndReason),
    /// Its last record is whole, and nothing says that it is the last: the process was killed, or still runs.
    Unfinished,
    /// It stops in the middle of a record, which begins here: the process was killed while it wrote.
    Cut {
        /// Bytes before the record.
        at: usize,
    },
}

/// Reads a recording, record by record.
///
/// ```
/// use rocketmq_core::recording::{Condition, ReadError, Reader, Record};
///
/// fn count_inputs(bytes: &[u8]) -> Result<usize, ReadError> {
///     let mut reader = Reader::new(bytes)?;
///     let mut inputs = 0;
///     while let Some(record) = reader.next_record()? {
///         inputs += usize::from(matches!(record, Record::Input { .. }));
///     }
///     if let Condition::Cut { at } = reader.condition() {
///         println!("cut in the middle of the record at byte {at}");
///     }
///     Ok(inputs)
/// }
/// assert_eq!(count_inputs(b"not one").unwrap_err().position, 0);
/// ```
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    start: Start,
    condition: Condition,
    commands: Commands,
}

impl<'a> Reader<'a> {
    /// Reads the beginning: who was recorded.
    ///
    /// # Errors
    /// The bytes are no recording of a version that is known here, or stop before the configuration does.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let wrong = |position, kind| ReadError { position, kind };
        let head = bytes.strip_prefix(&MAGIC).and_then(<[u8]>::split_first);
        let Some((version, _)) = head else {
            return Err(wrong(0, Wrong::NotARecording));
        };
        if !(OLDEST_FORMAT_VERSION..=FORMAT_VERSION).contains(version) {
            return Err(wrong(MAGIC.len(), Wrong::UnknownVersion(*version)));
        }
        let mut at = MAGIC.len() + 1;
        let Some((START, body)) = next(bytes, &mut at)? else {
            return Err(wrong(MAGIC.len() + 1, Wrong::NoStart));
        };
        let mut parts = Parts::new(body);
        let start =
            read_start(&mut parts, *version).map_err(|kind| wrong(at - body.len() + parts.at(), kind))?;
        Ok(Self { bytes, at, start, condition: Condition::Reading, commands: Commands::default() })
    }

    /// How the recorded client began.
    #[must_use]
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// Bytes read so far: where the next record begins.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// How the recording stops, once [`next_record`](Self::next_record) has returned none.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// The next record; none at the end, also when the last record is cut.
    ///
    /// # Errors
    /// What is wrong and where. The same error comes again.
    pub fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        if self.condition != Condition::Reading {
            return Ok(None);
        }
        let (begin, mut at) = (self.at, self.at);
        let Some((kind, body)) = next(self.bytes, &mut at)? else {
            let whole = begin == self.bytes.len();
            self.condition = if whole { Condition::Unfinished } else { Condition::Cut { at: begin } };
            return Ok(None);
        };
        let mut parts = Parts::new(body);
        let record = self.record(kind, &mut parts).and_then(|record| parts.end().map(|()| record));
        let record = record.map_err(|kind| ReadError { position: at - body.len() + parts.at(), kind })?;
        if let Record::End { why, .. } = record {
            if at != self.bytes.len() {
                return Err(ReadError { position: begin, kind: Wrong::Misplaced(kind) });
            }
            self.condition = Condition::Ended(why);
        }
        self.at = at;
        Ok(Some(record))
    }

    fn record(&mut self, kind: u8, parts: &mut Parts<'a>) -> Result<Record, Wrong> {
        match kind {
            START => Err(Wrong::Misplaced(kind)),
            MARK => Ok(Record::Mark { actions: parts.number("actions")?, hash: parts.hash("hash")? }),
            GAP => Ok(Record::Gap { records: parts.number("records")?, bytes: parts.number("bytes")? }),
            TOLD => {
                let now = self.now(parts)?;
                let text = core::str::from_utf8(parts.rest()).map_err(|_| Wrong::BadText("text"))?;
                Ok(Record::Told { now, text: text.to_owned() })
            }
            END => {
                let now = self.now(parts)?;
                let code = parts.byte("reason")?;
                let why = EndReason::from_code(code).ok_or_else(|| Wrong::value("reason", code))?;
                Ok(Record::End { now, why })
            }
            _ => {
                let now = self.now(parts)?;
                let (input, body) = self.input(kind, parts)?;
                let has_hash = kind == WROTE && self.start.format > 1;
                let wrote = if has_hash { Some(parts.hash("hash")?) } else { None };
                Ok(Record::Input { now, input, body, wrote })
            }
        }
    }

    fn input(&mut self, kind: u8, parts: &mut Parts<'a>) -> Result<(OwnedInput, BodyKept), Wrong> {
        let input = match kind {
            CONNECTED => OwnedInput::Connected { conn: conn(parts)? },
            RECEIVED => {
                let conn = conn(parts)?;
                OwnedInput::Received { conn, bytes: Bytes::copy_from_slice(parts.rest()) }
            }
            WROTE => OwnedInput::Wrote { conn: conn(parts)?, count: parts.narrow("count")? },
            CLOSED => {
                let conn = conn(parts)?;
                let code = parts.byte("reason")?;
                let why = close_reason(code).ok_or_else(|| Wrong::value("reason", code))?;
                OwnedInput::Closed { conn, why }
            }
            TICK => OwnedInput::Tick,
            _ => return self.commands.read(kind, parts, self.start.bodies),
        };
        Ok((input, BodyKept::None))
    }

    fn now(&self, parts: &mut Parts<'_>) -> Result<Now, Wrong> {
        let mono = Instant::from_micros(parts.number("time")?);
        let off = parts.signed("wall time")?;
        Ok(Now { mono, unix_ms: expected_unix_ms(self.start.now, mono).wrapping_add(off) })
    }
}

fn read_start(parts: &mut Parts<'_>, format: u8) -> Result<Start, Wrong> {
    let mono = Instant::from_micros(parts.number("time")?);
    let now = Now { mono, unix_ms: parts.signed("wall time")? };
    let code = parts.byte("bodies")?;
    let bodies = Bodies::from_code(code).ok_or_else(|| Wrong::value("bodies", code))?;
    let made_by = parts.text("version")?.to_owned();
    let (config, hooks) = read_client(parts)?;
    parts.end()?;
    Ok(Start { config, hooks, now, bodies, format, made_by })
}

fn conn(parts: &mut Parts<'_>) -> Result<ConnId, Wrong> {
    Ok(ConnId::from_parts(parts.narrow("connection")?, parts.narrow("connection")?))
}

/// The kind and the parts of the next record, with `at` moved behind it; none when it is not there as a whole.
fn next<'a>(bytes: &'a [u8], at: &mut usize) -> Result<Option<(u8, &'a [u8])>, ReadError> {
    let position = *at;
    let rest = bytes.get(position..).unwrap_or_default();
    let mut parts = Parts::new(rest);
    let len = match parts.number("length") {
        Ok(len) => len,
        Err(Wrong::TooShort(_)) => return Ok(None),
        Err(kind) => return Err(ReadError { position, kind }),
    };
    if len == 0 || len > MAX_RECORD_BYTES as u64 {
        return Err(ReadError { position, kind: Wrong::BadLength(len) });
    }
    // It fits: it is at most `MAX_RECORD_BYTES`.
    let end = parts.at() + len as usize;
    let Some((kind, body)) = rest.get(parts.at()..end).and_then(<[u8]>::split_first) else {
        return Ok(None);
    };
    *at = position + end;
    Ok(Some((*kind, body)))
}
