//! What can go wrong with real servers.

use std::error::Error;
use std::fmt;
use std::io;

use super::MalformedStore;

/// Why real servers could not be started, hurt or asked.
#[derive(Debug)]
pub enum RealError {
    /// Java 17 or Maven is not installed; the text of the script says which, and how to get it.
    MissingProgram(String),
    /// The script ended with an error; its message, which ends with the last lines of the server's log.
    Script {
        /// What was asked of the script.
        action: String,
        /// The exit status, or the signal.
        status: String,
        /// What it wrote to its standard error.
        message: String,
    },
    /// There is no server of this name in the set-up.
    NoSuchServer(String),
    /// Reading or writing failed; for a server that was killed or stopped this is what to expect.
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The server answered with another code than 0.
    Refused {
        /// The server's address.
        server: String,
        /// The request code.
        request: i32,
        /// The response code.
        code: i32,
        /// The text that came with it.
        remark: String,
    },
    /// An answer that this reader does not understand.
    Malformed {
        /// What was read.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server did not get there within the time.
    TooSlow(String),
}

impl RealError {
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action: action.into(), source }
    }

    pub(super) fn malformed(what: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self::Malformed { what: what.into(), reason: reason.to_string() }
    }
}

impl fmt::Display for RealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingProgram(message) => f.write_str(message),
            Self::Script { action, status, message } => {
                write!(f, "servers {action} ended with {status}: {message}")
            }
            Self::NoSuchServer(name) => write!(f, "the set-up has no server named {name}"),
            Self::Io { action, source } => write!(f, "{action}: {source}"),
            Self::Refused { server, request, code, remark } => {
                write!(f, "{server} answered request {request} with code {code}: {remark}")
            }
            Self::Malformed { what, reason } => write!(f, "{what}: {reason}"),
            Self::TooSlow(what) => f.write_str(what),
        }
    }
}

impl Error for RealError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<MalformedStore> for RealError {
    fn from(error: MalformedStore) -> Self {
        Self::malformed("stored messages", error)
    }
}
