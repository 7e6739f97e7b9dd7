//! Sends one message and prints its receipt.
//!
//! `cargo run -p rocketmq-tokio --example tokio_hello [NAME_SERVERS]`

mod servers;

use rocketmq_tokio::prelude::*;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let servers = servers::servers()?;
    // The task of `main` is not one of the workers: each send from it would cost two switches between threads.
    tokio::spawn(run(servers.address.clone())).await?
}

async fn run(name_servers: String) -> Result<(), Failure> {
    let client = Client::builder(name_servers.as_str()).start()?;
    let producer = client.producer("hello").await?;
    let receipt = producer.send(Message::new("greetings".parse()?, "Hello, RocketMQ")).await?;
    println!(
        "{} {} at offset {} of {}",
        receipt.status, receipt.message_id, receipt.queue_offset, receipt.queue
    );
    client.shutdown(Duration::from_secs(3)).await;
    Ok(())
}
