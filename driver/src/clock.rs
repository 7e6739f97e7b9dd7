//! Time for the core: microseconds since the client was made, and the wall clock.

use crate::runtime::Runtime;
use rocketmq_core::ground::{Instant, Now};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The runtime's clock without the runtime's type, so that handles need no type parameter.
pub(crate) trait Clock: Send + Sync {
    /// Both times at once.
    fn now(&self) -> Now;
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
    fn now(&self) -> Now {
        let mono = Instant::ZERO + self.runtime.now().saturating_duration_since(self.origin);
        // A wall clock before 1970 is set wrongly; it is only copied into messages.
        let wall = self.runtime.wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono, unix_ms: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX) }
    }
}
