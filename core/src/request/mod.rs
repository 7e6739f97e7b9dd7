//! Typed request and response headers, one file per family of requests.

mod fields;
pub mod heartbeat;
pub mod inbound;
pub(crate) mod naming;
pub mod offset;
pub mod query;
pub mod route;
pub mod send;
mod stored_answer;
pub mod topic;
pub mod transaction;

pub(crate) use fields::header;
pub use fields::{FieldError, ReadField, WriteField};
pub use heartbeat::{HeartbeatAnswer, UnregisterClientRequestHeader};
pub use inbound::{
    ConsumeMessageDirectlyRequestHeader, GetConsumerRunningInfoRequestHeader, GetConsumerStatusRequestHeader,
    ReplyMessageRequestHeader,
};
pub use offset::{GetMaxOffsetRequestHeader, QueueRequestHeader, SearchOffsetRequestHeader};
pub use query::{QueryMessageRequestHeader, ViewMessageRequestHeader};
pub use route::GetRouteInfoRequestHeader;
pub use send::{
    SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2, SendMessageResponseHeader,
    SendMessageTemplate,
};
pub use stored_answer::{StoredAnswer, StoredFields};
pub use topic::CreateTopicRequestHeader;
pub use transaction::{
    COMMIT_TYPE, CheckTransactionStateRequestHeader, EndTransactionRequestHeader, ROLLBACK_TYPE,
};
