//! Latencies, all of them kept.

/// The latencies of a phase, in nanoseconds. Longer ones than 4.2 seconds count as that.
pub(crate) struct Latencies {
    nanos: Vec<u32>,
}

/// What is told of them, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Latencies {
    /// With room for `count`, so that measuring allocates nothing.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { nanos: Vec::with_capacity(count) }
    }

    pub(crate) fn add(&mut self, nanos: u64) {
        self.nanos.push(u32::try_from(nanos).unwrap_or(u32::MAX));
    }

    /// `None` without any.
    pub(crate) fn percentiles(mut self) -> Option<Percentiles> {
        self.nanos.sort_unstable();
        let last = self.nanos.len().checked_sub(1)?;
        let at = |share: f64| {
            let rank = (share * self.nanos.len() as f64).ceil() as usize;
            f64::from(self.nanos[rank.saturating_sub(1).min(last)]) / 1e3
        };
        Some(Percentiles { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_smallest_latencies_that_so_many_do_not_exceed() {
        let mut latencies = Latencies::with_capacity(1_000);
        for number in (1..=1_000).rev() {
            latencies.add(number * 1_000);
        }
        let expected = Percentiles { p50: 500.0, p90: 900.0, p99: 990.0, p999: 999.0, max: 1_000.0 };
        assert_eq!(latencies.percentiles(), Some(expected));
        assert_eq!(Latencies::with_capacity(0).percentiles(), None);
    }
}
