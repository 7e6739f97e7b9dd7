//! How connections come and go: opening, failing, pausing, falling silent, draining.

use super::connection::{ConnState, Connection};
use super::in_flight::InFlight;
use super::link::LinkState;
use super::{
    ConnKey, EndedHow, Failure, FailureReason, LinkKey, Net, NetEvent, NetTimer, RequestKey, Role, Stage,
    conn_id, slot_key,
};
use crate::ground::{Instant, TimerKey};
use crate::interface::{Action, Counters, LostReason, Notice};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

impl<P: Copy> Net<P> {
    /// Opens the connection of a link that is down, when somebody wants it and its pause is over.
    pub(crate) fn connect_if_wanted(&mut self, now: Instant, key: LinkKey, actions: &mut VecDeque<Action>) {
        let Some(link) = self.links.get_mut(key) else {
            return;
        };
        let LinkState::Down { not_before, timer } = link.state else {
            return;
        };
        if link.live == 0 && !link.keep {
            return;
        }
        self.connect(now, key, not_before, timer, actions);
    }

    /// Opens the connection of a link that is down, when its pause is over.
    pub(super) fn connect(
        &mut self,
        now: Instant,
        key: LinkKey,
        not_before: Instant,
        timer: Option<TimerKey<NetTimer>>,
        actions: &mut VecDeque<Action>,
    ) {
        let Some(link) = self.links.get_mut(key) else {
            return;
        };
        if not_before > now {
            if timer.is_none() {
                let timer = Some(self.timers.set(not_before, NetTimer::Reconnect(key)));
                link.state = LinkState::Down { not_before, timer };
            }
            return;
        }
        if let Some(timer) = timer {
            self.timers.unset(timer);
        }
        let first_life = (self.rng.next_u64() & 0xFFFF) as u16;
        let in_flight = InFlight::new(self.connection_requests, first_life);
        let mut connection = Connection::new(key, now, self.wire, in_flight);
        if link.role == Role::Discovery {
            connection.inbox = None;
        }
        let conn = self.conns.insert(connection);
        let timer = self.timers.set(now + self.timing.connect_timeout, NetTimer::Connect(key));
        link.state = LinkState::Connecting { conn, timer };
        actions.push_back(Action::Connect { conn: conn_id(conn), to: link.endpoint.clone() });
    }

    /// A connection came up. Ignored when it is unknown, or was up already.
    pub(crate) fn connected(
        &mut self,
        now: Instant,
        key: ConnKey,
        counters: &mut Counters,
        actions: &mut VecDeque<Action>,
    ) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if conn.state != ConnState::Connecting {
            return;
        }
        conn.came_up(now);
        let link_key = conn.link;
        let Some(link) = self.links.get_mut(link_key) else {
            return;
        };
        if let LinkState::Connecting { timer, .. } = link.state {
            self.timers.unset(timer);
        }
        link.state = LinkState::Up { conn: key };
        counters.connections_opened += 1;
        self.version += 1;
        let endpoint = link.endpoint.clone();
        actions.push_back(Action::Notice(Notice::ConnectionUp { conn: conn_id(key), endpoint }));
        self.events.push_back(NetEvent::Up { link: link_key });
        self.mark_ready(link_key);
    }

    /// The driver lost a connection, or could not open it.
    pub(crate) fn closed(
        &mut self,
        now: Instant,
        key: ConnKey,
        why: LostReason,
        counters: &mut Counters,
        actions: &mut VecDeque<Action>,
    ) {
        if self.conns.get(key).is_some_and(|conn| conn.state == ConnState::Connecting) {
            counters.connects_failed += 1;
        }
        // The driver reports what the socket took before it reports the end.
        let left = self.conns.get(key).map_or(0, |conn| conn.outbox.written());
        self.lose(now, key, left, why, actions);
    }

    /// Closes a connection for a reason of our own.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        key: ConnKey,
        why: LostReason,
        actions: &mut VecDeque<Action>,
    ) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        // The driver may be writing at this very moment: whatever is encoded may still leave.
        let left = conn.outbox.encoded();
        actions.push_back(Action::Close { conn: conn_id(key) });
        self.lose(now, key, left, why, actions);
    }

    /// Closes the connection of a link, whatever is under way on it.
    pub(crate) fn hang_up(&mut self, now: Instant, key: LinkKey, actions: &mut VecDeque<Action>) {
        if let Some(conn) = self.links.get(key).and_then(super::Link::conn) {
            self.close(now, conn, LostReason::Unused, actions);
        }
    }

    /// The server asks to go away: nothing new goes there, what is pending may finish, and the address rests.
    pub(crate) fn go_away(&mut self, now: Instant, key: ConnKey, actions: &mut VecDeque<Action>) {
        self.drain(now, key, LostReason::GoAway, actions);
    }

    pub(super) fn drain(
        &mut self,
        now: Instant,
        key: ConnKey,
        why: LostReason,
        actions: &mut VecDeque<Action>,
    ) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        match conn.state {
            ConnState::Draining => return,
            ConnState::Connecting => return self.close(now, key, why, actions),
            ConnState::Up => conn.state = ConnState::Draining,
        }
        conn.drains_because = why.clone();
        if conn.silence_timer.is_none() {
            // What keeps it open may be withdrawn, and nobody else looks after it.
            let at = now + self.timing.silence_timeout;
            conn.silence_timer = Some(self.timers.set(at, NetTimer::Silence(key)));
        }
        let link = conn.link;
        self.version += 1;
        let failed = why != LostReason::Unused;
        self.rest(now, link, failed, &why);
        self.connect_if_wanted(now, link, actions);
        self.close_if_drained(now, key, actions);
    }

    /// Closes a draining connection that has nothing left to do.
    pub(crate) fn close_if_drained(&mut self, now: Instant, key: ConnKey, actions: &mut VecDeque<Action>) {
        if let Some(conn) = self.conns.get(key)
            && conn.is_drained()
        {
            let why = conn.drains_because.clone();
            self.close(now, key, why, actions);
        }
    }

    /// A connection is gone: all its requests end, and the link rests before the next try. `left`: the place in
    /// the outbox up to which bytes can have left.
    fn lose(
        &mut self,
        now: Instant,
        key: ConnKey,
        left: u64,
        why: LostReason,
        actions: &mut VecDeque<Action>,
    ) {
        let Some(conn) = self.conns.remove(key) else {
            return;
        };
        if let Some(timer) = conn.silence_timer {
            self.timers.unset(timer);
        }
        let current = self.links.get(conn.link).and_then(super::Link::conn) == Some(key);
        self.fail_requests_of(&conn, left, &why);
        let Some(link) = self.links.get(conn.link) else {
            return;
        };
        let endpoint = link.endpoint.clone();
        if link.let_go {
            self.leaving.push(conn.link);
        }
        actions.push_back(Action::Notice(Notice::ConnectionDown { endpoint, why: why.clone() }));
        self.version += 1;
        if !current {
            // A drained connection: the link has moved on already.
            return;
        }
        let idle_end = conn.heard && conn.in_flight.len() == 0 && conn.outbox.len() == 0 && !link.keep;
        let failed = !(idle_end || matches!(why, LostReason::Unused | LostReason::Shutdown));
        self.rest(now, conn.link, failed, &why);
        self.connect_if_wanted(now, conn.link, actions);
    }

    /// Marks a link as down. After a failure it pauses, and those that wait for it learn of it.
    fn rest(&mut self, now: Instant, key: LinkKey, failed: bool, why: &LostReason) {
        let Some(link) = self.links.get_mut(key) else {
            return;
        };
        if let LinkState::Connecting { timer, .. } = link.state {
            self.timers.unset(timer);
        }
        let mut not_before = now;
        if failed {
            link.failures = link.failures.saturating_add(1);
            let (role, failures) = (link.role, link.failures);
            let length = self.pause_of(role, failures);
            not_before = now + length;
            if role == Role::Vip {
                self.events.push_back(NetEvent::Down { link: key, why: why.clone(), pause: length });
            }
        }
        let Some(link) = self.links.get_mut(key) else {
            return;
        };
        link.state = LinkState::Down { not_before, timer: None };
        if failed {
            self.fail_waiting(key, why);
        }
    }

    pub(super) fn fail_waiting(&mut self, key: LinkKey, why: &LostReason) {
        let Some(link) = self.links.get_mut(key) else {
            return;
        };
        link.live = 0;
        for name in core::mem::take(&mut link.waiting) {
            self.fail(name, false, FailureReason::Connection(why.clone()));
        }
    }

    /// Ends the requests on a lost connection, in the order in which they were written.
    fn fail_requests_of(&mut self, conn: &Connection, left: u64, why: &LostReason) {
        let one_ways = conn.one_ways.iter().map(|(_, name)| *name);
        let mut names: Vec<(u64, RequestKey)> = conn
            .in_flight
            .requests()
            .chain(one_ways)
            .filter_map(|name| match self.requests.get(slot_key(name))?.stage {
                Stage::OnWire { end, .. } => Some((end, name)),
                Stage::Waiting => None,
            })
            .collect();
        names.sort_unstable();
        for (end, name) in names {
            // Half a frame is never processed: only one whose last byte left can have arrived.
            self.fail(name, end <= left, FailureReason::Connection(why.clone()));
        }
    }

    fn fail(&mut self, name: RequestKey, written: bool, why: FailureReason) {
        if let Some(request) = self.end_request(name) {
            let failure = Failure { written, why };
            self.note_ended(&request, || EndedHow::Failed(failure.clone()));
            self.events.push_back(NetEvent::Failed { purpose: request.purpose, link: request.link, failure });
        }
    }

    /// Handles every timer of this floor that is due.
    pub(crate) fn tick(&mut self, now: Instant, counters: &mut Counters, actions: &mut VecDeque<Action>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                NetTimer::Request(name) => self.request_timed_out(now, name, actions),
                NetTimer::Connect(link) => {
                    let conn = self.links.get(link).and_then(super::Link::conn);
                    if let Some(conn) = conn {
                        counters.connects_failed += 1;
                        let why = LostReason::ConnectTimeout(self.timing.connect_timeout);
                        self.close(now, conn, why, actions);
                    }
                }
                NetTimer::Reconnect(key) => {
                    if let Some(link) = self.links.get_mut(key)
                        && let LinkState::Down { not_before, .. } = link.state
                    {
                        link.state = LinkState::Down { not_before, timer: None };
                    }
                    self.connect_if_wanted(now, key, actions);
                }
                NetTimer::Silence(conn) => self.check_silence(now, conn, counters, actions),
            }
        }
    }

    fn request_timed_out(&mut self, now: Instant, name: RequestKey, actions: &mut VecDeque<Action>) {
        let Some(request) = self.end_request(name) else {
            return;
        };
        self.note_ended(&request, || {
            EndedHow::Failed(Failure { written: true, why: FailureReason::Timeout })
        });
        let written = match request.stage {
            Stage::Waiting => {
                self.one_less_waits(request.link);
                false
            }
            // As long as the connection lives, what is in its outbox can still leave.
            Stage::OnWire { conn, opaque, at, .. } => {
                if request.one_way {
                    if let Some(conn) = self.conns.get_mut(conn) {
                        conn.one_ways.retain(|(_, other)| *other != name);
                    }
                } else {
                    self.forget_answer(conn, opaque, false);
                }
                self.note_silence(conn, at);
                self.close_if_drained(now, conn, actions);
                true
            }
        };
        let failure = Failure { written, why: FailureReason::Timeout };
        self.events.push_back(NetEvent::Failed { purpose: request.purpose, link: request.link, failure });
    }

    /// Closes everything for good.
    pub(crate) fn shut_down(&mut self, now: Instant, actions: &mut VecDeque<Action>) {
        for link in self.links.keys() {
            self.fail_waiting(link, &LostReason::Shutdown);
            if let Some(link) = self.links.get_mut(link) {
                link.keep = false;
            }
        }
        for conn in self.conns.keys() {
            self.close(now, conn, LostReason::Shutdown, actions);
        }
        self.timers = crate::ground::Timers::default();
        self.ready.clear();
        // Nobody is left to learn anything: an event that is still passed on could ask for a connection.
        self.events.clear();
    }
}
