//! What the floors can be told.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::time::Duration;

/// Requests of one write at most, if not told otherwise: about 90 KiB of 1 KiB messages, from where larger
/// writes gain nothing.
const USUAL_BATCH: usize = 64;

/// What a sender costs that does only what cannot be left out: one thread, blocking calls, no allocation.
///
/// Prints one line `RESULT {...}`.
#[derive(Debug, Parser)]
#[command(name = "floor", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Frames of the usual sizes over loopback to a thread that answers: nothing is encoded or decoded.
    /// CPU time is that of the sending thread alone.
    Raw(RawOptions),
    /// Sends encoded and answers decoded, to a sink or broker.
    Codec(CodecOptions),
    /// As `codec` with one message in flight. Run it on the same CPU as the sink (`taskset -c 0`), or the
    /// time it takes to wake another CPU is all that is seen.
    PingPong(PingPongOptions),
}

#[derive(Debug, Args)]
pub(crate) struct RawOptions {
    #[command(flatten)]
    pub(crate) load: Load,
    #[command(flatten)]
    pub(crate) window: Window,
}

#[derive(Debug, Args)]
pub(crate) struct CodecOptions {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) load: Load,
    #[command(flatten)]
    pub(crate) window: Window,
}

#[derive(Debug, Args)]
pub(crate) struct PingPongOptions {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) load: Load,
}

/// Where the messages go.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Address of the broker; no name server is asked.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) to: SocketAddr,
    /// Queues of the topic, used in turn.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) queues: u16,
    /// The broker's name, part of each request.
    #[arg(long, default_value = "broker-a", value_parser = name)]
    pub(crate) broker_name: String,
}

/// What is sent.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Bytes of each message's body.
    #[arg(long, default_value_t = 1024, value_parser = at_least_one)]
    pub(crate) body: usize,
    /// Messages of the measured phase.
    #[arg(long, default_value_t = 1_000_000, value_parser = at_least_one)]
    pub(crate) messages: usize,
    /// Messages before the measured phase; a tenth of it if not given.
    #[arg(long)]
    pub(crate) warm_up: Option<usize>,
    /// Form of the requests' headers; that of the answers is the receiver's choice.
    #[arg(long, value_enum, default_value_t = Serialize::Json)]
    pub(crate) serialize: Serialize,
    /// The topic.
    #[arg(long, default_value = "Bench", value_parser = name)]
    pub(crate) topic: String,
    /// Milliseconds without any answer after which the run is given up.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) deadline_ms: u64,
}

impl Load {
    pub(crate) fn warm_up(&self) -> usize {
        self.warm_up.unwrap_or(self.messages / 10)
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

/// How many messages are under way.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Window {
    /// Messages without an answer at most.
    #[arg(long, default_value_t = 256, value_parser = at_least_one)]
    pub(crate) in_flight: usize,
    /// Messages of one write; 64, or all in flight if these are fewer, if not given.
    #[arg(long, value_parser = at_least_one)]
    pub(crate) batch: Option<usize>,
    /// Messages per second, each with an intended start from which its latency counts. Without it, as
    /// many as the number in flight allows.
    #[arg(long, value_parser = positive)]
    pub(crate) rate: Option<f64>,
}

impl Window {
    /// One message at a time.
    pub(crate) const ONE: Self = Self { in_flight: 1, batch: Some(1), rate: None };

    pub(crate) fn batch(&self) -> usize {
        self.batch.unwrap_or(USUAL_BATCH).min(self.in_flight)
    }
}

/// How headers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Serialize {
    /// JSON.
    Json,
    /// Binary.
    Rocketmq,
}

impl Serialize {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Rocketmq => "rocketmq",
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=1 << 30).contains(&number) => Ok(number),
        _ => Err("give a whole number from 1 to 1073741824".into()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate <= 1e9 => Ok(rate),
        _ => Err("give a number above 0".into()),
    }
}

/// Names go into headers as they are, so they must need no escapes.
fn name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'%');
    if text.bytes().all(is_plain) && (1..=127).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 127 letters, digits, -, _ or %".into())
    }
}
