//! What can be wrong with the bytes of a recording.

use alloc::string::String;

/// The bytes are no recording, or stop being one. Everything before the position was read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("at byte {position}: {kind}")]
pub struct ReadError {
    /// Where, in bytes from the start.
    pub position: usize,
    /// What is wrong there.
    pub kind: ReadErrorKind,
}

/// What is wrong with a recording.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The first bytes are others.
    #[error("not a recording of a RocketMQ client")]
    NotARecording,
    /// Another version of the format. Read it with the version of this client that made it.
    #[error("format version {0} is not known here, only versions {oldest} to {newest}", oldest = super::OLDEST_FORMAT_VERSION, newest = super::FORMAT_VERSION)]
    UnknownVersion(u8),
    /// The first record does not say how the client was configured.
    #[error("the recording does not begin with the configuration of its client")]
    NoStart,
    /// A second start, or an end before the end.
    #[error("a record of kind {0} must not stand here")]
    Misplaced(u8),
    /// A kind of record that this version does not have.
    #[error("unknown kind of record: {0}")]
    UnknownRecord(u8),
    /// A record of no bytes, or one that is longer than any record.
    #[error("a record of {0} bytes")]
    BadLength(u64),
    /// A record ends before its last part.
    #[error("the record ends before {0}")]
    TooShort(&'static str),
    /// A record has bytes behind its last part.
    #[error("the record has {0} bytes too many")]
    TooLong(usize),
    /// A number that does not fit, or is not written in the shortest way.
    #[error("{0} is not a number that fits")]
    BadNumber(&'static str),
    /// A text that is not UTF-8.
    #[error("{0} is not UTF-8")]
    BadText(&'static str),
    /// A value that its type does not have.
    #[error("{what}: {reason}")]
    BadValue {
        /// Which value.
        what: &'static str,
        /// Why it is none.
        reason: String,
    },
    /// A setting that this version does not have: a newer version made the recording.
    #[error("unknown setting {0:?}")]
    UnknownSetting(String),
    /// A setting that must be there.
    #[error("setting {0} is missing")]
    MissingSetting(&'static str),
}

impl ReadErrorKind {
    pub(super) fn value(what: &'static str, reason: impl core::fmt::Display) -> Self {
        Self::BadValue { what, reason: alloc::format!("{reason}") }
    }
}
