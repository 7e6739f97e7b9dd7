//! Upper-case hexadecimal text, as Java writes identifiers.

/// The two digits of each byte.
static PAIRS: [[u8; 2]; 256] = pairs();

const fn pairs() -> [[u8; 2]; 256] {
    let digits = b"0123456789ABCDEF";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
}

/// Writes the digits of `bytes` to the start of `out`, as many as fit.
pub(super) fn write_upper(bytes: &[u8], out: &mut [u8]) {
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&PAIRS[usize::from(*byte)]);
    }
}

/// The four digits of a number.
#[inline]
pub(super) fn upper_u16(number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    let ([a, b], [c, d]) = (PAIRS[usize::from(high)], PAIRS[usize::from(low)]);
    [a, b, c, d]
}

/// Reads hexadecimal digits of either case, most significant first. `None`: another character, or
/// more than 32 digits.
pub(super) fn read(digits: &[u8]) -> Option<u128> {
    if digits.len() > 32 {
        return None;
    }
    digits.iter().try_fold(0u128, |number, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some((number << 4) | u128::from(value))
    })
}
