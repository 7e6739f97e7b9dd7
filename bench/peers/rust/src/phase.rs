//! One stretch of sends.

use hdrhistogram::{CreationError, Histogram};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const MOST_NANOSECONDS: u64 = 600_000_000_000;
/// Three digits are kept: 0.1 % of the value.
const DIGITS: u8 = 3;
const MOST_ERROR_TEXT: usize = 300;

/// Hands out the numbers of the messages, and is told how each of them ended.
pub(crate) struct Phase {
    first: u64,
    count: u64,
    rate: Option<f64>,
    start: Instant,
    next: AtomicU64,
    /// Has a permit for each message that is due and was not taken. Used at a fixed rate only.
    due: Semaphore,
    latencies: Mutex<Histogram<u64>>,
    failed: AtomicU64,
    first_error: OnceLock<String>,
}

impl Phase {
    /// Messages `first`, `first + 1`, ...: `count` of them. The clock starts now.
    pub(crate) fn new(first: u64, count: u64, rate: Option<f64>) -> Result<Self, CreationError> {
        Ok(Self {
            first,
            count,
            rate,
            start: Instant::now(),
            next: AtomicU64::new(0),
            due: Semaphore::new(0),
            latencies: Mutex::new(Histogram::new_with_bounds(1, MOST_NANOSECONDS, DIGITS)?),
            failed: AtomicU64::new(0),
            first_error: OnceLock::new(),
        })
    }

    pub(crate) fn has_rate(&self) -> bool {
        self.rate.is_some()
    }

    /// Says when each message is due; at the end, once for each of the tasks, that there is none left. Sleeps, so it
    /// wants a thread of its own: the timers of tokio go by the millisecond.
    pub(crate) fn pace(&self, tasks: usize) {
        let Some(rate) = self.rate else { return };
        // The system may let a thread sleep 50 µs longer than it wishes. Where it does not listen, it does.
        let _finer = nix::sys::prctl::set_timerslack(1);
        for place in 0..self.count {
            let intended = self.intended(place, rate);
            while let Some(left) =
                intended.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            {
                std::thread::sleep(left);
            }
            self.due.add_permits(1);
        }
        self.due.add_permits(tasks);
    }

    /// Waits until the next message is due. Gives its place in this phase, from 0, and the instant from which its latency
    /// counts, or nothing if there is no message left. At a fixed rate that instant is the intended one: a message that
    /// could not leave in time because others were in its way has waited already.
    pub(crate) async fn take(&self) -> Option<(u64, Instant)> {
        if self.rate.is_some() {
            self.due.acquire().await.ok()?.forget();
        }
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let since = self.rate.map_or_else(Instant::now, |rate| self.intended(place, rate));
        (place < self.count).then_some((place, since))
    }

    fn intended(&self, place: u64, rate: f64) -> Instant {
        self.start + Duration::from_secs_f64(place as f64 / rate)
    }

    pub(crate) fn key(&self, place: u64) -> String {
        format!("k{}", self.first + place)
    }

    pub(crate) fn stored(&self, since: Instant) {
        let nanoseconds = u64::try_from(since.elapsed().as_nanos()).unwrap_or(MOST_NANOSECONDS);
        self.latencies().saturating_record(nanoseconds);
    }

    pub(crate) fn failed(&self, cause: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.first_error
            .get_or_init(|| cause.lines().next().unwrap_or_default().chars().take(MOST_ERROR_TEXT).collect());
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn first_error(&self) -> Option<&str> {
        self.first_error.get().map(String::as_str)
    }

    /// A panic cannot leave half a record behind.
    pub(crate) fn latencies(&self) -> MutexGuard<'_, Histogram<u64>> {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
