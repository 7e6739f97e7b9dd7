//! The hash of a run: every input and every action, with all their fields, in the order in which they came.

use std::hash::{Hash, Hasher};

/// Odd, with an even mix of ones and zeros: the fraction of the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash that is the same on every machine and in every run, eight bytes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceHash(u64);

impl Default for TraceHash {
    fn default() -> TraceHash {
        TraceHash(0xCBF2_9CE4_8422_2325)
    }
}

impl TraceHash {
    pub(crate) fn value(self) -> u64 {
        self.0
    }

    pub(crate) fn add(&mut self, value: &impl Hash) {
        value.hash(self);
    }

    /// The hash of one value alone.
    pub(crate) fn of(value: &impl Hash) -> u64 {
        let mut hash = TraceHash::default();
        hash.add(value);
        hash.value()
    }

    fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(MULTIPLIER);
        // Both halves count, so that every bit of the word reaches every bit of the state; the addition keeps words
        // that stand in another order apart.
        let folded = (product as u64) ^ ((product >> 64) as u64);
        self.0 = folded.wrapping_add(self.0.rotate_left(29));
    }
}

impl Hasher for TraceHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            // A piece has at most seven bytes: its length fits above them.
            last[7] = rest.len() as u8;
            self.word(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.word(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.word(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.word(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.word(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.word(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.word(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::TraceHash;

    #[test]
    fn every_bit_of_a_value_counts() {
        let mut seen: Vec<u64> = vec![TraceHash::of(&[0_u64; 4])];
        for bit in 0..256 {
            let mut value = [0_u64; 4];
            value[bit / 64] |= 1 << (bit % 64);
            seen.push(TraceHash::of(&value));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 257);
    }

    #[test]
    fn length_and_order_count() {
        let of = |value: &[u8]| TraceHash::of(&value);
        assert_ne!(of(b"ab"), of(b"ab\0"));
        assert_ne!(of(b"abcdefgh"), of(b"abcdefg"));
        assert_ne!(TraceHash::of(&(1_u8, 2_u8)), TraceHash::of(&(2_u8, 1_u8)));
        assert_ne!(TraceHash::of(&("ab", "c")), TraceHash::of(&("a", "bc")));
        assert_ne!(TraceHash::of(&Some(0_u8)), TraceHash::of(&None::<u8>));
    }

    #[test]
    fn the_same_value_has_the_same_hash_everywhere() {
        assert_eq!(TraceHash::of(&"orders"), TraceHash::of(&String::from("orders")));
        assert_eq!(TraceHash::of(&7_u64), 0xF0A3_0FD8_10AB_2643);
    }
}
