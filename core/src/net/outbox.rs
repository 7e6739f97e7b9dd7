//! Bytes on their way out of one connection. Small parts run together, big bodies ride along uncopied.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes, BytesMut};

use crate::wire::USUAL_HEADER_BYTES;

/// Bodies from this size on are not copied: below it one copy is cheaper than a longer gather list.
const COPY_BELOW: usize = 64 * 1024;
/// About how much one call of [`Outbox::take`] hands out. More per write does not fit a processor's cache.
const TAKE: usize = 256 * 1024;
/// How much is asked of the allocator at once.
const CHUNK: usize = 64 * 1024;
/// Chunks whose memory is kept: as many as an outbox at its usual limit has besides the one that is being filled.
const SPARE: usize = 3;

/// Encoded bytes, kept until the driver reports that the socket took them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    sealed: VecDeque<Bytes>,
    tail: BytesMut,
    /// Memory of chunks that were written, for the next ones.
    spare: Vec<BytesMut>,
    /// Bytes ever put in.
    encoded: u64,
    /// Bytes ever reported as taken.
    written: u64,
}

impl Outbox {
    /// Bytes not yet taken by the socket.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.encoded - self.written).unwrap_or(usize::MAX)
    }

    /// Position behind the last byte that was put in.
    pub(crate) fn encoded(&self) -> u64 {
        self.encoded
    }

    /// Position behind the last byte that the socket took.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Lets `encode` append a header and a body of `body` bytes to the tail; what it appended is kept only when it
    /// succeeds.
    pub(crate) fn append<E>(
        &mut self,
        body: usize,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        let room = USUAL_HEADER_BYTES.saturating_add(body);
        if self.tail.capacity() - self.tail.len() < room {
            // A tail that grew would be copied as a whole.
            self.seal();
            let wanted = room.max(CHUNK);
            // When all that it held was written, nobody but the tail holds its memory any more.
            if !self.tail.try_reclaim(wanted) {
                let used = core::mem::take(&mut self.tail);
                self.tail = self.spare.pop().unwrap_or(used);
                self.tail.reserve(wanted);
            }
        }
        let before = self.tail.len();
        match encode(&mut self.tail) {
            Ok(()) => {
                self.encoded += (self.tail.len() - before) as u64;
                Ok(())
            }
            Err(error) => {
                self.tail.truncate(before);
                Err(error)
            }
        }
    }

    /// True when a body of this size rides along instead of being copied.
    pub(crate) fn rides_along(body: &Bytes) -> bool {
        body.len() >= COPY_BELOW
    }

    /// Appends a body without copying it.
    pub(crate) fn append_shared(&mut self, body: Bytes) {
        self.seal();
        self.encoded += body.len() as u64;
        self.sealed.push_back(body);
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.sealed.push_back(self.tail.split().freeze());
        }
    }

    /// Hands out shared chunks from the first byte that the socket has not taken.
    pub(crate) fn take(&mut self, into: &mut Vec<Bytes>) {
        self.seal();
        let mut taken = 0;
        for chunk in &self.sealed {
            into.push(chunk.clone());
            taken += chunk.len();
            if taken >= TAKE {
                break;
            }
        }
    }

    /// The socket took `count` bytes. More than there are is cut: a driver's slip must not wrap a counter.
    pub(crate) fn wrote(&mut self, count: usize) {
        let mut left = count.min(self.len());
        self.written += left as u64;
        while left > 0 {
            if self.sealed.is_empty() {
                // Bytes count even when the driver never asked for them by `take`.
                self.seal();
            }
            let Some(first) = self.sealed.front_mut() else {
                break;
            };
            if first.len() > left {
                first.advance(left);
                break;
            }
            left -= first.len();
            if let Some(written) = self.sealed.pop_front() {
                self.keep(written);
            }
        }
    }

    /// Keeps the memory of a chunk that nobody else holds any more.
    fn keep(&mut self, written: Bytes) {
        if self.spare.len() < SPARE
            && let Ok(mut memory) = written.try_into_mut()
        {
            memory.clear();
            if memory.try_reclaim(CHUNK) && memory.capacity() <= 2 * CHUNK {
                self.spare.push(memory);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COPY_BELOW, Outbox};
    use crate::ground::Rng;
    use alloc::vec;
    use alloc::vec::Vec;
    use bytes::{Bytes, BytesMut};

    fn put(outbox: &mut Outbox, bytes: &[u8]) {
        let done: Result<(), ()> = outbox.append(0, |tail: &mut BytesMut| {
            tail.extend_from_slice(bytes);
            Ok(())
        });
        assert_eq!(done, Ok(()));
    }

    #[test]
    fn a_failed_encode_leaves_nothing() {
        let mut outbox = Outbox::default();
        put(&mut outbox, b"ab");
        let failed: Result<(), u8> = outbox.append(0, |tail: &mut BytesMut| {
            tail.extend_from_slice(b"half");
            Err(7)
        });
        assert_eq!(failed, Err(7));
        let mut chunks = Vec::new();
        outbox.take(&mut chunks);
        assert_eq!(chunks, vec![Bytes::from_static(b"ab")]);
        assert_eq!(outbox.len(), 2);
    }

    #[test]
    fn partial_writes_keep_the_stream_whole() {
        let mut rng = Rng::new(1);
        let mut outbox = Outbox::default();
        let (mut given, mut got) = (Vec::new(), Vec::new());
        // An interpreter needs a hundred times as long.
        for step in 0..if cfg!(miri) { 90 } else { 500_u32 } {
            let byte = u8::try_from(step % 251).unwrap();
            if step % 40 == 0 {
                let body = Bytes::from(vec![byte; COPY_BELOW + 3]);
                given.extend_from_slice(&body);
                outbox.append_shared(body);
            } else {
                let part = vec![byte; usize::try_from(rng.below(900)).unwrap()];
                given.extend_from_slice(&part);
                put(&mut outbox, &part);
            }
            let mut chunks = Vec::new();
            outbox.take(&mut chunks);
            let all: Vec<u8> = chunks.concat();
            let count = usize::try_from(rng.below(all.len() as u64 + 1)).unwrap();
            got.extend_from_slice(&all[..count]);
            outbox.wrote(count);
        }
        let mut chunks = Vec::new();
        while outbox.len() > 0 {
            chunks.clear();
            outbox.take(&mut chunks);
            for chunk in &chunks {
                got.extend_from_slice(chunk);
                outbox.wrote(chunk.len());
            }
        }
        assert_eq!(got, given);
        assert_eq!(outbox.encoded(), outbox.written());
        outbox.wrote(10);
        assert_eq!(outbox.encoded(), outbox.written());
    }
}
