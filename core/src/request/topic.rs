//! `UPDATE_AND_CREATE_TOPIC` (17): creates or changes a topic on one broker.
//!
//! The answer has no fields, and a success often has the remark `not set any response code`.

use alloc::borrow::Cow;

use super::header;

header! {
    /// Header of `UPDATE_AND_CREATE_TOPIC` (17), sent to the master of each broker that is to have the topic.
    #[doc(alias = "createTopic")]
    pub struct CreateTopicRequestHeader<'a> {
        /// The topic, with its namespace (`topic`).
        pub topic: Cow<'a, str> = "topic",
        /// The topic that it is made after (`defaultTopic`); brokers do not look at it, and refuse a
        /// request without it.
        pub default_topic: Cow<'a, str> = "defaultTopic",
        /// Queues to read from (`readQueueNums`).
        pub read_queue_nums: i32 = "readQueueNums",
        /// Queues to write to (`writeQueueNums`).
        pub write_queue_nums: i32 = "writeQueueNums",
        /// Permission bits (`perm`): 4 read, 2 write, 1 inherit.
        pub perm: i32 = "perm",
        /// `SINGLE_TAG` or `MULTI_TAG` (`topicFilterType`).
        pub topic_filter_type: Cow<'a, str> = "topicFilterType",
        /// Unit bits (`topicSysFlag`).
        pub topic_sys_flag: Option<i32> = "topicSysFlag",
        /// Whether name servers list its queues as an order topic's (`order`).
        pub order: bool = "order",
        /// `+name=value` sets an attribute, `-name` removes it; separated by commas (`attributes`). From 5.0 on.
        pub attributes: Option<Cow<'a, str>> = "attributes",
    }
}
