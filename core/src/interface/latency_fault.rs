//! The settings of the latency-fault strategy: which brokers are avoided, and for how long.

use super::config::ConfigError;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A failed attempt counts as one of this latency, as in Java.
pub(crate) const FAILED_COUNTS_AS: Duration = Duration::from_secs(10);

/// More rows than anybody needs; they are searched with each outcome.
const MOST_ROWS: usize = 64;
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Avoids brokers that answer late or fail: the latency-fault strategy, Java's `sendLatencyFaultEnable`.
///
/// How long an attempt took decides how long its broker gets no further messages, by a table of two columns. A failed
/// attempt counts as one of 10 s. When the time is over, one message is sent there to try it; the others follow when
/// that was answered in time.
///
/// Only sends that may go to any queue follow it, and only while another broker of the topic is not avoided: it never
/// makes a send fail or wait. Without this strategy a client goes round all brokers that are connected and give signs of
/// life, however slow they are.
///
/// | field | default | Java name |
/// |---|---|---|
/// | `latency_max` | 50, 100, 550, 1 800, 3 000, 5 000, 15 000 ms | `latencyMax` |
/// | `not_available_duration` | 0, 0, 2, 5, 6, 10, 30 s | `notAvailableDuration` |
/// | `detector` | none | `startDetectorEnable` |
///
/// ```
/// use core::time::Duration;
/// use rocketmq_core::interface::{FaultDetector, LatencyFault};
///
/// let mut settings = LatencyFault { detector: Some(FaultDetector::default()), ..LatencyFault::default() };
/// settings.check()?;
/// settings.latency_max.push(Duration::from_secs(60));
/// assert_eq!(settings.check().unwrap_err().field, "not_available_duration");
/// # Ok::<(), rocketmq_core::interface::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "sendLatencyFaultEnable")]
#[doc(alias = "MQFaultStrategy")]
pub struct LatencyFault {
    /// The least latencies of the rows of the table, ascending.
    #[doc(alias = "setLatencyMax")]
    pub latency_max: Vec<Duration>,
    /// For how long a broker is avoided after an attempt of at least the latency in the same row. As long as
    /// `latency_max`, and nowhere descending.
    #[doc(alias = "setNotAvailableDuration")]
    pub not_available_duration: Vec<Duration>,
    /// Asks a broker that has failed for a sign of life before it gets a message again.
    #[doc(alias = "setStartDetectorEnable")]
    pub detector: Option<FaultDetector>,
}

/// Asks brokers that have failed for a sign of life, by a heartbeat, when their time is over. One that does not answer
/// stays avoided and is asked again. Java asks for the largest offset of some topic instead, and asks all brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "startDetectorEnable")]
pub struct FaultDetector {
    /// Between two questions to one broker. Default 2 s.
    #[doc(alias = "setDetectInterval")]
    pub interval: Duration,
    /// How long the answer may take. Default 200 ms.
    #[doc(alias = "setDetectTimeout")]
    pub timeout: Duration,
}

impl Default for LatencyFault {
    fn default() -> Self {
        let latencies = [50, 100, 550, 1_800, 3_000, 5_000, 15_000];
        Self {
            latency_max: latencies.map(Duration::from_millis).to_vec(),
            not_available_duration: [0, 0, 2, 5, 6, 10, 30].map(Duration::from_secs).to_vec(),
            detector: None,
        }
    }
}

impl Default for FaultDetector {
    fn default() -> Self {
        Self { interval: Duration::from_secs(2), timeout: Duration::from_millis(200) }
    }
}

impl LatencyFault {
    /// Refuses tables that can never work, naming the field.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, reason: String| Err(ConfigError { field, reason });
        let (latencies, durations) = (&self.latency_max, &self.not_available_duration);
        if latencies.is_empty() || latencies.len() > MOST_ROWS {
            let given = latencies.len();
            return refuse("latency_max", format!("{given} rows are not between 1 and {MOST_ROWS}"));
        }
        if durations.len() != latencies.len() {
            let (given, wanted) = (durations.len(), latencies.len());
            return refuse("not_available_duration", format!("has {given} rows, latency_max has {wanted}"));
        }
        if let Some((low, high)) = pairs(latencies).find(|(low, high)| low >= high) {
            return refuse("latency_max", format!("{high:?} after {low:?} is not ascending"));
        }
        if let Some((low, high)) = pairs(durations).find(|(low, high)| low > high) {
            return refuse("not_available_duration", format!("{high:?} after {low:?} is descending"));
        }
        for (field, longest) in
            [("latency_max", latencies.last()), ("not_available_duration", durations.last())]
        {
            if longest.is_some_and(|longest| *longest > LONGEST) {
                return refuse(field, format!("{longest:?} is longer than a year"));
            }
        }
        if self.back_off(FAILED_COUNTS_AS).is_zero() {
            let reason = format!("is zero for a failed attempt, which counts as {FAILED_COUNTS_AS:?}");
            return refuse("not_available_duration", reason);
        }
        let Some(FaultDetector { interval, timeout }) = self.detector else {
            return Ok(());
        };
        for (field, value) in [("detector.interval", interval), ("detector.timeout", timeout)] {
            if value.is_zero() || value > LONGEST {
                return refuse(field, format!("{value:?} is not between 1 ns and a year"));
            }
        }
        Ok(())
    }

    /// For how long a broker is avoided after an attempt that took so long.
    pub(crate) fn back_off(&self, latency: Duration) -> Duration {
        let rows = self.latency_max.iter().zip(&self.not_available_duration);
        rows.rev().find(|(least, _)| latency >= **least).map_or(Duration::ZERO, |(_, duration)| *duration)
    }
}

/// Each duration with the one behind it.
fn pairs(list: &[Duration]) -> impl Iterator<Item = (&Duration, &Duration)> {
    list.iter().zip(list.iter().skip(1))
}

#[cfg(test)]
mod tests {
    use super::{FaultDetector, LatencyFault};
    use alloc::vec::Vec;
    use core::time::Duration;

    fn millis(list: &[u64]) -> Vec<Duration> {
        list.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn the_table_is_that_of_java() {
        let settings = LatencyFault::default();
        settings.check().unwrap();
        for (latency, back_off) in [
            (0, 0),
            (50, 0),
            (549, 0),
            (550, 2_000),
            (1_799, 2_000),
            (1_800, 5_000),
            (3_000, 6_000),
            (4_999, 6_000),
            (5_000, 10_000),
            (10_000, 10_000),
            (15_000, 30_000),
            (u64::MAX, 30_000),
        ] {
            let expected = Duration::from_millis(back_off);
            assert_eq!(settings.back_off(Duration::from_millis(latency)), expected, "{latency} ms");
        }
    }

    #[test]
    fn tables_that_cannot_work_are_refused_by_name() {
        let year = 366 * 86_400_000;
        let wrong: [(&[u64], &[u64], &str, &str); 11] = [
            (&[], &[], "latency_max", "0 rows"),
            (&[1; 65], &[1; 65], "latency_max", "65 rows"),
            (&[1, 2], &[1], "not_available_duration", "has 1 rows, latency_max has 2"),
            (&[1], &[1, 2], "not_available_duration", "has 2 rows, latency_max has 1"),
            (&[2, 1], &[1, 2], "latency_max", "1ms after 2ms is not ascending"),
            (&[1, 1], &[1, 2], "latency_max", "1ms after 1ms is not ascending"),
            (&[1, 2], &[2, 1], "not_available_duration", "1ms after 2ms is descending"),
            (&[year + 1], &[1], "latency_max", "longer than a year"),
            (&[1], &[year + 1], "not_available_duration", "longer than a year"),
            (&[1, 2], &[0, 0], "not_available_duration", "is zero for a failed attempt"),
            (&[1, 60_000], &[0, 9], "not_available_duration", "is zero for a failed attempt"),
        ];
        for (latencies, durations, field, reason) in wrong {
            let settings = LatencyFault {
                latency_max: millis(latencies),
                not_available_duration: millis(durations),
                detector: None,
            };
            let error = settings.check().unwrap_err();
            assert_eq!(error.field, field);
            assert!(error.reason.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_detector_without_time_is_refused_by_name() {
        let right = FaultDetector::default();
        for (detector, field) in [
            (FaultDetector { interval: Duration::ZERO, ..right }, "detector.interval"),
            (FaultDetector { timeout: Duration::ZERO, ..right }, "detector.timeout"),
            (FaultDetector { timeout: Duration::MAX, ..right }, "detector.timeout"),
        ] {
            let settings = LatencyFault { detector: Some(detector), ..LatencyFault::default() };
            assert_eq!(settings.check().unwrap_err().field, field);
        }
    }
}
