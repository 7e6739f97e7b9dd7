//! The stream of an open connection, behind a lock of its own: the driver's loop reads and writes it, and a caller who
//! is alone may write to it, see [`lone`](crate::lone).
//!
//! Where both locks are held, this one was taken first and the core's second. The driver holds one at a time.

use crate::lone::Outlet;
use crate::runtime::{Stream, close_reason};
use crate::sync::{Mutex, MutexGuard};
use bytes::{Buf, Bytes};
use rocketmq_core::interface::CloseReason;
use std::io::{ErrorKind, IoSlice};
use std::sync::{PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};

/// About how much is written before the other direction gets its turn.
pub(crate) const MOST_WRITTEN: usize = 128 * 1024;
/// Slices handed to one write.
const SLICES: usize = 64;

/// A stream with its lock.
#[derive(Debug)]
pub(crate) struct Socket<S>(Mutex<Pipe<S>>);

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct Pipe<S> {
    pub(crate) stream: S,
    /// Writing failed; answers that arrived before are still read.
    pub(crate) failing: Option<CloseReason>,
    /// The driver has found the end of the connection, and is about to report it: nothing more is written.
    pub(crate) ended: bool,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(Mutex::new(Pipe { stream, failing: None, ended: false }))
    }

    /// For the driver. It waits for a caller who writes at this moment, which is one system call.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Pipe<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Stream> Pipe<S> {
    /// Writes until nothing is left, the socket is full, or the other direction should have its turn. Returns how many
    /// bytes were taken.
    pub(crate) fn write(&mut self, out: &mut Vec<Bytes>, next: &mut usize, cx: &mut Context<'_>) -> usize {
        let mut wrote = 0;
        while self.failing.is_none() && !out.is_empty() && wrote < MOST_WRITTEN {
            match poll_write(&mut self.stream, out.get(*next..).unwrap_or_default(), cx) {
                Poll::Pending => break,
                // A stream that takes nothing will never take anything.
                Poll::Ready(Ok(0)) => self.failing = Some(CloseReason::Reset),
                Poll::Ready(Ok(taken)) => wrote += advance(out, next, taken),
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => self.failing = Some(close_reason(&error)),
            }
        }
        wrote
    }
}

impl<S: Stream> Outlet for Socket<S> {
    fn write(&self, mut out: Vec<Bytes>, waker: &Waker, report: &mut dyn FnMut(usize, Vec<Bytes>)) {
        let mut pipe = match self.0.try_lock() {
            Ok(pipe) => pipe,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // The driver is awake, so it might as well write.
            Err(TryLockError::WouldBlock) => return report(0, out),
        };
        let wrote =
            if pipe.ended { 0 } else { pipe.write(&mut out, &mut 0, &mut Context::from_waker(waker)) };
        // Still under the lock of the stream: the driver must not read an answer, or the end of the connection, and
        // tell the core of it before the core knows what was written.
        report(wrote, out);
    }
}

fn poll_write<S: Stream>(
    stream: &mut S,
    chunks: &[Bytes],
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<usize>> {
    // As a rule there is one, and room for many takes longer to prepare than to use.
    if let [chunk] = chunks {
        let part = chunk.get(..MOST_WRITTEN.min(chunk.len())).unwrap_or_default();
        return stream.poll_write_vectored(cx, &[IoSlice::new(part)]);
    }
    let mut slices = [IoSlice::new(&[]); SLICES];
    let (mut count, mut bytes) = (0, 0);
    for (slice, chunk) in slices.iter_mut().zip(chunks) {
        let room = MOST_WRITTEN.saturating_sub(bytes);
        let part = chunk.get(..room.min(chunk.len())).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        *slice = IoSlice::new(part);
        bytes += part.len();
        count += 1;
    }
    stream.poll_write_vectored(cx, slices.get(..count).unwrap_or_default())
}

/// Drops what was taken from the front; empty means all. Returns how much there was to take.
fn advance(out: &mut Vec<Bytes>, next: &mut usize, taken: usize) -> usize {
    let mut left = taken;
    while let Some(chunk) = out.get_mut(*next) {
        if chunk.len() > left {
            chunk.advance(left);
            return taken;
        }
        left -= chunk.len();
        // Its memory may be needed elsewhere before the rest is written.
        *chunk = Bytes::new();
        *next += 1;
    }
    out.clear();
    *next = 0;
    taken - left
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
