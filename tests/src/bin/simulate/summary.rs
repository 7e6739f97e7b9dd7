//! The summary in the end: for people as text, for programs as JSON.

use std::fmt::Write;
use std::time::Duration;

use rocketmq_sim::simulate::session::mode_name;
use rocketmq_sim::world::plan::{FaultKind, Mode};
use rocketmq_sim::world::{Invariant, MutantRow, print_mutants};
use serde_json::{Value, json};

use crate::mutants::json_of;
use crate::tally::{Effect, Tally};
use crate::work::Failure;

/// Rows of the fault table that no fault of the simulation stands for, and where they belong.
const ELSEWHERE: [(u8, &str); 5] = [
    (17, "broken TLS: comes with TLS"),
    (42, "refused steps: tests/world_torture.rs; memory that a peer can make us take: tests/memory.rs"),
    (45, "futures dropped at any poll: tests/lab_cancel.rs"),
    (46, "callbacks that panic, block or send: driver's tests of hooks and listeners, tests/lab_users.rs"),
    (47, "the client dropped on its own driver task: tests/lab_users.rs"),
];

/// What was done, and what came out.
pub(crate) struct Summary<'a> {
    /// Which seeds, in words.
    pub(crate) seeds: String,
    pub(crate) tally: &'a Tally,
    pub(crate) failures: &'a [Failure],
    /// Sessions that a second process ran too.
    pub(crate) second_process: usize,
    pub(crate) mutants: Option<&'a [MutantRow]>,
    pub(crate) jobs: usize,
    pub(crate) took: Duration,
    pub(crate) cut_short: bool,
    /// The kinds that the seeds drew from.
    pub(crate) kinds: &'a [FaultKind],
    pub(crate) modes: &'a [Mode],
}

impl Summary<'_> {
    /// States that no session reached.
    pub(crate) fn never_reached(&self) -> Vec<&'static str> {
        let never = |(name, count): (&'static str, u64)| (count == 0).then_some(name);
        self.tally.reached.fields().into_iter().filter_map(never).collect()
    }

    /// Faults that no session injected, of those that it could have drawn.
    pub(crate) fn never_injected(&self) -> Vec<&'static str> {
        let never = self.kinds.iter().filter(|kind| self.tally.faults.of(**kind) == 0);
        never.map(|kind| kind.name()).collect()
    }

    /// Invariants that no session checked. In safety mode alone nothing has to succeed.
    pub(crate) fn never_checked(&self) -> Vec<&'static str> {
        let never = self.tally.checked.iter().filter(|(invariant, count)| {
            *count == 0 && (*invariant != Invariant::Liveness || self.modes.contains(&Mode::Liveness))
        });
        never.map(|(invariant, _)| invariant.id()).collect()
    }

    /// The summary for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.speed(&mut text);
        self.invariants(&mut text);
        self.faults(&mut text);
        self.states(&mut text);
        text
    }

    fn speed(&self, out: &mut String) {
        let tally = self.tally;
        let cut = if self.cut_short { ", stopped when the time was over" } else { "" };
        put(out, format_args!("{}{cut}: {} failed\n", self.seeds, self.failures.len()));
        put(out, format_args!("  sessions                {:>14}", grouped(tally.sessions)));
        put(out, format_args!("  runs, with repetitions  {:>14}", grouped(tally.runs)));
        put(out, format_args!("  sends                   {:>14}", grouped(tally.sends)));
        put(out, format_args!("  faults injected         {:>14}", grouped(tally.faults.total())));
        let rate = tally.per_core_hour().map_or_else(|| "unknown".to_owned(), grouped);
        put(out, format_args!("  sessions per core-hour  {rate:>14}"));
        let clock = if tally.cpu_is_clock { " (by the clock: no processor time here)" } else { "" };
        let cpu = tally.cpu.as_secs_f64();
        let took = self.took.as_secs_f64();
        put(out, format_args!("  core time               {cpu:>12.1} s{clock}"));
        put(out, format_args!("  by the clock            {took:>12.1} s with {} workers", self.jobs));
        if let Some((took, mode, seed)) = tally.slowest {
            let millis = took.as_secs_f64() * 1e3;
            put(out, format_args!("  slowest session         {millis:>11.1} ms: {} {seed}", mode_name(mode)));
        }
        put(out, format_args!("  ran twice, same hash    {:>14}", grouped(tally.repeated)));
        put(out, format_args!("  same with actions taken at other moments {:>6}", grouped(tally.replayed)));
        put(
            out,
            format_args!("  same in a second process        {:>15}", grouped(self.second_process as u64)),
        );
    }

    fn invariants(&self, out: &mut String) {
        let mutants = if self.mutants.is_some() { "  mutants caught" } else { "" };
        put(out, format_args!("\nInvariant                         checked{mutants}"));
        for (invariant, count) in self.tally.checked.iter() {
            let caught = self.mutants.map_or_else(String::new, |all| caught(all, invariant));
            let name = invariant.to_string();
            put(out, format_args!("  {name:<24}{:>15}{caught}", grouped(count)));
        }
        let missed: Vec<MutantRow> =
            self.mutants.unwrap_or_default().iter().filter(|row| !row.is_proof()).cloned().collect();
        if !missed.is_empty() {
            put(out, format_args!("NOT CAUGHT:\n{}", print_mutants(&missed)));
        }
    }

    fn faults(&self, out: &mut String) {
        put(
            out,
            format_args!(
                "\nRow      Fault                           injected   left out once  outcome changed"
            ),
        );
        for kind in self.kinds {
            let rows: Vec<String> = kind.rows().iter().map(u8::to_string).collect();
            let Effect { sampled, changed } = self.tally.effects.get(kind).copied().unwrap_or_default();
            put(
                out,
                format_args!(
                    "  {:<7}{:<28}{:>12}{:>16}{:>17}",
                    rows.join(","),
                    kind.name(),
                    grouped(self.tally.faults.of(*kind)),
                    grouped(sampled),
                    grouped(changed)
                ),
            );
        }
        for (row, why) in ELSEWHERE {
            put(out, format_args!("  {row:<7}{why}"));
        }
    }

    fn states(&self, out: &mut String) {
        put(out, format_args!("\nState                              reached"));
        for (name, count) in self.tally.reached.fields() {
            put(out, format_args!("  {name:<26}{:>13}", grouped(count)));
        }
        for (what, names) in self.missing() {
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            put(out, format_args!("{what}: {names}"));
        }
    }

    /// What the seeds left out.
    pub(crate) fn missing(&self) -> [(&'static str, Vec<&'static str>); 3] {
        [
            ("Invariants never checked", self.never_checked()),
            ("Faults never injected", self.never_injected()),
            ("States never reached", self.never_reached()),
        ]
    }

    /// The summary for programs. Times are in seconds.
    pub(crate) fn json(&self) -> Value {
        let tally = self.tally;
        let faults = self.kinds.iter().map(|kind| {
            let effect = tally.effects.get(kind).copied().unwrap_or_default();
            json!({"fault": kind.name(), "rows": kind.rows(), "injected": tally.faults.of(*kind),
                "left_out": effect.sampled, "changed_outcome": effect.changed})
        });
        let invariants = tally.checked.iter().map(
            |(invariant, count)| json!({"id": invariant.id(), "name": invariant.name(), "checked": count}),
        );
        let failures = self.failures.iter().map(|failure| {
            json!({"session": failure.session.to_string(), "invariant": failure.broken.invariant.id(),
                "text": failure.broken.text})
        });
        let states: serde_json::Map<String, Value> =
            tally.reached.fields().into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
        let mutants = self.mutants.map(|all| all.iter().map(json_of).collect::<Vec<_>>());
        json!({
            "seeds": self.seeds, "sessions": tally.sessions, "runs": tally.runs, "sends": tally.sends,
            "faults_injected": tally.faults.total(), "sessions_per_core_hour": tally.per_core_hour(),
            "core_time": tally.cpu.as_secs_f64(), "core_time_is_clock_time": tally.cpu_is_clock,
            "time": self.took.as_secs_f64(), "jobs": self.jobs, "cut_short": self.cut_short,
            "repeated": tally.repeated, "replayed": tally.replayed, "second_process": self.second_process,
            "invariants": invariants.collect::<Vec<_>>(), "mutants": mutants, "faults": faults.collect::<Vec<_>>(),
            "states": states, "never_checked": self.never_checked(), "never_injected": self.never_injected(),
            "never_reached": self.never_reached(), "failures": failures.collect::<Vec<_>>(),
        })
    }
}

/// How many mutants of an invariant were caught, for the end of its line.
fn caught(all: &[MutantRow], invariant: Invariant) -> String {
    let of_it = || all.iter().filter(move |row| row.invariant == invariant);
    let (count, caught) = (of_it().count(), of_it().filter(|row| row.is_proof()).count());
    format!("{caught:>9} of {count}")
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _never_fails = writeln!(out, "{line}");
}

/// A number with a space before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_can_be_read() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (12_345_678, "12 345 678")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn every_row_of_the_fault_table_is_here_or_elsewhere() {
        for row in 1..=50 {
            let elsewhere = ELSEWHERE.iter().any(|(it, _)| *it == row);
            assert_eq!(FaultKind::of_row(row).next().is_none(), elsewhere, "row {row}");
        }
    }
}
