//! The lab as a runtime of the driver: simulated connections, timers and tasks.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use rocketmq_driver::runtime::Connecting;
use rocketmq_driver::{Endpoint, Runtime, Spawn, Stream};

use super::state::{NewTask, Shared, TimeSource, lock};
use super::task::Task;
use super::time::Sleep;
use super::{JoinHandle, Lab};

/// A [`Runtime`] whose network, timers and tasks are those of a [`Lab`], see [`Lab::runtime`].
#[derive(Clone)]
pub struct SimRuntime {
    shared: Arc<Shared>,
    client: u32,
}

impl fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimRuntime").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Runtime for SimRuntime {
    type Stream = SimStream;
    type Sleep = Sleep;

    fn connect(&self, to: &Endpoint) -> Connecting<SimStream> {
        let connect =
            Connect { shared: self.shared.clone(), client: self.client, to: to.clone(), stream: None };
        Box::pin(connect)
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep::new(self.shared.clone(), self.shared.to_us(at))
    }

    fn now(&self) -> Instant {
        self.shared.instant()
    }

    fn wall_clock(&self) -> SystemTime {
        self.shared.wall_clock()
    }
}

impl Spawn for SimRuntime {
    #[track_caller]
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(spawn(&self.shared, task, Location::caller()));
    }
}

fn spawn<F>(shared: &Arc<Shared>, future: F, spawned_at: &'static Location<'static>) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (task, handle) = Task::new(shared.clone(), future);
    match shared.time {
        TimeSource::Executor => lock(&shared.spawned).push(NewTask { task: Box::pin(task), spawned_at }),
        #[cfg(feature = "tokio")]
        TimeSource::Tokio(_) => drop(tokio::spawn(task)),
    }
    handle
}

impl Lab {
    /// A runtime for a client of its own making:
    /// [`ClientBuilder::build_with`](rocketmq_driver::ClientBuilder::build_with) takes it. Each call stands for another
    /// machine.
    #[must_use]
    pub fn runtime(&self) -> SimRuntime {
        let client = self.shared.enter(|state| {
            state.next_runtime += 1;
            state.next_runtime
        });
        SimRuntime { shared: self.shared.clone(), client }
    }

    /// Runs a future beside the test. Which of the tasks that can go on gets the next turn is drawn from the seed.
    ///
    /// A panic in it fails the test, unless the handle is awaited: then it is the handle's result. When the test ends,
    /// tasks that still run are dropped.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        spawn(&self.shared, future, Location::caller())
    }
}

/// A connect under way; dropping it gives up.
struct Connect {
    shared: Arc<Shared>,
    client: u32,
    to: Endpoint,
    stream: Option<SimStream>,
}

impl Future for Connect {
    type Output = io::Result<SimStream>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let stream = match this.stream.take() {
            Some(stream) => stream,
            None => {
                let conn = this.shared.enter(|state| state.connect(this.client, &this.to))?;
                SimStream { shared: this.shared.clone(), conn }
            }
        };
        match this.shared.enter(|state| state.poll_connect(stream.conn, cx.waker())) {
            Poll::Pending => {
                this.stream = Some(stream);
                Poll::Pending
            }
            Poll::Ready(done) => Poll::Ready(done.map(|()| stream)),
        }
    }
}

/// A connection of the simulated network.
pub struct SimStream {
    shared: Arc<Shared>,
    conn: u64,
}

impl fmt::Debug for SimStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimStream").field("conn", &self.conn).finish_non_exhaustive()
    }
}

impl Stream for SimStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.shared.enter(|state| state.read(self.conn, into, cx.waker()))
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, from: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.shared.enter(|state| state.write(self.conn, from, cx.waker()))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.shared.enter(|state| state.client_closes(self.conn));
    }
}
