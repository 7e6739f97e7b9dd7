//! The flags of `rocketmq topic` and `rocketmq query`.

use clap::{Args, Subcommand, ValueEnum};
use rocketmq_driver::{BrokerName, OffsetMessageId, TopicName};

use crate::args::AskArgs;

/// What to do with topics.
#[derive(Debug, Subcommand)]
pub(crate) enum TopicCommand {
    /// Create a topic, or change the one that there is.
    Create(CreateArgs),
    /// List all topics that a name server knows.
    List(ListArgs),
    /// Show the offsets of every message queue of a topic.
    Status(StatusArgs),
}

/// Flags of `rocketmq topic create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    /// The topic.
    #[arg(long, value_name = "T")]
    pub(crate) topic: TopicName,
    /// On all brokers of this cluster; without it and --broker, of the one cluster that there is.
    #[arg(long, value_name = "C", conflicts_with = "broker")]
    pub(crate) cluster: Option<String>,
    /// On this broker only.
    #[arg(long, value_name = "B")]
    pub(crate) broker: Option<BrokerName>,
    /// Message queues on each broker.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) queues: u32,
    /// What may be done with it.
    #[arg(long, value_enum, default_value = "rw")]
    pub(crate) permission: Permission,
    /// Name servers list its queues as an order topic's.
    #[arg(long)]
    pub(crate) order: bool,
    /// An attribute, such as message.type=FIFO; an empty value removes it. Brokers before 5.0 pass it over.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_attribute)]
    pub(crate) attribute: Vec<(String, Option<String>)>,
}

/// What may be done with a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Permission {
    /// Read and write.
    Rw,
    /// Read only.
    R,
    /// Write only.
    W,
}

/// Flags of `rocketmq topic list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// Flags of `rocketmq topic status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    /// The topic.
    #[arg(long, value_name = "T")]
    pub(crate) topic: TopicName,
}

/// How to find messages.
#[derive(Debug, Subcommand)]
pub(crate) enum QueryCommand {
    /// By the id that the broker gave: which broker, and where in its commit log.
    Id(IdArgs),
    /// By a key.
    Key(KeyArgs),
    /// By the unique id that the client gave.
    Uniq(UniqArgs),
}

/// Flags of `rocketmq query id`.
#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    /// The topic, where brokers check permissions.
    #[arg(long, value_name = "T")]
    pub(crate) topic: Option<TopicName>,
    /// The offset message id. The address in it is where the question goes.
    #[arg(value_name = "ID")]
    pub(crate) id: OffsetMessageId,
}

/// Flags of `rocketmq query key`.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    /// The topic.
    #[arg(long, value_name = "T")]
    pub(crate) topic: TopicName,
    /// The key.
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Most messages, the newest ones.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) count: u32,
    /// Stored then or later, in milliseconds since 1970.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) begin: i64,
    /// Stored then or earlier, in milliseconds since 1970.
    #[arg(long, value_name = "MS", default_value_t = i64::MAX, hide_default_value = true)]
    pub(crate) end: i64,
}

/// Flags of `rocketmq query uniq`.
#[derive(Debug, Args)]
pub(crate) struct UniqArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    /// The topic.
    #[arg(long, value_name = "T")]
    pub(crate) topic: TopicName,
    /// The unique id: Java's msgId.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

fn parse_attribute(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() {
        return Err("write NAME=VALUE".into());
    }
    Ok((name.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_set_and_removed() {
        let parsed = |text| parse_attribute(text);
        assert_eq!(parsed("message.type=FIFO"), Ok(("message.type".into(), Some("FIFO".into()))));
        assert_eq!(parsed("message.type="), Ok(("message.type".into(), None)));
        assert!(parsed("message.type").is_err() && parsed("=FIFO").is_err());
    }
}
