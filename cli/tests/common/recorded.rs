//! Recordings of clients in a laboratory: simulated servers and time, so that faults come when they are told to.

use std::fs;
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rocketmq_driver::{Bodies, Message, Producer, Recording};
use rocketmq_sim::lab::{Lab, LabBuilder};

use super::rocketmq;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A file in memory.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl Write for File {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that no other test uses.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

/// Writes the recording of a client that does this, and is shut down then.
pub(crate) fn record<Fut>(
    name: &str,
    builder: &LabBuilder,
    bodies: Bodies,
    work: impl FnOnce(Lab, Producer) -> Fut,
) -> PathBuf
where
    Fut: Future<Output = ()>,
{
    let (path, in_memory) = (file(name), File::default());
    let recording = Recording::to_writer(in_memory.clone()).bodies(bodies);
    builder.run(7, |lab| async move {
        let client = lab.start(lab.client_builder().record(recording)).expect("sound settings");
        let producer = client.producer("orders").await.expect("a producer");
        work(lab, producer).await;
        drop(client.shutdown(SECOND).await);
    });
    fs::write(&path, &*in_memory.0.lock().unwrap_or_else(PoisonError::into_inner)).expect("written");
    path
}

pub(crate) fn message(number: usize) -> Message {
    Message::builder("placed".parse().expect("a topic"))
        .body(format!("nobody shall see body {number}"))
        .key(&format!("key-{number}"))
        .build()
        .expect("a sound message")
}

/// `rocketmq replay` of this file.
pub(crate) fn replay(path: &Path, args: &[&str]) -> Command {
    let mut command = rocketmq(&["replay"]);
    command.arg(path).args(args);
    command
}
