//! One connection as its other end sees it.

use std::collections::{BTreeMap, VecDeque};

use super::super::plain::{Plain, plain};
use super::web::WEB;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Connecting,
    Open,
    /// The client closed it. Bytes may still be on their way to it.
    ClosedHere,
    /// The driver has said that it is gone: nothing comes from it any more.
    Gone,
}

/// A request that came in whole.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) code: i64,
    pub(crate) opaque: i32,
    pub(crate) one_way: bool,
    pub(crate) ext: BTreeMap<String, String>,
    /// Its place in the list of attempts, when it is a send.
    pub(crate) attempt: Option<usize>,
    pub(crate) answered: bool,
}

/// What an answer says about an attempt, once the client has read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) attempt: usize,
    /// Stored, with all that a receipt needs: code, queue, offset.
    pub(crate) stored: Option<(i32, i32, i64)>,
    pub(crate) proves_not_stored: bool,
}

/// The other end.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) state: State,
    /// Bytes that the client wrote and that are not a whole frame yet.
    up: Vec<u8>,
    pub(crate) requests: Vec<Request>,
    /// A whole HTTP question came and has no answer.
    pub(crate) asked: bool,
    /// Bytes that the client has not read.
    pub(crate) down: VecDeque<u8>,
    /// How many bytes are to be read until an answer is known, with the answer.
    effects: VecDeque<(usize, Option<Told>)>,
    /// Something that is no frame went down: nothing after it counts.
    pub(crate) broken: bool,
}

impl Peer {
    pub(crate) fn new(address: String) -> Peer {
        Peer {
            address,
            state: State::Connecting,
            up: Vec::new(),
            requests: Vec::new(),
            asked: false,
            down: VecDeque::new(),
            effects: VecDeque::new(),
            broken: false,
        }
    }

    pub(crate) fn is_name_server(&self) -> bool {
        self.address.ends_with(":9876")
    }

    pub(crate) fn is_web(&self) -> bool {
        self.address == WEB
    }

    /// Bytes that the socket took; the whole frames in them. Panics when they are none.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Plain> {
        self.up.extend_from_slice(bytes);
        if self.is_web() {
            let question = b"GET /rocketmq/nsaddr HTTP/1.1\r\n";
            assert!(self.up.iter().zip(question).all(|(came, wanted)| came == wanted));
            self.asked |= self.up.ends_with(b"\r\n\r\n");
            return Vec::new();
        }
        let mut frames = Vec::new();
        while let Some(length) = self.up.first_chunk::<4>() {
            let end = u32::from_be_bytes(*length) as usize + 4;
            if self.up.len() < end {
                break;
            }
            frames.push(plain(&self.up[..end]));
            self.up.drain(..end);
        }
        frames
    }

    /// Sends bytes down; what they tell counts when the last one is read.
    pub(crate) fn say(&mut self, bytes: &[u8], told: Option<Told>) {
        self.down.extend(bytes);
        let before: usize = self.effects.iter().map(|(len, _)| len).sum();
        self.effects.push_back((self.down.len() - before, told.filter(|_| !self.broken)));
    }

    /// The client reads some bytes; returns them with what they tell.
    pub(crate) fn read(&mut self, most: usize) -> (Vec<u8>, Vec<Told>) {
        let bytes: Vec<u8> = self.down.drain(..most.min(self.down.len())).collect();
        let mut left = bytes.len();
        let mut told = Vec::new();
        while let Some((len, effect)) = self.effects.front_mut() {
            let now = left.min(*len);
            *len -= now;
            left -= now;
            if *len > 0 {
                break;
            }
            told.extend(*effect);
            self.effects.pop_front();
        }
        (bytes, told)
    }
}
