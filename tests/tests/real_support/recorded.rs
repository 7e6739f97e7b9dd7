//! A recording of a client while its broker is killed.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rocketmq_tokio::rocketmq_core::client::{Action, Answer};
use rocketmq_tokio::rocketmq_core::recording::{Condition, EndReason, Reader, Replay};
use rocketmq_tokio::{Bodies, Recording};

use super::audit::audit;
use super::bench::Bench;
use super::load::{Load, Until};

/// A file in memory.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl File {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for File {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One of two masters is killed with SIGKILL under load and started again, while the client is recorded. The
/// recording replays, action by action and write by write, and tells the senders the same as they were told.
pub(crate) fn recorded_kill(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("recorded-kill", &["broker-a", "broker-b"]);
    let file = File::default();
    let recording = Recording::to_writer(file.clone()).bodies(Bodies::Hash);
    let client = bench.client_with(|builder| builder.record(recording));
    let until = Until::told();
    let load = Load::new(bench, &bench.producer(&client, "recorded-kill"), &topic).paced(300, &until);
    thread::sleep(Duration::from_secs(2));
    bench.cluster.kill9("broker-b").expect("kill");
    thread::sleep(Duration::from_secs(1));
    bench.cluster.restart("broker-b").expect("restart");
    thread::sleep(Duration::from_secs(3));
    until.tell();
    let sent = bench.wait(load);
    bench.run(async move { client.shutdown(Duration::from_secs(30)).await });
    let figures = audit(bench.cluster, &topic, &sent);
    let bytes = file.bytes();
    if let Some(path) = std::env::var_os("ROCKETMQ_RECORDING") {
        std::fs::write(path, &bytes).expect("a file");
    }
    let mut replay = Replay::new(Reader::new(&bytes).expect("a recording")).expect("a client");
    let mut receipts = Vec::new();
    while let Some(step) = replay.next_step().expect("the same actions") {
        for action in step.actions {
            if let Action::Answer { answer: Answer::Sent(Ok(receipt)), .. } = action {
                receipts.push(receipt.offset_message_id.to_string());
            }
        }
    }
    assert_eq!(replay.condition(), Condition::Ended(EndReason::ClientEnded));
    let told = sent.iter().filter_map(|sent| sent.result.as_ref().ok());
    let mut told: Vec<String> = told.map(|receipt| receipt.offset_message_id.to_string()).collect();
    told.sort_unstable();
    receipts.sort_unstable();
    assert_eq!(receipts, told);
    format!(
        "{figures}; {} bytes recorded, {} inputs and {} actions replayed",
        bytes.len(),
        replay.inputs(),
        replay.checked_actions()
    )
}
