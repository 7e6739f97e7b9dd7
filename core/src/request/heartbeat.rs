//! `HEART_BEAT` (34) and `UNREGISTER_CLIENT` (35).
//!
//! A heartbeat has no ext fields: use [`NoFields`](crate::wire::NoFields) and the body of
//! [`body::heartbeat`](crate::body::heartbeat).

use alloc::borrow::Cow;

use super::header;
use crate::wire::ExtFields;

header! {
    /// Header of `UNREGISTER_CLIENT` (35): takes one group of a client off a broker. The answer
    /// has no fields.
    ///
    /// A broker also forgets the way to the client itself, for replies, whichever of the client's
    /// groups leaves.
    #[doc(alias = "unregisterClient")]
    pub struct UnregisterClientRequestHeader<'a> {
        /// The id the client's heartbeats carry (`clientID`).
        pub client_id: Cow<'a, str> = "clientID",
        /// The producer group that leaves (`producerGroup`).
        pub producer_group: Option<Cow<'a, str>> = "producerGroup",
        /// The consumer group that leaves (`consumerGroup`).
        pub consumer_group: Option<Cow<'a, str>> = "consumerGroup",
    }
}

/// What the answer to `HEART_BEAT` (34) says about heartbeats of version 2. Brokers before 5.1.3 and proxies say nothing:
/// they know version 1 only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "HeartbeatV2Result")]
pub struct HeartbeatAnswer {
    /// The broker knows version 2 (`IS_SUPPORT_HEART_BEAT_V2`).
    pub supports_v2: bool,
    /// The broker wants to hear everything again (`IS_SUB_CHANGE`). To version 1 it always says so.
    pub sub_change: bool,
}

impl HeartbeatAnswer {
    /// Reads the ext fields of an answer with code 0.
    #[must_use]
    pub fn read(ext: &ExtFields<'_>) -> Self {
        let is_true = |name| ext.get(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        Self { supports_v2: is_true("IS_SUPPORT_HEART_BEAT_V2"), sub_change: is_true("IS_SUB_CHANGE") }
    }
}
