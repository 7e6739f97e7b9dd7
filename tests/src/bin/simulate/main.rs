//! `simulate`: runs the client's core through many sessions in simulated worlds, checks the invariants in each, and
//! makes what fails small enough to be read.
#![forbid(unsafe_code)]

mod args;
mod cpu;
mod failure;
mod mutants;
mod progress;
mod second;
mod seeds;
mod single;
mod summary;
mod tally;
mod work;

use std::process::ExitCode;

use args::{Args, Task, Usage};

/// Something broke.
const BROKEN: u8 = 1;
/// It could not run as it was asked to.
const CANNOT: u8 = 2;

fn main() -> ExitCode {
    // Runs catch what panics in them, and tell it as a broken invariant.
    std::panic::set_hook(Box::new(|_| {}));
    let done = Args::read(std::env::args().skip(1)).map_err(|Usage(why)| why).and_then(|args| run(&args));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(why) => {
            eprintln!("simulate: {why}");
            ExitCode::from(CANNOT)
        }
    }
}

/// False: something broke.
fn run(args: &Args) -> Result<bool, String> {
    match args.task {
        Task::Help => print(args::HELP).map(|()| true),
        Task::Seeds(seeds) => seeds::run(args, seeds),
        Task::Seed(seed) => single::run(args, seed),
        Task::Mutants => mutants::run(args),
        Task::Hashes => second::answer(args).map(|()| true),
    }
}

/// Writes to standard output; who closed it early wants no more.
fn print(text: &str) -> Result<(), String> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}
