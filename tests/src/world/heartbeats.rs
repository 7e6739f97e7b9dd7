//! I12: brokers hear heartbeats in time.

use rocketmq_core::client::{ConnectionState, ConnectionView};

use super::{Invariant, Pipe, PipeId, World};
use crate::cluster::ServerId;

const HEARTBEAT_US: u64 = 30_000_000;
const HEARTBEAT_SLACK_US: u64 = 1_000_000;

impl World {
    /// I12: no gap longer than the period while the connection is one that the client keeps.
    pub(super) fn check_heartbeat(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get(&id) else { return };
        let Some(ServerId::Broker(_)) = pipe.server.filter(|_| pipe.second_of.is_none()) else {
            return;
        };
        self.checked.count(Invariant::Heartbeat);
        let it = &self.clients[pipe.client];
        let Some(since) = it.held.greets_since() else {
            return;
        };
        let gap = self.now_us - pipe.last_heartbeat.max(since).max(self.frozen_until);
        let interval = u64::try_from(it.config.timing.heartbeat_interval.as_micros()).unwrap_or(HEARTBEAT_US);
        // A frame that the socket takes byte by byte takes its time, too.
        let slack = self.slack_us + HEARTBEAT_SLACK_US;
        // A connection of few requests may be full of unanswered ones: then the heartbeat is next in line.
        let crowded = it.config.limits.connection_requests < 16;
        if gap <= interval + slack || crowded || pipe.hindered_since.is_some() || pipe.told_to_go {
            return;
        }
        // A broker left all routes and came back: the old connection only ends what is pending.
        let is_newer = |other: &(&PipeId, &Pipe)| *other.0 > id && other.1.open;
        let to_there = |other: &Pipe| (other.client, &other.address) == (pipe.client, &pipe.address);
        if self.pipes.iter().filter(is_newer).any(|(_, other)| to_there(other)) {
            return;
        }
        if self.keeps_greeting(pipe.client, &pipe.address) {
            let text = format!("client {}: {gap} µs without a heartbeat to {}", pipe.client, pipe.peer());
            self.fail(Invariant::Heartbeat, text);
        }
    }

    /// Whether routes of a client name this address as that of a master, and it is connected.
    fn keeps_greeting(&self, client: usize, address: &str) -> bool {
        let view = self.clients[client].core.view();
        let mut masters = view.brokers.iter().filter_map(|broker| broker.master.as_ref());
        let is_there =
            |link: &ConnectionView| link.endpoint.to_string() == address && link.state == ConnectionState::Up;
        masters.any(|at| at.to_string() == address) && view.connections.iter().any(is_there)
    }

    /// A route is about to be read: brokers that were in none before are not late with their heartbeats.
    pub(super) fn note_not_greeted(&mut self, client: usize) {
        let late =
            |pipe: &Pipe| pipe.client == client && self.now_us - pipe.last_heartbeat > HEARTBEAT_US / 2;
        let pipes = self.pipes.iter().filter(|(_, pipe)| late(pipe));
        let not_kept = pipes.filter(|(_, pipe)| !self.keeps_greeting(client, &pipe.address));
        let ids: Vec<PipeId> = not_kept.map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(pipe) = self.pipes.get_mut(&id) {
                pipe.last_heartbeat = self.now_us;
            }
        }
    }
}
