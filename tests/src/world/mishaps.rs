//! Further things that go wrong in a world: clogged and slow connections, one-way losses, processes that stand still,
//! masters that move.

use std::time::Duration;

use rocketmq_core::client::CloseReason;

use super::routes::OLD_ROUTE_US;
use super::{AnswerRule, Connects, Event, PipeId, World, micros};
use crate::cluster::ServerId;

/// A slow link takes what it can carry in this time at once.
const SLOW_LINK_MS: usize = 5;

impl Event {
    /// Whether it is something that the process of a client does or notices.
    pub(super) fn is_of_a_client(&self) -> bool {
        matches!(
            self,
            Event::Tick { .. }
                | Event::Actions { .. }
                | Event::ConnectDone(_)
                | Event::Write(_)
                | Event::Wrote(_)
                | Event::DownEnd(..)
                | Event::Read(_)
        )
    }
}

impl World {
    /// Answers of servers pass through this rule from now on, too, unless [`World::on_answers`] is in force.
    pub fn tamper_with(&mut self, rule: AnswerRule) {
        let at = self.now_us;
        self.story
            .tell(at, || format!("-- {:?} of one in {} answers of {:?}", rule.change, rule.every, rule.of));
        self.rules.add(rule);
    }

    /// The processes of all clients stand still for so long, as after SIGSTOP; everything else goes on. Time passes.
    pub fn freeze(&mut self, time: Duration) {
        let until = self.now_us.saturating_add(micros(time));
        let at = self.now_us;
        self.story.tell(at, || format!("-- the clients stand still for {time:?}"));
        // One pause after the other is one long pause.
        if self.frozen_until == 0 || self.frozen_until + OLD_ROUTE_US < self.now_us {
            self.frozen_from = self.now_us;
        }
        self.frozen_until = until;
        for client in &mut self.clients {
            if let Some((at, _)) = &mut client.timer {
                *at = (*at).max(until);
            }
        }
        let grace = until.saturating_add(self.network.granule_us() + 1_000);
        for (due, client, id) in std::mem::take(&mut self.due) {
            let farewell = self.closes.contains(&(client, id)) || self.shutdowns.contains(&(client, id));
            let grace = if farewell { grace + self.farewell_us(client) } else { grace };
            self.due.insert((due.max(grace), client, id));
            self.due_of.insert((client, id), due.max(grace));
        }
        self.run_for(time);
    }

    /// Bytes on their way in either direction arrive after this time only.
    pub fn clog(&mut self, id: PipeId, time: Duration) {
        let until = self.now_us.saturating_add(micros(time));
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.clogged_until = pipe.clogged_until.max(until);
        }
    }

    /// The socket takes so many bytes in a millisecond; 0: any number.
    pub fn slow_link(&mut self, id: PipeId, bytes_per_ms: usize) {
        let at = self.now_us;
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.bytes_per_ms = bytes_per_ms;
            pipe.hindered_since.get_or_insert(at);
        }
    }

    /// What goes in one direction vanishes from now on, without news.
    pub fn lose_one_way(&mut self, id: PipeId, up: bool) {
        let peer = self.pipes.get(&id).map_or_else(String::new, super::Pipe::peer);
        let at = self.now_us;
        self.story.tell(at, || format!("-- what goes {} {peer} vanishes", if up { "to" } else { "from" }));
        if let Some(pipe) = self.pipes.get_mut(&id) {
            (pipe.lost_up, pipe.lost_down) = (pipe.lost_up || up, pipe.lost_down || !up);
            pipe.hindered_since.get_or_insert(at);
        }
    }

    /// What goes in one direction between all clients and a server vanishes, for so long: nothing comes over the connections
    /// there are any more, and no new one comes about meanwhile.
    pub fn lose_all_one_way(&mut self, server: ServerId, up: bool, time: Duration) {
        let to_it = |id: &PipeId| self.server_of(*id) == Some(server);
        let pipes: Vec<PipeId> = self.pipes().into_iter().filter(to_it).collect();
        pipes.into_iter().for_each(|pipe| self.lose_one_way(pipe, up));
        // Of the three steps of a connect one never arrives, whichever the direction is.
        self.connects(server, Connects::Hanging);
        self.later(time, move |world| world.connects(server, Connects::Ordinary));
    }

    /// Ends a connection in order when so many more bytes have come to the client.
    pub fn end_down_after(&mut self, id: PipeId, bytes: usize) {
        if let Some(pipe) = self.pipes.get_mut(&id) {
            (pipe.cut_down, pipe.ends_in_order) = (Some(bytes), true);
        }
    }

    /// The end that was asked for after so many bytes.
    pub(super) fn cut_off(&mut self, id: PipeId) {
        let in_order = self.pipes.get(&id).is_some_and(|pipe| pipe.ends_in_order);
        self.reset_with(id, if in_order { CloseReason::EndOfStream } else { CloseReason::Reset });
    }

    /// What a slow link does to a write.
    pub(super) fn slow_down(&mut self, id: PipeId, bytes: &mut Vec<u8>) {
        let Some(pipe) = self.pipes.get_mut(&id).filter(|pipe| pipe.bytes_per_ms > 0) else {
            return;
        };
        bytes.truncate((pipe.bytes_per_ms * SLOW_LINK_MS).max(1));
        let took_ms = (bytes.len() / pipe.bytes_per_ms).max(1) as u64;
        pipe.stalled_until = self.now_us + took_ms * 1_000;
    }

    /// Frees all connections of stalls, clogs, cuts and slowness. What vanished stays so.
    pub(super) fn free_connections(&mut self) {
        let mut stalled = Vec::new();
        for (id, pipe) in &mut self.pipes {
            (pipe.cut_up, pipe.cut_down, pipe.bytes_per_ms, pipe.clogged_until) = (None, None, 0, 0);
            if pipe.stalled_until > self.now_us {
                pipe.stalled_until = self.now_us;
                stalled.push(*id);
            }
        }
        for id in stalled {
            self.plan(self.now_us, Event::Write(id));
        }
    }

    /// The master of a broker moves to another address: the old one ends, the new one has the store.
    pub fn move_master(&mut self, broker: usize) {
        let at = self.now_us;
        self.story.tell(at, || format!("-- the master of broker {broker} moves"));
        self.change_cluster(|cluster, now| {
            cluster.crash(now, ServerId::Broker(broker));
            let mut address = cluster.address(ServerId::Broker(broker));
            address.set_port(address.port() + 1);
            cluster.move_broker(broker, address);
            cluster.restart(now, ServerId::Broker(broker));
        });
    }
}
