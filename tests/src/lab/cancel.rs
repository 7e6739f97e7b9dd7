//! Futures that are dropped at a chosen poll.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

/// When [`drop_at`] drops its future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropAt {
    /// Right after its k-th poll, the first being number 1, if that left it pending. With 0 it is never polled.
    AfterPoll(u32),
    /// In the place of its k-th poll: it has been woken, what it waits for may be there, and it does not fetch it.
    InsteadOfPoll(u32),
}

/// Runs a future and drops it at one of its polls, as `select!`, a time-out or an aborted task would. Gives the
/// future's result if it is ready before, else none.
///
/// ```
/// use rocketmq_driver::Message;
/// use rocketmq_sim::lab::{self, DropAt, drop_at};
///
/// lab::check(0..5, |lab| async move {
///     let producer = lab.client().producer("orders").await.unwrap();
///     let send = producer.send(Message::new("placed".parse().unwrap(), "4 apples"));
///     assert!(drop_at(DropAt::AfterPoll(1), send).await.is_none());
///     // Its first poll handed the message over, so the send went on without its caller.
///     producer.flush(std::time::Duration::from_secs(3)).await.unwrap();
///     assert_eq!(lab.stored("placed").len(), 1);
/// });
/// ```
pub fn drop_at<F: IntoFuture>(when: DropAt, future: F) -> Dropping<F::IntoFuture> {
    Dropping { future: Some(Box::pin(future.into_future())), when, polls: 0 }
}

/// The future of [`drop_at`].
#[must_use = "a future does nothing until it is awaited"]
pub struct Dropping<F> {
    future: Option<Pin<Box<F>>>,
    when: DropAt,
    polls: u32,
}

impl<F> fmt::Debug for Dropping<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dropping")
            .field("when", &self.when)
            .field("polls", &self.polls)
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for Dropping<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.polls += 1;
        let (instead, after) = match this.when {
            DropAt::AfterPoll(last) => (last == 0, this.polls >= last),
            DropAt::InsteadOfPoll(first) => (this.polls >= first, false),
        };
        if instead {
            this.future = None;
        }
        let Some(future) = &mut this.future else { return Poll::Ready(None) };
        let result = future.as_mut().poll(cx).map(Some);
        if result.is_ready() || after {
            this.future = None;
        }
        if result.is_pending() && after { Poll::Ready(None) } else { result }
    }
}
