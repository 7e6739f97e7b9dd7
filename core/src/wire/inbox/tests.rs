use alloc::vec;

use super::{Inbox, KEPT_CAPACITY};
use crate::wire::WireLimits;

const FRAME: &[u8] = &[0, 0, 0, 8, 1, 0, 0, 2, b'h', b'h', b'b', b'b'];

#[test]
fn whole_frames_are_read_in_place() {
    let stream = [FRAME, FRAME].concat();
    let mut inbox = Inbox::new(WireLimits::default());
    let mut frames = inbox.feed(&stream);
    for start in [0, FRAME.len()] {
        let frame = frames.next().unwrap().unwrap();
        assert_eq!(frame.header.as_ptr(), stream[start + 8..].as_ptr());
        assert_eq!((frame.header, frame.body), (&b"hh"[..], &b"bb"[..]));
    }
    assert_eq!(frames.next(), Ok(None));
    assert_eq!(inbox.capacity(), 0);
}

#[test]
fn after_the_held_frame_the_others_are_read_in_place_again() {
    let stream = [FRAME, FRAME, FRAME].concat();
    let mut inbox = Inbox::new(WireLimits::default());
    assert_eq!(inbox.feed(&stream[..6]).next(), Ok(None));
    assert_eq!(inbox.held(), 6);
    let rest = &stream[6..];
    let mut frames = inbox.feed(rest);
    assert!(frames.next().unwrap().is_some());
    let second = frames.next().unwrap().unwrap();
    assert_eq!(second.header.as_ptr(), rest[FRAME.len() - 6 + 8..].as_ptr());
    assert!(frames.next().unwrap().is_some());
    assert_eq!(frames.next(), Ok(None));
    assert_eq!((inbox.held(), inbox.frame_start()), (0, stream.len() as u64));
}

#[test]
fn a_frame_handed_out_last_is_not_held_any_more() {
    let mut inbox = Inbox::new(WireLimits::default());
    assert_eq!(inbox.feed(&FRAME[..9]).next(), Ok(None));
    assert!(inbox.feed(&FRAME[9..]).next().unwrap().is_some());
    assert_eq!(inbox.held(), 0);
    assert!(inbox.feed(FRAME).next().unwrap().is_some());
}

#[test]
fn a_small_buffer_is_kept_for_the_next_frame() {
    let mut frame = vec![0; KEPT_CAPACITY];
    frame[..4].copy_from_slice(&(KEPT_CAPACITY as u32 - 4).to_be_bytes());
    frame[7] = 2;
    let mut inbox = Inbox::new(WireLimits::default());
    for _ in 0..3 {
        let (a, b) = frame.split_at(100);
        assert_eq!(inbox.feed(a).next(), Ok(None));
        let mut frames = inbox.feed(b);
        assert!(frames.next().unwrap().is_some());
        assert_eq!(frames.next(), Ok(None));
        assert_eq!(inbox.capacity(), KEPT_CAPACITY);
    }
}
