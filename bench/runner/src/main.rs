//! Runs all load programs beside a sink or a real broker, in rounds, and makes a results file, tables and plots of it.

mod chart;
mod contract;
mod core_figures;
mod load_program;
mod machine;
mod peers;
mod plan;
mod plots;
mod process;
mod results;
mod results_file;
mod rounds;
mod row;
mod run_cell;
mod setting;
mod statistics;
mod tables;
mod targets;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;

use crate::core_figures::IdleClients;
use crate::load_program::Folders;
use crate::plan::{Choice, Part, Plan};
use crate::results::Results;
use crate::results_file::{Facts, ResultsFile};
use crate::rounds::Rounds;
use crate::row::Row;
use crate::run_cell::Broker;
use crate::setting::Server;

const SECONDS: f64 = 2.0;
const SECONDS_QUICK: f64 = 0.5;

/// Measures the client beside floors, other clients, a sink and a real broker.
///
/// Prints tables in Markdown on standard output and its progress on standard error; writes every single run into
/// bench/results/DATE.tsv and draws plots beside it. Ends with 1 if a run had no figures.
#[derive(Debug, Parser)]
#[command(name = "bench/run", version, verbatim_doc_comment)]
struct Arguments {
    /// Fewer cells, shorter runs: under 5 minutes, builds included
    #[arg(long)]
    quick: bool,
    /// The other clients as well
    #[arg(long)]
    peers: bool,
    /// A real broker as well: needs Java 17 and Maven, and up to 5 GB in TMPDIR
    #[arg(long)]
    real: bool,
    /// Only this part of the plan; may be given several times
    #[arg(long, value_name = "NAME", value_enum)]
    only: Vec<Part>,
    /// Rounds of all parts, instead of 3 or 5
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Length of a measured phase, instead of 2 (quick: 0.5)
    #[arg(long, value_name = "S", value_parser = positive)]
    seconds: Option<f64>,
    /// Only say what would be run, and how long that takes
    #[arg(long)]
    list: bool,
    /// Only make tables and plots of an earlier results file
    #[arg(long, value_name = "FILE.tsv", conflicts_with_all = ["quick", "peers", "real", "only", "list"])]
    report: Option<PathBuf>,
    /// Where the built programs are
    #[arg(long, value_name = "DIR", hide = true, default_value = "programs")]
    programs: PathBuf,
    /// This folder's parent
    #[arg(long, value_name = "DIR", hide = true, default_value = "bench")]
    bench: PathBuf,
}

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench/run: {error:#}");
            ExitCode::from(2)
        }
    }
}

impl Arguments {
    fn run(&self) -> Result<ExitCode> {
        if let Some(path) = &self.report {
            let (facts, rows) = results_file::read(path)?;
            report(&Results { facts, rows }, path)?;
            return Ok(ExitCode::SUCCESS);
        }
        let plan = Plan::new(self.choice(), &self.only);
        ensure!(!plan.groups.is_empty() || plan.core, "nothing is to be run: --only real needs --real");
        eprintln!("{}", plan.text(self.list));
        if self.list {
            return Ok(ExitCode::SUCCESS);
        }
        let folder = self.bench.join("results");
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let path = results_file::free_path(&folder, &if self.quick { date + "-quick" } else { date });
        let begin = Instant::now();
        let facts = self.facts();
        let rows = self.measure(&plan, ResultsFile::create(&path, &facts)?)?;
        eprintln!("measured in {:.1} minutes", begin.elapsed().as_secs_f64() / 60.0);
        let whole = rows.iter().all(|row| row.trouble.is_none());
        report(&Results { facts, rows }, &path)?;
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn choice(&self) -> Choice {
        Choice {
            quick: self.quick,
            peers: self.peers,
            real: self.real,
            seconds: self.seconds.unwrap_or(if self.quick { SECONDS_QUICK } else { SECONDS }),
            rounds: self.rounds,
        }
    }

    fn facts(&self) -> Facts {
        let mut facts = vec![
            ("command".to_owned(), self.command_line()),
            ("begun".to_owned(), jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string()),
        ];
        facts.extend(machine::describe());
        facts
    }

    /// As somebody who wants the same has to type it.
    fn command_line(&self) -> String {
        let mut command = "bench/run".to_owned();
        let switches = [(self.quick, " --quick"), (self.peers, " --peers"), (self.real, " --real")];
        command.extend(switches.into_iter().filter(|switch| switch.0).map(|switch| switch.1));
        command.extend(self.only.iter().map(|part| format!(" --only {}", part.name())));
        command.extend(self.rounds.map(|rounds| format!(" --rounds {rounds}")));
        command.extend(self.seconds.map(|seconds| format!(" --seconds {seconds}")));
        command
    }

    fn measure(&self, plan: &Plan, file: ResultsFile) -> Result<Vec<Row>> {
        let folders = Folders { programs: self.programs.clone(), peers: self.bench.join("peers/target") };
        let mut rounds = Rounds::new(plan, &folders, file);
        if plan.core {
            // Alone on the machine: these are times of nanoseconds.
            eprintln!("the core alone, growth and start");
            for row in core_figures::measure(&folders, self.quick, &self.bench) {
                rounds.add(row)?;
            }
        }
        let idle = (plan.core && !self.quick).then(|| IdleClients::start(&folders));
        rounds.run_all(Server::Sink, None)?;
        if plan.rounds(Server::Broker) > 0 {
            eprintln!("starting a real name server and a real broker");
            let broker = Broker::start(&self.bench.join("../tests/real/servers"))?;
            rounds.run_all(Server::Broker, Some(&broker))?;
            broker.end()?;
        }
        for row in idle.into_iter().flat_map(IdleClients::rows) {
            rounds.add(row)?;
        }
        Ok(rounds.rows)
    }
}

fn report(results: &Results, path: &Path) -> Result<()> {
    print!("{}", tables::report(results));
    let plots = plots::draw_all(results, path)?;
    println!("\nAll runs: {}", path.display());
    for plot in plots {
        println!("Plot: {}", plot.display());
    }
    Ok(())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= 600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0, at most 600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_can_be_typed_again() {
        Arguments::command().debug_assert();
        let line = "bench/run --quick --peers --only one-cpu --only in-flight --rounds 2 --seconds 0.5";
        let arguments = Arguments::try_parse_from(line.split_whitespace()).unwrap();
        assert_eq!(arguments.command_line(), line);
        for wrong in ["--seconds 0", "--rounds 0", "--only nothing", "--report x.tsv --quick"] {
            let line = format!("bench/run {wrong}");
            assert!(Arguments::try_parse_from(line.split_whitespace()).is_err(), "{wrong}");
        }
    }
}
