//! What goes over the connections of a replay: frames, cut out of both directions and paired.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rocketmq_core::client::ConnId;
use rocketmq_core::command::{RequestCode, ResponseCode};
use rocketmq_core::message::{Properties, names};
use rocketmq_core::wire::{Header, Inbox, RawFrame, WireLimits};

use super::event::{Conn, Reply, Request, RequestKind, What, clean};

/// Limits for frames that were received or sent once already.
const LIMITS: WireLimits = WireLimits {
    max_frame: 16 * 1024 * 1024,
    max_header: 16 * 1024 * 1024,
    max_ext_fields: 100_000,
    max_depth: 64,
};

/// All open connections.
#[derive(Debug, Default)]
pub(super) struct Wires {
    open: BTreeMap<ConnId, Wire>,
    opened: usize,
}

/// One connection.
#[derive(Debug)]
struct Wire {
    conn: Conn,
    sent: Inbox,
    received: Inbox,
    /// False where HTTP is spoken.
    carries_frames: bool,
    /// Requests without answer, and when they left.
    waiting: HashMap<i32, Duration>,
}

impl Wires {
    /// A connection is opened: numbers it.
    pub(super) fn open(&mut self, id: ConnId, carries_frames: bool) -> Conn {
        self.opened += 1;
        let conn = Conn(self.opened);
        let (sent, received) = (Inbox::new(LIMITS), Inbox::new(LIMITS));
        let wire = Wire { conn, sent, received, carries_frames, waiting: HashMap::new() };
        self.open.insert(id, wire);
        conn
    }

    /// The number of a connection; a recording without its beginning may not tell of it.
    pub(super) fn number(&mut self, id: ConnId) -> Conn {
        match self.open.get(&id) {
            Some(wire) => wire.conn,
            None => self.open(id, true),
        }
    }

    /// A connection is over: its number and how many requests had no answer; none when it was over before.
    pub(super) fn close(&mut self, id: ConnId) -> Option<(Conn, usize)> {
        self.open.remove(&id).map(|wire| (wire.conn, wire.waiting.len()))
    }

    /// The socket took bytes.
    pub(super) fn wrote(&mut self, at: Duration, id: ConnId, bytes: &[u8], mut tell: impl FnMut(What)) {
        self.number(id);
        let wire = self.open.get_mut(&id).filter(|wire| wire.carries_frames);
        let Some(Wire { conn, sent, waiting, .. }) = wire else { return };
        let mut frames = sent.feed(bytes);
        // What the client makes can be read. If it could not, the story would only be shorter.
        while let Ok(Some(frame)) = frames.next() {
            let Ok(header) = Header::parse(&frame, &LIMITS) else { return };
            if header.is_response() {
                continue;
            }
            if !header.is_oneway() {
                waiting.insert(header.opaque, at);
            }
            tell(What::Asked { conn: *conn, request: request(&header, &frame) });
        }
    }

    /// Bytes came.
    pub(super) fn received(&mut self, at: Duration, id: ConnId, bytes: &[u8], mut tell: impl FnMut(What)) {
        self.number(id);
        let wire = self.open.get_mut(&id).filter(|wire| wire.carries_frames);
        let Some(Wire { conn, received, waiting, .. }) = wire else { return };
        let conn = *conn;
        let mut frames = received.feed(bytes);
        loop {
            let frame = match frames.next() {
                Ok(None) => return,
                Ok(Some(frame)) => frame,
                Err(error) => return tell(What::Unreadable { conn, why: error.to_string() }),
            };
            match Header::parse(&frame, &LIMITS) {
                Ok(header) => {
                    let since = waiting.remove(&header.opaque).filter(|_| header.is_response());
                    let after = since.map(|since| at.saturating_sub(since));
                    tell(What::Answered { conn, answer: reply(&header, after) });
                }
                Err(error) => return tell(What::Unreadable { conn, why: error.to_string() }),
            }
        }
    }
}

fn request(header: &Header<'_>, frame: &RawFrame<'_>) -> Request {
    let code = RequestCode(header.code);
    let field = |name: &str| header.ext.get(name).unwrap_or_default();
    let mut key = None;
    let (kind, about) = match code {
        RequestCode::SEND_MESSAGE_V2 => {
            key = Properties::parse(&field("i")).get(names::UNIQ_KEY).map(str::to_owned);
            let id = key.as_deref().unwrap_or("none");
            let (topic, broker, queue) = (field("b"), field("n"), field("e"));
            (RequestKind::Send, format!("{topic}/{broker}/{queue}, {} bytes, id {id}", frame.body.len()))
        }
        RequestCode::GET_ROUTEINFO_BY_TOPIC => (RequestKind::Route, format!("topic {}", field("topic"))),
        RequestCode::UNREGISTER_CLIENT => (RequestKind::Other, format!("group {}", field("producerGroup"))),
        _ => (RequestKind::Other, String::new()),
    };
    let name = code.name().map_or_else(|| format!("request {}", code.0), str::to_owned);
    Request { opaque: header.opaque, name, about, key, kind, one_way: header.is_oneway() }
}

fn reply(header: &Header<'_>, after: Option<Duration>) -> Reply {
    let is_request = !header.is_response();
    let code = if is_request {
        RequestCode(header.code).name().map_or_else(|| format!("request {}", header.code), str::to_owned)
    } else {
        ResponseCode(header.code).name().map_or_else(|| format!("code {}", header.code), str::to_owned)
    };
    let done = [
        ResponseCode::SUCCESS,
        ResponseCode::FLUSH_DISK_TIMEOUT,
        ResponseCode::SLAVE_NOT_AVAILABLE,
        ResponseCode::FLUSH_SLAVE_TIMEOUT,
    ];
    let success = is_request || done.contains(&ResponseCode(header.code));
    let remark = header.remark.as_deref().filter(|_| !success).map(clean).unwrap_or_default();
    Reply { opaque: header.opaque, code, success, remark, after, is_request }
}
