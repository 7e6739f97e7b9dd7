//! One seed: what it does, and whether it breaks anything.

use std::fmt::Write;

use rocketmq_sim::simulate::describe::describe;
use rocketmq_sim::simulate::session::{Care, Session, run as run_session, run_with_story};
use rocketmq_sim::world::plan::Mode;
use serde_json::json;

use crate::args::Args;
use crate::progress::Progress;
use crate::work::Failure;
use crate::{failure, print};

/// Runs it in each mode that was asked for; false when something broke.
pub(crate) fn run(args: &Args, seed: u64) -> Result<bool, String> {
    let mut well = true;
    for mode in &args.modes {
        well &= run_in(args, seed, *mode)?;
    }
    Ok(well)
}

fn run_in(args: &Args, seed: u64, mode: Mode) -> Result<bool, String> {
    let session = Session { mode, seed, only: args.faults.clone(), without: args.without, plain: args.plain };
    let plan = session.plan();
    let care = Care { repeated: true, replayed: true, mutant: args.mutant };
    let report = run_session(&plan, care);
    let broken = report.broken.as_ref();
    if args.json {
        let faults: Vec<&str> = plan.faults().iter().map(|kind| kind.name()).collect();
        let text = broken.map(ToString::to_string);
        print(&format!(
            "{:#}\n",
            json!({"session": session.to_string(), "hash": format!("{:016x}", report.hash), "sends": report.sends,
                "steps": plan.steps.len(), "faults": faults, "broken": text})
        ))?;
        return Ok(broken.is_none());
    }
    let mut text = String::new();
    if args.transcript {
        let _never_fails = writeln!(text, "{}", describe(&plan));
        text += &run_with_story(&plan, args.mutant).transcript;
    }
    let verdict = broken.map_or_else(|| "nothing broke".to_owned(), |broken| format!("BROKEN {broken}"));
    let _never_fails = writeln!(
        text,
        "{session}: {} steps, {} sends, hash {:016x}: {verdict}",
        plan.steps.len(),
        report.sends,
        report.hash
    );
    print(&text)?;
    let Some(broken) = report.broken else {
        return Ok(true);
    };
    if !args.transcript {
        let failure = Failure { session, broken };
        print(&failure::tell(&failure, args, &mut Progress::new(None)))?;
    }
    Ok(false)
}
