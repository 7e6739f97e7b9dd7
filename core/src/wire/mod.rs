//! Frames and headers: bytes of the remoting protocol in and out.
//!
//! * [`inbox`]: a byte stream in pieces of any size becomes whole frames.
//! * [`header`]: a frame's header, JSON or binary, becomes a [`Header`].
//! * [`encode`]: requests and answers become frames.
//! * [`http`]: the answer of a server that knows the name servers.

mod binary;
mod compact;
pub mod encode;
mod fixed;
pub mod frame;
pub mod header;
pub mod http;
pub mod inbox;
pub(crate) mod json;
mod json_header;
mod sink;
pub(crate) mod text;
mod written;

pub(crate) use encode::USUAL_HEADER_BYTES;
pub use encode::{
    CommandHead, EncodeError, FieldSink, NoFields, Part, Plain, RequestHead, ResponseHead, WriteFields,
    encode_command, encode_request, encode_request_head, encode_response,
};
pub use fixed::{FixedFields, WrittenNumber};
pub(crate) use frame::PREFIX_BYTES;
pub use frame::{FrameError, MAX_FRAME_BYTES, RawFrame, SerializeType, WireLimits};
pub use header::{ExtFields, Header, HeaderError};
pub use http::{HttpAnswer, HttpError, HttpLimits};
pub use inbox::{Frames, Inbox};
pub use json::JsonError;
pub(crate) use written::Written;
