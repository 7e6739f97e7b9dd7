//! Time that comes in as a value: the core never asks a clock.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point of monotonic time: microseconds since an origin that the driver chose.
///
/// Arithmetic saturates, so a deadline of `Duration::MAX` is simply "never".
///
/// ```
/// use core::time::Duration;
/// use rocketmq_core::ground::Instant;
///
/// let start = Instant::from_micros(10);
/// assert_eq!(start + Duration::from_micros(5), Instant::from_micros(15));
/// assert_eq!(start + Duration::MAX, Instant::NEVER);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The origin.
    pub const ZERO: Self = Self(0);
    /// Later than every other instant.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The instant `millis` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`, zero when `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, length: Duration) -> Self {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER {
            return f.write_str("never");
        }
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What a driver knows about time. Wall time is only ever copied into messages and ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Now {
    /// Monotonic time: every deadline is measured with it.
    pub mono: Instant,
    /// Wall time in milliseconds since 1970 (UTC); may jump both ways.
    pub unix_ms: i64,
}
