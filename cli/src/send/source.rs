//! Where bodies come from: one body again and again, or the lines of standard input.
//!
//! Bodies are made one by one, when a sender asks for the next: nothing is read or made far ahead.

use std::io::{self, BufRead, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use async_channel::{Receiver, Sender};
use bytes::Bytes;

/// Lines that are read ahead of the senders.
const LINES_AHEAD: usize = 64;

/// A body and the number of its message, from 0.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// Position in the order of bodies.
    pub(crate) number: u64,
    /// The body.
    pub(crate) body: Bytes,
}

/// Gives bodies to any number of senders, each body once.
#[derive(Debug)]
pub(crate) struct Source {
    kind: Kind,
    stopped: AtomicBool,
}

#[derive(Debug)]
enum Kind {
    Repeated { body: Bytes, count: u64, next: AtomicU64 },
    Lines { lines: Receiver<Numbered>, failure: &'static Mutex<Option<io::Error>> },
}

impl Source {
    /// The same body `count` times. All messages share its memory.
    pub(crate) fn repeated(body: Bytes, count: u64) -> Self {
        let next = AtomicU64::new(0);
        Self { kind: Kind::Repeated { body, count, next }, stopped: AtomicBool::new(false) }
    }

    /// Each line of `input` without its line end, `most` lines at most. Of a line that is longer than
    /// `longest` bytes the first `longest` + 1 are kept, enough for the producer to refuse it.
    ///
    /// A thread reads, because reading blocks; it waits while the senders are behind.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn lines(input: impl BufRead + Send + 'static, most: u64, longest: usize) -> io::Result<Self> {
        let (sender, lines) = async_channel::bounded(LINES_AHEAD);
        // One per process: the reader may still block in its read when the program ends.
        let failure: &'static Mutex<Option<io::Error>> = Box::leak(Box::default());
        thread::Builder::new().name("line-reader".into()).spawn(move || {
            if let Err(error) = read_lines(input, most, longest, &sender)
                && let Ok(mut failure) = failure.lock()
            {
                *failure = Some(error);
            }
        })?;
        Ok(Self { kind: Kind::Lines { lines, failure }, stopped: AtomicBool::new(false) })
    }

    /// The next body; none when there are no more or [`stop`](Self::stop) was called.
    pub(crate) async fn next(&self) -> Option<Numbered> {
        if self.stopped.load(Ordering::Acquire) {
            return None;
        }
        match &self.kind {
            Kind::Repeated { body, count, next } => {
                let number = next.fetch_add(1, Ordering::Relaxed);
                (number < *count).then(|| Numbered { number, body: body.clone() })
            }
            Kind::Lines { lines, .. } => {
                let line = lines.recv().await.ok()?;
                // Lines that were read ahead and not sent are no attempts.
                (!self.stopped.load(Ordering::Acquire)).then_some(line)
            }
        }
    }

    /// Ends the supply, also for senders that wait for a body.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        if let Kind::Lines { lines, .. } = &self.kind {
            lines.close();
        }
    }

    /// Why reading ended before the end of the input, if it did.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        match &self.kind {
            Kind::Repeated { .. } => None,
            Kind::Lines { failure, .. } => failure.lock().ok()?.take(),
        }
    }
}

fn read_lines(
    mut input: impl BufRead,
    most: u64,
    longest: usize,
    sender: &Sender<Numbered>,
) -> io::Result<()> {
    for number in 0..most {
        let Some(body) = read_line(&mut input, longest)? else {
            return Ok(());
        };
        if sender.send_blocking(Numbered { number, body }).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// One line without `\n` or `\r\n`; none at the end of the input.
fn read_line(input: &mut impl BufRead, longest: usize) -> io::Result<Option<Bytes>> {
    let keep = longest.saturating_add(1);
    // Room for the longest line, one byte more, and its line end.
    let limit = u64::try_from(keep).unwrap_or(u64::MAX).saturating_add(2);
    let mut line = Vec::new();
    let taken = input.by_ref().take(limit).read_until(b'\n', &mut line)?;
    if taken == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if u64::try_from(taken).is_ok_and(|taken| taken == limit) {
        skip_line(input)?;
    }
    line.truncate(keep);
    Ok(Some(Bytes::from(line)))
}

/// Drops the rest of a line without holding it.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn all(source: &Source) -> Vec<Numbered> {
        smol::block_on(async {
            let mut bodies = Vec::new();
            while let Some(body) = source.next().await {
                bodies.push(body);
            }
            bodies
        })
    }

    fn lines(text: &'static str, most: u64, longest: usize) -> Vec<String> {
        let source = Source::lines(Cursor::new(text), most, longest).expect("thread");
        let bodies = all(&source);
        let numbers: Vec<_> = bodies.iter().map(|body| body.number).collect();
        assert_eq!(numbers, (0..bodies.len() as u64).collect::<Vec<_>>());
        let text = |body: &Numbered| String::from_utf8(body.body.to_vec()).expect("UTF-8");
        bodies.iter().map(text).collect()
    }

    #[test]
    fn a_repeated_body_comes_so_often() {
        let source = Source::repeated(Bytes::from_static(b"x"), 3);
        let bodies = all(&source);
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|body| body.body == "x"));
        assert_eq!(bodies[2].number, 2);
    }

    #[test]
    fn lines_lose_their_ends_and_nothing_else() {
        assert_eq!(lines("a\r\n\n b \nlast", u64::MAX, 100), ["a", "", " b ", "last"]);
        assert_eq!(lines("", u64::MAX, 100), [""; 0]);
        assert_eq!(lines("a\nb\nc\n", 2, 100), ["a", "b"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_one_byte_above_the_limit() {
        assert_eq!(lines("12345\n123456789\nxy\n", u64::MAX, 5), ["12345", "123456", "xy"]);
        assert_eq!(lines("12345\r\n123456\n1234567\nz", u64::MAX, 5), ["12345", "123456", "123456", "z"]);
    }

    #[test]
    fn after_a_stop_nothing_comes() {
        let source = Source::repeated(Bytes::new(), 9);
        source.stop();
        assert_eq!(all(&source), []);
        let source = Source::lines(Cursor::new("a\nb\n"), 9, 9).expect("thread");
        source.stop();
        assert_eq!(all(&source), []);
    }

    #[test]
    fn a_failed_read_is_kept_for_the_end() {
        #[derive(Debug)]
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn"))
            }
        }
        let source = Source::lines(io::BufReader::new(Broken), 9, 9).expect("thread");
        assert_eq!(all(&source), []);
        assert_eq!(source.take_failure().map(|error| error.to_string()).as_deref(), Some("torn"));
    }
}
