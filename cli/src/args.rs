//! The flags of every command.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::RangedU64ValueParser};
use rocketmq_driver::{Bodies, GroupName, NameServers, SerializeType, TopicName};

/// Largest body that `--size` makes: the largest frame any server reads.
const MAX_SIZE: u64 = 16 * 1024 * 1024;
/// Most messages that `send` keeps in flight: as many requests as one connection can tell apart.
const MAX_IN_FLIGHT: u64 = 65_536;
/// Longest deadline of a send, a day.
const MAX_TIMEOUT_MS: u64 = 86_400_000;

/// RocketMQ on the command line.
///
/// Exit codes: 0 success, 1 could not start, 2 started and did not fully succeed.
#[derive(Debug, Parser)]
#[command(name = "rocketmq", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the client at work on an embedded cluster that loses a broker; needs no server.
    Demo(DemoArgs),
    /// Serve a simulated cluster on loopback until interrupted.
    Cluster(ClusterArgs),
    /// Send messages and account for every one of them.
    Send(SendArgs),
    /// Show the route of a topic, as a name server knows it.
    Route(RouteArgs),
    /// Run a recording of a client again: check that it does the same, and tell what happened.
    Replay(ReplayArgs),
}

/// The async runtime that drives the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeName {
    /// tokio, on one thread.
    Tokio,
    /// smol, on one thread.
    Smol,
}

/// The form of the headers of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Serialize {
    /// Header as JSON, the default of every RocketMQ client.
    Json,
    /// RocketMQ's own compact header.
    Binary,
}

impl From<Serialize> for SerializeType {
    fn from(name: Serialize) -> Self {
        match name {
            Serialize::Json => Self::Json,
            Serialize::Binary => Self::RocketMq,
        }
    }
}

/// Flags of `rocketmq demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The runtime that drives the client.
    #[arg(long, value_enum, default_value = "tokio")]
    pub(crate) runtime: RuntimeName,
}

/// Flags of `rocketmq cluster`.
#[derive(Debug, Args)]
pub(crate) struct ClusterArgs {
    /// Port of the name server on 127.0.0.1; 0 takes a free one.
    ///
    /// The first line of the output is the address, and nothing else stands on it.
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub(crate) name_server_port: u16,
    /// Number of brokers.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=26))]
    pub(crate) brokers: usize,
}

/// Flags of `rocketmq route`.
#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    /// Name servers, host:port, several separated by ';': the first that answers counts.
    #[arg(long, value_name = "A[;B]")]
    pub(crate) name_server: NameServers,
    /// The topic.
    #[arg(long, value_name = "T")]
    pub(crate) topic: TopicName,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `rocketmq send`.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Name servers, host:port, several separated by ';'.
    #[arg(long, value_name = "A[;B]")]
    pub(crate) name_server: NameServers,
    /// The topic.
    #[arg(long, value_name = "T")]
    pub(crate) topic: TopicName,
    /// The producer group.
    #[arg(long, value_name = "G", default_value = "rocketmq-cli")]
    pub(crate) group: GroupName,
    /// Number of messages; with bodies from standard input at most so many lines are read.
    ///
    /// Without it: 1 message with --size or --body, else all lines.
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Bodies of so many bytes; without --size and --body each line of standard input, without
    /// its line end, is one body.
    #[arg(long, value_name = "BYTES", conflicts_with = "body", value_parser = RangedU64ValueParser::<usize>::new().range(0..=MAX_SIZE))]
    pub(crate) size: Option<usize>,
    /// The body of every message.
    #[arg(long, value_name = "TEXT")]
    pub(crate) body: Option<String>,
    /// Messages under way at any time.
    #[arg(long, value_name = "K", default_value_t = 256, value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_IN_FLIGHT))]
    pub(crate) in_flight: usize,
    /// Messages per second; latencies then count from the moment each message was due.
    #[arg(long, value_name = "R", value_parser = parse_rate)]
    pub(crate) rate: Option<f64>,
    /// Ask brokers for no answer: a message that was handed to a connection counts as may be stored.
    #[arg(long)]
    pub(crate) one_way: bool,
    /// Milliseconds within which each message has its verdict, all attempts included.
    ///
    /// At the start, also how long to look for a name server that accepts connections.
    #[arg(long, value_name = "MS", default_value = "3000", value_parser = parse_timeout)]
    pub(crate) timeout: Duration,
    /// Further attempts after one that may have reached a broker.
    #[arg(long, value_name = "R", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) retries: u32,
    /// The form of request headers.
    #[arg(long, value_enum, default_value = "json")]
    pub(crate) serialize: Serialize,
    /// The runtime that drives the client.
    #[arg(long, value_enum, default_value = "tokio")]
    pub(crate) runtime: RuntimeName,
    /// Message number i, from 0, carries the key P followed by i.
    #[arg(long, value_name = "P")]
    pub(crate) key_prefix: Option<String>,
    /// Write one line for each message, tab separated, to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    /// Record everything that happens to the client to this file, for `rocketmq replay`.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Whether the recording has the bodies of messages.
    #[arg(long, value_enum, default_value = "drop", requires = "record")]
    pub(crate) record_bodies: RecordBodies,
}

/// What becomes of bodies in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordBodies {
    /// They are recorded.
    Keep,
    /// Only their lengths are recorded.
    Drop,
    /// Their lengths and hashes are recorded.
    Hash,
}

impl From<RecordBodies> for Bodies {
    fn from(name: RecordBodies) -> Self {
        match name {
            RecordBodies::Keep => Self::Keep,
            RecordBodies::Drop => Self::LeaveOut,
            RecordBodies::Hash => Self::Hash,
        }
    }
}

/// Flags of `rocketmq replay`.
///
/// Exit codes: 0 the client did the same again, 1 the file is no recording or is damaged, 2 it did something else.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The recording.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Show what happened from T on: seconds since the start, or with a unit, 250ms.
    #[arg(long, value_name = "T", value_parser = parse_moment)]
    pub(crate) from: Option<Duration>,
    /// Show what happened until T.
    #[arg(long, value_name = "T", value_parser = parse_moment)]
    pub(crate) to: Option<Duration>,
    /// Print the story: who connected, what was asked and answered, which verdict and why.
    #[arg(long)]
    pub(crate) transcript: bool,
    /// Draw the story as a picture (SVG) into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) timeline: Option<PathBuf>,
}

/// Seconds, or a number with one of the units `s`, `ms`, `us`.
fn parse_moment(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1e3), ("us", 1e6), ("s", 1.0), ("", 1.0)];
    let parts = units.iter().find_map(|(unit, in_a_second)| Some((text.strip_suffix(unit)?, in_a_second)));
    let (number, in_a_second) = parts.unwrap_or((text, &1.0));
    let seconds = number.trim().parse::<f64>().map_err(|error| error.to_string())? / in_a_second;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=10_000_000.0).contains(&rate) => Ok(rate),
        Ok(_) => Err("must be from 0.001 to 10000000 messages per second".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(ms @ 1..=MAX_TIMEOUT_MS) => Ok(Duration::from_millis(ms)),
        Ok(_) => Err(format!("must be from 1 to {MAX_TIMEOUT_MS} milliseconds")),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert!(parse_rate("0").is_err());
        assert!(parse_rate("NaN").is_err());
        assert!(parse_rate("inf").is_err());
        assert_eq!(parse_rate("0.5"), Ok(0.5));
        assert!(parse_timeout("0").is_err());
        assert!(parse_timeout("86400001").is_err());
        assert_eq!(parse_timeout("3000"), Ok(Duration::from_secs(3)));
    }

    #[test]
    fn moments_are_seconds_unless_they_say_otherwise() {
        assert_eq!(parse_moment("1.5"), Ok(Duration::from_millis(1_500)));
        assert_eq!(parse_moment("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse_moment("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_moment("7 us"), Ok(Duration::from_micros(7)));
        assert!(parse_moment("-1").is_err());
        assert!(parse_moment("soon").is_err());
        assert!(parse_moment("1e300").is_err());
    }

    #[test]
    fn the_documented_defaults_hold() {
        let line = "rocketmq send --name-server a:1;b:2 --topic t";
        let cli = Cli::try_parse_from(line.split(' ')).expect("accepted");
        let Command::Send(send) = cli.command else {
            panic!("not the send command");
        };
        assert_eq!((send.in_flight, send.retries), (256, 2));
        assert_eq!(send.timeout, Duration::from_secs(3));
        assert_eq!(send.serialize, Serialize::Json);
        assert_eq!(send.runtime, RuntimeName::Tokio);
        assert_eq!(send.name_server.len(), 2);
    }
}
