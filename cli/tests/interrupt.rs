//! Ctrl-C during `rocketmq send`: everything that was attempted is accounted for.
#![cfg(unix)]

mod common;

use std::sync::mpsc::{Receiver, channel};

use common::{assert_accounts, assert_code, cluster, json, report_file, rows, send, signal, stored};
use rocketmq_sim::cluster::{SendAttempt, SendDecision};
use rocketmq_sim::serve::ServedCluster;

/// Tells each send that arrives, and does the same to all of them.
fn arrivals(cluster: &ServedCluster, decision: SendDecision) -> Receiver<()> {
    let (arrived, arrivals) = channel();
    cluster.with_cluster(|cluster| {
        let policy = move |_: &SendAttempt<'_>| {
            // The test may have stopped to listen.
            let _ = arrived.send(());
            decision.clone()
        };
        cluster.broker_mut(0).expect("a broker").set_send_policy(policy);
    });
    arrivals
}

#[test]
fn the_first_one_stops_drains_and_reports() {
    for runtime in ["tokio", "smol"] {
        let cluster = cluster(1);
        let arrivals = arrivals(&cluster, SendDecision::Store);
        let report = report_file(&format!("interrupt-{runtime}"));
        let flags = ["--size", "10", "--count", "100000000", "--rate", "500", "--runtime", runtime];
        let mut command = send(&cluster, &flags);
        command.args(["--key-prefix", "k", "--json", "--report"]).arg(&report);
        let child = command.spawn().expect("the binary");
        for _ in 0..20 {
            arrivals.recv().expect("a send");
        }
        signal(&child, "-INT");
        let output = child.wait_with_output().expect("an end");
        assert_code(&output, 0);
        let json = json(&output);
        let in_stores = stored(&cluster).len();
        assert!(in_stores >= 20);
        assert_accounts(&json, in_stores as u64);
        assert_eq!(json["stored"], in_stores);
        assert_eq!(json["interrupted"], true);
        assert_eq!(rows(&report).len(), in_stores);
    }
}

#[test]
fn it_also_ends_a_wait_for_standard_input() {
    let cluster = cluster(1);
    let arrivals = arrivals(&cluster, SendDecision::Store);
    let mut command = send(&cluster, &["--json"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().expect("the binary");
    let mut input = child.stdin.take().expect("captured");
    std::io::Write::write_all(&mut input, b"first\n").expect("the binary reads");
    arrivals.recv().expect("a send");
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("an end");
    drop(input);
    assert_code(&output, 0);
    assert_accounts(&json(&output), 1);
}

#[test]
fn the_second_one_does_not_wait() {
    let cluster = cluster(1);
    // Stored, and never answered: without the second signal the sends would wait for ten minutes.
    let arrivals = arrivals(&cluster, SendDecision::StoreSilently);
    let report = report_file("interrupt-twice");
    let flags = ["--size", "10", "--count", "50", "--in-flight", "8", "--timeout", "600000"];
    let mut command = send(&cluster, &flags);
    command.args(["--retries", "1", "--key-prefix", "k", "--json", "--report"]).arg(&report);
    let mut child = command.spawn().expect("the binary");
    for _ in 0..8 {
        arrivals.recv().expect("a send");
    }
    // Two signals in a row can arrive as one, so they are repeated.
    while child.try_wait().expect("a status").is_none() {
        signal(&child, "-INT");
    }
    let output = child.wait_with_output().expect("an end");
    assert_code(&output, 2);
    let json = json(&output);
    assert_accounts(&json, 8);
    assert_eq!(json["may_be_stored"], 8);
    assert_eq!(json["errors"], serde_json::json!({"interrupted": 8}));
    let mut rows = rows(&report);
    rows.sort();
    assert_eq!(rows.len(), 8);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row[0], format!("k{number}"));
        assert_eq!(row[1], "may-be-stored");
        assert_eq!(row[8..], ["2", "interrupted", "", "", ""]);
    }
}
