//! Paused time, with streams in memory.

use rocketmq_driver::contract::{Peer, Store};
use rocketmq_tokio::prelude::*;
use rocketmq_tokio::{Endpoint, Tokio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const NAME_SERVER: u16 = 9876;
const BROKER: u16 = 10_911;

/// Answers whatever comes, or reads it and says nothing.
async fn serve(mut stream: DuplexStream, mut peer: Peer, silent: bool) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        for answer in peer.receive(&buffer[..count]) {
            if !silent && stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// A client whose broker is silent, or not.
fn start(store: &Store, silent: bool) -> Client {
    let store = store.clone();
    let runtime = Tokio::with_connector(move |to: Endpoint| {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let peer = Peer::new(store.clone(), &[("b0".into(), BROKER)]);
        tokio::spawn(serve(theirs, peer, silent && to.port() != NAME_SERVER));
        async { Ok(ours) }
    });
    let builder = Client::builder(format!("127.0.0.1:{NAME_SERVER}").as_str());
    let (client, driver) = builder.build_with(runtime).unwrap();
    drop(tokio::spawn(driver));
    client
}

#[tokio::test(start_paused = true)]
async fn a_deadline_passes_at_once_and_on_time() {
    let store = Store::default();
    let client = start(&store, true);
    let producer = client.producer("paused").await.unwrap();
    let (paused, real) = (Instant::now(), std::time::Instant::now());
    let hour = Duration::from_secs(3_600);
    let message = Message::new("topic".parse().unwrap(), "unanswered");
    let error = producer.send(message).within(hour).retries(1_000_000).await.unwrap_err();
    assert!(error.may_be_stored(), "{error}");
    // The timer of tokio counts milliseconds and rounds up.
    assert!((hour..hour + Duration::from_millis(10)).contains(&paused.elapsed()), "{:?}", paused.elapsed());
    assert!(real.elapsed() < hour / 2);
}

#[tokio::test(start_paused = true)]
async fn answers_come_before_deadlines() {
    let store = Store::default();
    let client = start(&store, false);
    let producer = client.producer("paused").await.unwrap();
    let paused = Instant::now();
    for number in 0..100 {
        let message = Message::new("topic".parse().unwrap(), number.to_string());
        producer.send(message).await.unwrap();
    }
    assert!(paused.elapsed() < Duration::from_secs(1), "{:?}", paused.elapsed());
    // Between heartbeats and beyond: the connections stay and the client is well.
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(client.counters().heartbeats >= 10);
    assert!(client.shutdown(Duration::from_secs(3)).await.is_empty());
    assert_eq!((store.messages(), store.unregistered()), (100, 1));
}
