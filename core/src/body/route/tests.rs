use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{BrokerData, QueueData, RouteLimits, TopicRouteData};
use crate::body::BodyError;
use crate::wire::JsonError;

fn parse(text: &str) -> Result<TopicRouteData, BodyError> {
    TopicRouteData::parse(text.as_bytes(), &RouteLimits::default())
}

fn expected() -> TopicRouteData {
    TopicRouteData {
        order_topic_conf: None,
        queue_datas: [QueueData {
            broker_name: "broker-a".into(),
            read_queue_nums: 4,
            write_queue_nums: 8,
            perm: 6,
            topic_sys_flag: 1,
        }]
        .into(),
        broker_datas: [BrokerData {
            cluster: "DefaultCluster".into(),
            broker_name: "broker-a".into(),
            broker_addrs: [(0, "127.0.0.1:10911".into()), (1, "127.0.0.2:10911".into())].into(),
            zone_name: None,
            enable_acting_master: false,
        }]
        .into(),
        static_topic: false,
    }
}

#[test]
fn every_dialect_of_the_name_servers_is_read() {
    for text in [
        // Standard JSON, 5.x.
        r#"{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:10911","1":"127.0.0.2:10911"},"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":1,"writeQueueNums":8}]}"#,
        // Integer keys without quotes, and the field name of 4.8.0.
        r#"{"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:10911",1:"127.0.0.2:10911"},"brokerName":"broker-a","cluster":"DefaultCluster"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSynFlag":1,"writeQueueNums":8}]}"#,
        // Escapes, numbers as text, null in place of absent members.
        r#"{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:10911","1":"127.0.0.2\u003a10911"},"brokerName":"broker\u002da","cluster":"DefaultCluster","zoneName":null}],"orderTopicConf":null,"topicQueueMappingByBroker":null,"filterServerTable":null,"queueDatas":[{"brokerName":"broker-a","perm":"6","readQueueNums":"4","topicSysFlag":"1","writeQueueNums":"8"}]}"#,
        // White space, another order, members nobody knows with integer keys of their own.
        "{ \"new\" : { 3 : [ { -1 : null } , 1.5e3 , true ] } ,\n\"queueDatas\":[{\"writeQueueNums\":8,\"readQueueNums\":4,\"perm\":6,\"topicSysFlag\":1,\"x\":{},\"brokerName\":\"broker-a\"}],\"topicQueueMappingByBroker\":{},\"brokerDatas\":[{\"cluster\":\"DefaultCluster\",\"brokerName\":\"broker-a\",\"brokerAddrs\":{\"1\":\"127.0.0.2:10911\",\"0\":\"127.0.0.1:10911\"}}] }",
    ] {
        assert_eq!(parse(text), Ok(expected()), "{text}");
    }
}

#[test]
fn optional_members_are_read() {
    let route = parse(
        r#"{"orderTopicConf":"broker-a:4;broker-b:2","topicQueueMappingByBroker":{"broker-a":{"currIdMap":{3:0}}},"brokerDatas":[{"brokerName":"主\ud83d\ude00","zoneName":"z\/1","enableActingMaster":true,"brokerAddrs":null}]}"#,
    );
    let route = route.unwrap();
    assert_eq!(route.order_topic_conf.as_deref(), Some("broker-a:4;broker-b:2"));
    assert!(route.static_topic && route.queue_datas.is_empty());
    let broker = &route.broker_datas[0];
    assert_eq!((&*broker.broker_name, broker.zone_name.as_deref()), ("主😀", Some("z/1")));
    assert!(broker.enable_acting_master && broker.broker_addrs.is_empty());
    assert_eq!(parse(r#"{"brokerDatas":null,"queueDatas":null}"#), Ok(TopicRouteData::default()));
}

#[test]
fn references_stand_for_earlier_elements_of_their_list() {
    let broker = r#"{"brokerName":"b","cluster":"c","brokerAddrs":{0:"x:1"}}"#;
    let route = parse(&format!(
        r#"{{"brokerDatas":[{broker},{{"$ref":"$.brokerDatas[0]"}}],"queueDatas":[{{"brokerName":"b","perm":6}},{{"$ref":"$.queueDatas[0]"}}]}}"#
    ));
    let route = route.unwrap();
    assert_eq!(route.broker_datas[0], route.broker_datas[1]);
    assert_eq!((route.queue_datas.len(), route.queue_datas[1].perm), (2, 6));
    for path in ["$.brokerDatas[1]", "$.brokerDatas[x]", "$.queueDatas[0]", "..", "@", ""] {
        let text = format!(r#"{{"brokerDatas":[{{"$ref":"{path}"}}]}}"#);
        assert_eq!(parse(&text), Err(BodyError::BadReference { field: "brokerDatas" }), "{path}");
    }
}

#[test]
fn the_order_of_the_lists_makes_no_difference() {
    let route = |names: [&str; 3]| {
        let lists = ["brokerDatas", "queueDatas"].map(|list| {
            let items: Vec<_> = names.iter().map(|name| format!(r#"{{"brokerName":"{name}"}}"#)).collect();
            format!(r#""{list}":[{}]"#, items.join(","))
        });
        parse(&format!("{{{}}}", lists.join(","))).unwrap()
    };
    assert_eq!(route(["a", "b", "c"]), route(["c", "a", "b"]));
    assert_eq!(route(["c", "a", "b"]).queue_datas[0].broker_name, "a");
    assert_ne!(route(["a", "b", "c"]), route(["a", "b", "d"]));
}

#[test]
fn what_is_no_route_is_refused() {
    assert_eq!(parse(""), Err(BodyError::Empty));
    assert_eq!(TopicRouteData::parse(b"{\xff}", &RouteLimits::default()), Err(BodyError::InvalidUtf8));
    let json = |at, error| Err(BodyError::Json { at, error });
    for (text, error) in [
        ("[]", json(0, JsonError::Unexpected(b'['))),
        ("{} x", json(3, JsonError::TrailingText)),
        (r#"{"brokerDatas":{}}"#, json(15, JsonError::Unexpected(b'{'))),
        (r#"{"brokerDatas":["#, json(16, JsonError::Truncated)),
        (r#"{"brokerDatas":[{"cluster":"c"}]}"#, Err(BodyError::Missing { field: "brokerName" })),
        (r#"{"queueDatas":[{"brokerName":"b","perm":6.5}]}"#, Err(BodyError::BadNumber { field: "perm" })),
        (
            r#"{"brokerDatas":[{"brokerName":"b","brokerAddrs":{"x":"y:1"}}]}"#,
            Err(BodyError::BadNumber { field: "brokerAddrs" }),
        ),
    ] {
        assert_eq!(parse(text), error, "{text}");
    }
}

#[test]
fn sizes_are_bounded() {
    let limits = RouteLimits { max_brokers: 2, max_addresses: 2, max_queues: 10, max_name: 4, max_depth: 5 };
    let parse = |text: &str| TopicRouteData::parse(text.as_bytes(), &limits);
    let list = |field: &str, items: &[&str]| format!(r#"{{"{field}":[{}]}}"#, items.join(","));
    let broker = r#"{"brokerName":"b"}"#;
    assert!(parse(&list("brokerDatas", &[broker; 2])).is_ok());
    for field in ["brokerDatas", "queueDatas"] {
        assert_eq!(parse(&list(field, &[broker; 3])), Err(BodyError::TooMany { field, limit: 2 }));
    }
    let addresses = r#"{"brokerName":"b","brokerAddrs":{0:"a",1:"a",2:"a"}}"#;
    let many = BodyError::TooMany { field: "brokerAddrs", limit: 2 };
    assert_eq!(parse(&list("brokerDatas", &[addresses])), Err(many));
    let queues = |count: i32| format!(r#"{{"brokerName":"b","writeQueueNums":{count},"readQueueNums":-1}}"#);
    assert!(parse(&list("queueDatas", &[&queues(5), &queues(5)])).is_ok());
    let many = Err(BodyError::TooMany { field: "queueDatas", limit: 10 });
    assert_eq!(parse(&list("queueDatas", &[&queues(5), &queues(6)])), many);
    assert_eq!(parse(&list("queueDatas", &[&queues(i32::MAX), &queues(i32::MAX)])), many);
    for (name, fits) in
        [("abcd", true), ("abcde", false), (r"\u0061\u0062\u0063\u0064", true), (r"\u0061bcde", false)]
    {
        let text = list("brokerDatas", &[&format!(r#"{{"brokerName":"{name}"}}"#)]);
        let long = BodyError::TooLong { field: "brokerName", limit: 4 };
        assert_eq!(parse(&text).err(), (!fits).then_some(long), "{name}");
    }
    let deep: String = ["{\"x\":", &"[".repeat(5), &"]".repeat(5), "}"].concat();
    assert!(matches!(parse(&deep), Err(BodyError::Json { error: JsonError::TooDeep, .. })));
}
