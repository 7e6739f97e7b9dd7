//! What the exit codes mean.

/// Everything was done: all messages are stored, the route was found, the demo adds up, a replay did the same, the topic
/// was created everywhere, the message was found.
pub(crate) const SUCCESS: u8 = 0;
/// The command could not start, or could not tell its result (a report that cannot be written).
pub(crate) const NOT_STARTED: u8 = 1;
/// The command ran, and not all of its messages are stored, or the topic has no route, or a replay did something else, or
/// brokers did not do what was asked, or nothing was found.
pub(crate) const NOT_ALL: u8 = 2;
