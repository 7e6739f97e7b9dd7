//! `scenario NAME ROUNDS`: does so many rounds of a scenario and prints how many allocations they cost. The gate
//! runs it under callgrind.

use std::process::ExitCode;

use bench_instructions::probe::Probe;
use bench_instructions::scenarios::ALL;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, rounds] = &arguments[..] else {
        return usage();
    };
    let (Some(scenario), Ok(rounds)) = (ALL.iter().find(|scenario| scenario.name == name), rounds.parse())
    else {
        return usage();
    };
    let mut probe = Probe::default();
    (scenario.run)(&mut probe, rounds);
    println!("{}", probe.allocations());
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: scenario NAME ROUNDS");
    ExitCode::from(2)
}
