//! A session that failed: made smaller, told, and written down.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rocketmq_sim::simulate::corpus::{self, Entry};
use rocketmq_sim::simulate::describe::describe;
use rocketmq_sim::simulate::session::{Care, run, run_with_story};
use rocketmq_sim::simulate::shrink::{Shrunk, shrink};

use crate::args::Args;
use crate::progress::Progress;
use crate::work::{Failure, care};

/// Lines of the story that are printed; the failure is at its end.
const MOST_LINES: usize = 400;

/// Makes the plan of a failure smaller and tells everything about it.
pub(crate) fn tell(failure: &Failure, args: &Args, progress: &mut Progress) -> String {
    let plan = failure.session.plan();
    let steps = plan.steps.len();
    let Shrunk { plan, broken, runs, done } = smaller(failure, args, progress);
    let mut text = String::new();
    let mut put = |line: std::fmt::Arguments<'_>| {
        let _never_fails = writeln!(text, "{line}");
    };
    put(format_args!("FAILED: {}", failure.session));
    put(format_args!("{}", failure.broken));
    if runs > 0 {
        let how = if done { "nothing more can be left out" } else { "stopped there, see --shrink-runs" };
        put(format_args!(
            "Shrunk in {runs} runs from {steps} to {} steps; {how}. It breaks like this:",
            plan.steps.len()
        ));
        put(format_args!("{broken}"));
    }
    put(format_args!("\nIts plan: {}", describe(&plan)));
    let told = run_with_story(&plan, args.mutant);
    let lines: Vec<&str> = told.transcript.lines().collect();
    let left_out = lines.len().saturating_sub(MOST_LINES);
    put(format_args!("Its transcript:"));
    if left_out > 0 {
        put(format_args!("({left_out} lines before)"));
    }
    lines.iter().skip(left_out).for_each(|line| put(format_args!("{line}")));
    put(format_args!("{}", again(failure, args)));
    text
}

fn smaller(failure: &Failure, args: &Args, progress: &mut Progress) -> Shrunk {
    if args.shrink_runs > 0 {
        progress.line(&format!("making {} smaller, with at most {} runs", failure.session, args.shrink_runs));
    }
    let care = match failure.session.without {
        Some(_) => Care { mutant: args.mutant, ..Care::default() },
        None => care(failure.session.seed, args),
    };
    shrink(failure.session.plan(), failure.broken.clone(), args.shrink_runs, &mut |plan| {
        run(plan, care).broken
    })
}

/// How to run it again.
fn again(failure: &Failure, args: &Args) -> String {
    let session = &failure.session;
    let mode = rocketmq_sim::simulate::session::mode_name(session.mode);
    let mut line = format!("Again: simulate --seed {} --mode {mode} --transcript", session.seed);
    if let Some(faults) = &session.only {
        let names: Vec<&str> = faults.iter().map(|kind| kind.name()).collect();
        line += &format!(" --faults {}", if names.is_empty() { "none".to_owned() } else { names.join(",") });
    }
    if let Some(kind) = session.without {
        line += &format!(" --without {}", kind.name());
    }
    if session.plain {
        line += " --plain";
    }
    if let Some(mutant) = args.mutant {
        line += &format!(" --mutant {}", mutant.name());
    }
    line
}

/// Appends a failure to the list that the tests replay; what is broken on purpose does not belong there. Gives back
/// what to tell about it.
pub(crate) fn write_down(failure: &Failure, args: &Args) -> String {
    if args.mutant.is_some() {
        return "Not added to the corpus: it was broken on purpose.".to_owned();
    }
    let file = args.corpus.clone().unwrap_or_else(usual_corpus);
    let why = failure.broken.to_string();
    let entry = Entry { session: failure.session.clone(), why: why.chars().take(120).collect() };
    match corpus::append(&file, &entry) {
        Ok(true) => format!("Added to {}.", file.display()),
        Ok(false) => format!("{} has it already.", file.display()),
        Err(error) => format!("Cannot be added to {}: {error}", file.display()),
    }
}

/// The list that belongs to the sources of this program.
fn usual_corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/seeds.txt")
}
