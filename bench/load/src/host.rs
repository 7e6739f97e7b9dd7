//! The runtimes under which the client is measured, each as its users run it.

use rocketmq_driver::Runtime;
use rocketmq_smol::Smol;
use rocketmq_tokio::Tokio;
use std::io;
use std::sync::Arc;

/// Which runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// tokio's current-thread runtime.
    Tokio,
    /// tokio's multi-thread runtime with two workers.
    Tokio2,
    /// smol's executor on one thread.
    Smol,
}

impl Kind {
    /// As the flag says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Tokio2 => "tokio2",
            Self::Smol => "smol",
        }
    }

    /// The product crate that is measured.
    #[must_use]
    pub fn client(self) -> &'static str {
        match self {
            Self::Tokio | Self::Tokio2 => "rocketmq-tokio",
            Self::Smol => "rocketmq-smol",
        }
    }
}

/// What a measuring program needs of a runtime.
pub trait Host: Clone + Send + Sync + 'static {
    /// The runtime as the client's driver sees it.
    type Net: Runtime;

    /// The runtime for a driver.
    fn net(&self) -> Self::Net;

    /// Starts a task.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}

/// A program that can run on any host.
pub trait Program {
    /// What it finds out.
    type Output;

    /// Runs it. Load is put into tasks of its own: this future is the one that the runtime's `block_on` polls.
    fn run<H: Host>(self, host: H) -> impl Future<Output = Self::Output>;
}

/// Runs a program on a runtime.
///
/// # Errors
/// When the runtime cannot be made.
pub fn run<P: Program>(kind: Kind, program: P) -> io::Result<P::Output> {
    match kind {
        Kind::Tokio => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(program.run(OnTokio)))
        }
        Kind::Tokio2 => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(2).enable_all().build()?;
            Ok(runtime.block_on(program.run(OnTokio)))
        }
        Kind::Smol => {
            let executor = Arc::new(smol::Executor::new());
            Ok(smol::block_on(executor.run(program.run(OnSmol(executor.clone())))))
        }
    }
}

#[derive(Clone)]
struct OnTokio;

impl Host for OnTokio {
    type Net = Tokio;

    fn net(&self) -> Tokio {
        Tokio::new()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }
}

#[derive(Clone)]
struct OnSmol(Arc<smol::Executor<'static>>);

impl Host for OnSmol {
    type Net = Smol;

    fn net(&self) -> Smol {
        Smol
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task).detach();
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Kind, Program, run};
    use std::sync::Arc;
    use std::thread::ThreadId;
    use tokio::sync::mpsc;

    struct Threads;

    impl Program for Threads {
        type Output = (ThreadId, Vec<ThreadId>);

        async fn run<H: Host>(self, host: H) -> Self::Output {
            let (tell, mut told) = mpsc::unbounded_channel();
            let both = Arc::new(tokio::sync::Barrier::new(2));
            for _ in 0..2 {
                let (tell, both) = (tell.clone(), both.clone());
                host.spawn(async move {
                    both.wait().await;
                    tell.send(std::thread::current().id()).unwrap();
                });
            }
            let tasks = vec![told.recv().await.unwrap(), told.recv().await.unwrap()];
            (std::thread::current().id(), tasks)
        }
    }

    #[test]
    fn tasks_run_beside_the_main_one_only_where_there_are_workers() {
        for (kind, together) in [(Kind::Tokio, true), (Kind::Smol, true), (Kind::Tokio2, false)] {
            let (main, tasks) = run(kind, Threads).unwrap();
            assert_eq!(tasks.iter().all(|task| *task == main), together, "{kind:?}");
            assert_eq!(tasks.contains(&main), together, "{kind:?}");
        }
    }
}
