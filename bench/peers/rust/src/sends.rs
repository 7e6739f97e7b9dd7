//! Sending the messages of a phase, one after the other in each of many tasks.

use crate::options::Options;
use crate::phase::Phase;
use bytes::Bytes;
use rocketmq_client_rust::{DefaultMQProducer, SendStatus};
use rocketmq_model::common::message::message_single::Message;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// Fails if not even the first message can be sent.
pub(crate) async fn warm_up(
    producer: &Arc<DefaultMQProducer>,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    if options.warm_up == 0 {
        return Ok(());
    }
    let probe = Phase::new(0, 1, None)?;
    Task::new(producer, options).send(&probe, 0, Instant::now()).await;
    if let Some(error) = probe.first_error() {
        return Err(format!("the first message failed: {error}").into());
    }
    send(producer, options, Phase::new(1, options.warm_up - 1, None)?).await?;
    Ok(())
}

/// Returns when every message of the phase has ended.
pub(crate) async fn send(
    producer: &Arc<DefaultMQProducer>,
    options: &Options,
    phase: Phase,
) -> Result<Arc<Phase>, Box<dyn Error>> {
    let phase = Arc::new(phase);
    let tasks = options.in_flight;
    let mut running = JoinSet::new();
    let task = Task::new(producer, options);
    for _ in 0..tasks {
        running.spawn(task.clone().run(phase.clone()));
    }
    if phase.has_rate() {
        let phase = phase.clone();
        std::thread::spawn(move || phase.pace(tasks as usize));
    }
    while let Some(ended) = running.join_next().await {
        ended?;
    }
    Ok(phase)
}

/// What a task needs to send. All have the same body.
#[derive(Clone)]
struct Task {
    producer: Arc<DefaultMQProducer>,
    topic: String,
    body: Bytes,
}

impl Task {
    fn new(producer: &Arc<DefaultMQProducer>, options: &Options) -> Self {
        let body = Bytes::from(vec![b'x'; options.body as usize]);
        Self { producer: producer.clone(), topic: options.topic.clone(), body }
    }

    async fn run(self, phase: Arc<Phase>) {
        while let Some((place, since)) = phase.take().await {
            self.send(&phase, place, since).await;
        }
    }

    async fn send(&self, phase: &Phase, place: u64, since: Instant) {
        let message = Message::builder()
            .topic(self.topic.as_str())
            .tags("TagA")
            .key(phase.key(place))
            .body(self.body.clone())
            .build();
        let sent = match message {
            Ok(message) => self.producer.send(message).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match sent {
            Ok(Some(result)) if result.send_status == SendStatus::SendOk => phase.stored(since),
            Ok(Some(result)) => phase.failed(&format!("{:?}", result.send_status)),
            Ok(None) => phase.failed("neither a result nor an error"),
            Err(error) => phase.failed(&error),
        }
    }
}
