//! Things broken on purpose: each has to be noticed, by the invariant that it breaks.

use rocketmq_sim::world::{MutantRow, mutant_table, print_mutants};
use serde_json::{Value, json};

use crate::args::Args;
use crate::print;
use crate::progress::Progress;

/// A mutant that so many seeds do not notice goes unnoticed.
const MOST_SEEDS: u64 = 1_000;

/// Runs seeds with each mutant until something breaks.
pub(crate) fn hunt(progress: &mut Progress) -> Vec<MutantRow> {
    progress.line("breaking the client on purpose, each mutant for itself");
    mutant_table(MOST_SEEDS)
}

/// `--mutants` alone; false when one was not caught by its invariant.
pub(crate) fn run(args: &Args) -> Result<bool, String> {
    let rows = hunt(&mut Progress::new(None));
    let caught = rows.iter().filter(|row| row.is_proof()).count();
    if args.json {
        let all: Vec<Value> = rows.iter().map(json_of).collect();
        print(&format!("{:#}\n", json!({"mutants": all})))?;
    } else {
        print(&format!("{}{caught} of {} mutants caught\n", print_mutants(&rows), rows.len()))?;
    }
    Ok(caught == rows.len())
}

/// A mutant for programs.
pub(crate) fn json_of(row: &MutantRow) -> Value {
    json!({"mutant": row.mutant.name(), "breaks": row.invariant.id(), "caught": row.is_proof(),
        "after_seeds": row.caught_after, "first": row.first.as_ref().map(ToString::to_string)})
}
