//! Time of one part of a loop, added up.

use std::time::{Duration, Instant};

/// Adds up the time of what it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stopwatch(Duration);

impl Stopwatch {
    /// Runs `work` and counts its time.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.0 += start.elapsed();
        result
    }

    /// The time of everything so far, in nanoseconds.
    #[must_use]
    pub fn nanos(&self) -> f64 {
        self.0.as_nanos() as f64
    }
}

/// The one in the middle; of an even number the lower of the two. None of none.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::{Stopwatch, median};
    use std::time::Duration;

    #[test]
    fn only_what_runs_inside_counts() {
        let mut watch = Stopwatch::default();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(watch.time(|| 7), 7);
        assert!(watch.nanos() < 20e6);
        watch.time(|| std::thread::sleep(Duration::from_millis(2)));
        assert!(watch.nanos() >= 2e6);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[4.0, 3.0, 2.0, 1.0]), Some(2.0));
    }
}
