//! The line that is printed.

use crate::figures::{Figures, peak_memory_kib};
use crate::options::{Options, Serialization};
use crate::phase::Phase;
use serde::Serialize;
use std::error::Error;

/// What is not known is null.
#[derive(Serialize)]
pub(crate) struct Report {
    client: &'static str,
    version: &'static str,
    variant: &'static str,
    serialize: Serialization,
    in_flight: u32,
    body_bytes: u32,
    messages: u64,
    failed: u64,
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
    allocations: Option<usize>,
    allocated_bytes: Option<usize>,
    voluntary_switches: i64,
    involuntary_switches: i64,
    writes: u64,
    reads: Option<u64>,
    peak_rss_kib: u64,
    sends_per_second_offered: Option<f64>,
}

impl Report {
    pub(crate) fn new(
        options: &Options,
        phase: &Phase,
        before: &Figures,
        after: &Figures,
    ) -> Result<Self, Box<dyn Error>> {
        let latencies = phase.latencies();
        let ended = latencies.len() + phase.failures();
        if ended != options.messages {
            return Err(format!("{ended} messages ended, not {}", options.messages).into());
        }
        let percentile =
            |percent| (!latencies.is_empty()).then(|| latencies.value_at_percentile(percent) as f64 / 1e3);
        let user_seconds = after.user_seconds - before.user_seconds;
        let system_seconds = after.system_seconds - before.system_seconds;
        let allocations = after.allocations.zip(before.allocations);
        Ok(Self {
            client: "rust",
            version: client_version(),
            variant: "tasks",
            serialize: options.serialize,
            in_flight: options.in_flight,
            body_bytes: options.body,
            messages: options.messages,
            failed: phase.failures(),
            first_error: phase.first_error().map(str::to_owned),
            seconds: after.instant.duration_since(before.instant).as_secs_f64(),
            cpu_seconds: user_seconds + system_seconds,
            user_seconds,
            system_seconds,
            p50_us: percentile(50.0),
            p90_us: percentile(90.0),
            p99_us: percentile(99.0),
            p999_us: percentile(99.9),
            max_us: percentile(100.0),
            allocations: allocations.map(|(after, before)| after.calls - before.calls),
            allocated_bytes: allocations.map(|(after, before)| after.bytes - before.bytes),
            voluntary_switches: after.voluntary_switches - before.voluntary_switches,
            involuntary_switches: after.involuntary_switches - before.involuntary_switches,
            writes: after.writes - before.writes,
            reads: None,
            peak_rss_kib: peak_memory_kib()?,
            sends_per_second_offered: options.rate,
        })
    }
}

/// The version this program was built with, as the lock file has it.
fn client_version() -> &'static str {
    let (_, package) =
        include_str!("../Cargo.lock").split_once("name = \"rocketmq-client-rust\"\n").unwrap_or_default();
    let version = package.lines().next().unwrap_or_default();
    version.strip_prefix("version = ").unwrap_or("unknown").trim_matches('"')
}
