//! Writes records into a buffer.

use super::digest::Digest;
use super::inbound_bodies::InboundBodies;
use super::outbound::Outbound;
use super::parts::{put_bytes, put_number, put_signed};
use super::settings::put_client;
use super::tell::told;
use super::write_command::put_command;
use super::{Bodies, EndReason, FORMAT_VERSION, MAGIC, MAX_BODY_BYTES};
use crate::client::Client;
use crate::ground::{Instant, Now};
use crate::interface::{Action, ClientConfig, CloseReason, Command, ConnId, HookNames, Input};
use alloc::vec::Vec;
use bytes::Bytes;

pub(super) const START: u8 = 1;
pub(super) const MARK: u8 = 2;
pub(super) const TOLD: u8 = 3;
pub(super) const GAP: u8 = 4;
pub(super) const END: u8 = 5;
pub(super) const CONNECTED: u8 = 16;
pub(super) const RECEIVED: u8 = 17;
pub(super) const WROTE: u8 = 18;
pub(super) const CLOSED: u8 = 19;
pub(super) const TICK: u8 = 20;

/// Memory for the parts of a record is given back above this size.
const KEPT_CAPACITY: usize = 1024 * 1024;

/// The first bytes of every recording.
pub(super) fn put_header(out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.push(FORMAT_VERSION);
}

/// Appends a record: its length, its kind, its parts.
pub(super) fn put_record(out: &mut Vec<u8>, kind: u8, parts: &[u8]) {
    put_number(out, parts.len() as u64 + 1);
    out.push(kind);
    out.extend_from_slice(parts);
}

/// Encodes what happens to one client. It holds what was not [taken](Self::take) yet in memory, and knows no file.
///
/// Give it every input before the client gets it, every action that the client's
/// [`poll_action`](crate::client::Client::poll_action) returns, and call [`mark`](Self::mark) once the actions are taken.
///
/// ```
/// use rocketmq_core::client::{Client, ClientConfig, Input};
/// use rocketmq_core::ground::Now;
/// use rocketmq_core::recording::{Bodies, EndReason, Reader, Recorder, Replay};
///
/// let config = ClientConfig::new("127.0.0.1:9876".parse()?, 7);
/// let now = Now::default();
/// let mut recorder = Recorder::new(&config, now, Bodies::LeaveOut);
/// let mut client = Client::new(config, now)?;
/// recorder.input(now, &Input::Tick, &mut client);
/// client.handle(now, Input::Tick);
/// while let Some(action) = client.poll_action() {
///     recorder.action(now, &action);
/// }
/// recorder.mark();
/// recorder.end(now, EndReason::ClientEnded);
///
/// let recording = recorder.take();
/// let mut replay = Replay::new(Reader::new(&recording)?)?;
/// while let Some(step) = replay.next_step()? {
///     println!("{:?} {:?} {:?}", step.now, step.input, step.actions);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recorder {
    start: Now,
    bodies: Bodies,
    tells: bool,
    digest: Digest,
    /// Actions at the last mark.
    marked: u64,
    out: Vec<u8>,
    inbound: InboundBodies,
    outbound: Outbound,
    /// What a socket took; kept for its memory.
    chunks: Vec<Bytes>,
    /// The parts of the record being written; kept for its memory.
    parts: Vec<u8>,
    written: u64,
    ended: bool,
}

impl Recorder {
    /// Begins the recording of a client that is made with this configuration at this time.
    #[must_use]
    pub fn new(config: &ClientConfig, now: Now, bodies: Bodies) -> Self {
        Self::with_hooks(config, &HookNames::default(), now, bodies)
    }

    /// As [`new`](Self::new), for a client with hooks of these names.
    #[must_use]
    pub fn with_hooks(config: &ClientConfig, hooks: &HookNames, now: Now, bodies: Bodies) -> Self {
        let mut it = Self {
            start: now,
            bodies,
            tells: false,
            digest: Digest::new(bodies),
            marked: 0,
            out: Vec::new(),
            inbound: InboundBodies::default(),
            outbound: Outbound::new(bodies),
            chunks: Vec::new(),
            parts: Vec::new(),
            written: 0,
            ended: false,
        };
        put_header(&mut it.out);
        it.parts.clear();
        put_number(&mut it.parts, now.mono.as_micros());
        put_signed(&mut it.parts, now.unix_ms);
        it.parts.push(bodies.code());
        put_bytes(&mut it.parts, env!("CARGO_PKG_VERSION").as_bytes());
        put_client(&mut it.parts, config, hooks);
        it.finish(START);
        it
    }

    /// Also tells in words what the client does, for a recording that will be read without its beginning.
    #[must_use]
    pub fn telling(mut self) -> Self {
        self.tells = true;
        self
    }

    /// One input, before the client gets it. Of a `Wrote` the client's outbox still has the bytes: their hash is
    /// recorded.
    pub fn input(&mut self, now: Now, input: &Input<'_>, client: &mut Client) {
        if self.ended {
            return;
        }
        self.begin(now);
        let kind = match input {
            Input::Command { id, command } => {
                if too_large(command) {
                    return self.end(now, EndReason::MessageTooLarge);
                }
                put_number(&mut self.parts, id.0);
                put_command(&mut self.parts, command, self.bodies)
            }
            Input::Connected { conn } => {
                put_conn(&mut self.parts, *conn);
                CONNECTED
            }
            Input::Received { conn, bytes } => {
                put_conn(&mut self.parts, *conn);
                let begin = self.parts.len();
                self.parts.extend_from_slice(bytes);
                if self.bodies != Bodies::Keep
                    && let Some(bytes) = self.parts.get_mut(begin..)
                {
                    self.inbound.hide(*conn, bytes);
                }
                RECEIVED
            }
            Input::Wrote { conn, count } => {
                put_conn(&mut self.parts, *conn);
                put_number(&mut self.parts, *count as u64);
                client.outbox(*conn, &mut self.chunks);
                let hash = self.outbound.hash(*conn, &self.chunks, *count);
                // The client uses the memory of what is written again, if nobody else holds it.
                self.chunks.clear();
                self.parts.extend_from_slice(&hash.to_le_bytes());
                WROTE
            }
            Input::Closed { conn, why } => {
                self.forget(*conn);
                put_conn(&mut self.parts, *conn);
                self.parts.push(close_code(*why));
                CLOSED
            }
            Input::Tick => TICK,
        };
        self.finish(kind);
    }

    /// One action that the client wants, in the order in which they are taken.
    pub fn action(&mut self, now: Now, action: &Action) {
        if self.ended {
            return;
        }
        self.digest.add(action);
        if let Action::Close { conn } = action {
            self.forget(*conn);
        }
        if self.tells
            && let Some(text) = told(action)
        {
            self.begin(now);
            self.parts.extend_from_slice(text.as_bytes());
            self.finish(TOLD);
        }
    }

    fn forget(&mut self, conn: ConnId) {
        self.inbound.forget(conn);
        self.outbound.forget(conn);
    }

    /// All actions so far are taken: notes their number and hash, if there were any since the last time.
    pub fn mark(&mut self) {
        if self.ended || self.marked == self.digest.actions() {
            return;
        }
        self.marked = self.digest.actions();
        self.parts.clear();
        put_number(&mut self.parts, self.marked);
        self.parts.extend_from_slice(&self.digest.value().to_le_bytes());
        self.finish(MARK);
    }

    /// Ends the recording. Nothing is recorded afterwards.
    pub fn end(&mut self, now: Now, why: EndReason) {
        if self.ended {
            return;
        }
        self.mark();
        self.begin(now);
        self.parts.push(why.code());
        self.finish(END);
        self.ended = true;
        self.parts = Vec::new();
    }

    /// True after [`end`](Self::end), and when a message was larger than a recording can hold.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Encoded bytes that were not taken yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.out.len()
    }

    /// Encoded bytes since the beginning.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written + self.out.len() as u64
    }

    /// Takes the encoded bytes: whole records, to be appended to what was taken before.
    pub fn take(&mut self) -> Vec<u8> {
        self.take_into(Vec::new())
    }

    /// As [`take`](Self::take); goes on in the memory of `empty`.
    pub fn take_into(&mut self, mut empty: Vec<u8>) -> Vec<u8> {
        empty.clear();
        self.written += self.out.len() as u64;
        core::mem::replace(&mut self.out, empty)
    }

    /// Begins a record with its time. The wall clock goes with the other one nearly always, so only the difference is
    /// written.
    fn begin(&mut self, now: Now) {
        self.parts.clear();
        put_number(&mut self.parts, now.mono.as_micros());
        put_signed(&mut self.parts, now.unix_ms.wrapping_sub(expected_unix_ms(self.start, now.mono)));
    }

    fn finish(&mut self, kind: u8) {
        put_record(&mut self.out, kind, &self.parts);
        if self.parts.capacity() > KEPT_CAPACITY {
            self.parts = Vec::new();
        }
    }
}

/// The wall time at `mono` if the wall clock goes with it.
pub(super) fn expected_unix_ms(start: Now, mono: Instant) -> i64 {
    let passed =
        (mono.as_micros() / 1_000).cast_signed().wrapping_sub((start.mono.as_micros() / 1_000).cast_signed());
    start.unix_ms.wrapping_add(passed)
}

fn too_large(command: &Command) -> bool {
    matches!(command, Command::Send(send) if send.message.body().len() > MAX_BODY_BYTES)
}

fn put_conn(parts: &mut Vec<u8>, conn: ConnId) {
    put_number(parts, u64::from(conn.index()));
    put_number(parts, u64::from(conn.life()));
}

fn close_code(why: CloseReason) -> u8 {
    match why {
        CloseReason::Refused => 0,
        CloseReason::Unresolved => 1,
        CloseReason::Unreachable => 2,
        CloseReason::TimedOut => 3,
        CloseReason::EndOfStream => 4,
        CloseReason::Reset => 5,
        CloseReason::Other => 6,
    }
}

/// The reason with this code.
pub(super) fn close_reason(code: u8) -> Option<CloseReason> {
    [
        CloseReason::Refused,
        CloseReason::Unresolved,
        CloseReason::Unreachable,
        CloseReason::TimedOut,
        CloseReason::EndOfStream,
        CloseReason::Reset,
        CloseReason::Other,
    ]
    .into_iter()
    .find(|why| close_code(*why) == code)
}
