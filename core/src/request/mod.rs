//! Typed request and response headers, one file per family of requests.

mod fields;
pub mod heartbeat;
pub mod route;
pub mod send;
mod stored_answer;

pub(crate) use fields::header;
pub use fields::{FieldError, ReadField, WriteField};
pub use heartbeat::UnregisterClientRequestHeader;
pub use route::GetRouteInfoRequestHeader;
pub use send::{
    SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2, SendMessageResponseHeader,
    SendMessageTemplate,
};
pub use stored_answer::{StoredAnswer, StoredFields};
