//! What tests can do to the servers.

use super::client::{BROKER, CONN, NAME_SERVER, World, peer};
use crate::cluster::{Broker, ClusterConfig, ConnKey, Dialect, Frame, SendAttempt, SendDecision, ServerId};

const V5: Dialect = Dialect::V5_5_0;

fn broker(world: &mut World) -> &mut Broker {
    world.cluster.broker_mut(0).expect("a broker")
}

#[test]
fn the_next_sends_are_answered_as_told() {
    let mut world = World::new(V5);
    broker(&mut world).answer_next_sends(2, 14, "disk full");
    for _ in 0..2 {
        let answer = world.send("T", "", b"x");
        assert_eq!(
            (answer.code, answer.remark.as_deref(), answer.ext("msgId")),
            (14, Some("disk full"), None)
        );
    }
    assert_eq!(world.stored("T").len(), 0);
    assert_eq!(world.send("T", "", b"x").code, 0);
    for code in [10, 11, 12] {
        broker(&mut world).answer_next_sends(1, code, "");
        let answer = world.send("T", "", b"x");
        assert_eq!((answer.code, answer.remark.as_ref()), (code, None));
        assert!(answer.ext("msgId").is_some() && answer.ext("queueOffset").is_some());
    }
    assert_eq!(world.stored("T").len(), 4);
}

#[test]
fn a_policy_decides_about_every_send() {
    let mut world = World::new(V5);
    let decisions = [
        SendDecision::Store,
        SendDecision::StoreSilently,
        SendDecision::Lose,
        SendDecision::Refuse { code: 2, remark: "[REJECTREQUEST]".to_owned() },
        SendDecision::AnswerTwice,
        SendDecision::StoreThenAnswer { code: 1, remark: "after all".to_owned() },
    ];
    let expected: [&[i32]; 6] = [&[0], &[], &[], &[2], &[0, 0], &[1]];
    let mut numbers = Vec::new();
    let mut rest = decisions.into_iter();
    broker(&mut world).set_send_policy(move |send: &SendAttempt<'_>| {
        assert_eq!((send.topic, send.queue_id, send.broker, send.request_code), ("T", 0, "broker-a", 310));
        assert_eq!((send.unique_key, send.keys, send.body_length), (Some("U"), Some("k"), 1));
        rest.next().unwrap_or(SendDecision::Store)
    });
    for (number, codes) in expected.iter().enumerate() {
        let request = world.send_request("T", "UNIQ_KEY\u{1}U\u{2}KEYS\u{1}k\u{2}", b"x");
        let answers: Vec<i32> =
            world.raw(BROKER, &request.encode()).iter().map(|answer| answer.code).collect();
        assert_eq!(answers, *codes, "send {number}");
        numbers.push(world.stored("T").len());
    }
    assert_eq!(numbers, [1, 2, 2, 2, 3, 4]);
    broker(&mut world).clear_send_policy();
    assert_eq!(world.send("T", "", b"x").code, 0);
}

#[test]
fn a_policy_can_delay_answers() {
    let mut world = World::new(V5);
    broker(&mut world)
        .set_send_policy(|send: &SendAttempt<'_>| SendDecision::Delay { millis: 500 - 100 * send.number });
    let start = world.now;
    let mut opaques = Vec::new();
    for _ in 0..2 {
        let request = world.send_request("T", "", b"x");
        opaques.push(request.opaque);
        assert!(world.raw(BROKER, &request.encode()).is_empty());
    }
    assert_eq!(world.stored("T").len(), 2);
    assert!(world.run_until(start + 399).is_empty());
    let second: Vec<_> = world.run_until(start + 400).iter().map(|frame| frame.opaque).collect();
    let first: Vec<_> = world.run_until(start + 500).iter().map(|frame| frame.opaque).collect();
    assert_eq!((first, second), (vec![opaques[0]], vec![opaques[1]]));
}

#[test]
fn a_one_way_send_is_never_answered_whatever_the_policy() {
    let mut world = World::new(V5);
    for decision in [
        SendDecision::AnswerTwice,
        SendDecision::Delay { millis: 1 },
        SendDecision::Refuse { code: 2, remark: String::new() },
    ] {
        broker(&mut world).set_send_policy(move |_: &SendAttempt<'_>| decision.clone());
        let request = Frame { flag: 2, ..world.send_request("T", "", b"x") };
        assert!(world.raw(BROKER, &request.encode()).is_empty());
        let until = world.now + 10;
        assert!(world.run_until(until).is_empty());
    }
}

#[test]
fn a_paused_broker_does_later_what_it_got_meanwhile() {
    let mut world = World::new(V5);
    world.cluster.pause(BROKER);
    assert!(world.cluster.is_paused(BROKER) && world.cluster.is_up(BROKER));
    let other = ConnKey(9);
    world.cluster.on_connect(world.now, BROKER, other, peer());
    let request = world.send_request("T", "", b"x");
    assert!(world.raw(BROKER, &request.encode()).is_empty());
    world.cluster.on_bytes(world.now, BROKER, other, &request.encode());
    world.cluster.on_close(world.now, BROKER, other);
    assert_eq!(world.cluster.stored_count(), 0);
    let until = world.now + 60_000;
    world.run_until(until);
    world.cluster.resume(world.now, BROKER);
    let answers: Vec<ConnKey> = world.answers().into_iter().map(|(_, conn, _)| conn).collect();
    assert_eq!(answers, [CONN, other]);
    assert_eq!(world.cluster.stored_count(), 2);
    assert_eq!(world.cluster.brokers()[0].connections().len(), 1);
}

#[test]
fn a_crashed_broker_is_forgotten_and_comes_back_with_its_store() {
    let mut world = World::with(ClusterConfig { brokers: 2, ..ClusterConfig::default() });
    broker(&mut world).set_send_policy(|_: &SendAttempt<'_>| SendDecision::Delay { millis: 100 });
    let request = world.send_request("T", "", b"x");
    world.raw(BROKER, &request.encode());
    world.cluster.crash(world.now, BROKER);
    assert!(world.answers().is_empty());
    assert_eq!(world.closed, [(BROKER, CONN)]);
    assert!(!world.cluster.is_up(BROKER));
    assert!(world.route("T").is_null());
    assert_eq!(world.route("TBW102")["brokerDatas"].as_array().map(Vec::len), Some(1));
    world.cluster.on_connect(world.now, BROKER, ConnKey(20), peer());
    world.answers();
    assert!(world.closed.contains(&(BROKER, ConnKey(20))));
    let until = world.now + 40_000;
    assert!(world.run_until(until).is_empty());
    world.cluster.restart(world.now, BROKER);
    assert!(!world.route("T").is_null());
    assert_eq!(world.stored("T").len(), 1);
    world.cluster.on_connect(world.now, BROKER, CONN, peer());
    broker(&mut world).clear_send_policy();
    assert_eq!(world.send("T", "", b"x").ext("queueOffset"), Some("1"));
}

#[test]
fn a_broker_that_leaves_says_first_what_it_has_to_say() {
    let mut world = World::new(V5);
    broker(&mut world).set_send_policy(|_: &SendAttempt<'_>| SendDecision::Delay { millis: 100 });
    let request = world.send_request("T", "", b"x");
    world.raw(BROKER, &request.encode());
    world.cluster.leave(world.now, 0);
    let answers = world.answers();
    assert_eq!(answers.len(), 1);
    assert_eq!(world.closed, [(BROKER, CONN)]);
    assert!(world.route("T").is_null());
}

#[test]
fn go_away_is_told_to_new_clients_on_old_and_new_connections() {
    let mut world = World::new(V5);
    broker(&mut world).go_away(true);
    world.cluster.on_connect(world.now, BROKER, ConnKey(8), peer());
    for (version, code) in [(0, 0), (475, 0), (476, 1500), (513, 1500)] {
        let request = Frame { version, ..world.send_request("T", "", b"x") };
        let answer = world.ask(BROKER, &request);
        assert_eq!(answer.code, code, "{version}");
        world.cluster.on_bytes(world.now, BROKER, ConnKey(8), &request.encode());
        assert_eq!(world.answers()[0].2.code, code, "{version}");
        if code == 1500 {
            assert_eq!((answer.remark.as_deref(), answer.ext_fields), (Some("please go away"), None));
        }
    }
    assert_eq!(world.call(BROKER, 9999, &[]).code, 1500, "before it is looked at");
    broker(&mut world).go_away(false);
    assert_eq!(world.call(BROKER, 9999, &[]).code, 3);
    assert_eq!(world.send("T", "", b"x").code, 0);
}

#[test]
fn a_4_9_broker_knows_no_going_away() {
    let mut world = World::new(Dialect::V4_9_7);
    broker(&mut world).go_away(true);
    assert_eq!(world.send("T", "", b"x").code, 0);
}

#[test]
fn a_paused_name_server_answers_after_its_pause() {
    let mut world = World::new(V5);
    world.cluster.pause(NAME_SERVER);
    let request = Frame::request(105, 3, &[("topic", "TBW102")]);
    assert!(world.raw(NAME_SERVER, &request.encode()).is_empty());
    world.cluster.resume(world.now, NAME_SERVER);
    let answers = world.answers();
    assert_eq!((answers.len(), answers[0].2.opaque, answers[0].2.code), (1, Some(3), 0));
}

#[test]
fn servers_have_addresses_and_names() {
    let world = World::with(ClusterConfig { name_servers: 2, brokers: 28, ..ClusterConfig::default() });
    assert_eq!(world.cluster.name_server_addr(), "10.0.0.1:9876;10.0.0.2:9876");
    let names: Vec<&str> = world.cluster.brokers().iter().map(Broker::name).collect();
    assert_eq!((names[0], names[25], names[27]), ("broker-a", "broker-z", "broker-27"));
    assert_eq!(world.cluster.servers().len(), 30);
    let address = world.cluster.address(ServerId::Broker(1));
    assert_eq!(world.cluster.server_at(address), Some(ServerId::Broker(1)));
    assert!(world.cluster.name_servers()[1].is_up());
}

#[test]
fn the_same_events_give_the_same_actions() {
    let run = || {
        let mut world = World::with(ClusterConfig { brokers: 2, seed: 5, ..ClusterConfig::default() });
        let mut frames = Vec::new();
        for number in 0..50 {
            let mut request = world.send_request(&format!("T{}", number % 7), "", b"x");
            super::client::change(&mut request, "e", Some("-1"));
            frames.extend(world.raw(BROKER, &request.encode()));
        }
        frames
    };
    assert_eq!(run(), run());
}
