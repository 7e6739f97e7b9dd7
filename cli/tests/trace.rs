//! `rocketmq send --trace` against simulated brokers: what the trace topic has, and what the summary says.

mod common;

use std::collections::BTreeMap;

use common::{TOPIC, assert_accounts, assert_code, cluster, json, run, send};
use rocketmq_sim::serve::ServedCluster;

/// Kinds of records in a topic, counted.
fn records(cluster: &ServedCluster, topic: &str) -> BTreeMap<String, usize> {
    let stored = cluster.with_cluster(|cluster| cluster.stored(topic));
    let mut counts = BTreeMap::new();
    for message in stored {
        let text = String::from_utf8(message.body.to_vec()).expect("text");
        for record in text.split_terminator('\u{2}') {
            let fields: Vec<&str> = record.split('\u{1}').collect();
            assert_eq!((fields[3], fields[4]), ("rocketmq-cli", TOPIC), "{record:?}");
            assert!(message.keys.iter().any(|key| key == fields[5]), "{:?}", message.keys);
            *counts.entry(fields[0].to_owned()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn every_message_leaves_a_record() {
    let cluster = cluster(2);
    let output = run(send(&cluster, &["--size", "20", "--count", "25", "--trace", "--json"]));
    assert_code(&output, 0);
    let json = json(&output);
    assert_accounts(&json, 25);
    assert_eq!(json["trace"], serde_json::json!({ "records": 25, "sent": 25, "dropped": 0 }));
    assert_eq!(records(&cluster, "RMQ_SYS_TRACE_TOPIC"), BTreeMap::from([("Pub".to_owned(), 25)]));
}

#[test]
fn ends_of_transactions_go_to_the_topic_that_is_named() {
    let cluster = cluster(1);
    let args =
        ["--size", "20", "--count", "3", "--transaction", "commit", "--trace", "--trace-topic", "audit"];
    let output = run(send(&cluster, &args));
    assert_code(&output, 0);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("trace          6 records, 6 sent, 0 dropped\n"), "{text}");
    let expected = BTreeMap::from([("EndTransaction".to_owned(), 3), ("Pub".to_owned(), 3)]);
    assert_eq!(records(&cluster, "audit"), expected);
    let nothing = run(send(&cluster, &["--size", "20", "--count", "3", "--json"]));
    assert!(json(&nothing)["trace"].is_null());
}
