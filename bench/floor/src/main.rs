//! Floors: what a sender costs that does nothing but what cannot be left out. See `--help`.

mod codec;
mod decode;
mod decode_json;
mod encode;
mod encode_binary;
mod encode_json;
mod latency;
mod options;
mod raw;
mod report;
mod sender;
mod unique_id;
mod usage;

use clap::Parser;
use options::{Command, Options};
use std::alloc::System;
use std::process::ExitCode;

/// Counts allocations, so that a report can show that there are none for a message.
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let result = match Options::parse().command {
        Command::Raw(options) => raw::run(&options),
        Command::Codec(options) => codec::run(&options),
        Command::PingPong(options) => codec::ping_pong(&options),
    };
    match result {
        Ok(report) => {
            println!("RESULT {report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}
