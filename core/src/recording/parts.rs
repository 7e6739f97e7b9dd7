//! Numbers and texts as bytes: little groups of seven bits, and texts behind their lengths.

use super::error::ReadErrorKind as Wrong;
use alloc::vec::Vec;
use core::time::Duration;

/// Appends a number: seven bits a byte, lowest first, the top bit set on all but the last byte.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a number that may be negative: small ones of either sign are short.
pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a length and the bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a time in whole seconds and the rest in nanoseconds.
pub(super) fn put_time(out: &mut Vec<u8>, time: Duration) {
    put_number(out, time.as_secs());
    put_number(out, u64::from(time.subsec_nanos()));
}

/// Reads the parts of one record, strictly: no number longer than it must be, nothing behind the last part.
pub(super) struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Parts<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How far this has read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, Wrong> {
        let byte = *self.bytes.get(self.at).ok_or(Wrong::TooShort(what))?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn number(&mut self, what: &'static str) -> Result<u64, Wrong> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                // A last byte of zero could have been left out.
                let shortest = byte != 0 || shift == 0;
                return if shortest { Ok(number) } else { Err(Wrong::BadNumber(what)) };
            }
        }
        Err(Wrong::BadNumber(what))
    }

    pub(super) fn signed(&mut self, what: &'static str) -> Result<i64, Wrong> {
        let number = self.number(what)?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A number of a narrower type.
    pub(super) fn narrow<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, Wrong> {
        T::try_from(self.number(what)?).map_err(|_| Wrong::BadNumber(what))
    }

    pub(super) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Wrong> {
        let len: usize = self.narrow(what)?;
        let end = self.at.checked_add(len).ok_or(Wrong::TooShort(what))?;
        let bytes = self.bytes.get(self.at..end).ok_or(Wrong::TooShort(what))?;
        self.at = end;
        Ok(bytes)
    }

    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, Wrong> {
        core::str::from_utf8(self.bytes(what)?).map_err(|_| Wrong::BadText(what))
    }

    pub(super) fn time(&mut self, what: &'static str) -> Result<Duration, Wrong> {
        let (seconds, nanos) = (self.number(what)?, self.narrow::<u32>(what)?);
        if nanos >= 1_000_000_000 { Err(Wrong::BadNumber(what)) } else { Ok(Duration::new(seconds, nanos)) }
    }

    /// Eight bytes, lowest first.
    pub(super) fn hash(&mut self, what: &'static str) -> Result<u64, Wrong> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let hash = rest.first_chunk::<8>().ok_or(Wrong::TooShort(what))?;
        self.at += 8;
        Ok(u64::from_le_bytes(*hash))
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    pub(super) fn end(&self) -> Result<(), Wrong> {
        match self.bytes.len().saturating_sub(self.at) {
            0 => Ok(()),
            left => Err(Wrong::TooLong(left)),
        }
    }
}
