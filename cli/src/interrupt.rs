//! Ctrl-C, and the same wish said with SIGTERM or by closing the terminal.

use std::io;

/// Calls `handler` at each such signal, with 1 for the first one, 2 for the second and so on.
///
/// It is called on a thread of its own, so it may lock and write.
///
/// # Errors
/// The system refuses, or the process has such a handler already.
pub(crate) fn on_interrupt(mut handler: impl FnMut(u32) + Send + 'static) -> io::Result<()> {
    let mut count = 0_u32;
    let counted = move || {
        count = count.saturating_add(1);
        handler(count);
    };
    ctrlc::set_handler(counted).map_err(|error| match error {
        ctrlc::Error::System(error) => error,
        other => io::Error::other(other),
    })
}
