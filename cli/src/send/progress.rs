//! The progress bar of `send`, drawn on the terminal of standard error and nowhere else.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::ledger::Ledger;

/// Between two drawings.
const INTERVAL: Duration = Duration::from_millis(100);

/// A bar that a thread of its own keeps up to date, so that senders do not draw.
#[derive(Debug)]
pub(crate) struct Progress {
    painter: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts the bar if standard error is a terminal. Without `total` it shows a count only.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(total: Option<u64>, ledger: Arc<Ledger>) -> io::Result<Self> {
        if !io::stderr().is_terminal() {
            return Ok(Self { painter: None });
        }
        let (end, ended) = channel();
        let bar = bar(total);
        let painter = thread::Builder::new().name("progress".into()).spawn(move || {
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(ledger.attempted());
            }
            bar.finish_and_clear();
        })?;
        Ok(Self { painter: Some((end, painter)) })
    }

    /// Takes the bar off the terminal.
    pub(crate) fn clear(self) {
        if let Some((end, painter)) = self.painter {
            drop(end);
            // A bar that broke has nothing to do with the sends.
            let _ = painter.join();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{wide_bar} {pos}/{len} {per_sec} {eta}"),
        None => (ProgressBar::new_spinner(), "{spinner} {pos} {per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_understood() {
        for template in ["{wide_bar} {pos}/{len} {per_sec} {eta}", "{spinner} {pos} {per_sec}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
