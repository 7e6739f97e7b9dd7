//! Answers to sends, read as far as a receipt needs.

use crate::decode_json;
use std::io::{self, ErrorKind};

/// Type byte of a JSON header; a binary one has 1.
const JSON: u8 = 0;
/// Code, language, version, opaque, flag and the remark's length.
const FIXED_BYTES: usize = 17;

/// What became of a request.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) opaque: u32,
    /// Why it failed, if it did.
    pub(crate) failure: Option<String>,
}

/// What an answer says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answer<'a> {
    pub(crate) code: i64,
    pub(crate) opaque: i64,
    pub(crate) flag: i64,
    pub(crate) remark: &'a [u8],
    pub(crate) queue_id: Option<i64>,
    pub(crate) queue_offset: Option<i64>,
    /// Kept by value, as a receipt would.
    pub(crate) message_id: Option<[u8; 32]>,
}

impl<'a> Answer<'a> {
    /// Reads a whole frame, its four length bytes included.
    #[inline]
    pub(crate) fn read(frame: &'a [u8]) -> Option<Self> {
        let (prefix, rest) = frame.split_first_chunk::<8>()?;
        let [_, _, _, _, kind, high, middle, low] = *prefix;
        let header = rest.get(..u32::from_be_bytes([0, high, middle, low]) as usize)?;
        if kind == JSON { decode_json::answer(header) } else { binary(header) }
    }

    /// Takes note of an ext field.
    #[inline]
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"queueId" => self.queue_id = number(value),
            b"queueOffset" => self.queue_offset = number(value),
            b"msgId" => self.message_id = value.first_chunk().copied(),
            _ => {}
        }
    }

    /// What became of the request, for one who wants to have its message stored.
    #[inline]
    pub(crate) fn outcome(&self) -> io::Result<Outcome> {
        if self.flag & 1 == 0 {
            return Err(io::Error::new(ErrorKind::InvalidData, "a request instead of an answer"));
        }
        let is_stored = self.queue_id.is_some() && self.queue_offset.is_some() && self.message_id.is_some();
        let failure = match self.code {
            0 if is_stored => None,
            0 => Some("an answer without msgId, queueId or queueOffset".into()),
            code => Some(format!("code {code}: {}", String::from_utf8_lossy(self.remark))),
        };
        Ok(Outcome { opaque: self.opaque as u32, failure })
    }
}

/// A binary header.
fn binary(header: &[u8]) -> Option<Answer<'_>> {
    let (fixed, rest) = header.split_first_chunk::<FIXED_BYTES>()?;
    let mut answer = Answer {
        code: i64::from(i16::from_be_bytes([fixed[0], fixed[1]])),
        opaque: i64::from(i32::from_be_bytes([fixed[5], fixed[6], fixed[7], fixed[8]])),
        flag: i64::from(i32::from_be_bytes([fixed[9], fixed[10], fixed[11], fixed[12]])),
        ..Answer::default()
    };
    let remark_bytes = u32::from_be_bytes([fixed[13], fixed[14], fixed[15], fixed[16]]) as usize;
    let (remark, rest) = rest.split_at_checked(remark_bytes)?;
    answer.remark = remark;
    let (ext_bytes, rest) = rest.split_first_chunk::<4>()?;
    let mut ext = rest.get(..u32::from_be_bytes(*ext_bytes) as usize)?;
    while !ext.is_empty() {
        let (name_bytes, rest) = ext.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*name_bytes)))?;
        let (value_bytes, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_bytes) as usize)?;
        answer.field(name, value);
        ext = rest;
    }
    Some(answer)
}

/// A whole number that is all of `text`.
#[inline]
pub(crate) fn number(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    let mut number = 0_i64;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        number = number.wrapping_mul(10).wrapping_add(i64::from(value));
    }
    (!digits.is_empty()).then_some(if negative { -number } else { number })
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
