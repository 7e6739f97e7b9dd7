//! What goes over the connections, read by the servers' codec: frames are whole, heartbeats come in time, and sends go
//! only where a route that the client has allows it.

use std::collections::BTreeMap;

use rocketmq_core::client::ConnectionState;
use serde_json::Value;

use super::story::request_name;
use super::{PipeId, World};
use crate::cluster::{Frame, ServerId, parse_properties};

/// A route that was replaced may still be followed by frames that were encoded before, for this long.
const OLD_ROUTE_US: u64 = 5_000_000;
const HEARTBEAT_US: u64 = 30_000_000;
const HEARTBEAT_SLACK_US: u64 = 1_000_000;
const PERM_WRITE: i64 = 2;

/// One broker of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writable {
    broker: String,
    address: String,
    queues: i64,
}

/// A route, and when it came.
type Received = (u64, Vec<Writable>);

/// The routes that clients have received: by client and topic, with the time.
#[derive(Debug, Default)]
pub(super) struct RouteBook {
    pub(super) received: BTreeMap<(usize, String), Vec<Received>>,
}

impl RouteBook {
    pub(super) fn topics_of(&self, client: usize) -> usize {
        self.received.keys().filter(|(owner, _)| *owner == client).count()
    }

    fn recent(&self, client: usize, topic: &str, now_us: u64, all: bool) -> &[Received] {
        let Some(routes) = self.received.get(&(client, topic.to_owned())) else {
            return &[];
        };
        let old = routes.partition_point(|(at, _)| at + OLD_ROUTE_US < now_us);
        let from = if all { 0 } else { old.saturating_sub(2) };
        &routes[from..]
    }
}

fn read_route(body: &[u8]) -> Option<Vec<Writable>> {
    let route: Value = serde_json::from_slice(body).ok()?;
    let brokers = route.get("brokerDatas")?.as_array()?;
    let address = |name: &str| {
        let data =
            brokers.iter().find(|data| data.get("brokerName").and_then(Value::as_str) == Some(name))?;
        data.get("brokerAddrs")?.get("0")?.as_str().map(str::to_owned)
    };
    let mut writable = Vec::new();
    for queues in route.get("queueDatas")?.as_array()? {
        let name = queues.get("brokerName")?.as_str()?;
        if queues.get("perm")?.as_i64()? & PERM_WRITE == 0 {
            continue;
        }
        if let Some(address) = address(name) {
            let queues = queues.get("writeQueueNums")?.as_i64()?;
            writable.push(Writable { broker: name.to_owned(), address, queues });
        }
    }
    Some(writable)
}

impl World {
    /// I14: what the socket took is a stream of whole frames.
    pub(super) fn note_written(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
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
                    return self.fail("I14 whole frames", text);
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
        let (client, is_broker) = (pipe.client, matches!(pipe.server, Some(ServerId::Broker(_))));
        self.story.tell(now_us, || {
            let what =
                if frame.is_response() { format!("answer {}", frame.code) } else { request_name(frame.code) };
            format!("client {client} -> {}: {what}{}", pipe.peer(), details(frame))
        });
        match frame.code {
            _ if frame.is_response() => {}
            34 => {
                let gap = now_us - pipe.last_heartbeat;
                pipe.last_heartbeat = now_us;
                self.check_heartbeat(id, gap);
            }
            105 => {
                if let (Some(opaque), Some(topic)) = (frame.opaque, frame.ext("topic")) {
                    pipe.queries.insert(opaque, topic.to_owned());
                }
            }
            310 => {
                if first && is_broker {
                    self.fail(
                        "I12 heartbeat",
                        format!("client {client} sends before it has greeted the broker"),
                    );
                }
                self.check_route_use(id, frame);
            }
            _ => {}
        }
    }

    /// I12: no gap longer than the period while the connection is one that the client keeps.
    fn check_heartbeat(&mut self, id: PipeId, gap: u64) {
        let Some(pipe) = self.pipes.get(&id) else { return };
        let Some(ServerId::Broker(_)) = pipe.server else {
            return;
        };
        let it = &self.clients[pipe.client];
        let interval = u64::try_from(it.config.timing.heartbeat_interval.as_micros()).unwrap_or(HEARTBEAT_US);
        // A frame that the socket takes byte by byte takes its time, too.
        let slack = self.slack_us + HEARTBEAT_SLACK_US;
        // A connection of few requests may be full of unanswered ones: then the heartbeat is next in line.
        let crowded = it.config.limits.connection_requests < 16;
        if gap <= interval + slack || crowded || pipe.hindered || pipe.told_to_go || it.groups == 0 {
            return;
        }
        let view = it.core.view();
        let kept = view
            .brokers
            .iter()
            .any(|broker| broker.master.as_ref().is_some_and(|at| at.to_string() == pipe.address));
        let up = view
            .connections
            .iter()
            .any(|link| link.endpoint.to_string() == pipe.address && link.state == ConnectionState::Up);
        if kept && up {
            let text = format!("client {}: {gap} µs without a heartbeat to {}", pipe.client, pipe.peer());
            self.fail("I12 heartbeat", text);
        }
    }

    pub(super) fn note_pipe_end(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get(&id).filter(|pipe| pipe.open) else {
            return;
        };
        let gap = self.now_us - pipe.last_heartbeat;
        self.check_heartbeat(id, gap);
    }

    /// I13: the queue is a writable one of that broker in a route that the client has.
    fn check_route_use(&mut self, id: PipeId, frame: &Frame) {
        let Some(pipe) = self.pipes.get(&id) else { return };
        let text_of = |name| frame.ext(name).unwrap_or_default();
        let (topic, default_topic, broker) = (text_of("b"), text_of("c"), text_of("n"));
        let queue: i64 = text_of("e").parse().unwrap_or(-1);
        let most: i64 = text_of("d").parse().unwrap_or(0);
        let allows = |routes: &[Received], most: i64| {
            let mut brokers = routes.iter().flat_map(|(_, route)| route);
            brokers.any(|it| {
                it.broker == broker && it.address == pipe.address && (0..it.queues.min(most)).contains(&queue)
            })
        };
        let own = self.routes.recent(pipe.client, topic, self.now_us, pipe.hindered);
        let borrowed = self.routes.recent(pipe.client, default_topic, self.now_us, pipe.hindered);
        if !allows(own, i64::MAX) && !allows(borrowed, most) {
            let text = format!(
                "client {} sends to {topic}/{broker}/{queue} at {}; its routes are {own:?} and {borrowed:?}",
                pipe.client, pipe.address
            );
            self.fail("I13 route use", text);
        }
    }

    /// Notes the answers that a client has read in full.
    pub(super) fn note_read(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        pipe.down.push(bytes);
        while let Ok(Some(frame)) = pipe.down.next_frame() {
            let at = self.now_us;
            let client = pipe.client;
            self.story.tell(at, || {
                let what = if frame.is_response() { "answer" } else { "request" };
                let remark = frame.remark.as_deref().unwrap_or_default();
                format!("client {client} <- {}: {what} {} {remark}", pipe.peer(), frame.code)
            });
            pipe.told_to_go |= frame.code == 1500;
            let Some(topic) = frame.opaque.and_then(|opaque| pipe.queries.remove(&opaque)) else {
                continue;
            };
            if frame.code == 0
                && let Some(route) = read_route(&frame.body)
            {
                self.routes.received.entry((client, topic)).or_default().push((at, route));
            }
        }
    }
}

fn details(frame: &Frame) -> String {
    match frame.code {
        105 => format!(" {}", frame.ext("topic").unwrap_or_default()),
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
