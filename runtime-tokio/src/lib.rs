//! RocketMQ client for tokio.
//!
//! ```no_run
//! use rocketmq_tokio::prelude::*;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("127.0.0.1:9876").start()?;
//! let producer = client.producer("orders").await?;
//! let receipt = producer.send(Message::new("placed".parse()?, "4 apples")).await?;
//! # println!("{receipt:?}");
//! # Ok(()) }
//! ```
//!
//! The handles are those of [`rocketmq_driver`] and the same for every runtime. What this crate adds is
//! [`Start`]: `start()` spawns the client's task on the current runtime, `build()` hands it to you. The
//! runtime needs its time and I/O drivers (`enable_all`, which is what `#[tokio::main]` does).
//!
//! A send from the task that `#[tokio::main]` runs itself costs two switches between threads, about 10 µs:
//! that task is not one of the workers. Spawn the tasks that send much.
//!
//! # Paused time
//!
//! With tokio's paused clock, a runtime with nothing to do jumps to the next timer. An answer on a real
//! socket is nothing that tokio knows of beforehand, so on real sockets the clock jumps to the deadline of
//! each send before its answer is there. Tests with a paused clock therefore need streams in memory:
//! [`Tokio::with_connector`] takes what opens them.
#![forbid(unsafe_code)]

mod connector;
mod stream;

pub use connector::{Connector, Tcp};
pub use rocketmq_driver::*;
pub use stream::TokioStream;

use rocketmq_driver::runtime::Connecting;
use std::future::Future;
use std::time::Instant;
use tokio::runtime::Handle;

/// Everything that most programs need.
pub mod prelude {
    pub use crate::{
        Check, Client, EndTransactionError, EndVerdict, LocalTransactionState, Message, Outcome, Producer,
        Receipt, SendError, SendErrorKind, SendReceipt, SendStatus, Start, Target, TopicName, Transaction,
        TransactionListener, UniqueKey,
    };
}

/// The tokio runtime, as the driver sees it. `C` opens its connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio<C = Tcp> {
    connector: C,
}

impl Tokio {
    /// With TCP connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<C: Connector> Tokio<C> {
    /// With connections that `connector` opens, see [`Connector`].
    #[must_use]
    pub fn with_connector(connector: C) -> Self {
        Self { connector }
    }
}

impl<C: Connector> Runtime for Tokio<C> {
    type Stream = TokioStream<C::Io>;
    type Sleep = tokio::time::Sleep;

    fn connect(&self, to: &Endpoint) -> Connecting<Self::Stream> {
        let connecting = self.connector.connect(to.clone());
        Box::pin(async { connecting.await.map(TokioStream::new) })
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        tokio::time::sleep_until(at.into())
    }

    fn now(&self) -> Instant {
        // Not the standard library's: this one can be paused.
        tokio::time::Instant::now().into_std()
    }
}

impl<C: Connector> Spawn for Tokio<C> {
    /// Spawns on the current runtime. Outside of one the task is dropped, so that its callers learn that it
    /// is gone.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn(task));
        }
    }
}

/// Makes clients on tokio.
pub trait Start {
    /// Makes a client and its driver, which must be spawned on a tokio runtime or polled within one.
    ///
    /// # Errors
    /// The first setting that cannot work, by name, and why.
    fn build(self) -> Result<(Client, Driver<Tokio>), ConfigError>;

    /// Makes a client and spawns its driver on the current tokio runtime.
    ///
    /// # Errors
    /// As [`build`](Self::build), and `runtime` when there is no current tokio runtime.
    #[doc(alias = "spawn")]
    fn start(self) -> Result<Client, ConfigError>;

    /// The client of `clients` that runs under the same client id; or a new one, started as by [`start`](Self::start).
    ///
    /// # Errors
    /// As [`start`](Self::start), and a setting that the running client has another value of.
    fn start_shared(self, clients: &SharedClients) -> Result<Client, SharedClientError>;
}

impl Start for ClientBuilder {
    fn build(self) -> Result<(Client, Driver<Tokio>), ConfigError> {
        self.build_with(Tokio::new())
    }

    fn start(self) -> Result<Client, ConfigError> {
        let runtime = Handle::try_current()
            .map_err(|error| ConfigError { field: "runtime", reason: error.to_string() })?;
        let (client, driver) = self.build()?;
        drop(runtime.spawn(driver));
        Ok(client)
    }

    fn start_shared(self, clients: &SharedClients) -> Result<Client, SharedClientError> {
        Handle::try_current().map_err(|error| ConfigError { field: "runtime", reason: error.to_string() })?;
        clients.start_with(self, Tokio::new())
    }
}

/// Compiles the code of the README with the tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
