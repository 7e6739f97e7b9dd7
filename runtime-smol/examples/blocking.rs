//! Sends from plain threads: the futures of a producer run under any `block_on`.
//!
//! The client's own task runs on smol's background thread; the threads here know no executor.
//!
//! `cargo run -p rocketmq-smol --example smol_blocking [NAME_SERVERS]`

mod servers;

use futures_lite::future::block_on;
use rocketmq_smol::prelude::*;
use std::future::IntoFuture;
use std::thread;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let servers = servers::servers()?;
    let client = Client::builder(servers.address.as_str()).start()?;
    let producer = block_on(client.producer("blocking").open())?;
    let topic: TopicName = "plain-threads".parse()?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (producer, topic) = (producer.clone(), topic.clone());
                scope.spawn(move || -> Result<(), SendError> {
                    let message = Message::new(topic, format!("from thread {number}"));
                    let receipt = block_on(producer.send(message).into_future())?;
                    println!("thread {number}: {} in {}", receipt.message_id, receipt.queue);
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })?;
    block_on(client.shutdown(Duration::from_secs(3)));
    Ok(())
}
