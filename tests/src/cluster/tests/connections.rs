use super::client::{BROKER, CONN, DIALECTS, NAME_SERVER, PEER, World, peer};
use crate::cluster::{ConnKey, Dialect, Frame, SerializeType, ServerId};

const HEARTBEAT: &str = r#"{"clientID":"c@1","consumerDataSet":[],"producerDataSet":[{"groupName":"g"}]}"#;

fn heartbeat(world: &mut World, body: &str) -> Frame {
    let mut request = Frame { ext_fields: None, ..Frame::request(34, world.opaque(), &[]) };
    request.body = body.as_bytes().to_vec().into();
    world.ask(BROKER, &request)
}

#[test]
fn answers_have_the_serialize_type_of_the_release() {
    for (dialect, expected) in
        [(Dialect::V4_9_7, SerializeType::RocketMq), (Dialect::V5_5_0, SerializeType::Json)]
    {
        let mut world = World::new(dialect);
        for server in [NAME_SERVER, BROKER] {
            let code = if server == BROKER { 30 } else { 105 };
            let mut request = Frame::request(code, 1, &[("topic", "TBW102"), ("queueId", "0")]);
            request.serialize_type = SerializeType::RocketMq;
            let answer = world.ask(server, &request);
            assert_eq!((answer.code, answer.serialize_type), (0, expected), "{server:?}");
        }
    }
}

#[test]
fn numbers_are_repeated_and_invented_when_absent() {
    let mut world = World::new(Dialect::V5_5_0);
    for opaque in [0, 1, -1, i32::MIN, i32::MAX] {
        let answer = world.ask(BROKER, &Frame::request(30, opaque, &[("topic", "T"), ("queueId", "0")]));
        assert_eq!(answer.opaque, Some(opaque));
    }
    let unnumbered = Frame { opaque: None, ..Frame::request(9999, 0, &[]) };
    assert!(world.ask(BROKER, &unnumbered).opaque.is_some());
}

#[test]
fn unknown_codes_get_3_but_silence_from_an_old_name_server() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        let answer = world.call(BROKER, 9999, &[]);
        assert_eq!((answer.code, answer.remark.as_deref()), (3, Some(" request type 9999 not supported")));
        let at_name_server = world.raw(NAME_SERVER, &Frame::request(9999, 5, &[]).encode());
        assert_eq!(at_name_server.len(), usize::from(dialect == Dialect::V5_5_0));
    }
}

#[test]
fn one_way_requests_are_never_answered() {
    let mut world = World::new(Dialect::V5_5_0);
    for (code, body) in [(9999, ""), (34, HEARTBEAT), (34, "broken"), (310, "x"), (35, "")] {
        let mut request = Frame { flag: 2, ..Frame::request(code, 5, &[]) };
        request.body = body.as_bytes().to_vec().into();
        assert!(world.raw(BROKER, &request.encode()).is_empty(), "{code}");
    }
    world.cluster.broker_mut(0).expect("a broker").settings_mut().busy = true;
    let busy = Frame { flag: 2, ..world.send_request("T", "", b"x") };
    assert!(world.raw(BROKER, &busy.encode()).is_empty());
}

#[test]
fn answers_sent_to_a_server_are_ignored_and_flag_4_is_a_request() {
    let mut world = World::new(Dialect::V5_5_0);
    let answer = Frame { flag: 1, ..Frame::request(0, 77, &[]) };
    assert!(world.raw(BROKER, &answer.encode()).is_empty());
    let odd = Frame { flag: 4, ..Frame::request(9999, 1, &[]) };
    assert_eq!(world.ask(BROKER, &odd).code, 3);
    assert!(world.closed.is_empty());
}

#[test]
fn bytes_that_are_no_frame_close_that_connection_alone() {
    for server in [NAME_SERVER, BROKER] {
        let mut world = World::new(Dialect::V5_5_0);
        world.cluster.on_connect(world.now, server, ConnKey(8), peer());
        world.cluster.on_bytes(world.now, server, ConnKey(8), b"GET / HTTP/1.1\r\n\r\n");
        assert!(world.answers().is_empty());
        assert_eq!(world.closed, [(server, ConnKey(8))]);
        world.call(server, 9999, &[]);
    }
}

#[test]
fn an_idle_connection_is_closed_after_120_seconds() {
    for server in [NAME_SERVER, BROKER] {
        let mut world = World::new(Dialect::V5_5_0);
        let start = world.now;
        world.run_until(start + 60_000);
        world.call(server, 9999, &[]);
        world.closed.clear();
        world.run_until(start + 179_999);
        assert!(!world.closed.contains(&(server, CONN)));
        world.run_until(start + 180_000);
        assert!(world.closed.contains(&(server, CONN)));
    }
}

#[test]
fn a_registered_connection_needs_heartbeats() {
    let mut world = World::new(Dialect::V5_5_0);
    let start = world.now;
    heartbeat(&mut world, HEARTBEAT);
    assert_eq!(world.cluster.producers("g"), ["c@1"]);
    let mut second = 0;
    while !world.closed.contains(&(BROKER, CONN)) {
        second += 2;
        world.run_until(start + second * 1000);
        world.raw(BROKER, &Frame::request(30, 1, &[("topic", "T"), ("queueId", "0")]).encode());
        assert!(second < 200, "never closed");
    }
    assert!((120..=131).contains(&second), "closed after {second} s");
    assert!(world.cluster.producers("g").is_empty());
}

#[test]
fn a_connection_with_heartbeats_lives() {
    let mut world = World::new(Dialect::V4_9_7);
    let start = world.now;
    for period in 0..20 {
        world.run_until(start + period * 30_000);
        heartbeat(&mut world, HEARTBEAT);
    }
    assert!(!world.closed.contains(&(BROKER, CONN)));
}

#[test]
fn heartbeat_answers_differ_by_release() {
    let mut old = World::new(Dialect::V4_9_7);
    let answer = heartbeat(&mut old, HEARTBEAT);
    assert_eq!((answer.code, answer.ext_fields, answer.version), (0, None, 407));
    let mut new = World::new(Dialect::V5_5_0);
    let answer = heartbeat(&mut new, HEARTBEAT);
    assert_eq!((answer.code, answer.version), (0, 513));
    assert_eq!(answer.ext("IS_SUPPORT_HEART_BEAT_V2"), Some("true"));
    assert_eq!(answer.ext("IS_SUB_CHANGE"), Some("true"));
    let with_fingerprint = HEARTBEAT.replace("{\"clientID\"", "{\"heartbeatFingerprint\":7,\"clientID\"");
    assert_eq!(heartbeat(&mut new, &with_fingerprint).ext("IS_SUB_CHANGE"), Some("false"));
}

#[test]
fn bad_heartbeats_get_1_and_the_connection_stays() {
    let bodies = [
        "",
        "no json",
        "[]",
        r#"{"clientID":"c","producerDataSet":[{}]}"#,
        r#"{"clientID":"c","producerDataSet":[null]}"#,
        r#"{"clientID":"c","producerDataSet":null}"#,
        r#"{"clientID":"c","producerDataSet":[],"consumerDataSet":null}"#,
    ];
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        for body in bodies {
            assert_eq!(heartbeat(&mut world, body).code, 1, "{body}");
        }
        assert_eq!(
            heartbeat(&mut world, r#"{"clientID":"c","producerDataSet":[{"groupName":"g"}]}"#).code,
            0
        );
        assert!(world.closed.is_empty());
    }
}

#[test]
fn producer_connections_are_listed_and_unregistered() {
    for dialect in DIALECTS {
        let mut world = World::new(dialect);
        heartbeat(&mut world, HEARTBEAT);
        let answer = world.call(BROKER, 204, &[("producerGroup", "g")]);
        let expected = format!(
            "{{\"connectionSet\":[{{\"clientAddr\":\"{PEER}\",\"clientId\":\"c@1\",\"language\":\"JAVA\",\"version\":513}}]}}"
        );
        assert_eq!(String::from_utf8_lossy(&answer.body), expected);
        assert_eq!(world.call(BROKER, 35, &[("clientID", "c@1"), ("producerGroup", "g")]).code, 0);
        assert_eq!(world.call(BROKER, 204, &[("producerGroup", "g")]).code, 1);
        assert!(world.cluster.producers("g").is_empty());
    }
}

#[test]
fn a_lost_connection_leaves_an_empty_group_on_4_9_only() {
    for (dialect, code) in [(Dialect::V4_9_7, 0), (Dialect::V5_5_0, 1)] {
        let mut world = World::new(dialect);
        heartbeat(&mut world, HEARTBEAT);
        world.cluster.on_close(world.now, BROKER, CONN);
        world.cluster.on_connect(world.now, BROKER, CONN, peer());
        let answer = world.call(BROKER, 204, &[("producerGroup", "g")]);
        assert_eq!(answer.code, code);
    }
}

#[test]
fn unregistering_takes_almost_anything() {
    let mut world = World::new(Dialect::V5_5_0);
    let bare = Frame { ext_fields: None, ..Frame::request(35, 1, &[]) };
    assert_eq!(world.ask(BROKER, &bare).code, 0);
    assert_eq!(world.call(BROKER, 35, &[("clientID", "nobody"), ("producerGroup", "x")]).code, 0);
    assert_eq!(world.call(BROKER, 35, &[("clientID", "nobody")]).code, 0);
    assert_eq!(world.call(BROKER, 35, &[("producerGroup", "x")]).code, 0);
}

#[test]
fn consumers_hear_of_changes_in_their_group() {
    const BODY: &str = r#"{"clientID":"c","consumerDataSet":[{"groupName":"cg","subscriptionDataSet":[]}]}"#;
    let mut world = World::new(Dialect::V5_5_0);
    let request = Frame { body: BODY.as_bytes().to_vec().into(), ..Frame::request(34, 1, &[]) };
    let codes = |frames: &[Frame]| frames.iter().map(|frame| (frame.code, frame.flag)).collect::<Vec<_>>();
    let first = world.raw(BROKER, &request.encode());
    assert_eq!(codes(&first), [(40, 2), (0, 1)]);
    assert_eq!(first[0].ext("consumerGroup"), Some("cg"));
    let again = world.raw(BROKER, &request.encode());
    assert_eq!(codes(&again), [(0, 1)]);
    assert_eq!(
        world.call(BROKER, 38, &[("consumerGroup", "cg")]).body.as_ref(),
        b"{\"consumerIdList\":[\"c\"]}"
    );
    assert_eq!(world.call(BROKER, 35, &[("clientID", "c"), ("consumerGroup", "cg")]).code, 0);
    assert_eq!(world.call(BROKER, 38, &[("consumerGroup", "cg")]).code, 1);
}

#[test]
fn connections_and_requests_are_counted() {
    let mut world = World::new(Dialect::V5_5_0);
    world.call(BROKER, 30, &[("topic", "T"), ("queueId", "0")]);
    world.call(BROKER, 30, &[("topic", "T"), ("queueId", "0")]);
    let broker = &world.cluster.brokers()[0];
    assert_eq!(broker.requests(30), 2);
    assert_eq!(broker.connections(), [(CONN, peer())]);
    assert_eq!(world.cluster.requests(30), 2);
    assert_eq!(world.cluster.server_at(world.cluster.address(BROKER)), Some(ServerId::Broker(0)));
}
