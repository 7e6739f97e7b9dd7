//! Progress on standard error: one line that changes where there is a terminal, else a line now and then.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often lines come where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What is shown while seeds run.
pub(crate) struct Progress {
    terminal: bool,
    /// Sessions that there are; none: nobody knows.
    sessions: Option<u64>,
    shown: Option<Instant>,
    /// The cursor stands behind a line that is going to change.
    open: bool,
}

impl Progress {
    pub(crate) fn new(sessions: Option<u64>) -> Progress {
        Progress { terminal: stderr().is_terminal(), sessions, shown: None, open: false }
    }

    /// How long to wait between two looks.
    pub(crate) fn pause(&self) -> Duration {
        if self.terminal { Duration::from_millis(200) } else { Duration::from_secs(1) }
    }

    /// Shows how far it is, if it is time.
    pub(crate) fn show(&mut self, done: u64, sends: u64, failed: usize, took: Duration) {
        let line_is_due = self.shown.map_or(took, |shown| shown.elapsed()) >= LINE_EVERY;
        if !self.terminal && !line_is_due {
            return;
        }
        self.shown = Some(Instant::now());
        let text = text(done, self.sessions, sends, failed, took);
        if self.terminal {
            self.put(&format!("\r\x1b[K{text}"));
            self.open = true;
        } else {
            self.put(&format!("{text}\n"));
        }
    }

    /// Shows a line that stays.
    pub(crate) fn line(&mut self, text: &str) {
        self.end();
        self.put(&format!("{text}\n"));
    }

    /// What follows stands on a line of its own.
    pub(crate) fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            self.put("\r\x1b[K");
        }
    }

    fn put(&self, text: &str) {
        // Without anybody who reads it the work goes on.
        let _ = stderr().write_all(text.as_bytes());
    }
}

fn text(done: u64, all: Option<u64>, sends: u64, failed: usize, took: Duration) -> String {
    let of = all.map_or_else(String::new, |all| {
        let percent = done.saturating_mul(100) / all.max(1);
        format!(" of {all} ({percent} %)")
    });
    let seconds = took.as_secs_f64().max(0.001);
    let rate = done as f64 / seconds;
    let broken = if failed == 0 { String::new() } else { format!(", {failed} FAILED") };
    format!("{done} sessions{of}, {sends} sends, {rate:.0} sessions/s, {seconds:.0} s{broken}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_how_much_is_left() {
        let line = text(500, Some(2_000), 30_000, 0, Duration::from_secs(10));
        assert_eq!(line, "500 sessions of 2000 (25 %), 30000 sends, 50 sessions/s, 10 s");
        let line = text(500, None, 30_000, 2, Duration::from_secs(10));
        assert_eq!(line, "500 sessions, 30000 sends, 50 sessions/s, 10 s, 2 FAILED");
    }
}
