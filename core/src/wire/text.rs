//! Looking for single bytes in text eight at a time, and decimal digits.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks the bytes a JSON string cannot hold as they are: quote, backslash, control characters.
///
/// Only the lowest mark is exact, a borrow can set further ones.
#[inline(always)]
pub(crate) const fn specials(word: u64) -> u64 {
    // Flipping bit 1 makes the quote 0x20, next to the control characters, and moves the space out.
    let quote_or_control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (quote_or_control | backslash) & !word & HIGH
}

/// Length of the front part that is ASCII without quotes, backslashes and control characters.
#[inline(always)]
pub(crate) fn plain_ascii(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let marks = specials(word) | word & HIGH;
        if marks != 0 {
            return bytes.len() - rest.len() + first_mark(marks);
        }
        rest = after;
    }
    let plain = rest.iter().take_while(|byte| !is_special(**byte) && byte.is_ascii());
    bytes.len() - rest.len() + plain.count()
}

/// Place of the lowest mark of [`specials`], 0 to 7; there is one.
#[inline(always)]
pub(crate) const fn first_mark(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize & 7
}

#[inline(always)]
const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Where the first quote, backslash or control character is; the length when there is none.
#[inline(always)]
pub(crate) fn find_special(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let marks = specials(u64::from_le_bytes(*chunk));
        if marks != 0 {
            return bytes.len() - rest.len() + first_mark(marks);
        }
        rest = after;
    }
    bytes.len() - rest.len() + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

/// Whether there is a byte below `LIMIT`, which is 0x80 at most.
#[inline(always)]
pub(crate) fn any_below<const LIMIT: u8>(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        if marks_below::<LIMIT>(u64::from_le_bytes(*chunk)) {
            return true;
        }
        rest = after;
    }
    // The last ones together with bytes that were looked at before, if there are enough.
    match (bytes.last_chunk::<8>(), rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(last), ..) => marks_below::<LIMIT>(u64::from_le_bytes(*last)),
        (None, Some(low), Some(high)) => {
            let (low, high) = (u32::from_le_bytes(*low), u32::from_le_bytes(*high));
            marks_below::<LIMIT>(u64::from(low) | u64::from(high) << 32)
        }
        _ => rest.iter().any(|byte| *byte < LIMIT),
    }
}

/// A borrow can only come from a byte below the limit: so which bytes are marked is not exact, but
/// whether any is.
#[inline(always)]
const fn marks_below<const LIMIT: u8>(word: u64) -> bool {
    word.wrapping_sub(ONES * LIMIT as u64) & !word & HIGH != 0
}

/// Up to seven bytes as one little-endian word, the rest filled with spaces.
#[inline(always)]
pub(crate) fn short_word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let filled = (0x2020_2020_2020_2020_u64).checked_shl(len as u32 * 8).unwrap_or(0);
    let word = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(low), Some(high)) if len < 8 => {
            let low = u64::from(u32::from_le_bytes(*low));
            low | u64::from(u32::from_le_bytes(*high)) << ((len - 4) * 8)
        }
        _ => match bytes {
            [a] => u64::from(*a),
            [a, b] => u64::from(*a) | u64::from(*b) << 8,
            [a, b, c] => u64::from(*a) | u64::from(*b) << 8 | u64::from(*c) << 16,
            _ => 0,
        },
    };
    word | filled
}

/// Eight decimal digits of a number below 10^8 as text, the highest digit in the lowest byte.
#[inline(always)]
pub(crate) const fn eight_digits(value: u32) -> u64 {
    // Divides in parallel: into halves of four digits, then of two, then single ones.
    let fours = (value / 10_000) as u64 | ((value % 10_000) as u64) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - tens * 10) << 8;
    ones | 0x3030_3030_3030_3030
}

/// Decimal digits of a number below 10^8 without leading zeros, and how many there are.
#[inline(always)]
pub(crate) const fn short_digits(value: u32) -> ([u8; 8], usize) {
    let word = eight_digits(value);
    // A last digit of 0 stays.
    let zeros = ((word & (ONES * 0x0f)) | 1 << 56).trailing_zeros() / 8;
    ((word >> (zeros * 8)).to_le_bytes(), 8 - zeros as usize)
}

/// A number in parts of eight decimal digits, the highest first.
#[inline(always)]
pub(crate) const fn in_eights(value: u64) -> [u32; 3] {
    const EIGHT: u64 = 100_000_000;
    let (rest, low) = (value / EIGHT, value % EIGHT);
    [(rest / EIGHT) as u32, (rest % EIGHT) as u32, low as u32]
}

/// The escape `\u00XX` of a control character.
#[inline(always)]
pub(crate) const fn control_escape(byte: u8) -> [u8; 6] {
    const fn hex(digit: u8) -> u8 {
        if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
    }
    [b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]
}

#[cfg(test)]
mod tests;
