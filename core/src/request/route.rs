//! `GET_ROUTEINFO_BY_TOPIC` (105): where a topic lives.
//!
//! The answer has no ext fields; its body is a
//! [`TopicRouteData`](crate::body::route::TopicRouteData).

use alloc::borrow::Cow;

use super::header;

header! {
    /// Header of `GET_ROUTEINFO_BY_TOPIC` (105), sent to a name server or a proxy.
    #[doc(alias = "getTopicRouteInfoFromNameServer")]
    pub struct GetRouteInfoRequestHeader<'a> {
        /// The topic, with its namespace (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// Asks for strict JSON (`acceptStandardJsonOnly`). Servers from 4.9.4 on write it anyway
        /// for requests of version 401 or higher.
        pub accept_standard_json_only: Option<bool> = "acceptStandardJsonOnly",
    }
}
