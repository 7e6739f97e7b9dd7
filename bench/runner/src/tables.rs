//! The report: facts, targets, and one table for each part, in Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::load_program::{CODEC_FLOOR, COUNTING, TOKIO};
use crate::machine::IDLE_ENOUGH;
use crate::plan::{BODIES, IN_FLIGHT, Part};
use crate::results::{Figure, Results, Subject};
use crate::row::Row;
use crate::setting::Setting;
use crate::statistics::{Spread, short};
use crate::targets::{ORIENTATION, TARGETS, Target};

#[derive(Clone, Copy)]
enum Value {
    Own(Figure),
    /// Against the codec floor under the same setting, in the same round.
    ToFloor(Figure),
    /// Against tokio under the same setting, in the same round.
    ToTokio(Figure),
    /// Of the load's build that counts allocations, unless the load always counts them.
    Counted(Figure),
}

type Column = (&'static str, Value);

const PER_SECOND: Column = ("1 000/s", Value::Own(|row| Some(row.per_second()? / 1000.0)));
const CPU: Column = ("CPU µs/msg", Value::Own(Row::cpu_us));
const CPU_TO_FLOOR: Column = ("CPU x floor", Value::ToFloor(Row::cpu_us));
const CPU_TO_TOKIO: Column = ("CPU x tokio", Value::ToTokio(Row::cpu_us));
const P50: Column = ("p50 µs", Value::Own(|row| row.p50_us));
const P50_TO_FLOOR: Column = ("p50 x floor", Value::ToFloor(|row| row.p50_us));
const P90: Column = ("p90 µs", Value::Own(|row| row.p90_us));
const P99: Column = ("p99 µs", Value::Own(|row| row.p99_us));
const P999: Column = ("p99.9 µs", Value::Own(|row| row.p999_us));
const MOST: Column = ("max µs", Value::Own(|row| row.max_us));
const ALLOCATIONS: Column = ("allocations/msg", Value::Counted(Row::allocations_per_message));
const ALLOCATED: Column = ("bytes allocated/msg", Value::Counted(Row::allocated_per_message));
const WAITS: Column = ("waits/1 000 msg", Value::Own(|row| Some(row.switches_per_message()? * 1000.0)));
const PER_WRITE: Column = ("msg/write", Value::Own(Row::messages_per_write));
const PEAK: Column = ("peak MiB", Value::Own(Row::peak_mib));
const FAILED: Column = ("failed", Value::Own(Row::failed));
const SINK_CPU: Column = ("sink CPU µs/msg", Value::Own(Row::sink_cpu_us));
const BROKER_CPU: Column = ("broker CPU µs/msg", Value::Own(Row::broker_cpu_us));
const BROKER_TO_TOKIO: Column = ("broker x tokio", Value::ToTokio(Row::broker_cpu_us));
const OTHERS: Column = ("others %", Value::Own(|row| Some(row.others? * 100.0)));

const WHOLE: &[Column] = &[
    PER_SECOND,
    CPU,
    CPU_TO_FLOOR,
    CPU_TO_TOKIO,
    P50,
    P99,
    P999,
    ALLOCATIONS,
    ALLOCATED,
    WAITS,
    PER_WRITE,
    PEAK,
    FAILED,
    SINK_CPU,
    OTHERS,
];
const SWEEP: &[Column] = &[
    PER_SECOND,
    CPU,
    CPU_TO_FLOOR,
    CPU_TO_TOKIO,
    P50,
    P99,
    P999,
    WAITS,
    PER_WRITE,
    PEAK,
    FAILED,
    SINK_CPU,
    OTHERS,
];
const RATES: &[Column] = &[PER_SECOND, CPU, P50, P90, P99, P999, MOST, PER_WRITE, FAILED, SINK_CPU, OTHERS];
const ONE_CPU: &[Column] = &[P50, P50_TO_FLOOR, P99, P999, PER_SECOND, CPU, FAILED, SINK_CPU, OTHERS];
const SLOW: &[Column] = &[PER_SECOND, P50, P99, MOST, PEAK, FAILED, OTHERS];
const REAL: &[Column] =
    &[PER_SECOND, CPU, CPU_TO_TOKIO, BROKER_CPU, BROKER_TO_TOKIO, P50, P99, PER_WRITE, FAILED, OTHERS];

pub fn report(results: &Results) -> String {
    let mut text = String::from("# Benchmark\n\n");
    for (name, value) in &results.facts {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(text, "- versions: {}", versions(results));
    let _ = writeln!(text, "- {}", idle_text(results));
    text += "\nEach value is the median of the rounds, with least and greatest in parentheses; a ratio is taken within \
             each round. README.md of this folder says what the columns mean.\n";
    targets(&mut text, "Targets", TARGETS, results);
    targets(&mut text, "Figures of this machine, for orientation", ORIENTATION, results);
    let parts: [(Part, &[Column]); 7] = [
        (Part::Clients, WHOLE),
        (Part::InFlight, SWEEP),
        (Part::Body, SWEEP),
        (Part::Rates, RATES),
        (Part::OneCpu, ONE_CPU),
        (Part::SlowSink, SLOW),
        (Part::Real, REAL),
    ];
    for (part, columns) in parts {
        runs(&mut text, part, columns, results);
    }
    measures(&mut text, results);
    troubles(&mut text, results);
    text
}

/// As the programs themselves say.
fn versions(results: &Results) -> String {
    let of = |row: &Row| Some(format!("{} {}", row.client.as_ref()?, row.version.as_ref()?));
    let versions: BTreeSet<String> = results.runs().filter_map(of).collect();
    versions.into_iter().collect::<Vec<_>>().join(", ")
}

fn idle_text(results: &Results) -> String {
    let checks = Spread::of(results.runs().filter_map(|row| row.idle));
    let others = Spread::of(results.runs().filter_map(|row| row.others));
    let (Some(idle), Some(others)) = (checks, others) else { return "idle check: none was made".to_owned() };
    let judgement =
        if idle.least >= IDLE_ENOUGH { "The machine was idle" } else { "THE MACHINE WAS NOT IDLE" };
    format!(
        "{judgement}: before the rounds {:.1} % of CPU time idle, least {:.1} %; during the runs other processes took \
         {:.1} %, at most {:.1} %",
        idle.median * 100.0,
        idle.least * 100.0,
        others.median * 100.0,
        others.most * 100.0,
    )
}

fn targets(text: &mut String, title: &str, targets: &[Target], results: &Results) {
    let _ = writeln!(text, "\n## {title}\n\n| | measured | accept | aim | |\n|---|---|---|---|---|");
    for target in targets {
        let measured = target.measured(results);
        let value = target.measured_text(measured);
        let (accept, aim) = (target.limit_text(target.accept), target.limit_text(target.aim));
        let verdict = target.verdict(measured).text();
        let _ = writeln!(text, "| {} | {value} | {accept} | {aim} | {verdict} |", target.what);
    }
}

fn runs(text: &mut String, part: Part, columns: &[Column], results: &Results) {
    let subjects = with_shared_cells(part, results);
    // A column without a single value says nothing.
    let value = |subject: &Subject, column: &Column| figure(results, subject, column.1);
    let has_value = |column: &&Column| subjects.iter().any(|subject| value(subject, column).is_some());
    let columns: Vec<&Column> = columns.iter().filter(has_value).collect();
    if columns.is_empty() {
        return;
    }
    let texts = |text: fn(&Setting) -> String| -> Vec<String> {
        subjects.iter().map(|subject| text(&subject.setting)).collect()
    };
    let forms = texts(|setting| setting.forms_text().to_owned());
    let conditions = texts(Setting::condition_text);
    let mut lines: Vec<String> = subjects.iter().map(|subject| format!("| {} |", subject.name)).collect();
    let (mut titles, mut rule) = ("| client |".to_owned(), "|---|".to_owned());
    for (title, texts) in [("headers", forms), ("condition", conditions)] {
        // What all rows share is in the title of the part.
        if texts.iter().any(|text| *text != texts[0]) {
            titles += &format!(" {title} |");
            rule += "---|";
            lines.iter_mut().zip(texts).for_each(|(line, text)| *line += &format!(" {text} |"));
        }
    }
    for column in columns {
        titles += &format!(" {} |", column.0);
        rule += "---:|";
        for (line, subject) in lines.iter_mut().zip(&subjects) {
            *line += &value(subject, column).map_or_else(|| " – |".to_owned(), |value| format!(" {value} |"));
        }
    }
    let _ = writeln!(text, "\n## {}\n\n{titles}\n{rule}\n{}", part.title(), lines.join("\n"));
}

/// A sweep has its middle from the part that all sweeps share. Rows of one load stand together.
fn with_shared_cells(part: Part, results: &Results) -> Vec<Subject> {
    let mut subjects = results.subjects(&part.name());
    subjects.retain(|subject| !subject.name.ends_with(COUNTING));
    let sweep: Vec<Setting> = match part {
        Part::InFlight => IN_FLIGHT.map(|number| Setting::DEFAULT.in_flight(number)).to_vec(),
        Part::Body => BODIES.map(|body| Setting::DEFAULT.body(body)).to_vec(),
        _ => return subjects,
    };
    let mut names: Vec<String> = Vec::new();
    for subject in subjects.drain(..) {
        if !names.contains(&subject.name) {
            names.push(subject.name);
        }
    }
    let all =
        names.iter().flat_map(|name| sweep.iter().map(|&setting| Subject { name: name.clone(), setting }));
    all.filter(|subject| !results.series(&subject.name, &subject.setting, Row::failed).is_empty()).collect()
}

fn figure(results: &Results, subject: &Subject, value: Value) -> Option<Spread> {
    let Subject { name, setting } = subject;
    let to = |other: &str, figure| results.ratio((name, setting), (other, setting), figure);
    match value {
        Value::Own(figure) => results.spread(name, setting, figure),
        Value::ToFloor(figure) => to(CODEC_FLOOR.name, figure),
        Value::ToTokio(figure) => to(TOKIO.name, figure),
        Value::Counted(figure) => results
            .spread(name, setting, figure)
            .or_else(|| results.spread(&format!("{name}{COUNTING}"), setting, figure)),
    }
}

/// Figures that are not of loads.
fn measures(text: &mut String, results: &Results) {
    let figures: Vec<&Row> = results.rows.iter().filter(|row| row.measure.is_some()).collect();
    if figures.is_empty() {
        return;
    }
    let mut lines: Vec<(&str, String)> = Vec::new();
    for row in figures {
        let value = row.value.map_or_else(|| "–".to_owned(), short);
        let figure = format!("{} {value}", row.measure.as_deref().unwrap_or_default());
        match lines.iter_mut().find(|line| line.0 == row.name) {
            Some((_, line)) => *line += &format!(", {figure}"),
            None => lines.push((&row.name, figure)),
        }
    }
    let _ = writeln!(text, "\n## {}\n\n| | |\n|---|---|", Part::Core.title());
    for (name, figures) in lines {
        let _ = writeln!(text, "| {name} | {figures} |");
    }
}

/// Runs without figures, and sends that failed.
fn troubles(text: &mut String, results: &Results) {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for row in &results.rows {
        let what = match (&row.trouble, row.failed) {
            (Some(trouble), _) => format!("no figures: {trouble}"),
            (None, Some(1..)) => {
                let error = row.first_error.as_deref().unwrap_or("no reason given");
                format!("sends failed, the first one: {error}")
            }
            _ => continue,
        };
        let setting = row.setting();
        let key = format!("{}, {}, {}: {what}", row.name, setting.forms_text(), setting.condition_text());
        *found.entry(key).or_default() += 1;
    }
    if found.is_empty() {
        return;
    }
    text.push_str("\n## What went wrong\n\n");
    for (what, runs) in found {
        let _ = writeln!(text, "- {what} ({runs} {})", if runs == 1 { "run" } else { "runs" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{results, run};
    use crate::setting::Form;

    #[test]
    fn a_table_has_medians_ratios_and_no_empty_columns() {
        let all = Setting::DEFAULT;
        let binary = all.forms(Form::Binary, Form::Binary);
        let report = report(&results(vec![
            run(CODEC_FLOOR.name, 1, &all, 0.5, 2e6),
            run("tokio", 1, &all, 1.0, 1e6),
            run(CODEC_FLOOR.name, 2, &all, 1.0, 1e6),
            run("tokio", 2, &all, 1.5, 8e5),
            run("tokio", 1, &binary, 0.5, 2e6),
            run("tokio, counting allocations", 1, &all, 9.0, 1e5),
        ]));
        let line = report.lines().find(|line| line.starts_with("| tokio | JSON |")).unwrap();
        let start = "| tokio | JSON | 900 (800–1 000) | 1.25 (1–1.5) | 1.75 (1.5–2) | 1 |";
        assert!(line.starts_with(start), "{line}");
        assert!(report.contains("| tokio | binary |"), "{report}");
        assert!(report.contains("The machine was idle: before the rounds 99.3 %"), "{report}");
        assert!(report.contains("- versions: ours 0.1.0\n"), "{report}");
        assert!(report.contains("| client | headers | 1 000/s |"), "one condition, in the title: {report}");
        assert!(!report.contains("counting allocations"), "{report}");
        assert!(!report.contains("broker CPU µs/msg") && !report.contains("What went wrong"), "{report}");
        let target = report.lines().find(|line| line.starts_with("| 256 in flight, CPU")).unwrap();
        assert_eq!(
            target,
            "| 256 in flight, CPU per send against the codec floor | 1.75 (1.5–2) x | ≤ 1.8 x | ≤ 1.3 x | met |"
        );
    }

    #[test]
    fn a_sweep_has_its_middle_and_rows_of_a_load_together() {
        let in_flight = |number, name| {
            let setting = Setting::DEFAULT.in_flight(number);
            let mut row = run(name, 1, &setting, 1.0, 1e6);
            row.part = if number == 256 { "clients" } else { "in-flight" }.to_owned();
            row
        };
        let results = results(vec![
            in_flight(256, "tokio"),
            in_flight(256, "tokio, enqueue"),
            in_flight(1, "tokio"),
            in_flight(1, "smol"),
            in_flight(1024, "tokio"),
        ]);
        let seen: Vec<_> = with_shared_cells(Part::InFlight, &results)
            .into_iter()
            .map(|subject| (subject.name, subject.setting.in_flight))
            .collect();
        let expected = [("tokio", 1), ("tokio", 256), ("tokio", 1024), ("smol", 1)];
        assert_eq!(seen, expected.map(|(name, number)| (name.to_owned(), number)));
    }

    #[test]
    fn a_busy_machine_and_failures_are_not_hidden() {
        let mut failed = run("tokio", 1, &Setting::DEFAULT, 1.0, 1e6);
        (failed.failed, failed.idle) = (Some(3), Some(0.5));
        let mut broken = run("smol", 1, &Setting::DEFAULT, 1.0, 1e6);
        broken.trouble = Some("it did not end".to_owned());
        let report = report(&results(vec![failed, broken]));
        assert!(report.contains("THE MACHINE WAS NOT IDLE"), "{report}");
        assert!(report.contains("sends failed, the first one: no answer within 3 s (1 run)"), "{report}");
        assert!(
            report.contains("smol, JSON, 256 in flight, 1 KiB: no figures: it did not end (1 run)"),
            "{report}"
        );
    }
}
