//! Unique ids as clients make them: 20 digits for the process, then time and a counter.

use std::net::Ipv4Addr;

const HEX: &[u8; 16] = b"0123456789ABCDEF";
/// Address, process id and a hash that tells clients of one process apart.
pub(crate) const PROCESS_DIGITS: usize = 20;
/// Milliseconds, then the counter.
pub(crate) const CHANGING_DIGITS: usize = 12;

/// Makes ids.
pub(crate) struct UniqueIds {
    start_millis: u64,
    millis: u32,
    counter: u16,
}

impl UniqueIds {
    pub(crate) fn new(now_millis: u64) -> Self {
        Self { start_millis: now_millis, millis: 0, counter: 0 }
    }

    /// The digits that are the same for all ids.
    pub(crate) fn process_digits() -> [u8; PROCESS_DIGITS] {
        let [a, b, c, d] = Ipv4Addr::LOCALHOST.octets();
        let [e, f] = (std::process::id() as u16).to_be_bytes();
        let mut digits = [0; PROCESS_DIGITS];
        hex(&mut digits, &[a, b, c, d, e, f, 0x1B, 0x2C, 0x3D, 0x4E]);
        digits
    }

    /// Says what time it is, from now on.
    pub(crate) fn set_time(&mut self, now_millis: u64) {
        self.millis = now_millis.wrapping_sub(self.start_millis) as u32;
    }

    /// The digits of the next id.
    #[inline]
    pub(crate) fn next(&mut self) -> [u8; CHANGING_DIGITS] {
        let [a, b, c, d] = self.millis.to_be_bytes();
        let [e, f] = self.counter.to_be_bytes();
        self.counter = self.counter.wrapping_add(1);
        let mut digits = [0; CHANGING_DIGITS];
        hex(&mut digits, &[a, b, c, d, e, f]);
        digits
    }
}

#[inline]
fn hex(digits: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
}
