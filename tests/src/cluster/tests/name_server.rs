use super::client::{BROKER, DIALECTS, NAME_SERVER, World};
use crate::cluster::{ClusterConfig, Dialect, Frame, TopicConfig};

fn two_brokers(dialect: Dialect) -> World {
    World::with(ClusterConfig { dialect, name_servers: 2, brokers: 2, ..ClusterConfig::default() })
}

fn route_text(world: &mut World, version: i32, fields: &[(&str, &str)]) -> String {
    let request = Frame { version, ..Frame::request(105, 1, fields) };
    String::from_utf8_lossy(&world.ask(NAME_SERVER, &request).body).into_owned()
}

#[test]
fn keys_are_quoted_for_new_clients_and_on_request() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        let quoted = "{\"brokerDatas\":[{\"brokerAddrs\":{\"0\":\"10.0.1.1:10911\"}";
        let bare = "{\"brokerDatas\":[{\"brokerAddrs\":{0:\"10.0.1.1:10911\"}";
        let plain = [("topic", "TBW102")];
        let strict = [("topic", "TBW102"), ("acceptStandardJsonOnly", "TRUE")];
        assert!(route_text(&mut world, 401, &plain).starts_with(quoted));
        assert!(route_text(&mut world, 399, &plain).starts_with(bare));
        assert!(route_text(&mut world, 0, &plain).starts_with(bare));
        assert!(route_text(&mut world, 0, &strict).starts_with(quoted));
    }
}

#[test]
fn a_route_names_every_broker_that_has_the_topic() {
    let mut world = two_brokers(Dialect::V5_5_0);
    let route = world.route("TBW102");
    assert_eq!(route["queueDatas"].as_array().map(Vec::len), Some(2));
    world.send("OnA", "", b"x");
    let route = world.route("OnA");
    assert_eq!(route["brokerDatas"].as_array().map(Vec::len), Some(1));
    assert_eq!(route["brokerDatas"][0]["brokerName"], "broker-a");
    assert_eq!(route["brokerDatas"][0]["enableActingMaster"], false);
    assert_eq!(route["queueDatas"][0]["writeQueueNums"], 4);
    assert_eq!(route["queueDatas"][0]["perm"], 6);
}

#[test]
fn an_unknown_topic_gets_17_with_two_lines() {
    for (dialect, second) in [
        (Dialect::V4_9_7, "See http://rocketmq.apache.org/docs/faq/ for further details."),
        (Dialect::V5_5_0, "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."),
    ] {
        let mut world = World::new(dialect);
        for (fields, name) in [(&[("topic", "No")][..], "No"), (&[("topic", "")], ""), (&[], "null")] {
            let answer = world.call(NAME_SERVER, 105, fields);
            let remark = format!("No topic route info in name server for the topic: {name}\n{second}");
            assert_eq!((answer.code, answer.remark, answer.ext_fields), (17, Some(remark), None));
        }
        let bare = Frame { ext_fields: None, ..Frame::request(105, 1, &[]) };
        assert_eq!(world.ask(NAME_SERVER, &bare).code, 17);
    }
}

#[test]
fn cluster_information_has_bare_keys() {
    let mut world = two_brokers(Dialect::V4_9_7);
    let text = String::from_utf8_lossy(&world.call(NAME_SERVER, 106, &[]).body).into_owned();
    let expected = "{\"brokerAddrTable\":{\
        \"broker-a\":{\"brokerAddrs\":{0:\"10.0.1.1:10911\"},\"brokerName\":\"broker-a\",\"cluster\":\"DefaultCluster\"},\
        \"broker-b\":{\"brokerAddrs\":{0:\"10.0.1.2:10911\"},\"brokerName\":\"broker-b\",\"cluster\":\"DefaultCluster\"}},\
        \"clusterAddrTable\":{\"DefaultCluster\":[\"broker-a\",\"broker-b\"]}}";
    assert_eq!(text, expected);
}

#[test]
fn key_values_are_kept() {
    let mut world = World::new(Dialect::V5_5_0);
    let key = [("namespace", "N"), ("key", "k")];
    let answer = world.call(NAME_SERVER, 101, &key);
    assert_eq!((answer.code, answer.ext_fields), (22, Some(Vec::new())));
    world.call(NAME_SERVER, 100, &[("namespace", "N"), ("key", "k"), ("value", "v")]);
    assert_eq!(world.call(NAME_SERVER, 101, &key).ext("value"), Some("v"));
    assert_eq!(&world.call(NAME_SERVER, 219, &key).body[..], b"{\"table\":{\"k\":\"v\"}}");
    world.call(NAME_SERVER, 102, &key);
    assert_eq!(world.call(NAME_SERVER, 101, &key).code, 22);
    assert_eq!(world.call(NAME_SERVER, 219, &[("namespace", "M")]).code, 22);
}

#[test]
fn topics_are_listed() {
    let mut world = two_brokers(Dialect::V5_5_0);
    world.cluster.create_topic(world.now, &TopicConfig::new("Mine", 2));
    let answer = world.call(NAME_SERVER, 206, &[]);
    let list: serde_json::Value = serde_json::from_slice(&answer.body).expect("a list");
    let names = list["topicList"].as_array().expect("names");
    assert_eq!(names.iter().filter(|name| *name == "Mine").count(), 1);
}

#[test]
fn permissions_show_in_routes() {
    let mut world = two_brokers(Dialect::V5_5_0);
    world.cluster.create_topic(world.now, &TopicConfig::new("T", 2));
    world.cluster.set_permission(world.now, "T", 2);
    assert_eq!(world.route("T")["queueDatas"][0]["perm"], 2);
    world.cluster.set_permission(world.now, "T", 6);
    world.cluster.set_broker_permission(world.now, 1, 4);
    let route = world.route("T");
    assert_eq!((&route["queueDatas"][0]["perm"], &route["queueDatas"][1]["perm"]), (&6.into(), &4.into()));
}

#[test]
fn a_topic_made_by_request_has_a_route() {
    for (dialect, invalid) in [(Dialect::V4_9_7, 1), (Dialect::V5_5_0, 29)] {
        let mut world = World::new(dialect);
        let fields = |topic| {
            [
                ("topic", topic),
                ("readQueueNums", "3"),
                ("writeQueueNums", "2"),
                ("perm", "6"),
                ("topicFilterType", "SINGLE_TAG"),
                ("order", "true"),
            ]
        };
        let answer = world.call(BROKER, 17, &fields("New"));
        assert_eq!((answer.code, answer.remark.as_deref()), (0, Some("not set any response code")));
        let route = world.route("New");
        assert_eq!(route["queueDatas"][0]["readQueueNums"], 3);
        assert_eq!(route["queueDatas"][0]["writeQueueNums"], 2);
        for bad in ["", "bad topic", "TBW102", "SELF_TEST_TOPIC"] {
            assert_eq!(world.call(BROKER, 17, &fields(bad)).code, invalid, "{bad}");
        }
        assert_eq!(world.call(BROKER, 17, &fields("New")[..4]).code, 1);
        let without_permission = [&fields("New")[..3], &fields("New")[4..]].concat();
        assert_eq!(world.call(BROKER, 17, &without_permission).code, 1);
        let attribute = |text| [&fields("New")[..], &[("attributes", text)]].concat();
        let unknown = world.call(BROKER, 17, &attribute("+colour=red")).code;
        let mixed = world.call(BROKER, 17, &attribute("+message.type=MIXED")).code;
        assert_eq!((unknown, mixed), if dialect == Dialect::V5_5_0 { (1, 29) } else { (0, 0) });
    }
}

#[test]
fn a_silent_broker_is_forgotten_after_120_seconds() {
    let mut world = two_brokers(Dialect::V5_5_0);
    let start = world.now;
    world.cluster.pause(BROKER);
    world.run_until(start + 119_999);
    assert_eq!(world.cluster.name_servers()[1].broker_names(), ["broker-a", "broker-b"]);
    world.run_until(start + 120_000);
    assert_eq!(world.cluster.name_servers()[1].broker_names(), ["broker-b"]);
    world.cluster.resume(world.now, BROKER);
    assert_eq!(world.cluster.name_servers()[1].broker_names(), ["broker-a", "broker-b"]);
}

#[test]
fn a_restarted_name_server_knows_brokers_when_they_register_again() {
    let mut world = two_brokers(Dialect::V5_5_0);
    let start = world.now;
    world.cluster.crash(world.now, NAME_SERVER);
    world.answers();
    assert_eq!(world.closed, [(NAME_SERVER, super::client::CONN)]);
    world.cluster.restart(world.now, NAME_SERVER);
    assert!(world.cluster.name_servers()[0].broker_names().is_empty());
    world.run_until(start + 30_000);
    assert_eq!(world.cluster.name_servers()[0].broker_names(), ["broker-a", "broker-b"]);
}
