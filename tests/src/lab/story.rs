//! The story of a run: readable lines with simulated times, and a hash of everything that happened.

use std::collections::VecDeque;

use crate::cluster::Frame;

/// Lines that are kept; older ones are dropped.
const MOST_LINES: usize = 4_000;
const HASH_START: u64 = 0xCBF2_9CE4_8422_2325;

/// What happened, line by line.
pub(super) struct Story {
    lines: VecDeque<String>,
    hash: u64,
}

impl Default for Story {
    fn default() -> Self {
        Story { lines: VecDeque::new(), hash: HASH_START }
    }
}

impl Story {
    pub(super) fn tell(&mut self, now_us: u64, text: impl FnOnce() -> String) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
        }
        let line = format!("{}  {}", time(now_us), text());
        self.hash(line.as_bytes());
        self.lines.push_back(line);
    }

    /// Adds to the hash what is too much to read.
    pub(super) fn hash(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    pub(super) fn value(&self) -> u64 {
        self.hash
    }

    /// The last lines, oldest first.
    pub(super) fn last(&self, count: usize) -> String {
        let skipped = self.lines.len().saturating_sub(count);
        let mut text = String::new();
        for line in self.lines.iter().skip(skipped) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// Seconds since the start of the run.
pub(super) fn time(now_us: u64) -> String {
    format!("{:>6}.{:06}", now_us / 1_000_000, now_us % 1_000_000)
}

/// A request or an answer, in a few words.
pub(super) fn describe(frame: &Frame) -> String {
    let number = frame.opaque.unwrap_or_default();
    if frame.is_response() {
        let remark = frame.remark.as_deref().filter(|remark| !remark.is_empty());
        let first_line = remark.and_then(|remark| remark.lines().next()).map(|line| format!(" ({line})"));
        return format!("answer to #{number}: code {}{}", frame.code, first_line.unwrap_or_default());
    }
    let mut text = format!("#{number} {}", request_name(frame.code));
    if let Some(topic) = frame.ext("b").or(frame.ext("topic")) {
        text.push_str(&format!(", topic {topic}"));
    }
    if let Some(queue) = frame.ext("e").or(frame.ext("queueId")) {
        text.push_str(&format!(", queue {queue}"));
    }
    if !frame.body.is_empty() {
        text.push_str(&format!(", {} bytes", frame.body.len()));
    }
    text
}

fn request_name(code: i32) -> String {
    match code {
        10 => "SEND_MESSAGE".to_owned(),
        34 => "HEART_BEAT".to_owned(),
        35 => "UNREGISTER_CLIENT".to_owned(),
        105 => "GET_ROUTEINFO_BY_TOPIC".to_owned(),
        310 => "SEND_MESSAGE_V2".to_owned(),
        320 => "SEND_BATCH_MESSAGE".to_owned(),
        other => format!("request {other}"),
    }
}
