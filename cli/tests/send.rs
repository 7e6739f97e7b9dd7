//! `rocketmq send` against simulated brokers: bodies, reports, figures and exit codes.

mod common;

use std::collections::BTreeMap;

use common::{
    TOPIC, assert_accounts, assert_code, closed_address, cluster, json, report_file, rocketmq, rows, run,
    run_with_input, send, stderr, stored,
};
use rocketmq_sim::cluster::{SendAttempt, SendDecision};

#[test]
fn bodies_of_a_size() {
    let cluster = cluster(2);
    let output = run(send(&cluster, &["--size", "100", "--count", "500", "--in-flight", "32", "--json"]));
    assert_code(&output, 0);
    let json = json(&output);
    assert_accounts(&json, 500);
    assert_eq!(json["stored"], 500);
    assert_eq!(json["attempts"], 500);
    assert_eq!(json["interrupted"], false);
    assert_eq!(json["errors"], serde_json::json!({}));
    for positive in ["seconds", "sends_per_s", "p50_us", "p99_us", "p999_us", "max_us"] {
        assert!(json[positive].as_f64().is_some_and(|figure| figure > 0.0), "{positive}: {json}");
    }
    if cfg!(target_os = "linux") {
        for known in ["cpu_us_per_send", "peak_rss_kib"] {
            assert!(json[known].as_f64().is_some_and(|figure| figure > 0.0), "{known}: {json}");
        }
    }
    let stored = stored(&cluster);
    assert_eq!(stored.len(), 500);
    assert!(stored.iter().all(|message| message.body.len() == 100));
}

#[test]
fn a_body_of_the_command_line_is_sent_once() {
    let cluster = cluster(1);
    let output = run(send(&cluster, &["--body", "hello, broker", "--group", "cli-group"]));
    assert_code(&output, 0);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("attempted      1\nstored         1\nnot stored     0\n"), "{text}");
    let stored = stored(&cluster);
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].body, "hello, broker");
    assert!(stored[0].keys.is_empty());
}

#[test]
fn the_state_of_the_client_is_told_on_standard_error() {
    let cluster = cluster(1);
    let output = run(send(&cluster, &["--body", "hello", "--group", "cli-group", "--state-every", "3600"]));
    assert_code(&output, 0);
    let text = stderr(&output);
    let broker = "broker broker-a: master at 127.0.0.1:";
    for line in [": running for ", broker, "producer group cli-group: open, 0 sends", " stored=1 "] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let refused = run(send(&cluster, &["--body", "hello", "--state-every", "0"]));
    assert_code(&refused, 1);
}

#[test]
fn lines_of_standard_input_and_their_keys() {
    let cluster = cluster(2);
    let lines: Vec<String> = (0..300).map(|number| format!("line {number} \u{e4}")).collect();
    let input = lines.join("\n");
    let command = send(&cluster, &["--key-prefix", "in-", "--json", "--in-flight", "16"]);
    let output = run_with_input(command, input.as_bytes());
    assert_code(&output, 0);
    assert_accounts(&json(&output), 300);
    let mut found = BTreeMap::new();
    for message in stored(&cluster) {
        found.insert(message.keys.join(" "), String::from_utf8(message.body.to_vec()).expect("UTF-8"));
    }
    assert_eq!(found.len(), 300);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(&found[&format!("in-{number}")], line);
    }
}

#[test]
fn a_count_limits_the_lines() {
    let cluster = cluster(1);
    let output = run_with_input(send(&cluster, &["--count", "2"]), b"a\nb\nc\n");
    assert_code(&output, 0);
    assert_eq!(stored(&cluster).len(), 2);
}

#[test]
fn no_input_is_no_message_and_no_failure() {
    let cluster = cluster(1);
    let output = run_with_input(send(&cluster, &["--json"]), b"");
    assert_code(&output, 0);
    assert_accounts(&json(&output), 0);
}

#[test]
fn both_runtimes_and_both_header_forms() {
    for runtime in ["tokio", "smol"] {
        for serialize in ["json", "binary"] {
            let cluster = cluster(2);
            let flags = ["--runtime", runtime, "--serialize", serialize];
            let mut command = send(&cluster, &flags);
            command.args(["--size", "10", "--count", "200", "--json"]);
            let output = run(command);
            assert_code(&output, 0);
            assert_accounts(&json(&output), 200);
            assert_eq!(stored(&cluster).len(), 200, "{runtime} {serialize}");
        }
    }
}

#[test]
fn the_report_tells_where_each_message_is() {
    let cluster = cluster(2);
    let report = report_file("report-stored");
    let mut command = send(&cluster, &["--size", "20", "--count", "100", "--key-prefix", "a\\b-"]);
    command.arg("--report").arg(&report);
    assert_code(&run(command), 0);
    let mut by_key = BTreeMap::new();
    for message in stored(&cluster) {
        by_key.insert(message.keys.join(" "), message);
    }
    let rows = rows(&report);
    assert_eq!((rows.len(), by_key.len()), (100, 100));
    for row in rows {
        // The backslash of the key is escaped.
        let key = row[0].replace("\\\\", "\\");
        assert_ne!(key, row[0]);
        let message = by_key.remove(&key).unwrap_or_else(|| panic!("{key} twice or unknown"));
        assert_eq!(row[1..3], ["stored", "SEND_OK"]);
        assert_eq!(Some(&row[3]), message.unique_key.as_ref());
        assert_eq!(row[4], message.offset_message_id);
        assert_eq!(row[5], message.broker);
        assert_eq!(row[6], message.queue_id.to_string());
        assert_eq!(row[7], message.queue_offset.to_string());
        assert_eq!(row[8..], ["1", "", "", "", ""]);
    }
}

#[test]
fn a_status_other_than_ok_is_stored_all_the_same() {
    let cluster = cluster(1);
    cluster.with_cluster(|cluster| {
        let broker = cluster.broker_mut(0).expect("a broker");
        broker.answer_next_sends(1, 12, "slave late");
    });
    let report = report_file("report-status");
    let mut command = send(&cluster, &["--body", "x"]);
    command.arg("--report").arg(&report);
    assert_code(&run(command), 0);
    assert_eq!(rows(&report)[0][1..3], ["stored", "FLUSH_SLAVE_TIMEOUT"]);
}

#[test]
fn an_empty_body_is_refused_and_nothing_is_written() {
    let cluster = cluster(1);
    let report = report_file("report-empty");
    let mut command = send(&cluster, &["--json"]);
    command.arg("--report").arg(&report);
    let output = run_with_input(command, b"one\n\nthree\n");
    assert_code(&output, 2);
    let json = json(&output);
    assert_accounts(&json, 3);
    assert_eq!(json["errors"], serde_json::json!({"invalid-message": 1}));
    assert_eq!(stored(&cluster).len(), 2);
    let refused: Vec<_> = rows(&report).into_iter().filter(|row| row[1] == "not-stored").collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0][4..], ["", "", "", "", "0", "invalid-message", "", "", ""]);
}

#[test]
fn a_message_without_an_answer_may_be_stored() {
    let cluster = cluster(1);
    cluster.with_cluster(|cluster| {
        let silent = |_: &SendAttempt<'_>| SendDecision::StoreSilently;
        cluster.broker_mut(0).expect("a broker").set_send_policy(silent);
    });
    let report = report_file("report-silent");
    let mut command = send(&cluster, &["--body", "x", "--timeout", "1500", "--retries", "0", "--json"]);
    command.arg("--report").arg(&report);
    let output = run(command);
    assert_code(&output, 2);
    let json = json(&output);
    assert_accounts(&json, 1);
    assert_eq!(json["may_be_stored"], 1);
    let row = &rows(&report)[0];
    let message = &stored(&cluster)[0];
    assert_eq!(row[1], "may-be-stored");
    assert_eq!(Some(&row[3]), message.unique_key.as_ref());
    assert_eq!(row[4..8], ["", "", "", ""]);
    assert_eq!(row[8], "1");
    assert!(!row[9].is_empty());
}

#[test]
fn copies_do_not_exceed_the_attempts() {
    let cluster = cluster(2);
    cluster.with_cluster(|cluster| {
        let silent = |_: &SendAttempt<'_>| SendDecision::StoreSilently;
        cluster.broker_mut(0).expect("a broker").set_send_policy(silent);
    });
    let report = report_file("report-copies");
    let mut command = send(&cluster, &["--size", "9", "--count", "40", "--timeout", "4000"]);
    command.args(["--json", "--report"]).arg(&report);
    let output = run(command);
    assert_code(&output, 0);
    let stored = stored(&cluster);
    let copies = |id: &String| stored.iter().filter(|copy| copy.unique_key.as_ref() == Some(id)).count();
    let mut attempts = 0;
    for row in rows(&report) {
        let of_row: usize = row[8].parse().expect("a number");
        assert!((1..=of_row).contains(&copies(&row[3])), "{row:?}");
        assert_eq!(row[5], "broker-b");
        attempts += of_row;
    }
    assert!(stored.len() > 40);
    assert_eq!(json(&output)["attempts"], attempts);
}

#[test]
fn a_refusal_is_counted_by_its_code() {
    let cluster = cluster(1);
    cluster.with_cluster(|cluster| {
        cluster.broker_mut(0).expect("a broker").answer_next_sends(1, 13, "too\tlarge");
    });
    let output = run(send(&cluster, &["--body", "x", "--json"]));
    assert_code(&output, 2);
    let json = json(&output);
    assert_eq!(json["not_stored"], 1);
    assert_eq!(json["errors"], serde_json::json!({"refused:MESSAGE_ILLEGAL": 1}));
}

#[test]
fn one_way_messages_may_be_stored_and_that_is_success() {
    for runtime in ["tokio", "smol"] {
        let cluster = cluster(1);
        let report = report_file(&format!("report-one-way-{runtime}"));
        let flags = ["--size", "10", "--count", "100", "--one-way", "--json", "--runtime", runtime];
        let mut command = send(&cluster, &flags);
        command.arg("--report").arg(&report);
        let output = run(command);
        assert_code(&output, 0);
        let json = json(&output);
        assert_accounts(&json, 100);
        assert_eq!(json["may_be_stored"], 100);
        assert_eq!(json["errors"], serde_json::json!({}));
        // The producer's goodbye, which the broker has answered, came after them on the same connection.
        let mut stored: Vec<_> =
            stored(&cluster).into_iter().filter_map(|message| message.unique_key).collect();
        let rows = rows(&report);
        assert!(rows.iter().all(|row| row[1] == "may-be-stored" && row[8] == "1" && row[9].is_empty()));
        let mut told: Vec<_> = rows.into_iter().map(|row| row[3].clone()).collect();
        stored.sort();
        told.sort();
        assert_eq!(told, stored);
    }
}

#[test]
fn one_way_messages_without_a_broker_are_not_stored() {
    let cluster = cluster(1);
    cluster.crash_broker(0);
    let output = run(send(&cluster, &["--body", "x", "--one-way", "--timeout", "300", "--json"]));
    assert_code(&output, 2);
    let json = json(&output);
    assert_accounts(&json, 1);
    assert_eq!(json["not_stored"], 1);
}

#[test]
fn a_rate_is_kept() {
    let cluster = cluster(1);
    let output = run(send(&cluster, &["--size", "10", "--count", "101", "--rate", "500", "--json"]));
    assert_code(&output, 0);
    let json = json(&output);
    assert_accounts(&json, 101);
    // The last message is due 100 / 500 s after the first.
    assert!(json["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.2), "{json}");
}

#[test]
fn wrong_flags_do_not_start() {
    let flags: [&[&str]; 12] = [
        &["--no-such-flag"],
        &["--size", "1", "--body", "x"],
        &["--size", "20000000"],
        &["--in-flight", "0"],
        &["--rate", "0"],
        &["--timeout", "0"],
        &["--retries", "many"],
        &["--serialize", "xml"],
        &["--runtime", "threads"],
        &["--key-prefix", "a b"],
        &["--group", "no good"],
        &["--report", "/nonexistent/folder/report.tsv"],
    ];
    let nobody = closed_address();
    for flags in flags {
        let mut command = rocketmq(&["send", "--topic", TOPIC, "--name-server", &nobody]);
        command.args(flags);
        let output = run_with_input(command, b"");
        assert_code(&output, 1);
        assert!(output.stdout.is_empty(), "{flags:?}");
        let last = flags.iter().find(|flag| flag.starts_with("--")).expect("a flag");
        assert!(stderr(&output).contains(last), "{flags:?}: {}", stderr(&output));
    }
    let cases: [&[&str]; 4] = [
        &["send", "--topic", "bad topic", "--name-server", "a:1"],
        &["send", "--topic", TOPIC, "--name-server", "no-port"],
        &["send", "--topic", TOPIC],
        &["no-such-command"],
    ];
    for args in cases {
        assert_code(&run(rocketmq(args)), 1);
    }
}

#[test]
fn an_unreachable_name_server_is_told_before_any_send() {
    let nobody = closed_address();
    let flags = ["send", "--topic", TOPIC, "--body", "x", "--timeout", "200", "--name-server", &nobody];
    let output = run(rocketmq(&flags));
    assert_code(&output, 1);
    assert!(output.stdout.is_empty());
    let text = stderr(&output);
    assert!(text.contains("no name server reachable") && text.contains(&nobody), "{text}");
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [&["--help"][..], &["--version"], &["send", "--help"]] {
        let output = run(rocketmq(args));
        assert_code(&output, 0);
        assert!(!output.stdout.is_empty());
    }
}
