//! A server at the other end of a connection: keeps what it was asked, and answers in order.

use super::Setting;
use crate::answers::{self, Stored};
use bytes::Bytes;
use rocketmq_core::command::RequestCode;
use rocketmq_core::wire::{Header, Inbox, WireLimits};
use std::collections::VecDeque;

/// Characters of a unique id of this client.
const ID: usize = 32;

/// One server.
#[derive(Debug)]
pub(super) struct Peer {
    inbox: Inbox,
    requests: VecDeque<Request>,
    stored: u64,
    out: Vec<u8>,
}

#[derive(Debug)]
struct Request {
    opaque: i32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Send { queue_id: i32, unique_id: [u8; ID] },
    Other(RequestCode),
}

impl Default for Peer {
    fn default() -> Self {
        let inbox = Inbox::new(WireLimits::default());
        Self { inbox, requests: VecDeque::new(), stored: 0, out: Vec::new() }
    }
}

impl Peer {
    /// Takes the client's bytes in.
    pub(super) fn read(&mut self, chunks: &[Bytes]) {
        for chunk in chunks {
            let mut frames = self.inbox.feed(chunk);
            while let Some(frame) = frames.next().expect("the client writes frames") {
                let header =
                    Header::parse(&frame, &WireLimits::default()).expect("the client writes headers");
                if !header.is_oneway() {
                    self.requests.push_back(Request { opaque: header.opaque, kind: kind(&header) });
                }
            }
        }
    }

    /// Answers up to `most` of the oldest requests: how many, and the bytes.
    pub(super) fn answers(&mut self, most: usize, setting: &Setting) -> (usize, &mut Vec<u8>) {
        self.out.clear();
        let count = most.min(self.requests.len());
        for Request { opaque, kind } in self.requests.drain(..count) {
            match kind {
                Kind::Send { queue_id, unique_id } => {
                    self.stored += 1;
                    let stored = Stored {
                        queue_id,
                        unique_id: std::str::from_utf8(&unique_id).unwrap_or_default(),
                        log_offset: self.stored * 1_400,
                        queue_offset: self.stored / 8,
                    };
                    answers::stored(&mut self.out, setting.answers, opaque, &stored);
                }
                Kind::Other(code) => answers::other(&mut self.out, code, opaque, setting.shape),
            }
        }
        (count, &mut self.out)
    }

    /// Takes the memory of answers back.
    pub(super) fn keep(&mut self, out: Vec<u8>) {
        self.out = out;
    }

    /// Requests without answer.
    pub(super) fn pending(&self) -> usize {
        self.requests.len()
    }
}

fn kind(header: &Header<'_>) -> Kind {
    let code = RequestCode(header.code);
    if code != RequestCode::SEND_MESSAGE_V2 {
        return Kind::Other(code);
    }
    let queue_id = header.ext.get("e").and_then(|text| text.parse().ok()).expect("a send names its queue");
    let properties = header.ext.get("i").expect("a send has properties");
    let (_, id) = properties.split_once("UNIQ_KEY\u{1}").expect("a send has a unique id");
    let unique_id = id.as_bytes().first_chunk::<ID>().copied().expect("a unique id has 32 characters");
    Kind::Send { queue_id, unique_id }
}
