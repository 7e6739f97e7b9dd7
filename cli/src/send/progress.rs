//! The progress bar of `send`, drawn on the terminal of standard error and nowhere else.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::ledger::Ledger;
use super::ticker::Ticker;

/// Between two drawings.
const INTERVAL: Duration = Duration::from_millis(100);

/// Draws the bar until the ticker is ended, if standard error is a terminal. Without `total` it shows a count only.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn draw_progress(total: Option<u64>, ledger: Arc<Ledger>) -> io::Result<Option<Ticker>> {
    if !io::stderr().is_terminal() {
        return Ok(None);
    }
    let bar = bar(total);
    let drawn = bar.clone();
    let draw = move || drawn.set_position(ledger.attempted());
    Ticker::start("progress", INTERVAL, draw, move || bar.finish_and_clear()).map(Some)
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
