//! A schedule of starts: message number n is due n / rate seconds after the first one, whether or not
//! the ones before it are done. Latencies count from there, so a stall is seen in all it delayed.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use async_channel::Receiver;

/// Due messages that wait for a sender; more make the schedule wait, which changes no due time.
const DUE_AHEAD: usize = 1024;

/// Hands out the times at which messages are due, none before its time.
///
/// A thread keeps the time: runtimes round their timers up to a millisecond, which would show in every
/// latency. It ends when the receiver is closed or dropped.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn schedule(rate: f64) -> io::Result<Receiver<Instant>> {
    let (sender, receiver) = async_channel::bounded(DUE_AHEAD);
    thread::Builder::new().name("pace".into()).spawn(move || {
        let start = Instant::now();
        for number in 0_u64.. {
            let Some(due) = due(start, number, rate) else {
                return;
            };
            let ahead = due.saturating_duration_since(Instant::now());
            if !ahead.is_zero() {
                thread::sleep(ahead);
            }
            if sender.send_blocking(due).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// When message `number` is due; none when no clock counts that far.
fn due(start: Instant, number: u64, rate: f64) -> Option<Instant> {
    let offset = Duration::try_from_secs_f64(number as f64 / rate).ok()?;
    start.checked_add(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_are_evenly_spaced_from_the_start() {
        let start = Instant::now();
        assert_eq!(due(start, 0, 500.0), Some(start));
        assert_eq!(due(start, 1, 500.0), Some(start + Duration::from_millis(2)));
        assert_eq!(due(start, 250_000, 500.0), Some(start + Duration::from_secs(500)));
    }

    #[test]
    fn times_beyond_the_clock_end_the_schedule() {
        assert_eq!(due(Instant::now(), u64::MAX, 0.001), None);
    }

    #[test]
    fn a_closed_schedule_hands_nothing_out() {
        let due = schedule(10_000_000.0).expect("thread");
        smol::block_on(due.recv()).expect("the first is due at once");
        due.close();
        while smol::block_on(due.recv()).is_ok() {}
        assert!(due.is_closed());
    }
}
