//! The server's side of the protocol, as little of it as a producer needs, written apart from the core.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Request codes that the peer knows.
mod code {
    pub(super) const SEND_MESSAGE: i64 = 10;
    pub(super) const HEART_BEAT: i64 = 34;
    pub(super) const UNREGISTER_CLIENT: i64 = 35;
    pub(super) const GET_ROUTEINFO_BY_TOPIC: i64 = 105;
    pub(super) const SEND_MESSAGE_V2: i64 = 310;
}

/// What all peers of one cluster have seen, shared by clones.
#[derive(Clone, Debug, Default)]
pub struct Store {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    bodies: Vec<Vec<u8>>,
    requests: BTreeMap<i64, usize>,
}

impl Store {
    /// The bodies of all messages, in the order in which they came.
    #[must_use]
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).bodies.clone()
    }

    /// How many messages came.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).bodies.len()
    }

    /// How many clients unregistered (request code 35).
    #[must_use]
    pub fn unregistered(&self) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests.get(&code::UNREGISTER_CLIENT).copied().unwrap_or(0)
    }

    fn note(&self, request: i64, body: Option<&[u8]>) -> usize {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.requests.entry(request).or_default() += 1;
        seen.bodies.extend(body.map(<[u8]>::to_vec));
        seen.bodies.len()
    }
}

/// One connection's server: name server and broker in one. Takes bytes, gives answers.
#[derive(Debug)]
pub struct Peer {
    store: Store,
    route: String,
    inbox: Vec<u8>,
}

impl Peer {
    /// A peer whose route names these brokers (name and port on `127.0.0.1`), each with one queue.
    #[must_use]
    pub fn new(store: Store, brokers: &[(String, u16)]) -> Self {
        let list =
            |one: &dyn Fn(&(String, u16)) -> String| brokers.iter().map(one).collect::<Vec<_>>().join(",");
        let addresses = list(&|(name, port)| {
            format!(r#"{{"brokerAddrs":{{0:"127.0.0.1:{port}"}},"brokerName":"{name}","cluster":"c"}}"#)
        });
        let queues = list(&|(name, _)| {
            format!(
                r#"{{"brokerName":"{name}","perm":6,"readQueueNums":1,"topicSysFlag":0,"writeQueueNums":1}}"#
            )
        });
        let route =
            format!(r#"{{"brokerDatas":[{addresses}],"filterServerTable":{{}},"queueDatas":[{queues}]}}"#);
        Self { store, route, inbox: Vec::new() }
    }

    /// Takes bytes as they came and returns the answers to the requests that are complete, one by one.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.inbox.extend_from_slice(bytes);
        let mut answers = Vec::new();
        while let Some(length) = self.inbox.first_chunk().map(|length| u32::from_be_bytes(*length) as usize) {
            let Some(frame) = self.inbox.get(4..4 + length).map(<[u8]>::to_vec) else {
                break;
            };
            self.inbox.drain(..4 + length);
            answers.extend(self.answer(&frame));
        }
        answers
    }

    fn answer(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let (mark, rest) = frame.split_first_chunk()?;
        // The highest byte is the serialize type: the suite speaks JSON.
        let (header, body) = rest.split_at_checked(u32::from_be_bytes(*mark) as usize & 0x00ff_ffff)?;
        let header = String::from_utf8_lossy(header);
        let request = number(&header, "\"code\":")?;
        let opaque = number(&header, "\"opaque\":")?;
        let is_message = matches!(request, code::SEND_MESSAGE | code::SEND_MESSAGE_V2);
        let offset = self.store.note(request, is_message.then_some(body));
        if number(&header, "\"flag\":").is_some_and(|flag| flag & 2 != 0) {
            return None;
        }
        Some(match request {
            code::SEND_MESSAGE | code::SEND_MESSAGE_V2 => {
                let offset = offset.saturating_sub(1);
                let id = format!("7F00000100002A9F{offset:016X}");
                let ext =
                    format!(r#""extFields":{{"msgId":"{id}","queueId":"0","queueOffset":"{offset}"}},"#);
                response(0, opaque, &ext, b"")
            }
            code::GET_ROUTEINFO_BY_TOPIC => response(0, opaque, "", self.route.as_bytes()),
            code::HEART_BEAT | code::UNREGISTER_CLIENT => response(0, opaque, "", b""),
            _ => response(3, opaque, "", b""),
        })
    }
}

/// The number behind `key`, which may stand in quotes.
fn number(header: &str, key: &str) -> Option<i64> {
    let (_, rest) = header.split_once(key)?;
    let rest = rest.trim_start_matches(['"', ' ']);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

fn response(code: i64, opaque: i64, ext: &str, body: &[u8]) -> Vec<u8> {
    let header = format!(
        r#"{{"code":{code},{ext}"flag":1,"language":"JAVA","opaque":{opaque},"serializeTypeCurrentRPC":"JSON","version":505}}"#
    );
    let mut frame = Vec::new();
    frame.extend((4 + header.len() + body.len()).to_be_bytes().iter().skip(size_of::<usize>() - 4));
    frame.extend(header.len().to_be_bytes().iter().skip(size_of::<usize>() - 4));
    frame.extend(header.as_bytes());
    frame.extend(body);
    frame
}
