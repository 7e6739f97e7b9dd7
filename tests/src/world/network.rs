//! Bytes on their way: connects, writes, reads, ends.

use rocketmq_core::client::{CloseReason, ConnId};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::pipe::{ONE_BYTE, Pipe};
use super::record::Recorded;
use super::{Connects, Event, PipeId, Tamper, World};
use crate::cluster::{ConnKey, ServerAction, ServerId};

impl World {
    fn one_way(&mut self) -> u64 {
        self.network.latency_us + self.up_to(self.network.jitter_us)
    }

    pub(super) fn connect(&mut self, client: usize, conn: ConnId, address: &str) {
        let server = address.parse().ok().and_then(|address| self.cluster.server_at(address));
        let pipe = Pipe::new(client, conn, server, address.to_owned());
        let at = self.now_us;
        self.story.tell(at, || format!("client {client}: connects to {} ({address})", pipe.peer()));
        self.next_pipe += 1;
        let id = PipeId(self.next_pipe);
        self.pipes.insert(id, pipe);
        self.by_conn.insert((client, conn), id);
        let round_trip = self.one_way() + self.one_way();
        self.plan(self.now_us + round_trip, Event::ConnectDone(id));
    }

    pub(super) fn connect_done(&mut self, id: PipeId) {
        let (refused, hanging) = (self.network.refused_connects, self.network.hanging_connects);
        let (refused, hanging) = (self.chance(refused), self.chance(hanging));
        let Some(pipe) = self.pipes.get(&id) else { return };
        if pipe.client_gone {
            self.pipes.remove(&id);
            return;
        }
        let (client, conn) = (pipe.client, pipe.conn);
        let rule = pipe.server.and_then(|server| self.connects.get(&server).copied()).unwrap_or_default();
        let up = pipe.server.filter(|server| self.cluster.is_up(*server));
        match rule {
            Connects::Hanging => {}
            _ if hanging => self.reached.hanging_connects += 1,
            Connects::Refused => self.refuse(id),
            _ if refused => self.refuse(id),
            Connects::Foreign(bytes) => {
                if let Some(pipe) = self.pipes.get_mut(&id) {
                    pipe.open = true;
                    pipe.server = None;
                    pipe.last_heartbeat = self.now_us;
                }
                self.give(client, Recorded::Connected(conn));
                self.down(id, bytes.to_vec());
            }
            Connects::Ordinary => {
                let Some(server) = up else { return self.refuse(id) };
                let port = 20_000 + (id.0 % 40_000) as u16;
                let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, client as u8, 1)), port);
                self.cluster.on_connect(self.server_ms(), server, ConnKey(id.0), peer);
                if let Some(pipe) = self.pipes.get_mut(&id) {
                    pipe.open = true;
                    pipe.last_heartbeat = self.now_us;
                }
                self.give(client, Recorded::Connected(conn));
                self.collect_cluster();
            }
        }
    }

    fn refuse(&mut self, id: PipeId) {
        self.reached.refused_connects += 1;
        if let Some(pipe) = self.pipes.remove(&id) {
            self.by_conn.remove(&(pipe.client, pipe.conn));
            self.give(pipe.client, Recorded::Closed(pipe.conn, CloseReason::Refused));
        }
    }

    pub(super) fn plan_write(&mut self, id: PipeId, at: u64) {
        if let Some(pipe) = self.pipes.get_mut(&id)
            && pipe.is_live()
            && !pipe.write_planned
        {
            pipe.write_planned = true;
            self.plan(at, Event::Write(id));
        }
    }

    /// The socket takes some of the outbox.
    pub(super) fn write(&mut self, id: PipeId) {
        let short = self.chance(self.network.short_writes);
        let one_byte = self.chance(ONE_BYTE);
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        pipe.write_planned = false;
        if !pipe.is_live() || pipe.unreported > 0 {
            return;
        }
        if pipe.stalled_until > self.now_us {
            pipe.hindered = true;
            let at = pipe.stalled_until;
            return self.plan_write(id, at);
        }
        let (client, conn) = (pipe.client, pipe.conn);
        let mut chunks = Vec::new();
        self.clients[client].core.outbox(conn, &mut chunks);
        let mut bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.iter().copied()).collect();
        if bytes.is_empty() {
            return;
        }
        if short {
            let take = if one_byte { 1 } else { 1 + self.rng.below(bytes.len() as u64) as usize };
            bytes.truncate(take);
            self.reached.short_writes += 1;
        }
        self.send_up(id, bytes);
    }

    fn send_up(&mut self, id: PipeId, mut bytes: Vec<u8>) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        let mut cut = false;
        if let Some(left) = pipe.cut_up {
            bytes.truncate(left);
            pipe.cut_up = Some(left - bytes.len());
            cut = left == bytes.len();
        }
        let count = bytes.len();
        pipe.unreported += count;
        self.note_written(id, &bytes);
        self.up(id, bytes);
        if cut {
            // The news of the end must not overtake the bytes.
            let at = self.pipes.get(&id).map_or(0, |pipe| pipe.last_up.max(self.now_us));
            self.plan(at, Event::Call(Box::new(move |world| world.reset(id))));
        }
        let late = self.up_to(self.network.late_wrote_us);
        if late == 0 {
            self.report_written(id);
        } else {
            self.plan(self.now_us + late, Event::Wrote(id));
        }
    }

    pub(super) fn report_written(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        let count = std::mem::take(&mut pipe.unreported);
        let (client, conn) = (pipe.client, pipe.conn);
        if count > 0 {
            self.give(client, Recorded::Wrote(conn, count));
            self.plan_write(id, self.now_us);
        }
    }

    /// Puts bytes on their way to the server, in pieces when reads are short.
    fn up(&mut self, id: PipeId, bytes: Vec<u8>) {
        let way = self.one_way();
        for piece in self.pieces(bytes) {
            let Some(pipe) = self.pipes.get_mut(&id) else {
                return;
            };
            if pipe.half_open || pipe.server.is_none() {
                return;
            }
            let at = (self.now_us + way).max(pipe.last_up);
            pipe.last_up = at;
            self.plan(at, Event::Up(id, piece));
        }
    }

    fn pieces(&mut self, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        while bytes.len() > 1 && self.chance(self.network.short_reads) {
            let most = bytes.len() as u64 - 1;
            let first = if self.chance(ONE_BYTE) { 1 } else { 1 + self.rng.below(most) as usize };
            let rest = bytes.split_off(first);
            pieces.push(std::mem::replace(&mut bytes, rest));
        }
        pieces.push(bytes);
        pieces
    }

    pub(super) fn arrive_up(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get(&id) else { return };
        let Some(server) = pipe.server.filter(|_| !pipe.server_gone && !pipe.half_open) else {
            return;
        };
        self.cluster.on_bytes(self.server_ms(), server, ConnKey(id.0), bytes);
        self.collect_cluster();
    }

    /// The client closed: what it had written arrives first.
    pub(super) fn client_closes(&mut self, id: PipeId) {
        self.note_pipe_end(id);
        let way = self.one_way();
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        pipe.client_gone = true;
        self.by_conn.remove(&(pipe.client, pipe.conn));
        let at = (self.now_us + way).max(pipe.last_up);
        if pipe.half_open || pipe.server.is_none() || pipe.server_gone {
            self.pipes.remove(&id);
        } else if pipe.open {
            self.plan(at, Event::UpEnd(id));
        }
    }

    pub(super) fn end_up(&mut self, id: PipeId) {
        if let Some(pipe) = self.pipes.remove(&id)
            && let Some(server) = pipe.server
            && !pipe.server_gone
        {
            self.cluster.on_close(self.server_ms(), server, ConnKey(id.0));
            self.collect_cluster();
        }
    }

    /// Carries out what the servers want done.
    pub(super) fn collect_cluster(&mut self) {
        while let Some((server, action)) = self.cluster.poll_action() {
            match action {
                ServerAction::Send { conn, bytes } => self.server_says(PipeId(conn.0), server, &bytes),
                ServerAction::Close { conn } => {
                    let id = PipeId(conn.0);
                    if let Some(pipe) = self.pipes.get_mut(&id) {
                        pipe.server_gone = true;
                        self.end_of(id, CloseReason::EndOfStream);
                    }
                }
            }
        }
    }

    fn server_says(&mut self, id: PipeId, server: ServerId, bytes: &[u8]) {
        let Some(mut hook) = self.tamper.take() else {
            return self.down(id, bytes.to_vec());
        };
        let mut frames = Vec::new();
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.spoken.push(bytes);
            while let Ok(Some(frame)) = pipe.spoken.next_frame() {
                frames.push(frame);
            }
        }
        for frame in frames {
            match hook(server, &frame) {
                Tamper::Keep => self.down(id, frame.encode()),
                Tamper::Drop => {}
                Tamper::Twice => {
                    self.down(id, frame.encode());
                    self.down(id, frame.encode());
                }
                Tamper::Instead(other) => self.down(id, other),
                Tamper::Late(micros) => {
                    if let Some(pipe) = self.pipes.get_mut(&id) {
                        pipe.last_down = pipe.last_down.max(self.now_us) + micros;
                    }
                    self.down(id, frame.encode());
                }
            }
        }
        self.tamper = Some(hook);
    }

    /// Puts bytes on their way to the client.
    pub(super) fn down(&mut self, id: PipeId, bytes: Vec<u8>) {
        let way = self.one_way();
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if pipe.client_gone || pipe.half_open {
            return;
        }
        let at = (self.now_us + way).max(pipe.last_down);
        pipe.last_down = at;
        self.plan(at, Event::Down(id, bytes));
    }

    /// The end of a connection is on its way to the client, behind the bytes.
    pub(super) fn end_of(&mut self, id: PipeId, why: CloseReason) {
        let way = self.one_way();
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if pipe.half_open {
            return;
        }
        let at = (self.now_us + way).max(pipe.last_down);
        pipe.last_down = at;
        self.plan(at, Event::DownEnd(id, why));
    }

    pub(super) fn arrive_down(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if !pipe.is_live() || pipe.half_open {
            return;
        }
        pipe.arrived.extend_from_slice(bytes);
        if !pipe.read_planned {
            pipe.read_planned = true;
            let delay = self.up_to(self.network.read_delay_us);
            self.plan(self.now_us + delay, Event::Read(id));
        }
    }

    pub(super) fn read(&mut self, id: PipeId) {
        let short = self.chance(self.network.short_reads);
        let one_byte = self.chance(ONE_BYTE);
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        pipe.read_planned = false;
        if !pipe.is_live() || pipe.arrived.is_empty() {
            return;
        }
        let mut count = pipe.arrived.len();
        if short {
            count = if one_byte { 1 } else { 1 + self.rng.below(count as u64) as usize };
            self.reached.short_reads += 1;
        }
        let mut cut = false;
        if let Some(left) = pipe.cut_down {
            count = count.min(left);
            pipe.cut_down = Some(left - count);
            cut = left == count;
        }
        let rest = pipe.arrived.split_off(count);
        let bytes = std::mem::replace(&mut pipe.arrived, rest);
        let (client, conn) = (pipe.client, pipe.conn);
        if !pipe.arrived.is_empty() && !cut {
            pipe.read_planned = true;
            self.plan(self.now_us, Event::Read(id));
        }
        if count > 0 {
            self.note_read(id, &bytes);
            self.give(client, Recorded::Received(conn, bytes));
        }
        if cut {
            self.reset(id);
        }
    }

    pub(super) fn end_down(&mut self, id: PipeId, why: CloseReason) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if !pipe.is_live() {
            if !pipe.open && !pipe.client_gone {
                return;
            }
            self.pipes.remove(&id);
            return;
        }
        if !pipe.arrived.is_empty() && why == CloseReason::EndOfStream {
            self.plan(self.now_us + 1, Event::DownEnd(id, why));
            if let Some(pipe) = self.pipes.get_mut(&id)
                && !pipe.read_planned
            {
                pipe.read_planned = true;
                self.plan(self.now_us, Event::Read(id));
            }
            return;
        }
        // What the socket took is reported before its end.
        self.report_written(id);
        self.note_pipe_end(id);
        if let Some(pipe) = self.pipes.remove(&id) {
            // The answer to the report may have closed it.
            if self.by_conn.remove(&(pipe.client, pipe.conn)).is_some() {
                let at = self.now_us;
                self.story.tell(at, || format!("network: {} ends: {why}", pipe.peer()));
                self.give(pipe.client, Recorded::Closed(pipe.conn, why));
            }
        }
    }
}
