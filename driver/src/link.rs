//! One connection of the driver: its stream and its buffers.

use crate::lone::Outlet;
use crate::runtime::{Connecting, Runtime, Stream, close_reason};
use crate::socket::{MOST_WRITTEN, Pipe, Socket};
use bytes::Bytes;
use rocketmq_core::ground::endpoint::Endpoint;
use rocketmq_core::interface::CloseReason;
use std::io::ErrorKind;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// The read buffer of a quiet connection.
const LEAST_READ: usize = 16 * 1024;
/// The read buffer of a busy connection.
const MOST_READ: usize = 256 * 1024;
/// After so many reads in a row that would have fitted a quarter, the read buffer shrinks to that.
const SMALL_READS: u32 = 32;

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
    /// It is about to end: no more bytes are wanted.
    failing: bool,
}

enum Phase<S> {
    Wanted(Endpoint),
    Connecting(Connecting<S>),
    Open(Arc<Socket<S>>),
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
            failing: false,
        }
    }

    /// The first `count` bytes of the read buffer.
    pub(crate) fn received(&self, count: usize) -> &[u8] {
        self.read.get(..count).unwrap_or_default()
    }

    /// Where to put bytes of the core's outbox, if there may be some and everything before is written.
    pub(crate) fn wants_bytes(&mut self) -> Option<&mut Vec<Bytes>> {
        let open = matches!(self.phase, Phase::Open(_)) && !self.failing;
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
    /// For a caller who writes itself; none while the connection is not open.
    pub(crate) fn outlet(&self) -> Option<Weak<dyn Outlet>> {
        match &self.phase {
            Phase::Open(socket) => {
                let socket: Weak<Socket<S>> = Arc::downgrade(socket);
                Some(socket)
            }
            Phase::Wanted(_) | Phase::Connecting(_) => None,
        }
    }

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
                    self.phase = Phase::Open(Arc::new(Socket::new(stream)));
                    self.read = vec![0; LEAST_READ];
                    self.outbox_filled = true;
                    step.connected = true;
                    step.more = true;
                }
            }
        }
        if let Phase::Open(socket) = &self.phase {
            let mut pipe = socket.lock();
            step.wrote = pipe.write(&mut self.out, &mut self.next, cx);
            step.more |= step.wrote >= MOST_WRITTEN && !self.out.is_empty();
            read(&mut pipe, &mut self.read, cx, &mut step);
            self.failing = pipe.failing.is_some();
            pipe.ended = step.closed.is_some();
        }
        step
    }
}

/// Reads until the stream waits or the buffer is full: then one turn with the core is for all of it, and no second
/// look is needed to know that the stream waits.
fn read<S: Stream>(pipe: &mut Pipe<S>, into: &mut [u8], cx: &mut Context<'_>, step: &mut Step) {
    while step.received < into.len() {
        let room = into.get_mut(step.received..).unwrap_or_default();
        let end = match pipe.stream.poll_read(cx, room) {
            Poll::Pending => pipe.failing,
            Poll::Ready(Ok(0)) => Some(pipe.failing.unwrap_or(CloseReason::EndOfStream)),
            Poll::Ready(Ok(count)) => {
                step.received += count.min(room.len());
                continue;
            }
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Poll::Ready(Err(error)) => Some(close_reason(&error)),
        };
        if step.received == 0 {
            step.closed = end;
        } else if end.is_some() {
            // What came before the end goes to the core first. An error may be told only once.
            pipe.failing = end;
            step.more = true;
        }
        return;
    }
    step.more = true;
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
