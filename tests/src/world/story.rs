//! The story of a run: readable lines with simulated times, and a hash of everything.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Write};

/// Lines that are kept; older ones are dropped.
const MOST_LINES: usize = 2_000;

/// FNV-1a over text: the same on every machine and in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceHash(u64);

impl Default for TraceHash {
    fn default() -> TraceHash {
        TraceHash(0xCBF2_9CE4_8422_2325)
    }
}

impl TraceHash {
    pub(crate) fn value(self) -> u64 {
        self.0
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    pub(crate) fn add(&mut self, value: &impl Debug) {
        // Writing into a number cannot fail.
        let _never_fails = write!(self, "{value:?};");
    }
}

impl Write for TraceHash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

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

/// The name of a request code that occurs in stories.
pub(crate) fn request_name(code: i32) -> String {
    match code {
        34 => "HEART_BEAT".to_owned(),
        35 => "UNREGISTER_CLIENT".to_owned(),
        105 => "GET_ROUTEINFO_BY_TOPIC".to_owned(),
        310 => "SEND_MESSAGE_V2".to_owned(),
        other => format!("request {other}"),
    }
}
