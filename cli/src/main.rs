//! `rocketmq`: a demo, an embedded cluster, a sender that accounts for every message, routes, topics, queries, and
//! replays.
#![forbid(unsafe_code)]

mod admin;
mod args;
mod cluster;
mod demo;
mod dial;
mod exit_code;
mod identity;
mod interrupt;
mod name_servers;
mod process;
mod replay;
mod report;
mod route;
mod runtime;
mod send;
mod stats;
mod text;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version are no errors. If even this cannot be printed, nothing can.
            let _ = usage.print();
            let code = if usage.use_stderr() { exit_code::NOT_STARTED } else { exit_code::SUCCESS };
            return ExitCode::from(code);
        }
    };
    let done: Result<ExitCode, Box<dyn Error>> = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Cluster(args) => cluster::run(&args).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Send(args) => send::run(args).map_err(Into::into),
        Command::Route(args) => route::run(&args).map_err(Into::into),
        Command::Topic(command) => admin::topic::run(command).map_err(Into::into),
        Command::Query(command) => admin::query::run(command).map_err(Into::into),
        Command::Replay(args) => replay::run(&args).map_err(Into::into),
    };
    done.unwrap_or_else(|error| {
        eprintln!("rocketmq: {error}");
        ExitCode::from(exit_code::NOT_STARTED)
    })
}
