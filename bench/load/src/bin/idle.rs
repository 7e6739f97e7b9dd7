//! What an idle client costs: it sends one message, then is left alone.

use bench_load::counting::{Counted, Counting, Counts, Polled};
use bench_load::host::{self, Host, Kind, Program};
use bench_load::message::{GROUP, Maker};
use bench_load::report::line;
use bench_load::usage::Usage;
use clap::Parser;
use rocketmq_driver::{Client, Runtime, TopicName};
use serde::Serialize;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sends one message, idles, and prints one `IDLE` line with what that cost.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Name servers, host:port, several separated by ';'.
    #[arg(long)]
    name_server: String,
    /// How long to idle.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Topic.
    #[arg(long, default_value = "Bench")]
    topic: TopicName,
    /// Runtime of the client.
    #[arg(long, value_enum, default_value = "tokio")]
    runtime: Kind,
}

#[derive(Debug, Serialize)]
struct Idle {
    client: &'static str,
    variant: &'static str,
    seconds: f64,
    /// Voluntary context switches of the whole process.
    wake_ups: u64,
    wake_ups_per_minute: f64,
    driver_polls: u64,
    driver_polls_per_minute: f64,
    cpu_seconds: f64,
    writes: u64,
    writes_per_minute: f64,
    written_bytes: u64,
    reads: u64,
    connects: u64,
    heartbeats: u64,
    route_queries: u64,
}

impl Program for &Flags {
    type Output = Result<Idle, String>;

    async fn run<H: Host>(self, host: H) -> Self::Output {
        self.idle(host).await.map_err(|error| error.to_string())
    }
}

impl Flags {
    async fn idle<H: Host>(&self, host: H) -> Result<Idle, Box<dyn Error>> {
        let counts = Arc::new(Counts::default());
        let runtime = Counting::new(host.net(), counts.clone());
        let (client, driver) = Client::builder(self.name_server.as_str()).build_with(runtime)?;
        host.spawn(Polled::new(driver, counts.clone()));
        let producer = client.producer(GROUP).open().await?;
        producer.send(Maker::new(self.topic.clone(), 1_024).make(1)).await?;
        let (usage, counted, counters) = (Usage::now()?, counts.now(), client.counters());
        let start = Instant::now();
        host.net().sleep_until(start + Duration::from_secs(self.seconds)).await;
        let seconds = start.elapsed().as_secs_f64();
        let (usage, counted, after) = (Usage::now()? - usage, counts.now() - counted, client.counters());
        client.shutdown(Duration::from_secs(1)).await;
        let per_minute = |count: u64| count as f64 * 60.0 / seconds;
        let Counted { polls, writes, written_bytes, reads, connects, .. } = counted;
        Ok(Idle {
            client: self.runtime.client(),
            variant: self.runtime.name(),
            seconds,
            wake_ups: usage.voluntary_switches,
            wake_ups_per_minute: per_minute(usage.voluntary_switches),
            driver_polls: polls,
            driver_polls_per_minute: per_minute(polls),
            cpu_seconds: usage.cpu().as_secs_f64(),
            writes,
            writes_per_minute: per_minute(writes),
            written_bytes,
            reads,
            connects,
            heartbeats: after.heartbeats - counters.heartbeats,
            route_queries: after.route_queries - counters.route_queries,
        })
    }
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match host::run(flags.runtime, &flags).map_err(|error| error.to_string()).and_then(|idle| idle) {
        Ok(idle) => {
            println!("{}", line("IDLE", &idle));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("idle: {error}");
            ExitCode::FAILURE
        }
    }
}
