//! The table of mutants: each invariant, how often it was checked, and how soon its mutants were caught.

use super::plan::{Mode, Plan, RunOptions, RunReport, run_plan};
use super::{Broken, Checked, Invariant, Mutant};

/// One mutant and what became of it.
#[derive(Debug, Clone)]
pub struct MutantRow {
    /// The mutant.
    pub mutant: Mutant,
    /// The invariant that it breaks.
    pub invariant: Invariant,
    /// How often that was checked in the runs without any mutant.
    pub checked: u64,
    /// How many seeds were run until something broke; none when nothing did.
    pub caught_after: Option<u64>,
    /// What broke first.
    pub first: Option<Broken>,
    /// What broke, in a run of the same seeds without the mutant: nothing, unless the client has a fault of its own.
    pub clean: Option<Broken>,
}

impl MutantRow {
    /// True when the mutant was caught by the invariant that it breaks, and the same seeds are clean without it.
    pub fn is_proof(&self) -> bool {
        self.clean.is_none() && self.first.as_ref().is_some_and(|broken| broken.invariant == self.invariant)
    }
}

fn run(seed: u64, mode: Mode, mutant: Option<Mutant>) -> RunReport {
    let options = RunOptions { silent: true, records: true, mutant };
    run_plan(&Plan::draw(seed, mode, None), &options)
}

/// Runs each mutant with seeds from 0 until something breaks, at most `seeds` of them, and the same seeds without it.
pub fn mutant_table(seeds: u64) -> Vec<MutantRow> {
    let mut rows = Vec::new();
    let (mut most_safety, mut most_liveness) = (0, 0);
    for mutant in Mutant::ALL.iter().copied() {
        let mode = mode_of(mutant);
        let mut caught = (0..seeds).map(|seed| (seed, run(seed, mode, Some(mutant)).broken));
        let found = caught.find_map(|(seed, broken)| Some((seed, broken?)));
        let used = found.as_ref().map_or(seeds, |(seed, _)| seed + 1);
        let most = if mode == Mode::Safety { &mut most_safety } else { &mut most_liveness };
        *most = used.max(*most);
        rows.push(MutantRow {
            mutant,
            invariant: mutant.breaks(),
            checked: 0,
            caught_after: found.as_ref().map(|_| used),
            first: found.map(|(_, broken)| broken),
            clean: None,
        });
    }
    let safety = clean_runs(most_safety, Mode::Safety);
    // The last one is there to count the checks of runs that heal, even when no mutant needs them.
    let liveness = clean_runs(most_liveness.max(1), Mode::Liveness);
    let mut checked = safety.1;
    checked.add(&liveness.1);
    for row in &mut rows {
        row.checked = checked.of(row.invariant);
        let (broken, _) = if mode_of(row.mutant) == Mode::Safety { &safety } else { &liveness };
        let used = row.caught_after.unwrap_or(seeds);
        row.clean = broken.iter().find(|(seed, _)| *seed < used).map(|(_, broken)| broken.clone());
    }
    rows
}

fn mode_of(mutant: Mutant) -> Mode {
    if mutant.needs_liveness() { Mode::Liveness } else { Mode::Safety }
}

/// What breaks without a mutant, by seed, and how often everything was checked.
fn clean_runs(seeds: u64, mode: Mode) -> (Vec<(u64, Broken)>, Checked) {
    let (mut all_broken, mut checked) = (Vec::new(), Checked::default());
    for seed in 0..seeds {
        let report = run(seed, mode, None);
        checked.add(&report.checked);
        all_broken.extend(report.broken.map(|broken| (seed, broken)));
    }
    (all_broken, checked)
}

/// The rows as text, one invariant after the other.
pub fn print_mutants(rows: &[MutantRow]) -> String {
    let mut text = format!("{:<24}{:>12}  {:<20} caught after\n", "invariant", "checked", "mutant");
    for row in rows {
        let caught = match (&row.caught_after, &row.first) {
            (Some(seeds), Some(_)) if row.is_proof() => format!("{seeds} seeds"),
            (Some(seeds), Some(first)) => {
                format!("{seeds} seeds, but first: {first}; clean: {:?}", row.clean)
            }
            _ => "NEVER".to_owned(),
        };
        let invariant = row.invariant.to_string();
        text += &format!("{invariant:<24}{:>12}  {:<20} {caught}\n", row.checked, row.mutant.name());
    }
    text
}
