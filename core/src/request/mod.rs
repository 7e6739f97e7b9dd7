//! Typed request and response headers, one file per family of requests.

pub mod heartbeat;
pub mod route;
pub mod send;

pub use heartbeat::UnregisterClientRequestHeader;
pub use route::GetRouteInfoRequestHeader;
pub use send::{SendMessageRequestHeaderV2, SendMessageResponseHeader};
