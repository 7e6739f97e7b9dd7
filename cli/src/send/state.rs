//! What a long run says of its client's state, every so often, on standard error.

use std::io;
use std::time::Duration;

use rocketmq_driver::Client;

use super::ticker::Ticker;

/// Tells the state of the client after each interval, and once more when the ticker is ended.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn tell_state(every: Duration, client: &Client) -> io::Result<Ticker> {
    let client = client.clone();
    let tell = move || eprintln!("{}", client.running_info());
    Ticker::start("state", every, tell.clone(), tell)
}
