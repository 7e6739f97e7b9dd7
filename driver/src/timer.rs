//! The one timer of the driver.

use crate::clock::RuntimeClock;
use crate::runtime::Runtime;
use rocketmq_core::ground::Instant;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// The timer is put off at most so often.
const PUT_OFF_APART: Duration = Duration::from_millis(10);

/// Wakes the driver at the deadline of the core, which moves with each send: earlier when it begins, later when it
/// ends. The timer follows it at once when it moves earlier. When it moves later, the timer follows it now and then: an
/// idle client is not woken for a deadline that is none any more, and a busy one does not move the timer twice for each
/// send.
pub(crate) struct Timer<R: Runtime> {
    /// What was planned last; [`Instant::NEVER`] for nothing.
    planned: Instant,
    put_off_at: Option<Instant>,
    /// The runtime's timer, and when it fires.
    sleep: Option<(Instant, Pin<Box<R::Sleep>>)>,
}

impl<R: Runtime> Default for Timer<R> {
    fn default() -> Self {
        Self { planned: Instant::NEVER, put_off_at: None, sleep: None }
    }
}

impl<R: Runtime> Timer<R> {
    /// When the driver is to wake, for a deadline of the core. To be followed by [`poll`](Self::poll).
    pub(crate) fn plan(&mut self, deadline: Option<Instant>, now: Instant) -> Instant {
        let deadline = deadline.unwrap_or(Instant::NEVER);
        let is_early = now < self.planned && self.planned < deadline;
        if is_early && self.put_off_at.is_some_and(|at| now < at + PUT_OFF_APART) {
            return self.planned;
        }
        if is_early {
            self.put_off_at = Some(now);
        }
        self.planned = deadline;
        deadline
    }

    /// Waits for what was planned. Ready when the core is to be asked again.
    pub(crate) fn poll(&mut self, runtime: &R, clock: &RuntimeClock<R>, cx: &mut Context<'_>) -> Poll<()> {
        if self.sleep.as_ref().is_none_or(|(at, _)| *at != self.planned) {
            let Some(at) = clock.to_runtime(self.planned) else {
                self.sleep = None;
                return Poll::Pending;
            };
            let sleep = runtime.sleep_until(at);
            match &mut self.sleep {
                Some((of, old)) => {
                    *of = self.planned;
                    old.set(sleep);
                }
                None => self.sleep = Some((self.planned, Box::pin(sleep))),
            }
        }
        let Some((_, sleep)) = &mut self.sleep else {
            return Poll::Pending;
        };
        let polled = sleep.as_mut().poll(cx);
        if polled.is_ready() {
            self.planned = Instant::NEVER;
            self.sleep = None;
        }
        polled
    }
}
