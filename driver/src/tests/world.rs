//! A runtime in memory: a clock that moves when told to, streams whose other end is a peer, and an executor
//! that counts.

use crate::contract::{Peer, Store};
use crate::runtime::{Connecting, Runtime, Stream};
use crate::{Client, ClientBuilder, Driver, Endpoint, Message};
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

#[derive(Clone)]
pub(super) struct World(Arc<Mutex<State>>);

struct State {
    origin: Instant,
    passed: Duration,
    /// Timers that are waited for, each with its number.
    sleeps: Vec<(Duration, u64, Waker)>,
    next_sleep: u64,
    store: Store,
    /// While set, answers stay with their peers.
    held: bool,
    /// Most bytes that one read or write moves.
    most: usize,
    /// Most bytes that a stream takes until more is allowed.
    writable: usize,
    pipes: Vec<Arc<Mutex<Pipe>>>,
    /// Writes that took bytes.
    writes: usize,
    /// The peer of the next write reads it and goes away without an answer.
    last_words: bool,
}

#[derive(Default)]
struct Pipe {
    answers: VecDeque<u8>,
    /// Writes fail from now on.
    broken: bool,
    /// The peer is gone.
    ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            origin: Instant::now(),
            passed: Duration::ZERO,
            sleeps: Vec::new(),
            next_sleep: 0,
            store: Store::default(),
            held: false,
            most: usize::MAX,
            writable: usize::MAX,
            pipes: Vec::new(),
            writes: 0,
            last_words: false,
        })))
    }

    pub(super) fn builder() -> ClientBuilder {
        Client::builder("127.0.0.1:9876").seed(7).instance_name("test")
    }

    pub(super) fn store(&self) -> Store {
        lock(&self.0).store.clone()
    }

    pub(super) fn writes(&self) -> usize {
        lock(&self.0).writes
    }

    pub(super) fn hold_answers(&self) {
        lock(&self.0).held = true;
    }

    pub(super) fn move_at_most(&self, bytes: usize) {
        lock(&self.0).most = bytes;
    }

    pub(super) fn allow_writes(&self, bytes: usize) {
        lock(&self.0).writable = bytes;
        self.wake_streams();
    }

    pub(super) fn release_answers(&self) {
        lock(&self.0).held = false;
        self.wake_streams();
    }

    /// No stream that is open now takes anything more.
    pub(super) fn break_writes(&self) {
        for pipe in &lock(&self.0).pipes {
            lock(pipe).broken = true;
        }
    }

    /// Whoever is written to next stores what it gets, and closes without an answer.
    #[cfg(shuttle)]
    pub(super) fn end_with_next_write(&self) {
        lock(&self.0).last_words = true;
    }

    fn wake_streams(&self) {
        let pipes = lock(&self.0).pipes.clone();
        for pipe in pipes {
            let (reader, writer) = {
                let mut pipe = lock(&pipe);
                (pipe.reader.take(), pipe.writer.take())
            };
            reader.into_iter().chain(writer).for_each(Waker::wake);
        }
    }

    /// Time passes; timers that are due wake their tasks.
    pub(super) fn advance(&self, by: Duration) {
        let mut state = lock(&self.0);
        state.passed += by;
        let passed = state.passed;
        let (due, rest) = std::mem::take(&mut state.sleeps).into_iter().partition(|(at, ..)| *at <= passed);
        state.sleeps = rest;
        drop(state);
        let due: Vec<(Duration, u64, Waker)> = due;
        due.into_iter().for_each(|(_, _, waker)| waker.wake());
    }
}

impl Runtime for World {
    type Stream = MemoryStream;
    type Sleep = Sleep;

    fn connect(&self, _: &Endpoint) -> Connecting<MemoryStream> {
        let mut state = lock(&self.0);
        let pipe = Arc::new(Mutex::new(Pipe::default()));
        state.pipes.push(pipe.clone());
        let peer = Peer::new(state.store.clone(), &[("b0".into(), 10_911)]);
        let stream = MemoryStream { world: self.clone(), pipe, peer };
        Box::pin(async { Ok(stream) })
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        let mut state = lock(&self.0);
        state.next_sleep += 1;
        Sleep {
            world: self.clone(),
            at: at.saturating_duration_since(state.origin),
            number: state.next_sleep,
        }
    }

    fn now(&self) -> Instant {
        let state = lock(&self.0);
        state.origin + state.passed
    }
}

pub(super) struct Sleep {
    world: World,
    at: Duration,
    number: u64,
}

impl Drop for Sleep {
    fn drop(&mut self) {
        lock(&self.world.0).sleeps.retain(|(_, number, _)| *number != self.number);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.world.0);
        if state.passed >= self.at {
            return Poll::Ready(());
        }
        state.sleeps.retain(|(_, number, _)| *number != self.number);
        state.sleeps.push((self.at, self.number, cx.waker().clone()));
        Poll::Pending
    }
}

pub(super) struct MemoryStream {
    world: World,
    pipe: Arc<Mutex<Pipe>>,
    peer: Peer,
}

impl Stream for MemoryStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let (held, most) = {
            let state = lock(&self.world.0);
            (state.held, state.most)
        };
        let mut pipe = lock(&self.pipe);
        if pipe.ended {
            return Poll::Ready(Ok(0));
        }
        if held || pipe.answers.is_empty() {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = into.len().min(pipe.answers.len()).min(most);
        for (to, byte) in into.iter_mut().zip(pipe.answers.drain(..count)) {
            *to = byte;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, from: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if lock(&self.pipe).broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut state = lock(&self.world.0);
        let (held, most) = (state.held, state.most.min(state.writable));
        let bytes: Vec<u8> = from.iter().flat_map(|slice| slice.iter().copied()).take(most).collect();
        if bytes.is_empty() {
            lock(&self.pipe).writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if state.writable != usize::MAX {
            state.writable -= bytes.len();
        }
        state.writes += 1;
        let ends = std::mem::take(&mut state.last_words);
        drop(state);
        let mut pipe = lock(&self.pipe);
        for answer in self.peer.receive(&bytes) {
            pipe.answers.extend(answer);
        }
        pipe.ended |= ends;
        pipe.broken |= ends;
        // It may be a caller who writes, while the driver waits.
        let quiet = !ends && (held || pipe.answers.is_empty());
        let reader = if quiet { None } else { pipe.reader.take() };
        drop(pipe);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(bytes.len()))
    }
}

/// Counts how often it is woken.
#[derive(Default)]
pub(super) struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counter {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A future with a waker of its own.
pub(super) struct Task<F> {
    future: Pin<Box<F>>,
    pub(super) wakes: Arc<Counter>,
    seen: usize,
    done: bool,
}

impl<F: Future> Task<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default(), seen: usize::MAX, done: false }
    }

    /// Polls once, woken or not.
    pub(super) fn poll(&mut self) -> Poll<F::Output> {
        self.seen = self.wakes.count();
        let waker = Waker::from(self.wakes.clone());
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&waker));
        self.done |= polled.is_ready();
        polled
    }

    /// Polls as an executor does, until nobody wakes it any more.
    pub(super) fn settle(&mut self) -> Poll<F::Output> {
        while !self.done && self.seen != self.wakes.count() {
            if let Poll::Ready(result) = self.poll() {
                return Poll::Ready(result);
            }
        }
        Poll::Pending
    }
}

/// Polls both, as they wake each other, until the work is done. Time stands still.
pub(super) fn run<T>(driver: &mut Task<Driver<World>>, work: impl Future<Output = T>) -> T {
    let mut work = Task::new(work);
    for _ in 0..10_000 {
        if let Poll::Ready(result) = work.settle() {
            return result;
        }
        let _ = driver.settle();
    }
    panic!("the work is stuck");
}

pub(super) fn message(body: &str) -> Message {
    Message::new("topic".parse().unwrap(), body.to_owned())
}
