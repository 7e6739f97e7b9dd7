//! Errors of the handles that the core does not know.

use rocketmq_core::interface::ConfigError;
use std::fmt::Display;

/// Why a flush did not end with a verdict for every send.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// So many sends had no verdict in time. They go on; flush again, or wait for their receipts.
    #[error("{0} sends have no verdict yet")]
    Pending(usize),
    /// The task that drives the client has ended: there will be no more verdicts.
    #[error("the task that drives the client has ended")]
    DriverGone,
}

/// Why a producer could not be opened.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The client refused. The reason tells what to change.
    #[error(transparent)]
    Refused(#[from] rocketmq_core::interface::OpenError),
    /// The task that drives the client has ended. Build a new client.
    #[error("the task that drives the client has ended")]
    DriverGone,
}

/// A text that could not be turned into what a setting needs.
pub(crate) fn wrong(field: &'static str, reason: impl Display) -> ConfigError {
    ConfigError { field, reason: reason.to_string() }
}
