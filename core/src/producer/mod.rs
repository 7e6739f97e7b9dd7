//! Floor 8: producers. What a send is, where it goes, when it is tried again, and what became of it.

mod attempt;
mod check;
mod close;
mod encode;
mod encode_end;
mod fates;
mod hooks;
mod inner;
mod judge;
#[cfg(test)]
mod judge_tests;
mod outcome;
mod producers;
mod retry;
#[cfg(test)]
mod retry_table_tests;
#[cfg(test)]
mod retry_tests;
mod room;
mod send;
mod trace;
mod trace_queue;
mod transaction;

pub use crate::interface::{
    Attempt, AttemptFailure, DEFAULT_MAX_MESSAGE_SIZE, MessageQueue, NoRoute, OpenError, Outcome,
    ProducerConfig, Resend, SendError, SendErrorKind, SendMode, SendReceipt, SendResult, SendStatus, Target,
    TraceConfig, Undelivered,
};
pub(crate) use producers::{Context, ProducerPurpose, Producers};
