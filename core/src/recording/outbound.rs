//! Hashes of the bytes that sockets took: of all of them, or of all but the bodies of frames.
//!
//! A client that is run again without the bodies of its messages has zeros in their place, and all else as it was. So
//! what is written can be compared in every recording, only without the bodies in most.

use super::Bodies;
use super::digest::Hash;
use crate::interface::ConnId;
use alloc::collections::BTreeMap;
use bytes::Bytes;

/// Hashes what is written; knows where each connection is in its frames if bodies are left out.
#[derive(Debug)]
pub(super) struct Outbound {
    with_bodies: bool,
    frames: BTreeMap<ConnId, Frames>,
}

/// Where a connection is in its frames.
#[derive(Debug)]
enum Frames {
    /// In the two lengths at the beginning: so many of their bytes have come.
    Lengths { count: usize, bytes: [u8; 8] },
    /// In the header.
    Header { left: usize, body: usize },
    /// In the body.
    Body { left: usize },
    /// In no frame: a name server's list is asked for by HTTP.
    Other,
}

impl Outbound {
    pub(super) fn new(bodies: Bodies) -> Self {
        Self { with_bodies: bodies == Bodies::Keep, frames: BTreeMap::new() }
    }

    /// The hash of the first `count` bytes in these chunks, the next ones of their connection. It hangs on the bytes
    /// alone: chunks are cut as the driver asked for them.
    pub(super) fn hash(&mut self, conn: ConnId, chunks: &[Bytes], count: usize) -> u64 {
        let mut hash = Running::default();
        let mut left = count;
        for chunk in chunks {
            let mut bytes = chunk.get(..left.min(chunk.len())).unwrap_or_default();
            left -= bytes.len();
            if self.with_bodies {
                hash.bytes(bytes);
                continue;
            }
            while !bytes.is_empty() {
                let frames = self.frames.entry(conn).or_insert(Frames::START);
                let (part, rest, is_body) = frames.split(bytes);
                if !is_body {
                    hash.bytes(part);
                }
                bytes = rest;
            }
        }
        hash.end()
    }

    /// A connection has ended.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.frames.remove(&conn);
    }
}

impl Frames {
    const START: Self = Self::Lengths { count: 0, bytes: [0; 8] };

    /// The bytes that belong together, what follows them, and whether they are of a body.
    fn split<'a>(&mut self, all: &'a [u8]) -> (&'a [u8], &'a [u8], bool) {
        let (len, is_body) = match self {
            Self::Lengths { count, .. } => (8 - *count, false),
            Self::Header { left, .. } => (*left, false),
            Self::Body { left } => (*left, true),
            Self::Other => (all.len(), false),
        };
        let (part, rest) = all.split_at_checked(len).unwrap_or((all, &[]));
        self.pass(part);
        (part, rest, is_body)
    }

    fn pass(&mut self, part: &[u8]) {
        let next = match self {
            Self::Lengths { count, bytes } => {
                for (to, from) in bytes.iter_mut().skip(*count).zip(part) {
                    *to = *from;
                }
                *count += part.len();
                (*count == 8).then(|| Self::behind_lengths(*bytes))
            }
            Self::Header { left, body } => {
                *left -= part.len();
                (*left == 0).then(|| Self::body(*body))
            }
            Self::Body { left } => {
                *left -= part.len();
                (*left == 0).then_some(Self::START)
            }
            Self::Other => None,
        };
        if let Some(next) = next {
            *self = next;
        }
    }

    /// The length of the rest of the frame, and in the lower three bytes of the second word that of the header.
    fn behind_lengths([a, b, c, d, _, e, f, g]: [u8; 8]) -> Self {
        let (total, header) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([0, e, f, g]));
        // A machine whose numbers are shorter than that holds no such frame.
        match total.checked_sub(4).and_then(|rest| rest.checked_sub(header)) {
            Some(body) if header == 0 => Self::body(body as usize),
            Some(body) => Self::Header { left: header as usize, body: body as usize },
            None => Self::Other,
        }
    }

    fn body(left: usize) -> Self {
        if left == 0 { Self::START } else { Self::Body { left } }
    }
}

/// A hash over bytes that come in pieces: the same however they are cut.
#[derive(Default)]
struct Running {
    hash: Hash,
    /// The bytes behind the last whole word, lowest first.
    word: u64,
    len: u64,
}

impl Running {
    fn bytes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.len.is_multiple_of(8)
            && let Some((byte, behind)) = rest.split_first()
        {
            self.byte(*byte);
            rest = behind;
        }
        while let Some((word, behind)) = rest.split_first_chunk::<8>() {
            self.hash.number(u64::from_le_bytes(*word));
            self.len += 8;
            rest = behind;
        }
        for byte in rest {
            self.byte(*byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.word |= u64::from(byte) << (self.len % 8 * 8);
        self.len += 1;
        if self.len.is_multiple_of(8) {
            self.hash.number(self.word);
            self.word = 0;
        }
    }

    fn end(mut self) -> u64 {
        self.hash.number(self.word);
        self.hash.number(self.len);
        self.hash.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::Key;
    use alloc::vec::Vec;

    const REQUEST: &[u8] = b"GET /rocketmq/nsaddr HTTP/1.1\r\nhost: web\r\n\r\n";

    fn frame(header: &[u8], body: &[u8]) -> Vec<u8> {
        let (header_len, body_len) = (header.len() as u32, body.len() as u32);
        let lengths = [(4 + header_len + body_len).to_be_bytes(), (header_len | 1 << 24).to_be_bytes()];
        [&lengths.concat()[..], header, body].concat()
    }

    /// Hashes of each 100 bytes that a connection writes, when they come in chunks of this size.
    fn hashes(bodies: Bodies, bytes: &[u8], chunk: usize) -> Vec<u64> {
        let mut outbound = Outbound::new(bodies);
        let conn: ConnId = Key::from_parts(1, 1);
        let pieces = bytes.chunks(100).map(|written| {
            let chunks: Vec<Bytes> = bytes_of(written, chunk);
            outbound.hash(conn, &chunks, written.len())
        });
        pieces.collect()
    }

    fn bytes_of(bytes: &[u8], chunk: usize) -> Vec<Bytes> {
        bytes.chunks(chunk).map(Bytes::copy_from_slice).collect()
    }

    fn frames(body: &[u8]) -> Vec<u8> {
        [frame(b"a header", body), frame(b"", body), frame(b"another", b""), frame(&[b'h'; 130], body)]
            .concat()
    }

    #[test]
    fn the_cuts_do_not_count() {
        for bodies in [Bodies::Keep, Bodies::LeaveOut, Bodies::Hash] {
            for bytes in [&frames(&[b'x'; 77])[..], REQUEST] {
                let whole = hashes(bodies, bytes, usize::MAX);
                for chunk in [1, 3, 8, 30] {
                    assert_eq!(hashes(bodies, bytes, chunk), whole, "{bodies:?} in chunks of {chunk}");
                }
            }
        }
    }

    #[test]
    fn every_byte_counts_but_those_of_bodies_that_are_left_out() {
        let frame = frame(b"a header", b"a body");
        for bodies in [Bodies::Keep, Bodies::LeaveOut] {
            for (bytes, body) in [(&frame[..], frame.len() - 6), (REQUEST, REQUEST.len())] {
                let whole = hashes(bodies, bytes, usize::MAX);
                for at in 0..bytes.len() {
                    let mut other = bytes.to_vec();
                    other[at] ^= 1;
                    let same = hashes(bodies, &other, usize::MAX) == whole;
                    assert_eq!(same, bodies == Bodies::LeaveOut && at >= body, "{bodies:?} byte {at}");
                }
            }
        }
    }

    #[test]
    fn more_than_was_taken_does_not_count() {
        let chunks = bytes_of(&frames(b"body"), 10);
        let conn: ConnId = Key::from_parts(1, 1);
        for bodies in [Bodies::Keep, Bodies::LeaveOut] {
            let (mut all, mut cut) = (Outbound::new(bodies), Outbound::new(bodies));
            let shorter = [&chunks[..2], &[chunks[2].slice(..5)]].concat();
            assert_eq!(all.hash(conn, &chunks, 25), cut.hash(conn, &shorter, 25));
        }
    }
}
