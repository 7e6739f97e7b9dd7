//! Which addresses stay connected, and which are forgotten.

use super::link::LinkState;
use super::{LinkKey, Net, NetEvent};
use crate::ground::Instant;
use crate::interface::{Action, LostReason};
use alloc::collections::VecDeque;

impl<P: Copy> Net<P> {
    /// Keeps a link connected from now on, or lets it go when nobody waits for it.
    pub(crate) fn keep(&mut self, now: Instant, key: LinkKey, keep: bool, actions: &mut VecDeque<Action>) {
        let Some(link) = self.links.get_mut(key) else {
            return;
        };
        if link.keep == keep {
            return;
        }
        link.keep = keep;
        if !keep {
            return self.let_go(now, key, actions);
        }
        link.let_go = false;
        if matches!(link.state, LinkState::Up { .. }) {
            // It was connected for another reason: those who greet every connection learn of it now.
            self.events.push_back(NetEvent::Up { link: key });
        }
    }

    /// Nobody wants this address any more: what waits for it ends, and its connection only finishes what is pending.
    pub(crate) fn let_go(&mut self, now: Instant, key: LinkKey, actions: &mut VecDeque<Action>) {
        let Some(link) = self.links.get_mut(key) else {
            return;
        };
        link.let_go = true;
        let conn = link.conn();
        // What waits would only open it again.
        self.fail_waiting(key, &LostReason::Unused);
        if let Some(conn) = conn {
            self.drain(now, conn, LostReason::Unused, actions);
        }
        self.leaving.push(key);
    }

    /// Forgets the addresses that were let go and of which nothing is left. To be called when all events are passed
    /// on: a request that ended is told with its address.
    pub(super) fn forget_unused(&mut self) {
        for key in core::mem::take(&mut self.leaving) {
            if let Some(link) = self.links.get(key)
                && let LinkState::Down { timer, .. } = link.state
                && link.let_go
                && link.live == 0
                && !self.conns.iter().any(|(_, conn)| conn.link == key)
            {
                if let Some(timer) = timer {
                    self.timers.unset(timer);
                }
                self.by_place.remove(&(link.role, link.endpoint.clone()));
                self.links.remove(key);
            }
        }
    }
}
