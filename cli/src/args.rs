//! The flags of every command.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use crate::admin::args::{QueryCommand, TopicCommand};
use crate::identity::IdentityArgs;
use crate::name_servers::NameServerArgs;
use clap::{Args, Parser, Subcommand, ValueEnum, builder::RangedU64ValueParser};
use rocketmq_driver::{Bodies, GroupName, LocalTransactionState, SerializeType, TopicName};
pub(crate) use values::parse_timeout;
use values::{parse_interval, parse_moment, parse_rate, parse_wait};

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
    /// Create topics, list them, and show how their queues stand.
    #[command(subcommand)]
    Topic(TopicCommand),
    /// Find stored messages.
    #[command(subcommand)]
    Query(QueryCommand),
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

/// Flags of commands that ask the servers something.
#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// Where the name servers are.
    #[command(flatten)]
    pub(crate) servers: NameServerArgs,
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    /// Milliseconds within which each question has its answer.
    #[arg(long, value_name = "MS", default_value = "6000", value_parser = parse_timeout)]
    pub(crate) timeout: Duration,
    /// The form of request headers.
    #[arg(long, value_enum, default_value = "json")]
    pub(crate) serialize: Serialize,
    /// The runtime that drives the client.
    #[arg(long, value_enum, default_value = "tokio")]
    pub(crate) runtime: RuntimeName,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
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
    /// Port of an HTTP server on 127.0.0.1 that tells the name server's address; 0 takes a free one. Without it there is
    /// no such server.
    #[arg(long, value_name = "P")]
    pub(crate) discovery_port: Option<u16>,
    /// Number of brokers.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=26))]
    pub(crate) brokers: usize,
}

/// Flags of `rocketmq route`.
#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    /// The name servers: the first that answers counts.
    #[command(flatten)]
    pub(crate) servers: NameServerArgs,
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
    /// The name servers.
    #[command(flatten)]
    pub(crate) servers: NameServerArgs,
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
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
    /// Send each message as a half message, and end its transaction like this once it is stored.
    ///
    /// unknown leaves it open: brokers ask about it later. random chooses one of the others for each message.
    #[arg(long, value_enum, value_name = "END", conflicts_with = "one_way")]
    pub(crate) transaction: Option<TransactionChoice>,
    /// What to answer when a broker asks about a message that was left open, or that another run of the group has sent.
    ///
    /// A message that this run decided to commit or to roll back keeps that decision.
    #[arg(long, value_enum, value_name = "ANSWER", default_value = "unknown", requires = "transaction")]
    pub(crate) on_check: OnCheck,
    /// Seconds to wait after the last message for brokers that ask.
    ///
    /// It ends earlier when brokers have acknowledged the end of every message of this run; with --count 0 it lasts as
    /// long as it says. Brokers ask every 30 s (5.x) or 60 s (4.x) by default.
    #[arg(long, value_name = "SECONDS", value_parser = parse_wait, requires = "transaction")]
    pub(crate) wait_checks: Option<Duration>,
    /// Message trace: a record of each message with a verdict goes to a topic of its own, where consoles look for it.
    ///
    /// What waits of the records is sent at the end, within the two seconds that the program takes to leave.
    #[arg(long)]
    pub(crate) trace: bool,
    /// The topic of the records of message trace.
    #[arg(long, value_name = "NAME", default_value = "RMQ_SYS_TRACE_TOPIC", requires = "trace")]
    pub(crate) trace_topic: TopicName,
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
    /// Send to the brokers' second port, two below the first, while a connection to it is well.
    #[arg(long)]
    pub(crate) vip_channel: bool,
    /// The runtime that drives the client.
    #[arg(long, value_enum, default_value = "tokio")]
    pub(crate) runtime: RuntimeName,
    /// Tell the state of the client on standard error every so many seconds, and after the last message.
    #[arg(long, value_name = "SECONDS", value_parser = parse_interval)]
    pub(crate) state_every: Option<Duration>,
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

/// How the transactions of messages end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransactionChoice {
    /// Messages become visible.
    Commit,
    /// Messages are thrown away.
    Rollback,
    /// Nothing is said.
    Unknown,
    /// One of these, each as likely.
    Random,
}

/// What a broker is told that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnCheck {
    /// The message becomes visible.
    Commit,
    /// The message is thrown away.
    Rollback,
    /// Nothing: it asks again later.
    Unknown,
}

impl From<OnCheck> for LocalTransactionState {
    fn from(answer: OnCheck) -> Self {
        match answer {
            OnCheck::Commit => Self::Commit,
            OnCheck::Rollback => Self::Rollback,
            OnCheck::Unknown => Self::Unknown,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_transactions_need_a_transaction() {
        let base = "rocketmq send --name-server a:1 --topic t --transaction random";
        for (more, good) in [
            ("", true),
            (" --on-check commit --wait-checks 0.5", true),
            (" --wait-checks -1", false),
            (" --wait-checks 86401", false),
            (" --one-way", false),
        ] {
            let line = format!("{base}{more}");
            assert_eq!(Cli::try_parse_from(line.split(' ')).is_ok(), good, "{line}");
        }
        let without = base.replace(" --transaction random", " --wait-checks 1");
        assert!(Cli::try_parse_from(without.split(' ')).is_err());
        assert!(Cli::try_parse_from(without.replace("wait-checks 1", "on-check commit").split(' ')).is_err());
    }

    #[test]
    fn a_topic_of_trace_needs_trace() {
        let base = "rocketmq send --name-server a:1 --topic t --trace-topic audit";
        assert!(Cli::try_parse_from(base.split(' ')).is_err());
        let with = format!("{base} --trace");
        let Command::Send(send) = Cli::try_parse_from(with.split(' ')).expect("accepted").command else {
            panic!("not the send command");
        };
        assert_eq!((send.trace, send.trace_topic.as_str()), (true, "audit"));
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
        assert_eq!((send.trace, send.trace_topic), (false, TopicName::trace_topic()));
        assert_eq!(send.servers.name_server.map(|list| list.len()), Some(2));
    }

    #[test]
    fn a_list_and_discovery_exclude_each_other() {
        let line = "rocketmq route --topic t --name-server a:1 --discovery jmenv";
        assert!(Cli::try_parse_from(line.split(' ')).is_err());
        let line = "rocketmq route --topic t --discovery https://jmenv/";
        assert!(Cli::try_parse_from(line.split(' ')).is_err());
    }
}
