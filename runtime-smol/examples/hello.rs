//! Sends one message and prints its receipt.
//!
//! `cargo run -p rocketmq-smol --example smol_hello [NAME_SERVERS]`

mod servers;

use rocketmq_smol::prelude::*;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let servers = servers::servers()?;
    // On the executor that also runs the client: each send from another thread would cost two switches.
    smol::block_on(smol::spawn(run(servers.address.clone())))
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
