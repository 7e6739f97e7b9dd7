//! The official Java client sends to real servers and to the simulated cluster, what they stored is what it was told, and
//! it is told the same by both.
//!
//! Needs Java 17, Maven and some minutes, so it is asked for explicitly:
//! `cargo test -p rocketmq-sim --test real_java_client -- --ignored`. It then fails where Java or Maven is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rocketmq_sim::cluster::{ClusterConfig, Dialect, TopicConfig};
use rocketmq_sim::real::RealCluster;
use rocketmq_sim::serve::ServedCluster;

const SEND_ALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/real/send-all");
const COUNT: usize = 300;
const MODES: [&str; 3] = ["sync", "async", "oneway"];
const BROKERS: [&str; 2] = ["broker-a", "broker-b"];

/// What the Java client was told about one message: status, msgId, offsetMsgId, broker, queueId, queueOffset.
type Told = BTreeMap<String, [String; 6]>;

/// One message of a store, in the words of [`Told`].
struct Stored {
    key: String,
    place: [String; 6],
    body: Vec<u8>,
    properties: BTreeSet<String>,
}

/// What two runs have in common: the form of each field, the queues, and the names of the properties in the store.
type Shape = (BTreeSet<[String; 6]>, BTreeSet<[String; 2]>, BTreeSet<String>);

/// `form` is that of the headers: JSON or ROCKETMQ.
fn send_all(name_server: &str, topic: &str, mode: &str, form: &str) -> Told {
    let output = Command::new(SEND_ALL)
        .args([name_server, topic, &COUNT.to_string(), mode])
        .env("JDK_JAVA_OPTIONS", format!("-Drocketmq.serialize.type={form}"))
        .output()
        .expect("tests/real/send-all runs");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let told: Told = lines
        .lines()
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let key = fields.next().expect("a key");
            (key, fields.collect::<Vec<_>>().try_into().expect("six more fields"))
        })
        .collect();
    assert_eq!(told.len(), COUNT, "{mode}");
    told
}

/// Compares the store with what Java was told; returns what another run must have in common with this one.
fn told_is_stored(told: &Told, stored: &[Stored], mode: &str) -> Shape {
    assert_eq!(stored.len(), COUNT, "{mode}");
    let mut shape = Shape::default();
    for message in stored {
        let told = &told[&message.key];
        if mode == "oneway" {
            let expected = ["ONE_WAY", &message.place[1], "-", "-", "-", "-"];
            assert_eq!(told, &expected, "{mode}");
        } else {
            assert_eq!(told, &message.place, "{mode}");
        }
        assert_eq!(message.body, message.key.as_bytes(), "{mode}");
        shape.0.insert(told.clone().map(|field| form_of(&field)));
        let queue = [message.place[3].clone(), message.place[4].clone()];
        shape.1.insert(queue);
        shape.2.extend(message.properties.iter().cloned());
    }
    shape
}

/// Ids by their length, offsets not at all.
fn form_of(field: &str) -> String {
    let is_hex = field.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    match field.len() {
        length @ 32.. if is_hex => format!("{length} hex digits"),
        _ if field.parse::<u64>().is_ok() => "a number".to_owned(),
        _ => field.to_owned(),
    }
}

fn in_real_store(cluster: &RealCluster, topic: &str) -> Vec<Stored> {
    let stored = cluster.stored(topic).expect("store");
    let messages = stored.into_iter().map(|message| Stored {
        key: message.keys().to_owned(),
        place: [
            "SEND_OK".to_owned(),
            message.unique_key().to_owned(),
            message.offset_message_id(),
            message.broker.clone(),
            message.queue_id.to_string(),
            message.queue_offset.to_string(),
        ],
        properties: message.properties.keys().cloned().collect(),
        body: message.body,
    });
    messages.collect()
}

fn in_simulated_store(cluster: &ServedCluster, topic: &str) -> Vec<Stored> {
    let stored = cluster.with_cluster(|cluster| cluster.stored(topic));
    let messages = stored.into_iter().map(|message| Stored {
        key: message.keys.join(" "),
        place: [
            "SEND_OK".to_owned(),
            message.unique_key.unwrap_or_default(),
            message.offset_message_id,
            message.broker,
            message.queue_id.to_string(),
            message.queue_offset.to_string(),
        ],
        properties: message.properties.into_keys().collect(),
        body: message.body.to_vec(),
    });
    messages.collect()
}

/// Nothing tells when the last one-way message has been stored: look again until it has.
fn when_all_are_stored(look: impl Fn() -> Vec<Stored>) -> Vec<Stored> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let stored = look();
        if stored.len() >= COUNT || Instant::now() >= deadline {
            return stored;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn java_against_real_servers(version: &str) -> [Shape; 3] {
    let cluster = RealCluster::start(version, &[], 2).expect("servers");
    MODES.map(|mode| {
        let topic = format!("Java-{mode}");
        for broker in BROKERS {
            cluster.create_topic(broker, &topic, 3, 6).expect("topic");
        }
        let told = send_all(cluster.name_server(), &topic, mode, "JSON");
        let stored = when_all_are_stored(|| in_real_store(&cluster, &topic));
        told_is_stored(&told, &stored, mode)
    })
}

fn java_against_the_simulation(dialect: Dialect, form: &str) -> [Shape; 3] {
    let config = ClusterConfig { name_servers: 2, brokers: 2, dialect, ..ClusterConfig::default() };
    let cluster = ServedCluster::start(config).expect("simulated servers");
    MODES.map(|mode| {
        let topic = format!("Java-{mode}");
        let now_ms = cluster.now_ms();
        cluster.with_cluster(|cluster| cluster.create_topic(now_ms, &TopicConfig::new(&topic, 3)));
        let told = send_all(&cluster.name_server_addr(), &topic, mode, form);
        let stored = when_all_are_stored(|| in_simulated_store(&cluster, &topic));
        assert_eq!(
            cluster.with_cluster(|cluster| cluster.producers("java-send-all")),
            Vec::<String>::new(),
            "the Java client has unregistered"
        );
        told_is_stored(&told, &stored, mode)
    })
}

/// The simulation, with either form of headers, is no other to Java than the real servers are.
fn same_from_both(version: &str, dialect: Dialect) {
    let real = java_against_real_servers(version);
    for form in ["JSON", "ROCKETMQ"] {
        assert_eq!(java_against_the_simulation(dialect, form), real, "{version} {form}");
    }
}

#[test]
#[ignore = "starts real servers"]
fn java_client_is_told_what_5_5_0_stored_and_the_simulation_tells_the_same() {
    same_from_both("5.5.0", Dialect::V5_5_0);
}

#[test]
#[ignore = "starts real servers"]
fn java_client_is_told_what_4_9_7_stored_and_the_simulation_tells_the_same() {
    same_from_both("4.9.7", Dialect::V4_9_7);
}

/// Without real servers: a topic that does not exist is made by the first message.
#[test]
#[ignore = "runs Java"]
fn java_client_makes_a_topic_in_the_simulation() {
    let cluster = ServedCluster::start(ClusterConfig::default()).expect("simulated servers");
    let told = send_all(&cluster.name_server_addr(), "Made-by-Java", "async", "JSON");
    told_is_stored(&told, &in_simulated_store(&cluster, "Made-by-Java"), "async");
}
