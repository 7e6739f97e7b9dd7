//! Leaves bodies of messages out of what servers send: a check of a transaction brings a whole message.
//!
//! Only checks do so far. A frame may come in any number of pieces, so each connection has a place in its frame.

use crate::command::RequestCode;
use crate::interface::ConnId;
use crate::wire::{Header, RawFrame, SerializeType, WireLimits};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Bytes of a stored message before the length of its body, with addresses of 4 bytes.
const BEFORE_BODY_LENGTH: usize = 84;
/// How many more an address of 16 bytes takes.
const LONGER_ADDRESS: usize = 12;
/// Where the checksum of the body is.
const CHECKSUM: core::ops::Range<usize> = 8..12;
/// Where the system flag is, and its bits for long addresses.
const SYSTEM_FLAG: usize = 36;
const LONG_ADDRESSES: [i32; 2] = [0x10, 0x20];
/// Headers of checks are far shorter; longer ones are not looked into.
const LONGEST_HEADER: usize = 4_096;

/// Where each connection is in its frames.
#[derive(Debug, Default)]
pub(super) struct InboundBodies {
    streams: BTreeMap<ConnId, Stream>,
}

/// One connection.
#[derive(Debug, Default)]
struct Stream {
    place: Place,
    /// Both lengths and the header of the frame, as far as they have come; kept for its memory.
    start: Vec<u8>,
}

#[derive(Debug, Default)]
enum Place {
    /// In the lengths or the header.
    #[default]
    Start,
    /// The body of a check: its length, and its first bytes.
    Check { left: usize, at: usize, first: Vec<u8>, hidden: core::ops::Range<usize> },
    /// A body that is kept.
    Kept(usize),
    /// No frames: the client closes it.
    Broken,
}

impl InboundBodies {
    /// Hides bodies in bytes that came on a connection.
    pub(super) fn hide(&mut self, conn: ConnId, bytes: &mut [u8]) {
        let stream = self.streams.entry(conn).or_default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = stream.step(rest);
            rest = rest.get_mut(taken.max(1)..).unwrap_or_default();
        }
    }

    /// A connection has ended.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.streams.remove(&conn);
    }
}

impl Stream {
    /// Takes some of the bytes; tells how many.
    fn step(&mut self, bytes: &mut [u8]) -> usize {
        match &mut self.place {
            Place::Start => {
                let wanted = wanted_of(&self.start).saturating_sub(self.start.len()).max(1);
                let taken = bytes.get(..wanted.min(bytes.len())).unwrap_or_default();
                self.start.extend_from_slice(taken);
                if let Some(next) = after(&self.start) {
                    self.start.clear();
                    self.place = next;
                }
                taken.len()
            }
            Place::Check { left, at, first, hidden } => {
                let count = bytes.len().min(*left);
                for byte in bytes.iter_mut().take(count) {
                    if first.len() < BEFORE_BODY_LENGTH + 2 * LONGER_ADDRESS + 4 {
                        first.push(*byte);
                        *hidden = body_of(first).unwrap_or(0..0);
                    }
                    if hidden.contains(at) || CHECKSUM.contains(at) {
                        *byte = 0;
                    }
                    *at += 1;
                }
                *left -= count;
                if *left == 0 {
                    self.place = Place::Start;
                }
                count
            }
            Place::Kept(left) => {
                let count = bytes.len().min(*left);
                *left -= count;
                if *left == 0 {
                    self.place = Place::Start;
                }
                count
            }
            Place::Broken => bytes.len(),
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let word: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(word)).ok()
}

/// Bytes up to the end of the header, as far as that is known.
fn wanted_of(start: &[u8]) -> usize {
    match number(start, 4) {
        Some(word) => 8 + (word & 0xFF_FFFF).min(LONGEST_HEADER),
        None => 8,
    }
}

/// What follows when the start of a frame is complete.
fn after(start: &[u8]) -> Option<Place> {
    let (total, word) = (number(start, 0)?, number(start, 4)?);
    let header_len = word & 0xFF_FFFF;
    let Some(body_len) = total.checked_sub(4).and_then(|all| all.checked_sub(header_len)) else {
        return Some(Place::Broken);
    };
    if header_len > LONGEST_HEADER {
        let left = header_len - LONGEST_HEADER + body_len;
        return (start.len() == 8 + LONGEST_HEADER).then_some(Place::Kept(left));
    }
    let header = start.get(8..8 + header_len)?;
    if body_len == 0 {
        return Some(Place::Start);
    }
    let known = [SerializeType::Json, SerializeType::RocketMq];
    let serialize = known.into_iter().find(|one| usize::from(one.code()) == word >> 24);
    let is_check = serialize.is_some_and(|serialize| {
        let frame = RawFrame { serialize, header, body: &[] };
        Header::parse(&frame, &WireLimits::default()).is_ok_and(|header| {
            !header.is_response() && RequestCode(header.code) == RequestCode::CHECK_TRANSACTION_STATE
        })
    });
    if !is_check {
        return Some(Place::Kept(body_len));
    }
    Some(Place::Check { left: body_len, at: 0, first: Vec::new(), hidden: 0..0 })
}

/// Where the body of a stored message is, once its length has come.
fn body_of(first: &[u8]) -> Option<core::ops::Range<usize>> {
    let flag = i32::from_be_bytes(first.get(SYSTEM_FLAG..SYSTEM_FLAG + 4)?.try_into().ok()?);
    let long = LONG_ADDRESSES.iter().filter(|bit| flag & **bit != 0).count();
    let length_at = BEFORE_BODY_LENGTH + long * LONGER_ADDRESS;
    let length = number(first, length_at)?;
    Some(length_at + 4..(length_at + 4).saturating_add(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{LanguageCode, version};
    use crate::ground::Key;
    use crate::wire::{CommandHead, NoFields, encode_command};
    use alloc::vec;
    use bytes::BytesMut;

    /// A stored message with this body, and properties behind it.
    fn stored(body: &[u8], flag: i32) -> Vec<u8> {
        let mut out = vec![7; SYSTEM_FLAG];
        out.extend(flag.to_be_bytes());
        let long = LONG_ADDRESSES.iter().filter(|bit| flag & **bit != 0).count();
        out.resize(BEFORE_BODY_LENGTH + long * LONGER_ADDRESS, 1);
        out.extend((body.len() as u32).to_be_bytes());
        out.extend(body);
        out.extend(b"\x01Tproperties");
        out
    }

    fn frame(code: i32, flag: i32, body: &[u8], serialize: SerializeType) -> Vec<u8> {
        let (version, language) = (version::CURRENT, LanguageCode::Java);
        let head = CommandHead { code, flag, opaque: 3, version, language, remark: None };
        let mut out = BytesMut::new();
        encode_command(&mut out, serialize, &head, &NoFields, body.len()).unwrap();
        out.extend_from_slice(body);
        out.to_vec()
    }

    fn conn() -> ConnId {
        Key::from_parts(1, 1)
    }

    #[test]
    fn bodies_of_checks_are_hidden_however_they_are_cut() {
        for (serialize, flag) in
            [(SerializeType::Json, 0), (SerializeType::RocketMq, 0x30), (SerializeType::Json, 0x10)]
        {
            let check = frame(39, 2, &stored(b"secret", flag), serialize);
            let answer = frame(0, 1, b"a route with the word secret", serialize);
            let all = [&answer[..], &check, &check, &answer].concat();
            let at_once = {
                let mut bytes = all.clone();
                InboundBodies::default().hide(conn(), &mut bytes);
                bytes
            };
            let count = at_once.windows(6).filter(|six| six == b"secret").count();
            assert_eq!(count, 2, "the answers keep theirs");
            assert_eq!(at_once.windows(10).filter(|ten| ten == b"properties").count(), 2);
            assert_eq!(at_once.len(), all.len());
            for size in [1, 2, 7, 90] {
                let (mut bytes, mut hidden) = (all.clone(), InboundBodies::default());
                for piece in bytes.chunks_mut(size) {
                    hidden.hide(conn(), piece);
                }
                assert_eq!(bytes, at_once, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn what_is_no_frame_stays_as_it_is() {
        let long =
            [&[0, 0, 0x20, 0][..], &[0, 0, 0x1F, 0], &[b'x'; 0x1FFC], &frame(0, 1, b"", SerializeType::Json)];
        for bytes in [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), vec![0; 40], long.concat()] {
            let mut hidden = bytes.clone();
            InboundBodies::default().hide(conn(), &mut hidden);
            assert_eq!(hidden, bytes);
        }
    }

    #[test]
    fn a_length_beyond_the_frame_hides_to_its_end_only() {
        let mut message = stored(b"secret", 0);
        message[BEFORE_BODY_LENGTH..BEFORE_BODY_LENGTH + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        let check = frame(39, 2, &message, SerializeType::Json);
        let answer = frame(0, 1, b"secret", SerializeType::Json);
        let mut bytes = [&check[..], &answer].concat();
        InboundBodies::default().hide(conn(), &mut bytes);
        assert_eq!(bytes.windows(6).filter(|six| six == b"secret").count(), 1);
        assert!(bytes.ends_with(&answer));
    }
}
