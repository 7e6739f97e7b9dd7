//! Time for the core: microseconds since the client was made, and the wall clock.

use crate::runtime::Runtime;
use rocketmq_core::ground::{Instant, Now};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The runtime's clock without the runtime's type, so that handles need no type parameter.
pub(crate) trait Clock: Send + Sync {
    /// Monotonic time since the client was made.
    fn mono(&self) -> Instant;
    /// Milliseconds since the Unix epoch.
    fn unix_ms(&self) -> i64;
}

/// So long the wall clock is not looked at again: messages carry whole milliseconds, and many come within one. Reading two
/// clocks for each of them would be a good part of what a send costs.
const WALL_CLOCK_HOLDS: Duration = Duration::from_millis(1);

/// The last look at the wall clock.
#[derive(Debug, Default)]
pub(crate) struct LastLook(Option<Now>);

impl LastLook {
    /// Both times.
    pub(crate) fn now(&mut self, clock: &dyn Clock) -> Now {
        let mono = clock.mono();
        match self.0 {
            Some(last) if mono < last.mono + WALL_CLOCK_HOLDS => Now { mono, unix_ms: last.unix_ms },
            _ => {
                let now = Now { mono, unix_ms: clock.unix_ms() };
                self.0 = Some(now);
                now
            }
        }
    }
}

/// Measures with the runtime's own monotonic clock, so that a paused one stands still here too.
#[derive(Debug)]
pub(crate) struct RuntimeClock<R> {
    runtime: Arc<R>,
    origin: std::time::Instant,
}

impl<R: Runtime> RuntimeClock<R> {
    pub(crate) fn new(runtime: Arc<R>) -> Self {
        let origin = runtime.now();
        Self { runtime, origin }
    }

    /// When the core's instant is, on the runtime's clock; none when that is further than it can count.
    pub(crate) fn to_runtime(&self, at: Instant) -> Option<std::time::Instant> {
        if at == Instant::NEVER {
            return None;
        }
        self.origin.checked_add(Duration::from_micros(at.as_micros()))
    }
}

impl<R: Runtime> Clock for RuntimeClock<R> {
    fn mono(&self) -> Instant {
        Instant::ZERO + self.runtime.now().saturating_duration_since(self.origin)
    }

    fn unix_ms(&self) -> i64 {
        // A wall clock before 1970 is set wrongly; it is only copied into messages.
        let wall = self.runtime.wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, LastLook};
    use rocketmq_core::ground::Instant;
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    #[derive(Default)]
    struct Hands {
        mono: AtomicU64,
        wall: AtomicI64,
        looks: AtomicU64,
    }

    impl Clock for Hands {
        fn mono(&self) -> Instant {
            Instant::from_micros(self.mono.load(Ordering::Relaxed))
        }

        fn unix_ms(&self) -> i64 {
            self.looks.fetch_add(1, Ordering::Relaxed);
            self.wall.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn the_wall_clock_is_looked_at_once_in_a_millisecond() {
        let (hands, mut last) = (Hands::default(), LastLook::default());
        for step in 0..10_000_i64 {
            hands.wall.store(step * 300 / 1_000, Ordering::Relaxed);
            let now = last.now(&hands);
            assert_eq!(i64::try_from(now.mono.as_micros()), Ok(step * 300));
            let behind = step * 300 / 1_000 - now.unix_ms;
            assert!((0..=1).contains(&behind), "behind by {behind} ms");
            hands.mono.fetch_add(300, Ordering::Relaxed);
        }
        assert_eq!(hands.looks.load(Ordering::Relaxed), 2_500, "each holds for four steps");
        // Set back by an hour.
        hands.wall.fetch_sub(3_600_000, Ordering::Relaxed);
        hands.mono.fetch_add(1_000, Ordering::Relaxed);
        assert_eq!(last.now(&hands).unix_ms, hands.wall.load(Ordering::Relaxed));
    }
}
