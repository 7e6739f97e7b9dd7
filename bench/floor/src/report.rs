//! The line that every load program prints.

use crate::latency::Percentiles;
use crate::options::{Load, Window};
use crate::sender::Phase;
use crate::usage;
use serde::Serialize;
use std::fmt;
use std::io;

/// The fields all load programs have in common.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    client: &'static str,
    version: &'static str,
    variant: String,
    serialize: &'static str,
    in_flight: usize,
    body_bytes: usize,
    messages: usize,
    failed: usize,
    first_error: Option<String>,
    seconds: f64,
    cpu_seconds: f64,
    user_seconds: f64,
    system_seconds: f64,
    p50_us: Option<f64>,
    p90_us: Option<f64>,
    p99_us: Option<f64>,
    p999_us: Option<f64>,
    max_us: Option<f64>,
    allocations: usize,
    allocated_bytes: usize,
    voluntary_switches: i64,
    involuntary_switches: i64,
    writes: u64,
    reads: u64,
    peak_rss_kib: i64,
    sends_per_second_offered: Option<f64>,
}

impl Report {
    /// Of one measured phase.
    pub(crate) fn new(variant: String, load: &Load, window: &Window, phase: Phase) -> io::Result<Self> {
        let used = phase.used;
        let percentiles = phase.latencies.percentiles();
        let pick = |field: fn(&Percentiles) -> f64| percentiles.as_ref().map(field);
        Ok(Self {
            client: "floor",
            version: env!("CARGO_PKG_VERSION"),
            variant,
            serialize: load.serialize.name(),
            in_flight: window.in_flight,
            body_bytes: load.body,
            messages: load.messages,
            failed: phase.failed,
            first_error: phase.first_error,
            seconds: phase.seconds,
            cpu_seconds: used.user_seconds + used.system_seconds,
            user_seconds: used.user_seconds,
            system_seconds: used.system_seconds,
            p50_us: pick(|of| of.p50),
            p90_us: pick(|of| of.p90),
            p99_us: pick(|of| of.p99),
            p999_us: pick(|of| of.p999),
            max_us: pick(|of| of.max),
            allocations: used.allocations,
            allocated_bytes: used.allocated_bytes,
            voluntary_switches: used.voluntary_switches,
            involuntary_switches: used.involuntary_switches,
            writes: phase.writes,
            reads: phase.reads,
            peak_rss_kib: usage::peak_rss_kib()?,
            sends_per_second_offered: window.rate,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}
