//! The answer to a stored message, read in one pass.
//!
//! Nearly every frame that comes in is one of these. So it is read here by its exact form, as brokers of 4.x and 5.x
//! write it, straight into the few fields that matter; for whatever is different, [`StoredAnswer::read`] gives up, and
//! the frame is read in the general way, which decides.

use super::SendMessageResponseHeader;
use crate::wire::text::plain_ascii;
use crate::wire::{RawFrame, SerializeType, WireLimits};

/// Fields that such an answer can have.
const MOST_FIELDS: usize = 6;

/// A successful answer (`SUCCESS`, code 0) with the fields of a send's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer<'a> {
    /// Number of the request.
    pub opaque: i32,
    /// The fields.
    pub fields: StoredFields<'a>,
}

/// What [`SendMessageResponseHeader`] says, with texts as UTF-8: that they are need not be found out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFields<'a> {
    /// Offset message id (`msgId`).
    pub msg_id: &'a [u8],
    /// The queue the message is in (`queueId`).
    pub queue_id: i32,
    /// Offset in the queue (`queueOffset`).
    pub queue_offset: i64,
    /// Unique id of the stored message (`transactionId`).
    pub transaction_id: Option<&'a [u8]>,
    /// Handle to take a timer message back (`recallHandle`).
    pub recall_handle: Option<&'a [u8]>,
    /// The broker's region (`MSG_REGION`).
    pub region: Option<&'a [u8]>,
    /// Whether the broker wants traces (`TRACE_ON`).
    pub trace_on: bool,
}

impl<'a> From<&'a SendMessageResponseHeader<'_>> for StoredFields<'a> {
    fn from(header: &'a SendMessageResponseHeader<'_>) -> Self {
        Self {
            msg_id: header.msg_id.as_bytes(),
            queue_id: header.queue_id,
            queue_offset: header.queue_offset,
            transaction_id: header.transaction_id.as_deref().map(str::as_bytes),
            recall_handle: header.recall_handle.as_deref().map(str::as_bytes),
            region: header.region.as_deref().map(str::as_bytes),
            trace_on: header.trace_on,
        }
    }
}

impl<'a> StoredAnswer<'a> {
    /// Reads the header of a frame. `None` says nothing about the frame.
    #[must_use]
    #[inline]
    pub fn read(frame: &RawFrame<'a>, limits: &WireLimits) -> Option<Self> {
        // Limits that such an answer could be above are for the general way to check.
        if limits.max_ext_fields < MOST_FIELDS || limits.max_depth < 2 {
            return None;
        }
        match frame.serialize {
            SerializeType::Json => json(frame.header),
            SerializeType::RocketMq => binary(frame.header),
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Draft<'a> {
    msg_id: Option<&'a [u8]>,
    queue_id: Option<i32>,
    queue_offset: Option<i64>,
    transaction_id: Option<&'a [u8]>,
    region: Option<&'a [u8]>,
    no_trace: bool,
    count: usize,
}

impl<'a> Draft<'a> {
    fn finish(self, opaque: i32) -> Option<StoredAnswer<'a>> {
        if self.count > MOST_FIELDS {
            return None;
        }
        let fields = StoredFields {
            msg_id: self.msg_id?,
            queue_id: self.queue_id?,
            queue_offset: self.queue_offset?,
            transaction_id: self.transaction_id,
            recall_handle: None,
            region: self.region,
            trace_on: !self.no_trace,
        };
        Some(StoredAnswer { opaque, fields })
    }
}

/// The first eight bytes as a word, to tell names apart by one comparison each.
const fn word(text: [u8; 8]) -> u64 {
    u64::from_le_bytes(text)
}

const QUEUE_ID: u64 = word(*b"queueId\"");
const MSG_ID: u64 = word(*b"msgId\":\"");
const QUEUE_OFFSET: u64 = word(*b"queueOff");
const TRANSACTION_ID: u64 = word(*b"transact");
const TRACE_ON: u64 = word(*b"TRACE_ON");
const REGION: u64 = word(*b"MSG_REGI");

fn json(header: &[u8]) -> Option<StoredAnswer<'_>> {
    let mut scan = Scan(header);
    let mut draft = Draft::default();
    scan.literal(b"{\"code\":0,\"extFields\":{\"")?;
    loop {
        draft.count += 1;
        match word(*scan.0.first_chunk()?) {
            QUEUE_ID => {
                scan.literal(b"queueId\":\"")?;
                draft.queue_id = Some(i32::try_from(scan.digits()?).ok()?);
            }
            MSG_ID => {
                scan.literal(b"msgId\":\"")?;
                draft.msg_id = Some(scan.string()?);
            }
            QUEUE_OFFSET => {
                scan.literal(b"queueOffset\":\"")?;
                draft.queue_offset = Some(scan.digits()?);
            }
            TRANSACTION_ID => {
                scan.literal(b"transactionId\":\"")?;
                draft.transaction_id = Some(scan.string()?);
            }
            TRACE_ON => {
                scan.literal(b"TRACE_ON\":\"")?;
                draft.no_trace = scan.string()?.eq_ignore_ascii_case(b"false");
            }
            REGION => {
                scan.literal(b"MSG_REGION\":\"")?;
                draft.region = Some(scan.string()?);
            }
            _ => return None,
        }
        if scan.literal(b"\",\"").is_none() {
            break;
        }
    }
    scan.literal(b"\"},\"flag\":1,\"language\":\"")?;
    scan.string()?;
    scan.literal(b"\",\"opaque\":")?;
    let negative = scan.literal(b"-").is_some();
    let opaque = scan.digits()?;
    let opaque = i32::try_from(if negative { -opaque } else { opaque }).ok()?;
    scan.literal(b",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":")?;
    i32::try_from(scan.digits()?).ok()?;
    if scan.0 != b"}" {
        return None;
    }
    draft.finish(opaque)
}

/// Code 0, language, version, opaque, flag 1, no remark, and the length of the ext fields.
const BINARY_HEAD: usize = 2 + 1 + 2 + 4 + 4 + 4 + 4;

fn binary(header: &[u8]) -> Option<StoredAnswer<'_>> {
    let (head, fields) = header.split_first_chunk::<BINARY_HEAD>()?;
    let [0, 0, _, _, _, o1, o2, o3, o4, 0, 0, 0, 1, 0, 0, 0, 0, length @ ..] = head else {
        return None;
    };
    if u32::from_be_bytes(*length) as usize != fields.len() {
        return None;
    }
    let mut scan = Scan(fields);
    let mut draft = Draft::default();
    while !scan.0.is_empty() {
        draft.count += 1;
        let name_len = u16::from_be_bytes(*scan.chunk()?);
        let name = scan.take(name_len.into())?;
        let value_len = u32::from_be_bytes(*scan.chunk()?);
        let value = scan.take(value_len as usize)?;
        if name == b"queueId" {
            draft.queue_id = Some(i32::try_from(number(value)?).ok()?);
        } else if name == b"msgId" {
            draft.msg_id = Some(text(value)?);
        } else if name == b"queueOffset" {
            draft.queue_offset = Some(number(value)?);
        } else if name == b"transactionId" {
            draft.transaction_id = Some(text(value)?);
        } else if name == b"TRACE_ON" {
            draft.no_trace = text(value)?.eq_ignore_ascii_case(b"false");
        } else if name == b"MSG_REGION" {
            draft.region = Some(text(value)?);
        } else {
            return None;
        }
    }
    draft.finish(i32::from_be_bytes([*o1, *o2, *o3, *o4]))
}

/// A text in ASCII. An empty value counts as none, which is for the general way.
#[inline(always)]
fn text(value: &[u8]) -> Option<&[u8]> {
    (!value.is_empty() && value.is_ascii()).then_some(value)
}

/// A number of digits alone.
#[inline(always)]
fn number(value: &[u8]) -> Option<i64> {
    let mut scan = Scan(value);
    let number = scan.digits()?;
    scan.0.is_empty().then_some(number)
}

/// Bytes from front to back.
struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    #[inline(always)]
    fn chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(chunk)
    }

    #[inline(always)]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline(always)]
    fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        let (start, rest) = self.0.split_first_chunk::<N>()?;
        if start != literal {
            return None;
        }
        self.0 = rest;
        Some(())
    }

    /// Up to 18 decimal digits without sign and needless zeros.
    #[inline(always)]
    fn digits(&mut self) -> Option<i64> {
        const MOST_DIGITS: usize = 18;
        let start = self.0;
        let mut value = 0_i64;
        while let [byte, rest @ ..] = self.0 {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.wrapping_mul(10).wrapping_add(digit.into());
            self.0 = rest;
        }
        let len = start.len() - self.0.len();
        let needless_zero = len > 1 && start.first() == Some(&b'0');
        (len > 0 && len <= MOST_DIGITS && !needless_zero).then_some(value)
    }

    /// The inside of a JSON string in ASCII without escapes, and not empty.
    #[inline(always)]
    fn string(&mut self) -> Option<&'a [u8]> {
        self.take(plain_ascii(self.0)).filter(|inside| !inside.is_empty())
    }
}

#[cfg(test)]
#[path = "stored_answer_tests.rs"]
mod tests;
