//! Starting a shared client.

use rocketmq_smol::SharedClients;
use rocketmq_smol::prelude::*;
use std::time::Duration;

#[test]
fn a_shared_client_is_started_once() {
    let clients = SharedClients::default();
    let start = || Client::builder("127.0.0.1:9876").instance_name("shared").start_shared(&clients);
    let (one, other) = (start().unwrap(), start().unwrap());
    assert!(one.is_same(&other));
    smol::block_on(one.shutdown(Duration::from_secs(3)));
    assert!(!start().unwrap().is_same(&one));
}
