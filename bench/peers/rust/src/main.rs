//! Sends messages with the published rocketmq-client-rust and prints what that cost, as one line that begins with
//! `RESULT`.
#![recursion_limit = "256"] // the futures of the client nest that deep

mod client;
mod figures;
mod options;
mod phase;
mod report;
mod sends;

use clap::Parser;
use client::Client;
use figures::Figures;
use options::Options;
use phase::Phase;
use report::Report;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

#[cfg(feature = "allocations")]
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    // Ends with status 2 if the arguments are wrong.
    let options = Options::parse();
    match run(&options) {
        Ok(report) => {
            println!("RESULT {report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the load could not run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<String, Box<dyn Error>> {
    let client = Client::new(options)?;
    let report = client.block_on(async {
        let producer = Arc::new(client.start_producer(options).await?);
        let warmed_up = sends::warm_up(&producer, options).await;
        let report = match warmed_up {
            Ok(()) => measure(&producer, options).await,
            Err(error) => Err(error),
        };
        // Each task has given its share back by now, so this is the last one.
        if let Some(mut producer) = Arc::into_inner(producer) {
            producer.shutdown().await;
        }
        report
    })?;
    client.shut_down();
    Ok(serde_json::to_string(&report)?)
}

async fn measure(
    producer: &Arc<rocketmq_client_rust::DefaultMQProducer>,
    options: &Options,
) -> Result<Report, Box<dyn Error>> {
    let before = Figures::before()?;
    let phase = Phase::new(options.warm_up, options.messages, options.rate)?;
    let phase = sends::send(producer, options, phase).await?;
    let after = Figures::after()?;
    Report::new(options, &phase, &before, &after)
}
