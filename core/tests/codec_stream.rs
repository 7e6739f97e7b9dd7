//! A stream of frames gives the same frames and the same error, however it is cut.

mod codec_support;

use codec_support::{all_captured, captured};
use proptest::prelude::*;
use rocketmq_core::wire::{FrameError, Header, Inbox, RawFrame, SerializeType, WireLimits};

/// A whole frame with everything owned.
#[derive(Clone, Debug, PartialEq)]
struct Owned {
    serialize: SerializeType,
    header: Vec<u8>,
    body: Vec<u8>,
}

impl From<RawFrame<'_>> for Owned {
    fn from(frame: RawFrame<'_>) -> Self {
        Self { serialize: frame.serialize, header: frame.header.to_vec(), body: frame.body.to_vec() }
    }
}

/// What a stream amounts to: its frames, then the error or nothing, then where reading stopped.
#[derive(Debug, PartialEq)]
struct Outcome {
    frames: Vec<Owned>,
    error: Option<FrameError>,
    frame_start: u64,
    held: usize,
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: WireLimits) -> Outcome {
    let mut inbox = Inbox::new(limits);
    let mut frames = Vec::new();
    let mut error = None;
    for piece in pieces {
        let mut arrived = inbox.feed(piece);
        loop {
            match arrived.next() {
                Ok(Some(frame)) => frames.push(frame.into()),
                Ok(None) => break,
                Err(found) => {
                    assert_eq!(arrived.next(), Err(found.clone()), "an error stays");
                    error.get_or_insert(found);
                    break;
                }
            }
        }
    }
    Outcome { frames, error, frame_start: inbox.frame_start(), held: inbox.held() }
}

fn whole(bytes: &[u8]) -> Outcome {
    read([bytes], WireLimits::default())
}

#[test]
fn every_captured_frame_may_be_cut_in_two_anywhere() {
    for frame in all_captured() {
        let expected = whole(&frame.bytes);
        assert_eq!(expected.frames.len(), 1);
        // Long bodies only near the interesting places.
        let ends = frame.bytes.len().saturating_sub(40)..frame.bytes.len();
        for cut in (0..frame.bytes.len().min(600)).chain(ends) {
            let (a, b) = frame.bytes.split_at(cut);
            assert_eq!(read([a, b], WireLimits::default()), expected, "{} at {cut}", frame.name);
        }
    }
}

#[test]
fn streams_may_arrive_byte_by_byte_or_in_pieces_of_any_size() {
    let stream: Vec<u8> = captured("4.9.7-binary").into_iter().flat_map(|f| f.bytes).collect();
    let expected = whole(&stream);
    assert!(expected.frames.len() > 70 && expected.error.is_none() && expected.held == 0);
    for size in [1, 2, 3, 5, 7, 8, 9, 13, 64, 1000, 4096, 65_536] {
        assert_eq!(read(stream.chunks(size), WireLimits::default()), expected, "{size}");
    }
}

#[test]
fn a_stream_that_ends_anywhere_gives_the_frames_before_and_holds_the_rest() {
    let frames = captured("5.5.0-json");
    let stream: Vec<u8> = frames[..8].iter().flat_map(|frame| frame.bytes.clone()).collect();
    let all = whole(&stream).frames;
    let mut done = 0;
    let mut start = 0;
    for end in 0..=stream.len() {
        if end == start + frames[done].bytes.len() {
            start = end;
            done += 1;
        }
        let outcome = whole(&stream[..end]);
        assert_eq!(outcome.frames, all[..done]);
        assert_eq!((outcome.error, outcome.frame_start), (None, start as u64));
        assert_eq!(outcome.held, end - start);
        if done == 8 {
            break;
        }
    }
    assert_eq!(done, 8);
}

#[test]
fn what_other_protocols_say_is_named() {
    let oversize = |bytes| FrameError::Oversize { bytes, limit: 16_777_216 };
    let cases: [(&[u8], FrameError); 17] = [
        (b"HTTP/1.1 400 Bad Request\r\n", FrameError::Http),
        (b"<html><head>", FrameError::Http),
        (b"<!DOCTYPE html>", FrameError::Http),
        (b"PRI * HTTP/2.0\r\n", FrameError::Http2Preface),
        (b"\x15\x03\x03\x00\x02\x02\x28", FrameError::TlsAlert),
        (b"\x16\x03\x01\x02\x00", FrameError::TlsRecord),
        // The first frame of a gRPC server: empty HTTP/2 settings with 18 bytes, as a proxy's.
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", FrameError::EmptyHeader),
        (b"\x80\x00\x00\x00", FrameError::NegativeLength { length: i32::MIN }),
        (b"\xff\xff\xff\xff", FrameError::NegativeLength { length: -1 }),
        (b"\x00\x00\x00\x00", FrameError::TooShort { length: 0 }),
        (b"\x00\x00\x00\x03\x00\x00\x00", FrameError::TooShort { length: 3 }),
        (b"\x00\xff\xff\xfd", oversize(16_777_217)),
        (b"\x7f\xff\xff\xff", oversize(2_147_483_651)),
        (b"\x00\x00\x00\x04\x00\x00\x00\x00", FrameError::EmptyHeader),
        (b"\x00\x00\x00\x10\x02", FrameError::UnknownSerializeType { found: 2 }),
        (b"\x00\x00\x00\x10\x00\x00\x00\x0d", FrameError::HeaderOutsideFrame { header: 13, length: 16 }),
        (
            b"\x00\xff\xff\xfc\x01\x10\x00\x01",
            FrameError::HeaderOversize { header: 1_048_577, limit: 1_048_576 },
        ),
    ];
    let sound = captured("5.5.0-json").remove(0).bytes;
    for (bytes, error) in cases {
        let outcome = whole(bytes);
        assert_eq!((outcome.frames.len(), &outcome.error), (0, &Some(error.clone())), "{bytes:x?}");
        let stream = [&sound, bytes].concat();
        for outcome in [whole(&stream), read(stream.chunks(1), WireLimits::default())] {
            assert_eq!(outcome.frames.len(), 1);
            assert_eq!(outcome.error.as_ref(), Some(&error));
            assert_eq!(outcome.frame_start, sound.len() as u64, "the error is in the second frame");
        }
    }
}

#[test]
fn the_largest_frame_is_accepted_and_one_byte_more_is_not() {
    let mut frame = vec![0; 16_777_216];
    frame[..4].copy_from_slice(&16_777_212_u32.to_be_bytes());
    frame[7] = 2;
    let mut inbox = Inbox::new(WireLimits::default());
    assert_eq!(inbox.feed(&frame).next().unwrap().unwrap().body.len(), 16_777_216 - 10);
    frame[3] += 1;
    assert!(matches!(whole(&frame).error, Some(FrameError::Oversize { bytes: 16_777_217, .. })));
}

#[test]
fn memory_follows_what_arrived_and_is_given_back() {
    let total: usize = 8 * 1024 * 1024;
    let mut inbox = Inbox::new(WireLimits::default());
    let mut prefix = (total as u32 - 4).to_be_bytes().to_vec();
    prefix.extend_from_slice(&[0, 0, 0, 2]);
    assert_eq!(inbox.feed(&prefix).next(), Ok(None));
    assert!(inbox.capacity() <= 64, "announced, not sent: {}", inbox.capacity());
    let piece = [b'x'; 4096];
    let mut arrived = prefix.len();
    while arrived + piece.len() < total {
        assert_eq!(inbox.feed(&piece).next(), Ok(None));
        arrived += piece.len();
        assert_eq!(inbox.held(), arrived);
        assert!(inbox.capacity() <= 2 * arrived.max(64), "{} for {arrived}", inbox.capacity());
        assert!(inbox.capacity() <= total);
    }
    let rest = vec![b'x'; total - arrived];
    let mut frames = inbox.feed(&rest);
    assert_eq!(frames.next().unwrap().unwrap().body.len(), total - 10);
    assert_eq!(frames.next(), Ok(None));
    assert_eq!((inbox.held(), inbox.capacity()), (0, 0));
}

#[test]
fn nothing_is_kept_of_a_broken_stream() {
    let mut inbox = Inbox::new(WireLimits::default());
    assert_eq!(inbox.feed(&[0, 0, 1, 0]).next(), Ok(None));
    assert!(inbox.feed(&[9]).next().is_err());
    assert!(inbox.feed(&captured("5.5.0-json").remove(0).bytes).next().is_err());
    assert_eq!((inbox.held(), inbox.capacity()), (0, 0));
}

/// Decodes whatever comes; the point is that it returns.
fn decode_all(bytes: &[u8]) {
    let limits = WireLimits::default();
    let mut inbox = Inbox::new(limits);
    let mut frames = inbox.feed(bytes);
    while let Ok(Some(frame)) = frames.next() {
        if let Ok(header) = Header::parse(&frame, &limits) {
            assert!(header.ext.iter().count() <= limits.max_ext_fields);
        }
    }
}

#[test]
fn mutated_lengths_and_cut_headers_never_panic() {
    for frame in all_captured().into_iter().filter(|frame| frame.bytes.len() < 1000) {
        let header = 8..8 + usize::from(u16::from_be_bytes([frame.bytes[6], frame.bytes[7]]));
        for end in header.clone() {
            // A header cut short, in a frame that says so.
            let mut cut = frame.bytes[..end].to_vec();
            cut[..4].copy_from_slice(&(end as u32 - 4).to_be_bytes());
            cut[5..8].copy_from_slice(&(end as u32 - 8).to_be_bytes()[1..]);
            decode_all(&cut);
        }
        for at in (0..8).chain(header) {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff, frame.bytes[at].wrapping_add(1)] {
                let mut changed = frame.bytes.clone();
                changed[at] = value;
                decode_all(&changed);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_cut_of_a_damaged_stream_gives_the_same(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        sizes in prop::collection::vec(1_usize..400, 1..20),
    ) {
        let frames = captured("5.5.0-binary");
        let mut stream: Vec<u8> =
            picks.iter().flat_map(|pick| pick.get(&frames).bytes.clone()).collect();
        if let Some((at, value)) = damage {
            *at.get_mut(&mut stream) = value;
        }
        let limits = WireLimits { max_frame: 4096, max_header: 512, ..WireLimits::default() };
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(read(pieces, limits), read([stream.as_slice()], limits));
    }
}
