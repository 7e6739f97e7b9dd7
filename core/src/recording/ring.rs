//! The newest records in bounded memory.

use super::parts::{Parts, put_number};
use super::write::{GAP, put_header, put_record};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Keeps the newest records of a recording, whole ones only, within a number of bytes. The start of the recording
/// is kept besides, so that what comes out is a recording again.
///
/// A client's state is made by all of its inputs, and there is no picture of it that could be kept instead. So once
/// the ring has dropped a record it can be read as a story, but not replayed; until then it can be both.
#[derive(Debug)]
pub struct Ring {
    /// The start record with its length.
    start: Vec<u8>,
    bytes: VecDeque<u8>,
    most: usize,
    dropped_records: u64,
    dropped_bytes: u64,
}

impl Ring {
    /// A ring of so many bytes behind the bytes that a new [`Recorder`](super::Recorder) has written: its start.
    #[must_use]
    pub fn new(start: Vec<u8>, most: usize) -> Self {
        Self { start, bytes: VecDeque::new(), most, dropped_records: 0, dropped_bytes: 0 }
    }

    /// Adds whole records, as a recorder wrote them.
    pub fn push(&mut self, records: &[u8]) {
        let mut rest = records;
        while let Some(len) = record_len(rest.iter().take(10).copied()) {
            let (record, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            self.push_one(record);
            rest = behind;
        }
    }

    fn push_one(&mut self, record: &[u8]) {
        while !self.bytes.is_empty() && self.bytes.len().saturating_add(record.len()) > self.most {
            let len = record_len(self.bytes.iter().take(10).copied()).unwrap_or(usize::MAX);
            let len = len.min(self.bytes.len());
            drop(self.bytes.drain(..len));
            self.count_dropped(len);
        }
        if record.len() > self.most {
            self.count_dropped(record.len());
        } else {
            self.bytes.extend(record);
        }
    }

    fn count_dropped(&mut self, bytes: usize) {
        self.dropped_records += 1;
        self.dropped_bytes = self.dropped_bytes.saturating_add(bytes as u64);
    }

    /// True as long as nothing was dropped: what [`to_vec`](Self::to_vec) returns can be replayed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.dropped_records == 0
    }

    /// Bytes held, the start not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True when no record is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A recording of what is held; a record behind the start tells how much was dropped before.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let (front, back) = self.bytes.as_slices();
        let mut out = Vec::with_capacity(self.start.len() + self.bytes.len() + 32);
        if self.start.is_empty() {
            put_header(&mut out);
        }
        out.extend_from_slice(&self.start);
        if !self.is_whole() {
            let mut gap = Vec::new();
            put_number(&mut gap, self.dropped_records);
            put_number(&mut gap, self.dropped_bytes);
            put_record(&mut out, GAP, &gap);
        }
        out.extend_from_slice(front);
        out.extend_from_slice(back);
        out
    }
}

/// The bytes of the record that begins here, its length included; none when that does not begin here.
fn record_len(front: impl Iterator<Item = u8>) -> Option<usize> {
    let mut head = [0; 10];
    let mut count = 0;
    for (to, byte) in head.iter_mut().zip(front) {
        *to = byte;
        count += 1;
    }
    let mut parts = Parts::new(head.get(..count)?);
    let len: usize = parts.narrow("length").ok()?;
    parts.at().checked_add(len)
}
