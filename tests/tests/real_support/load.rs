//! Sends many messages and keeps what became of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rocketmq_tokio::{Message, Producer, SendError, SendReceipt, TopicName};

use super::bench::{Bench, Spawner, Task};

/// One message and what its sender was told.
pub(crate) struct Sent {
    pub(crate) key: String,
    pub(crate) took: Duration,
    pub(crate) result: Result<SendReceipt, SendError>,
}

/// When a load ends: at a number of messages, or when it is told to.
#[derive(Clone)]
pub(crate) struct Until {
    count: usize,
    over: Arc<AtomicBool>,
}

impl Until {
    pub(crate) fn count(count: usize) -> Self {
        Self { count, over: Arc::default() }
    }

    pub(crate) fn told() -> Self {
        Self::count(usize::MAX)
    }

    pub(crate) fn tell(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    fn is_over(&self, number: usize) -> bool {
        number >= self.count || self.over.load(Ordering::SeqCst)
    }
}

/// Sends messages of one producer to one topic; message number i carries the key `m` + i.
#[derive(Clone)]
pub(crate) struct Load {
    spawner: Spawner,
    producer: Producer,
    topic: TopicName,
    within: Option<Duration>,
}

/// The body that belongs to a key.
pub(crate) fn body(key: &str) -> Vec<u8> {
    format!("{key:.<100}").into_bytes()
}

pub(crate) fn message(topic: &TopicName, key: &str) -> Message {
    let builder = Message::builder(topic.clone()).key(key).body(body(key));
    builder.build().expect("a message")
}

impl Load {
    /// With the default deadline of 3 s.
    pub(crate) fn new(bench: &Bench<'_>, producer: &Producer, topic: &TopicName) -> Self {
        Self { spawner: bench.spawner(), producer: producer.clone(), topic: topic.clone(), within: None }
    }

    pub(crate) fn within(self, deadline: Duration) -> Self {
        Self { within: Some(deadline), ..self }
    }

    async fn send(&self, number: usize) -> Sent {
        let key = format!("m{number}");
        let start = Instant::now();
        let mut send = self.producer.send(message(&self.topic, &key));
        if let Some(deadline) = self.within {
            send = send.within(deadline);
        }
        let result = send.await;
        Sent { key, took: start.elapsed(), result }
    }

    /// So many tasks, each of which sends one message after the other.
    pub(crate) fn lanes(&self, lanes: usize, until: &Until) -> Task<Vec<Sent>> {
        let next = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..lanes)
            .map(|_| {
                let (load, next, until) = (self.clone(), Arc::clone(&next), until.clone());
                self.spawner.spawn(async move {
                    let mut sent = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if until.is_over(number) {
                            return sent;
                        }
                        sent.push(load.send(number).await);
                    }
                })
            })
            .collect();
        self.spawner.spawn(async {
            let mut all = Vec::new();
            for task in tasks {
                all.extend(task.await);
            }
            all
        })
    }

    /// So many messages a second, however long each of them takes.
    pub(crate) fn paced(&self, per_second: u32, until: &Until) -> Task<Vec<Sent>> {
        let (load, until) = (self.clone(), until.clone());
        self.spawner.spawn(async move {
            let mut tasks = Vec::new();
            let mut pace = Pace::new(per_second);
            while !until.is_over(tasks.len()) {
                pace.next().await;
                let (load, number) = (load.clone(), tasks.len());
                tasks.push(load.spawner.clone().spawn(async move { load.send(number).await }));
            }
            let mut all = Vec::new();
            for task in tasks {
                all.push(task.await);
            }
            all
        })
    }

    /// So many messages a second that nobody answers; tells which of them could not be handed over.
    pub(crate) fn one_way(&self, per_second: u32, count: usize) -> Task<Vec<SendError>> {
        let load = self.clone();
        self.spawner.spawn(async move {
            let mut failed = Vec::new();
            let mut pace = Pace::new(per_second);
            for number in 0..count {
                pace.next().await;
                let message = message(&load.topic, &format!("m{number}"));
                let result = load.producer.send_oneway(message).await;
                failed.extend(result.err());
            }
            failed
        })
    }
}

/// Ready so many times a second; what was late is made up for.
struct Pace {
    at: Instant,
    period: Duration,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self { at: Instant::now(), period: Duration::from_secs(1) / per_second }
    }

    async fn next(&mut self) {
        self.at += self.period;
        smol::Timer::at(self.at).await;
    }
}
