//! Connections from which nothing is heard any more.

use super::{ConnKey, ConnState, Net, NetEvent, NetTimer};
use crate::ground::Instant;
use crate::interface::{Action, Counters, LostReason};
use alloc::collections::VecDeque;
use core::time::Duration;

/// A connection that is quiet again lets its silence timer go, at most so often: with each send of a lone caller it
/// would cost more than the wake-up that it saves.
const RELAXED_APART: Duration = Duration::from_millis(1);

impl<P: Copy> Net<P> {
    /// A request had no answer in time. If nothing at all was answered since it was written, the peer may be dead.
    pub(super) fn note_silence(&mut self, key: ConnKey, written_at: Instant) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if conn.last_answer > written_at || conn.state != ConnState::Up {
            return;
        }
        let is_new = conn.silent_since.is_none();
        conn.silent_since = Some(conn.silent_since.map_or(written_at, |since| since.min(written_at)));
        if is_new {
            self.events.push_back(NetEvent::Silent { link: conn.link });
        }
    }

    /// What counted as heard turned out to be none of an answer: the silence may be longer than its timer knows.
    pub(super) fn recheck_silence(&mut self, key: ConnKey) {
        let timeout = self.timing.silence_timeout;
        let Some(conn) = self.conns.get_mut(key) else { return };
        if let Some(timer) = conn.silence_timer.take() {
            let due = conn.quiet_since() + timeout;
            self.timers.unset(timer);
            conn.silence_timer = Some(self.timers.set(due, NetTimer::Silence(key)));
        }
    }

    /// A connection has nothing pending any more: nobody needs to be woken for its silence.
    pub(super) fn relax(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key)
            && conn.relaxed_at.is_none_or(|at| at + RELAXED_APART <= conn.last_heard)
            && let Some(timer) = conn.silence_timer.take()
        {
            conn.relaxed_at = Some(conn.last_heard);
            self.timers.unset(timer);
        }
    }

    pub(super) fn check_silence(
        &mut self,
        now: Instant,
        key: ConnKey,
        counters: &mut Counters,
        actions: &mut VecDeque<Action>,
    ) {
        let timeout = self.timing.silence_timeout;
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        conn.silence_timer = None;
        if conn.is_drained() {
            return self.close_if_drained(now, key, actions);
        }
        // Requests that timed out are not pending any more, but their silence still counts.
        let pending = conn.silence_deadline(timeout);
        let due = if conn.is_silent() || conn.state == ConnState::Draining {
            Some(conn.quiet_since() + timeout)
        } else {
            pending
        };
        match due {
            None => {}
            Some(due) if due <= now => {
                counters.silences += 1;
                self.close(now, key, LostReason::Silent(timeout), actions);
            }
            Some(due) => conn.silence_timer = Some(self.timers.set(due, NetTimer::Silence(key))),
        }
    }
}
