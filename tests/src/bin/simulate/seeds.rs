//! Many seeds, and what comes out of them.

use rocketmq_sim::simulate::session::mode_name;
use rocketmq_sim::world::MutantRow;
use rocketmq_sim::world::plan::FaultKind;

use crate::args::{Args, Seeds};
use crate::progress::Progress;
use crate::summary::Summary;
use crate::work::{self, Outcome};
use crate::{failure, mutants, print, second};

/// Runs them; false when something broke.
pub(crate) fn run(args: &Args, seeds: Seeds) -> Result<bool, String> {
    let count = (seeds.end - seeds.first).saturating_mul(args.modes.len() as u64);
    let mut progress = Progress::new((seeds.end != u64::MAX).then_some(count));
    let caught = args.mutants.then(|| mutants::hunt(&mut progress));
    let mut outcome = work::run_all(args, seeds, &mut progress);
    let second = compare(args, &mut outcome, &mut progress)?;
    for failure in &outcome.failures {
        let text = failure::tell(failure, args, &mut progress);
        let written = failure::write_down(failure, args);
        // With --json nothing but JSON goes to standard output.
        if args.json {
            progress.line(&format!("{text}{written}"))
        } else {
            print(&format!("{text}{written}\n\n"))?
        }
    }
    let kinds = args.faults.as_deref().unwrap_or(FaultKind::ALL);
    let summary = Summary {
        seeds: in_words(args, seeds),
        tally: &outcome.tally,
        failures: &outcome.failures,
        second_process: second,
        mutants: caught.as_deref(),
        jobs: args.jobs,
        took: outcome.took,
        cut_short: outcome.cut_short,
        kinds,
        modes: &args.modes,
    };
    print(&if args.json { format!("{:#}\n", summary.json()) } else { summary.text() })?;
    let complete = !args.coverage || summary.missing().iter().all(|(_, names)| names.is_empty());
    if !complete {
        progress.line("simulate: --coverage: something was never reached, see the end of the summary");
    }
    let all_caught = caught.iter().flatten().all(MutantRow::is_proof);
    Ok(outcome.failures.is_empty() && complete && all_caught)
}

/// Compares a sample with a second process; gives back how many agree.
fn compare(args: &Args, outcome: &mut Outcome, progress: &mut Progress) -> Result<usize, String> {
    if !outcome.failures.is_empty() {
        return Ok(0);
    }
    let hashes = std::mem::take(&mut outcome.tally.hashes);
    progress.line(&format!("running {} sessions again in a second process", hashes.len()));
    outcome.failures = second::compare(args, &hashes)?;
    let agree = hashes.len() - outcome.failures.len();
    outcome.failures.truncate(args.failures);
    Ok(agree)
}

fn in_words(args: &Args, seeds: Seeds) -> String {
    let modes: Vec<&str> = args.modes.iter().map(|mode| mode_name(*mode)).collect();
    let end = if seeds.end == u64::MAX { String::new() } else { seeds.end.to_string() };
    format!("Seeds {}..{end} in {}", seeds.first, modes.join(" and "))
}
