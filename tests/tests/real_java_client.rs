//! The official Java client sends to real servers, and what they stored is what it was told.
//!
//! Needs Java 17, Maven and some minutes, so it is asked for explicitly:
//! `cargo test -p rocketmq-sim --test real_java_client -- --ignored`. It then fails where Java or Maven is missing.

use std::collections::BTreeMap;
use std::process::Command;

use rocketmq_sim::real::{RealCluster, StoredMessage};

const SEND_ALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/real/send-all");
const COUNT: usize = 300;

/// What the Java client was told about one message: status, msgId, offsetMsgId, broker, queueId, queueOffset.
type Told = BTreeMap<String, [String; 6]>;

fn send_all(cluster: &RealCluster, topic: &str, mode: &str) -> Told {
    let output = Command::new(SEND_ALL)
        .args([cluster.name_server(), topic, &COUNT.to_string(), mode])
        .output()
        .expect("tests/real/send-all runs");
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let told: Told = lines
        .lines()
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let key = fields.next().expect("a key");
            (
                key,
                fields.collect::<Vec<_>>().try_into().expect("six more fields"),
            )
        })
        .collect();
    assert_eq!(told.len(), COUNT, "{mode}");
    told
}

fn as_told(message: &StoredMessage) -> [String; 6] {
    [
        "SEND_OK".to_owned(),
        message.unique_key().to_owned(),
        message.offset_message_id(),
        message.broker.clone(),
        message.queue_id.to_string(),
        message.queue_offset.to_string(),
    ]
}

fn java_client_is_told_what_is_stored(version: &str) {
    let cluster = RealCluster::start(version, &[], 2).expect("servers");
    for mode in ["sync", "async", "oneway"] {
        let topic = format!("Java-{mode}");
        cluster.create_topic("broker-a", &topic, 3, 6).expect("topic");
        cluster.create_topic("broker-b", &topic, 3, 6).expect("topic");
        let told = send_all(&cluster, &topic, mode);
        let stored = cluster.stored(&topic).expect("store");
        assert_eq!(stored.len(), COUNT, "{version} {mode}");
        for message in &stored {
            let told = &told[message.keys()];
            let expected = as_told(message);
            if mode == "oneway" {
                assert_eq!(
                    (told[0].as_str(), &told[1]),
                    ("ONE_WAY", &expected[1]),
                    "{version} {mode}"
                );
            } else {
                assert_eq!(told, &expected, "{version} {mode}");
            }
            assert_eq!(message.body, message.keys().as_bytes(), "{version} {mode}");
        }
    }
}

#[test]
#[ignore = "starts real servers"]
fn java_client_is_told_what_5_5_0_stored() {
    java_client_is_told_what_is_stored("5.5.0");
}

#[test]
#[ignore = "starts real servers"]
fn java_client_is_told_what_4_9_7_stored() {
    java_client_is_told_what_is_stored("4.9.7");
}
