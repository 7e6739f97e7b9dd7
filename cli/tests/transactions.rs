//! `rocketmq send --transaction` against simulated brokers: ends, checks, reports and exit codes.

mod common;

use std::collections::BTreeMap;

use common::{TOPIC, assert_accounts, assert_code, cluster, json, report_file, rows, run, send, stored};
use rocketmq_sim::serve::ServedCluster;

/// A cluster whose brokers ask about half messages at once, and again and again.
fn curious(brokers: usize) -> ServedCluster {
    let served = cluster(brokers);
    served.with_cluster(|cluster| {
        for number in 0..brokers {
            let broker = cluster.broker_mut(number).expect("a broker");
            broker.settings_mut().transaction_timeout_ms = 0;
            broker.ask_about_halves_every(100);
        }
    });
    served
}

/// Ends and verdicts of the rows, counted.
fn ends(rows: &[Vec<String>]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry((row[10].clone(), row[11].clone())).or_default() += 1;
    }
    counts
}

fn pair(ended: &str, verdict: &str) -> (String, String) {
    (ended.to_owned(), verdict.to_owned())
}

#[test]
fn messages_are_committed_or_rolled_back() {
    for runtime in ["tokio", "smol"] {
        for (choice, visible) in [("commit", 50), ("rollback", 0)] {
            let cluster = cluster(2);
            let report = report_file(&format!("{choice}-{runtime}"));
            let args =
                ["--size", "20", "--count", "50", "--transaction", choice, "--runtime", runtime, "--json"];
            let mut command = send(&cluster, &args);
            command.arg("--report").arg(&report);
            let output = run(command);
            assert_code(&output, 0);
            let json = json(&output);
            assert_accounts(&json, 50);
            let done = if choice == "commit" { "committed" } else { "rolled_back" };
            assert_eq!(json["transactions"][done], 50, "{json}");
            assert_eq!(stored(&cluster).len(), visible, "{choice}");
            let rows = rows(&report);
            assert_eq!(ends(&rows), BTreeMap::from([(pair(choice, "acknowledged"), 50)]));
            assert!(rows.iter().all(|row| row[1] == "stored" && row[12] == "0"));
        }
    }
}

#[test]
fn what_is_left_open_stays_open() {
    let cluster = cluster(1);
    let report = report_file("unknown");
    let mut command = send(&cluster, &["--size", "20", "--count", "3", "--transaction", "unknown", "--json"]);
    command.arg("--report").arg(&report);
    let output = run(command);
    assert_code(&output, 0);
    assert_eq!(json(&output)["transactions"]["left_open"], 3);
    assert_eq!(stored(&cluster), []);
    assert_eq!(cluster.with_cluster(|cluster| cluster.brokers()[0].open_half_messages()), 3);
    assert_eq!(ends(&rows(&report)), BTreeMap::from([(pair("unknown", ""), 3)]));
}

#[test]
fn a_check_is_answered_as_asked_for() {
    for (answer, visible) in [("commit", 4), ("rollback", 0)] {
        let cluster = curious(2);
        let report = report_file(&format!("checked-{answer}"));
        let args =
            ["--size", "20", "--count", "4", "--transaction", "unknown", "--on-check", answer, "--json"];
        let mut command = send(&cluster, &args);
        command.args(["--wait-checks", "60", "--report"]).arg(&report);
        let output = run(command);
        assert_code(&output, 0);
        assert_eq!(stored(&cluster).len(), visible);
        let rows = rows(&report);
        assert_eq!(ends(&rows), BTreeMap::from([(pair(answer, "acknowledged"), 4)]));
        let asked = |row: &Vec<String>| row[12].parse::<u32>().expect("a number") > 0;
        assert!(rows.iter().all(asked), "{rows:?}");
    }
}

#[test]
fn a_later_run_answers_for_an_earlier_one() {
    let cluster = curious(1);
    let first = send(&cluster, &["--body", "half", "--transaction", "unknown", "--group", "orders"]);
    assert_code(&run(first), 0);
    assert_eq!(stored(&cluster), []);
    // It sends nothing itself, but its brokers know it.
    let args = ["--size", "1", "--count", "0", "--transaction", "unknown", "--on-check", "commit"];
    let mut second = send(&cluster, &args);
    second.args(["--group", "orders", "--wait-checks", "2"]);
    assert_code(&run(second), 0);
    let stored = stored(&cluster);
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!((&stored[0].topic[..], &stored[0].body[..]), (TOPIC, &b"half"[..]));
}

#[test]
fn a_random_end_keeps_to_itself() {
    let cluster = cluster(1);
    let report = report_file("random");
    let mut command = send(&cluster, &["--size", "20", "--count", "60", "--transaction", "random", "--json"]);
    command.args(["--key-prefix", "k", "--report"]).arg(&report);
    let output = run(command);
    assert_code(&output, 0);
    let counts = ends(&rows(&report));
    let of = |end: &str, verdict: &str| counts.get(&pair(end, verdict)).copied().unwrap_or(0);
    let (committed, rolled_back) = (of("commit", "acknowledged"), of("rollback", "acknowledged"));
    assert_eq!(committed + rolled_back + of("unknown", ""), 60, "{counts:?}");
    assert!(committed > 0 && rolled_back > 0, "{counts:?}");
    assert_eq!(stored(&cluster).len(), committed);
}

#[test]
fn an_end_that_is_refused_is_no_success() {
    let cluster = cluster(1);
    cluster.with_cluster(|cluster| {
        cluster.broker_mut(0).expect("a broker").settings_mut().refuse_ends = Some(14)
    });
    let report = report_file("refused");
    let mut command = send(&cluster, &["--size", "20", "--count", "2", "--transaction", "commit", "--json"]);
    command.arg("--report").arg(&report);
    let output = run(command);
    assert_code(&output, 2);
    assert_eq!(json(&output)["transactions"]["refused"], 2);
    assert_eq!(ends(&rows(&report)), BTreeMap::from([(pair("commit", "refused"), 2)]));
    assert_eq!(stored(&cluster), []);
}

#[test]
fn a_message_that_is_not_stored_has_no_end() {
    let cluster = cluster(1);
    cluster.with_cluster(|cluster| {
        cluster.broker_mut(0).expect("a broker").answer_next_sends(1, 13, "message is illegal");
    });
    let report = report_file("half-refused");
    let mut command = send(&cluster, &["--body", "x", "--transaction", "commit"]);
    command.arg("--report").arg(&report);
    assert_code(&run(command), 2);
    let row = &rows(&report)[0];
    assert_eq!(
        (row[1].as_str(), &row[10..]),
        ("not-stored", &[String::new(), String::new(), String::new()][..])
    );
}
