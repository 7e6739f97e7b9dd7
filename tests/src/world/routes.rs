//! What goes over the connections, read by the servers' codec: frames are whole, heartbeats come in time, and sends go
//! only where a route that the client has allows it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use rocketmq_core::client::ConnId;
use serde_json::Value;

use super::message_trace::is_trace_frame;
use super::story::frame_name;
use super::{Invariant, PipeId, World};
use crate::cluster::{Frame, ServerId, parse_properties};
use crate::memo::Memo;

/// A route that was replaced may still be followed for this long: a request that stands in line for its connection keeps
/// its queue, and it stands there until its attempt ends, which no send of a drawn session lets take longer.
pub(super) const OLD_ROUTE_US: u64 = 20_000_000;
/// An answer to a route query that came within this time was taken note of: clients wait longer for it.
const CERTAIN_US: u64 = 900_000;
const PERM_WRITE: i64 = 2;
/// Bytes that are remembered of what a short write leaves over.
const MOST_LEFT_OVER: usize = 1_024;

/// One broker of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writable {
    broker: String,
    queues: i64,
}

/// Something that a route said, and when.
#[derive(Debug)]
struct Told<T> {
    at: u64,
    /// The client has taken note of it: its query had not timed out before, and the route is not one that it refuses.
    certain: bool,
    what: T,
}

/// Where a topic could be written to, as a client was told from time to time.
type ToldRoutes = Vec<Told<Rc<[Writable]>>>;

/// The routes that clients have received: by client and topic.
#[derive(Debug, Default)]
pub(super) struct RouteBook {
    received: BTreeMap<(usize, String), ToldRoutes>,
    /// Addresses of masters by client, broker name and topic: those of one topic hold for all.
    masters: BTreeMap<(usize, String, String), Vec<Told<String>>>,
}

impl RouteBook {
    pub(super) fn topics_of(&self, client: usize) -> usize {
        self.received.keys().filter(|(owner, _)| *owner == client).count()
    }

    #[cfg(test)]
    pub(super) fn forget(&mut self) {
        self.received.clear();
    }

    fn routes(&self, client: usize, topic: &str) -> &[Told<Rc<[Writable]>>] {
        self.received.get(&(client, topic.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn note(&mut self, at: u64, certain: bool, client: usize, topic: String, route: &Route) {
        for (broker, what) in &route.masters {
            let known = self.masters.entry((client, broker.clone(), topic.clone())).or_default();
            if known.last().is_none_or(|last| last.what != *what || !last.certain) {
                known.push(Told { at, certain, what: what.clone() });
            }
        }
        let known = self.received.entry((client, topic)).or_default();
        known.push(Told { at, certain, what: Rc::clone(&route.writable) });
    }

    /// What routes say about the master of a broker, topic by topic.
    fn masters_of<'a>(
        &'a self,
        client: usize,
        broker: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [Told<String>])> {
        let first = (client, broker.to_owned(), String::new());
        let is_it = move |(owner, name, _): &(usize, String, String)| *owner == client && name == broker;
        self.masters
            .range(first..)
            .take_while(move |(key, _)| is_it(key))
            .map(|((_, _, topic), told)| (topic.as_str(), told.as_slice()))
    }
}

/// What may still hold: what was told a short time before, and what held before that.
fn recent<T>(told: &[Told<T>], before_us: u64) -> &[Told<T>] {
    let old = told.partition_point(|it| it.at + OLD_ROUTE_US < before_us);
    let held_before = told[..old].iter().rposition(|it| it.certain).unwrap_or(0);
    &told[held_before..]
}

/// What a route says about writing.
struct Route {
    writable: Rc<[Writable]>,
    /// Brokers with the addresses of their masters; without an address when they have none.
    masters: Vec<(String, String)>,
    /// Queues to write to or read from, whichever are more.
    queues: u64,
}

thread_local! {
    static ROUTES: RefCell<Memo<Option<Rc<Route>>>> = RefCell::default();
}

fn read_route(body: &[u8]) -> Option<Route> {
    // The servers' own library may write integer keys without quotes.
    let quoted = || String::from_utf8_lossy(body).replace("{0:", "{\"0\":");
    let read = serde_json::from_slice(body).or_else(|_| serde_json::from_str(&quoted()));
    let route: Value = read.ok()?;
    let brokers = route.get("brokerDatas")?.as_array()?;
    let master = |data: &Value| {
        let name = data.get("brokerName")?.as_str()?.to_owned();
        let address = data.get("brokerAddrs").and_then(|all| all.get("0")?.as_str());
        let address = address.filter(|address| is_address(address)).unwrap_or_default();
        Some((name, address.to_owned()))
    };
    let masters: Vec<(String, String)> = brokers.iter().filter_map(master).collect();
    let (mut writable, mut count) = (Vec::new(), 0_u64);
    for queues in route.get("queueDatas")?.as_array()? {
        let name = queues.get("brokerName")?.as_str()?;
        let number = |name| queues.get(name).and_then(Value::as_u64).unwrap_or(0);
        count = count.saturating_add(number("writeQueueNums").max(number("readQueueNums")));
        if queues.get("perm")?.as_i64()? & PERM_WRITE == 0 {
            continue;
        }
        if masters.iter().any(|(broker, address)| broker == name && !address.is_empty()) {
            let queues = queues.get("writeQueueNums")?.as_i64()?;
            writable.push(Writable { broker: name.to_owned(), queues });
        }
    }
    Some(Route { writable: writable.into(), masters, queues: count })
}

/// Whether that can be the address of a master at all: a host and a port.
fn is_address(text: &str) -> bool {
    let plain = |host: &str| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic());
    text.rsplit_once(':')
        .is_some_and(|(host, port)| plain(host) && port.parse::<u16>().is_ok_and(|port| port > 0))
}

impl World {
    /// I14: what the socket took is a stream of whole frames.
    pub(super) fn note_written(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get_mut(&id).filter(|pipe| pipe.has_frames()) else {
            return;
        };
        pipe.up.push(bytes);
        loop {
            let Some(pipe) = self.pipes.get_mut(&id) else {
                return;
            };
            match pipe.up.next_frame() {
                Ok(Some(frame)) => self.client_frame(id, &frame),
                Ok(None) => return,
                Err(error) => {
                    let text =
                        format!("client {} writes no frame to {}: {error:?}", pipe.client, pipe.peer());
                    return self.fail(Invariant::FrameIntegrity, text);
                }
            }
        }
    }

    fn client_frame(&mut self, id: PipeId, frame: &Frame) {
        let now_us = self.now_us;
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        let first = pipe.frames == 0;
        pipe.frames += 1;
        // A second port is not greeted.
        let is_broker = matches!(pipe.server, Some(ServerId::Broker(_))) && pipe.second_of.is_none();
        let client = pipe.client;
        self.story.tell(now_us, || {
            format!("client {client} -> {}: {}{}", pipe.peer(), frame_name(frame), details(frame))
        });
        self.watch_request(id, frame);
        if !frame.is_response() {
            self.check_names_written(id, frame);
        }
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        match frame.code {
            _ if frame.is_response() => {}
            34 => {
                self.check_heartbeat(id);
                if let Some(pipe) = self.pipes.get_mut(&id) {
                    pipe.last_heartbeat = now_us;
                }
            }
            105 => {
                if let (Some(opaque), Some(topic)) = (frame.opaque, frame.ext("topic")) {
                    pipe.queries.insert(opaque, (topic.to_owned(), now_us));
                }
            }
            310 => {
                if first && is_broker {
                    self.fail(
                        Invariant::Heartbeat,
                        format!("client {client} sends before it has greeted the broker"),
                    );
                }
                self.check_route_use(id, frame);
                self.note_send_frame(id, frame);
            }
            37 => {
                // Who asks may have left the routes since: then it is answered, and not greeted any more.
                if first && is_broker && frame.ext("fromTransactionCheck") != Some("true") {
                    let text = format!("client {client} ends a transaction before it has greeted the broker");
                    self.fail(Invariant::Heartbeat, text);
                }
                self.note_end_frame(id, frame);
            }
            _ => {}
        }
        self.check_heartbeat(id);
    }

    /// Remembers what a short write leaves over, or the beginning of it.
    pub(super) fn note_left_over(&mut self, id: PipeId, chunks: &[Bytes], written: usize) {
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        let mut written = written.min(pipe.cut_up.unwrap_or(usize::MAX));
        for chunk in chunks {
            let rest = chunk.get(written..).unwrap_or_default();
            written = written.saturating_sub(chunk.len());
            let room = MOST_LEFT_OVER - pipe.left_over.len();
            pipe.left_over.extend_from_slice(&rest[..rest.len().min(room)]);
        }
    }

    /// I14: what a short write left over is handed out again as it was.
    pub(super) fn check_left_over(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        let left_over = std::mem::take(&mut pipe.left_over);
        let (client, count) = (pipe.client, left_over.len());
        self.checked(Invariant::FrameIntegrity);
        if !bytes.starts_with(&left_over) {
            let text = format!("client {client}: the next {count} bytes have changed since a short write");
            self.fail(Invariant::FrameIntegrity, text);
        }
    }

    /// I14: nothing more comes for a connection that has ended.
    pub(super) fn check_nothing_left(&mut self, id: PipeId, client: usize, conn: ConnId) {
        self.checked(Invariant::FrameIntegrity);
        let chunks = self.hand_out(id, client, conn);
        if !chunks.is_empty() {
            let text = format!("client {client} has bytes for a connection that ended: {chunks:?}");
            self.fail(Invariant::FrameIntegrity, text);
        }
    }

    pub(super) fn note_pipe_end(&mut self, id: PipeId) {
        self.ends.note_end(id, self.now_us);
        if let (Some(mutation), Some(pipe)) = (&mut self.mutation, self.pipes.get(&id)) {
            mutation.left_over = pipe.left_over.len();
        }
        if self.pipes.get(&id).is_some_and(|pipe| pipe.open) {
            self.check_heartbeat(id);
        }
    }

    /// I13: the queue is a writable one of that broker in a route that the client has.
    fn check_route_use(&mut self, id: PipeId, frame: &Frame) {
        self.checked(Invariant::RouteUse);
        let Some(pipe) = self.pipes.get(&id) else { return };
        let text_of = |name| frame.ext(name).unwrap_or_default();
        let (topic, default_topic, broker) = (text_of("b"), text_of("c"), text_of("n"));
        let queue: i64 = text_of("e").parse().unwrap_or(-1);
        let most: i64 = text_of("d").parse().unwrap_or(0);
        let allows = |routes: &[Told<Rc<[Writable]>>], most: i64| {
            let mut brokers = routes.iter().flat_map(|told| told.what.iter());
            brokers.any(|it| it.broker == broker && (0..it.queues.min(most)).contains(&queue))
        };
        let client = pipe.client;
        // A request in line follows the route of the time when it was written, and does not notice how long its process stood
        // still.
        let stood_still = self.frozen_until > 0 && self.now_us < self.frozen_until + OLD_ROUTE_US;
        let since = if stood_still { self.frozen_from } else { self.now_us };
        let since = pipe.hindered_since.unwrap_or(since).min(since);
        let is_it = |told: &Told<String>| told.what == pipe.route_address();
        // Each topic borrows for itself, so an old route of the default topic may hold for one and not for another.
        let was_master = |(of, told): (&str, &[Told<String>])| {
            let told = if of == default_topic { told } else { recent(told, since) };
            told.iter().any(is_it)
        };
        let is_master = self.routes.masters_of(client, broker).any(was_master);
        let own = recent(self.routes.routes(client, topic), since);
        let borrowed = self.routes.routes(client, default_topic);
        if !is_master || (!allows(own, i64::MAX) && !allows(borrowed, most)) {
            let masters: Vec<_> = self.routes.masters_of(client, broker).collect();
            let text = format!(
                "client {client} sends to {topic}/{broker}/{queue} at {}; its routes are {own:?} and {borrowed:?}, the \
                 masters of that name {masters:?}",
                pipe.address
            );
            self.fail(Invariant::RouteUse, text);
        }
    }

    /// Notes the answers that a client has read in full.
    pub(super) fn note_read(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get_mut(&id).filter(|pipe| pipe.has_frames()) else {
            return;
        };
        pipe.down.push(bytes);
        while let Some(pipe) = self.pipes.get_mut(&id)
            && let Ok(Some(frame)) = pipe.down.next_frame()
        {
            let at = self.now_us;
            let client = pipe.client;
            self.story.tell(at, || format!("client {client} <- {}: {}", pipe.peer(), frame_name(&frame)));
            pipe.told_to_go |= frame.code == 1500;
            // A query that waited for its socket may have timed out before it left.
            let prompt = pipe.hindered_since.is_none();
            let topic = frame.opaque.and_then(|opaque| pipe.queries.remove(&opaque));
            if frame.is_response() {
                self.watch_answer(id);
                self.note_answer(id, &frame);
                self.note_end_answer(id, &frame);
            } else if frame.code == 39 {
                self.note_check(id, &frame);
            }
            if frame.code == 0
                && let Some((topic, asked_at)) = topic
                && let Some(route) = ROUTES
                    .with_borrow_mut(|routes| routes.get(&frame.body, |body| read_route(body).map(Rc::new)))
            {
                // A route of more queues than a client holds tells it nothing: it keeps the one it has.
                let most = self.clients[client].config.limits.route_queues as u64;
                let certain = prompt && at - asked_at < CERTAIN_US && route.queues <= most;
                self.routes.note(at, certain, client, topic, &route);
                self.note_not_greeted(client);
            }
        }
    }
}

fn details(frame: &Frame) -> String {
    match frame.code {
        105 => format!(" {}", frame.ext("topic").unwrap_or_default()),
        37 => {
            let end = if frame.ext("commitOrRollback") == Some("8") { "commit" } else { "rollback" };
            let asked = if frame.ext("fromTransactionCheck") == Some("true") { ", asked" } else { "" };
            let place = frame.ext("commitLogOffset").unwrap_or_default();
            format!(" {end} of {} at {place}{asked}", frame.ext("msgId").unwrap_or_default())
        }
        310 if is_trace_frame(frame) => {
            let (topic, queue) = (frame.ext("b").unwrap_or_default(), frame.ext("e").unwrap_or_default());
            format!(" records to {topic}/{queue}")
        }
        310 => {
            let properties = parse_properties(frame.ext("i").unwrap_or_default());
            let keys =
                properties.iter().find(|(name, _)| name == "KEYS").map_or("", |(_, keys)| keys.as_str());
            let topic = frame.ext("b").unwrap_or_default();
            let queue = frame.ext("e").unwrap_or_default();
            let one_way = if frame.is_one_way() { ", one-way" } else { "" };
            format!(" {keys} to {topic}/{queue}{one_way}")
        }
        _ => String::new(),
    }
}
