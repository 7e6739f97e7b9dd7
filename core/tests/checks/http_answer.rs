//! An HTTP answer is the same however it is cut, and the one that obvious code finds; memory is bounded by the limits.

use rocketmq_core::wire::{HttpAnswer, HttpError, HttpLimits};

use super::frame_stream::in_pieces;

/// Small, so that short inputs reach them.
const LIMITS: HttpLimits = HttpLimits { head: 256, body: 128 };

/// What became of an answer: status and body, or why there is none.
type Outcome = Result<(u16, Vec<u8>), HttpError>;

/// The number of sizes, the sizes of pieces (0 means 256), then a stream.
pub(crate) fn check(input: &[u8]) {
    let Some((stream, pieces)) = in_pieces(input, 16) else {
        return;
    };
    let expected = slow(stream);
    assert_eq!(read(&[stream]), expected);
    assert_eq!(read(&pieces), expected);
}

fn read(pieces: &[&[u8]]) -> Outcome {
    let mut answer = HttpAnswer::new(LIMITS);
    let (mut came, mut said) = (0, Ok(false));
    for piece in pieces {
        came += piece.len();
        let now = answer.feed(piece);
        // What was said once holds.
        if said != Ok(false) {
            assert_eq!(now, said);
        }
        said = now;
        assert!(answer.held() <= came.min(LIMITS.head + LIMITS.body), "{} of {came}", answer.held());
        assert_eq!(answer.has_begun(), came > 0 || said.is_err());
    }
    let finished = answer.finish().map(|(status, body)| (status, body.to_vec()));
    match &said {
        Ok(true) => assert!(finished.is_ok()),
        Ok(false) => {}
        Err(error) => assert_eq!(finished.as_ref().err(), Some(error)),
    }
    finished
}

/// The bytes that are left, and how many of those that are no body may still come.
struct Slow<'a> {
    rest: &'a [u8],
    head: usize,
}

fn slow(stream: &[u8]) -> Outcome {
    let mut slow = Slow { rest: stream, head: LIMITS.head };
    loop {
        let status = slow.status()?;
        let (length, chunked) = slow.headers()?;
        if (100..=199).contains(&status) {
            continue;
        }
        if status != 200 {
            return Ok((status, Vec::new()));
        }
        let body = match (length, chunked) {
            (Some(_), true) => return Err(HttpError::BadLength),
            (None, true) => slow.chunks()?,
            (Some(length), false) => slow.take(length)?,
            (None, false) => slow.take(slow.rest.len())?,
        };
        return Ok((status, body));
    }
}

impl<'a> Slow<'a> {
    fn line(&mut self) -> Result<&'a [u8], HttpError> {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let len = end.map_or(self.rest.len(), |end| end + 1);
        if len > self.head {
            return Err(HttpError::HeadTooLong(LIMITS.head));
        }
        let end = end.ok_or(HttpError::CutOff)?;
        self.head -= len;
        let line = &self.rest[..end];
        self.rest = &self.rest[len..];
        Ok(if line.last() == Some(&b'\r') { &line[..line.len() - 1] } else { line })
    }

    fn status(&mut self) -> Result<u16, HttpError> {
        let start = self.rest.len().min(7).min(self.head);
        if self.rest[..start] != b"HTTP/1."[..start] {
            return Err(HttpError::NotHttp);
        }
        let line = self.line()?;
        // `HTTP/1.1 200`, and a blank if there is more.
        let is_digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
        let is_blank = |at: usize| line.get(at) == Some(&b' ');
        if ![7, 9, 10, 11].into_iter().all(is_digit) || !is_blank(8) || !(line.len() == 12 || is_blank(12)) {
            return Err(HttpError::NotHttp);
        }
        let status: u16 = String::from_utf8_lossy(&line[9..12]).parse().unwrap();
        if status < 100 { Err(HttpError::NotHttp) } else { Ok(status) }
    }

    fn headers(&mut self) -> Result<(Option<usize>, bool), HttpError> {
        let (mut length, mut chunked) = (None, false);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok((length, chunked));
            }
            let mut parts = line.splitn(2, |byte| *byte == b':');
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
                return Err(HttpError::BadHeader);
            };
            let value = value.trim_ascii();
            let is_bad = |byte: &u8| (*byte < 32 && *byte != b'\t') || *byte == 127;
            if name.is_empty()
                || name.iter().any(|byte| !(33..127).contains(byte))
                || value.iter().any(is_bad)
            {
                return Err(HttpError::BadHeader);
            }
            let value = String::from_utf8_lossy(value).to_ascii_lowercase();
            match String::from_utf8_lossy(name).to_ascii_lowercase().as_str() {
                "content-length" => {
                    let told = number(&value, 10).ok_or(HttpError::BadLength)?;
                    if length.is_some() && length != Some(told) {
                        return Err(HttpError::BadLength);
                    }
                    length = Some(told);
                }
                "transfer-encoding" if value == "chunked" && !chunked => chunked = true,
                "transfer-encoding" => return Err(HttpError::UnknownCoding),
                "content-encoding" if value != "identity" => return Err(HttpError::UnknownCoding),
                _ => {}
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, HttpError> {
        if count > LIMITS.body {
            return Err(HttpError::BodyTooLong(LIMITS.body));
        }
        let body = self.rest.get(..count).ok_or(HttpError::CutOff)?;
        self.rest = &self.rest[count..];
        Ok(body.to_vec())
    }

    fn chunks(&mut self) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let digits = line.split(|byte| *byte == b';').next().unwrap().trim_ascii_end();
            let size = number(&String::from_utf8_lossy(digits), 16).ok_or(HttpError::BadChunk)?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            if size > LIMITS.body - body.len() {
                return Err(HttpError::BodyTooLong(LIMITS.body));
            }
            body.extend(self.take(size)?);
            if !self.line()?.is_empty() {
                return Err(HttpError::BadChunk);
            }
        }
    }
}

fn number(text: &str, radix: u32) -> Option<usize> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    let zeros = text.trim_start_matches('0');
    let number = if zeros.is_empty() { Ok(0) } else { usize::from_str_radix(zeros, radix) };
    number.ok().filter(|_| digits)
}
