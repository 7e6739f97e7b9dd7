//! What the driver needs of a runtime: streams, a timer, a clock. Everything else is the same everywhere.

use rocketmq_core::ground::endpoint::Endpoint;
use rocketmq_core::interface::CloseReason;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

/// A connect under way, as [`Runtime::connect`] gives it.
pub type Connecting<S> = Pin<Box<dyn Future<Output = io::Result<S>> + Send>>;

/// What an executor must offer so that [`Driver`](crate::Driver) can run on it.
///
/// `rocketmq-tokio` and `rocketmq-smol` implement it; another runtime needs about a hundred lines, as the
/// example `own_executor` shows. What the driver relies on is written in the documentation of this crate
/// under "The driver contract".
pub trait Runtime: Send + Sync + 'static {
    /// A connected byte stream.
    type Stream: Stream;
    /// A timer.
    type Sleep: Future<Output = ()> + Send;

    /// Opens a byte stream. A host name is resolved anew at each call, and all its addresses are tried, see
    /// [`connect_any`](crate::addresses::connect_any). Dropping the future gives the connect up. There is no time-out here: the core has one.
    ///
    /// An error of the name resolution should pass through [`unresolved`], so that it can be told from one
    /// of the connect itself.
    fn connect(&self, to: &Endpoint) -> Connecting<Self::Stream>;

    /// A future that is ready at or after `at`, measured with [`now`](Self::now).
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// The monotonic time of this runtime. Callers of the handles ask it on their own threads.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// The wall time. It goes into messages and unique ids as the time when they were made. Nothing is
    /// measured with it, so it may jump.
    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A connected byte stream that can be polled.
///
/// Only the driver's task reads. It writes too, and so does a caller who is alone, on its own thread, inside of the
/// runtime or outside: with the waker of the driver's task, and never at the same time as somebody else.
pub trait Stream: Send + Unpin + 'static {
    /// Reads into `into` and returns how many bytes came; 0 means that the peer closed the stream.
    ///
    /// # Errors
    /// Those of the operating system, except "would block": that is `Poll::Pending` with the waker kept.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes the first bytes of `from`, in order, and returns how many the stream took. They leave without
    /// another call, unless the waker asks for one.
    ///
    /// # Errors
    /// Those of the operating system, except "would block": that is `Poll::Pending` with the waker kept.
    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;
}

/// A runtime on which a task can be started from anywhere.
pub trait Spawn: Runtime {
    /// Runs `task` to its end in the background.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}

/// Marks an error of a name resolution, see [`unresolved`].
#[derive(Debug, thiserror::Error)]
#[error("host name could not be resolved: {0}")]
struct Unresolved(#[source] io::Error);

/// Marks `error` as one of the name resolution, so that [`close_reason`] says
/// [`CloseReason::Unresolved`].
#[must_use]
pub fn unresolved(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Unresolved(error))
}

/// What an error of a stream means to the core.
///
/// ```
/// use rocketmq_core::interface::CloseReason;
/// use rocketmq_driver::runtime::close_reason;
/// use std::io::{Error, ErrorKind};
///
/// assert_eq!(close_reason(&Error::from(ErrorKind::ConnectionRefused)), CloseReason::Refused);
/// ```
#[must_use]
pub fn close_reason(error: &io::Error) -> CloseReason {
    if error.get_ref().is_some_and(|inner| inner.is::<Unresolved>()) {
        return CloseReason::Unresolved;
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => CloseReason::Refused,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => CloseReason::Unreachable,
        io::ErrorKind::TimedOut => CloseReason::TimedOut,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            CloseReason::Reset
        }
        io::ErrorKind::UnexpectedEof => CloseReason::EndOfStream,
        _ => CloseReason::Other,
    }
}
