//! The client as a load: sends messages to a sink or a cluster and prints one `RESULT` line.

use bench_load::host::{self, Kind};
use bench_load::load::{Plan, Record, Style};
use bench_load::report::{Asked, Report, line};
use bench_load::usage::peak_rss_kib;
use clap::Parser;
use rocketmq_driver::{SerializeType, TopicName};
use std::process::ExitCode;
use std::time::Duration;

/// Puts the client under load and prints what it cost.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Name servers, host:port, several separated by ';'.
    #[arg(long)]
    name_server: String,
    /// Sends under way at a time.
    #[arg(long, default_value_t = 256, value_parser = positive)]
    in_flight: usize,
    /// Bytes of a message's body; a broker refuses empty ones.
    #[arg(long, default_value_t = 1_024, value_parser = positive)]
    body: usize,
    /// Messages of the measured phase.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Messages before it. Default: 20 000, or four times as many as are under way.
    #[arg(long)]
    warm_up: Option<u64>,
    /// Messages offered each second, latency counted from when each was due. Default: as fast as `--in-flight` allows.
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// Form of the headers of requests.
    #[arg(long, value_enum, default_value = "json")]
    serialize: Serialize,
    /// Topic.
    #[arg(long, default_value = "Bench")]
    topic: TopicName,
    /// Milliseconds that a send may take in all.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..))]
    deadline_ms: u64,
    /// Runtime of the client.
    #[arg(long, value_enum, default_value = "tokio")]
    runtime: Kind,
    /// How the application sends.
    #[arg(long, value_enum, default_value = "tasks")]
    style: Style,
    #[cfg(feature = "record")]
    #[command(flatten)]
    recording: Recording,
}

#[cfg(feature = "record")]
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Recording {
    /// Record everything to this file.
    #[arg(long, value_name = "FILE")]
    record: Option<std::path::PathBuf>,
    /// Keep the newest so many bytes of a recording in memory.
    #[arg(long, value_name = "BYTES", value_parser = positive)]
    record_recent: Option<usize>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Serialize {
    Json,
    Rocketmq,
}

impl Serialize {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Rocketmq => "rocketmq",
        }
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must not be zero".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Ok(_) => Err("must be above zero".into()),
        Err(error) => Err(error.to_string()),
    }
}

impl Flags {
    #[cfg(feature = "record")]
    fn recording(&self) -> (Record, &'static str) {
        match &self.recording {
            Recording { record: Some(file), .. } => (Record::File(file.clone()), " record"),
            Recording { record_recent: Some(bytes), .. } => (Record::Recent(*bytes), " record-recent"),
            Recording { record: None, record_recent: None } => (Record::Off, ""),
        }
    }

    #[cfg(not(feature = "record"))]
    fn recording(&self) -> (Record, &'static str) {
        (Record::Off, "")
    }

    fn plan(&self) -> Plan {
        let least_warm_up = (self.in_flight as u64).saturating_mul(4).max(20_000);
        Plan {
            name_server: self.name_server.clone(),
            in_flight: self.in_flight,
            body: self.body,
            messages: self.messages,
            warm_up: self.warm_up.unwrap_or(least_warm_up),
            rate: self.rate,
            serialize: match self.serialize {
                Serialize::Json => SerializeType::Json,
                Serialize::Rocketmq => SerializeType::RocketMq,
            },
            topic: self.topic.clone(),
            deadline: Duration::from_millis(self.deadline_ms),
            style: self.style,
            recording: self.recording().0,
        }
    }

    fn asked(&self) -> Asked {
        Asked {
            client: self.runtime.client(),
            variant: format!("{} {}{}", self.runtime.name(), self.style.name(), self.recording().1),
            serialize: self.serialize.name(),
            in_flight: self.in_flight,
            body_bytes: self.body,
            rate: self.rate,
        }
    }
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    if flags.style == Style::Enqueue && flags.rate.is_some() {
        eprintln!("load: --rate needs many tasks: use --style tasks or --style one-way");
        return ExitCode::from(2);
    }
    let measured =
        host::run(flags.runtime, flags.plan()).map_err(|error| error.to_string()).and_then(|found| found);
    match measured {
        Ok(measured) => {
            println!("{}", line("RESULT", &Report::new(flags.asked(), measured, peak_rss_kib())));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_flags_are_those_that_every_load_program_has() {
        Flags::command().debug_assert();
        let text = "load --name-server 127.0.0.1:1 --in-flight 16 --body 100 --messages 50 --warm-up 7 --rate 2000 \
                    --serialize rocketmq --topic T --deadline-ms 10";
        let flags = Flags::try_parse_from(text.split_whitespace()).unwrap();
        let (plan, asked) = (flags.plan(), flags.asked());
        assert_eq!((plan.in_flight, plan.body, plan.messages, plan.warm_up), (16, 100, 50, 7));
        assert_eq!((plan.topic.as_str(), plan.deadline.as_millis()), ("T", 10));
        assert_eq!(
            (asked.serialize, asked.rate, asked.variant.as_str()),
            ("rocketmq", Some(2_000.0), "tokio tasks")
        );
    }

    #[test]
    fn wrong_values_are_refused() {
        for wrong in [
            "--in-flight 0",
            "--body 0",
            "--rate 0",
            "--rate inf",
            "--deadline-ms 0",
            "--topic a/b",
            "--runtime x",
        ] {
            let text = format!("load --name-server 127.0.0.1:1 {wrong}");
            assert!(Flags::try_parse_from(text.split_whitespace()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_warm_up_grows_with_what_is_under_way() {
        let of = |text: &str| Flags::try_parse_from(text.split_whitespace()).unwrap().plan().warm_up;
        assert_eq!(of("load --name-server a:1"), 20_000);
        assert_eq!(of("load --name-server a:1 --in-flight 10000"), 40_000);
    }
}
