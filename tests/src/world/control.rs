//! What tests do to the cluster and the network.

use std::time::Duration;

use rocketmq_core::client::CloseReason;

use super::{Connects, Event, Network, PipeId, Tamper, World, micros};
use crate::cluster::{Cluster, ConnKey, Frame, ServerId};

impl World {
    /// The servers, to be asked.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Changes something about the servers.
    pub fn change_cluster<R>(&mut self, change: impl FnOnce(&mut Cluster, u64) -> R) -> R {
        let now_ms = self.server_ms();
        let result = change(&mut self.cluster, now_ms);
        self.collect_cluster();
        result
    }

    pub(super) fn tell_control(&mut self, text: impl FnOnce() -> String) {
        let at = self.now_us;
        self.story.tell(at, || format!("-- {}", text()));
    }

    fn tell_of_pipe(&mut self, id: PipeId, text: impl FnOnce(String) -> String) {
        if let Some(pipe) = self.pipes.get(&id) {
            self.story.tell(self.now_us, || format!("-- {}", text(pipe.peer())));
        }
    }

    /// Kills a server; its connections end.
    pub fn crash(&mut self, server: ServerId) {
        self.tell_control(|| format!("{server:?} is killed"));
        self.change_cluster(|cluster, now| cluster.crash(now, server));
    }

    /// Starts a server again.
    pub fn restart(&mut self, server: ServerId) {
        self.tell_control(|| format!("{server:?} starts"));
        self.change_cluster(|cluster, now| cluster.restart(now, server));
    }

    /// Stops a server as SIGSTOP does.
    pub fn pause(&mut self, server: ServerId) {
        self.tell_control(|| format!("{server:?} is stopped"));
        self.change_cluster(|cluster, _| cluster.pause(server));
    }

    /// Ends a pause.
    pub fn resume(&mut self, server: ServerId) {
        self.tell_control(|| format!("{server:?} goes on"));
        self.change_cluster(|cluster, now| cluster.resume(now, server));
    }

    /// Lets a broker stop in order.
    pub fn leave(&mut self, broker: usize) {
        self.tell_control(|| format!("broker {broker} leaves"));
        self.change_cluster(|cluster, now| cluster.leave(now, broker));
    }

    /// Turns code 1500 (go away) of a broker on or off.
    pub fn go_away(&mut self, broker: usize, on: bool) {
        self.tell_control(|| format!("broker {broker} asks to go away: {on}"));
        self.change_cluster(|cluster, _| {
            cluster.broker_mut(broker).into_iter().for_each(|it| it.go_away(on))
        });
    }

    /// The network, to be changed.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Decides what happens to new connections to a server.
    pub fn connects(&mut self, server: ServerId, rule: Connects) {
        self.tell_control(|| format!("connects to {server:?}: {rule:?}"));
        self.connects.insert(server, rule);
    }

    /// Every answer of every server passes through this from now on.
    pub fn on_answers(&mut self, hook: impl FnMut(ServerId, &Frame) -> Tamper + 'static) {
        self.tamper = Some(Box::new(hook));
    }

    /// Answers arrive as they are again.
    pub fn leave_answers_alone(&mut self) {
        self.tamper = None;
        self.rules.clear();
    }

    /// Does something later.
    pub fn later(&mut self, after: Duration, call: impl FnOnce(&mut World) + 'static) {
        let at = self.now_us.saturating_add(micros(after));
        self.plan(at, Event::Call(Box::new(call)));
    }

    /// The wall clock of all clients jumps; monotonic time does not.
    pub fn jump_wall_clock(&mut self, millis: i64) {
        self.tell_control(|| format!("the wall clock jumps by {millis} ms"));
        self.wall_jump_ms = self.wall_jump_ms.saturating_add(millis);
    }

    /// The open connections of all clients, oldest first.
    pub fn pipes(&self) -> Vec<PipeId> {
        self.pipes.iter().filter(|(_, pipe)| pipe.is_live()).map(|(id, _)| *id).collect()
    }

    /// The newest open connection of a client to a server.
    pub fn pipe_to(&self, client: usize, server: ServerId) -> Option<PipeId> {
        let mut newest_first = self.pipes.iter().rev();
        newest_first
            .find(|(_, pipe)| pipe.is_live() && pipe.client == client && pipe.server == Some(server))
            .map(|(id, _)| *id)
    }

    /// The server at the other end of an open connection.
    pub fn server_of(&self, pipe: PipeId) -> Option<ServerId> {
        self.pipes.get(&pipe)?.server
    }

    /// Resets a connection now; what is on its way is lost.
    pub fn reset(&mut self, id: PipeId) {
        self.reset_with(id, CloseReason::Reset);
    }

    /// Ends a connection now, with this news of it; what is on its way is lost.
    pub(super) fn reset_with(&mut self, id: PipeId, why: CloseReason) {
        if self.now_us < self.frozen_until {
            let at = self.frozen_until;
            return self.plan(at, Event::Call(Box::new(move |world| world.reset_with(id, why))));
        }
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        let server = pipe.server.filter(|_| !pipe.server_gone);
        pipe.server_gone = true;
        (pipe.half_open, pipe.lost_down) = (false, false);
        pipe.arrived.clear();
        if let Some(server) = server {
            let now_ms = self.server_ms();
            self.cluster.on_close(now_ms, server, ConnKey(id.0));
            self.collect_cluster();
        }
        self.reached.resets += 1;
        self.end_down(id, why);
    }

    /// Resets a connection when so many more bytes have gone to the server.
    pub fn cut_up(&mut self, id: PipeId, bytes: usize) {
        self.tell_of_pipe(id, |peer| {
            format!("the connection to {peer} is to be cut after {bytes} bytes to it")
        });
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.cut_up = Some(bytes);
        }
    }

    /// Resets a connection when so many more bytes have come to the client.
    pub fn cut_down(&mut self, id: PipeId, bytes: usize) {
        self.tell_of_pipe(id, |peer| {
            format!("the connection to {peer} is to be cut after {bytes} bytes from it")
        });
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.cut_down = Some(bytes);
        }
    }

    /// Lets the socket take nothing for a while.
    pub fn stall(&mut self, id: PipeId, time: Duration) {
        let until = self.now_us.saturating_add(micros(time));
        self.tell_of_pipe(id, |peer| format!("the socket to {peer} takes nothing for {time:?}"));
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.stalled_until = until;
        }
    }

    /// Lets everything vanish that goes over a connection, in both directions, without any news of it.
    pub fn half_open(&mut self, id: PipeId) {
        self.tell_of_pipe(id, |peer| format!("the connection to {peer} goes nowhere"));
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.half_open = true;
            pipe.hindered_since.get_or_insert(self.now_us);
        }
    }

    /// Sends bytes to the client as if the server had.
    pub fn inject(&mut self, id: PipeId, bytes: &[u8]) {
        self.tell_control(|| format!("{} foreign bytes are on their way", bytes.len()));
        self.down(id, bytes.to_vec());
    }
}
