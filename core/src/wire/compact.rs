//! The header as JSON in the exact form that Java's servers write.
//!
//! Keys in alphabetical order, no white space, ext values without escapes. Whatever is different
//! makes [`parse`] give up, and the header is read again in the general way, which decides.

use alloc::borrow::Cow;

use super::frame::WireLimits;
use super::header::{ExtFields, Header};
use super::text::find_special;
use crate::command::LanguageCode;

/// Places of this many fields are remembered; those that follow are looked for a second time.
const MARKED: usize = 8;

/// Decodes a header in Java's form, `None` for any other.
#[inline]
pub(super) fn parse<'a>(text: &'a str, limits: &WireLimits) -> Option<Header<'a>> {
    let mut scan = Scan { text, rest: text.as_bytes() };
    scan.literal(b"{\"code\":")?;
    let code = scan.integer()?;
    let ext = match scan.literal(b",\"extFields\":{") {
        Some(()) => ExtFields::compact(scan.fields(limits)?),
        None => ExtFields::default(),
    };
    scan.literal(b",\"flag\":")?;
    let flag = scan.integer()?;
    scan.literal(b",\"language\":\"")?;
    let language = LanguageCode::from_name(scan.string()?);
    scan.literal(b",\"opaque\":")?;
    let opaque = scan.integer()?;
    let remark = match scan.literal(b",\"remark\":\"") {
        Some(()) => Some(Cow::Borrowed(scan.string()?)),
        None => None,
    };
    scan.literal(b",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":")?;
    let version = scan.integer()?;
    // A limit below this depth is for the general way to find.
    if scan.rest != b"}" || limits.max_depth < 2 {
        return None;
    }
    Some(Header { code, flag, opaque, version, language, remark, ext })
}

struct Scan<'a> {
    text: &'a str,
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    #[inline(always)]
    fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        let (start, rest) = self.rest.split_first_chunk::<N>()?;
        if start != literal {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    #[inline(always)]
    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// A number without sign and leading zeros, below 2^31.
    #[inline(always)]
    fn integer(&mut self) -> Option<i32> {
        let (first, mut rest) = self.rest.split_first()?;
        let mut value = u64::from(first.wrapping_sub(b'0'));
        if value > 9 {
            return None;
        }
        if value != 0 {
            while let [byte, after @ ..] = rest {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 || value > i32::MAX as u64 {
                    break;
                }
                value = value * 10 + u64::from(digit);
                rest = after;
            }
        }
        self.rest = rest;
        i32::try_from(value).ok()
    }

    /// A string without escapes, after its opening quote.
    #[inline(always)]
    fn string(&mut self) -> Option<&'a str> {
        let start = self.at();
        let len = find_special(self.rest);
        self.rest = self.rest.get(len..)?;
        self.literal(b"\"")?;
        self.text.get(start..start + len)
    }

    /// Fields in the form `"name":"value","name":"value"}`, after the opening brace.
    #[inline(always)]
    fn fields(&mut self, limits: &WireLimits) -> Option<CompactFields<'a>> {
        let start = self.at();
        let mut fields = CompactFields { text: "", start: 0, ends: [(0, 0); MARKED], at: 0, count: 0 };
        if self.literal(b"}").is_some() {
            return Some(fields);
        }
        self.literal(b"\"")?;
        loop {
            let name_end = find_special(self.rest);
            self.rest = self.rest.get(name_end..)?;
            self.literal(b"\":\"")?;
            let value_end = find_special(self.rest);
            self.rest = self.rest.get(value_end..)?;
            fields.mark(name_end, value_end);
            if self.literal(b"\",\"").is_none() {
                self.literal(b"\"}")?;
                break;
            }
        }
        if fields.count > limits.max_ext_fields {
            return None;
        }
        fields.text = self.text.get(start..self.at())?;
        Some(fields)
    }
}

/// Checked ext fields without escapes, what has not been iterated over yet.
#[derive(Clone, Copy)]
pub(super) struct CompactFields<'a> {
    /// From the opening quote of the first name to the closing brace.
    text: &'a str,
    /// Where the next field starts.
    start: usize,
    /// Lengths of name and value.
    ends: [(u32, u32); MARKED],
    at: usize,
    count: usize,
}

impl<'a> CompactFields<'a> {
    #[inline(always)]
    fn mark(&mut self, name: usize, value: usize) {
        if let Some(ends) = self.ends.get_mut(self.count) {
            // Headers are shorter than 2^24 bytes.
            *ends = (name as u32, value as u32);
        }
        self.count += 1;
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        if self.at >= self.count {
            return None;
        }
        let (name, value) = match self.ends.get(self.at) {
            Some(&(name, value)) => (name as usize, value as usize),
            None => self.measure(),
        };
        self.at += 1;
        // "name":"value",
        let (name_at, value_at) = (self.start + 1, self.start + name + 4);
        self.start = value_at + value + 2;
        let name = self.text.get(name_at..name_at + name)?;
        let value = self.text.get(value_at..value_at + value)?;
        Some((Cow::Borrowed(name), Cow::Borrowed(value)))
    }

    #[cold]
    fn measure(&self) -> (usize, usize) {
        let after = |skip: usize| {
            let bytes = self.text.as_bytes();
            bytes.get(self.start + skip..).map_or(0, find_special)
        };
        let name = after(1);
        (name, after(name + 4))
    }
}

#[cfg(test)]
mod tests;
