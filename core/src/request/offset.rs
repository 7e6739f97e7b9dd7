//! Questions about one message queue: `SEARCH_OFFSET_BY_TIMESTAMP` (29), `GET_MAX_OFFSET` (30), `GET_MIN_OFFSET` (31)
//! and `GET_EARLIEST_MSG_STORETIME` (32).
//!
//! Brokers answer success with offset 0, or with the time −1, for topics and queues that they do not have.

use alloc::borrow::Cow;

use super::{FieldError, ReadField, header};
use crate::wire::ExtFields;

header! {
    /// Header of `SEARCH_OFFSET_BY_TIMESTAMP` (29). The answer has the field `offset`: [`read_offset`].
    #[doc(alias = "searchOffset")]
    pub struct SearchOffsetRequestHeader<'a> {
        /// The topic, with its namespace (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// The message queue (`queueId`).
        pub queue_id: i32 = "queueId",
        /// Milliseconds since the Unix epoch (`timestamp`).
        pub timestamp: i64 = "timestamp",
        /// `LOWER` or `UPPER` (`boundaryType`). From 5.1.4 on; older brokers pass it over and search the lower one.
        pub boundary_type: Option<Cow<'a, str>> = "boundaryType",
        /// The broker that is meant (`bname`); a proxy needs it.
        pub broker_name: Option<Cow<'a, str>> = "bname",
    }
}

header! {
    /// Header of `GET_MAX_OFFSET` (30). The answer has the field `offset`: [`read_offset`].
    #[doc(alias = "maxOffset")]
    pub struct GetMaxOffsetRequestHeader<'a> {
        /// The topic, with its namespace (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// The message queue (`queueId`).
        pub queue_id: i32 = "queueId",
        /// Whether only what consumers can see counts (`committed`); brokers take an absent one for true.
        pub committed: Option<bool> = "committed",
        /// The broker that is meant (`bname`); a proxy needs it.
        pub broker_name: Option<Cow<'a, str>> = "bname",
    }
}

header! {
    /// Header of `GET_MIN_OFFSET` (31), whose answer has the field `offset` ([`read_offset`]), and of
    /// `GET_EARLIEST_MSG_STORETIME` (32), whose answer has the field `timestamp` ([`read_timestamp`]).
    #[doc(alias = "minOffset")]
    #[doc(alias = "earliestMsgStoreTime")]
    pub struct QueueRequestHeader<'a> {
        /// The topic, with its namespace (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// The message queue (`queueId`).
        pub queue_id: i32 = "queueId",
        /// The broker that is meant (`bname`); a proxy needs it.
        pub broker_name: Option<Cow<'a, str>> = "bname",
    }
}

/// The field `offset` of the answers to 29, 30 and 31.
///
/// # Errors
/// The field is missing, or is no number.
pub fn read_offset(ext: &ExtFields<'_>) -> Result<i64, FieldError> {
    read_number(ext, "offset")
}

/// The field `timestamp` of the answer to 32: milliseconds since the Unix epoch, and −1 for a queue without messages.
///
/// # Errors
/// The field is missing, or is no number.
pub fn read_timestamp(ext: &ExtFields<'_>) -> Result<i64, FieldError> {
    read_number(ext, "timestamp")
}

pub(super) fn read_number(ext: &ExtFields<'_>, name: &'static str) -> Result<i64, FieldError> {
    match ext.get(name) {
        Some(text) if !text.is_empty() => i64::read_field(name, text),
        _ => i64::absent(name),
    }
}
