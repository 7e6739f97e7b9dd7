//! `rocketmq topic` and `rocketmq query` against simulated clusters of both releases.

mod common;

use std::process::Output;

use common::{TOPIC, assert_code, closed_address, json, rocketmq, run, send, stderr, stored};
use rocketmq_sim::cluster::{ClusterConfig, Dialect};
use rocketmq_sim::serve::ServedCluster;
use serde_json::{Value, json};

const DIALECTS: [Dialect; 2] = [Dialect::V4_9_7, Dialect::V5_5_0];

fn cluster(dialect: Dialect, brokers: usize) -> ServedCluster {
    let config = ClusterConfig { brokers, dialect, ..ClusterConfig::default() };
    ServedCluster::start(config).expect("loopback ports")
}

fn ask(cluster: &ServedCluster, args: &[&str]) -> Output {
    let mut command = rocketmq(args);
    command.args(["--name-server", &cluster.name_server_addr()]);
    run(command)
}

fn ask_json(cluster: &ServedCluster, args: &[&str], code: i32) -> Value {
    let output = ask(cluster, &[args, &["--json"]].concat());
    assert_code(&output, code);
    json(&output)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_topic_is_created_listed_and_shown() {
    for dialect in DIALECTS {
        let cluster = cluster(dialect, 2);
        let create = ["topic", "create", "--topic", "Made", "--queues", "3"];
        let output = ask(&cluster, &create);
        assert_code(&output, 0);
        assert_eq!(text(&output), "BROKER    RESULT\nbroker-a  has the topic\nbroker-b  has the topic\n");
        let created =
            ask_json(&cluster, &[&create[..], &["--serialize", "binary", "--runtime", "smol"]].concat(), 0);
        assert_eq!(created["created"], json!(["broker-a", "broker-b"]));

        let listed = ask_json(&cluster, &["topic", "list"], 0);
        assert!(listed["topics"].as_array().expect("a list").contains(&"Made".into()), "{listed}");
        assert!(text(&ask(&cluster, &["topic", "list"])).starts_with("TOPIC\n"));

        let status = ask_json(&cluster, &["topic", "status", "--topic", "Made"], 0);
        assert_eq!(status["queues"].as_array().map(Vec::len), Some(6));
        assert_eq!(status["queues"][5]["broker"], "broker-b");
        assert_eq!((&status["messages"], &status["queues"][0]["max"]), (&0.into(), &0.into()));
    }
}

#[test]
fn options_of_a_topic_reach_its_brokers() {
    let cluster = cluster(Dialect::V5_5_0, 2);
    let args = ["topic", "create", "--topic", "Odd", "--broker", "broker-b", "--permission", "r", "--order"];
    let attribute = ["--attribute", "message.type=FIFO"];
    let created = ask_json(&cluster, &[&args[..], &attribute].concat(), 0);
    assert_eq!(created["created"], json!(["broker-b"]));
    let route = ask_json(&cluster, &["route", "--topic", "Odd"], 0);
    assert_eq!((&route["queues"][0]["broker"], &route["queues"][0]["perm"]), (&"broker-b".into(), &4.into()));
    let refused = ask_json(&cluster, &["topic", "create", "--topic", "Bad", "--attribute", "no.such=x"], 2);
    assert_eq!(refused["failed"][1]["broker"], "broker-b");
    assert!(refused["failed"][0]["error"].as_str().expect("a text").contains("unsupported key"), "{refused}");
}

#[test]
fn what_cannot_be_created_is_told() {
    for dialect in DIALECTS {
        let cluster = cluster(dialect, 1);
        let output = ask(&cluster, &["topic", "create", "--topic", "T", "--cluster", "Nowhere"]);
        assert_code(&output, 2);
        assert!(stderr(&output).contains("name servers know DefaultCluster"), "{}", stderr(&output));
        let output = ask(&cluster, &["topic", "create", "--topic", "SCHEDULE_TOPIC_XXXX"]);
        assert_code(&output, 2);
        assert!(text(&output).contains("system topic"), "{}", text(&output));
        let missing = ask_json(&cluster, &["topic", "status", "--topic", "Nowhere"], 2);
        assert_eq!(missing, json!({ "topic": "Nowhere", "found": false }));
    }
}

#[test]
fn messages_are_found_in_three_ways() {
    for dialect in DIALECTS {
        let cluster = cluster(dialect, 2);
        let sends = ["--count", "6", "--body", "4 apples", "--key-prefix", "order-"];
        assert_code(&run(send(&cluster, &sends)), 0);
        let stored = stored(&cluster);
        assert_eq!(stored.len(), 6);
        for message in &stored {
            let unique = message.unique_key.as_deref().expect("a unique id");
            let by_id = ask_json(&cluster, &["query", "id", &message.offset_message_id], 0);
            let by_uniq = ask_json(&cluster, &["query", "uniq", "--topic", TOPIC, unique], 0);
            let by_key = ask_json(&cluster, &["query", "key", "--topic", TOPIC, &message.keys[0]], 0);
            assert_eq!(by_id, by_uniq);
            assert_eq!(by_key["messages"], json!([by_id["message"]]));
            let found = &by_id["message"];
            assert_eq!((&found["unique_id"], &found["body"]), (&unique.into(), &"4 apples".into()));
            assert_eq!(found["offset_id"], message.offset_message_id.as_str());
            assert_eq!(found["queue_offset"], message.queue_offset);
            assert_eq!(found["properties"]["KEYS"], message.keys[0].as_str());
        }
        let output = ask(&cluster, &["query", "id", &stored[0].offset_message_id]);
        assert_code(&output, 0);
        assert!(text(&output).ends_with("\n4 apples\n"), "{}", text(&output));
        let output = ask(&cluster, &["query", "key", "--topic", TOPIC, "order-3"]);
        assert!(
            text(&output).starts_with("STORED ") && text(&output).lines().count() == 2,
            "{}",
            text(&output)
        );
        let status = ask_json(&cluster, &["topic", "status", "--topic", TOPIC], 0);
        assert_eq!(status["messages"], 6);
    }
}

#[test]
fn nothing_found_has_a_code_of_its_own() {
    for dialect in DIALECTS {
        let cluster = cluster(dialect, 1);
        assert_code(&run(send(&cluster, &["--body", "x"])), 0);
        let missing = ask_json(&cluster, &["query", "uniq", "--topic", TOPIC, "0A0B"], 2);
        assert_eq!(missing["found"], false);
        let missing = ask_json(&cluster, &["query", "key", "--topic", TOPIC, "no-such-key"], 2);
        assert_eq!((&missing["found"], &missing["messages"]), (&false.into(), &json!([])));
        let place = &stored(&cluster)[0].offset_message_id;
        let elsewhere = format!("{}{:016X}", &place[..16], 1_000_000);
        assert_eq!(ask_json(&cluster, &["query", "id", &elsewhere], 2)["found"], false);
    }
}

#[test]
fn nobody_there_and_wrong_words_are_errors() {
    let nobody = closed_address();
    let output = run(rocketmq(&["topic", "list", "--name-server", &nobody]));
    assert_code(&output, 1);
    assert!(stderr(&output).contains(&nobody), "{}", stderr(&output));
    for args in [
        &["query", "id", "not-an-id"][..],
        &["query", "key", "--topic", TOPIC, "two words"],
        &["topic", "create", "--topic", "T", "--queues", "0"],
        &["topic", "create", "--topic", "T", "--attribute", "a"],
        &["topic"],
    ] {
        let mut command = rocketmq(args);
        if args.len() > 1 {
            command.args(["--name-server", &nobody]);
        }
        assert_code(&run(command), 1);
    }
}
