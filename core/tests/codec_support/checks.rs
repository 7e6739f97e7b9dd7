//! The checks of the fuzz targets, also replayed over the committed corpora by a plain test.

use rocketmq_core::wire::{FrameError, Inbox, SerializeType, WireLimits};

use super::slow;

/// Small, so that short inputs reach them.
const LIMITS: WireLimits =
    WireLimits { max_frame: 64 * 1024, max_header: 4096, max_ext_fields: 16, max_depth: 12 };

/// The number of sizes, the sizes of pieces (0 means 256), then a stream: cut into pieces it must
/// give the same as in one piece.
pub(crate) fn frame(input: &[u8]) {
    let Some((count, rest)) = input.split_first() else {
        return;
    };
    let Some((sizes, stream)) = rest.split_at_checked(usize::from(count % 32)) else {
        return;
    };
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
    assert_eq!(read(&pieces), read(&[stream]));
}

type Frame = (SerializeType, Vec<u8>, Vec<u8>);

fn read(pieces: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>, u64, usize) {
    let mut inbox = Inbox::new(LIMITS);
    let mut frames = Vec::new();
    let mut failed = None;
    let mut arrived = 0;
    for piece in pieces {
        arrived += piece.len();
        let mut cut = inbox.feed(piece);
        loop {
            match cut.next() {
                Ok(Some(frame)) => {
                    assert!(!frame.header.is_empty() && frame.header.len() <= LIMITS.max_header);
                    frames.push((frame.serialize, frame.header.to_vec(), frame.body.to_vec()));
                }
                Ok(None) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        assert!(inbox.capacity() <= 2 * arrived.max(32), "memory follows what arrived");
        assert!(inbox.held() as u64 + inbox.frame_start() <= arrived as u64);
    }
    (frames, failed, inbox.frame_start(), inbox.held())
}

/// A serialize type (even: JSON), then a header: the library must read it as the slow
/// implementation does.
pub(crate) fn header(input: &[u8]) {
    let Some((kind, header)) = input.split_first() else {
        return;
    };
    let serialize = if kind % 2 == 0 { SerializeType::Json } else { SerializeType::RocketMq };
    assert_eq!(slow::fast(serialize, header, &LIMITS), slow::slow(serialize, header, &LIMITS));
}
