//! What the sink can be told.

use clap::{Parser, ValueEnum};
use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// Name server and broker for load tests, in one thread.
///
/// Prints `READY HOST:PORT` first. Each line `stats` on standard input is answered with a line
/// `STATS {...}` that counts since the one before. Ends at the end of standard input.
#[derive(Clone, Debug, Parser)]
#[command(name = "sink", version)]
pub struct Options {
    /// Port of the first broker, which every port is a name server of as well; 0 picks free ones.
    /// Each broker also answers on its port minus 2, where clients with "VIP channel" go.
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Form of the answers' headers. A stock broker answers in JSON whatever it was asked in.
    #[arg(long, value_enum, default_value_t = AnswerForm::Json)]
    pub answers: AnswerForm,

    /// Queues of each topic on each broker.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=16_384))]
    pub queues: u16,

    /// Brokers of each topic, each on a port of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub brokers: u8,

    /// Topics that have a route: `any`, or names with commas between them.
    #[arg(long, default_value = "any")]
    pub topics: Topics,

    /// Microseconds that each answer to a send is held back.
    #[arg(long, default_value_t = 0)]
    pub delay_us: u64,

    /// Shuffle the answers to sends within windows of this many on each connection. A window that is
    /// not full after a millisecond is shuffled as it is.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub reorder: u32,

    /// Share of the sends, 0 to 1, that are refused with SYSTEM_BUSY and not stored.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub error_rate: f64,

    /// Seed of the shuffling and of the choice of refused sends.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Write the unique id of each message that was stored to this file, one per line.
    #[arg(long, value_name = "FILE")]
    pub store_ids: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self::parse_from(["sink"])
    }
}

/// How the headers of answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AnswerForm {
    /// JSON, as a stock broker does.
    Json,
    /// Binary, as a broker started with `rocketmq.serialize.type=ROCKETMQ` does.
    Rocketmq,
    /// As the request, as brokers of 4.9 do.
    Same,
}

/// The topics that have a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// All.
    Any,
    /// These, and `TBW102`, from which producers create others.
    Only(Vec<String>),
}

impl Topics {
    /// Whether `topic` has a route.
    pub fn contain(&self, topic: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => {
                topic == crate::route::DEFAULT_TOPIC || names.iter().any(|name| name.as_bytes() == topic)
            }
        }
    }
}

impl FromStr for Topics {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "any" => Self::Any,
            names => Self::Only(names.split(',').map(str::to_owned).collect()),
        })
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a number between 0 and 1".into()),
    }
}
