//! What the command line asks for.

use clap::{Parser, ValueEnum};
use serde::Serialize;

/// Sends messages with the published rocketmq-client-rust and measures what that costs.
#[derive(Parser)]
pub(crate) struct Options {
    /// Address of the name server.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) name_server: String,
    /// Messages that wait for their answers at the same time: the number of tasks.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) in_flight: u32,
    /// Bytes of a body.
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=4 << 20))]
    pub(crate) body: u32,
    /// Measured messages.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) messages: u64,
    /// Messages sent before the measured ones.
    #[arg(long, value_name = "W", default_value_t = 20_000)]
    pub(crate) warm_up: u64,
    /// Messages per second; without it as fast as the number in flight allows.
    #[arg(long, value_name = "R", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Form of the headers of requests.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Serialization::Json)]
    pub(crate) serialize: Serialization,
    #[arg(long, value_name = "T", default_value = "Bench")]
    pub(crate) topic: String,
    /// Limit of one send in milliseconds.
    #[arg(long, value_name = "D", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    pub(crate) deadline_ms: u32,
}

#[derive(Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Serialization {
    Json,
    Rocketmq,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate < 1e9 => Ok(rate),
        _ => Err("it takes messages per second, more than 0".to_owned()),
    }
}
