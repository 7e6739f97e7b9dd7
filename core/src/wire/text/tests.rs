use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::{
    any_below, control_escape, eight_digits, find_special, first_mark, in_eights, is_special, plain_ascii,
    short_digits, short_word, specials,
};

#[test]
fn every_byte_is_judged_rightly_at_every_place() {
    for byte in 0..=255_u8 {
        for place in 0..8 {
            for around in [b'a', 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xff] {
                let mut word = [around; 8];
                word[place] = byte;
                let marks = specials(u64::from_le_bytes(word));
                assert_eq!(marks != 0, is_special(byte), "{byte:#x} at {place}");
                if marks != 0 {
                    assert_eq!(first_mark(marks), place);
                }
            }
        }
    }
}

#[test]
fn the_first_special_byte_is_found_in_texts_of_any_length() {
    for len in 0..40 {
        let mut text = alloc::vec![b'x'; len];
        assert_eq!(find_special(&text), len);
        for at in (0..len).rev() {
            text[at] = b'\\';
            assert_eq!(find_special(&text), at);
        }
    }
}

#[test]
fn short_texts_are_filled_with_spaces() {
    for len in 0..8 {
        let mut expected = [b' '; 8];
        expected[..len].copy_from_slice(&b"abcdefg"[..len]);
        assert_eq!(short_word(&b"abcdefg"[..len]).to_le_bytes(), expected);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn digits_are_those_of_the_standard_library() {
    let powers = (0..8).map(|n| 10_u32.pow(n)).flat_map(|power| [power - 1, power, power + 1]);
    for value in (0..20_000).chain((0..1000).map(|n| n * 99_991)).chain(powers) {
        let (word, len) = short_digits(value);
        assert_eq!(&word[..len], value.to_string().as_bytes());
    }
}

#[test]
fn eights_are_the_digits_of_the_standard_library() {
    let powers =
        (0..20).map(|n| 10_u64.pow(n)).flat_map(|power| [power - 1, power, power + 1, 7 * (power / 4)]);
    for value in powers.chain([u64::MAX, 1_700_000_000_000, i64::MIN.unsigned_abs()]) {
        let digits: Vec<u8> =
            in_eights(value).into_iter().flat_map(|part| eight_digits(part).to_le_bytes()).collect();
        assert_eq!(core::str::from_utf8(&digits).unwrap(), format!("{value:024}"));
    }
}

#[test]
fn control_characters_have_their_escape() {
    assert_eq!(&control_escape(0x01), b"\\u0001");
    assert_eq!(&control_escape(0x1f), b"\\u001f");
}

#[test]
fn plain_ascii_ends_at_the_first_other_byte() {
    for len in 0..20 {
        for at in 0..len {
            for other in [b'"', b'\\', 0x1f, 0x80, 0xff] {
                let mut text = vec![b'a'; len];
                text[at] = other;
                assert_eq!(plain_ascii(&text), at, "{other:#x} at {at} of {len}");
            }
        }
        assert_eq!(plain_ascii(&vec![0x7f; len]), len);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_byte_below_the_limit_is_found_at_every_place() {
    for byte in [0, 1, 0x1f, 0x20, 0x21, b'a', 0x7f, 0x80, 0x9f, 0xa0, 0xff] {
        for around in [0x21, 0x22, 0x7f, 0x80, 0xff] {
            for len in 1..20 {
                for at in 0..len {
                    let mut text = vec![around; len];
                    text[at] = byte;
                    assert_eq!(any_below::<0x20>(&text), byte < 0x20, "{byte:#x} at {at} of {len}");
                    assert_eq!(any_below::<0x21>(&text), byte < 0x21, "{byte:#x} at {at} of {len}");
                }
            }
        }
    }
    assert!(!any_below::<0x80>(&[]));
}
