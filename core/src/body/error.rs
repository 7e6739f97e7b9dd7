//! What can be wrong with a body.

use crate::wire::JsonError;

/// A body that cannot be understood. The connection is still sound, only this answer is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There is no body.
    #[error("the answer has no body")]
    Empty,
    /// The body is not UTF-8.
    #[error("the body is not valid UTF-8")]
    InvalidUtf8,
    /// The body is not JSON.
    #[error("bad JSON body at byte {at}: {error}")]
    Json {
        /// Place in the body, in bytes.
        at: usize,
        /// What is wrong there.
        error: JsonError,
    },
    /// A member that must be there is missing, null or empty.
    #[error("the body has no `{field}`")]
    Missing {
        /// Name of the member.
        field: &'static str,
    },
    /// A number that is not whole or too large for its type.
    #[error("the member `{field}` is not a number of its size")]
    BadNumber {
        /// Name of the member.
        field: &'static str,
    },
    /// A reference to an element that has not come yet.
    #[error("the body refers to an element of `{field}` that is not there")]
    BadReference {
        /// Name of the list.
        field: &'static str,
    },
    /// More elements than the limit.
    #[error("the body has more than {limit} elements in `{field}`")]
    TooMany {
        /// Name of the list.
        field: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A text longer than the limit.
    #[error("the member `{field}` is longer than {limit} bytes")]
    TooLong {
        /// Name of the member.
        field: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
}
