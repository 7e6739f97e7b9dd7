//! Heartbeats, and what a broker knows of its clients.

use crate::faithfulness::step::{Request, Step, Subject};

fn heartbeat(body: &str) -> Request {
    Request::new(34).without_fields().body(body)
}

fn producer(client: &str, groups: &[&str]) -> Request {
    let groups: Vec<String> = groups.iter().map(|name| format!("{{\"groupName\":\"{name}\"}}")).collect();
    let body = format!(
        "{{\"clientID\":\"{client}\",\"consumerDataSet\":[],\"heartbeatFingerprint\":0,\"producerDataSet\":[{}],\
         \"withoutSub\":false}}",
        groups.join(",")
    );
    heartbeat(&body)
}

fn consumer(client: &str, group: &str) -> Request {
    let body = format!(
        "{{\"clientID\":\"{client}\",\"consumerDataSet\":[{{\"consumeFromWhere\":\"CONSUME_FROM_LAST_OFFSET\",\
         \"consumeType\":\"CONSUME_PASSIVELY\",\"groupName\":\"{group}\",\"messageModel\":\"CLUSTERING\",\
         \"subscriptionDataSet\":[{{\"classFilterMode\":false,\"codeSet\":[],\"expressionType\":\"TAG\",\
         \"subString\":\"*\",\"subVersion\":1,\"tagsSet\":[],\"topic\":\"ClientTopic\"}}],\"unitMode\":false}}],\
         \"heartbeatFingerprint\":0,\"producerDataSet\":[],\"withoutSub\":false}}"
    );
    heartbeat(&body)
}

fn producers(group: &str) -> Request {
    Request::new(204).field("producerGroup", group)
}

fn unregister(client: &str, group: &str) -> Request {
    Request::new(35).fields(&[("clientID", client), ("producerGroup", group)])
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("clients");
    it.ask("nobody yet", producers("ClientGroup"));
    it.ask_both("register", &producer("client@1", &["ClientGroup", "CLIENT_INNER_PRODUCER"]));
    it.ask("again", producer("client@1", &["ClientGroup"]));
    it.ask("one-way", producer("client@1", &["ClientGroup"]).one_way());
    it.ask("known", producers("ClientGroup"));
    it.ask("known, binary", producers("ClientGroup").binary());
    it.ask("second connection", producer("client@2", &["ClientGroup"]).language(12).version(401)).on(1);
    it.ask("unknown language", producer("client@3", &["OddGroup"]).language(99).binary()).on(2);
    it.ask("known with unknown language", producers("OddGroup"));
    it.ask("language of Node", producer("client@4", &["NodeGroup"]).language(13).binary()).on(3);
    it.ask("known with language of Node", producers("NodeGroup"));
    it.ask("unregister by the other connection", unregister("client@1", "ClientGroup")).on(1);
    it.ask("known after the other's farewell", producers("ClientGroup"));
    it.ask_both("unregister", &unregister("client@1", "ClientGroup"));
    it.ask("nobody any more", producers("ClientGroup"));
    it.ask("inner group stays", producers("CLIENT_INNER_PRODUCER"));
    it.ask("producers without group", Request::new(204));
    it.ask("producers without fields", Request::new(204).without_fields());
    bodies(&mut it);
    farewells(&mut it);
    consumers(&mut it);
    it.steps
}

fn bodies(it: &mut Subject) {
    for (name, body) in [
        ("least", r#"{"clientID":"c","producerDataSet":[{"groupName":"G"}]}"#),
        ("no sets", r#"{"clientID":"c"}"#),
        ("empty sets", r#"{"clientID":"c","producerDataSet":[],"consumerDataSet":[]}"#),
        ("producers null", r#"{"clientID":"c","producerDataSet":null,"consumerDataSet":[]}"#),
        ("consumers null", r#"{"clientID":"c","producerDataSet":[],"consumerDataSet":null}"#),
        ("no client", r#"{"producerDataSet":[{"groupName":"G"}],"consumerDataSet":[]}"#),
        ("client null", r#"{"clientID":null,"producerDataSet":[{"groupName":"G"}],"consumerDataSet":[]}"#),
        ("client empty", r#"{"clientID":"","producerDataSet":[{"groupName":"G"}],"consumerDataSet":[]}"#),
        ("client a number", r#"{"clientID":7,"producerDataSet":[{"groupName":"G"}],"consumerDataSet":[]}"#),
        ("group without name", r#"{"clientID":"c","producerDataSet":[{}],"consumerDataSet":[]}"#),
        ("group name empty", r#"{"clientID":"c","producerDataSet":[{"groupName":""}],"consumerDataSet":[]}"#),
        ("group null", r#"{"clientID":"c","producerDataSet":[null],"consumerDataSet":[]}"#),
        ("set a text", r#"{"clientID":"c","producerDataSet":"G","consumerDataSet":[]}"#),
        ("unknown keys", r#"{"clientID":"c","producerDataSet":[],"consumerDataSet":[],"more":{"a":[1]}}"#),
        (
            "fingerprint",
            r#"{"clientID":"c","producerDataSet":[],"consumerDataSet":[],"heartbeatFingerprint":5}"#,
        ),
        (
            "fingerprint text",
            r#"{"clientID":"c","producerDataSet":[],"consumerDataSet":[],"heartbeatFingerprint":"x"}"#,
        ),
        ("white space", " { \"clientID\" : \"c\" , \"producerDataSet\" : [ ] }\n"),
        ("keys without quotes", r#"{clientID:"c",producerDataSet:[]}"#),
        ("single quotes", r#"{'clientID':'c','producerDataSet':[]}"#),
        ("comma at the end", r#"{"clientID":"c","producerDataSet":[],}"#),
        ("empty", ""),
        ("not JSON", "hello"),
        ("cut off", r#"{"clientID":"c","producerDataSet":["#),
        ("list", "[]"),
        ("null", "null"),
    ] {
        it.ask(&format!("body: {name}"), heartbeat(body)).on(4);
    }
    it.ask("empty body, binary", heartbeat("").binary()).on(4);
}

fn farewells(it: &mut Subject) {
    it.ask("farewell of nobody", unregister("nobody", "NoGroup"));
    it.ask("farewell without group", Request::new(35).field("clientID", "client@1"));
    it.ask("farewell without client", unregister("x", "ClientGroup").without("clientID"));
    it.ask("farewell of a consumer without client", Request::new(35).field("consumerGroup", "G"));
    it.ask(
        "farewell of an unknown consumer",
        Request::new(35).fields(&[("clientID", "c"), ("consumerGroup", "G")]),
    );
    it.ask("farewell with empty fields", Request::new(35));
    it.ask("farewell without fields", Request::new(35).without_fields());
    it.ask("farewell, one-way", unregister("client@1", "ClientGroup").one_way());
    it.ask("register to leave", producer("leaver", &["LeaverGroup"])).on(5);
    it.ask("before leaving", producers("LeaverGroup"));
    it.bytes("leave without farewell", |_| Vec::new()).on(5).hangs_up();
    // 4.9 keeps the group without its connection.
    it.ask("after leaving", producers("LeaverGroup"))
        .until("not exist")
        .until("version 407, flag 1, own number\nbody: {\"connectionSet\":[]}");
}

/// Consumers are told when their group changes.
fn consumers(it: &mut Subject) {
    let members = || Request::new(38).field("consumerGroup", "ConsumerGroup");
    it.ask("first consumer", consumer("consumer@1", "ConsumerGroup")).on(6);
    it.ask("first consumer again", consumer("consumer@1", "ConsumerGroup")).on(6);
    it.ask("second consumer", consumer("consumer@2", "ConsumerGroup").binary()).on(7);
    it.bytes("first hears of the second", |_| Vec::new()).on(6).requests(0);
    it.ask("members", members());
    it.ask("connections", Request::new(203).field("consumerGroup", "ConsumerGroup"));
    it.ask(
        "second consumer leaves",
        Request::new(35).fields(&[("clientID", "consumer@2"), ("consumerGroup", "ConsumerGroup")]),
    )
    .on(7);
    it.bytes("first hears of the farewell", |_| Vec::new()).on(6).requests(0);
    it.ask("members after the farewell", members());
}
