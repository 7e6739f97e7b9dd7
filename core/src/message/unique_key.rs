//! Unique keys: the message ids that clients make (property `UNIQ_KEY`).
//!
//! Layout, written as upper-case hex, with the sizes of Java's so that tools can read it:
//!
//! | bytes | field |
//! |---|---|
//! | 4 or 16 | address of the client |
//! | 2 | process id, low 16 bits |
//! | 4 | epoch: Java writes a hash of its class loader here, we a number drawn from the seed |
//! | 4 | milliseconds since the start of the month, UTC (Java: local time) |
//! | 2 | counter |
//!
//! Containers share addresses and process ids, so two clients differ by their epochs. Within one
//! client no key comes twice, whatever the wall clock does: inside an epoch the pair of time and
//! counter never repeats, and a clock that went back, or another month, begins a new epoch.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use super::hex;

/// Longest unique key in characters: that of a client with an IPv6 address.
pub(super) const MAX_LEN: usize = 56;

/// Digits of the two fields that change with every key: 4 bytes of time, 2 bytes of counter.
const TIME_DIGITS: usize = 8;
const COUNTER_DIGITS: usize = 4;
const EPOCH_DIGITS: usize = 8;

const MS_PER_DAY: i64 = 86_400_000;

/// A clock may go back by this much, in milliseconds, before a new epoch begins: less than that is
/// everyday correction of a clock, and the time field waits until the clock has caught up.
const TOLERATED_STEP_BACK_MS: i64 = 1_000;

/// Clock readings are clamped to plus or minus this many milliseconds (a hundred million years), so
/// that date arithmetic cannot overflow.
const CLOCK_LIMIT_MS: i64 = 1 << 62;

/// A message id made by a client: up to 56 upper-case hexadecimal digits.
///
/// Compares and sorts as its text does. Read from text with [`str::parse`].
#[doc(alias = "msgId")]
#[doc(alias = "UNIQ_KEY")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueKey {
    // Digits, then zeros: so the derived order is the order of the texts.
    digits: [u8; MAX_LEN],
    len: u8,
}

/// The text is not of the form of a unique key. Keep such an id of another client as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a unique key: 1 to {MAX_LEN} upper-case hexadecimal digits expected; keep it as text")]
pub struct UniqueKeyError;

impl UniqueKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The fallback is out of reach: the digits are ASCII and there are `len` of them.
        core::str::from_utf8(self.as_bytes()).unwrap_or("")
    }

    /// The key as ASCII digits, for writing it into a frame.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl FromStr for UniqueKey {
    type Err = UniqueKeyError;
    fn from_str(text: &str) -> Result<UniqueKey, UniqueKeyError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        let mut digits = [0; MAX_LEN];
        let len = u8::try_from(text.len()).map_err(|_| UniqueKeyError)?;
        let target = digits.get_mut(..text.len()).ok_or(UniqueKeyError)?;
        // Looks at every byte, which is faster than stopping at the first wrong one.
        let all_digits = text.bytes().fold(true, |all, byte| all & is_digit(byte));
        if text.is_empty() || !all_digits {
            return Err(UniqueKeyError);
        }
        target.copy_from_slice(text.as_bytes());
        Ok(UniqueKey { digits, len })
    }
}

impl AsRef<str> for UniqueKey {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes the unique keys of one client.
///
/// ```
/// use rocketmq_core::message::UniqueKeys;
/// let mut keys = UniqueKeys::new([10, 0, 0, 2].into(), 4711, 42);
/// let now_ms = 1_700_000_000_000;
/// let first = keys.next(now_ms);
/// assert!(first.as_str().starts_with("0A0000021267"));
/// assert_ne!(first, keys.next(now_ms - 3_600_000));
/// ```
#[doc(alias = "MessageClientIDSetter")]
#[doc(alias = "createUniqID")]
#[derive(Debug, Clone)]
pub struct UniqueKeys {
    /// The keys of this epoch and time: everything but the counter, so that a key costs a copy and
    /// four digits.
    template: UniqueKey,
    /// Where the epoch's digits begin; time and counter follow them.
    epoch_at: usize,
    epochs: Epochs,
    /// The clock reading given last, clamped.
    clock: i64,
    /// The latest clock reading of this epoch.
    latest: i64,
    /// The current month as clock readings: first millisecond, and the one after the last.
    month_start: i64,
    month_end: i64,
    /// Value of the time field.
    time: u32,
    /// The counter's next value. It runs on through epochs, as Java's does.
    counter: u16,
    /// Keys already given with this epoch and time; the counter has repeated after 65 536.
    used: u32,
}

impl UniqueKeys {
    /// A maker of keys for a client at address `ip` in process `pid`.
    ///
    /// Clients that run at the same time, or after each other on one machine, need different
    /// `seed`s. Equal arguments give equal keys, which is what replaying a run needs.
    #[must_use]
    pub fn new(ip: IpAddr, pid: u32, seed: u64) -> UniqueKeys {
        let mut address = [0; 16];
        let address_len = match ip {
            IpAddr::V4(v4) => {
                address[..4].copy_from_slice(&v4.octets());
                4
            }
            IpAddr::V6(v6) => {
                address = v6.octets();
                16
            }
        };
        let mut digits = [0; MAX_LEN];
        let pid_at = address_len * 2;
        let epoch_at = pid_at + 4;
        let len = epoch_at + EPOCH_DIGITS + TIME_DIGITS + COUNTER_DIGITS;
        hex::write_upper(&address, &mut digits[..pid_at]);
        hex::write_upper(&pid.to_be_bytes()[2..], &mut digits[pid_at..epoch_at]);
        let mut keys = UniqueKeys {
            template: UniqueKey { digits, len: len as u8 },
            epoch_at,
            epochs: Epochs::new(seed),
            clock: 0,
            latest: 0,
            month_start: 0,
            month_end: 0,
            time: 0,
            counter: 0,
            used: 0,
        };
        keys.begin_epoch(0);
        keys
    }

    /// The next key. `unix_ms` is the wall clock in milliseconds since 1970 UTC; it may jump to any
    /// value.
    #[inline]
    pub fn next(&mut self, unix_ms: i64) -> UniqueKey {
        if unix_ms != self.clock {
            self.follow_clock(unix_ms.clamp(-CLOCK_LIMIT_MS, CLOCK_LIMIT_MS));
        }
        if self.used > u32::from(u16::MAX) {
            self.advance_time();
        }
        // The digits go into the copy: writing them into the template would make copying it wait.
        let mut key = self.template;
        let counter_at = self.epoch_at + EPOCH_DIGITS + TIME_DIGITS;
        if let Some(digits) = key.digits.get_mut(counter_at..counter_at + COUNTER_DIGITS) {
            digits.copy_from_slice(&hex::upper_u16(self.counter));
        }
        self.counter = self.counter.wrapping_add(1);
        self.used += 1;
        key
    }

    /// Takes over a clock reading that differs from the last one. At most once per millisecond, so
    /// it stays out of [`UniqueKeys::next`], which is small enough to be inlined then.
    #[inline(never)]
    fn follow_clock(&mut self, clock: i64) {
        self.clock = clock;
        let stepped_back = clock < self.latest.saturating_sub(TOLERATED_STEP_BACK_MS);
        if stepped_back || clock >= self.month_end {
            self.begin_epoch(clock);
            return;
        }
        self.latest = self.latest.max(clock);
        // Before the month by less than a second: the field waits, as for any small step back.
        let offset = clock.saturating_sub(self.month_start);
        let time = u32::try_from(offset).unwrap_or(0);
        if time > self.time {
            self.set_time(time);
        }
    }

    /// Goes on under a number never used before, with the time the clock tells.
    fn begin_epoch(&mut self, clock: i64) {
        let epoch = self.epochs.next();
        let at = self.epoch_at;
        if let Some(digits) = self.template.digits.get_mut(at..at + EPOCH_DIGITS) {
            hex::write_upper(&epoch.to_be_bytes(), digits);
        }
        (self.month_start, self.month_end) = month_of(clock);
        self.clock = clock;
        self.latest = clock;
        // A month has fewer than 2^32 milliseconds.
        let offset = clock.saturating_sub(self.month_start);
        self.set_time(u32::try_from(offset).unwrap_or(0));
    }

    /// All 65 536 counters of this millisecond are used up: borrows the next millisecond.
    #[cold]
    fn advance_time(&mut self) {
        match self.time.checked_add(1) {
            Some(time) => self.set_time(time),
            None => self.begin_epoch(self.clock),
        }
    }

    fn set_time(&mut self, time: u32) {
        self.time = time;
        self.used = 0;
        let at = self.epoch_at + EPOCH_DIGITS;
        if let Some(digits) = self.template.digits.get_mut(at..at + TIME_DIGITS) {
            hex::write_upper(&time.to_be_bytes(), digits);
        }
    }
}

/// Numbers of epochs: looks random, differs from seed to seed, and repeats only after all 2^32
/// numbers were given.
#[derive(Debug, Clone)]
struct Epochs {
    next: u32,
    mask: u32,
}

impl Epochs {
    fn new(seed: u64) -> Epochs {
        let mixed = mix64(seed);
        Epochs { next: (mixed >> 32) as u32, mask: mixed as u32 }
    }

    fn next(&mut self) -> u32 {
        let number = mix32(self.next) ^ self.mask;
        self.next = self.next.wrapping_add(1);
        number
    }
}

/// Scatters a seed, so that neighbouring seeds (0, 1, 2, ...) have nothing in common. One-to-one:
/// xor-shifts and odd factors can be undone.
fn mix64(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The same for 32 bits; that it is one-to-one is why no epoch comes twice.
fn mix32(number: u32) -> u32 {
    let mut x = number;
    x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

/// The month around a clock reading: its first millisecond, and that of the following month.
fn month_of(unix_ms: i64) -> (i64, i64) {
    let day = unix_ms.div_euclid(MS_PER_DAY);
    let (year, month, day_of_month) = civil_from_days(day);
    let first = day - (day_of_month - 1);
    (first * MS_PER_DAY, (first + days_in_month(year, month)) * MS_PER_DAY)
}

/// Year, month (1 to 12) and day of month (1 to 31) of a day counted from 1970-01-01, in the
/// Gregorian calendar extended both ways.
fn civil_from_days(day: i64) -> (i64, i64, i64) {
    // Years are counted from 1 March, so that the leap day is the last day of its year, and in
    // cycles of 400 years, which all have 146 097 days. 719 468 days lie between 0000-03-01 and
    // 1970-01-01.
    let shifted = day + 719_468;
    let cycle = shifted.div_euclid(146_097);
    let day_of_cycle = shifted.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // Five months from March on have 153 days, again and again.
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = (months_since_march + 2) % 12 + 1;
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    (year, month, day_of_month)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[path = "unique_key_tests.rs"]
mod tests;
