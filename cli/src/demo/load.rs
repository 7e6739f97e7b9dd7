//! A steady load in the background whose verdicts can be watched one by one.

use std::time::Instant;

use async_channel::{Receiver, Sender};
use rocketmq_driver::Producer;

use super::books::Told;
use super::{DEADLINE, Failure, message};
use crate::runtime::Runtime;
use crate::send::pace;

/// Verdicts that wait to be looked at.
const VERDICTS_AHEAD: usize = 1024;

/// The key of a message, and what the client was told about it.
type Verdict = (String, Told);

/// The load. It ends with [`stop`](Load::stop), or when it is dropped.
#[derive(Debug)]
pub(super) struct Load {
    due: Receiver<Instant>,
    verdicts: Receiver<Verdict>,
}

impl Load {
    /// Messages per second.
    pub(super) const RATE: f64 = 1_000.0;

    /// Starts sending.
    pub(super) fn start(runtime: &Runtime, producer: Producer) -> Result<Self, Failure> {
        let due = pace::schedule(Self::RATE)?;
        let (sender, verdicts) = async_channel::bounded(VERDICTS_AHEAD);
        runtime.spawn(send(runtime.clone(), producer, due.clone(), sender));
        Ok(Self { due, verdicts })
    }

    /// Starts no more messages; those under way come to their verdicts.
    pub(super) fn stop(&self) {
        self.due.close();
    }

    /// The next verdict; none after the last one of a stopped load.
    pub(super) async fn next(&self) -> Option<Verdict> {
        self.verdicts.recv().await.ok()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn send(runtime: Runtime, producer: Producer, due: Receiver<Instant>, verdicts: Sender<Verdict>) {
    let mut number = 0_u64;
    while due.recv().await.is_ok() {
        let key = format!("load-{number}");
        number += 1;
        let Ok(message) = message(&key) else {
            return;
        };
        let verdicts = verdicts.clone();
        match producer.enqueue(message).within(DEADLINE).await {
            // Nobody looks any more when the demo has failed.
            Ok(receipt) => runtime.spawn(async move {
                let _ = verdicts.send((key, receipt.await.into())).await;
            }),
            Err(error) => drop(verdicts.send((key, Told::Failed(error))).await),
        }
    }
}
