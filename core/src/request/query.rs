//! Stored messages by key and by place: `QUERY_MESSAGE` (12) and `VIEW_MESSAGE_BY_ID` (33).
//!
//! The body of a successful answer is one or more stored messages back to back: read them with
//! [`MessageExt::read`](crate::message::MessageExt::read).

use alloc::borrow::Cow;

use super::offset::read_number;
use super::{FieldError, header};
use crate::wire::ExtFields;

header! {
    /// Header of `QUERY_MESSAGE` (12). Without a message the broker answers 22 (`QUERY_NOT_FOUND`).
    ///
    /// The index that brokers keep is made of hashes: messages with another key may be among those that come.
    #[doc(alias = "queryMessage")]
    pub struct QueryMessageRequestHeader<'a> {
        /// The topic, with its namespace (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// The key, or the unique key (`key`).
        pub key: Cow<'a, str> = "key",
        /// Most messages that are wanted (`maxNum`). For a unique key brokers take 32 instead.
        pub max_num: i32 = "maxNum",
        /// Messages stored from then on, in milliseconds since the Unix epoch (`beginTimestamp`).
        pub begin_timestamp: i64 = "beginTimestamp",
        /// Messages stored until then, in milliseconds since the Unix epoch (`endTimestamp`).
        pub end_timestamp: i64 = "endTimestamp",
        /// `K` for keys, `U` for unique keys (`indexType`). From 5.4 on; older brokers pass it over.
        pub index_type: Option<Cow<'a, str>> = "indexType",
        /// Whether `key` is a unique key (`_UNIQUE_KEY_QUERY`).
        pub unique_key_query: Option<bool> = "_UNIQUE_KEY_QUERY",
    }
}

header! {
    /// Header of `VIEW_MESSAGE_BY_ID` (33). Where no message begins the broker answers 1 (`SYSTEM_ERROR`).
    #[doc(alias = "viewMessage")]
    pub struct ViewMessageRequestHeader<'a> {
        /// The topic (`topic`); brokers of 5.x check the permission of the caller with it.
        pub topic: Option<Cow<'a, str>> = "topic",
        /// Where the message begins in the commit log, in bytes (`offset`).
        pub offset: i64 = "offset",
    }
}

/// The field `indexLastUpdateTimestamp` of the answer to 12: when the broker's index was last written, in
/// milliseconds since the Unix epoch.
///
/// # Errors
/// The field is missing, or is no number.
pub fn read_index_last_update(ext: &ExtFields<'_>) -> Result<i64, FieldError> {
    read_number(ext, "indexLastUpdateTimestamp")
}
