//! What the sink has done, so that a slow sink is seen beside the client it slows.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Counted since the report before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Messages received, refused and one-way ones included; each message of a batch counts.
    pub messages: u64,
    /// CPU time of the whole process.
    pub cpu_seconds: f64,
    /// Reads that brought something.
    pub reads: u64,
    /// Writes that took something.
    pub writes: u64,
    /// Bytes received.
    pub read_bytes: u64,
    /// Bytes sent.
    pub write_bytes: u64,
    /// Connections accepted.
    pub connections: u64,
}

/// Counts until the next report.
pub(crate) struct Stats {
    pub(crate) counted: Report,
    cpu_seconds_before: f64,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self { counted: Report::default(), cpu_seconds_before: process_cpu_seconds() }
    }

    /// What was counted since the call before.
    pub(crate) fn take(&mut self) -> Report {
        let now = process_cpu_seconds();
        let cpu_seconds = now - std::mem::replace(&mut self.cpu_seconds_before, now);
        Report { cpu_seconds, ..std::mem::take(&mut self.counted) }
    }
}

fn process_cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
