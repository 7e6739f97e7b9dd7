//! `rocketmq route` against simulated name servers and against things that are none.

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use common::{TOPIC, assert_code, closed_address, cluster, json, rocketmq, run, send, stderr};

#[test]
fn a_known_topic_is_shown() {
    let cluster = cluster(2);
    assert_code(&run(send(&cluster, &["--size", "1", "--count", "64"])), 0);
    let addresses = cluster.name_server_addr();
    let args = ["route", "--topic", TOPIC, "--name-server", &addresses];
    let output = run(rocketmq(&args));
    assert_code(&output, 0);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = ["CLUSTER", "DefaultCluster", "broker-a", "broker-b", "6 (RW)", &addresses];
    assert!(expected.iter().all(|word| text.contains(word)), "{text}");

    let output = run({
        let mut command = rocketmq(&args);
        command.arg("--json");
        command
    });
    assert_code(&output, 0);
    let json = json(&output);
    assert_eq!((&json["found"], &json["topic"]), (&true.into(), &TOPIC.into()));
    assert_eq!(json["brokers"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["brokers"][0]["name"], "broker-a");
    assert_eq!(json["brokers"][0]["id"], 0);
    assert_eq!(json["queues"][1]["broker"], "broker-b");
    assert_eq!(json["queues"][1]["write"], 4);
    assert_eq!(json["queues"][1]["perm"], 6);
}

#[test]
fn an_unknown_topic_has_a_code_of_its_own() {
    let cluster = cluster(1);
    let addresses = cluster.name_server_addr();
    let output = run(rocketmq(&["route", "--topic", "Nowhere", "--json", "--name-server", &addresses]));
    assert_code(&output, 2);
    assert_eq!(json(&output), serde_json::json!({"topic": "Nowhere", "found": false}));
    assert!(stderr(&output).contains("Nowhere has no route"));
}

#[test]
fn the_next_name_server_is_asked_when_one_is_away() {
    let cluster = cluster(1);
    let list = format!("{};{}", closed_address(), cluster.name_server_addr());
    let output = run(rocketmq(&["route", "--topic", "TBW102", "--name-server", &list]));
    assert_code(&output, 0);
}

#[test]
fn nobody_there_is_an_error() {
    let nobody = closed_address();
    let output = run(rocketmq(&["route", "--topic", TOPIC, "--name-server", &nobody]));
    assert_code(&output, 1);
    assert!(stderr(&output).contains(&nobody), "{}", stderr(&output));
}

#[test]
fn another_kind_of_server_is_recognised() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let count = stream.read(&mut [0; 4096]).expect("a request");
        assert!(count > 0);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("a reader");
    });
    let output = run(rocketmq(&["route", "--topic", TOPIC, "--name-server", &address]));
    server.join().expect("no panic");
    assert_code(&output, 1);
    assert!(stderr(&output).contains("HTTP"), "{}", stderr(&output));
}
