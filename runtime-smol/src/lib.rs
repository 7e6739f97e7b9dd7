//! RocketMQ client for smol.
//!
//! ```no_run
//! use rocketmq_smol::prelude::*;
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
//! [`Start`]: `start()` spawns the client's task on smol's global executor, `build()` hands it to you, for an
//! executor of your own.
#![forbid(unsafe_code)]

mod stream;

pub use rocketmq_driver::*;
pub use stream::SmolStream;

use rocketmq_driver::addresses::connect_any;
use rocketmq_driver::runtime::{Connecting, unresolved};
use smol::Async;
use std::future::Future;
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// Everything that most programs need.
pub mod prelude {
    pub use crate::{
        Check, Client, EndTransactionError, EndVerdict, LocalTransactionState, Message, Outcome, Producer,
        Receipt, SendError, SendErrorKind, SendReceipt, SendStatus, Start, Target, TopicName, Transaction,
        TransactionListener, UniqueKey,
    };
}

/// The smol runtime, as the driver sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Runtime for Smol {
    type Stream = SmolStream;
    type Sleep = Sleep;

    fn connect(&self, to: &Endpoint) -> Connecting<SmolStream> {
        let to = to.clone();
        Box::pin(async move {
            let addresses = smol::net::resolve((to.host(), to.port())).await.map_err(unresolved)?;
            let connect = |address| Async::<TcpStream>::connect(address);
            let sleep = |time| Sleep(smol::Timer::after(time));
            let stream = connect_any(addresses, connect, sleep).await?;
            stream.get_ref().set_nodelay(true)?;
            Ok(SmolStream::new(stream))
        })
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep(smol::Timer::at(at))
    }
}

impl Spawn for Smol {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}

/// A timer of smol.
#[derive(Debug)]
pub struct Sleep(smol::Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

/// Makes clients on smol.
pub trait Start {
    /// Makes a client and its driver, which must be spawned or polled on any executor.
    ///
    /// # Errors
    /// The first setting that cannot work, by name, and why.
    fn build(self) -> Result<(Client, Driver<Smol>), ConfigError>;

    /// Makes a client and spawns its driver on smol's global executor.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    #[doc(alias = "spawn")]
    fn start(self) -> Result<Client, ConfigError>;

    /// The client of `clients` that runs under the same client id; or a new one, started as by [`start`](Self::start).
    ///
    /// # Errors
    /// As [`build`](Self::build), and a setting that the running client has another value of.
    fn start_shared(self, clients: &SharedClients) -> Result<Client, SharedClientError>;
}

impl Start for ClientBuilder {
    fn build(self) -> Result<(Client, Driver<Smol>), ConfigError> {
        self.build_with(Smol)
    }

    fn start(self) -> Result<Client, ConfigError> {
        let (client, driver) = self.build()?;
        Smol.spawn(driver);
        Ok(client)
    }

    fn start_shared(self, clients: &SharedClients) -> Result<Client, SharedClientError> {
        clients.start_with(self, Smol)
    }
}
