//! What the client has to reach, what is aimed at, and how each figure comes out of the runs.

use crate::load_program::{CODEC_FLOOR, SMOL, TOKIO, TOKIO_2, TOKIO_COUNTING};
use crate::plan::SLOW_SINK_DELAY_US;
use crate::results::{Figure, Results, less, more};
use crate::row::Row;
use crate::setting::{Form, Server, Setting};
use crate::statistics::{Spread, ratio, short};

pub struct Target {
    pub what: &'static str,
    pub unit: &'static str,
    bound: Bound,
    pub accept: f64,
    pub aim: f64,
    measured: fn(&Results) -> Option<Spread>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    /// The median must not be above it.
    AtMost,
    /// The median must not be below it.
    AtLeast,
    /// Not one value may be above it.
    NeverAbove,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    AimMet,
    Met,
    Missed,
    NotMeasured,
}

const JSON: Setting = Setting::DEFAULT;

/// All of them; a ratio is one of rounds of the same run.
pub const TARGETS: &[Target] = &[
    at_most("core alone, 1 KiB, JSON (time for orientation)", "ns", 350.0, 250.0, |r| {
        r.measure("core JSON", "ns_per_send")
    }),
    at_most("core alone, 1 KiB, binary (time for orientation)", "ns", 150.0, 110.0, |r| {
        r.measure("core binary", "ns_per_send")
    }),
    at_most("instructions: encode, JSON", "", 1000.0, 930.0, |r| {
        r.measure("instructions: encode-json", "instructions")
    }),
    at_most("instructions: encode, binary", "", 900.0, 810.0, |r| {
        r.measure("instructions: encode-rocketmq", "instructions")
    }),
    at_most("instructions: decode, JSON", "", 3000.0, 2300.0, |r| {
        r.measure("instructions: decode-json", "instructions")
    }),
    at_most("binary both ways against JSON, CPU per send", "x", 0.75, 0.6, |r| {
        let binary = JSON.forms(Form::Binary, Form::Binary);
        r.ratio((TOKIO.name, &binary), (TOKIO.name, &JSON), Row::cpu_us)
    }),
    at_most("16 in flight, CPU per send against the codec floor", "x", 1.8, 1.3, |r| {
        against_floor(r, &JSON.in_flight(16))
    }),
    at_most("256 in flight, CPU per send against the codec floor", "x", 1.8, 1.3, |r| {
        against_floor(r, &JSON)
    }),
    at_least("throughput against the best peer", "x", 6.5, 10.0, |r| {
        let best = r.best_peer(is_compared, Row::per_second, more);
        ratio(&r.series(TOKIO.name, &JSON, Row::per_second), &best)
    }),
    at_most("CPU per send against the best peer", "x", 1.0 / 8.0, 1.0 / 12.0, |r| {
        against_best_peer(r, is_compared, &JSON, Row::cpu_us)
    }),
    at_most("real broker: client CPU per send against the best peer", "x", 1.0 / 6.0, 1.0 / 8.0, |r| {
        against_best_peer(r, |setting| setting.server == Server::Broker, &JSON.broker(), Row::cpu_us)
    }),
    at_most("real broker: broker CPU per send against the best peer", "x", 0.75, 0.6, |r| {
        against_best_peer(r, |setting| setting.server == Server::Broker, &JSON.broker(), Row::broker_cpu_us)
    }),
    at_most("smol against tokio, CPU per send", "x", 1.3, 1.15, |r| {
        r.ratio((SMOL.name, &JSON), (TOKIO.name, &JSON), Row::cpu_us)
    }),
    at_most("two workers against one thread, CPU per send", "x", 2.0, 1.5, |r| {
        r.ratio((TOKIO_2.name, &JSON), (TOKIO.name, &JSON), Row::cpu_us)
    }),
    at_most("one in flight, both ends on one CPU, p50 against the floor", "x", 1.3, 1.15, |r| {
        let setting = JSON.one_cpu();
        r.ratio((TOKIO.name, &setting), (CODEC_FLOOR.name, &setting), |row| row.p50_us)
    }),
    never_above("allocations per send: core", "", 0.0, 0.0, |r| {
        let cycles = ["cycle-1-json", "cycle-64-json", "cycle-64-rocketmq", "cycle-1024-json"];
        let of = |cycle: &&str| r.measure(&format!("instructions: {cycle}"), "allocations");
        let counts: Vec<Spread> = cycles.iter().filter_map(of).collect();
        (counts.len() == cycles.len()).then(|| Spread::of(counts.iter().map(|count| count.most)))?
    }),
    at_most("allocations per send: API", "", 2.0, 1.0, |r| {
        r.spread(TOKIO_COUNTING.name, &JSON, Row::allocations_per_message).map(to_tenths)
    }),
    at_most("p99 against p50, 256 in flight", "x", 2.0, 1.5, |r| r.spread(TOKIO.name, &JSON, Row::tail)),
    never_above("failed sends, healthy slow sink, 1 … 10 000 in flight", "", 0.0, 0.0, |r| {
        let ours = r.runs().filter(|row| is_ours(&row.name) && row.delay_us == SLOW_SINK_DELAY_US);
        Spread::of(ours.filter_map(Row::failed))
    }),
    never_above("peak memory, 1 024 in flight of 1 KiB", "MiB", 16.0, 8.0, |r| {
        r.spread(TOKIO.name, &JSON.in_flight(1024), Row::peak_mib)
    }),
    at_most(
        "idle client: wake-ups a minute (aim: two for each heartbeat and route poll)",
        "",
        10.0,
        8.0,
        |r| r.measure("idle tokio", "wake_ups_per_minute"),
    ),
    never_above("growth of the core's cost per send", "x", 1.5, 1.2, |r| {
        let series = ["waiting", "topics", "queues", "brokers"];
        let worst = |series: &&str| Some(r.measures(&format!("growth: {series} "), "ratio")?.most);
        let ratios: Vec<f64> = series.iter().filter_map(worst).collect();
        (ratios.len() == series.len()).then(|| Spread::of(ratios))?
    }),
    at_most("start to first message stored: connects", "", 2.0, 2.0, |r| {
        r.measure("start tokio", "connects")
    }),
    at_most("start to first message stored: round trips", "", 2.0, 2.0, |r| {
        r.measure("start tokio", "round_trips")
    }),
];

/// Figures that depend on the machine: for orientation.
pub const ORIENTATION: &[Target] = &[
    at_most("CPU per send, 256 in flight, JSON", "µs", 1.0, 0.75, |r| {
        r.spread(TOKIO.name, &JSON, Row::cpu_us)
    }),
    at_least("messages per second, 256 in flight, JSON", "", 0.8e6, 1.2e6, |r| {
        r.spread(TOKIO.name, &JSON, Row::per_second)
    }),
    at_most("CPU per send, binary requests, JSON answers", "µs", 0.8, 0.6, |r| {
        r.spread(TOKIO.name, &JSON.forms(Form::Binary, Form::Json), Row::cpu_us)
    }),
    at_most("CPU per send, binary both ways", "µs", 0.6, 0.42, |r| {
        r.spread(TOKIO.name, &JSON.forms(Form::Binary, Form::Binary), Row::cpu_us)
    }),
    at_most("CPU per send, two workers", "µs", 1.8, 1.3, |r| r.spread(TOKIO_2.name, &JSON, Row::cpu_us)),
    at_most("CPU per send, 16 in flight", "µs", 2.8, 2.2, |r| {
        r.spread(TOKIO.name, &JSON.in_flight(16), Row::cpu_us)
    }),
    at_least("throughput against the best peer at any in-flight number", "x", 6.5, 10.0, |r| {
        let best = r.best_peer(is_any_load, Row::per_second, more);
        ratio(&r.series(TOKIO.name, &JSON, Row::per_second), &best)
    }),
    at_most("CPU per send against the best peer at any in-flight number", "x", 1.0 / 8.0, 1.0 / 12.0, |r| {
        against_best_peer(r, is_any_load, &JSON, Row::cpu_us)
    }),
];

const fn at_most(
    what: &'static str,
    unit: &'static str,
    accept: f64,
    aim: f64,
    measured: fn(&Results) -> Option<Spread>,
) -> Target {
    Target { what, unit, bound: Bound::AtMost, accept, aim, measured }
}

const fn at_least(
    what: &'static str,
    unit: &'static str,
    accept: f64,
    aim: f64,
    measured: fn(&Results) -> Option<Spread>,
) -> Target {
    Target { what, unit, bound: Bound::AtLeast, accept, aim, measured }
}

const fn never_above(
    what: &'static str,
    unit: &'static str,
    accept: f64,
    aim: f64,
    measured: fn(&Results) -> Option<Spread>,
) -> Target {
    Target { what, unit, bound: Bound::NeverAbove, accept, aim, measured }
}

impl Target {
    pub fn measured(&self, results: &Results) -> Option<Spread> {
        (self.measured)(results)
    }

    pub fn verdict(&self, measured: Option<Spread>) -> Verdict {
        let Some(spread) = measured else { return Verdict::NotMeasured };
        let meets = |limit: f64| match self.bound {
            Bound::AtMost => spread.median <= limit,
            Bound::AtLeast => spread.median >= limit,
            Bound::NeverAbove => spread.most <= limit,
        };
        match (meets(self.accept), meets(self.aim)) {
            (_, true) => Verdict::AimMet,
            (true, false) => Verdict::Met,
            (false, false) => Verdict::Missed,
        }
    }

    pub fn limit_text(&self, limit: f64) -> String {
        let sign = if self.bound == Bound::AtLeast { "≥" } else { "≤" };
        format!("{sign} {}{}", self.number_text(limit), self.unit_text())
    }

    pub fn measured_text(&self, measured: Option<Spread>) -> String {
        let Some(Spread { median, least, most, .. }) = measured else { return "–".to_owned() };
        let [median, least, most] = [median, least, most].map(|value| self.number_text(value));
        let spread = if least == most { String::new() } else { format!(" ({least}–{most})") };
        format!("{median}{spread}{}", self.unit_text())
    }

    /// Where an eighth is asked for, 0.104 says less than 1/9.62.
    fn number_text(&self, value: f64) -> String {
        let is_part = self.unit == "x" && self.accept < 0.5;
        if is_part && value > 0.0 { format!("1/{}", short(1.0 / value)) } else { short(value) }
    }

    fn unit_text(&self) -> String {
        if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) }
    }
}

impl Verdict {
    pub fn text(self) -> &'static str {
        match self {
            Self::AimMet => "**aim met**",
            Self::Met => "met",
            Self::Missed => "**MISSED**",
            Self::NotMeasured => "not measured",
        }
    }
}

fn against_floor(results: &Results, setting: &Setting) -> Option<Spread> {
    results.ratio((TOKIO.name, setting), (CODEC_FLOOR.name, setting), Row::cpu_us)
}

fn against_best_peer(
    results: &Results,
    settings: fn(&Setting) -> bool,
    ours: &Setting,
    figure: Figure,
) -> Option<Spread> {
    ratio(&results.series(TOKIO.name, ours, figure), &results.best_peer(settings, figure, less))
}

/// Peers may send and get what form they like best; ours sends and gets JSON.
fn is_compared(setting: &Setting) -> bool {
    setting.forms(Form::Json, Form::Json) == JSON
}

fn is_any_load(setting: &Setting) -> bool {
    is_compared(&setting.in_flight(JSON.in_flight))
}

fn is_ours(name: &str) -> bool {
    [TOKIO.name, TOKIO_2.name, SMOL.name].contains(&name)
}

/// A list that grows a few times in a run is no allocation per send.
fn to_tenths(spread: Spread) -> Spread {
    let round = |value: f64| (value * 10.0).round() / 10.0;
    Spread { median: round(spread.median), least: round(spread.least), most: round(spread.most), ..spread }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::JAVA_ASYNC;
    use crate::results::tests::{results, run};

    fn target(what: &str) -> &'static Target {
        TARGETS.iter().chain(ORIENTATION).find(|target| target.what.starts_with(what)).unwrap()
    }

    fn verdict(what: &str, rows: Vec<Row>) -> (Option<f64>, Verdict) {
        let measured = target(what).measured(&results(rows));
        let rounded = measured.map(|spread| (spread.median * 1000.0).round() / 1000.0);
        (rounded, target(what).verdict(measured))
    }

    #[test]
    fn cpu_against_floor_and_peers() {
        let floor = |cpu| run(CODEC_FLOOR.name, 1, &JSON, cpu, 2e6);
        let ours = |cpu| run(TOKIO.name, 1, &JSON, cpu, 1.2e6);
        let what = "256 in flight, CPU per send against the codec floor";
        assert_eq!(verdict(what, vec![floor(0.5), ours(0.6)]), (Some(1.2), Verdict::AimMet));
        assert_eq!(verdict(what, vec![floor(0.5), ours(0.8)]), (Some(1.6), Verdict::Met));
        assert_eq!(verdict(what, vec![floor(0.5), ours(1.0)]), (Some(2.0), Verdict::Missed));
        assert_eq!(verdict(what, vec![ours(1.0)]), (None, Verdict::NotMeasured));

        // The peer is at its best in binary; a peer beside a slow sink is another story.
        let binary = JSON.forms(Form::Binary, Form::Binary);
        let slow = run(JAVA_ASYNC.name, 1, &JSON.delay_us(20_000), 1.0, 10.0);
        let few = run(JAVA_ASYNC.name, 1, &JSON.in_flight(64), 7.5, 150e3);
        let peers =
            || vec![run(JAVA_ASYNC.name, 1, &JSON, 10.0, 90e3), run(JAVA_ASYNC.name, 1, &binary, 8.0, 120e3)];
        let rows = || [peers(), vec![slow.clone(), few.clone(), ours(0.8)]].concat();
        assert_eq!(verdict("CPU per send against the best peer", rows()), (Some(0.1), Verdict::Met));
        assert_eq!(verdict("throughput against the best peer", rows()), (Some(10.0), Verdict::AimMet));
        let anywhere = "throughput against the best peer at any";
        assert_eq!(verdict(anywhere, rows()), (Some(8.0), Verdict::Met));
    }

    #[test]
    fn one_failed_send_is_a_miss() {
        let setting = JSON.delay_us(SLOW_SINK_DELAY_US).in_flight(10_000);
        let good = run(TOKIO.name, 1, &setting, 1.0, 1e3);
        let mut bad = run(SMOL.name, 1, &setting, 1.0, 1e3);
        assert_eq!(verdict("failed sends", vec![good.clone(), bad.clone()]).1, Verdict::AimMet);
        bad.failed = Some(1);
        assert_eq!(verdict("failed sends", vec![good.clone(), good.clone(), bad]).1, Verdict::Missed);
        let mut peer = run(JAVA_ASYNC.name, 1, &setting, 1.0, 1e3);
        peer.failed = Some(9);
        assert_eq!(verdict("failed sends", vec![good, peer]).1, Verdict::AimMet, "of ours only");
    }

    #[test]
    fn growth_counts_only_when_it_is_whole_and_by_its_worst() {
        let row = |series: &str, ratio: f64| {
            let mut row = Row::new("core", 1, &format!("growth: {series} 10"), &JSON);
            (row.measure, row.value) = (Some("ratio".to_owned()), Some(ratio));
            row
        };
        let three = vec![row("waiting", 1.1), row("topics", 1.0), row("queues", 1.3), row("queues", 1.0)];
        assert_eq!(verdict("growth", three.clone()).1, Verdict::NotMeasured);
        let four = [three, vec![row("brokers", 1.0)]].concat();
        assert_eq!(verdict("growth", four).1, Verdict::Met);
    }

    #[test]
    fn every_target_can_be_told_apart_and_its_aim_is_no_weaker_than_what_is_accepted() {
        let all: Vec<&Target> = TARGETS.iter().chain(ORIENTATION).collect();
        for (index, target) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other.what != target.what), "{}", target.what);
            let order = if target.bound == Bound::AtLeast {
                target.aim >= target.accept
            } else {
                target.aim <= target.accept
            };
            assert!(order, "{}", target.what);
        }
        assert_eq!(target("CPU per send against the best").limit_text(1.0 / 12.0), "≤ 1/12 x");
        let measured = Spread::of([0.1, 0.125, 0.08]);
        assert_eq!(target("CPU per send against the best").measured_text(measured), "1/10 (1/12.5–1/8) x");
        assert_eq!(target("throughput").limit_text(6.5), "≥ 6.5 x");
        assert_eq!(target("CPU per send, binary both").limit_text(0.42), "≤ 0.42 µs");
        assert_eq!(target("allocations per send: core").limit_text(0.0), "≤ 0");
    }
}
