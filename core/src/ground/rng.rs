//! The only source of randomness: a generator grown from the seed in the configuration.

/// A small, fast generator (SplitMix64). Not for secrets.
///
/// ```
/// use rocketmq_core::ground::Rng;
///
/// let mut a = Rng::new(7).fork("queue-start");
/// let mut b = Rng::new(7).fork("queue-start");
/// assert_eq!(a.next_u64(), b.next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Rng {
    /// A generator whose sequence is a function of `seed` alone.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An independent generator for one use. A new label does not shift the sequence of any other.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        let hash = label.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        let mut child = Self { state: self.state ^ hash };
        // One step apart from the parent, so that an empty label is not the parent itself.
        child.state = child.next_u64();
        child
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The multiply-shift map; its bias is below 2^-32 for the small bounds used here.
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// `length` shortened by a random part of up to half: keeps many clients from acting at once.
    pub fn jitter(&mut self, length: core::time::Duration) -> core::time::Duration {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        core::time::Duration::from_micros(micros - self.below(micros / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;
    use core::time::Duration;

    #[test]
    fn labels_give_independent_sequences() {
        let root = Rng::new(1);
        assert_ne!(root.fork("a").next_u64(), root.fork("b").next_u64());
        assert_ne!(root.fork("").next_u64(), root.clone().next_u64());
    }

    #[test]
    fn below_stays_below_and_reaches_everything() {
        let mut rng = Rng::new(3);
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            seen[usize::try_from(rng.below(7)).unwrap()] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn jitter_keeps_at_least_half() {
        let mut rng = Rng::new(9);
        for _ in 0..1_000 {
            let d = rng.jitter(Duration::from_millis(100));
            assert!(d >= Duration::from_millis(50) && d <= Duration::from_millis(100));
        }
        assert_eq!(rng.jitter(Duration::ZERO), Duration::ZERO);
    }
}
