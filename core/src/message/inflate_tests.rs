//! Bodies that zlib itself compressed, as Java's clients do, and others.

use super::*;
use crate::message::{Message, hex};
use alloc::vec;
use alloc::vec::Vec;
use miniz_oxide::deflate::compress_to_vec_zlib;
use proptest::prelude::*;

/// The text that is in most of them.
const PLAIN: &str = "four apples, four pears, four plums; four apples, four pears, four plums; \
                     four apples, four pears, four plums; ";
/// By zlib 1.2.13 as it comes.
const DEFAULT: &str = "789C4BCB2F2D52482C28C8492DD6514803710A52138BE0EC9CD2DC626B089B2A8A00D3DB2809";
/// The same without looking for what comes twice.
const LETTERS_ONLY: &str = concat!(
    "780105C1410D00410803402B15808353C3035E6C684AEAFF667A2D243975815E0BACD4057A2D70FCEE43AF8524A72ED06B8195BA40AF058EDF",
    "7DE8B590E4D4057A2DB05217E8B5C0F1BB0F3FD3DB2809"
);
/// `ab`, `cd` and `e` verbatim, with an empty part behind each of the first two.
const VERBATIM: &str = "7801000200FDFF6162000000FFFF000200FDFF6364000000FFFF010100FEFF6505C801F0";
/// With a dictionary that the reader would have to know.
const WITH_DICTIONARY: &str = "78BB1A0704624B43307514C09C82D4C422383BA734B7D85A817A8A00D3DB2809";
/// An interpreter tries some lengths only.
const STEP: usize = if cfg!(miri) { 20 } else { 1 };
/// Bits of the system flag that say nothing of compression.
const OTHER_BITS: i32 = 0x4;

fn bytes(text: &str) -> Vec<u8> {
    let digit = |at: usize| hex::read(&text.as_bytes()[at..at + 2]).unwrap();
    (0..text.len()).step_by(2).map(|at| u8::try_from(digit(at)).unwrap()).collect()
}

fn stored(body: &[u8], system_flag: i32) -> MessageExt {
    MessageExt {
        message: Message::new("T".parse().unwrap(), Bytes::copy_from_slice(body)),
        queue_id: 0,
        queue_offset: 0,
        commit_log_offset: 0,
        system_flag,
        born_timestamp: 0,
        born_host: ([10, 0, 0, 1], 1).into(),
        store_timestamp: 0,
        store_host: ([10, 0, 0, 2], 2).into(),
        reconsume_times: 0,
        prepared_transaction_offset: 0,
    }
}

/// The plain body; none when the message stayed as it was, which it then did in every respect.
#[track_caller]
fn inflated(body: &[u8], most: usize) -> Option<Bytes> {
    let before = stored(body, 0x301 | OTHER_BITS);
    let mut message = before.clone();
    message.inflate(most);
    if message == before {
        return None;
    }
    assert_eq!((message.compression(), message.system_flag), (None, OTHER_BITS));
    Some(message.message.body().clone())
}

#[test]
fn what_zlib_wrote_comes_as_it_was_sent() {
    for body in [DEFAULT, LETTERS_ONLY] {
        assert_eq!(inflated(&bytes(body), 1_000).unwrap(), PLAIN);
    }
    assert_eq!(inflated(&bytes(VERBATIM), 1_000).unwrap(), "abcde");
    assert_eq!(inflated(&compress_to_vec_zlib(b"", 6), 0).unwrap(), "");
}

#[test]
fn a_body_may_have_as_many_bytes_as_the_cap_and_not_one_more() {
    for (body, len) in [(DEFAULT, PLAIN.len()), (LETTERS_ONLY, PLAIN.len()), (VERBATIM, 5)] {
        let body = bytes(body);
        assert_eq!(inflated(&body, len).unwrap().len(), len);
        for most in (0..len).rev().step_by(STEP) {
            assert_eq!(inflated(&body, most), None, "{len} bytes for {most}");
        }
    }
}

#[test]
fn a_body_that_is_cut_off_stays_as_it_is_wherever_that_is() {
    for body in [DEFAULT, LETTERS_ONLY, VERBATIM] {
        let body = bytes(body);
        for len in (0..body.len()).rev().step_by(STEP) {
            assert_eq!(inflated(&body[..len], 1_000), None, "{len} of {}", body.len());
        }
    }
}

#[test]
fn what_is_not_zlib_stays_as_it_is() {
    let garbage = [&b"no zlib"[..], &[0; 40], &[0xff; 40], &[0x78, 0x9c], &bytes(WITH_DICTIONARY)];
    for body in garbage {
        assert_eq!(inflated(body, 1_000), None, "{body:x?}");
    }
    // gzip, and blocks without their wrapper.
    assert_eq!(inflated(&bytes("1F8B08000000000002034B4C4A0600C241243503000000"), 1_000), None);
    assert_eq!(inflated(&bytes(DEFAULT)[2..], 1_000), None);
    // The text came out well, and its checksum is another one.
    let mut body = bytes(DEFAULT);
    *body.last_mut().unwrap() ^= 1;
    assert_eq!(inflated(&body, 1_000), None);
}

#[test]
fn no_other_compression_is_touched() {
    for flag in [0x000, 0x300, 0x101, 0x201, 0x701] {
        let before = stored(&bytes(DEFAULT), flag);
        let mut message = before.clone();
        message.inflate(1_000);
        assert_eq!(message, before, "{flag:#x}");
    }
    // Clients before 4.9.4 name no type.
    let mut message = stored(&bytes(DEFAULT), 0x001);
    message.inflate(1_000);
    assert_eq!((message.message.body(), message.system_flag), (&Bytes::from(PLAIN), 0));
}

/// What a message counts for in limits is the length of its body, so it must not hold more.
#[test]
fn no_more_memory_is_kept_than_the_body_has_bytes() {
    let mut padded = bytes(VERBATIM);
    // Behind the end, where nobody reads.
    padded.resize(10_000, 0);
    for body in [bytes(DEFAULT), padded] {
        let plain = inflated(&body, 20_000).unwrap();
        let len = plain.len();
        assert_eq!(plain.try_into_mut().unwrap().capacity(), len);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_bomb_stays_as_it_is() {
    let bomb = compress_to_vec_zlib(&vec![0; 4_000_000], 9);
    assert!(bomb.len() < 5_000);
    assert_eq!(inflated(&bomb, 3_999_999), None);
    assert_eq!(inflated(&bomb, 4_000_000).unwrap().len(), 4_000_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 500 }))]

    #[test]
    fn a_round_trip_gives_the_same(
        plain in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            prop::collection::vec(0_u8..3, 0..2_000),
        ],
        level in 0_u8..11,
        spare in 0_usize..3,
    ) {
        let body = compress_to_vec_zlib(&plain, level);
        prop_assert_eq!(inflated(&body, plain.len() + spare).unwrap(), &plain);
        if let Some(most) = plain.len().checked_sub(1 + spare) {
            prop_assert_eq!(inflated(&body, most), None);
        }
    }

    #[test]
    fn no_bytes_panic_or_give_more_than_the_cap(
        has_header in any::<bool>(),
        body in prop::collection::vec(any::<u8>(), 0..300),
        most in 0_usize..600,
    ) {
        let header: &[u8] = if has_header { &[0x78, 0x9c] } else { &[] };
        if let Some(plain) = inflated(&[header, &body].concat(), most) {
            prop_assert!(plain.len() <= most);
        }
    }
}
