//! The answer to one HTTP/1.1 `GET`, from a byte stream in pieces of any size.
//!
//! As much of HTTP as a list of name servers needs: a status, a body with a length, in chunks or up to the end of the
//! connection, and a limit for everything.

use alloc::vec::Vec;

/// How every HTTP/1 answer starts.
const START: &[u8] = b"HTTP/1.";
/// The one status whose body is wanted.
const OK: u16 = 200;

/// How long an answer may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HttpLimits {
    /// Most bytes that are no body: status line, headers, sizes of chunks, trailers.
    pub head: usize,
    /// Most bytes of the body.
    pub body: usize,
}

/// Why bytes are no HTTP answer that can be used.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// It does not start as an HTTP/1 answer does.
    #[error("what came is not HTTP")]
    NotHttp,
    /// There is more around the body than the limit allows.
    #[error("the HTTP head is longer than {0} bytes")]
    HeadTooLong(usize),
    /// The body is longer than the limit allows, or says that it will be.
    #[error("the HTTP body is longer than {0} bytes")]
    BodyTooLong(usize),
    /// A header line has no name, no colon, or characters that no header has.
    #[error("an HTTP header line is malformed")]
    BadHeader,
    /// The length of the body is no number, or is told twice and differently.
    #[error("the HTTP content length is malformed")]
    BadLength,
    /// The body is compressed or coded in some other way.
    #[error("the coding of the HTTP body is not supported")]
    UnknownCoding,
    /// A chunk has no size, or does not end where it should.
    #[error("a chunk of the HTTP body is malformed")]
    BadChunk,
    /// The connection ended before the answer did.
    #[error("the HTTP answer ends too early")]
    CutOff,
}

/// Reads one answer. Memory grows with the bytes that arrive, never with a length that a server announces.
///
/// ```
/// use rocketmq_core::wire::{HttpAnswer, HttpLimits};
///
/// let mut answer = HttpAnswer::new(HttpLimits { head: 1_024, body: 1_024 });
/// assert_eq!(answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nns"), Ok(false));
/// assert_eq!(answer.feed(b"1:98"), Ok(true));
/// assert_eq!(answer.finish(), Ok((200, &b"ns1:98"[..])));
/// ```
#[derive(Debug)]
pub struct HttpAnswer {
    limits: HttpLimits,
    stage: Stage,
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// What is left of the limit of everything that is no body.
    head_left: usize,
    status: u16,
    length: Option<usize>,
    chunked: bool,
    body: Vec<u8>,
}

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Stage {
    Status,
    Header,
    Body { left: usize },
    ToTheEnd,
    ChunkSize,
    Chunk { left: usize },
    ChunkEnd,
    Trailer,
    Done,
    Failed(HttpError),
}

impl HttpAnswer {
    /// An answer of which nothing has come yet.
    #[must_use]
    pub fn new(limits: HttpLimits) -> Self {
        Self {
            limits,
            stage: Stage::Status,
            line: Vec::new(),
            head_left: limits.head,
            status: 0,
            length: None,
            chunked: false,
            body: Vec::new(),
        }
    }

    /// Takes the next bytes. True when the answer is complete; bytes behind it are ignored. Without status 200 it is
    /// complete with its headers.
    ///
    /// # Errors
    /// The bytes are no answer, or one that is too long. From there on the error comes again.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<bool, HttpError> {
        let mut rest = bytes;
        let read = self.read(&mut rest);
        if let Err(error) = &read {
            self.stage = Stage::Failed(error.clone());
            self.line = Vec::new();
            self.body = Vec::new();
        }
        read
    }

    /// True when a byte of the answer has come.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.head_left < self.limits.head || matches!(self.stage, Stage::Failed(_))
    }

    /// Bytes that are held here.
    #[must_use]
    pub fn held(&self) -> usize {
        self.line.len() + self.body.len()
    }

    /// The status and the body, once the answer is complete or its connection has ended: without a length, that is the
    /// end of the body.
    ///
    /// # Errors
    /// What [`feed`](Self::feed) said, or that something is missing.
    pub fn finish(&self) -> Result<(u16, &[u8]), HttpError> {
        match &self.stage {
            Stage::Done | Stage::ToTheEnd => Ok((self.status, &self.body)),
            Stage::Failed(error) => Err(error.clone()),
            _ => Err(HttpError::CutOff),
        }
    }

    fn read(&mut self, rest: &mut &[u8]) -> Result<bool, HttpError> {
        loop {
            match self.stage {
                Stage::Failed(ref error) => return Err(error.clone()),
                Stage::Done => return Ok(true),
                Stage::Body { left: 0 } => self.stage = Stage::Done,
                Stage::Chunk { left: 0 } => self.stage = Stage::ChunkEnd,
                Stage::ToTheEnd | Stage::Body { .. } | Stage::Chunk { .. } if rest.is_empty() => {
                    return Ok(false);
                }
                Stage::ToTheEnd => {
                    self.take(rest, usize::MAX)?;
                }
                Stage::Body { left } => self.stage = Stage::Body { left: left - self.take(rest, left)? },
                Stage::Chunk { left } => self.stage = Stage::Chunk { left: left - self.take(rest, left)? },
                Stage::Status | Stage::Header | Stage::ChunkSize | Stage::ChunkEnd | Stage::Trailer => {
                    if !self.complete_line(rest)? {
                        return Ok(false);
                    }
                    let line = core::mem::take(&mut self.line);
                    let text = line.strip_suffix(b"\n").unwrap_or(&line);
                    self.stage = self.line_came(text.strip_suffix(b"\r").unwrap_or(text))?;
                }
            }
        }
    }

    /// Moves up to `most` bytes into the body. Returns how many.
    fn take(&mut self, rest: &mut &[u8], most: usize) -> Result<usize, HttpError> {
        let (now, after) = rest.split_at(most.min(rest.len()));
        if self.body.len() + now.len() > self.limits.body {
            return Err(HttpError::BodyTooLong(self.limits.body));
        }
        self.body.extend_from_slice(now);
        *rest = after;
        Ok(now.len())
    }

    /// Moves bytes into the line, up to its end; false when they run out before.
    fn complete_line(&mut self, rest: &mut &[u8]) -> Result<bool, HttpError> {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (now, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        // Whatever else speaks there may never end a line. Bytes beyond the limit do not count, however they are cut.
        let allowed = self.line.iter().chain(now).take(self.line.len() + self.head_left);
        if self.stage == Stage::Status && allowed.zip(START).any(|(a, b)| a != b) {
            return Err(HttpError::NotHttp);
        }
        let left = self.head_left.checked_sub(now.len());
        self.head_left = left.ok_or(HttpError::HeadTooLong(self.limits.head))?;
        self.line.extend_from_slice(now);
        *rest = after;
        Ok(end.is_some())
    }

    /// A whole line came, without its end. Returns what follows it.
    fn line_came(&mut self, line: &[u8]) -> Result<Stage, HttpError> {
        match self.stage {
            Stage::Status => {
                self.status = status(line).ok_or(HttpError::NotHttp)?;
                Ok(Stage::Header)
            }
            Stage::Header if line.is_empty() => self.head_ended(),
            Stage::Header => self.header(line).map(|()| Stage::Header),
            Stage::ChunkSize => match chunk_size(line)? {
                0 => Ok(Stage::Trailer),
                size if size > self.limits.body.saturating_sub(self.body.len()) => {
                    Err(HttpError::BodyTooLong(self.limits.body))
                }
                size => Ok(Stage::Chunk { left: size }),
            },
            Stage::ChunkEnd if line.is_empty() => Ok(Stage::ChunkSize),
            Stage::ChunkEnd => Err(HttpError::BadChunk),
            Stage::Trailer if line.is_empty() => Ok(Stage::Done),
            // Trailers say nothing that is wanted. The other stages have no lines.
            _ => Ok(self.stage.clone()),
        }
    }

    fn header(&mut self, line: &[u8]) -> Result<(), HttpError> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(HttpError::BadHeader)?;
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
        // A blank before the colon, or in front, would let two readers see two headers.
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) || value.iter().any(is_control) {
            return Err(HttpError::BadHeader);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = number(value, 10).ok_or(HttpError::BadLength)?;
            if self.length.is_some_and(|other| other != length) {
                return Err(HttpError::BadLength);
            }
            self.length = Some(length);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(HttpError::UnknownCoding);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"content-encoding") && !value.eq_ignore_ascii_case(b"identity") {
            return Err(HttpError::UnknownCoding);
        }
        Ok(())
    }

    fn head_ended(&mut self) -> Result<Stage, HttpError> {
        if (100..200).contains(&self.status) {
            // An interim answer; the real one follows.
            (self.length, self.chunked) = (None, false);
            return Ok(Stage::Status);
        }
        match self.length {
            _ if self.status != OK => Ok(Stage::Done),
            // Two lengths are an old trick to smuggle one answer within another.
            Some(_) if self.chunked => Err(HttpError::BadLength),
            Some(length) if length > self.limits.body => Err(HttpError::BodyTooLong(self.limits.body)),
            Some(left) => Ok(Stage::Body { left }),
            None if self.chunked => Ok(Stage::ChunkSize),
            None => Ok(Stage::ToTheEnd),
        }
    }
}

/// `HTTP/1.1 200 OK`, the words behind the number being anything or nothing.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(START)?;
    let (minor, rest) = rest.split_at_checked(2)?;
    let (code, words) = rest.split_at_checked(3)?;
    let is_version = matches!(minor, [b'0'..=b'9', b' ']);
    let code = u16::try_from(number(code, 10)?).ok()?;
    (is_version && code >= 100 && matches!(words.first(), None | Some(b' '))).then_some(code)
}

/// The size of a chunk; what follows a semicolon is an extension that nobody needs.
fn chunk_size(line: &[u8]) -> Result<usize, HttpError> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    number(digits.trim_ascii_end(), 16).ok_or(HttpError::BadChunk)
}

/// A number of digits alone; none when it is no number or too large for one.
fn number(digits: &[u8], radix: u32) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |sum, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        sum.checked_mul(radix as usize)?.checked_add(digit as usize)
    })
}

#[cfg(test)]
mod tests;
