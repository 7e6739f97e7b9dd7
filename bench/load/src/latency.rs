//! Every latency of a run, in a store whose size does not depend on their number: the peak of memory is a figure too.

use hdrhistogram::Histogram;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One store for each of the threads that may record at once.
const STORES: usize = 4;
/// What latencies are counted in.
const NANOS_PER_UNIT: u128 = 100;
/// The longest latency that is told apart: a minute.
const LONGEST: u64 = 600_000_000;
/// Digits that a percentile keeps.
const DIGITS: u8 = 3;

static NEXT_STORE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static STORE: usize = NEXT_STORE.fetch_add(1, Ordering::Relaxed) % STORES;
}

/// The latencies of a phase.
#[derive(Debug)]
pub struct Latencies {
    stores: Vec<Mutex<Histogram<u32>>>,
}

/// What a run tells of its latencies, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentiles {
    /// Half of them are no longer.
    pub p50: f64,
    /// Nine of ten are no longer.
    pub p90: f64,
    /// 99 of 100 are no longer.
    pub p99: f64,
    /// 999 of 1 000 are no longer.
    pub p999: f64,
    /// None is longer.
    pub max: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { stores: (0..STORES).map(|_| Mutex::new(empty())).collect() }
    }
}

impl Latencies {
    /// Counts one.
    pub fn record(&self, latency: Duration) {
        let units = u64::try_from(latency.as_nanos() / NANOS_PER_UNIT).unwrap_or(u64::MAX);
        let Some(store) = STORE.with(|store| self.stores.get(*store)) else { return };
        store.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(units);
    }

    /// Of all that were counted; none when there are none.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let mut all = empty();
        for store in &self.stores {
            // The bounds are the same, so that nothing can fail to fit.
            all += &*store.lock().unwrap_or_else(PoisonError::into_inner);
        }
        if all.is_empty() {
            return None;
        }
        let at = |quantile| micros(all.value_at_quantile(quantile));
        Some(Percentiles {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros(all.max()),
        })
    }
}

fn empty() -> Histogram<u32> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are constants that fit")
}

fn micros(units: u64) -> f64 {
    units as f64 * NANOS_PER_UNIT as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::Latencies;
    use std::time::Duration;

    #[test]
    fn percentiles_are_those_of_everything_that_was_recorded_on_any_thread() {
        let latencies = Latencies::default();
        assert_eq!(latencies.percentiles(), None);
        std::thread::scope(|scope| {
            for part in 0..10_u64 {
                let latencies = &latencies;
                scope.spawn(move || {
                    for n in 0..1_000 {
                        latencies.record(Duration::from_micros(part * 1_000 + n + 1));
                    }
                });
            }
        });
        let found = latencies.percentiles().unwrap();
        for (found, wanted) in
            [(found.p50, 5_000.0), (found.p90, 9_000.0), (found.p99, 9_900.0), (found.max, 10_000.0)]
        {
            assert!((found - wanted).abs() <= wanted / 500.0, "{found} is not {wanted}");
        }
    }

    #[test]
    fn what_is_longer_than_the_longest_counts_as_the_longest() {
        let latencies = Latencies::default();
        latencies.record(Duration::from_secs(3_600));
        let found = latencies.percentiles().unwrap();
        assert!((59_000_000.0..62_000_000.0).contains(&found.max), "{found:?}");
    }
}
