//! `sink`: see `--help`.

use bench_sink::{Options, Server};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sink: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> std::io::Result<()> {
    let server = Server::bind(options)?;
    let mut reports = std::io::stdout();
    writeln!(reports, "READY {}", server.address())?;
    reports.flush()?;
    server.run(std::io::stdin(), reports)
}
