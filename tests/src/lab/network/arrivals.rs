//! What arrives at either end of a connection, and what is done to connections on the way.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Connects, End, Phase, server_name};
use crate::cluster::{ConnKey, Frame, FrameReader, ServerAction, ServerId};
use crate::lab::sends::Effect;
use crate::lab::state::{Event, State, lock};
use crate::lab::story::describe;

/// What arrives.
impl State {
    pub(in crate::lab) fn connect_done(&mut self, id: u64) {
        let (now_ms, cut_off) = (self.server_ms(), self.is_cut_off(id));
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if cut_off {
            return conn.held.push(Event::ConnectDone(id));
        }
        let rule = conn.server.and_then(|server| self.connects.get(&server)).copied().unwrap_or_default();
        let up = conn.server.filter(|server| self.cluster.is_up(*server));
        let connected = match (rule, up) {
            (Connects::Hanging, _) => return,
            (Connects::Accepted, Some(server)) => Some(server),
            _ => None,
        };
        conn.phase = if connected.is_some() { Phase::Open } else { Phase::Refused };
        self.to_wake.extend(conn.connector.take());
        let text = format!("client {} -> {}: ", conn.client, conn.peer);
        if let Some(server) = connected {
            let host = Ipv4Addr::new(10, 9, 0, u8::try_from(conn.client).unwrap_or(u8::MAX));
            let port = 20_000 + (id % 40_000) as u16;
            self.cluster.on_connect(now_ms, server, ConnKey(id), SocketAddr::new(host.into(), port));
            self.collect();
        }
        self.tell(|| text + if connected.is_some() { "connected" } else { "refused" });
    }

    pub(in crate::lab) fn arrive_at_server(&mut self, id: u64, bytes: Vec<u8>) {
        let (now_ms, cut_off) = (self.server_ms(), self.is_cut_off(id));
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let Some(server) = conn.server.filter(|_| !conn.server_gone) else { return };
        if cut_off {
            return conn.held.push(Event::ToServer(id, bytes));
        }
        let paused = self.cluster.is_paused(server);
        if paused {
            conn.unread += bytes.len();
        } else {
            conn.up_waiting = conn.up_waiting.saturating_sub(bytes.len());
            self.to_wake.extend(conn.writer.take());
        }
        let who = (conn.client, conn.peer.clone());
        let frames = cut(&mut conn.frames_up, &bytes);
        for frame in &frames {
            self.tell(|| format!("client {} -> {}: {}", who.0, who.1, describe(frame)));
        }
        self.story.hash(&bytes);
        for rules in &self.send_rules {
            lock(rules).now_us = self.now_us;
        }
        self.cluster.on_bytes(now_ms, server, ConnKey(id), &bytes);
        self.have_effects(Some(id));
    }

    /// Carries out what the last bytes brought upon brokers and their connections.
    pub(in crate::lab) fn have_effects(&mut self, conn: Option<u64>) {
        let mut crashed = Vec::new();
        for index in 0..self.send_rules.len() {
            let effects = self.send_rules.get(index).map(|rules| lock(rules).take_effects());
            for effect in effects.unwrap_or_default() {
                match (effect, conn) {
                    (Effect::Crash, _) => crashed.push(ServerId::Broker(index)),
                    (Effect::Reset, Some(conn)) => self.reset(conn),
                    // The request lay in a paused broker: all of its connections go.
                    (Effect::Reset, None) => self.reset_all(ServerId::Broker(index)),
                }
            }
        }
        for server in crashed {
            self.tell(|| format!("{} stores a message and dies", server_name(server)));
            self.cluster.crash(self.server_ms(), server);
        }
        self.collect();
    }

    pub(in crate::lab) fn client_ends(&mut self, id: u64) {
        if self.is_cut_off(id) {
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.held.push(Event::ClientEnds(id));
            }
            return;
        }
        let Some(conn) = self.conns.remove(&id) else { return };
        self.tell(|| format!("client {} -> {}: closed", conn.client, conn.peer));
        if let Some(server) = conn.server.filter(|_| !conn.server_gone) {
            self.cluster.on_close(self.server_ms(), server, ConnKey(id));
            self.collect();
        }
    }

    pub(in crate::lab) fn arrive_at_client(&mut self, id: u64, bytes: Vec<u8>) {
        let cut_off = self.is_cut_off(id);
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.client_gone) else { return };
        if conn.end.is_some() {
            return;
        }
        if cut_off {
            return conn.held.push(Event::ToClient(id, bytes));
        }
        let who = (conn.client, conn.peer.clone());
        let frames = cut(&mut conn.frames_down, &bytes);
        conn.arrived.extend(&bytes);
        self.to_wake.extend(conn.reader.take());
        for frame in &frames {
            self.tell(|| format!("{} -> client {}: {}", who.1, who.0, describe(frame)));
        }
        self.story.hash(&bytes);
    }

    pub(in crate::lab) fn server_ends(&mut self, id: u64) {
        let cut_off = self.is_cut_off(id);
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if cut_off {
            return conn.held.push(Event::ServerEnds(id));
        }
        if conn.client_gone {
            self.conns.remove(&id);
            return;
        }
        conn.end = conn.end.or(Some(End::Closed));
        self.to_wake.extend(conn.take_wakers());
        let text = format!("{} -> client {}: closed", conn.peer, conn.client);
        self.tell(|| text);
    }

    /// Takes what the servers want done with their connections.
    pub(in crate::lab) fn collect(&mut self) {
        while let Some((_, action)) = self.cluster.poll_action() {
            match action {
                ServerAction::Send { conn: ConnKey(id), bytes } => {
                    let at = self.way_down(id, bytes.len());
                    if self.conns.get(&id).is_some_and(|conn| !conn.client_gone && !conn.server_gone) {
                        self.plan(at, Event::ToClient(id, bytes));
                    }
                }
                ServerAction::Close { conn: ConnKey(id) } => {
                    let at = self.way_down(id, 0);
                    if let Some(conn) = self.conns.get_mut(&id) {
                        conn.server_gone = true;
                        self.plan(at, Event::ServerEnds(id));
                    }
                }
            }
        }
    }
}

/// Faults.
impl State {
    /// Both ends learn at once that the connection is gone; bytes on their way are lost.
    pub(in crate::lab) fn reset(&mut self, id: u64) {
        let now_ms = self.server_ms();
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.phase == Phase::Open) else { return };
        conn.end = Some(End::Reset);
        conn.arrived.clear();
        self.to_wake.extend(conn.take_wakers());
        let (client, peer, client_gone) = (conn.client, conn.peer.clone(), conn.client_gone);
        let server = conn.server.filter(|_| !conn.server_gone);
        conn.server_gone = true;
        self.tell(|| format!("client {client} <-> {peer}: reset"));
        if client_gone {
            self.conns.remove(&id);
        }
        if let Some(server) = server {
            self.cluster.on_close(now_ms, server, ConnKey(id));
        }
    }

    pub(in crate::lab) fn reset_all(&mut self, server: ServerId) {
        for id in self.conns_of(server) {
            self.reset(id);
        }
        self.collect();
    }

    /// Lets through what was held back while a server was cut off.
    pub(in crate::lab) fn heal(&mut self, server: ServerId) {
        if !self.cut_off.remove(&server) {
            return;
        }
        for id in self.conns_of(server) {
            let held = self.conns.get_mut(&id).map(|conn| std::mem::take(&mut conn.held)).unwrap_or_default();
            for event in held {
                let at = match &event {
                    Event::ToServer(..) | Event::ClientEnds(_) | Event::ConnectDone(_) => self.way_up(id, 0),
                    _ => self.way_down(id, 0),
                };
                self.plan(at, event);
            }
        }
    }

    /// A paused server goes on reading.
    pub(in crate::lab) fn read_on(&mut self, server: ServerId) {
        for id in self.conns_of(server) {
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.up_waiting = conn.up_waiting.saturating_sub(std::mem::take(&mut conn.unread));
                self.to_wake.extend(conn.writer.take());
            }
        }
    }

    fn conns_of(&self, server: ServerId) -> Vec<u64> {
        self.conns.iter().filter(|(_, conn)| conn.server == Some(server)).map(|(id, _)| *id).collect()
    }

    fn is_cut_off(&self, id: u64) -> bool {
        let server = self.conns.get(&id).and_then(|conn| conn.server);
        server.is_some_and(|server| self.cut_off.contains(&server))
    }
}

/// The frames that these bytes complete. Nothing is told of bytes that are no frames.
fn cut(reader: &mut FrameReader, bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    reader.push(bytes);
    while let Ok(Some(frame)) = reader.next_frame() {
        frames.push(frame);
    }
    frames
}
