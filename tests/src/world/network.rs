//! Bytes on their way: connects, writes, ends. What arrives at the client: `arrivals.rs`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use rocketmq_core::client::{CloseReason, ConnId, OwnedInput};
use rocketmq_core::ground::endpoint::Endpoint;

use super::pipe::{ONE_BYTE, Pipe};
use super::{Connects, Event, PipeId, Tamper, TraceHash, World};
use crate::cluster::{ConnKey, ServerAction, ServerId};

impl World {
    fn one_way(&mut self) -> u64 {
        self.network.latency_us + self.up_to(self.network.jitter_us)
    }

    pub(super) fn connect(&mut self, client: usize, conn: ConnId, address: &str) {
        let server = address.parse().ok().and_then(|address| self.cluster.server_at(address));
        let mut pipe = Pipe::new(client, conn, server, address.to_owned());
        // The address of a master that has moved may be the second port of the new one; nobody listens there then.
        let brokers = self.clients[client].core.view().brokers;
        let is_master = |at: &Endpoint| at.to_string() == address;
        let is_first_port = brokers.iter().any(|broker| broker.master.as_ref().is_some_and(is_master));
        if server.is_none() && self.vip_is_open && !is_first_port {
            pipe.take_second_port(|address| self.cluster.server_at(address));
        }
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
        if self.fails_to_connect(id) {
            return;
        }
        let Some(pipe) = self.pipes.get(&id) else { return };
        let rule = pipe.server.and_then(|server| self.connects.get(&server).copied()).unwrap_or_default();
        let up = pipe.server.filter(|server| self.cluster.is_up(*server));
        match rule {
            Connects::Hanging => {}
            Connects::Late(micros) if self.put_off(id, micros) => {}
            Connects::Unresolved => self.refuse(id, CloseReason::Unresolved),
            _ if hanging => self.reached.hanging_connects += 1,
            Connects::Refused => self.refuse(id, CloseReason::Refused),
            _ if refused => self.refuse(id, CloseReason::Refused),
            Connects::Foreign(bytes) => {
                if let Some(pipe) = self.pipes.get_mut(&id) {
                    pipe.open = true;
                    pipe.server = None;
                    pipe.last_heartbeat = self.now_us;
                }
                self.give(client, OwnedInput::Connected { conn });
                self.down(id, bytes.to_vec());
            }
            Connects::Ordinary | Connects::Late(_) | Connects::Unread(_) => {
                let Some(server) = up else { return self.refuse(id, CloseReason::Refused) };
                let port = 20_000 + (id.0 % 40_000) as u16;
                let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, client as u8, 1)), port);
                let now_ms = self.server_ms();
                self.cluster.on_connect(now_ms, server, ConnKey(id.0), peer);
                if let Some(pipe) = self.pipes.get_mut(&id) {
                    pipe.open = true;
                    pipe.last_heartbeat = self.now_us;
                    if let Connects::Unread(micros) = rule {
                        pipe.stalled_until = self.now_us + micros;
                    }
                }
                self.give(client, OwnedInput::Connected { conn });
                self.collect_cluster();
            }
        }
    }

    fn put_off(&mut self, id: PipeId, micros: u64) -> bool {
        let first = self.pipes.get_mut(&id).is_some_and(|pipe| !std::mem::replace(&mut pipe.put_off, true));
        if first {
            self.plan(self.now_us + micros, Event::ConnectDone(id));
        }
        first
    }

    pub(super) fn refuse(&mut self, id: PipeId, why: CloseReason) {
        self.reached.refused_connects += 1;
        if let Some(pipe) = self.pipes.remove(&id) {
            self.by_conn.remove(&(pipe.client, pipe.conn));
            self.give(pipe.client, OwnedInput::Closed { conn: pipe.conn, why });
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
            pipe.hindered_since.get_or_insert(self.now_us);
            self.sockets_lag = true;
            let at = pipe.stalled_until;
            return self.plan_write(id, at);
        }
        let (client, conn) = (pipe.client, pipe.conn);
        let chunks = self.hand_out(id, client, conn);
        let mut bytes: Vec<u8> = chunks.concat();
        if bytes.is_empty() {
            return;
        }
        self.check_left_over(id, &bytes);
        if self.fails_to_write(id, &mut bytes) {
            return;
        }
        if chunks.len() > 1 && self.chance(self.network.border_writes) {
            bytes.truncate((chunks[0].len() + self.rng.below(5) as usize).saturating_sub(2).max(1));
            self.reached.border_writes += 1;
        }
        self.slow_down(id, &mut bytes);
        if short {
            let take = if one_byte { 1 } else { 1 + self.rng.below(bytes.len() as u64) as usize };
            bytes.truncate(take);
            self.reached.short_writes += 1;
        }
        let cut = self.pipes.get(&id).and_then(|pipe| pipe.cut_up).unwrap_or(usize::MAX);
        let taken = bytes.len().min(cut);
        self.sockets_lag |= taken < chunks.iter().map(Bytes::len).sum();
        self.note_left_over(id, &chunks, taken);
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
            // What is left of a frame never leaves, and the news of the end may take its time.
            if cut {
                pipe.hindered_since.get_or_insert(self.now_us);
            }
        }
        let count = bytes.len();
        pipe.unreported += count;
        // The action says only that there is something to write: what it is belongs to the action.
        self.hash.add(&bytes);
        if self.records {
            pipe.taken.extend_from_slice(&bytes);
        }
        let bytes = self.mutate_up(id, bytes);
        self.note_written(id, &bytes);
        if self.pipes.get(&id).is_some_and(|pipe| (1..4).contains(&pipe.up.held())) {
            self.reached.writes_split_in_length += 1;
        }
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
        let (count, taken) = (std::mem::take(&mut pipe.unreported), std::mem::take(&mut pipe.taken));
        let (client, conn) = (pipe.client, pipe.conn);
        if count > 0 {
            if self.records {
                self.clients[client].written.push(TraceHash::of(&taken));
            }
            self.give(client, OwnedInput::Wrote { conn, count });
            self.plan_write(id, self.now_us);
        }
    }

    /// Puts bytes on their way to the server, in pieces when reads are short.
    fn up(&mut self, id: PipeId, bytes: Vec<u8>) {
        let way = self.one_way();
        for piece in self.pieces(bytes.into()) {
            let Some(pipe) = self.pipes.get_mut(&id) else {
                return;
            };
            if pipe.half_open || pipe.lost_up || pipe.server.is_none() {
                return;
            }
            let at = (self.now_us + way).max(pipe.last_up).max(pipe.clogged_until);
            pipe.last_up = at;
            self.plan(at, Event::Up(id, piece));
        }
    }

    fn pieces(&mut self, mut bytes: Bytes) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        while bytes.len() > 1 && self.chance(self.network.short_reads) {
            let most = bytes.len() as u64 - 1;
            let first = if self.chance(ONE_BYTE) { 1 } else { 1 + self.rng.below(most) as usize };
            pieces.push(bytes.split_to(first));
        }
        pieces.push(bytes);
        pieces
    }

    pub(super) fn arrive_up(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get(&id) else { return };
        let Some(server) = pipe.server.filter(|_| !pipe.server_gone && !pipe.half_open) else {
            return;
        };
        let now_ms = self.server_ms();
        self.cluster.on_bytes(now_ms, server, ConnKey(id.0), bytes);
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
        let at = (self.now_us + way).max(pipe.last_up).max(pipe.clogged_until);
        if pipe.half_open || pipe.lost_up || pipe.server.is_none() || pipe.server_gone {
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
            let now_ms = self.server_ms();
            self.cluster.on_close(now_ms, server, ConnKey(id.0));
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
        if server == ServerId::Discovery || (self.tamper.is_none() && self.rules.is_empty()) {
            return self.down(id, bytes.to_vec());
        }
        let mut frames = Vec::new();
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.spoken.push(bytes);
            while let Ok(Some(frame)) = pipe.spoken.next_frame() {
                frames.push(frame);
            }
        }
        for frame in frames {
            let tamper = match &mut self.tamper {
                Some(hook) => hook(server, &frame),
                None => self.rules.apply(id, server, &frame),
            };
            match tamper {
                Tamper::Keep => self.down(id, frame.encode()),
                Tamper::Drop => {}
                Tamper::Twice => {
                    self.down(id, frame.encode());
                    self.down(id, frame.encode());
                }
                Tamper::Instead(other) => self.down(id, other),
                Tamper::Late(micros) => {
                    if let Some(pipe) = self.pipes.get_mut(&id) {
                        pipe.last_down = pipe.last_down.max(self.now_us + micros);
                    }
                    self.down(id, frame.encode());
                }
            }
        }
    }

    /// Puts bytes on their way to the client.
    pub(super) fn down(&mut self, id: PipeId, bytes: Vec<u8>) {
        let way = self.one_way();
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if pipe.client_gone || pipe.half_open || pipe.lost_down {
            return;
        }
        let at = (self.now_us + way).max(pipe.last_down).max(pipe.clogged_until);
        pipe.last_down = at;
        self.plan(at, Event::Down(id, bytes));
    }

    /// The end of a connection is on its way to the client, behind the bytes.
    pub(super) fn end_of(&mut self, id: PipeId, why: CloseReason) {
        let way = self.one_way();
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if pipe.half_open || pipe.lost_down {
            return;
        }
        let at = (self.now_us + way).max(pipe.last_down).max(pipe.clogged_until);
        pipe.last_down = at;
        self.plan(at, Event::DownEnd(id, why));
    }
}
