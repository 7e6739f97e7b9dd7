//! Recordings of clients on both runtimes, while a broker is killed: the core does the same again, and writes the same.

use std::collections::BTreeSet;
use std::future::{Future, IntoFuture};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_sim::cluster::ClusterConfig;
use rocketmq_sim::serve::ServedCluster;
use rocketmq_tokio::rocketmq_core::client::{Action, Answer};
use rocketmq_tokio::rocketmq_core::recording::{Condition, EndReason, Reader, Replay};
use rocketmq_tokio::{Bodies, Client, ClientBuilder, Message, Producer, Receipt, Recording, SerializeType};

const PATIENCE: Duration = Duration::from_secs(60);
/// Messages of each part of a run: before the kill, while it happens, afterwards.
const PART: usize = 60;

/// A file in memory.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl Write for File {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What senders were told: the ids of stored messages, and how many others there were.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    stored: BTreeSet<String>,
    failed: usize,
}

async fn enqueue(producer: &Producer, count: usize) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for number in 0..count {
        let message = Message::builder("Recorded".parse().expect("a topic"))
            .body(format!("nobody shall see body {number}"))
            .key(&format!("k{number}"))
            .build();
        let send = producer.enqueue(message.expect("a message")).within(PATIENCE);
        receipts.push(send.into_future().await.expect("room"));
    }
    receipts
}

async fn wait_for(receipts: Vec<Receipt>, told: &mut Told) {
    for receipt in receipts {
        match receipt.await {
            Ok(receipt) => drop(told.stored.insert(receipt.message_id.to_string())),
            Err(_) => told.failed += 1,
        }
    }
}

async fn session(cluster: Arc<ServedCluster>, client: Client) -> Told {
    let producer = client.producer("recorded").open().await.expect("a producer");
    let mut told = Told::default();
    let before = enqueue(&producer, PART).await;
    wait_for(before, &mut told).await;
    let during = enqueue(&producer, PART).await;
    cluster.crash_broker(1);
    wait_for(during, &mut told).await;
    let while_gone = enqueue(&producer, PART).await;
    cluster.restart_broker(1).expect("the same port");
    wait_for(while_gone, &mut told).await;
    let after = enqueue(&producer, PART).await;
    wait_for(after, &mut told).await;
    let undelivered = client.shutdown(PATIENCE).await;
    assert!(undelivered.is_empty());
    told
}

/// Replays to the end and returns what the senders are told again.
fn replay(bytes: &[u8]) -> Told {
    let reader = Reader::new(bytes).expect("a recording");
    let mut replay = Replay::new(reader).expect("a client");
    let mut told = Told::default();
    let mut lost = 0;
    while let Some(step) = replay.next_step().expect("the same actions") {
        for action in step.actions {
            match action {
                Action::Answer { answer: Answer::Sent(Ok(receipt)), .. } => {
                    told.stored.insert(receipt.message_id.to_string());
                }
                Action::Answer { answer: Answer::Sent(Err(_)), .. } => told.failed += 1,
                Action::Notice(notice) => {
                    lost += usize::from(format!("{notice:?}").contains("ConnectionDown"))
                }
                _ => {}
            }
        }
    }
    assert_eq!(replay.condition(), Condition::Ended(EndReason::ClientEnded));
    assert!(replay.checked_actions() > 4 * PART as u64);
    assert!(replay.compared_writes() > replay.uncompared_writes(), "the bytes are not compared");
    assert!(lost > 0, "the kill is not in the recording");
    told
}

fn check(
    bodies: Bodies,
    serialize: SerializeType,
    run: impl FnOnce(ClientBuilder, Arc<ServedCluster>) -> Told,
) {
    let config = ClusterConfig { brokers: 2, discovery: true, ..ClusterConfig::default() };
    let cluster = Arc::new(ServedCluster::start(config).expect("loopback ports"));
    let file = File::default();
    let recording = Recording::to_writer(file.clone()).bodies(bodies);
    let builder = match bodies {
        Bodies::Hash => Client::builder_with_discovery(cluster.discovery_addr()),
        _ => Client::builder(cluster.name_server_addr()),
    };
    let builder = builder.serialize_type(serialize).record(recording);
    let told = run(builder, cluster);
    assert_eq!(told.stored.len() + told.failed, 4 * PART);
    let bytes = file.0.lock().expect("no panic").clone();
    assert_eq!(replay(&bytes), told);
    let body = b"nobody shall see";
    assert_eq!(bytes.windows(body.len()).any(|window| window == body), bodies == Bodies::Keep);
}

fn on_tokio<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

#[test]
fn a_kill_replays_on_tokio() {
    for (bodies, serialize) in [
        (Bodies::Keep, SerializeType::Json),
        (Bodies::LeaveOut, SerializeType::RocketMq),
        (Bodies::Hash, SerializeType::Json),
    ] {
        check(bodies, serialize, |builder, cluster| {
            on_tokio(async {
                let client = rocketmq_tokio::Start::start(builder).expect("a client");
                session(cluster, client).await
            })
        });
    }
}

#[test]
fn a_kill_replays_on_smol() {
    for (bodies, serialize) in [
        (Bodies::Keep, SerializeType::RocketMq),
        (Bodies::LeaveOut, SerializeType::Json),
        (Bodies::Hash, SerializeType::RocketMq),
    ] {
        check(bodies, serialize, |builder, cluster| {
            let client = rocketmq_smol::Start::start(builder).expect("a client");
            smol::block_on(session(cluster, client))
        });
    }
}
