//! Work that comes round every so often on a thread of its own, so that senders do not write.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The thread, until it is ended. When this is dropped, it ends by itself.
#[derive(Debug)]
pub(crate) struct Ticker {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Ticker {
    /// Calls `tick` after each interval, and `last` when it is ended.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(
        name: &str,
        every: Duration,
        mut tick: impl FnMut() + Send + 'static,
        last: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (end, ended) = channel();
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                tick();
            }
            last();
        })?;
        Ok(Self { end, thread })
    }

    /// Ends it, and waits for that.
    pub(crate) fn end(self) {
        drop(self.end);
        // What it shows has nothing to do with the sends: should it have broken, they go on.
        let _ = self.thread.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ticks_until_it_is_ended_and_once_more() {
        let (told, heard) = channel();
        let told_last = told.clone();
        let tick = move || told.send("tick").expect("somebody listens");
        let last = move || told_last.send("last").expect("somebody listens");
        let ticker = Ticker::start("test", Duration::from_micros(1), tick, last).expect("a thread");
        assert_eq!((heard.recv(), heard.recv()), (Ok("tick"), Ok("tick")));
        ticker.end();
        assert_eq!(heard.iter().last(), Some("last"));
    }
}
