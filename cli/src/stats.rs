//! Counts by verdict and kind of error, and latencies.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use rocketmq_driver::{Counters, LocalTransactionState};
use serde_json::{Value, json};

use crate::send::{EndOutcome, HalfEnding};

/// Longest latency that is told apart: longer ones count as this one.
const LONGEST_US: u64 = 2 * 86_400 * 1_000_000;
/// Most kinds of error that are told apart. Some kinds hold a number that a server chose.
const MOST_KINDS: usize = 256;
/// The kind of errors beyond that number.
const OTHER_KINDS: &str = "other-kinds";

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A broker acknowledged it.
    Stored,
    /// No broker has it.
    NotStored,
    /// A broker may have it.
    MayBeStored,
}

impl Verdict {
    /// The name in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::NotStored => "not-stored",
            Self::MayBeStored => "may-be-stored",
        }
    }
}

/// Running counts of one run of `send`.
#[derive(Debug)]
pub(crate) struct Tally {
    stored: u64,
    not_stored: u64,
    may_be_stored: u64,
    attempts: u64,
    errors: BTreeMap<String, u64>,
    latency: Histogram<u64>,
    transactions: Transactions,
    trace: Option<TraceRecords>,
}

/// What became of the records of message trace.
#[derive(Debug)]
struct TraceRecords {
    made: u64,
    sent: u64,
    dropped: u64,
}

/// Counts of half messages that are stored.
#[derive(Debug, Default)]
struct Transactions {
    halves: u64,
    committed: u64,
    rolled_back: u64,
    left_open: u64,
    refused: u64,
    not_delivered: u64,
    may_be_delivered: u64,
    checks: u64,
}

impl Tally {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// Never with these bounds; the histogram checks them at run time.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            stored: 0,
            not_stored: 0,
            may_be_stored: 0,
            attempts: 0,
            errors: BTreeMap::new(),
            latency: Histogram::new_with_bounds(1, LONGEST_US, 3)?,
            transactions: Transactions::default(),
            trace: None,
        })
    }

    /// Counts one message.
    ///
    /// `error` is its kind of error, empty when there is none; `attempts` may have reached a broker.
    pub(crate) fn count(&mut self, verdict: Verdict, error: &str, attempts: u32) {
        match verdict {
            Verdict::Stored => self.stored += 1,
            Verdict::NotStored => self.not_stored += 1,
            Verdict::MayBeStored => self.may_be_stored += 1,
        }
        self.attempts += u64::from(attempts);
        if error.is_empty() {
            return;
        }
        let known = self.errors.contains_key(error) || self.errors.len() < MOST_KINDS;
        let kind = if known { error } else { OTHER_KINDS };
        match self.errors.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.errors.insert(kind.to_owned(), 1);
            }
        }
    }

    /// Counts how the transaction of a stored half message ended.
    pub(crate) fn count_half(&mut self, half: &HalfEnding) {
        let counts = &mut self.transactions;
        counts.halves += 1;
        counts.checks += u64::from(half.checks);
        let count = match (half.outcome, half.ended) {
            (None, _) => &mut counts.left_open,
            (Some(EndOutcome::Acknowledged), LocalTransactionState::Rollback) => &mut counts.rolled_back,
            (Some(EndOutcome::Acknowledged), _) => &mut counts.committed,
            (Some(EndOutcome::Refused), _) => &mut counts.refused,
            (Some(EndOutcome::NotDelivered), _) => &mut counts.not_delivered,
            (Some(EndOutcome::MayBeDelivered), _) => &mut counts.may_be_delivered,
        };
        *count += 1;
    }

    /// Takes over what the client has counted of message trace.
    pub(crate) fn set_trace(&mut self, counters: &Counters) {
        self.trace = Some(TraceRecords {
            made: counters.trace_records,
            sent: counters.trace_records_sent,
            dropped: counters.trace_records_dropped,
        });
    }

    /// Transactions that were to end, and of which no broker has said that they did.
    pub(crate) fn doubtful_ends(&self) -> u64 {
        let counts = &self.transactions;
        counts.refused + counts.not_delivered + counts.may_be_delivered
    }

    /// Records how long one message took to its verdict.
    pub(crate) fn record_latency(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.latency.saturating_record(micros.max(1));
    }

    /// Messages with a verdict.
    pub(crate) fn attempted(&self) -> u64 {
        self.stored + self.not_stored + self.may_be_stored
    }

    /// Messages that no broker has.
    pub(crate) fn not_stored(&self) -> u64 {
        self.not_stored
    }

    /// Messages that a broker may have.
    pub(crate) fn may_be_stored(&self) -> u64 {
        self.may_be_stored
    }
}

/// Everything `send` tells at its end.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    /// The counts.
    pub(crate) tally: &'a Tally,
    /// From the first message to the last verdict.
    pub(crate) elapsed: Duration,
    /// Processor time of the process in that time, if known.
    pub(crate) cpu: Option<Duration>,
    /// Peak resident memory of the process, if known.
    pub(crate) peak_rss_kib: Option<u64>,
    /// Whether the user ended it early.
    pub(crate) interrupted: bool,
}

impl Summary<'_> {
    fn sends_per_s(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.tally.attempted() as f64 / seconds } else { 0.0 }
    }

    fn cpu_us_per_send(&self) -> Option<f64> {
        let attempted = self.tally.attempted();
        let cpu = self.cpu.filter(|_| attempted > 0)?;
        Some(cpu.as_secs_f64() * 1e6 / attempted as f64)
    }

    /// The latency that the given percentage of messages did not exceed, in microseconds.
    fn percentile_us(&self, percent: f64) -> u64 {
        self.tally.latency.value_at_percentile(percent)
    }

    /// The object of `--json`. Figures that this system does not offer are null.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "attempted": self.tally.attempted(),
            "stored": self.tally.stored,
            "not_stored": self.tally.not_stored,
            "may_be_stored": self.tally.may_be_stored,
            "attempts": self.tally.attempts,
            "interrupted": self.interrupted,
            "seconds": rounded(self.elapsed.as_secs_f64(), 1e6),
            "sends_per_s": rounded(self.sends_per_s(), 1e1),
            "cpu_us_per_send": self.cpu_us_per_send().map(|us| rounded(us, 1e3)),
            "p50_us": self.percentile_us(50.0),
            "p99_us": self.percentile_us(99.0),
            "p999_us": self.percentile_us(99.9),
            "max_us": self.tally.latency.max(),
            "peak_rss_kib": self.peak_rss_kib,
            "errors": self.tally.errors,
            "transactions": self.tally.transactions.to_json(),
            "trace": self.tally.trace.as_ref().map(TraceRecords::to_json),
        })
    }

    /// The same for people, several lines with a line end each.
    pub(crate) fn to_text(&self) -> String {
        let Tally { stored, not_stored, may_be_stored, errors, .. } = self.tally;
        let mut lines = vec![
            format!("attempted      {}", self.tally.attempted()),
            format!("stored         {stored}"),
            format!("not stored     {not_stored}"),
            format!("may be stored  {may_be_stored}"),
        ];
        let rate = self.sends_per_s();
        lines.push(format!("time           {:.3} s, {rate:.0} sends/s", self.elapsed.as_secs_f64()));
        lines.push(format!(
            "latency        p50 {}, p99 {}, p99.9 {}, max {}",
            millis(self.percentile_us(50.0)),
            millis(self.percentile_us(99.0)),
            millis(self.percentile_us(99.9)),
            millis(self.tally.latency.max()),
        ));
        if let Some(us) = self.cpu_us_per_send() {
            lines.push(format!("client CPU     {us:.2} us per message"));
        }
        if let Some(kib) = self.peak_rss_kib {
            lines.push(format!("peak memory    {:.1} MiB", kib as f64 / 1024.0));
        }
        lines.extend(self.tally.transactions.to_line());
        lines.extend(self.tally.trace.as_ref().map(TraceRecords::to_line));
        for (kind, count) in errors {
            lines.push(format!("error          {count} x {kind}"));
        }
        if self.interrupted {
            lines.push("interrupted: what was not attempted is not counted".to_owned());
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

impl TraceRecords {
    fn to_json(&self) -> Value {
        let Self { made, sent, dropped } = self;
        json!({ "records": made, "sent": sent, "dropped": dropped })
    }

    fn to_line(&self) -> String {
        let Self { made, sent, dropped } = self;
        format!("trace          {made} records, {sent} sent, {dropped} dropped")
    }
}

impl Transactions {
    /// Null when no half message was stored.
    fn to_json(&self) -> Value {
        if self.halves == 0 {
            return Value::Null;
        }
        json!({
            "committed": self.committed,
            "rolled_back": self.rolled_back,
            "left_open": self.left_open,
            "refused": self.refused,
            "not_delivered": self.not_delivered,
            "may_be_delivered": self.may_be_delivered,
            "checks": self.checks,
        })
    }

    fn to_line(&self) -> Option<String> {
        let Self {
            committed, rolled_back, left_open, refused, not_delivered, may_be_delivered, checks, ..
        } = self;
        (self.halves > 0).then(|| {
            format!(
                "transactions   {committed} committed, {rolled_back} rolled back, {left_open} left open, {refused} \
                 refused, {not_delivered} not delivered, {may_be_delivered} may be delivered, {checks} checks"
            )
        })
    }
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

fn millis(micros: u64) -> String {
    format!("{:.3} ms", micros as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(tally: &Tally) -> Summary<'_> {
        Summary {
            tally,
            elapsed: Duration::from_secs(2),
            cpu: Some(Duration::from_micros(30)),
            peak_rss_kib: None,
            interrupted: false,
        }
    }

    #[test]
    fn counts_add_up_and_errors_are_counted_by_kind() {
        let mut tally = Tally::new().expect("valid bounds");
        tally.count(Verdict::Stored, "", 1);
        tally.count(Verdict::NotStored, "timeout", 0);
        tally.count(Verdict::MayBeStored, "timeout", 3);
        tally.count(Verdict::MayBeStored, "", 1);
        let json = summary(&tally).to_json();
        assert_eq!(json["attempted"], 4);
        assert_eq!(json["stored"], 1);
        assert_eq!(json["not_stored"], 1);
        assert_eq!(json["may_be_stored"], 2);
        assert_eq!(json["attempts"], 5);
        assert_eq!(json["errors"], json!({"timeout": 2}));
        assert_eq!(json["sends_per_s"], 2.0);
        assert_eq!(json["cpu_us_per_send"], 7.5);
        assert_eq!(json["peak_rss_kib"], Value::Null);
    }

    #[test]
    fn percentiles_come_from_the_recorded_latencies() {
        let mut tally = Tally::new().expect("valid bounds");
        for micros in 1..=1000 {
            tally.record_latency(Duration::from_micros(micros));
        }
        tally.record_latency(Duration::MAX);
        let summary = summary(&tally);
        assert_eq!(summary.percentile_us(50.0), 501);
        assert!(tally.latency.max() >= LONGEST_US);
    }

    #[test]
    fn an_empty_run_divides_by_nothing() {
        let tally = Tally::new().expect("valid bounds");
        let json = Summary { elapsed: Duration::ZERO, ..summary(&tally) }.to_json();
        assert_eq!(json["sends_per_s"], 0.0);
        assert_eq!(json["cpu_us_per_send"], Value::Null);
        assert_eq!(json["p99_us"], 0);
    }

    #[test]
    fn the_number_of_kinds_is_bounded() {
        let mut tally = Tally::new().expect("valid bounds");
        for code in 0..1_000 {
            tally.count(Verdict::NotStored, &format!("refused:{code}"), 1);
        }
        assert_eq!(tally.errors.len(), MOST_KINDS + 1);
        assert_eq!(tally.errors[OTHER_KINDS], 1_000 - MOST_KINDS as u64);
    }
}
