//! What servers ask clients: `GET_CONSUMER_STATUS_FROM_CLIENT` (221), `GET_CONSUMER_RUNNING_INFO` (307),
//! `CONSUME_MESSAGE_DIRECTLY` (309) and `PUSH_REPLY_MESSAGE_TO_CLIENT` (326). Administrative tools ask through a broker, whose
//! requests keep the tool's other fields: what is not listed is passed over.

use alloc::borrow::Cow;

use super::header;

header! {
    /// Header of `GET_CONSUMER_STATUS_FROM_CLIENT` (221): which offsets a consumer has.
    pub struct GetConsumerStatusRequestHeader<'a> {
        /// The topic (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// The consumer group (`group`).
        pub group: Cow<'a, str> = "group",
    }
}

header! {
    /// Header of `GET_CONSUMER_RUNNING_INFO` (307): how a consumer fares.
    pub struct GetConsumerRunningInfoRequestHeader<'a> {
        /// The consumer group (`consumerGroup`).
        pub consumer_group: Cow<'a, str> = "consumerGroup",
        /// The id of the client that is meant (`clientId`).
        pub client_id: Cow<'a, str> = "clientId",
    }
}

header! {
    /// Header of `CONSUME_MESSAGE_DIRECTLY` (309): a consumer is to take the message in the body, now.
    pub struct ConsumeMessageDirectlyRequestHeader<'a> {
        /// The consumer group (`consumerGroup`).
        pub consumer_group: Cow<'a, str> = "consumerGroup",
        /// The id of the client that is meant (`clientId`).
        pub client_id: Option<Cow<'a, str>> = "clientId",
    }
}

header! {
    /// Header of `PUSH_REPLY_MESSAGE_TO_CLIENT` (326): the answer to a request that was sent as a message. Its body is that of
    /// the reply.
    pub struct ReplyMessageRequestHeader<'a> {
        /// The group of the one who replies (`producerGroup`).
        pub producer_group: Cow<'a, str> = "producerGroup",
        /// The topic of the reply (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// System flag of the reply (`sysFlag`): whether its body is compressed.
        pub sys_flag: i32 = "sysFlag",
        /// When the reply was made, in milliseconds since the Unix epoch (`bornTimestamp`).
        pub born_timestamp: i64 = "bornTimestamp",
        /// When the broker took it, in milliseconds since the Unix epoch (`storeTimestamp`).
        pub store_timestamp: i64 = "storeTimestamp",
        /// Who made the reply, `ip:port` (`bornHost`).
        pub born_host: Cow<'a, str> = "bornHost",
        /// Which broker took it, `ip:port` (`storeHost`).
        pub store_host: Cow<'a, str> = "storeHost",
        /// The properties of the reply (`properties`); the request to which it belongs is in `CORRELATION_ID`.
        pub properties: Option<Cow<'a, str>> = "properties",
    }
}
