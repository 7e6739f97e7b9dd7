//! The chosen async runtime, started once; commands are written once for both.
//!
//! Both run everything on the calling thread: one client keeps one thread busy at most, and a second thread
//! would add a hop to every send.

use std::future::Future;
use std::io;
use std::sync::Arc;

use rocketmq_driver::{Client, ClientBuilder, ConfigError};

use crate::args::RuntimeName;

/// A running runtime, for starting tasks on it.
#[derive(Debug, Clone)]
pub(crate) enum Runtime {
    /// tokio; its tasks are started from inside.
    Tokio,
    /// smol, with an executor of its own.
    Smol(Arc<smol::Executor<'static>>),
}

impl Runtime {
    /// Starts the runtime and runs `main` on it to its end, as a task.
    ///
    /// # Errors
    /// The system refuses what the runtime needs.
    pub(crate) fn run<M, F>(name: RuntimeName, main: M) -> io::Result<F::Output>
    where
        M: FnOnce(Self) -> F,
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match name {
            RuntimeName::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let main = main(Self::Tokio);
                runtime.block_on(async { tokio::spawn(main).await }).map_err(io::Error::other)
            }
            RuntimeName::Smol => {
                let executor = Arc::new(smol::Executor::new());
                let main = executor.spawn(main(Self::Smol(Arc::clone(&executor))));
                Ok(smol::block_on(executor.run(main)))
            }
        }
    }

    /// Starts a task that nobody waits for.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::Tokio => drop(tokio::spawn(task)),
            Self::Smol(executor) => executor.spawn(task).detach(),
        }
    }

    /// Builds a client and starts its driver here.
    ///
    /// # Errors
    /// A setting is wrong.
    pub(crate) fn start(&self, client: ClientBuilder) -> Result<Client, ConfigError> {
        match self {
            Self::Tokio => {
                use rocketmq_tokio::prelude::*;
                let (client, driver) = client.build()?;
                self.spawn(driver);
                Ok(client)
            }
            Self::Smol(_) => {
                use rocketmq_smol::prelude::*;
                let (client, driver) = client.build()?;
                self.spawn(driver);
                Ok(client)
            }
        }
    }
}
