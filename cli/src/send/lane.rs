//! One of the senders: takes the next body, sends it, waits for its end, and again. As many lanes as
//! messages may be under way; a message that takes long holds up its own lane only.

use std::time::Instant;

use rocketmq_driver::{Message, MessageError, Producer};

use super::Run;
use super::ledger::key_of;
use super::source::Numbered;
use super::transactions;
use super::verdict::Ending;

/// Sends until there are no more bodies.
pub(super) async fn run(lane: usize, run: &Run, producer: &Producer) {
    loop {
        let due = match run.due.get() {
            Some(schedule) => match schedule.recv().await {
                Ok(due) => Some(due),
                Err(_) => return,
            },
            None => None,
        };
        let Some(Numbered { number, body }) = run.source.next().await else {
            run.stop();
            return;
        };
        run.ledger.start(lane, number);
        let start = due.unwrap_or_else(Instant::now);
        let ending = match message(run, number, body) {
            Ok(message) => send(run, producer, number, message).await,
            Err(_) => Ending::Unmade,
        };
        run.ledger.end(lane, ending, start.elapsed());
    }
}

fn message(run: &Run, number: u64, body: bytes::Bytes) -> Result<Message, MessageError> {
    let topic = run.args.topic.clone();
    match key_of(run.args.key_prefix.as_deref(), number) {
        Some(key) => Message::builder(topic).body(body).key(&key).build(),
        None => Ok(Message::new(topic, body)),
    }
}

async fn send(run: &Run, producer: &Producer, number: u64, mut message: Message) -> Ending {
    let (timeout, retries) = (run.args.timeout, run.args.retries);
    if let Some(ids) = run.ids.get() {
        let id = ids.next();
        message.set_unique_key(id);
        return match producer.send_oneway(message).within(timeout).retries(retries).await {
            Ok(()) => Ending::HandedOver(id),
            Err(error) => Ending::Failed(error),
        };
    }
    if let Some(local) = &run.local_transactions {
        return match producer.send_half(message).within(timeout).retries(retries).await {
            Ok(half) => Ending::Half(transactions::end(run, local, number, half).await),
            Err(error) => Ending::Failed(error),
        };
    }
    match producer.send(message).within(timeout).retries(retries).await {
        Ok(receipt) => Ending::Stored(receipt),
        Err(error) => Ending::Failed(error),
    }
}
