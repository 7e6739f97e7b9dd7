//! Floor 10, with the feature `record`: recordings of a client, for replay.
//!
//! A client does nothing but answer its inputs, so the inputs with their times, and the configuration, are all
//! that happened. [`Recorder`] encodes them while a client runs, [`Reader`] reads them, [`Replay`] gives them to a
//! new client and checks that it does the same. Outgoing frames need no recording: the new client makes them again, and
//! they are compared by their hashes.
//!
//! # Format, version 2
//!
//! Eight bytes, `RMQ-REC` and the version, then records: a length, a kind of one byte, and parts. Files are only
//! appended to. One that ends in the middle of a record (the process died while it wrote) is sound up to there.
//! Numbers are written in groups of seven bits, lowest first; those that may be negative with the sign in the lowest
//! bit; texts and bytes behind their length.
//!
//! | kind | record | parts |
//! |---|---|---|
//! | 1 | start | monotonic time (µs), wall time (ms), what becomes of bodies, version of this crate, settings of the client |
//! | 2 | mark | number of actions so far, hash over them (8 bytes) |
//! | 3 | told | time, an action in words (only for [`Ring`]s) |
//! | 4 | gap | records and bytes that are missing here (only from [`Ring`]s) |
//! | 5 | end | time, why |
//! | 16 | connected | time, connection |
//! | 17 | received | time, connection, the bytes |
//! | 18 | wrote | time, connection, number of bytes, hash over them (8 bytes; not in version 1) |
//! | 19 | closed | time, connection, reason |
//! | 20 | tick | time |
//! | 32–39 | open producer, reserve, withdraw, send, flush, close producer, shutdown, set name servers | time, number of the command, its parts |
//! | 40–42 | end transaction, answer check, drop check | time, number of the command, its parts |
//! | 48 | administrative call | time, number of the command, deadline, which call, its parts |
//!
//! A time is the monotonic time and how far the wall clock is off the one that goes with it. Settings are a list of
//! names with a number, a text, or a time each; a setting that is a list has its name once for each entry.
//!
//! # What a replay compares
//!
//! The actions, by the marks, and what the sockets took, by the hashes of the records *wrote*. With [`Bodies::Keep`]
//! that is every byte that was written. Otherwise the bodies of frames are left out of the hash, because there are zeros
//! in place of the messages: lengths and headers are compared, bodies are not, heartbeats' included. What was written
//! to a connection that the client had closed meanwhile is compared in no recording: its bytes are gone.
//! [`Replay::compared_writes`] and [`Replay::uncompared_writes`] tell how many there were of each. Version 1 has no such
//! hashes; it is read, and its writes are compared by their lengths only.
//!
//! Hooks of a client are code, which no recording holds: it names them, and is replayed with hooks of the same names
//! ([`Replay::with_hooks`]), or refused. They must be functions of what they are given; those that look at bodies need
//! [`Bodies::Keep`].
//!
//! # What a recording tells of the application
//!
//! Topics, groups, tags, keys, and properties of messages, addresses, and what servers answered. Bodies only with
//! [`Bodies::Keep`]. Credentials never: settings are written one by one, by name, and secrets are not among them.

mod admin;
#[cfg(test)]
mod admin_tests;
mod digest;
mod error;
mod inbound_bodies;
mod named_values;
mod outbound;
mod parts;
mod read;
mod read_command;
mod replay;
#[cfg(test)]
mod replay_tests;
mod ring;
mod settings;
mod tell;
#[cfg(test)]
mod tests;
mod write;
mod write_command;

pub use digest::body_hash;
pub use error::{ReadError, ReadErrorKind};
pub use read::{BodyKept, Condition, Reader, Record, Start};
pub use replay::{Replay, ReplayError, Step};
pub use ring::Ring;
pub use tell::{told, told_answer};
pub use write::Recorder;

/// The version of the format that is written, and the newest that is read.
pub const FORMAT_VERSION: u8 = 2;
/// The oldest version of the format that is read.
pub const OLDEST_FORMAT_VERSION: u8 = 1;
/// The largest body of a message that a recording holds, in bytes: twice what any broker takes.
pub const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;
/// The largest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 2 * MAX_BODY_BYTES;

/// The first bytes of every recording; the version follows.
const MAGIC: [u8; 7] = *b"RMQ-REC";

/// What becomes of the bodies of messages. Their lengths are always kept, so a client that gets zeros instead takes
/// the same decisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Bodies {
    /// They are kept.
    Keep,
    /// They are left out.
    #[default]
    LeaveOut,
    /// Their [hashes](body_hash) are kept.
    Hash,
}

impl Bodies {
    const fn code(self) -> u8 {
        match self {
            Self::Keep => 0,
            Self::LeaveOut => 1,
            Self::Hash => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Keep, Self::LeaveOut, Self::Hash].into_iter().find(|bodies| bodies.code() == code)
    }
}

/// Why a recording ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The client was shut down.
    ClientEnded,
    /// The driver was dropped before the client was shut down.
    DriverDropped,
    /// What was to be written grew faster than it could be written.
    TooSlow,
    /// A message is larger than [`MAX_BODY_BYTES`]. The client refuses such messages.
    MessageTooLarge,
}

impl EndReason {
    const fn code(self) -> u8 {
        match self {
            Self::ClientEnded => 0,
            Self::DriverDropped => 1,
            Self::TooSlow => 2,
            Self::MessageTooLarge => 3,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::ClientEnded, Self::DriverDropped, Self::TooSlow, Self::MessageTooLarge]
            .into_iter()
            .find(|why| why.code() == code)
    }
}

impl core::fmt::Display for EndReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::ClientEnded => "the client was shut down",
            Self::DriverDropped => "the driver was dropped",
            Self::TooSlow => "writing could not keep up",
            Self::MessageTooLarge => "a message was larger than a recording can hold",
        })
    }
}
