//! Keeps many messages under way from one task.
//!
//! `enqueue` waits for room only, so the loop runs as fast as the limits of the client and the window here
//! allow; the receipts are awaited later, oldest first.
//!
//! `cargo run --release -p rocketmq-smol --example smol_many_in_flight [NAME_SERVERS]`

mod servers;

use rocketmq_smol::prelude::*;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const MESSAGES: u32 = 20_000;
const WINDOW: usize = 256;

fn main() -> Result<(), Failure> {
    let servers = servers::servers()?;
    // On the executor that also runs the client: each send from another thread would cost two switches.
    smol::block_on(smol::spawn(run(servers.address.clone())))
}

async fn run(name_servers: String) -> Result<(), Failure> {
    let client = Client::builder(name_servers.as_str()).start()?;
    let producer = client.producer("many").send_timeout(Duration::from_secs(30)).await?;
    let topic: TopicName = "numbers".parse()?;
    let start = Instant::now();
    let mut under_way: VecDeque<Receipt> = VecDeque::with_capacity(WINDOW);
    let (mut stored, mut failed) = (0_u32, 0_u32);
    for number in 0..MESSAGES {
        if under_way.len() == WINDOW
            && let Some(oldest) = under_way.pop_front()
        {
            count(oldest.await, &mut stored, &mut failed);
        }
        under_way.push_back(producer.enqueue(Message::new(topic.clone(), number.to_string())).await?);
    }
    for receipt in under_way {
        count(receipt.await, &mut stored, &mut failed);
    }
    println!("{stored} stored, {failed} failed, in {:?}", start.elapsed());
    client.shutdown(Duration::from_secs(3)).await;
    if failed == 0 { Ok(()) } else { Err("some sends failed".into()) }
}

fn count(outcome: Result<SendReceipt, SendError>, stored: &mut u32, failed: &mut u32) {
    match outcome {
        Ok(_) => *stored += 1,
        Err(error) => {
            eprintln!("{error}");
            *failed += 1;
        }
    }
}
