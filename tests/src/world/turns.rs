//! One event after the other, and time in between.

use std::time::Duration;

use rocketmq_core::client::OwnedInput;

use super::{Event, START_MS, World, micros};

impl World {
    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        let limit = self.now_us.saturating_add(micros(time));
        while self.step(limit) {}
    }

    /// Lets time pass until something is so; false when it was not within `most`.
    pub fn run_until(&mut self, most: Duration, mut is_so: impl FnMut(&World) -> bool) -> bool {
        let limit = self.now_us.saturating_add(micros(most));
        loop {
            if is_so(self) {
                return true;
            }
            if !self.step(limit) {
                return is_so(self);
            }
        }
    }

    /// One event; false, with the clock at `limit`, when none is left until then.
    fn step(&mut self, limit: u64) -> bool {
        if !self.broken.is_empty() {
            self.check();
            return false;
        }
        let (event, timer) = (self.events.first(), self.first_timer());
        let event_at = event.into_iter().chain(timer.map(|(order, _)| order)).map(|(at, _)| at).min();
        let cluster_at = self.cluster_due();
        let at = match (event_at, cluster_at) {
            (Some(event), Some(cluster)) => event.min(cluster),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => u64::MAX,
        };
        if at > limit {
            self.now_us = self.now_us.max(limit);
            self.check();
            return false;
        }
        self.now_us = at;
        self.happened += 1;
        if cluster_at.is_some_and(|cluster| event_at.is_none_or(|event| cluster <= event)) {
            self.cluster_ticked_at = Some(at);
            let now_ms = self.server_ms();
            self.cluster.on_tick(now_ms);
            self.collect_cluster();
        } else if let Some((_, client)) = timer.filter(|(order, _)| event.is_none_or(|event| *order < event))
        {
            self.timer(client);
        } else if let Some(event) = self.events.pop() {
            self.happen(event);
        }
        self.check();
        true
    }

    /// The client whose timer goes off first, and when.
    fn first_timer(&self) -> Option<((u64, u64), usize)> {
        let timers = self.clients.iter().enumerate();
        timers.filter_map(|(client, it)| Some((it.timer?, client))).min()
    }

    fn cluster_due(&mut self) -> Option<u64> {
        let at_us = (self.cluster.due()?.saturating_sub(START_MS)).saturating_mul(1_000);
        // A server that has nothing to do although it is time does not stop the clock.
        let least = self.cluster_ticked_at.map_or(0, |at| at + 1_000);
        Some(at_us.max(self.now_us).max(least))
    }

    fn happen(&mut self, event: Event) {
        if self.now_us < self.frozen_until && event.is_of_a_client() {
            return self.plan(self.frozen_until, event);
        }
        match event {
            Event::Tick { client } => self.give(client, OwnedInput::Tick),
            Event::Actions { client } => {
                self.clients[client].actions_planned = false;
                self.take_actions(client);
            }
            Event::ConnectDone(pipe) => self.connect_done(pipe),
            Event::Write(pipe) => self.write(pipe),
            Event::Wrote(pipe) => self.report_written(pipe),
            Event::Up(pipe, bytes) => self.arrive_up(pipe, &bytes),
            Event::UpEnd(pipe) => self.end_up(pipe),
            Event::Down(pipe, bytes) => self.arrive_down(pipe, &bytes),
            Event::DownEnd(pipe, why) => self.end_down(pipe, why),
            Event::Read(pipe) => self.read(pipe),
            Event::Call(call) => call(self),
        }
    }
}
