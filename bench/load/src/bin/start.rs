//! From nothing to the first stored message: how many connects and round trips, and how long.

use bench_load::counting::{Counted, Counting, Counts};
use bench_load::host::{self, Host, Kind, Program};
use bench_load::message::{GROUP, Maker};
use bench_load::report::line;
use bench_load::stopwatch::median;
use clap::Parser;
use rocketmq_driver::{Client, TopicName};
use serde::Serialize;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Starts clients one after another, each up to its first stored message, and prints one `START` line.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Name servers, host:port, several separated by ';'.
    #[arg(long)]
    name_server: String,
    /// Clients to start.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Topic.
    #[arg(long, default_value = "Bench")]
    topic: TopicName,
    /// Runtime of the clients.
    #[arg(long, value_enum, default_value = "tokio")]
    runtime: Kind,
}

#[derive(Debug, Serialize)]
struct Started {
    client: &'static str,
    variant: &'static str,
    times: u32,
    /// The most of any client.
    connects: u64,
    /// The most of any client.
    round_trips: u64,
    /// The most of any client.
    writes: u64,
    /// The most of any client.
    reads: u64,
    median_us: f64,
    least_us: f64,
    most_us: f64,
}

impl Program for &Flags {
    type Output = Result<Started, String>;

    async fn run<H: Host>(self, host: H) -> Self::Output {
        self.start_all(host).await.map_err(|error| error.to_string())
    }
}

impl Flags {
    async fn start_all<H: Host>(&self, host: H) -> Result<Started, Box<dyn Error>> {
        let (mut most, mut micros) = (Counted::default(), Vec::new());
        for _ in 0..self.times {
            let (counted, took) = self.start(&host).await?;
            most.connects = most.connects.max(counted.connects);
            most.round_trips = most.round_trips.max(counted.round_trips);
            most.writes = most.writes.max(counted.writes);
            most.reads = most.reads.max(counted.reads);
            micros.push(took.as_nanos() as f64 / 1_000.0);
        }
        Ok(Started {
            client: self.runtime.client(),
            variant: self.runtime.name(),
            times: self.times,
            connects: most.connects,
            round_trips: most.round_trips,
            writes: most.writes,
            reads: most.reads,
            median_us: median(&micros).unwrap_or(0.0),
            least_us: micros.iter().copied().fold(f64::INFINITY, f64::min),
            most_us: micros.iter().copied().fold(0.0, f64::max),
        })
    }

    async fn start<H: Host>(&self, host: &H) -> Result<(Counted, Duration), Box<dyn Error>> {
        let message = Maker::new(self.topic.clone(), 1_024).make(1);
        let counts = Arc::new(Counts::default());
        let start = Instant::now();
        let runtime = Counting::new(host.net(), counts.clone());
        let (client, driver) = Client::builder(self.name_server.as_str()).build_with(runtime)?;
        host.spawn(driver);
        let producer = client.producer(GROUP).open().await?;
        producer.send(message).await?;
        let found = (counts.now(), start.elapsed());
        client.shutdown(Duration::from_secs(1)).await;
        Ok(found)
    }
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match host::run(flags.runtime, &flags).map_err(|error| error.to_string()).and_then(|started| started) {
        Ok(started) => {
            println!("{}", line("START", &started));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("start: {error}");
            ExitCode::FAILURE
        }
    }
}
