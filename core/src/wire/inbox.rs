//! From a byte stream, in pieces of any size, to whole frames.

use alloc::vec::Vec;

use super::frame::{FrameError, PREFIX_BYTES, Prefix, RawFrame, WireLimits};

/// A buffer larger than this is given back once its frame is over.
const KEPT_CAPACITY: usize = 16 * 1024;

/// Cuts one direction of a connection into frames.
///
/// Whole frames are handed out straight from the received bytes. Only a frame that is not
/// complete yet is copied here, and memory grows with the bytes that arrive, never with the
/// length a peer announces.
///
/// ```
/// use rocketmq_core::wire::{Inbox, WireLimits};
///
/// let mut inbox = Inbox::new(WireLimits::default());
/// let bytes = [0, 0, 0, 6, 0, 0, 0, 2, b'{', b'}'];
/// assert_eq!(inbox.feed(&bytes[..7]).next(), Ok(None));
/// let mut frames = inbox.feed(&bytes[7..]);
/// assert_eq!(frames.next().unwrap().unwrap().header, b"{}");
/// assert_eq!(frames.next(), Ok(None));
/// ```
#[derive(Debug)]
pub struct Inbox {
    limits: WireLimits,
    held: Vec<u8>,
    /// The held frame was handed out whole and is to be dropped before anything else.
    handed_out: bool,
    frame_start: u64,
    failed: Option<FrameError>,
}

impl Inbox {
    /// An inbox that holds nothing, for the start of a connection.
    #[must_use]
    pub fn new(limits: WireLimits) -> Self {
        Self { limits, held: Vec::new(), handed_out: false, frame_start: 0, failed: None }
    }

    /// Takes the next bytes of the stream.
    ///
    /// Call [`Frames::next`] until it returns `Ok(None)` or an error: frames that are not asked
    /// for are lost.
    #[inline]
    pub fn feed<'a>(&'a mut self, bytes: &'a [u8]) -> Frames<'a> {
        Frames { inbox: self, bytes }
    }

    /// Bytes of an incomplete frame that are held here.
    #[must_use]
    pub fn held(&self) -> usize {
        if self.handed_out { 0 } else { self.held.len() }
    }

    /// Memory the inbox occupies for held bytes, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.held.capacity()
    }

    /// Place in the stream, in bytes from its start, where the next frame starts, or after an
    /// error the frame that is wrong.
    #[must_use]
    pub fn frame_start(&self) -> u64 {
        self.frame_start
    }

    fn release(&mut self) {
        self.handed_out = false;
        if self.held.capacity() > KEPT_CAPACITY {
            self.held = Vec::new();
        } else {
            self.held.clear();
        }
    }

    #[cold]
    fn fail(&mut self, error: FrameError) -> FrameError {
        self.failed = Some(error.clone());
        self.held = Vec::new();
        self.handed_out = false;
        error
    }

    /// Moves bytes from `bytes` until `target` are held; false when they run out before.
    fn take(&mut self, bytes: &mut &[u8], target: usize) -> bool {
        let missing = target.saturating_sub(self.held.len());
        let (now, rest) = bytes.split_at(missing.min(bytes.len()));
        let len = self.held.len() + now.len();
        if len > self.held.capacity() {
            // Double, so that a frame in many pieces is not copied each time, but not past its end.
            let capacity = len.max((self.held.capacity() * 2).min(target));
            self.held.reserve_exact(capacity - self.held.len());
        }
        self.held.extend_from_slice(now);
        *bytes = rest;
        self.held.len() >= target
    }
}

/// The frames of one piece of a stream; see [`Inbox::feed`].
#[derive(Debug)]
#[must_use = "frames that are not asked for are lost"]
pub struct Frames<'a> {
    inbox: &'a mut Inbox,
    bytes: &'a [u8],
}

impl Frames<'_> {
    /// The next whole frame, `None` when the rest is incomplete and kept for the next piece.
    ///
    /// # Errors
    /// The bytes are no frame. From there on the stream has no frames; the error comes again.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "a lending iterator: the frame borrows self")]
    pub fn next(&mut self) -> Result<Option<RawFrame<'_>>, FrameError> {
        if !self.inbox.held.is_empty() || self.inbox.failed.is_some() {
            return self.next_held();
        }
        self.next_direct()
    }

    #[inline]
    fn next_direct(&mut self) -> Result<Option<RawFrame<'_>>, FrameError> {
        let bytes = self.bytes;
        if bytes.is_empty() {
            return Ok(None);
        }
        let prefix = match Prefix::check(bytes, &self.inbox.limits) {
            Ok(prefix) => prefix,
            Err(error) => return Err(self.inbox.fail(error)),
        };
        if let Some(prefix) = prefix
            && let Some(frame) = prefix.frame(bytes)
        {
            self.bytes = bytes.get(prefix.frame_len..).unwrap_or_default();
            self.inbox.frame_start += prefix.frame_len as u64;
            return Ok(Some(frame));
        }
        self.inbox.take(&mut self.bytes, bytes.len());
        Ok(None)
    }

    /// Completes the held frame first; the rest of the piece is then read in place again.
    fn next_held(&mut self) -> Result<Option<RawFrame<'_>>, FrameError> {
        if let Some(error) = &self.inbox.failed {
            return Err(error.clone());
        }
        if self.inbox.handed_out {
            self.inbox.release();
            return self.next_direct();
        }
        let prefix = match self.held_prefix() {
            Ok(Some(prefix)) => prefix,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.inbox.fail(error)),
        };
        if !self.inbox.take(&mut self.bytes, prefix.frame_len) {
            return Ok(None);
        }
        self.inbox.handed_out = true;
        self.inbox.frame_start += prefix.frame_len as u64;
        Ok(prefix.frame(&self.inbox.held))
    }

    fn held_prefix(&mut self) -> Result<Option<Prefix>, FrameError> {
        self.inbox.take(&mut self.bytes, PREFIX_BYTES);
        Prefix::check(&self.inbox.held, &self.inbox.limits)
    }
}

#[cfg(test)]
mod tests;
