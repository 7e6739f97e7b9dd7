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
    /// A request had no answer in time. If nothing at all was heard since it was written, the peer may be dead.
    pub(super) fn note_silence(&mut self, key: ConnKey, written_at: Instant) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if conn.last_heard <= written_at && !conn.silent && conn.state == ConnState::Up {
            conn.silent = true;
            self.events.push_back(NetEvent::Silent { link: conn.link });
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
        let due = if conn.silent || conn.state == ConnState::Draining {
            Some(conn.last_heard.max(conn.pending_since) + timeout)
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
