//! Floor 6: connections and requests. Never looks at what a request is for: that is the purpose `P`, which
//! comes back with the answer or the failure.
//!
//! A request waits as a value until its connection can take bytes; then the floor above is asked to encode
//! it ([`Net::next_to_write`]). So a request that ends while it waits was never written.

mod connection;
mod ended;
mod in_flight;
mod keep;
mod lifecycle;
mod link;
mod outbox;
mod second;
mod silence;
#[cfg(test)]
mod tests;

pub(crate) use connection::{ConnState, Connection, Heard};
pub(crate) use ended::EndedHow;
use ended::Watch;
pub(crate) use link::{Link, LinkState, Role, pause};
pub(crate) use outbox::Outbox;

use crate::command::ResponseCode;
use crate::ground::endpoint::Endpoint;
use crate::ground::{Instant, Key, Rng, Slots, TimerKey, Timers};
use crate::interface::{Action, ConnId, Counters, Limits, LostReason, Notice, Stray, Timing};
use crate::wire::{Inbox, WireLimits};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use bytes::Bytes;
use core::time::Duration;

pub(crate) type LinkKey = Key<Link>;
pub(crate) type ConnKey = Key<Connection>;
/// Names a request. Its purpose is kept beside it, so the key needs no type of its own.
pub(crate) type RequestKey = Key<RequestTag>;

/// Marks keys of requests.
#[derive(Debug)]
pub(crate) enum RequestTag {}

/// What a timer of this floor is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NetTimer {
    Request(RequestKey),
    Connect(LinkKey),
    Reconnect(LinkKey),
    Silence(ConnKey),
}

/// What the floors above must learn.
#[derive(Debug)]
pub(crate) enum NetEvent<P> {
    /// A connection came up; nothing was written to it yet.
    Up { link: LinkKey },
    /// A connection to a second port ended in a way that speaks against it, or could not be opened; none is opened for so
    /// long.
    Down { link: LinkKey, why: LostReason, pause: Duration },
    /// A connection gives no sign of life.
    Silent { link: LinkKey },
    /// A request ended without an answer.
    Failed { purpose: P, link: LinkKey, failure: Failure },
    /// The socket took all of a one-way request.
    HandedOver { purpose: P },
}

/// How a request ended without an answer.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Failure {
    /// False when the peer cannot have all of it.
    pub(crate) written: bool,
    pub(crate) why: FailureReason,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum FailureReason {
    Timeout,
    Connection(LostReason),
}

/// A request for a frame: what the floor above needs to encode it.
#[derive(Debug)]
pub(crate) struct ToWrite<P> {
    pub(crate) request: RequestKey,
    pub(crate) conn: ConnKey,
    pub(crate) opaque: i32,
    pub(crate) purpose: P,
}

#[derive(Debug)]
struct Request<P> {
    purpose: P,
    link: LinkKey,
    timer: TimerKey<NetTimer>,
    one_way: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Waiting,
    /// `end`: position in the outbox behind its last byte; `at`: when it was encoded.
    OnWire {
        conn: ConnKey,
        opaque: i32,
        end: u64,
        at: Instant,
    },
}

/// All connections and requests of a client.
#[derive(Debug)]
pub(crate) struct Net<P> {
    links: Slots<Link>,
    by_place: BTreeMap<(Role, Endpoint), LinkKey>,
    conns: Slots<Connection>,
    requests: Slots<Request<P>>,
    timers: Timers<NetTimer>,
    ready: VecDeque<LinkKey>,
    /// Links to addresses that may be forgotten.
    leaving: Vec<LinkKey>,
    events: VecDeque<NetEvent<P>>,
    rng: Rng,
    timing: Timing,
    wire: WireLimits,
    connection_requests: usize,
    outbox_bytes: usize,
    /// For who looks at all requests; none: nobody does.
    watch: Option<Box<Watch>>,
    /// Counts changes of what observers see of connections.
    pub(crate) version: u64,
}

impl<P: Copy> Net<P> {
    pub(crate) fn new(timing: Timing, limits: &Limits, rng: Rng) -> Self {
        Self {
            links: Slots::default(),
            by_place: BTreeMap::new(),
            conns: Slots::default(),
            requests: Slots::default(),
            timers: Timers::default(),
            ready: VecDeque::new(),
            leaving: Vec::new(),
            events: VecDeque::new(),
            rng,
            timing,
            wire: limits.wire(),
            connection_requests: limits.connection_requests,
            outbox_bytes: limits.outbox_bytes,
            watch: None,
            version: 0,
        }
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty() || !self.ready.is_empty()
    }

    /// The link to an address in a role, made when there is none.
    pub(crate) fn link(&mut self, role: Role, endpoint: &Endpoint) -> LinkKey {
        let (links, place) = (&mut self.links, (role, endpoint.clone()));
        *self.by_place.entry(place).or_insert_with(|| links.insert(Link::new(role, endpoint.clone())))
    }

    /// The link to an address in a role, if there is one.
    pub(crate) fn find(&self, role: Role, endpoint: &Endpoint) -> Option<LinkKey> {
        self.by_place.get(&(role, endpoint.clone())).copied()
    }

    pub(crate) fn endpoint(&self, link: LinkKey) -> Option<&Endpoint> {
        self.links.get(link).map(|link| &link.endpoint)
    }

    /// True when nothing speaks against sending there: it is connected and gives signs of life, or it never failed.
    pub(crate) fn is_usable(&self, link: LinkKey) -> bool {
        let Some(link) = self.links.get(link) else {
            return false;
        };
        match link.state {
            LinkState::Up { conn } => {
                link.failures == 0 && self.conns.get(conn).is_some_and(|conn| !conn.is_silent())
            }
            LinkState::Connecting { .. } | LinkState::Down { .. } => link.failures == 0,
        }
    }

    /// True when requests are pending and nothing was heard for a while: too early to call it silent, but
    /// whatever can go elsewhere should.
    pub(crate) fn has_stalled(&self, now: Instant, link: LinkKey) -> bool {
        let conn = self.links.get(link).and_then(Link::conn).and_then(|conn| self.conns.get(conn));
        let stalls_at = conn.and_then(|conn| conn.silence_deadline(self.timing.stall_timeout));
        stalls_at.is_some_and(|at| at <= now)
    }

    pub(crate) fn is_up(&self, link: LinkKey) -> bool {
        self.links.get(link).is_some_and(|link| matches!(link.state, LinkState::Up { .. }))
    }

    /// Puts a request in line for a link; the connection is opened when there is none. `first`: before all
    /// others that wait.
    pub(crate) fn ask(
        &mut self,
        link: LinkKey,
        until: Instant,
        purpose: P,
        one_way: bool,
        first: bool,
    ) -> RequestKey {
        let key = self.requests.insert(Request {
            purpose,
            link,
            timer: Key::from_parts(u32::MAX, u32::MAX),
            one_way,
            stage: Stage::Waiting,
        });
        let name = request_name(key);
        let timer = self.timers.set(until, NetTimer::Request(name));
        if let Some(request) = self.requests.get_mut(key) {
            request.timer = timer;
        }
        self.put_in_line(link, name, first);
        self.mark_ready(link);
        name
    }

    fn put_in_line(&mut self, link: LinkKey, name: RequestKey, first: bool) {
        let Some(link) = self.links.get_mut(link) else {
            return;
        };
        link.live += 1;
        if first {
            link.waiting.push_front(name);
        } else {
            link.waiting.push_back(name);
        }
        // Requests that ended while they waited leave their names behind; they are swept in bulk.
        if link.waiting.len() > link.live * 2 + 64 {
            let requests = &self.requests;
            link.waiting.retain(|name| requests.get(slot_key(*name)).is_some());
        }
    }

    fn one_less_waits(&mut self, link: LinkKey) {
        if let Some(link) = self.links.get_mut(link) {
            link.live = link.live.saturating_sub(1);
        }
    }

    /// Ends a request that nobody wants any more. True when its peer may have got it.
    pub(crate) fn withdraw(&mut self, request: RequestKey) -> bool {
        let Some(ended) = self.end_request(request) else {
            return false;
        };
        match ended.stage {
            Stage::Waiting => {
                self.one_less_waits(ended.link);
                false
            }
            Stage::OnWire { conn, opaque, .. } => {
                self.note_ended(&ended, || EndedHow::Withdrawn);
                self.forget_answer(conn, opaque, ended.one_way);
                true
            }
        }
    }

    fn end_request(&mut self, request: RequestKey) -> Option<Request<P>> {
        let ended = self.requests.remove(slot_key(request))?;
        self.timers.unset(ended.timer);
        Some(ended)
    }

    fn forget_answer(&mut self, conn: ConnKey, opaque: i32, one_way: bool) {
        if let Some(conn) = self.conns.get_mut(conn)
            && !one_way
        {
            conn.in_flight.abandon(opaque);
            // Its number is free for a request that waits.
            let link = conn.link;
            self.mark_ready(link);
        }
    }

    fn mark_ready(&mut self, key: LinkKey) {
        if let Some(link) = self.links.get_mut(key)
            && !link.queued
        {
            link.queued = true;
            self.ready.push_back(key);
        }
    }

    /// The next request that a connection can take. The caller encodes it into [`Net::outbox_of`] and then
    /// calls [`Net::written`] or [`Net::not_encodable`].
    pub(crate) fn next_to_write(
        &mut self,
        now: Instant,
        actions: &mut VecDeque<Action>,
    ) -> Option<ToWrite<P>> {
        while let Some(key) = self.ready.front().copied() {
            if let Some(work) = self.next_of_link(key) {
                return Some(work);
            }
            self.ready.pop_front();
            if let Some(link) = self.links.get_mut(key) {
                link.queued = false;
            }
            self.connect_if_wanted(now, key, actions);
        }
        None
    }

    fn next_of_link(&mut self, key: LinkKey) -> Option<ToWrite<P>> {
        let link = self.links.get_mut(key)?;
        let LinkState::Up { conn: conn_key } = link.state else {
            return None;
        };
        let conn = self.conns.get_mut(conn_key)?;
        if conn.outbox.len() >= self.outbox_bytes {
            return None;
        }
        loop {
            let name = *link.waiting.front()?;
            let Some(request) = self.requests.get(slot_key(name)) else {
                link.waiting.pop_front();
                continue;
            };
            let opaque = if request.one_way { one_way_opaque(name) } else { conn.in_flight.insert(name)? };
            link.waiting.pop_front();
            link.live = link.live.saturating_sub(1);
            return Some(ToWrite { request: name, conn: conn_key, opaque, purpose: request.purpose });
        }
    }

    /// Where the frame of [`Net::next_to_write`] goes.
    pub(crate) fn outbox_of(&mut self, conn: ConnKey) -> Option<&mut Outbox> {
        if self.watch.is_some() {
            return self.watched_outbox(conn);
        }
        self.conns.get_mut(conn).map(|conn| &mut conn.outbox)
    }

    /// The frame is in the outbox.
    pub(crate) fn written(&mut self, now: Instant, work: &ToWrite<P>, actions: &mut VecDeque<Action>) {
        let Some(conn) = self.conns.get_mut(work.conn) else {
            return;
        };
        let Some(request) = self.requests.get_mut(slot_key(work.request)) else {
            return;
        };
        let end = conn.outbox.encoded();
        request.stage = Stage::OnWire { conn: work.conn, opaque: work.opaque, end, at: now };
        if conn.in_flight.len() + conn.one_ways.len() <= 1 {
            conn.pending_since = now;
        }
        if request.one_way {
            conn.one_ways.push_back((end, work.request));
        }
        if conn.silence_timer.is_none() {
            let at = now + self.timing.silence_timeout;
            conn.silence_timer = Some(self.timers.set(at, NetTimer::Silence(work.conn)));
        }
        announce_write(work.conn, conn, actions);
    }

    /// The request cannot be put into a frame: it ends here.
    pub(crate) fn not_encodable(&mut self, work: &ToWrite<P>) {
        if let Some(request) = self.end_request(work.request) {
            self.forget_answer(work.conn, work.opaque, request.one_way);
        }
    }

    /// An answer came. Its request ends, and its purpose is told; or it is a stray.
    pub(crate) fn claim(&mut self, conn: ConnKey, opaque: i32) -> Result<P, Stray> {
        let connection = self.conns.get_mut(conn).ok_or(Stray::Foreign)?;
        let name = connection.in_flight.answered(opaque)?;
        let link = connection.link;
        if connection.is_quiet() {
            self.relax(conn);
        }
        let request = self.end_request(name).ok_or(Stray::Late)?;
        self.mark_ready(link);
        Ok(request.purpose)
    }

    /// The socket took bytes.
    pub(crate) fn wrote(&mut self, now: Instant, key: ConnKey, count: usize, actions: &mut VecDeque<Action>) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        conn.outbox.wrote(count);
        conn.last_taken = now;
        let written = conn.outbox.written();
        let link = conn.link;
        conn.announced = false;
        if conn.outbox.len() > 0 {
            announce_write(key, conn, actions);
        }
        while let Some((end, name)) = self.conns.get(key).and_then(|conn| conn.one_ways.front().copied()) {
            if end > written {
                break;
            }
            if let Some(conn) = self.conns.get_mut(key) {
                conn.one_ways.pop_front();
            }
            if let Some(request) = self.end_request(name) {
                self.note_ended(&request, || EndedHow::HandedOver);
                self.events.push_back(NetEvent::HandedOver { purpose: request.purpose });
            }
        }
        self.mark_ready(link);
        self.close_if_drained(now, key, actions);
    }

    pub(crate) fn next_event(&mut self) -> Option<NetEvent<P>> {
        let event = self.events.pop_front();
        if event.is_none() {
            self.forget_unused();
        }
        event
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.timers.next()
    }

    pub(crate) fn outbox(&mut self, conn: ConnId, into: &mut Vec<Bytes>) {
        if let Some(conn) = self.conns.get_mut(conn_key(conn)) {
            conn.outbox.take(into);
        }
    }

    /// Takes the inbox out while its frames are read.
    pub(crate) fn take_inbox(&mut self, now: Instant, key: ConnKey) -> Option<Inbox> {
        let conn = self.conns.get_mut(key)?;
        if conn.state == ConnState::Connecting {
            return None;
        }
        conn.last_heard = now;
        conn.heard = true;
        conn.inbox.take()
    }

    /// A request had a proper answer: whatever failed at this address before is over.
    pub(crate) fn proved_well(&mut self, key: ConnKey) {
        let Some(conn) = self.conns.get(key) else { return };
        if let Some(link) = self.links.get_mut(conn.link)
            && link.conn() == Some(key)
        {
            link.failures = 0;
        }
    }

    /// Puts the inbox back; tells what frames it gave.
    pub(crate) fn put_inbox(&mut self, key: ConnKey, inbox: Inbox, heard: Heard) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.inbox = Some(inbox);
            if conn.note_heard(heard) {
                self.recheck_silence(key);
            }
        }
    }

    pub(crate) fn is_open(&self, key: ConnKey) -> bool {
        self.conns.get(key).is_some()
    }

    /// Whether what comes on this connection is no frames but the answer of an HTTP server.
    pub(crate) fn is_discovery(&self, key: ConnKey) -> bool {
        let conn = self.conns.get(key).filter(|conn| conn.state != ConnState::Connecting);
        let link = conn.and_then(|conn| self.links.get(conn.link));
        link.is_some_and(|link| link.role == Role::Discovery)
    }

    pub(crate) fn link_of(&self, key: ConnKey) -> Option<LinkKey> {
        self.conns.get(key).map(|conn| conn.link)
    }

    /// Puts an answer to a request of the server in line. A server that asks without reading gets none.
    pub(crate) fn answer_inbound<E>(
        &mut self,
        key: ConnKey,
        actions: &mut VecDeque<Action>,
        encode: impl FnOnce(&mut bytes::BytesMut) -> Result<(), E>,
    ) {
        let limit = self.outbox_bytes.saturating_mul(4);
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if conn.outbox.len() < limit && conn.outbox.append(0, encode).is_ok() {
            announce_write(key, conn, actions);
        }
    }

    /// All links, in order of their making.
    pub(crate) fn links(&self) -> impl Iterator<Item = (LinkKey, &Link)> {
        self.links.iter()
    }

    /// Connections that only finish what is pending, with their addresses.
    pub(crate) fn draining(&self) -> impl Iterator<Item = (&Endpoint, &Connection)> {
        let draining = self.conns.iter().filter(|(_, conn)| conn.state == ConnState::Draining);
        draining.filter_map(|(_, conn)| Some((self.endpoint(conn.link)?, conn)))
    }

    pub(crate) fn connection(&self, key: ConnKey) -> Option<&Connection> {
        self.conns.get(key)
    }

    /// Requests that wait for an answer or for a connection; encoded bytes; bytes of incomplete frames.
    pub(crate) fn memory(&self) -> (usize, usize, usize) {
        let outbox = self.conns.iter().map(|(_, conn)| conn.outbox.len()).sum();
        let inbox = self.conns.iter().filter_map(|(_, conn)| conn.inbox.as_ref()).map(Inbox::held).sum();
        (self.requests.len(), outbox, inbox)
    }

    /// Counts and tells of an answer that nobody waits for.
    pub(crate) fn note_stray(
        &self,
        conn: ConnKey,
        kind: Stray,
        code: i32,
        counters: &mut Counters,
        actions: &mut VecDeque<Action>,
    ) {
        match kind {
            Stray::Late => counters.late_answers += 1,
            Stray::Duplicate => counters.duplicate_answers += 1,
            Stray::Foreign => counters.foreign_answers += 1,
        }
        if let Some(endpoint) = self.link_of(conn).and_then(|link| self.endpoint(link)) {
            let endpoint = endpoint.clone();
            let code = ResponseCode(code);
            actions.push_back(Action::Notice(Notice::StrayAnswer { endpoint, kind, code }));
        }
    }
}

/// Reminds the driver that there is something to write, once until it reports something written.
fn announce_write(key: ConnKey, conn: &mut Connection, actions: &mut VecDeque<Action>) {
    if !conn.announced {
        conn.announced = true;
        actions.push_back(Action::Write { conn: conn_id(key) });
    }
}

/// One-way requests need no number of the table; theirs only has to look like one.
fn one_way_opaque(request: RequestKey) -> i32 {
    request.index().cast_signed()
}

fn request_name<P>(key: Key<Request<P>>) -> RequestKey {
    Key::from_parts(key.index(), key.life())
}

fn slot_key<P>(name: RequestKey) -> Key<Request<P>> {
    Key::from_parts(name.index(), name.life())
}

pub(crate) fn conn_id(key: ConnKey) -> ConnId {
    Key::from_parts(key.index(), key.life())
}

pub(crate) fn conn_key(id: ConnId) -> ConnKey {
    Key::from_parts(id.index(), id.life())
}
