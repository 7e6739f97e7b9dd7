//! One run of one load program: what was asked of it, what it said, and what was seen around it.

use serde::{Deserialize, Serialize};

use crate::contract::{LoadResult, SinkStats};
use crate::setting::{Form, Server, Setting};

/// Rows of this round found out how many messages a run needs; they count for nothing else.
pub const CALIBRATION: u32 = 0;

/// A row of the results file; the field names are its columns.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    pub part: String,
    pub round: u32,
    /// Of the load program and its mode, as the tables show it.
    pub name: String,
    /// Seconds since 1970.
    pub started: u64,
    /// Why there are no figures.
    pub trouble: Option<String>,
    pub server: Server,
    pub in_flight: u32,
    pub body_bytes: u32,
    pub requests: Form,
    pub answers: Form,
    pub rate: Option<u32>,
    pub delay_us: u32,
    pub one_cpu: bool,
    /// Messages sent before the measured phase.
    pub warm_up: u64,
    pub client: Option<String>,
    pub version: Option<String>,
    pub variant: Option<String>,
    pub serialize: Option<String>,
    pub messages: Option<u64>,
    pub failed: Option<u64>,
    pub first_error: Option<String>,
    pub seconds: Option<f64>,
    pub cpu_seconds: Option<f64>,
    pub user_seconds: Option<f64>,
    pub system_seconds: Option<f64>,
    pub p50_us: Option<f64>,
    pub p90_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p999_us: Option<f64>,
    pub max_us: Option<f64>,
    pub allocations: Option<u64>,
    pub allocated_bytes: Option<u64>,
    pub voluntary_switches: Option<u64>,
    pub involuntary_switches: Option<u64>,
    pub writes: Option<u64>,
    pub reads: Option<u64>,
    pub peak_rss_kib: Option<u64>,
    pub sends_per_second_offered: Option<f64>,
    pub sink_messages: Option<u64>,
    pub sink_cpu_seconds: Option<f64>,
    pub sink_reads: Option<u64>,
    pub sink_writes: Option<u64>,
    pub sink_read_bytes: Option<u64>,
    pub sink_write_bytes: Option<u64>,
    pub sink_connections: Option<u64>,
    /// Of the broker, for warm-up and measured phase together.
    pub broker_cpu_seconds: Option<f64>,
    /// Share of idle CPU time before this round of this part, 0 … 1.
    pub idle: Option<f64>,
    /// Share of the machine that neither the load nor its server used while it ran, 0 … 1.
    pub others: Option<f64>,
    /// Of a figure that is not a run of a load: what was measured, and its value.
    pub measure: Option<String>,
    pub value: Option<f64>,
}

impl Row {
    pub fn new(part: &str, round: u32, name: &str, setting: &Setting) -> Self {
        Self {
            part: part.to_owned(),
            round,
            name: name.to_owned(),
            started: jiff::Timestamp::now().as_second().unsigned_abs(),
            trouble: None,
            server: setting.server,
            in_flight: setting.in_flight,
            body_bytes: setting.body,
            requests: setting.requests,
            answers: setting.answers,
            rate: setting.rate,
            delay_us: setting.delay_us,
            one_cpu: setting.one_cpu,
            warm_up: 0,
            client: None,
            version: None,
            variant: None,
            serialize: None,
            messages: None,
            failed: None,
            first_error: None,
            seconds: None,
            cpu_seconds: None,
            user_seconds: None,
            system_seconds: None,
            p50_us: None,
            p90_us: None,
            p99_us: None,
            p999_us: None,
            max_us: None,
            allocations: None,
            allocated_bytes: None,
            voluntary_switches: None,
            involuntary_switches: None,
            writes: None,
            reads: None,
            peak_rss_kib: None,
            sends_per_second_offered: None,
            sink_messages: None,
            sink_cpu_seconds: None,
            sink_reads: None,
            sink_writes: None,
            sink_read_bytes: None,
            sink_write_bytes: None,
            sink_connections: None,
            broker_cpu_seconds: None,
            idle: None,
            others: None,
            measure: None,
            value: None,
        }
    }

    pub fn take_result(&mut self, result: LoadResult) {
        self.client = Some(result.client);
        self.version = result.version;
        self.variant = result.variant;
        self.serialize = result.serialize;
        self.messages = Some(result.messages);
        self.failed = Some(result.failed);
        self.first_error = result.first_error;
        self.seconds = Some(result.seconds);
        self.cpu_seconds = Some(result.cpu_seconds);
        self.user_seconds = result.user_seconds;
        self.system_seconds = result.system_seconds;
        self.p50_us = result.p50_us;
        self.p90_us = result.p90_us;
        self.p99_us = result.p99_us;
        self.p999_us = result.p999_us;
        self.max_us = result.max_us;
        self.allocations = result.allocations;
        self.allocated_bytes = result.allocated_bytes;
        self.voluntary_switches = result.voluntary_switches;
        self.involuntary_switches = result.involuntary_switches;
        self.writes = result.writes;
        self.reads = result.reads;
        self.peak_rss_kib = result.peak_rss_kib;
        self.sends_per_second_offered = result.sends_per_second_offered;
    }

    pub fn take_sink(&mut self, stats: &SinkStats) {
        self.sink_messages = Some(stats.messages);
        self.sink_cpu_seconds = Some(stats.cpu_seconds);
        self.sink_reads = Some(stats.reads);
        self.sink_writes = Some(stats.writes);
        self.sink_read_bytes = Some(stats.read_bytes);
        self.sink_write_bytes = Some(stats.write_bytes);
        self.sink_connections = Some(stats.connections);
    }

    pub fn setting(&self) -> Setting {
        Setting {
            server: self.server,
            in_flight: self.in_flight,
            body: self.body_bytes,
            requests: self.requests,
            answers: self.answers,
            rate: self.rate,
            delay_us: self.delay_us,
            one_cpu: self.one_cpu,
        }
    }

    /// A run of a load that was measured: neither calibration nor trouble.
    pub fn counts(&self) -> bool {
        self.round != CALIBRATION && self.trouble.is_none() && self.measure.is_none()
    }

    // --- Figures: `None` where a part of one is unknown ------------------------------------------------------------

    /// Messages of the measured phase that were acknowledged (one-way: written).
    fn sent(&self) -> Option<f64> {
        Some(self.messages?.saturating_sub(self.failed?) as f64).filter(|&sent| sent > 0.0)
    }

    fn per_message(&self, amount: Option<f64>) -> Option<f64> {
        Some(amount? / self.sent()?)
    }

    pub fn per_second(&self) -> Option<f64> {
        Some(self.sent()? / self.seconds?)
    }

    pub fn cpu_us(&self) -> Option<f64> {
        self.per_message(Some(self.cpu_seconds? * 1e6))
    }

    pub fn allocations_per_message(&self) -> Option<f64> {
        self.per_message(Some(self.allocations? as f64))
    }

    pub fn allocated_per_message(&self) -> Option<f64> {
        self.per_message(Some(self.allocated_bytes? as f64))
    }

    /// Voluntary ones: the client waited.
    pub fn switches_per_message(&self) -> Option<f64> {
        self.per_message(Some(self.voluntary_switches? as f64))
    }

    /// As the client counts its writes, else as the sink sees them arrive.
    pub fn messages_per_write(&self) -> Option<f64> {
        match self.writes {
            Some(writes) if writes > 0 => Some(self.sent()? / writes as f64),
            _ => Some(self.sink_messages? as f64 / self.sink_reads.filter(|&reads| reads > 0)? as f64),
        }
    }

    pub fn tail(&self) -> Option<f64> {
        Some(self.p99_us? / self.p50_us?)
    }

    pub fn peak_mib(&self) -> Option<f64> {
        Some(self.peak_rss_kib? as f64 / 1024.0)
    }

    pub fn failed(&self) -> Option<f64> {
        Some(self.failed? as f64)
    }

    pub fn sink_cpu_us(&self) -> Option<f64> {
        Some(self.sink_cpu_seconds? * 1e6 / self.sink_messages.filter(|&messages| messages > 0)? as f64)
    }

    pub fn broker_cpu_us(&self) -> Option<f64> {
        Some(self.broker_cpu_seconds? * 1e6 / (self.messages? + self.warm_up).max(1) as f64)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::contract::tests::RESULT;

    /// A measured run with round figures: 1 000 messages, 2 of them failed, 0.5 s, 0.25 s of CPU.
    pub fn measured(name: &str, round: u32, setting: &Setting) -> Row {
        let mut row = Row::new("clients", round, name, setting);
        row.take_result(LoadResult::find([RESULT]).unwrap());
        row.take_sink(&SinkStats {
            messages: 1100,
            cpu_seconds: 0.000_55,
            reads: 110,
            writes: 100,
            read_bytes: 1_500_000,
            write_bytes: 300_000,
            connections: 1,
        });
        row.idle = Some(0.993);
        row.others = Some(0.004);
        row
    }

    #[test]
    fn figures_are_of_acknowledged_messages() {
        let mut row = measured("tokio", 1, &Setting::DEFAULT);
        assert_eq!(row.per_second(), Some(1996.0));
        assert_eq!(row.cpu_us(), Some(0.25e6 / 998.0));
        assert_eq!(row.allocations_per_message(), Some(1.0));
        assert_eq!(row.messages_per_write(), Some(99.8));
        assert_eq!(row.sink_cpu_us(), Some(0.5));
        assert_eq!(row.tail(), Some(280.0 / 190.5));
        assert_eq!(row.peak_mib(), Some(5.0));
        row.writes = None;
        assert_eq!(row.messages_per_write(), Some(10.0), "as the sink read them");
        (row.broker_cpu_seconds, row.warm_up) = (Some(0.022), 100);
        assert_eq!(row.broker_cpu_us(), Some(20.0));
    }

    #[test]
    fn nothing_is_made_up() {
        let mut row = measured("tokio", 1, &Setting::DEFAULT);
        row.failed = row.messages;
        assert_eq!((row.per_second(), row.cpu_us()), (None, None), "nothing was sent");
        assert_eq!(row.broker_cpu_us(), None);
        let empty = Row::new("clients", 1, "tokio", &Setting::DEFAULT);
        assert_eq!((empty.per_second(), empty.messages_per_write(), empty.tail()), (None, None, None));
    }

    #[test]
    fn calibration_and_trouble_do_not_count() {
        let mut row = measured("tokio", 1, &Setting::DEFAULT);
        assert!(row.counts());
        row.trouble = Some("no end".into());
        assert!(!row.counts());
        assert!(!measured("tokio", CALIBRATION, &Setting::DEFAULT).counts());
        assert_eq!(row.setting(), Setting::DEFAULT);
    }
}
