//! Futures of simulated time.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Lab;
use super::state::{Event, EventKey, Shared, micros};

/// A future that is ready when its time has come, see [`Lab::sleep`].
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    shared: Arc<Shared>,
    at_us: u64,
    planned: Option<EventKey>,
}

impl Sleep {
    pub(super) fn new(shared: Arc<Shared>, at_us: u64) -> Sleep {
        Sleep { shared, at_us, planned: None }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("until", &Duration::from_micros(self.at_us)).finish_non_exhaustive()
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let (at_us, planned) = (this.at_us, this.planned.take());
        let shared = this.shared.clone();
        this.planned = shared.enter(|state| {
            if at_us <= state.now_us {
                if let Some(key) = planned {
                    state.unplan(key);
                }
                return None;
            }
            if let Some(key) = planned
                && state.replan_wake(key, cx.waker())
            {
                return Some(key);
            }
            Some(state.plan(at_us, Event::Wake(cx.waker().clone())))
        });
        if this.planned.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.planned.take() {
            self.shared.enter(|state| state.unplan(key));
        }
    }
}

/// The time of [`Lab::timeout`] has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the time has passed")
    }
}

impl std::error::Error for TimedOut {}

impl Lab {
    /// The simulated time since the start of the run.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.shared.now_us())
    }

    /// Waits so long, in simulated time.
    pub fn sleep(&self, time: Duration) -> Sleep {
        self.sleep_until(self.now().saturating_add(time))
    }

    /// Waits until so long after the start of the run.
    pub fn sleep_until(&self, at: Duration) -> Sleep {
        Sleep::new(self.shared.clone(), micros(at))
    }

    /// Runs a future for at most so long, then drops it.
    ///
    /// # Errors
    /// The time has passed.
    pub async fn timeout<F: Future>(&self, time: Duration, future: F) -> Result<F::Output, TimedOut> {
        let (mut sleep, mut future) = (pin!(self.sleep(time)), pin!(future));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(result) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(result));
            }
            sleep.as_mut().poll(cx).map(|()| Err(TimedOut))
        })
        .await
    }

    /// Gives every other task a turn.
    pub async fn yield_now(&self) {
        let mut yielded = false;
        std::future::poll_fn(|cx| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}
