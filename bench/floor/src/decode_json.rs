//! JSON headers in the compact form that servers write, keys in any order.

use crate::decode::Answer;

/// Reads a header. `None` when it is not in compact form.
pub(crate) fn answer(header: &[u8]) -> Option<Answer<'_>> {
    let mut text = Text { text: header, at: 0 };
    let mut answer = Answer::default();
    let (mut has_code, mut has_opaque) = (false, false);
    text.expect(b'{')?;
    loop {
        match text.key()? {
            b"extFields" => text.ext_fields(&mut answer)?,
            b"code" => {
                answer.code = text.number()?;
                has_code = true;
            }
            b"opaque" => {
                answer.opaque = text.number()?;
                has_opaque = true;
            }
            b"flag" => answer.flag = text.number()?,
            b"remark" => answer.remark = text.string()?,
            _ => text.skip()?,
        }
        match text.next()? {
            b',' => {}
            b'}' if text.at == header.len() => return (has_code && has_opaque).then_some(answer),
            _ => return None,
        }
    }
}

/// A header and how far it is read.
struct Text<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    /// Reads an object of strings.
    fn ext_fields(&mut self, answer: &mut Answer<'a>) -> Option<()> {
        self.expect(b'{')?;
        if self.text.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Some(());
        }
        loop {
            let name = self.key()?;
            let value = self.string()?;
            answer.field(name, value);
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// A key and its colon. Keys have no escapes.
    #[inline(always)]
    fn key(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let key = self.until_quote()?;
        self.expect(b':')?;
        Some(key)
    }

    /// A string, still with its escapes.
    #[inline(always)]
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        let mut string = self.until_quote()?;
        while string.last() == Some(&b'\\') && is_escaped(string) {
            self.until_quote()?;
            string = &self.text[start..self.at - 1];
        }
        Some(string)
    }

    /// A whole number.
    #[inline(always)]
    fn number(&mut self) -> Option<i64> {
        let is_negative = self.text.get(self.at) == Some(&b'-');
        self.at += usize::from(is_negative);
        let start = self.at;
        let mut number = 0_i64;
        while let Some(digit) =
            self.text.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9)
        {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
            self.at += 1;
        }
        (self.at > start).then_some(if is_negative { -number } else { number })
    }

    /// A value that nobody asks for.
    #[inline(always)]
    fn skip(&mut self) -> Option<()> {
        match self.text.get(self.at)? {
            b'"' => self.string().map(|_| ()),
            _ => self.number().map(|_| ()),
        }
    }

    /// What is before the next quote, which is passed. Eight bytes at a time: most keys and values need one
    /// or two steps.
    #[inline(always)]
    fn until_quote(&mut self) -> Option<&'a [u8]> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH_BITS: u64 = ONES << 7;
        let start = self.at;
        let mut end = start;
        while let Some(chunk) = self.text.get(end..).and_then(<[u8]>::first_chunk::<8>) {
            let without_quotes = u64::from_le_bytes(*chunk) ^ (ONES * b'"' as u64);
            let found = without_quotes.wrapping_sub(ONES) & !without_quotes & HIGH_BITS;
            if found != 0 {
                end += found.trailing_zeros() as usize / 8;
                self.at = end + 1;
                return self.text.get(start..end);
            }
            end += 8;
        }
        end += self.text.get(end..)?.iter().position(|byte| *byte == b'"')?;
        self.at = end + 1;
        self.text.get(start..end)
    }
}

/// Whether a quote after `text` is part of the string.
fn is_escaped(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}
