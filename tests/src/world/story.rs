//! The story of a run: readable lines with simulated times.

use std::collections::VecDeque;

use rocketmq_core::client::Command;
use rocketmq_core::command::{RequestCode, ResponseCode};
use rocketmq_core::ground::Instant;
use rocketmq_core::producer::{SendMode, Target};

use super::World;
use crate::cluster::Frame;

/// Lines that are kept; older ones are dropped.
const MOST_LINES: usize = 2_000;

/// What happened, line by line.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// Nothing is kept: faster.
    pub(crate) silent: bool,
    lines: VecDeque<String>,
}

impl Story {
    pub(crate) fn tell(&mut self, now_us: u64, text: impl FnOnce() -> String) {
        if self.silent {
            return;
        }
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
        }
        let (seconds, micros) = (now_us / 1_000_000, now_us % 1_000_000);
        self.lines.push_back(format!("{seconds:>5}.{micros:06}  {}", text()));
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// What a frame is, for a story: its number, by which an answer is found, and the name of its code.
pub(crate) fn frame_name(frame: &Frame) -> String {
    let number = frame.opaque.map_or_else(String::new, |opaque| format!("#{opaque} "));
    if frame.is_response() {
        let remark = frame.remark.as_deref().unwrap_or_default();
        let remark = remark.lines().next().unwrap_or_default();
        let remark = if remark.is_empty() { String::new() } else { format!(": {remark}") };
        return format!("{number}{:?}{remark}", ResponseCode(frame.code));
    }
    format!("{number}{:?}", RequestCode(frame.code))
}

/// What an application asks for, for a story.
pub(crate) fn command_name(command: &Command, now_us: u64) -> String {
    let within = |deadline: &Instant| format!("within {:?}", deadline.since(Instant::from_micros(now_us)));
    match command {
        Command::OpenProducer { config } => format!("opens the producer group {}", config.group),
        Command::Reserve { topic, weight, deadline, .. } => {
            format!("asks for room for {weight} bytes to {topic} {}", within(deadline))
        }
        Command::Withdraw { .. } => "gives room back, or leaves the line".to_owned(),
        Command::Send(send) => {
            let key = send.message.keys().next().unwrap_or_default();
            let target = match &send.target {
                Target::Any => String::new(),
                Target::Queue(queue) => format!(", queue {queue}"),
                Target::ShardingKey(key) => format!(", sharding key {key:?}"),
            };
            let bytes = send.message.body().len();
            let mode = match send.mode {
                SendMode::Acknowledged => "",
                SendMode::OneWay => ", one-way",
                SendMode::Half => ", as a half message",
            };
            format!(
                "sends {key}, {bytes} bytes, to {}{target}{mode}, {}",
                send.message.topic(),
                within(&send.deadline)
            )
        }
        Command::Flush { deadline, .. } => format!("waits for all sends {}", within(deadline)),
        Command::CloseProducer { deadline, .. } => format!("closes a producer {}", within(deadline)),
        Command::EndTransaction { half, end, deadline, .. } => {
            format!("asks for the {end} of {} {}", half.unique_key, within(deadline))
        }
        Command::AnswerCheck { half, end, deadline, .. } => {
            format!("answers the check for {}: {end} {}", half.unique_key, within(deadline))
        }
        Command::DropCheck { .. } => "leaves a check".to_owned(),
        Command::Shutdown { deadline } => format!("shuts the client down {}", within(deadline)),
        Command::Admin { request, deadline } => format!("asks for the {request} {}", within(deadline)),
        Command::SetNameServers { name_servers } => format!("sets the name servers {name_servers}"),
    }
}

impl World {
    /// The story so far, with simulated times.
    pub fn transcript(&self) -> String {
        self.story.text()
    }

    /// Keeps no story and no recording: faster.
    pub fn be_silent(&mut self) {
        self.story.silent = true;
    }

    /// Keeps no recording of the inputs: faster, and [`World::check_replay`] checks nothing.
    pub fn record_nothing(&mut self) {
        self.records = false;
    }

    /// Hash over all inputs and actions of all clients so far (I9).
    pub fn trace_hash(&self) -> u64 {
        self.hash.value()
    }
}
