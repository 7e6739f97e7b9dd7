//! Second ports: connections that nobody waits for. They are opened beside the ordinary one, and used while they are well.

use super::link::{LinkState, pause};
use super::{ConnState, Link, LinkKey, Net, Role};
use crate::ground::Instant;
use crate::interface::{Action, LostReason};
use alloc::collections::VecDeque;
use core::time::Duration;

impl<P: Copy> Net<P> {
    /// Opens a connection, unless there is one or its pause is not over.
    pub(crate) fn open(&mut self, now: Instant, key: LinkKey, actions: &mut VecDeque<Action>) {
        if let Some(link) = self.links.get(key)
            && let LinkState::Down { not_before, timer } = link.state
            && not_before <= now
        {
            self.connect(now, key, not_before, timer, actions);
        }
    }

    /// Closes a connection over which nothing has gone for so long that it may be dead without anybody knowing: no heartbeats
    /// go over it.
    pub(crate) fn close_if_stale(&mut self, now: Instant, key: LinkKey, actions: &mut VecDeque<Action>) {
        let conn = self.links.get(key).and_then(Link::conn);
        let Some(found) = conn.and_then(|conn| self.conns.get(conn)) else {
            return;
        };
        if let Some(conn) = conn
            && found.is_quiet()
            && found.last_heard + self.timing.heartbeat_interval <= now
        {
            self.drain(now, conn, LostReason::Unused, actions);
        }
    }

    /// How long a link rests after so many failures: one to a second port up to a limit of its own.
    pub(super) fn pause_of(&mut self, role: Role, failures: u32) -> Duration {
        let (min, max) = (self.timing.reconnect_pause_min, self.timing.reconnect_pause_max);
        let max = if role == Role::Vip { self.timing.vip_pause_max.max(min) } else { max };
        pause(&mut self.rng, failures, min, max)
    }

    /// A link that was let go is not to be forgotten after all.
    pub(crate) fn wants_again(&mut self, key: LinkKey) {
        if let Some(link) = self.links.get_mut(key) {
            link.let_go = false;
        }
    }

    /// True when there is a connection that gives signs of life. After a failure it takes one request at a time until that
    /// has its answer.
    pub(crate) fn is_ready(&self, now: Instant, key: LinkKey) -> bool {
        let Some(link) = self.links.get(key) else {
            return false;
        };
        let LinkState::Up { conn } = link.state else {
            return false;
        };
        let Some(conn) = self.conns.get(conn) else {
            return false;
        };
        let is_proven = link.failures == 0 || (conn.is_quiet() && link.live == 0);
        conn.state == ConnState::Up && !conn.is_silent() && is_proven && !self.has_stalled(now, key)
    }
}
