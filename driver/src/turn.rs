//! Who holds the lock of which client, so that a hook that calls its own client learns that instead of waiting for itself.
//!
//! Only clients with hooks ask: without them nothing of an application runs under the lock.

use crate::sync::thread_local;
use std::cell::RefCell;
use std::panic::resume_unwind;

thread_local! {
    /// The clients whose locks this thread holds. They are several when a hook calls another client.
    static HELD: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// What the hook that goes too far is told: it is refused with this reason, see [`hooks`](crate::hooks).
const CALLED_BACK: &str = "a hook must not call its own client";

/// A turn of this thread under the lock of a client with hooks.
#[derive(Debug)]
pub(crate) struct Turn(usize);

impl Turn {
    /// Begins a turn of the client with this number. When the thread is in one already, it is a hook that calls: its call
    /// is unwound, up to where panics of hooks are caught.
    pub(crate) fn begin(client: usize) -> Self {
        // A thread that ends keeps no list any more, and calls no hook that could have called.
        let held = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            let again = held.contains(&client);
            if !again {
                held.push(client);
            }
            again
        });
        if held == Ok(true) {
            // As a panic, without its noise: nothing is broken.
            resume_unwind(Box::new(CALLED_BACK));
        }
        Self(client)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _gone = HELD.try_with(|held| held.borrow_mut().retain(|client| *client != self.0));
    }
}
