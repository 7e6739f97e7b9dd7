//! Shuts down with messages under way, and accounts for each of them.
//!
//! `flush` waits until everything has its verdict; `shutdown` waits too, unregisters from the brokers, and
//! hands back what was not delivered.
//!
//! `cargo run -p rocketmq-tokio --example tokio_graceful_shutdown [NAME_SERVERS]`

mod servers;

use rocketmq_tokio::prelude::*;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const MESSAGES: usize = 1_000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let servers = servers::servers()?;
    // The task of `main` is not one of the workers: each send from it would cost two switches between threads.
    tokio::spawn(run(servers.address.clone())).await?
}

async fn run(name_servers: String) -> Result<(), Failure> {
    let client = Client::builder(name_servers.as_str()).start()?;
    let producer = client.producer("graceful").await?;
    let topic: TopicName = "farewells".parse()?;
    let mut receipts = Vec::new();
    for number in 0..MESSAGES {
        receipts.push(producer.enqueue(Message::new(topic.clone(), number.to_string())).await?);
    }
    // New sends are refused from here on; those under way have five seconds.
    let undelivered = client.shutdown(Duration::from_secs(5)).await;
    for lost in &undelivered {
        println!("{}", lost.error);
    }
    let mut stored = 0;
    for receipt in receipts {
        stored += usize::from(receipt.await.is_ok());
    }
    println!("{stored} stored, {} not delivered", undelivered.len());
    let error = producer.send(Message::new(topic, "too late")).await.err();
    println!("afterwards: {}", error.map_or_else(String::new, |error| error.to_string()));
    if stored + undelivered.len() == MESSAGES { Ok(()) } else { Err("a message is not accounted for".into()) }
}
