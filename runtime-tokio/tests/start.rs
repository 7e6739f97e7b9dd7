//! Starting a client, with and without a runtime.

use rocketmq_tokio::prelude::*;
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
