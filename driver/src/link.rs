//! One connection of the driver: its stream and its buffers.

use crate::runtime::{Connecting, Runtime, Stream, close_reason};
use bytes::{Buf, Bytes};
use rocketmq_core::ground::endpoint::Endpoint;
use rocketmq_core::interface::CloseReason;
use std::io::{ErrorKind, IoSlice};
use std::task::{Context, Poll};

/// The read buffer of a quiet connection.
const LEAST_READ: usize = 16 * 1024;
/// The read buffer of a busy connection.
const MOST_READ: usize = 256 * 1024;
/// After so many reads in a row that would have fitted a quarter, the read buffer shrinks to that.
const SMALL_READS: u32 = 32;
/// About how much is written before the other direction gets its turn.
const MOST_WRITTEN: usize = 128 * 1024;
/// Slices handed to one write.
const SLICES: usize = 64;

/// A connection, being opened or open.
pub(crate) struct Link<S> {
    phase: Phase<S>,
    read: Vec<u8>,
    small_reads: u32,
    out: Vec<Bytes>,
    /// The first chunk of `out` that is not wholly written.
    next: usize,
    /// The core may have bytes for this link.
    pub(crate) outbox_filled: bool,
    /// Writing failed; answers that arrived before are still read.
    failing: Option<CloseReason>,
}

enum Phase<S> {
    Wanted(Endpoint),
    Connecting(Connecting<S>),
    Open(S),
}

/// What one pass over a link brought.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) connected: bool,
    /// Bytes that the socket took.
    pub(crate) wrote: usize,
    /// Bytes that lie in the read buffer.
    pub(crate) received: usize,
    pub(crate) closed: Option<CloseReason>,
    /// Another pass is wanted: not every direction is waiting for its socket.
    pub(crate) more: bool,
}

impl<S> Link<S> {
    pub(crate) fn new(to: Endpoint) -> Self {
        Self {
            phase: Phase::Wanted(to),
            read: Vec::new(),
            small_reads: 0,
            out: Vec::new(),
            next: 0,
            outbox_filled: false,
            failing: None,
        }
    }

    /// The first `count` bytes of the read buffer.
    pub(crate) fn received(&self, count: usize) -> &[u8] {
        self.read.get(..count).unwrap_or_default()
    }

    /// Where to put bytes of the core's outbox, if there may be some and everything before is written.
    pub(crate) fn wants_bytes(&mut self) -> Option<&mut Vec<Bytes>> {
        let open = matches!(self.phase, Phase::Open(_)) && self.failing.is_none();
        (open && self.outbox_filled && self.out.is_empty()).then_some(&mut self.out)
    }

    /// After bytes were put there: true when there were any.
    pub(crate) fn took_bytes(&mut self) -> bool {
        self.out.retain(|chunk| !chunk.is_empty());
        // The core hands out a part at a time, so only "nothing" means that the outbox is empty.
        self.outbox_filled = !self.out.is_empty();
        self.outbox_filled
    }

    /// Fits the read buffer to what came, once the core has seen the bytes.
    pub(crate) fn fit_read_buffer(&mut self, received: usize) {
        let len = self.read.len();
        if received == len && len < MOST_READ {
            self.small_reads = 0;
            self.read.resize((len * 4).min(MOST_READ), 0);
        } else if received > len / 4 || len <= LEAST_READ {
            self.small_reads = 0;
        } else {
            self.small_reads += 1;
            if self.small_reads >= SMALL_READS {
                self.small_reads = 0;
                self.read = vec![0; (len / 4).max(LEAST_READ)];
            }
        }
    }
}

impl<S: Stream> Link<S> {
    /// Opens, writes and reads as far as the socket allows.
    pub(crate) fn step<R: Runtime<Stream = S>>(&mut self, runtime: &R, cx: &mut Context<'_>) -> Step {
        let mut step = Step::default();
        if let Phase::Wanted(to) = &self.phase {
            self.phase = Phase::Connecting(runtime.connect(to));
        }
        if let Phase::Connecting(connecting) = &mut self.phase {
            match connecting.as_mut().poll(cx) {
                Poll::Pending => return step,
                Poll::Ready(Err(error)) => {
                    step.closed = Some(close_reason(&error));
                    return step;
                }
                Poll::Ready(Ok(stream)) => {
                    self.phase = Phase::Open(stream);
                    self.read = vec![0; LEAST_READ];
                    self.outbox_filled = true;
                    step.connected = true;
                    step.more = true;
                }
            }
        }
        if let Phase::Open(stream) = &mut self.phase {
            if self.failing.is_none() {
                self.failing = write(stream, &mut self.out, &mut self.next, cx, &mut step).err();
            }
            self.read(cx, &mut step);
        }
        step
    }

    fn read(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let Phase::Open(stream) = &mut self.phase else {
            return;
        };
        match stream.poll_read(cx, &mut self.read) {
            Poll::Pending => step.closed = self.failing,
            Poll::Ready(Ok(0)) => step.closed = Some(self.failing.unwrap_or(CloseReason::EndOfStream)),
            Poll::Ready(Ok(count)) => {
                step.received = count.min(self.read.len());
                step.more = true;
            }
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => step.more = true,
            Poll::Ready(Err(error)) => step.closed = Some(close_reason(&error)),
        }
    }
}

/// Writes until nothing is left, the socket is full, or the other direction should have its turn.
fn write<S: Stream>(
    stream: &mut S,
    out: &mut Vec<Bytes>,
    next: &mut usize,
    cx: &mut Context<'_>,
    step: &mut Step,
) -> Result<(), CloseReason> {
    while !out.is_empty() {
        if step.wrote >= MOST_WRITTEN {
            step.more = true;
            break;
        }
        let taken = match poll_write(stream, out.get(*next..).unwrap_or_default(), cx) {
            Poll::Pending => break,
            // A stream that takes nothing will never take anything.
            Poll::Ready(Ok(0)) => return Err(CloseReason::Reset),
            Poll::Ready(Ok(taken)) => taken,
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Poll::Ready(Err(error)) => return Err(close_reason(&error)),
        };
        step.wrote += advance(out, next, taken);
    }
    Ok(())
}

fn poll_write<S: Stream>(
    stream: &mut S,
    chunks: &[Bytes],
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<usize>> {
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
#[path = "link_tests.rs"]
mod tests;
