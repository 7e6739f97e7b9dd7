//! The set-up of real servers does what the cases of the client rely on: servers are killed, stopped, restarted and
//! changed, and their stores can be read, before and after.
//!
//! Needs Java 17, Maven and some minutes, so it is asked for explicitly:
//! `cargo test -p rocketmq-sim --test real_servers -- --ignored`. It then fails where Java or Maven is missing.

use std::path::PathBuf;

use rocketmq_sim::real::{RealCluster, RealError, ServerConnection, SetUp};

const SEND_MESSAGE: i32 = 10;
const HEART_BEAT: i32 = 34;
const TOPIC_NOT_EXIST: i32 = 17;

fn send(connection: &mut ServerConnection, topic: &str, queue_id: i32, key: &str, body: &[u8]) -> i32 {
    let (queue_id, properties) =
        (queue_id.to_string(), format!("KEYS\u{1}{key}\u{2}UNIQ_KEY\u{1}id-{key}\u{2}"));
    let fields = [
        ("producerGroup", "probe"),
        ("topic", topic),
        ("defaultTopic", "TBW102"),
        ("defaultTopicQueueNums", "4"),
        ("queueId", &queue_id),
        ("sysFlag", "0"),
        ("bornTimestamp", "1700000000000"),
        ("flag", "7"),
        ("properties", &properties),
        ("reconsumeTimes", "0"),
        ("unitMode", "false"),
        ("batch", "false"),
    ];
    connection.ask(SEND_MESSAGE, &fields, body).expect("an answer").code
}

fn set_up_does_what_cases_need(version: &str) {
    let cluster = RealCluster::start(version, &[("broker-b:brokerPermission", "4")], 2).expect("servers");
    let directory = cluster.directory().to_path_buf();
    let name_server = cluster.process_id("name-server-1").expect("process id");
    assert_eq!(cluster.brokers().collect::<Vec<_>>(), ["broker-a", "broker-b"]);

    stores_are_read_back(&cluster);
    settings_are_changed(&cluster);
    producers_are_seen(&cluster);
    a_killed_broker_comes_back_with_its_store(&cluster);

    assert!(matches!(cluster.kill9("broker-c"), Err(RealError::Script { .. })));
    assert!(matches!(cluster.connect("broker-c"), Err(RealError::NoSuchServer(_))));
    drop(cluster);
    assert!(!directory.exists(), "the folder of the set-up is removed");
    let process = PathBuf::from(format!("/proc/{name_server}/cmdline"));
    let command = std::fs::read_to_string(process).unwrap_or_default();
    assert!(!command.contains(&directory.display().to_string()), "the servers have ended");
}

fn stores_are_read_back(cluster: &RealCluster) {
    cluster.create_topic("broker-a", "Read", 2, 6).expect("topic");
    cluster.create_topic("broker-b", "Read", 1, 6).expect("topic");
    let counts = cluster.queue_counts("Read").expect("route");
    let mut seen: Vec<_> =
        counts.iter().map(|one| (one.broker.as_str(), one.read_queues, one.permission)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("broker-a", 2, 6), ("broker-b", 1, 4)]);

    let mut broker_a = cluster.connect("broker-a").expect("connection");
    for i in 0..2500 {
        assert_eq!(send(&mut broker_a, "Read", 1, &format!("a{i}"), &[b'x'; 1000]), 0);
    }
    let mut broker_b = cluster.connect("broker-b").expect("connection");
    assert_eq!(send(&mut broker_b, "Read", 0, "b0", &[b'y'; 4 * 1024 * 1024]), 0);

    let stored = cluster.stored("Read").expect("store");
    let keys: Vec<_> = stored.iter().map(|message| message.keys().to_owned()).collect();
    let expected: Vec<_> = (0..2500).map(|i| format!("a{i}")).chain(["b0".to_owned()]).collect();
    assert_eq!(keys, expected);
    let last = stored.last().expect("a message");
    assert_eq!(
        (last.broker.as_str(), last.queue_offset, last.body_len(), last.flag),
        ("broker-b", 0, 4 << 20, 7)
    );
    assert_eq!(last.born_timestamp, 1_700_000_000_000);
    assert_eq!(last.store_host.to_string(), cluster.broker_address("broker-b").expect("address"));
    assert_eq!(cluster.max_offset("broker-a", "Read", 1).expect("offset"), 2500);
    assert_eq!(cluster.max_offset("broker-a", "Read", 0).expect("offset"), 0);
    assert_eq!(cluster.messages("broker-a", "Read", 0).expect("store"), []);
    assert_eq!(cluster.stored("NotThere").expect("store"), []);
}

fn settings_are_changed(cluster: &RealCluster) {
    let mut broker = cluster.connect("broker-a").expect("connection");
    assert_eq!(send(&mut broker, "MadeByItself", 0, "k", b"x"), 0);
    cluster.set("broker-a", "autoCreateTopicEnable", "false").expect("setting");
    assert_eq!(send(&mut broker, "NotMade", 0, "k", b"x"), TOPIC_NOT_EXIST);
    // The first refused send takes the right to inherit from TBW102, and that stays in the store: neither the setting
    // nor a restart brings it back.
    cluster.set("broker-a", "autoCreateTopicEnable", "true").expect("setting");
    assert_eq!(send(&mut broker, "NotMade", 0, "k", b"x"), TOPIC_NOT_EXIST);
    assert!(matches!(cluster.set("broker-a", "noSuchSetting", "1"), Err(RealError::Malformed { .. })));
}

fn producers_are_seen(cluster: &RealCluster) {
    assert_eq!(cluster.producers("group-1").expect("producers"), []);
    let heartbeat =
        br#"{"clientID":"me@1","producerDataSet":[{"groupName":"group-1"}],"consumerDataSet":[]}"#;
    let mut broker = cluster.connect("broker-b").expect("connection");
    broker.call(HEART_BEAT, &[], heartbeat).expect("heartbeat");
    let producers = cluster.producers("group-1").expect("producers");
    let [producer] = producers.as_slice() else { panic!("one producer, not {producers:?}") };
    assert_eq!((producer.broker.as_str(), producer.client_id.as_str()), ("broker-b", "me@1"));
    assert_eq!((producer.language.as_str(), producer.version), ("RUST", 401));
}

fn a_killed_broker_comes_back_with_its_store(cluster: &RealCluster) {
    let before = cluster.stored("Read").expect("store");
    let address = cluster.broker_address("broker-a").expect("address").to_owned();
    cluster.kill9("broker-a").expect("kill");
    assert!(matches!(ServerConnection::open(&address), Err(RealError::Io { .. })));
    assert!(matches!(cluster.stop("broker-a"), Err(RealError::Script { .. })));
    cluster.restart("broker-a").expect("restart");
    assert_eq!(cluster.stored("Read").expect("store"), before);

    cluster.stop("broker-a").expect("stop");
    ServerConnection::open(&address).expect("the kernel accepts for a stopped server");
    cluster.cont("broker-a").expect("go on");
    assert_eq!(cluster.max_offset("broker-a", "Read", 1).expect("offset"), 2500);

    cluster.terminate("broker-b").expect("terminate");
    assert_eq!(cluster.queue_counts("Read").expect("route").len(), 1);
    cluster.restart("broker-b").expect("restart");
    assert_eq!(cluster.stored("Read").expect("store"), before);
}

#[test]
#[ignore = "starts real servers"]
fn set_up_of_5_5_0() {
    set_up_does_what_cases_need("5.5.0");
}

#[test]
#[ignore = "starts real servers"]
fn set_up_of_4_9_7() {
    set_up_does_what_cases_need("4.9.7");
}

#[test]
#[ignore = "runs Java"]
fn a_set_up_that_cannot_start_says_why() {
    let error = SetUp::new("4.9.7").java_option("-Xbogus").start().expect_err("no such option");
    let RealError::Script { message, .. } = &error else { panic!("{error:?}") };
    assert!(message.contains("-Xbogus"), "{message}");
    let error = SetUp::new("4.9.7").brokers(0).start().expect_err("no broker");
    assert!(error.to_string().contains("--brokers 0"), "{error}");
}
