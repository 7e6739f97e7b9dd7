//! The ordinary JSON header, read in one pass. Almost all headers are ordinary: no white space, no field twice, numbers
//! as numbers, texts as texts. What is not is left to the JSON library, which decides about everything that is odd.

use bytes::Bytes;

use super::header_json::language_code;
use super::{Dialect, Frame, SerializeType, Text};

/// Reads a header; `None` when it is not an ordinary one, right or wrong. The body is left empty.
pub(crate) fn read(dialect: Dialect, header: &[u8]) -> Option<Frame> {
    let mut scan = Scan { text: std::str::from_utf8(header).ok()?, at: 0 };
    let mut frame = Frame {
        serialize_type: SerializeType::Json,
        code: 0,
        language: Some(0),
        version: 0,
        opaque: None,
        flag: 0,
        remark: None,
        ext_fields: None,
        body: Bytes::new(),
    };
    let mut seen = 0_u8;
    scan.expect(b'{')?;
    loop {
        let bit = match scan.plain()? {
            "code" => 1,
            "extFields" => 2,
            "flag" => 4,
            "language" => 8,
            "opaque" => 16,
            "remark" => 32,
            "serializeTypeCurrentRPC" => 64,
            "version" => 128,
            _ => return None,
        };
        if seen & bit != 0 {
            return None;
        }
        seen |= bit;
        scan.expect(b':')?;
        match bit {
            1 => frame.code = scan.number()?,
            2 => frame.ext_fields = Some(scan.fields()?),
            4 => frame.flag = scan.number()?,
            8 => frame.language = language_code(dialect, scan.plain()?),
            16 => frame.opaque = Some(scan.number()?),
            32 => frame.remark = Some(scan.string()?.into()),
            64 => _ = scan.plain()?,
            _ => frame.version = scan.number()?,
        }
        match scan.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    (scan.at == header.len()).then_some(frame)
}

/// Bytes that can stand in a string as they are.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        plain[control] = false;
        control += 1;
    }
    (plain[b'"' as usize], plain[b'\\' as usize]) = (false, false);
    plain
};

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// The text up to the next byte that cannot stand in a string as it is.
    fn run(&mut self) -> Option<&'a str> {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let mut at = start;
        while PLAIN[usize::from(*bytes.get(at)?)] {
            at += 1;
        }
        self.at = at;
        self.text.get(start..at)
    }

    /// A string without escapes.
    fn plain(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let text = self.run()?;
        self.expect(b'"')?;
        Some(text)
    }

    fn string(&mut self) -> Option<Text> {
        self.expect(b'"')?;
        let first = self.run()?;
        if self.peek()? == b'"' {
            self.at += 1;
            return Some(first.into());
        }
        let mut text = String::with_capacity(first.len() + 128);
        text.push_str(first);
        loop {
            match self.next()? {
                b'"' => return Some(text.into()),
                b'\\' => text.push(self.escape()?),
                _ => return None,
            }
            text.push_str(self.run()?);
        }
    }

    /// Halves of surrogate pairs are left to the library.
    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                self.at += 4;
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            _ => return None,
        })
    }

    fn number(&mut self) -> Option<i32> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let start = self.at;
        let mut value: i64 = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            if self.at - start == 10 {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        let digits = self.at - start;
        let leading_zero = digits > 1 && self.text.as_bytes().get(start) == Some(&b'0');
        // The library reads a negative zero as a fraction.
        if digits == 0 || leading_zero || (negative && value == 0) {
            return None;
        }
        i32::try_from(if negative { -value } else { value }).ok()
    }

    /// An object of strings, in the order of their names.
    fn fields(&mut self) -> Option<Vec<(Text, Option<Text>)>> {
        self.expect(b'{')?;
        let mut fields: Vec<(Text, Option<Text>)> = Vec::with_capacity(16);
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(fields);
        }
        let mut in_order = true;
        loop {
            let name = self.plain()?;
            self.expect(b':')?;
            let value = self.string()?;
            let name = Text::from(name);
            in_order &= fields.last().is_none_or(|(last, _)| *last < name);
            fields.push((name, Some(value)));
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        if !in_order {
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            let twice = fields.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other));
            if twice {
                return None;
            }
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use crate::cluster::{Dialect, header_json, header_scan};

    const ORDINARY: [&str; 6] = [
        r#"{"code":310,"extFields":{"a":"group","b":"orders","d":"4","e":"0","i":"KEYS\u0001k7\u0002"},"flag":0,"language":"RUST","opaque":-12,"serializeTypeCurrentRPC":"JSON","version":513}"#,
        r#"{"code":0,"extFields":{"queueId":"3","msgId":"0A00","MSG_REGION":"r"},"flag":1,"language":"JAVA","opaque":7,"version":513}"#,
        r#"{"code":17,"flag":1,"language":"JAVA","opaque":7,"remark":"no \"topic\"\n\\ \/ \b\f\r\t é \u00e9","version":407}"#,
        r#"{"version":0,"opaque":2147483647,"flag":-2147483648,"extFields":{}}"#,
        r#"{"language":"NODE_JS"}"#,
        r#"{"language":"COBOL"}"#,
    ];
    const ODD: [&str; 12] = [
        "{}",
        r#"{"code":0,"code":1}"#,
        r#"{"code":"310"}"#,
        r#"{"code":-0}"#,
        r#"{"code":00}"#,
        r#"{"code":2147483648}"#,
        r#"{"code":null}"#,
        r#"{"extFields":{"a":"1","a":"2"}}"#,
        r#"{"extFields":{"a":null}}"#,
        r#"{"remark":"\ud83d\ude00"}"#,
        r#"{"body":"x"}"#,
        r#"{"flag":1} "#,
    ];

    #[test]
    fn ordinary_headers_are_read_here_and_odd_ones_are_not() {
        for dialect in [Dialect::V4_9_7, Dialect::V5_5_0] {
            for header in ORDINARY {
                let read = header_scan::read(dialect, header.as_bytes());
                assert!(read.is_some(), "{header}");
                assert_eq!(read, header_json::read_any(dialect, header.as_bytes()), "{header}");
            }
            for header in ODD {
                assert_eq!(header_scan::read(dialect, header.as_bytes()), None, "{header}");
            }
        }
    }

    #[test]
    fn what_is_read_here_is_what_the_library_reads() {
        // A small generator of its own (xorshift): the servers share nothing with the client.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut draw = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let pieces: &[u8] = b"\"\\{}[]:,0123456789-+.eEu nrtbf/ax\x01\x7f\xc3\xa9";
        let (mut read, mut refused) = (0, 0);
        for round in 0..60_000 {
            let all = ORDINARY.len() + ODD.len();
            let text = *ORDINARY.iter().chain(&ODD).nth(round % all).unwrap();
            let mut header = text.as_bytes().to_vec();
            for _ in 0..=draw(2) {
                let (at, piece) = (draw(header.len()), pieces[draw(pieces.len())]);
                match draw(3) {
                    0 => header[at] = piece,
                    1 => header.insert(at, piece),
                    _ => _ = header.remove(at),
                }
            }
            let dialect = if draw(2) == 0 { Dialect::V4_9_7 } else { Dialect::V5_5_0 };
            match header_scan::read(dialect, &header) {
                None => refused += 1,
                scanned => {
                    read += 1;
                    let text = String::from_utf8_lossy(&header);
                    assert_eq!(scanned, header_json::read_any(dialect, &header), "{text}");
                }
            }
        }
        assert!(read > 3_000 && refused > 3_000, "{read} read, {refused} left to the library");
    }
}
