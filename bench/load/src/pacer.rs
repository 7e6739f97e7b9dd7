//! When each message of an offered rate is due. Latency counts from there, so that a client that falls behind cannot
//! hide it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A rate of messages, from one moment on.
#[derive(Clone, Copy, Debug)]
pub struct Timetable {
    start: Instant,
    per_second: f64,
}

impl Timetable {
    /// From `start` on, `per_second` messages each second. The rate is positive.
    #[must_use]
    pub fn new(start: Instant, per_second: f64) -> Self {
        Self { start, per_second }
    }

    /// When the message of this number is to be sent.
    #[must_use]
    pub fn intended(&self, number: u64) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / self.per_second)
    }

    /// How many are due by `now`.
    fn due(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start);
        (since.as_secs_f64() * self.per_second).floor() as u64 + 1
    }

    /// Adds a permit to `due` for each of `total` messages when it is due.
    ///
    /// A thread does it: timers of runtimes count in milliseconds, and a message each 20 µs would come in bursts of 50.
    /// The thread's own wake-ups are in what the process uses.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn give_out(self, total: u64, due: Arc<Semaphore>) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("pacer".into()).spawn(move || self.give(total, &due))
    }

    fn give(self, total: u64, due: &Semaphore) {
        // The system may let threads sleep 50 µs longer than they wish; where it does not listen, they do.
        let _finer = nix::sys::prctl::set_timerslack(1);
        let mut given = 0;
        loop {
            let now = self.due(Instant::now()).min(total);
            due.add_permits(usize::try_from(now - given).unwrap_or(0));
            given = now;
            if given == total {
                return;
            }
            std::thread::sleep(self.intended(given).saturating_duration_since(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timetable;
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use tokio::sync::Semaphore;

    #[test]
    fn messages_are_due_at_even_distances_from_the_start() {
        let start = Instant::now();
        let table = Timetable::new(start, 1_000.0);
        assert_eq!(table.due(start), 1);
        assert_eq!(table.intended(0), start);
        assert_eq!(table.intended(2_500), start + Duration::from_millis(2_500));
        assert_eq!(table.due(start + Duration::from_micros(2_500)), 3);
    }

    #[test]
    fn each_message_gets_one_permit_and_none_comes_early() {
        let due = Arc::new(Semaphore::new(0));
        let start = Instant::now();
        let pacer = Timetable::new(start, 40_000.0).give_out(2_001, due.clone()).unwrap();
        while start.elapsed() < Duration::from_millis(20) {
            let permits = due.available_permits();
            let most = start.elapsed().as_secs_f64() * 40_000.0 + 1.0;
            assert!(permits as f64 <= most, "{permits} are given, {most} are due");
        }
        pacer.join().unwrap();
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!(due.available_permits(), 2_001);
    }
}
