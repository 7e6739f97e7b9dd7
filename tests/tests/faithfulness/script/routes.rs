//! What name servers say about topics and brokers.

use super::requests::{create, route};
use crate::faithfulness::step::{Request, Step, Subject, To};

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_name_server("routes");
    it.ask("all topics", Request::new(206)).until("TBW102");
    it.ask_both("cluster information", &Request::new(106));
    it.ask("cluster information without fields", Request::new(106).without_fields());
    it.ask("topics of a cluster", Request::new(224).field("cluster", "DefaultCluster"));
    it.ask("topics of an unknown cluster", Request::new(224).field("cluster", "NoCluster"));
    it.ask_both("default topic", &route("TBW102"));
    it.ask("system topic", route("SELF_TEST_TOPIC"));
    it.ask("half messages", route("RMQ_SYS_TRANS_HALF_TOPIC"));
    it.ask("name of the broker", route("broker-a"));
    it.ask("name of the cluster", route("DefaultCluster"));
    it.ask_both("unknown topic", &route("NoSuchTopic"));
    it.ask("empty topic", route(""));
    it.ask("empty topic, binary", route("").binary());
    it.ask("no topic", Request::new(105));
    it.ask("no fields", Request::new(105).without_fields());
    it.ask("no fields, binary", Request::new(105).without_fields().binary());
    it.ask("illegal topic", route("no topic !"));
    it.ask("one-way", route("TBW102").one_way());

    it.ask("create", create("RouteTopic", 3)).to(To::Broker);
    it.ask("created", route("RouteTopic")).until("broker-a");
    for version in [0, 121, 399, 400, 401, 513, -1] {
        it.ask(&format!("version {version}"), route("RouteTopic").version(version));
    }
    it.ask(
        "old, standard JSON asked for",
        route("RouteTopic").version(0).field("acceptStandardJsonOnly", "true"),
    );
    it.ask("old, in capitals", route("RouteTopic").version(0).field("acceptStandardJsonOnly", "TRUE"));
    it.ask("old, not asked for", route("RouteTopic").version(0).field("acceptStandardJsonOnly", "yes"));
    let zone =
        |mode: &str, name: &str| route("RouteTopic").field("__ZONE_MODE", mode).field("__ZONE_NAME", name);
    it.ask_both("of another zone", &zone("true", "elsewhere"));
    it.ask("of another zone in capitals", zone("TRUE", "elsewhere"));
    it.ask("of a zone that does not count", zone("false", "elsewhere"));
    it.ask("of a zone without name", zone("true", ""));
    it.ask("of another zone, unknown topic", zone("true", "elsewhere").field("topic", "NoSuchTopic"));
    it.ask(
        "cluster information of another zone",
        Request::new(106).fields(&[("__ZONE_MODE", "true"), ("__ZONE_NAME", "z")]),
    );
    let order = [("namespace", "ORDER_TOPIC_CONFIG"), ("key", "RouteTopic"), ("value", "broker-a:2")];
    it.ask("order configuration", Request::new(100).fields(&order));
    it.ask("route with order configuration", route("RouteTopic"));
    it.ask("binary, old", route("RouteTopic").version(0).binary());
    it.ask("create again with other permission", create("RouteTopic", 3).field("perm", "4")).to(To::Broker);
    it.ask("read only", route("RouteTopic")).until("\"perm\":4");
    it.ask("no rights", create("RouteTopic", 3).field("perm", "0")).to(To::Broker);
    it.ask("route without rights", route("RouteTopic")).until("\"perm\":0");
    it.ask(
        "more to read than to write",
        create("RouteTopic", 3).field("writeQueueNums", "2").field("topicSysFlag", "1"),
    )
    .to(To::Broker);
    it.ask("route with two numbers", route("RouteTopic")).until("\"writeQueueNums\":2");
    it.ask("order topic", create("RouteTopic", 3).field("order", "true")).to(To::Broker);
    it.ask("route of an order topic", route("RouteTopic")).until("\"writeQueueNums\":3");
    it.ask("forget at the name server", Request::new(216).field("topic", "RouteTopic"));
    it.ask("forget an unknown one", Request::new(216).field("topic", "NoSuchTopic"));
    it.ask("forget without a name", Request::new(216));
    it.steps
}
