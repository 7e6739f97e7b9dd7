//! What became of requests that were written and have no answer, for hooks: floors that ask learn of their own ones only.

use super::{ConnKey, Failure, Net, Request, RequestKey, Stage, slot_key};
use alloc::vec::Vec;

/// A request that was written and ended without an answer.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) conn: ConnKey,
    pub(crate) opaque: i32,
    pub(crate) one_way: bool,
    pub(crate) how: EndedHow,
}

/// How it ended.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum EndedHow {
    /// One-way: the socket took all of it.
    HandedOver,
    Failed(Failure),
    /// Nobody wants its answer any more.
    Withdrawn,
}

impl<P: Copy> Net<P> {
    /// From now on such requests are noted, for [`Net::take_ended`].
    pub(crate) fn watch_ended(&mut self) {
        self.ended.get_or_insert_default();
    }

    /// Those that have ended since the last call.
    pub(crate) fn take_ended(&mut self) -> Vec<Ended> {
        self.ended.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// Whether no answer to a request is wanted.
    pub(crate) fn is_one_way(&self, request: RequestKey) -> bool {
        self.requests.get(slot_key(request)).is_some_and(|request| request.one_way)
    }

    pub(super) fn note_ended(&mut self, request: &Request<P>, how: impl FnOnce() -> EndedHow) {
        if let (Some(ended), Stage::OnWire { conn, opaque, .. }) = (&mut self.ended, request.stage) {
            ended.push(Ended { conn, opaque, one_way: request.one_way, how: how() });
        }
    }
}
