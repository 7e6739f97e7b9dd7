//! The HTTP server that tells clients the name servers: `GET` a path, and the list comes as text.

use std::collections::{BTreeMap, VecDeque};

use super::{ConnKey, ServerAction};

/// More of a request than this is not read.
const LONGEST_REQUEST: usize = 8 * 1024;
/// Bytes of the endless answer that are said for each request.
const HUGE: usize = 1024 * 1024;

/// What the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiscoveryMood {
    /// Status 200 and the list, with its length.
    #[default]
    Well,
    /// Status 200 and the list in chunks of four bytes.
    Chunked,
    /// Status 200 and the list, which ends with the connection.
    WithoutLength,
    /// This status, and the list as its body.
    Status(u16),
    /// Status 200 and no list.
    Empty,
    /// Status 200 and a page that is no list.
    Page,
    /// Bytes that are no HTTP.
    Garbage,
    /// So many bytes of the answer, and then the end of the connection.
    Cut(usize),
    /// A body without an end.
    Huge,
    /// The answer comes so many milliseconds late.
    Late(u64),
    /// Nothing, ever.
    Silent,
}

/// The server as a state machine. Each connection has one answer.
#[derive(Debug, Default)]
pub struct DiscoveryServer {
    list: String,
    mood: DiscoveryMood,
    is_down: bool,
    /// What has come of each request.
    conns: BTreeMap<ConnKey, Vec<u8>>,
    late: BTreeMap<(u64, u64), (ConnKey, Vec<u8>)>,
    sequence: u64,
    actions: VecDeque<ServerAction>,
    asked: Vec<String>,
}

impl DiscoveryServer {
    /// A server that knows these name servers, written `host:port;host:port`.
    pub fn new(list: &str) -> DiscoveryServer {
        DiscoveryServer { list: list.to_owned(), ..DiscoveryServer::default() }
    }

    /// Tells this list from now on.
    pub fn set_list(&mut self, list: &str) {
        list.clone_into(&mut self.list);
    }

    /// Answers so from now on.
    pub fn set_mood(&mut self, mood: DiscoveryMood) {
        self.mood = mood;
    }

    /// The path and parameters of every question so far.
    pub fn asked(&self) -> &[String] {
        &self.asked
    }

    /// Whether the server runs.
    pub fn is_up(&self) -> bool {
        !self.is_down
    }

    /// Is killed: all connections are closed.
    pub fn crash(&mut self) {
        self.is_down = true;
        self.late.clear();
        for (conn, _) in std::mem::take(&mut self.conns) {
            self.actions.push_back(ServerAction::Close { conn });
        }
    }

    /// Starts again after [`DiscoveryServer::crash`].
    pub fn restart(&mut self) {
        self.is_down = false;
    }

    /// A client has connected.
    pub fn on_connect(&mut self, conn: ConnKey) {
        if self.is_down {
            self.actions.push_back(ServerAction::Close { conn });
        } else {
            self.conns.insert(conn, Vec::new());
        }
    }

    /// Bytes have arrived on a connection.
    pub fn on_bytes(&mut self, now_ms: u64, conn: ConnKey, bytes: &[u8]) {
        let Some(request) = self.conns.get_mut(&conn) else { return };
        request.extend_from_slice(bytes);
        if request.len() > LONGEST_REQUEST {
            return self.close(conn);
        }
        if !request.ends_with(b"\r\n\r\n") {
            return;
        }
        let request = String::from_utf8_lossy(&std::mem::take(request)).into_owned();
        match target(&request) {
            Some(target) => {
                self.asked.push(target.to_owned());
                self.answer(now_ms, conn);
            }
            None => self.say(conn, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec()),
        }
    }

    /// The client has closed the connection.
    pub fn on_close(&mut self, conn: ConnKey) {
        self.conns.remove(&conn);
    }

    /// Time has passed: late answers are said.
    pub fn on_tick(&mut self, now_ms: u64) {
        while let Some(first) = self.late.first_entry().filter(|first| first.key().0 <= now_ms) {
            let (conn, bytes) = first.remove();
            self.say(conn, bytes);
        }
    }

    /// When [`DiscoveryServer::on_tick`] has something to do.
    pub fn next_deadline(&self) -> Option<u64> {
        self.late.keys().next().map(|(due, _)| *due)
    }

    /// The next thing to do on a connection.
    pub fn poll_action(&mut self) -> Option<ServerAction> {
        self.actions.pop_front()
    }

    fn answer(&mut self, now_ms: u64, conn: ConnKey) {
        let with_length = |status: &str, body: &str| {
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
        };
        let well = with_length("200 OK", &format!("{}\n", self.list));
        match self.mood {
            DiscoveryMood::Well => self.say(conn, well),
            DiscoveryMood::Chunked => self.say(conn, chunked(&self.list)),
            DiscoveryMood::WithoutLength => {
                self.say(conn, format!("HTTP/1.0 200 OK\r\n\r\n{}", self.list).into_bytes());
            }
            DiscoveryMood::Status(status) => self.say(conn, with_length(&format!("{status} No"), &self.list)),
            DiscoveryMood::Empty => self.say(conn, with_length("200 OK", "\r\n")),
            DiscoveryMood::Page => self.say(conn, with_length("200 OK", "<html>Welcome</html>")),
            DiscoveryMood::Garbage => self.say(conn, b"\x16\x03\x01 what?".to_vec()),
            DiscoveryMood::Cut(count) => self.say(conn, well.into_iter().take(count).collect()),
            DiscoveryMood::Huge => {
                let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
                bytes.resize(HUGE, b'a');
                self.say(conn, bytes);
            }
            DiscoveryMood::Late(millis) => {
                self.sequence += 1;
                self.late.insert((now_ms.saturating_add(millis), self.sequence), (conn, well));
            }
            DiscoveryMood::Silent => {}
        }
    }

    /// Says this and closes the connection.
    fn say(&mut self, conn: ConnKey, bytes: Vec<u8>) {
        if self.conns.contains_key(&conn) {
            if !bytes.is_empty() {
                self.actions.push_back(ServerAction::Send { conn, bytes });
            }
            self.close(conn);
        }
    }

    fn close(&mut self, conn: ConnKey) {
        if self.conns.remove(&conn).is_some() {
            self.actions.push_back(ServerAction::Close { conn });
        }
    }
}

/// What a request asks for. As strict as the web servers that lists are kept on.
fn target(request: &str) -> Option<&str> {
    let mut lines = request.strip_suffix("\r\n\r\n")?.split("\r\n");
    let (target, version) = lines.next()?.strip_prefix("GET ")?.split_once(' ')?;
    let headers: Option<Vec<(&str, &str)>> = lines.map(|line| line.split_once(": ")).collect();
    let hosts = headers?.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).count();
    (version == "HTTP/1.1" && hosts == 1 && target.starts_with('/')).then_some(target)
}

fn chunked(list: &str) -> Vec<u8> {
    let mut text = String::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in list.as_bytes().chunks(4) {
        text.push_str(&format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)));
    }
    (text + "0\r\n\r\n").into_bytes()
}
