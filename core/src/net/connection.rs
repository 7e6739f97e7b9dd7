//! One connection: what waits for an answer, what waits to be written, what was heard last.

use super::in_flight::InFlight;
use super::outbox::Outbox;
use super::{LinkKey, NetTimer, RequestKey};
use crate::ground::{Instant, TimerKey};
use crate::interface::LostReason;
use crate::wire::{Inbox, WireLimits};
use alloc::collections::VecDeque;

/// A connection that is being opened or is open.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) link: LinkKey,
    pub(crate) state: ConnState,
    /// None while its frames are being read, and where no frames come.
    pub(crate) inbox: Option<Inbox>,
    pub(crate) outbox: Outbox,
    pub(crate) in_flight: InFlight,
    /// One-way requests, in order, with the position behind their last byte.
    pub(crate) one_ways: VecDeque<(u64, RequestKey)>,
    /// When something last came that may be an answer, or a part of one.
    pub(crate) last_heard: Instant,
    /// When an answer last came.
    pub(crate) last_answer: Instant,
    /// When the socket last took bytes.
    pub(crate) last_taken: Instant,
    /// Since when requests have been pending without a break.
    pub(crate) pending_since: Instant,
    pub(crate) silence_timer: Option<TimerKey<NetTimer>>,
    /// When that timer was last unset because nothing was pending.
    pub(crate) relaxed_at: Option<Instant>,
    /// When the first request was written that had no answer in time, with no answer to any other since.
    pub(crate) silent_since: Option<Instant>,
    /// Something was heard at all.
    pub(crate) heard: bool,
    /// The driver was reminded to write and has not reported anything since.
    pub(crate) announced: bool,
    /// Why it drains, once it does.
    pub(crate) drains_because: LostReason,
}

/// How far a connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ConnState {
    Connecting,
    Up,
    /// The server asked to go away: nothing new is written, what is pending may finish.
    Draining,
}

/// The frames that one read brought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) answers: bool,
    pub(crate) requests: bool,
}

impl Connection {
    pub(crate) fn new(link: LinkKey, now: Instant, wire: WireLimits, in_flight: InFlight) -> Self {
        Self {
            link,
            state: ConnState::Connecting,
            inbox: Some(Inbox::new(wire)),
            outbox: Outbox::default(),
            in_flight,
            one_ways: VecDeque::new(),
            last_heard: now,
            last_answer: now,
            last_taken: now,
            pending_since: now,
            silence_timer: None,
            relaxed_at: None,
            silent_since: None,
            heard: false,
            announced: false,
            drains_because: LostReason::Unused,
        }
    }

    /// It is open from now on.
    pub(crate) fn came_up(&mut self, now: Instant) {
        self.state = ConnState::Up;
        (self.last_heard, self.last_answer) = (now, now);
    }

    /// What came was read. The server's own requests are no sign that ours reach it: where only they come, nothing counts
    /// as heard since the last answer. A part of a frame counts until the rest shows what it is, but ends no silence.
    /// Returns true when something counted that does not any more.
    pub(crate) fn note_heard(&mut self, heard: Heard) -> bool {
        if heard.answers {
            self.last_answer = self.last_heard;
            self.silent_since = None;
        } else if heard.requests {
            self.last_heard = self.last_answer;
            return true;
        }
        false
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent_since.is_some()
    }

    /// When silence has lasted too long, if nothing more is heard; none while nothing is pending. Bytes that the socket
    /// does not take are pending even when nobody waits for an answer any more: what stands in line behind them is never
    /// written.
    pub(crate) fn silence_deadline(&self, timeout: core::time::Duration) -> Option<Instant> {
        let since = self.quiet_since();
        if self.in_flight.len() > 0 || !self.one_ways.is_empty() {
            return Some(since + timeout);
        }
        (self.outbox.len() > 0).then(|| since.max(self.last_taken) + timeout)
    }

    /// Since when nothing was heard that was due.
    pub(crate) fn quiet_since(&self) -> Instant {
        self.last_heard.max(self.silent_since.unwrap_or(self.pending_since))
    }

    /// True when an open connection waits for nothing, in neither direction.
    pub(crate) fn is_quiet(&self) -> bool {
        self.in_flight.len() == 0
            && self.one_ways.is_empty()
            && self.outbox.len() == 0
            && self.state == ConnState::Up
    }

    /// True when a draining connection has nothing left to do.
    pub(crate) fn is_drained(&self) -> bool {
        self.state == ConnState::Draining && self.in_flight.len() == 0 && self.outbox.len() == 0
    }
}
