//! `HEART_BEAT` (34) and `UNREGISTER_CLIENT` (35).
//!
//! A heartbeat has no ext fields: use [`NoFields`](crate::wire::NoFields) and the body of
//! [`body::heartbeat`](crate::body::heartbeat).

use alloc::borrow::Cow;

use super::header;

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
