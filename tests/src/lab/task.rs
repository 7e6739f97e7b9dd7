//! Tasks: what runs beside the test, and the handles to wait for it.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::state::{Payload, Shared, lock};

/// Waits for a task, see [`Lab::spawn`](super::Lab::spawn). Dropping it leaves the task alone.
#[must_use = "drop it explicitly when the task may run on its own"]
pub struct JoinHandle<T> {
    slot: Arc<Mutex<Slot<T>>>,
    shared: Arc<Shared>,
}

/// Why a task has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinError {
    /// It panicked, with this text.
    Panicked(String),
    /// It was [aborted](JoinHandle::abort), or the run has ended.
    Aborted,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Panicked(text) => write!(f, "the task panicked: {text}"),
            JoinError::Aborted => write!(f, "the task was aborted"),
        }
    }
}

impl std::error::Error for JoinError {}

enum Stage<T> {
    Running,
    Done(T),
    Panicked(Payload),
    Aborted,
    Fetched,
}

struct Slot<T> {
    stage: Stage<T>,
    /// Who waits for the result.
    waiter: Option<Waker>,
    /// Wakes the task itself.
    task: Option<Waker>,
    abort: bool,
    handle_gone: bool,
}

impl<T> JoinHandle<T> {
    /// Drops the task at its next turn, wherever it waits.
    pub fn abort(&self) {
        let task = {
            let mut slot = lock(&self.slot);
            slot.abort = true;
            slot.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Whether the task has ended, in whatever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !matches!(lock(&self.slot).stage, Stage::Running)
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("is_finished", &self.is_finished()).finish_non_exhaustive()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = lock(&self.slot);
        match std::mem::replace(&mut slot.stage, Stage::Fetched) {
            Stage::Running => {
                slot.stage = Stage::Running;
                let old = slot.waiter.replace(cx.waker().clone());
                drop(slot);
                drop(old);
                Poll::Pending
            }
            Stage::Done(result) => Poll::Ready(Ok(result)),
            Stage::Panicked(payload) => Poll::Ready(Err(JoinError::Panicked(panic_text(&payload)))),
            Stage::Aborted => Poll::Ready(Err(JoinError::Aborted)),
            Stage::Fetched => Poll::Pending,
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        slot.handle_gone = true;
        if matches!(slot.stage, Stage::Panicked(_))
            && let Stage::Panicked(payload) = std::mem::replace(&mut slot.stage, Stage::Fetched)
        {
            drop(slot);
            self.shared.fail(payload);
        }
    }
}

/// The text of a panic.
pub(super) fn panic_text(payload: &Payload) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "something that is no text".to_owned())
}

/// A future with the slot for its result. A panic stays inside.
pub(super) struct Task<F: Future> {
    future: Option<Pin<Box<F>>>,
    slot: Arc<Mutex<Slot<F::Output>>>,
    shared: Arc<Shared>,
}

impl<F: Future> Task<F> {
    pub(super) fn new(shared: Arc<Shared>, future: F) -> (Task<F>, JoinHandle<F::Output>) {
        let slot = Slot { stage: Stage::Running, waiter: None, task: None, abort: false, handle_gone: false };
        let slot = Arc::new(Mutex::new(slot));
        let handle = JoinHandle { slot: slot.clone(), shared: shared.clone() };
        (Task { future: Some(Box::pin(future)), slot, shared }, handle)
    }

    fn finish(&mut self, stage: Stage<F::Output>) {
        // Before anybody learns of the end, everything that the task held is gone.
        self.future = None;
        let (waiter, unseen) = {
            let mut slot = lock(&self.slot);
            let unseen = match stage {
                Stage::Panicked(payload) if slot.handle_gone => Some(payload),
                stage => {
                    slot.stage = stage;
                    None
                }
            };
            (slot.waiter.take(), unseen)
        };
        if let Some(payload) = unseen {
            self.shared.fail(payload);
        }
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

impl<F: Future> Future for Task<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let old = {
            let mut slot = lock(&this.slot);
            if slot.abort {
                drop(slot);
                this.finish(Stage::Aborted);
                return Poll::Ready(());
            }
            slot.task.replace(cx.waker().clone())
        };
        drop(old);
        let Some(future) = &mut this.future else { return Poll::Ready(()) };
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => this.finish(Stage::Done(result)),
            Err(payload) => this.finish(Stage::Panicked(payload)),
        }
        Poll::Ready(())
    }
}

impl<F: Future> Drop for Task<F> {
    fn drop(&mut self) {
        if self.future.is_some() {
            self.finish(Stage::Aborted);
        }
    }
}
