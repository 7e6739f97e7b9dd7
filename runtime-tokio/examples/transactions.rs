//! An order and its message become true together: a half message, a local transaction, and brokers that ask about what was
//! left open.
//!
//! `cargo run -p rocketmq-tokio --example tokio_transactions [NAME_SERVERS]`

mod servers;

use rocketmq_tokio::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Stands for the database of a service: which local transactions were done, by the unique key of their message.
#[derive(Clone, Default)]
struct Orders(Arc<Mutex<BTreeMap<UniqueKey, bool>>>);

impl Orders {
    /// The local transaction. It keeps its outcome together with what it does.
    fn place(&self, key: UniqueKey, apples: u32) -> bool {
        let done = apples > 0;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, done);
        done
    }

    fn outcome(&self, key: UniqueKey) -> LocalTransactionState {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            Some(true) => LocalTransactionState::Commit,
            Some(false) => LocalTransactionState::Rollback,
            // Not yet, or in another process: the broker asks again.
            None => LocalTransactionState::Unknown,
        }
    }
}

impl TransactionListener for Orders {
    async fn check(&self, check: &Check) -> LocalTransactionState {
        let state = self.outcome(check.unique_key());
        println!("the broker asks about {}: {state:?}", check.unique_key());
        state
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let servers = servers::servers()?;
    tokio::spawn(run(servers.address.clone())).await?
}

async fn run(name_servers: String) -> Result<(), Failure> {
    let client = Client::builder(name_servers.as_str()).start()?;
    let producer = client.producer("orders").await?;
    let orders = Orders::default();
    let answering = tokio::spawn(producer.checks().answer(orders.clone()));
    for apples in [4, 0, 7] {
        let message = Message::new("placed".parse()?, format!("{apples} apples"));
        let half = producer.send_half(message).await?;
        let key = half.unique_key();
        let ended = if orders.place(key, apples) { half.commit().await } else { half.rollback().await };
        match ended {
            Ok(()) => println!("{key}: {apples} apples, {:?}", orders.outcome(key)),
            // No reason to do anything: when the broker has not done it, it asks.
            Err(error) => println!("{error}"),
        }
    }
    client.shutdown(Duration::from_secs(5)).await;
    Ok(answering.await?)
}
