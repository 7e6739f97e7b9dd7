//! The suite that checks a runtime against the driver contract, with a scripted server on loopback sockets.
//!
//! An adapter's test file is a [`Harness`] and one line:
//!
//! ```text
//! rocketmq_driver::contract_tests!(MyHarness);
//! ```

mod clients;
mod peer;
mod server;
mod streams;

pub use clients::*;
pub use peer::{Peer, Store};
pub use server::{Cluster, Server, Visit};
pub use streams::*;

use crate::runtime::Runtime;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// What the suite needs of a runtime's tests.
pub trait Harness {
    /// The runtime to check.
    type Runtime: Runtime;

    /// A runtime; called inside of [`block_on`](Self::block_on).
    fn runtime(&self) -> Self::Runtime;

    /// Runs a future to its end on this runtime.
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T;
}

/// Runs `work` with `driver` beside it, on one task. The driver may end first.
pub async fn beside<T>(driver: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
    let (mut driver, mut work) = (pin!(driver), pin!(work));
    let mut driver_ended = false;
    poll_fn(|cx| {
        if !driver_ended {
            driver_ended = driver.as_mut().poll(cx).is_ready();
        }
        match work.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            // What the work asked for just now, the driver does in the next round: it was woken for it.
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Makes one test of each case of the suite.
#[macro_export]
macro_rules! contract_tests {
    ($harness:expr) => {
        $crate::contract_tests!($harness;
            a_refused_connect_says_so
            an_unknown_host_says_so
            every_address_of_a_host_is_tried
            a_stream_keeps_every_byte_in_order_through_small_buffers
            a_closed_stream_ends
            a_reset_stream_fails
            bytes_come_one_by_one
            a_read_waits_and_is_woken
            a_sleep_ends_at_its_time_and_a_past_one_at_once
            answers_in_pieces_are_put_together
            a_connection_cut_in_mid_frame_is_replaced
            garbage_ends_a_connection_and_nothing_else
            a_refused_broker_gives_a_verdict_at_the_deadline
            a_stalled_broker_stalls_nobody_else
            many_connections_are_served
            a_lone_caller_sends_from_a_thread_outside
            large_messages_pass_a_slow_reader
            a_shutdown_unregisters_and_ends_the_driver
            the_last_handle_takes_the_driver_with_it
        );
    };
    ($harness:expr; $($case:ident)*) => {
        $(#[test]
        fn $case() {
            $crate::contract::$case(&$harness);
        })*
    };
}
