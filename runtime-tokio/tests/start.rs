//! Starting a client, with and without a runtime.

use rocketmq_tokio::prelude::*;
use rocketmq_tokio::{SharedClientError, SharedClients};
use std::time::Duration;

#[test]
fn without_a_runtime_start_says_so() {
    let error = Client::builder("127.0.0.1:9876").start().unwrap_err();
    assert_eq!(error.field, "runtime");
}

#[tokio::test]
async fn a_client_that_did_nothing_shuts_down() {
    let client = Client::builder("127.0.0.1:9876").start().unwrap();
    assert!(client.shutdown(Duration::from_secs(3)).await.is_empty());
}

#[tokio::test]
async fn a_built_driver_is_polled_by_hand() {
    let (client, driver) = Client::builder("127.0.0.1:9876").build().unwrap();
    let ((), left) = tokio::join!(driver, client.shutdown(Duration::from_secs(3)));
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_shared_client_is_started_once() {
    let clients = SharedClients::default();
    let start = || Client::builder("127.0.0.1:9876").instance_name("shared").start_shared(&clients);
    let (one, other) = (start().unwrap(), start().unwrap());
    assert!(one.is_same(&other));
    one.shutdown(Duration::from_secs(3)).await;
    assert!(!start().unwrap().is_same(&one));
}

#[test]
fn without_a_runtime_a_shared_client_does_not_start() {
    let clients = SharedClients::default();
    let error = Client::builder("127.0.0.1:9876").instance_name("shared").start_shared(&clients).unwrap_err();
    assert!(matches!(error, SharedClientError::Config(error) if error.field == "runtime"));
    assert_eq!(clients.count(), 0);
}
