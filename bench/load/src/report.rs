//! The one line that a load program prints.

use crate::counting::Counted;
use crate::latency::Percentiles;
use crate::usage::{Heap, Usage};
use serde::Serialize;

/// What a load run found; unknown is `null`.
#[derive(Debug, Serialize)]
pub struct Report {
    pub client: &'static str,
    pub version: &'static str,
    pub variant: String,
    pub serialize: &'static str,
    pub in_flight: usize,
    pub body_bytes: usize,
    pub messages: u64,
    pub failed: u64,
    pub first_error: Option<String>,
    pub seconds: f64,
    pub cpu_seconds: f64,
    pub user_seconds: f64,
    pub system_seconds: f64,
    pub p50_us: Option<f64>,
    pub p90_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p999_us: Option<f64>,
    pub max_us: Option<f64>,
    pub allocations: Option<u64>,
    pub allocated_bytes: Option<u64>,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
    pub writes: u64,
    pub reads: u64,
    pub peak_rss_kib: Option<u64>,
    pub sends_per_second_offered: Option<f64>,
}

/// What the measured phase brought.
#[derive(Clone, Debug)]
pub struct Measured {
    pub messages: u64,
    pub failed: u64,
    pub first_error: Option<String>,
    pub seconds: f64,
    pub usage: Usage,
    pub counted: Counted,
    pub percentiles: Option<Percentiles>,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub client: &'static str,
    pub variant: String,
    pub serialize: &'static str,
    pub in_flight: usize,
    pub body_bytes: usize,
    pub rate: Option<f64>,
}

impl Report {
    /// Puts both together.
    #[must_use]
    pub fn new(asked: Asked, measured: Measured, peak_rss_kib: Option<u64>) -> Self {
        let Usage { user, system, voluntary_switches, involuntary_switches, heap } = measured.usage;
        let at = |pick: fn(&Percentiles) -> f64| measured.percentiles.as_ref().map(pick);
        Self {
            client: asked.client,
            // The crates of the client and of the measurement share their version.
            version: env!("CARGO_PKG_VERSION"),
            variant: asked.variant,
            serialize: asked.serialize,
            in_flight: asked.in_flight,
            body_bytes: asked.body_bytes,
            messages: measured.messages,
            failed: measured.failed,
            first_error: measured.first_error,
            seconds: measured.seconds,
            cpu_seconds: (user + system).as_secs_f64(),
            user_seconds: user.as_secs_f64(),
            system_seconds: system.as_secs_f64(),
            p50_us: at(|all| all.p50),
            p90_us: at(|all| all.p90),
            p99_us: at(|all| all.p99),
            p999_us: at(|all| all.p999),
            max_us: at(|all| all.max),
            allocations: heap.map(|Heap { allocations, .. }| allocations),
            allocated_bytes: heap.map(|Heap { bytes, .. }| bytes),
            voluntary_switches,
            involuntary_switches,
            writes: measured.counted.writes,
            reads: measured.counted.reads,
            peak_rss_kib,
            sends_per_second_offered: asked.rate,
        }
    }
}

/// A line of a kind with one JSON object. Serialising plain numbers and texts cannot fail.
#[must_use]
pub fn line(kind: &str, what: &impl Serialize) -> String {
    let json =
        serde_json::to_string(what).unwrap_or_else(|error| format!("{{\"error\":{:?}}}", error.to_string()));
    format!("{kind} {json}")
}

#[cfg(test)]
mod tests {
    use super::{Asked, Measured, Report, line};
    use crate::counting::Counted;
    use crate::usage::Usage;
    use std::time::Duration;

    #[test]
    fn the_line_has_every_field_and_null_for_what_is_unknown() {
        let asked = Asked {
            client: "rocketmq-tokio",
            variant: "tokio tasks".into(),
            serialize: "json",
            in_flight: 16,
            body_bytes: 1_024,
            rate: None,
        };
        let usage = Usage {
            user: Duration::from_millis(1_500),
            system: Duration::from_millis(500),
            ..Usage::default()
        };
        let measured = Measured {
            messages: 10,
            failed: 10,
            first_error: Some("a \"quoted\" one".into()),
            seconds: 3.0,
            usage,
            counted: Counted { writes: 4, reads: 5, ..Counted::default() },
            percentiles: None,
        };
        let text = line("RESULT", &Report::new(asked, measured, Some(7)));
        assert!(!text.contains('\n'));
        let json: serde_json::Value = serde_json::from_str(text.strip_prefix("RESULT ").unwrap()).unwrap();
        let fields = "client version variant serialize in_flight body_bytes messages failed first_error seconds \
                      cpu_seconds user_seconds system_seconds p50_us p90_us p99_us p999_us max_us allocations \
                      allocated_bytes voluntary_switches involuntary_switches writes reads peak_rss_kib \
                      sends_per_second_offered";
        let object = json.as_object().unwrap();
        for field in fields.split_whitespace() {
            assert!(object.contains_key(field), "{field} is missing");
        }
        assert_eq!(object.len(), fields.split_whitespace().count());
        assert_eq!(json["cpu_seconds"], 2.0);
        assert!(json["p50_us"].is_null() && json["allocations"].is_null());
        assert_eq!(json["first_error"], "a \"quoted\" one");
    }
}
