//! The gate: counts, compares with the baseline, says so. `run` beside this package builds and starts it.

mod baseline;
mod callgrind;
mod profile;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use bench_instructions::scenarios::{ALL, Scenario};
use clap::Parser;

use baseline::Baseline;
use callgrind::{Callgrind, Error};
use table::{Row, Verdict};

/// Counts instructions and allocations of the core and holds them against the committed baseline.
///
/// Ends with 0 when nothing is worse, 1 when a scenario needs more than 1 % more instructions or another number
/// of allocations than the baseline says, 2 when it could not count.
#[derive(Parser)]
#[command(name = "bench/instructions/run")]
struct Arguments {
    /// Writes what was counted into the baseline.
    #[arg(long, conflicts_with = "profile")]
    bless: bool,
    /// Only this scenario; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Shows where the instructions of one scenario go instead.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The committed figures.
    #[arg(long, value_name = "FILE", hide = true)]
    baseline: PathBuf,
    /// The compiler that built this.
    #[arg(long, value_name = "TEXT", hide = true)]
    compiler: String,
}

fn main() -> ExitCode {
    match work(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench/instructions/run: {error}");
            ExitCode::from(2)
        }
    }
}

fn work(arguments: &Arguments) -> Result<ExitCode, Error> {
    let callgrind = Callgrind::find()?;
    if let Some(name) = &arguments.profile {
        print!("{}", profile::text(&callgrind, named(name)?)?);
        return Ok(ExitCode::SUCCESS);
    }
    let wanted: Vec<&Scenario> = match &arguments.only[..] {
        [] => ALL.iter().collect(),
        names => names.iter().map(|name| named(name)).collect::<Result<_, _>>()?,
    };
    let mut baseline = Baseline::read(&arguments.baseline)?;
    let tools = callgrind.tools(&arguments.compiler)?;
    let mut rows = Vec::new();
    for scenario in wanted {
        let now = callgrind.cost(scenario)?;
        let row = Row { scenario, was: baseline.get(scenario.name).cloned(), now };
        println!(
            "{}",
            if rows.is_empty() { table::HEADER.to_owned() + "\n" + &row.text() } else { row.text() }
        );
        rows.push(row);
    }
    if arguments.bless {
        for row in &rows {
            baseline.set(row.scenario.name, row.now.clone());
        }
        baseline.write(&arguments.baseline, &tools)?;
        println!("\nThe baseline is written. Commit it together with what changed the figures.");
        return Ok(ExitCode::SUCCESS);
    }
    println!("\n{}", conclusion(&rows, &baseline, &tools));
    let is_fine = rows.iter().all(|row| row.verdict().is_fine());
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn named(name: &str) -> Result<&'static Scenario, Error> {
    ALL.iter().find(|scenario| scenario.name == name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
        Error::new(format!("there is no scenario {name}, only {}", names.join(", ")))
    })
}

/// What to do now.
fn conclusion(rows: &[Row<'_>], baseline: &Baseline, tools: &str) -> String {
    let mut text = String::new();
    let fails = rows.iter().filter(|row| !row.verdict().is_fine()).count();
    if fails > 0 {
        text += &format!(
            "{fails} of {} scenarios fail: make them as cheap as before (--profile NAME shows where the instructions \
             go), or, if the price is worth it, run with --bless and commit the baseline with the change.\n",
            rows.len()
        );
    } else {
        text += "Nothing is worse than the baseline.\n";
    }
    if rows.iter().any(|row| row.verdict() == Verdict::Better) {
        text += "Something is better: run with --bless and commit the baseline, so that it stays so.\n";
    }
    if !baseline.tools().is_empty() && baseline.tools() != tools {
        text += &format!(
            "The baseline was made with other tools, and some difference may come from them.\n  then: {}\n  now:  {tools}\n",
            baseline.tools()
        );
    }
    text
}
