//! A stream gives the same frames and the same error at the same place however it is cut, and those are the ones that
//! obvious code finds.

use rocketmq_core::wire::{FrameError, Inbox, SerializeType, WireLimits};

/// Small, so that short inputs reach them.
const LIMITS: WireLimits =
    WireLimits { max_frame: 64 * 1024, max_header: 4096, max_ext_fields: 16, max_depth: 12 };

/// A stream, and the same in pieces: `input` has the number of sizes, below `most`, the sizes (0 means 256), then the
/// stream.
pub(crate) fn in_pieces(input: &[u8], most: u8) -> Option<(&[u8], Vec<&[u8]>)> {
    let (count, rest) = input.split_first()?;
    let (sizes, stream) = rest.split_at_checked(usize::from(count % most))?;
    let mut pieces = Vec::new();
    let mut rest = stream;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let size = if *size == 0 { 256 } else { usize::from(*size) };
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    Some((stream, pieces))
}

/// The number of sizes, the sizes of pieces (0 means 256), then a stream.
pub(crate) fn check(input: &[u8]) {
    let Some((stream, pieces)) = in_pieces(input, 32) else {
        return;
    };
    let whole = read(&[stream]);
    assert_eq!(read(&pieces), whole);
    let slow = slow(stream);
    assert_eq!(whole.frames, slow.frames);
    assert_eq!(whole.error.as_ref().map(class), slow.class);
    assert_eq!(whole.frame_start, slow.frame_start);
    assert_eq!(whole.held, if slow.class.is_some() { 0 } else { stream.len() - slow.frame_start as usize });
}

type Frame = (SerializeType, Vec<u8>, Vec<u8>);

#[derive(Debug, PartialEq)]
struct Outcome {
    frames: Vec<Frame>,
    error: Option<FrameError>,
    frame_start: u64,
    held: usize,
}

fn read(pieces: &[&[u8]]) -> Outcome {
    let mut inbox = Inbox::new(LIMITS);
    let mut frames = Vec::new();
    let mut error = None;
    let mut arrived = 0;
    for piece in pieces {
        arrived += piece.len();
        let mut cut = inbox.feed(piece);
        loop {
            match cut.next() {
                Ok(Some(frame)) => frames.push((frame.serialize, frame.header.to_vec(), frame.body.to_vec())),
                Ok(None) => break,
                Err(found) => {
                    error = Some(found);
                    break;
                }
            }
        }
        assert!(inbox.capacity() <= 2 * arrived.max(32), "memory follows what arrived");
        assert!(inbox.held() as u64 + inbox.frame_start() <= arrived as u64);
    }
    Outcome { frames, error, frame_start: inbox.frame_start(), held: inbox.held() }
}

/// Which word of a prefix is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Length,
    Kind,
    NoHeader,
    HeaderOutside,
    HeaderLimit,
}

fn class(error: &FrameError) -> Class {
    match error {
        FrameError::UnknownSerializeType { .. } => Class::Kind,
        FrameError::EmptyHeader => Class::NoHeader,
        FrameError::HeaderOutsideFrame { .. } => Class::HeaderOutside,
        FrameError::HeaderOversize { .. } => Class::HeaderLimit,
        _ => Class::Length,
    }
}

struct Slow {
    frames: Vec<Frame>,
    class: Option<Class>,
    frame_start: u64,
}

fn slow(stream: &[u8]) -> Slow {
    let mut found = Slow { frames: Vec::new(), class: None, frame_start: 0 };
    while let Some(end) = slow_frame(&stream[found.frame_start as usize..], &mut found) {
        found.frame_start += end as u64;
    }
    found
}

/// Takes one frame; none when there is no whole one, or the bytes are none.
fn slow_frame(rest: &[u8], found: &mut Slow) -> Option<usize> {
    let length = i32::from_be_bytes(rest.get(..4)?.try_into().unwrap());
    if length < 4 || length as usize + 4 > LIMITS.max_frame {
        found.class = Some(Class::Length);
        return None;
    }
    let end = length as usize + 4;
    let serialize = match *rest.get(4)? {
        0 => SerializeType::Json,
        1 => SerializeType::RocketMq,
        _ => {
            found.class = Some(Class::Kind);
            return None;
        }
    };
    let header_end = 8 + rest.get(5..8)?.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
    found.class = match header_end - 8 {
        0 => Some(Class::NoHeader),
        header if 4 + header > length as usize => Some(Class::HeaderOutside),
        header if header > LIMITS.max_header => Some(Class::HeaderLimit),
        _ => None,
    };
    if found.class.is_some() {
        return None;
    }
    let frame = rest.get(..end)?;
    found.frames.push((serialize, frame[8..header_end].to_vec(), frame[header_end..].to_vec()));
    Some(end)
}
