//! `END_TRANSACTION` (37) and `CHECK_TRANSACTION_STATE` (39).

use alloc::borrow::Cow;

use super::header;

/// `commitOrRollback`: the half message becomes visible.
pub const COMMIT_TYPE: i32 = 8;
/// `commitOrRollback`: the half message is thrown away.
pub const ROLLBACK_TYPE: i32 = 12;

header! {
    /// Header of `END_TRANSACTION` (37): ends a half message. The answer has no fields, and the request no body.
    ///
    /// Brokers do not know it again: each commit that is accepted makes another visible copy.
    #[doc(alias = "endTransaction")]
    pub struct EndTransactionRequestHeader<'a> {
        /// Topic of the message (`topic`); not compared.
        pub topic: Option<Cow<'a, str>> = "topic",
        /// Must be the property `PGROUP` of the half message (`producerGroup`).
        pub producer_group: Cow<'a, str> = "producerGroup",
        /// Place in the queue of half messages (`tranStateTableOffset`): `queueOffset` of the answer to the send, or what a
        /// check says.
        pub tran_state_table_offset: i64 = "tranStateTableOffset",
        /// Where the half message begins in the commit log (`commitLogOffset`): in the `msgId` of the answer to the send, or
        /// what a check says.
        pub commit_log_offset: i64 = "commitLogOffset",
        /// [`COMMIT_TYPE`] or [`ROLLBACK_TYPE`] (`commitOrRollback`); 0 is never answered.
        pub commit_or_rollback: i32 = "commitOrRollback",
        /// Whether this answers a check (`fromTransactionCheck`).
        pub from_transaction_check: bool = "fromTransactionCheck",
        /// Unique key of the message (`msgId`); not compared.
        pub msg_id: Cow<'a, str> = "msgId",
        /// The same (`transactionId`).
        pub transaction_id: Option<Cow<'a, str>> = "transactionId",
        /// Name of the broker (`bname`); proxies route by it.
        pub broker_name: Option<Cow<'a, str>> = "bname",
    }
}

header! {
    /// Header of `CHECK_TRANSACTION_STATE` (39): a broker asks what became of a half message. One-way; what answers it is an
    /// `END_TRANSACTION`. Its body is the half message as it is stored.
    #[doc(alias = "checkTransactionState")]
    pub struct CheckTransactionStateRequestHeader<'a> {
        /// The topic of half messages, from 5.3.0 on (`topic`).
        pub topic: Option<Cow<'a, str>> = "topic",
        /// For the answer (`tranStateTableOffset`).
        pub tran_state_table_offset: i64 = "tranStateTableOffset",
        /// For the answer (`commitLogOffset`).
        pub commit_log_offset: i64 = "commitLogOffset",
        /// Unique key of the message (`msgId`).
        pub msg_id: Option<Cow<'a, str>> = "msgId",
        /// The same (`transactionId`).
        pub transaction_id: Option<Cow<'a, str>> = "transactionId",
        /// Offset message id (`offsetMsgId`); a proxy leaves it out.
        pub offset_msg_id: Option<Cow<'a, str>> = "offsetMsgId",
        /// Name of the broker (`bname`); 4.x and proxies leave it out.
        pub broker_name: Option<Cow<'a, str>> = "bname",
    }
}
