//! For who looks at all requests, as hooks do: they are encoded apart, and what became of those without an answer is noted.
//! Floors that ask learn of their own requests only.

use super::{ConnKey, Failure, Net, Outbox, Request, RequestKey, Stage, slot_key};
use alloc::vec::Vec;
use bytes::Bytes;

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

/// What is kept for who looks at all requests.
#[derive(Debug, Default)]
pub(super) struct Watch {
    ended: Vec<Ended>,
    /// Where a request is encoded first.
    scratch: Outbox,
}

impl<P: Copy> Net<P> {
    /// From now on requests are encoded apart, for [`Net::take_encoded`], and noted when they end, for [`Net::take_ended`].
    pub(crate) fn watch_requests(&mut self) {
        self.watch.get_or_insert_default();
    }

    /// Those that have ended since the last call.
    pub(crate) fn take_ended(&mut self) -> Vec<Ended> {
        self.watch.as_mut().map(|watch| core::mem::take(&mut watch.ended)).unwrap_or_default()
    }

    /// Where the frame of a request goes that is to be looked at; the question of discovery is not.
    #[cold]
    #[inline(never)]
    pub(super) fn watched_outbox(&mut self, conn: ConnKey) -> Option<&mut Outbox> {
        if self.is_discovery(conn) {
            return self.own_outbox(conn);
        }
        self.watch.as_mut().map(|watch| &mut watch.scratch)
    }

    /// The outbox of a connection itself.
    pub(crate) fn own_outbox(&mut self, conn: ConnKey) -> Option<&mut Outbox> {
        self.conns.get_mut(conn).map(|conn| &mut conn.outbox)
    }

    /// The request that was encoded last: its first bytes with the header, and its body if that rides along.
    pub(crate) fn take_encoded(&mut self) -> (Bytes, Option<Bytes>) {
        let mut chunks = Vec::new();
        if let Some(watch) = &mut self.watch {
            watch.scratch.take(&mut chunks);
            watch.scratch.wrote(watch.scratch.len());
        }
        let mut chunks = chunks.into_iter();
        (chunks.next().unwrap_or_default(), chunks.next())
    }

    /// Whether no answer to a request is wanted.
    pub(crate) fn is_one_way(&self, request: RequestKey) -> bool {
        self.requests.get(slot_key(request)).is_some_and(|request| request.one_way)
    }

    pub(super) fn note_ended(&mut self, request: &Request<P>, how: impl FnOnce() -> EndedHow) {
        if let (Some(watch), Stage::OnWire { conn, opaque, .. }) = (&mut self.watch, request.stage) {
            watch.ended.push(Ended { conn, opaque, one_way: request.one_way, how: how() });
        }
    }
}
