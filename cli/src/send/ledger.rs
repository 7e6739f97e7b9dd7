//! The books of one run: each message is entered when it starts and once more with its verdict, so that
//! at any moment every attempted message is either under way or counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocketmq_driver::{Counters, LocalTransactionState, UniqueKey};

use super::verdict::{EndOutcome, Ending, HalfEnding};
use crate::report::Report;
use crate::stats::{Tally, Verdict};

/// The books, shared by all senders, the progress bar and the handler of Ctrl-C.
#[derive(Debug)]
pub(crate) struct Ledger {
    book: Mutex<Book>,
}

/// What stands in the books.
#[derive(Debug)]
pub(crate) struct Book {
    tally: Tally,
    report: Option<Report<File>>,
    report_failure: Option<io::Error>,
    key_prefix: Option<String>,
    /// For each lane the number of the message that it has under way.
    under_way: Vec<Option<u64>>,
    /// Stored half messages whose lines wait for what checks bring; none when nobody waits for checks.
    halves: Option<BTreeMap<UniqueKey, (u64, HalfEnding)>>,
}

impl Ledger {
    /// Empty books for so many lanes, of which each has one message under way at most.
    pub(crate) fn new(
        tally: Tally,
        report: Option<Report<File>>,
        key_prefix: Option<String>,
        lanes: usize,
        waits_for_checks: bool,
    ) -> Self {
        let under_way = vec![None; lanes];
        let report_failure = None;
        let halves = waits_for_checks.then(BTreeMap::new);
        Self { book: Mutex::new(Book { tally, report, report_failure, key_prefix, under_way, halves }) }
    }

    /// Enters the start of a message.
    pub(crate) fn start(&self, lane: usize, number: u64) {
        if let Some(under_way) = self.lock().under_way.get_mut(lane) {
            *under_way = Some(number);
        }
    }

    /// Enters the end of the message that the lane has under way, and how long it took.
    pub(crate) fn end(&self, lane: usize, ending: Ending, latency: Duration) {
        let book = &mut *self.lock();
        if let Some(number) = book.under_way.get_mut(lane).and_then(Option::take) {
            book.tally.record_latency(latency);
            match (ending, &mut book.halves) {
                (Ending::Half(half), Some(halves)) => {
                    book.tally.count(Verdict::Stored, "", half.receipt.attempts);
                    halves.insert(half.receipt.message_id, (number, half));
                }
                (ending, _) => book.enter(number, &ending),
            }
        }
    }

    /// A broker has asked about a half message, for the n-th time.
    pub(crate) fn note_check(&self, key: UniqueKey, times: u32) {
        if let Some((_, half)) = self.lock().halves.as_mut().and_then(|halves| halves.get_mut(&key)) {
            half.checks = half.checks.saturating_add(1).max(times);
        }
    }

    /// A check was answered.
    pub(crate) fn note_end(&self, key: UniqueKey, ended: LocalTransactionState, outcome: EndOutcome) {
        if let Some((_, half)) = self.lock().halves.as_mut().and_then(|halves| halves.get_mut(&key)) {
            (half.ended, half.outcome) = (ended, Some(outcome));
        }
    }

    /// Learns from `times` how often brokers have asked about half messages that were ended.
    pub(crate) fn note_checks_since_end(&self, times: impl Fn(UniqueKey) -> u32) {
        for (key, (_, half)) in self.lock().halves.iter_mut().flatten() {
            half.checks = half.checks.max(times(*key));
        }
    }

    /// Learns what became of the records of message trace.
    pub(crate) fn note_trace(&self, counters: &Counters) {
        self.lock().tally.set_trace(counters);
    }

    /// Messages with a verdict so far.
    pub(crate) fn attempted(&self) -> u64 {
        self.lock().tally.attempted()
    }

    /// Closes the books: what is under way counts as interrupted, with at most `most_attempts` copies,
    /// and the report is complete. While the caller keeps what this returns, nothing can be entered.
    pub(crate) fn close(&self, most_attempts: u32) -> MutexGuard<'_, Book> {
        let mut book = self.lock();
        for lane in 0..book.under_way.len() {
            if let Some(number) = book.under_way.get_mut(lane).and_then(Option::take) {
                book.enter(number, &Ending::Interrupted { most_attempts });
            }
        }
        for (_, (number, half)) in book.halves.take().unwrap_or_default() {
            book.write(number, &Ending::Half(half), "");
        }
        if let Some(report) = &mut book.report
            && let Err(error) = report.flush()
        {
            book.report_failure = Some(error);
            book.report = None;
        }
        book
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // Each entry is complete before the next can fail, so a poisoned book is still right.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// The counts.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Why the report is incomplete, if it is.
    pub(crate) fn report_failure(&self) -> Option<&io::Error> {
        self.report_failure.as_ref()
    }

    fn enter(&mut self, number: u64, ending: &Ending) {
        let error = ending.error();
        self.tally.count(ending.verdict(), &error, ending.attempts());
        self.write(number, ending, &error);
    }

    fn write(&mut self, number: u64, ending: &Ending, error: &str) {
        if let Ending::Half(half) = ending {
            self.tally.count_half(half);
        }
        let Some(report) = &mut self.report else {
            return;
        };
        let key = key_of(self.key_prefix.as_deref(), number).unwrap_or_default();
        if let Err(error) = ending.with_row(&key, error, |row| report.write(row)) {
            self.report_failure = Some(error);
            self.report = None;
        }
    }
}

/// The key that message `number` carries, if keys were asked for.
pub(crate) fn key_of(prefix: Option<&str>, number: u64) -> Option<String> {
    prefix.map(|prefix| format!("{prefix}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(lanes: usize) -> Ledger {
        Ledger::new(Tally::new().expect("valid bounds"), None, None, lanes, false)
    }

    #[test]
    fn what_is_under_way_at_the_close_counts_as_interrupted() {
        let ledger = ledger(3);
        ledger.start(0, 0);
        ledger.start(1, 1);
        ledger.end(0, Ending::Unmade, Duration::ZERO);
        ledger.start(0, 2);
        assert_eq!(ledger.attempted(), 1);
        let book = ledger.close(3);
        assert_eq!(book.tally().attempted(), 3);
        assert_eq!(book.tally().may_be_stored(), 2);
        assert_eq!(book.tally().not_stored(), 1);
    }

    #[test]
    fn a_message_is_counted_once() {
        let ledger = ledger(1);
        ledger.start(0, 0);
        ledger.end(0, Ending::Unmade, Duration::ZERO);
        ledger.end(0, Ending::Unmade, Duration::ZERO);
        assert_eq!(ledger.close(1).tally().attempted(), 1);
        assert_eq!(ledger.close(1).tally().attempted(), 1);
    }
}
