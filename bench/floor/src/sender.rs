//! One connection, one thread, blocking calls: requests leave in batches, answers come in reads.

use crate::decode::Outcome;
use crate::latency::Latencies;
use crate::options::{Load, Window};
use crate::usage::{Usage, Whose};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{SendFlags, send};
use rustix::time::Timespec;
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// As many digits as the opaques of a client that chooses them over their whole range.
const FIRST_OPAQUE: u32 = 1_000_000_000;
/// Room for the answers of one read.
const INBOX_BYTES: usize = 256 * 1024;

/// What is between a message and the bytes on the connection.
pub(crate) trait Codec {
    /// Puts frames of `count` requests, with the opaques from `first` on, into `out`, which holds those of
    /// the call before.
    fn requests(&mut self, out: &mut Vec<u8>, first: u32, count: usize);
    /// Reads the answer in a whole frame, its four length bytes included.
    fn answer(&mut self, frame: &[u8]) -> io::Result<Outcome>;
}

/// What a phase came to.
pub(crate) struct Phase {
    pub(crate) seconds: f64,
    pub(crate) used: Usage,
    pub(crate) latencies: Latencies,
    pub(crate) failed: usize,
    pub(crate) first_error: Option<String>,
    pub(crate) writes: u64,
    pub(crate) reads: u64,
}

/// A sender with its connection.
pub(crate) struct Sender<C> {
    stream: TcpStream,
    codec: C,
    window: Window,
    whose: Whose,
    start: Instant,
    /// When the request of each opaque was sent, in nanoseconds from `start`, at the place that the opaque's
    /// low bits give.
    sent: Vec<Option<(u32, u64)>>,
    next_opaque: u32,
    in_flight: usize,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
    filled: usize,
    counted: Counted,
}

/// What is counted within a phase.
struct Counted {
    latencies: Latencies,
    failed: usize,
    first_error: Option<String>,
    writes: u64,
    reads: u64,
}

impl<C: Codec> Sender<C> {
    pub(crate) fn connect(
        to: SocketAddr,
        codec: C,
        window: Window,
        load: &Load,
        whose: Whose,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(to)
            .map_err(|error| io::Error::new(error.kind(), format!("no connection to {to}: {error}")))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(load.deadline()))?;
        // Some more than in flight, as answers may overtake each other.
        let places = (window.in_flight * 4).next_power_of_two().max(64);
        Ok(Self {
            stream,
            codec,
            window,
            whose,
            start: Instant::now(),
            sent: vec![None; places],
            next_opaque: FIRST_OPAQUE,
            in_flight: 0,
            outbox: Vec::new(),
            inbox: vec![0; INBOX_BYTES],
            filled: 0,
            counted: Counted::new(0),
        })
    }

    /// Sends `load.warm_up()` messages, then the measured ones.
    pub(crate) fn run(mut self, load: &Load) -> io::Result<Phase> {
        self.phase(load.warm_up())?;
        self.phase(load.messages)
    }

    /// Sends `messages` and waits for all answers.
    fn phase(&mut self, messages: usize) -> io::Result<Phase> {
        self.counted = Counted::new(messages);
        self.start = Instant::now();
        let before = Usage::now(self.whose)?;
        match self.window.rate {
            None => self.send_all(messages)?,
            Some(rate) => self.send_at_rate(messages, rate)?,
        }
        let seconds = self.start.elapsed().as_secs_f64();
        let used = Usage::now(self.whose)?.since(&before);
        let Counted { latencies, failed, first_error, writes, reads } =
            std::mem::replace(&mut self.counted, Counted::new(0));
        Ok(Phase { seconds, used, latencies, failed, first_error, writes, reads })
    }

    /// As fast as the window allows.
    fn send_all(&mut self, messages: usize) -> io::Result<()> {
        let mut left = messages;
        while left > 0 || self.in_flight > 0 {
            let batch = self.window.batch().min(left);
            if batch > 0 && self.in_flight + batch <= self.window.in_flight {
                let now = self.nanos();
                self.write(batch, |_| now)?;
                left -= batch;
            } else {
                self.read()?;
            }
        }
        Ok(())
    }

    /// Each message at its time, or as soon after it as the window allows.
    fn send_at_rate(&mut self, messages: usize, rate: f64) -> io::Result<()> {
        let interval = 1e9 / rate;
        let intended = |message: usize| (message as f64 * interval) as u64;
        let mut written = 0;
        while written < messages || self.in_flight > 0 {
            let now = self.nanos();
            let room = self.window.in_flight - self.in_flight;
            let due = ((now as f64 / interval) as usize + 1).min(messages) - written;
            let batch = due.min(room);
            if batch > 0 {
                self.write(batch, |index| intended(written + index))?;
                written += batch;
            }
            let next = (written < messages && room > batch).then(|| intended(written));
            if self.is_readable_before(next)? {
                self.read()?;
            }
        }
        Ok(())
    }

    /// Waits for answers until `time`, in nanoseconds from the start; for ever when there is none.
    fn is_readable_before(&self, time: Option<u64>) -> io::Result<bool> {
        let Some(time) = time else { return Ok(self.in_flight > 0) };
        let wait = Duration::from_nanos(time.saturating_sub(self.nanos()));
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        match poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&wait)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes `count` requests, whose times are given by `sent_at`.
    fn write(&mut self, count: usize, sent_at: impl Fn(usize) -> u64) -> io::Result<()> {
        let first = self.next_opaque;
        for index in 0..count {
            let opaque = first.wrapping_add(index as u32);
            let place = opaque as usize & (self.sent.len() - 1);
            if self.sent[place].replace((opaque, sent_at(index))).is_some() {
                return Err(io::Error::other("answers come too far out of order for this floor"));
            }
        }
        self.next_opaque = first.wrapping_add(count as u32);
        self.in_flight += count;
        let mut outbox = std::mem::take(&mut self.outbox);
        self.codec.requests(&mut outbox, first, count);
        let written = self.write_all(&outbox);
        self.outbox = outbox;
        written
    }

    /// Reads in between when the receiver takes no more: it may be waiting for its answers to be taken.
    fn write_all(&mut self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            match send(&self.stream, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(written) => {
                    self.counted.writes += 1;
                    rest = &rest[written..];
                }
                Err(rustix::io::Errno::AGAIN) => {
                    let mut ready = [PollFd::new(&self.stream, PollFlags::IN | PollFlags::OUT)];
                    poll(&mut ready, None)?;
                    if ready[0].revents().contains(PollFlags::IN) {
                        self.read()?;
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for answers and takes all that one read brings.
    fn read(&mut self) -> io::Result<()> {
        let bytes = loop {
            match self.stream.read(&mut self.inbox[self.filled..]) {
                Ok(0) => {
                    return Err(io::Error::new(
                        ErrorKind::UnexpectedEof,
                        "the receiver closed the connection",
                    ));
                }
                Ok(bytes) => break bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let waiting = self.in_flight;
                    let text = format!("no answer to any of {waiting} messages within the deadline");
                    return Err(io::Error::new(ErrorKind::TimedOut, text));
                }
                Err(error) => return Err(error),
            }
        };
        self.counted.reads += 1;
        self.filled += bytes;
        let now = self.nanos();
        let mut taken = 0;
        while let Some(frame) = first_frame(&self.inbox[taken..self.filled])? {
            let outcome = self.codec.answer(frame)?;
            taken += frame.len();
            let place = outcome.opaque as usize & (self.sent.len() - 1);
            match self.sent[place] {
                Some((opaque, sent_at)) if opaque == outcome.opaque => {
                    self.sent[place] = None;
                    self.in_flight -= 1;
                    self.counted.add(outcome.failure, now.saturating_sub(sent_at));
                }
                _ => {
                    return Err(io::Error::other(format!(
                        "an answer to no request: opaque {}",
                        outcome.opaque
                    )));
                }
            }
        }
        self.inbox.copy_within(taken..self.filled, 0);
        self.filled -= taken;
        Ok(())
    }

    fn nanos(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

impl Counted {
    fn new(messages: usize) -> Self {
        let latencies = Latencies::with_capacity(messages);
        Self { latencies, failed: 0, first_error: None, writes: 0, reads: 0 }
    }

    fn add(&mut self, failure: Option<String>, latency: u64) {
        match failure {
            None => self.latencies.add(latency),
            Some(error) => {
                self.failed += 1;
                self.first_error.get_or_insert(error);
            }
        }
    }
}

/// The first frame if it is whole.
fn first_frame(bytes: &[u8]) -> io::Result<Option<&[u8]>> {
    let Some(length) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = 4 + u32::from_be_bytes(*length) as usize;
    if length > INBOX_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("an answer of {length} bytes")));
    }
    Ok(bytes.get(..length))
}
