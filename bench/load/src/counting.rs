//! A runtime that counts what the driver asks of another one: connects, reads, writes, and their bytes.

use rocketmq_driver::runtime::Connecting;
use rocketmq_driver::{Endpoint, Runtime, Stream};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

/// What was counted. Shared by a runtime and its streams.
#[derive(Debug, Default)]
pub struct Counts {
    connects: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    read_bytes: AtomicU64,
    written_bytes: AtomicU64,
    round_trips: AtomicU64,
    has_written: AtomicBool,
    polls: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Connections asked for.
    pub connects: u64,
    /// Reads that brought bytes.
    pub reads: u64,
    /// Writes that took bytes.
    pub writes: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Times that bytes came back after others had been written: what was waited for, one after another.
    pub round_trips: u64,
    /// Times that the driver was polled.
    pub polls: u64,
}

impl Counts {
    /// The counts now.
    #[must_use]
    pub fn now(&self) -> Counted {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            connects: get(&self.connects),
            reads: get(&self.reads),
            writes: get(&self.writes),
            read_bytes: get(&self.read_bytes),
            written_bytes: get(&self.written_bytes),
            round_trips: get(&self.round_trips),
            polls: get(&self.polls),
        }
    }

    fn read(&self, bytes: usize) {
        add(&self.reads, 1);
        add(&self.read_bytes, bytes);
        if self.has_written.swap(false, Ordering::Relaxed) {
            add(&self.round_trips, 1);
        }
    }

    fn wrote(&self, bytes: usize) {
        add(&self.writes, 1);
        add(&self.written_bytes, bytes);
        self.has_written.store(true, Ordering::Relaxed);
    }
}

impl std::ops::Sub for Counted {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            connects: self.connects - earlier.connects,
            reads: self.reads - earlier.reads,
            writes: self.writes - earlier.writes,
            read_bytes: self.read_bytes - earlier.read_bytes,
            written_bytes: self.written_bytes - earlier.written_bytes,
            round_trips: self.round_trips - earlier.round_trips,
            polls: self.polls - earlier.polls,
        }
    }
}

fn add(count: &AtomicU64, much: usize) {
    count.fetch_add(much as u64, Ordering::Relaxed);
}

/// A runtime whose streams count.
#[derive(Clone, Debug)]
pub struct Counting<R> {
    inner: R,
    counts: Arc<Counts>,
}

impl<R: Runtime> Counting<R> {
    /// Counts what is asked of `inner` in `counts`.
    pub fn new(inner: R, counts: Arc<Counts>) -> Self {
        Self { inner, counts }
    }
}

impl<R: Runtime> Runtime for Counting<R> {
    type Stream = CountingStream<R::Stream>;
    type Sleep = R::Sleep;

    fn connect(&self, to: &Endpoint) -> Connecting<Self::Stream> {
        add(&self.counts.connects, 1);
        let counts = self.counts.clone();
        let connecting = self.inner.connect(to);
        Box::pin(async move { connecting.await.map(|stream| CountingStream { stream, counts }) })
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        self.inner.sleep_until(at)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall_clock(&self) -> SystemTime {
        self.inner.wall_clock()
    }
}

/// A stream that counts.
#[derive(Debug)]
pub struct CountingStream<S> {
    stream: S,
    counts: Arc<Counts>,
}

impl<S: Stream> Stream for CountingStream<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = self.stream.poll_read(cx, into);
        if let Poll::Ready(Ok(bytes @ 1..)) = read {
            self.counts.read(bytes);
        }
        read
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, from: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let taken = self.stream.poll_write_vectored(cx, from);
        if let Poll::Ready(Ok(bytes @ 1..)) = taken {
            self.counts.wrote(bytes);
        }
        taken
    }
}

/// A future that counts how often it is polled.
#[derive(Debug)]
pub struct Polled<F> {
    inner: F,
    counts: Arc<Counts>,
}

impl<F> Polled<F> {
    /// Counts the polls of `inner` in `counts`.
    pub fn new(inner: F, counts: Arc<Counts>) -> Self {
        Self { inner, counts }
    }
}

impl<F: Future + Unpin> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        add(&self.counts.polls, 1);
        Pin::new(&mut self.inner).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{CountingStream, Counts, Polled};
    use rocketmq_driver::Stream;
    use std::io::{self, IoSlice};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    /// Takes three bytes at a time, and has one byte to read after each write.
    struct Echo {
        unread: usize,
    }

    impl Stream for Echo {
        fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
            if self.unread == 0 {
                return Poll::Pending;
            }
            self.unread -= 1;
            into[0] = b'x';
            Poll::Ready(Ok(1))
        }

        fn poll_write_vectored(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
            self.unread += 1;
            Poll::Ready(Ok(3))
        }
    }

    #[test]
    fn reads_writes_and_round_trips_are_told_apart() {
        let counts = Arc::new(Counts::default());
        let mut stream = CountingStream { stream: Echo { unread: 0 }, counts: counts.clone() };
        let mut cx = Context::from_waker(Waker::noop());
        let mut into = [0; 8];
        assert!(stream.poll_read(&mut cx, &mut into).is_pending());
        for _ in 0..2 {
            for _ in 0..2 {
                assert!(stream.poll_write_vectored(&mut cx, &[]).is_ready());
            }
            for _ in 0..2 {
                assert!(stream.poll_read(&mut cx, &mut into).is_ready());
            }
        }
        let now = counts.now();
        assert_eq!((now.writes, now.written_bytes), (4, 12));
        assert_eq!((now.reads, now.read_bytes), (4, 4));
        assert_eq!(now.round_trips, 2);
    }

    #[test]
    fn each_poll_counts() {
        let counts = Arc::new(Counts::default());
        let mut polled = Polled::new(std::future::pending::<()>(), counts.clone());
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(std::pin::Pin::new(&mut polled).poll(&mut cx).is_pending());
        }
        assert_eq!(counts.now().polls, 3);
    }
}
