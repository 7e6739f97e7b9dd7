//! What every server does with its connections, whatever it serves: accept, cut frames, answer, close on silence.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::frame::{FLAG_ONE_WAY, FrameError};
use super::{ConnKey, Dialect, Frame, FrameReader, SerializeType, ServerAction, Text};

/// A connection without traffic in either direction for this long is closed, in milliseconds.
pub(crate) const IDLE_MS: u64 = 120_000;

struct Conn {
    peer: SocketAddr,
    reader: FrameReader,
    last_activity: u64,
}

/// Something that happened to a connection while the server was paused.
pub(crate) enum Held {
    Connect(ConnKey, SocketAddr),
    Bytes(ConnKey, Vec<u8>),
    Close(ConnKey),
}

/// An answer before it is bound to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) remark: Option<String>,
    pub(crate) ext_fields: Option<Vec<(Text, Option<Text>)>>,
    pub(crate) body: Vec<u8>,
    /// Written in the server's own serialize type even where others have the request's.
    pub(crate) in_own_type: bool,
}

impl Answer {
    pub(crate) fn new(code: i32) -> Answer {
        Answer { code, remark: None, ext_fields: None, body: Vec::new(), in_own_type: false }
    }

    /// Code 1 with the text of an exception, which bypasses the ordinary way of answering.
    pub(crate) fn exception(text: impl Into<String>) -> Answer {
        Answer { in_own_type: true, ..Answer::refused(1, text) }
    }

    /// Stored messages, which are sent straight from the log.
    pub(crate) fn with_messages(body: Vec<u8>) -> Answer {
        Answer { in_own_type: true, ..Answer::with_body(body) }
    }

    /// The same of a server that wants no records of trace.
    pub(crate) fn without_trace(mut self) -> Answer {
        let mut fields = self.ext_fields.iter_mut().flatten();
        if let Some((_, value)) = fields.find(|(name, _)| *name == "TRACE_ON") {
            *value = Some("false".into());
        }
        self
    }

    pub(crate) fn refused(code: i32, remark: impl Into<String>) -> Answer {
        Answer { remark: Some(remark.into()), ..Answer::new(code) }
    }

    pub(crate) fn with_body(body: Vec<u8>) -> Answer {
        Answer { body, ..Answer::new(0) }
    }

    /// Adds an ext field; the first one makes the field map exist.
    pub(crate) fn ext(mut self, name: &str, value: impl Into<Text>) -> Answer {
        let fields = self.ext_fields.get_or_insert_with(|| Vec::with_capacity(8));
        fields.push((name.into(), Some(value.into())));
        self
    }

    /// Makes the field map exist without a field in it.
    pub(crate) fn empty_ext(mut self) -> Answer {
        self.ext_fields.get_or_insert_with(Vec::new);
        self
    }
}

/// The connections of one server.
pub(crate) struct Transport {
    pub(crate) dialect: Dialect,
    up: bool,
    paused: bool,
    conns: BTreeMap<ConnKey, Conn>,
    actions: VecDeque<ServerAction>,
    delayed: BTreeMap<(u64, u64), (ConnKey, Vec<u8>)>,
    held: Vec<Held>,
    requests: BTreeMap<i32, u64>,
    sequence: u64,
    own_opaque: i32,
}

impl Transport {
    pub(crate) fn new(dialect: Dialect) -> Transport {
        Transport {
            dialect,
            up: true,
            paused: false,
            conns: BTreeMap::new(),
            actions: VecDeque::new(),
            delayed: BTreeMap::new(),
            held: Vec::new(),
            requests: BTreeMap::new(),
            sequence: 0,
            own_opaque: 0,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(crate) fn pause(&mut self) {
        self.paused = self.up;
    }

    /// Ends a pause and hands out what happened meanwhile, in order.
    pub(crate) fn resume(&mut self) -> Vec<Held> {
        self.paused = false;
        std::mem::take(&mut self.held)
    }

    /// The server is gone: its connections are closed, what it had not said is never said.
    pub(crate) fn crash(&mut self) {
        self.up = false;
        self.paused = false;
        self.delayed.clear();
        for event in std::mem::take(&mut self.held) {
            if let Held::Connect(conn, _) = event {
                self.actions.push_back(ServerAction::Close { conn });
            }
        }
        for (conn, _) in std::mem::take(&mut self.conns) {
            self.actions.push_back(ServerAction::Close { conn });
        }
    }

    /// The server leaves in order: answers that were being held back are given first.
    pub(crate) fn leave(&mut self, now_ms: u64) {
        self.send_delayed(u64::MAX, now_ms);
        self.crash();
    }

    pub(crate) fn restart(&mut self) {
        self.up = true;
    }

    /// Keeps an event for later when the server is paused. True when it was kept.
    pub(crate) fn hold(&mut self, event: impl FnOnce() -> Held) -> bool {
        if self.paused {
            self.held.push(event());
        }
        self.paused
    }

    pub(crate) fn connect(&mut self, now_ms: u64, conn: ConnKey, peer: SocketAddr) {
        if self.up {
            let reader = FrameReader::new(self.dialect);
            self.conns.insert(conn, Conn { peer, reader, last_activity: now_ms });
        } else {
            self.actions.push_back(ServerAction::Close { conn });
        }
    }

    pub(crate) fn receive(&mut self, now_ms: u64, conn: ConnKey, bytes: &[u8]) {
        if let Some(entry) = self.conns.get_mut(&conn) {
            entry.last_activity = now_ms;
            entry.reader.push(bytes);
        }
    }

    /// The next request on a connection; answers that a client sends are skipped.
    ///
    /// # Errors
    /// The connection has been closed over a frame that cannot be read.
    pub(crate) fn next_request(&mut self, conn: ConnKey) -> Result<Option<Frame>, FrameError> {
        loop {
            let Some(entry) = self.conns.get_mut(&conn) else {
                return Ok(None);
            };
            match entry.reader.next_frame() {
                Ok(Some(frame)) if frame.is_response() => {}
                Ok(Some(frame)) => {
                    *self.requests.entry(frame.code).or_default() += 1;
                    return Ok(Some(self.number(frame)));
                }
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.close(conn);
                    return Err(error);
                }
            }
        }
    }

    /// A request without a number gets one from the server's own counter.
    fn number(&mut self, mut frame: Frame) -> Frame {
        if frame.opaque.is_none() {
            frame.opaque = Some(self.own_opaque);
            self.own_opaque = self.own_opaque.wrapping_add(1);
        }
        frame
    }

    /// Answers a request, unless it wants none.
    pub(crate) fn answer(&mut self, now_ms: u64, conn: ConnKey, request: &Frame, answer: Answer) {
        if request.is_one_way() {
            return;
        }
        let frame = self.bind(request, answer);
        self.write(now_ms, conn, &frame);
    }

    /// Sends a one-way request of the server's own.
    pub(crate) fn ask_one_way(
        &mut self,
        now_ms: u64,
        conn: ConnKey,
        code: i32,
        fields: &[(&str, &str)],
        body: Vec<u8>,
    ) {
        let own = |(name, value): &(&str, &str)| ((*name).into(), Some((*value).into()));
        let frame = Frame {
            serialize_type: SerializeType::Json,
            code,
            language: Some(0),
            version: self.dialect.version(),
            opaque: Some(self.own_opaque),
            flag: FLAG_ONE_WAY,
            remark: None,
            ext_fields: Some(fields.iter().map(own).collect()),
            body: body.into(),
        };
        self.own_opaque = self.own_opaque.wrapping_add(1);
        self.write(now_ms, conn, &frame);
    }

    fn write(&mut self, now_ms: u64, conn: ConnKey, frame: &Frame) {
        let Some(entry) = self.conns.get_mut(&conn) else {
            return;
        };
        entry.last_activity = now_ms;
        if let Some(ServerAction::Send { conn: last, bytes }) = self.actions.back_mut()
            && *last == conn
        {
            frame.encode_into(bytes);
            return;
        }
        self.actions.push_back(ServerAction::Send { conn, bytes: frame.encode() });
    }

    /// Answers a request at a later time, unless it wants none.
    pub(crate) fn answer_at(&mut self, due_ms: u64, conn: ConnKey, request: &Frame, answer: Answer) {
        if !request.is_one_way() {
            let bytes = self.bind(request, answer).encode();
            self.sequence += 1;
            self.delayed.insert((due_ms, self.sequence), (conn, bytes));
        }
    }

    fn bind(&self, request: &Frame, answer: Answer) -> Frame {
        let serialize_type = match self.dialect {
            Dialect::V4_9_7 if !answer.in_own_type => request.serialize_type,
            Dialect::V4_9_7 | Dialect::V5_5_0 => SerializeType::Json,
        };
        Frame {
            serialize_type,
            code: answer.code,
            language: Some(0),
            version: self.dialect.version(),
            opaque: request.opaque,
            flag: 1,
            remark: answer.remark,
            ext_fields: answer.ext_fields,
            body: answer.body.into(),
        }
    }

    /// The peer has closed the connection.
    pub(crate) fn forget(&mut self, conn: ConnKey) {
        self.conns.remove(&conn);
    }

    pub(crate) fn close(&mut self, conn: ConnKey) {
        if self.conns.remove(&conn).is_some() {
            self.actions.push_back(ServerAction::Close { conn });
        }
    }

    /// Sends what is due and closes what was silent too long; hands back the closed ones.
    pub(crate) fn tick(&mut self, now_ms: u64) -> Vec<ConnKey> {
        self.send_delayed(now_ms, now_ms);
        let silent = |conn: &Conn| now_ms >= conn.last_activity.saturating_add(IDLE_MS);
        let closed: Vec<ConnKey> =
            self.conns.iter().filter(|(_, conn)| silent(conn)).map(|(key, _)| *key).collect();
        for conn in &closed {
            self.close(*conn);
        }
        closed
    }

    fn send_delayed(&mut self, until_ms: u64, now_ms: u64) {
        while let Some(first) = self.delayed.first_entry() {
            if first.key().0 > until_ms {
                break;
            }
            let (conn, bytes) = first.remove();
            if let Some(entry) = self.conns.get_mut(&conn) {
                entry.last_activity = now_ms;
                self.actions.push_back(ServerAction::Send { conn, bytes });
            }
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let idle = self.conns.values().map(|conn| conn.last_activity.saturating_add(IDLE_MS)).min();
        let due = self.delayed.keys().next().map(|(due, _)| *due);
        idle.into_iter().chain(due).min()
    }

    pub(crate) fn poll_action(&mut self) -> Option<ServerAction> {
        self.actions.pop_front()
    }

    pub(crate) fn peer(&self, conn: ConnKey) -> Option<SocketAddr> {
        self.conns.get(&conn).map(|entry| entry.peer)
    }

    pub(crate) fn connections(&self) -> Vec<(ConnKey, SocketAddr)> {
        self.conns.iter().map(|(key, conn)| (*key, conn.peer)).collect()
    }

    pub(crate) fn requests(&self, code: i32) -> u64 {
        self.requests.get(&code).copied().unwrap_or(0)
    }
}
