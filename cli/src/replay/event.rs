//! What a replay shows, event by event.

use std::fmt;
use std::time::Duration;

/// Something that happened, at a time since the start of the recording.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// Numbers connections in the order in which they were opened, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Conn(pub(crate) usize);

impl fmt::Display for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// The client opens a connection. The peer is an address and what is known of it.
    Opens { conn: Conn, address: String, peer: String },
    /// It is up.
    Up { conn: Conn },
    /// It ended, or could not be opened, and this many requests had no answer.
    Down { conn: Conn, why: String, unanswered: usize },
    /// The client closed it, and this many requests had no answer.
    ClosedByClient { conn: Conn, why: String, unanswered: usize },
    /// The socket took the last byte of a request.
    Asked { conn: Conn, request: Request },
    /// An answer came.
    Answered { conn: Conn, answer: Reply },
    /// What the server sent cannot be read.
    Unreadable { conn: Conn, why: String },
    /// The application hands in a message.
    Send { number: usize, text: String },
    /// A message has its verdict.
    Verdict { number: usize, verdict: Verdict, took: Duration, text: String, key: Option<String> },
    /// Another attempt follows.
    Retry { text: String },
    /// Anything else, in words.
    Told { text: String },
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) opaque: i32,
    pub(crate) name: String,
    /// What it is about, empty when its name says all.
    pub(crate) about: String,
    /// The unique key of the message in it.
    pub(crate) key: Option<String>,
    pub(crate) kind: RequestKind,
    pub(crate) one_way: bool,
}

/// What a request is for, as far as pictures tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// A message.
    Send,
    /// A route.
    Route,
    /// Heartbeats and the like.
    Other,
}

/// An answer to a request, or a request of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) opaque: i32,
    pub(crate) code: String,
    /// The code says that it was done.
    pub(crate) success: bool,
    /// The server's words, if it refused.
    pub(crate) remark: String,
    /// How long after the request; none when nobody waits for it.
    pub(crate) after: Option<Duration>,
    /// It is a request of the server.
    pub(crate) is_request: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Stored,
    HandedOver,
    MayBeStored,
    NotStored,
}

impl Verdict {
    pub(crate) const ALL: [Self; 4] = [Self::Stored, Self::HandedOver, Self::MayBeStored, Self::NotStored];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::HandedOver => "handed over",
            Self::MayBeStored => "may be stored",
            Self::NotStored => "not stored",
        }
    }
}

impl What {
    /// Whether something begins that ends later, or never.
    pub(crate) fn begins_something(&self) -> bool {
        matches!(self, Self::Opens { .. } | Self::Asked { .. } | Self::Send { .. } | Self::Retry { .. })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.6}  ", self.at.as_secs_f64())?;
        match &self.what {
            What::Opens { conn, address, peer } => write!(f, "{conn} opens to {address}, {peer}"),
            What::Up { conn } => write!(f, "{conn} is up"),
            What::Down { conn, why, unanswered } => {
                write!(f, "{conn} ends: {why}{}", Unanswered(*unanswered))
            }
            What::ClosedByClient { conn, why, unanswered } => {
                let colon = if why.is_empty() { "" } else { ": " };
                write!(f, "{conn} is closed by the client{colon}{why}{}", Unanswered(*unanswered))
            }
            What::Asked { conn, request } => {
                let one_way = if request.one_way { ", one-way" } else { "" };
                let comma = if request.about.is_empty() { "" } else { ", " };
                let Request { opaque, name, about, .. } = request;
                write!(f, "{conn} -> {name} {opaque}{comma}{about}{one_way}")
            }
            What::Answered { conn, answer } => write!(f, "{conn} <- {answer}"),
            What::Unreadable { conn, why } => write!(f, "{conn} <- bytes that cannot be read: {why}"),
            What::Send { number, text } => write!(f, "#{number} send {text}"),
            What::Verdict { number, took, text, .. } => {
                write!(f, "#{number} {text}, after {}", Millis(*took))
            }
            What::Retry { text } | What::Told { text } => f.write_str(text),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opaque, code, remark, .. } = self;
        match (self.is_request, self.after) {
            (true, _) => write!(f, "asks: {code} {opaque}")?,
            (false, Some(after)) => write!(f, "{code} to {opaque} after {}", Millis(after))?,
            (false, None) => write!(f, "{code} to {opaque}, for which nobody waits")?,
        }
        if remark.is_empty() { Ok(()) } else { write!(f, ": {remark}") }
    }
}

struct Unanswered(usize);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str("; 1 request had no answer"),
            more => write!(f, "; {more} requests had no answer"),
        }
    }
}

/// A time in milliseconds with three digits behind the point.
#[derive(Debug)]
pub(crate) struct Millis(pub(crate) Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.0.as_secs_f64() * 1_000.0)
    }
}

/// Text of a server, fit for a terminal and a picture: control characters escaped, length capped.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::new();
    for (count, character) in text.trim().chars().enumerate() {
        if count == 200 {
            clean.push('…');
            break;
        }
        if character.is_control() || matches!(character, '\u{200E}'..='\u{202E}' | '\u{2066}'..='\u{2069}') {
            clean.extend(character.escape_unicode());
        } else {
            clean.push(character);
        }
    }
    clean
}
