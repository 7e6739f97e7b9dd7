//! Stories of one client and a simulated cluster: finding the way to a queue.

use std::time::Duration;

use rocketmq_core::client::Counters;
use rocketmq_core::producer::{NoRoute, SendErrorKind, SendStatus};
use rocketmq_sim::cluster::{ClusterConfig, ServerId, TopicConfig};
use rocketmq_sim::world::{Connects, Order, Tamper, Verdict, World};

const SECOND: Duration = Duration::from_secs(1);
const HEART_BEAT: i32 = 34;
const ROUTE: i32 = 105;

fn cluster(name_servers: usize, brokers: usize) -> ClusterConfig {
    ClusterConfig { name_servers, brokers, ..ClusterConfig::default() }
}

fn with_topic(name_servers: usize, brokers: usize, topic: &str) -> World {
    let mut world = World::new(1, cluster(name_servers, brokers), |_| {});
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new(topic, 4)));
    world
}

fn counters(world: &World) -> Counters {
    world.core(0).counters()
}

fn no_route(verdict: &Verdict) -> NoRoute {
    match verdict.error().expect("a failure").kind() {
        SendErrorKind::NoRoute(reason) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_first_send_takes_two_connects_and_two_round_trips() {
    let mut world = with_topic(1, 1, "orders");
    let producer = world.open_producer("group");
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    let receipt = verdict.receipt().expect("stored");
    assert_eq!((receipt.status, receipt.attempts, receipt.queue_offset), (SendStatus::SendOk, 1, 0));
    // Connect, query, connect, send: four times there and back at 500 µs each way. The heartbeat costs no time.
    assert_eq!(world.elapsed(), Duration::from_millis(4), "{}", world.transcript());
    assert_eq!(counters(&world).connections_opened, 2);
    let told = world.transcript();
    let greeting = told.find("HEART_BEAT").expect("a heartbeat");
    assert!(greeting < told.find("SEND_MESSAGE_V2").expect("a send"), "{told}");
    world.finish();
}

#[test]
fn a_dead_name_server_is_passed_over_and_a_working_one_kept() {
    for dead in [0, 1] {
        let mut world = with_topic(2, 1, "orders");
        world.crash(ServerId::NameServer(dead));
        let producer = world.open_producer("group");
        let verdict = world.send_and_wait(producer, Order::to("orders"));
        assert!(verdict.receipt().is_some(), "{}", world.transcript());
        let connects_failed = counters(&world).connects_failed;
        world.run_for(100 * SECOND);
        assert_eq!(counters(&world).connects_failed, connects_failed, "it is not asked again");
        world.finish();
    }
}

#[test]
fn a_silent_name_server_leaves_time_for_the_other_one() {
    for silent in [0, 1] {
        let mut world = with_topic(2, 1, "orders");
        world.pause(ServerId::NameServer(silent));
        let producer = world.open_producer("group");
        let verdict = world.send_and_wait(producer, Order::to("orders"));
        assert!(verdict.receipt().is_some(), "{}", world.transcript());
        world.finish();
    }
}

#[test]
fn a_name_server_that_vanished_without_a_word_is_connected_anew() {
    let mut world = with_topic(1, 1, "orders");
    let producer = world.open_producer("group");
    world.send_and_wait(producer, Order::to("orders"));
    let pipe = world.pipe_to(0, ServerId::NameServer(0)).expect("a connection");
    world.half_open(pipe);
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("other", 4)));
    let verdict = world.send_and_wait(producer, Order::to("other").within(30 * SECOND));
    assert!(verdict.receipt().is_some(), "{}", world.transcript());
    assert!(world.elapsed() < 14 * SECOND, "{:?}", world.elapsed());
    world.finish();
}

#[test]
fn an_unknown_topic_is_made_by_the_first_send_and_its_own_route_follows() {
    let mut world = World::new(1, cluster(1, 1), |_| {});
    let producer = world.open_producer("group");
    assert!(world.send_and_wait(producer, Order::to("fresh")).receipt().is_some());
    let view = world.core(0).view();
    assert!(view.topics[0].provisional);
    assert_eq!(view.topics[0].queues, 4, "as many as the topic will have, not the eight of TBW102");
    world.run_for(3 * SECOND);
    let view = world.core(0).view();
    assert!(!view.topics[0].provisional, "{}", world.transcript());
    assert_eq!(view.topics[0].queues, 4);
    world.finish();
}

#[test]
fn five_reasons_of_no_route_are_five_errors() {
    let short = || Order::to("orders").within_ms(700);
    let run = |mut world: World| {
        let producer = world.open_producer("group");
        let verdict = world.send_and_wait(producer, short());
        world.finish();
        no_route(&verdict)
    };
    let none = World::new(1, cluster(1, 1), |config| {
        config.name_servers = rocketmq_core::ground::endpoint::NameServers::none();
    });
    assert_eq!(run(none), NoRoute::NoNameServerConfigured);

    let mut unreachable = with_topic(1, 1, "orders");
    unreachable.crash(ServerId::NameServer(0));
    assert!(matches!(run(unreachable), NoRoute::NoNameServerReachable(why) if why.contains("refused")));

    let unknown = World::new(1, ClusterConfig { auto_create_topics: false, ..cluster(1, 1) }, |_| {});
    assert!(matches!(run(unknown), NoRoute::TopicUnknown { topic, default_topic }
        if topic == "orders" && default_topic == "TBW102"));

    let mut read_only = with_topic(1, 1, "orders");
    read_only.change_cluster(|cluster, now| cluster.set_permission(now, "orders", 4));
    assert!(matches!(run(read_only), NoRoute::NoWritableQueue(_)));

    let mut headless = with_topic(1, 1, "orders");
    headless.on_answers(|_, frame| {
        let text = String::from_utf8_lossy(&frame.body).replace("{\"0\":", "{\"1\":");
        let mut frame = frame.clone();
        frame.body = text.into_bytes().into();
        Tamper::Instead(frame.encode())
    });
    assert!(matches!(run(headless), NoRoute::NoMaster(_)));
}

#[test]
fn the_reason_of_no_route_is_the_newest_one() {
    let mut world = with_topic(1, 1, "orders");
    world.change_cluster(|cluster, now| cluster.set_permission(now, "orders", 4));
    let producer = world.open_producer("group");
    let verdict = world.send_and_wait(producer, Order::to("orders").within_ms(500));
    assert!(matches!(no_route(&verdict), NoRoute::NoWritableQueue(_)));
    world.crash(ServerId::NameServer(0));
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    assert!(matches!(no_route(&verdict), NoRoute::NoNameServerReachable(_)));
    world.restart(ServerId::NameServer(0));
    world.run_for(31 * SECOND);
    let verdict = world.send_and_wait(producer, Order::to("orders").within_ms(500));
    assert!(matches!(no_route(&verdict), NoRoute::NoWritableQueue(_)), "{verdict:?}");
    world.finish();
}

#[test]
fn a_topic_that_becomes_writable_serves_those_who_wait() {
    let mut world = with_topic(1, 1, "orders");
    world.change_cluster(|cluster, now| cluster.set_permission(now, "orders", 4));
    let producer = world.open_producer("group");
    let send = world.send(producer, Order::to("orders").within(20 * SECOND));
    world.run_for(3 * SECOND);
    assert!(world.verdict(send).is_none());
    world.change_cluster(|cluster, now| cluster.set_permission(now, "orders", 6));
    world.run_for(2 * SECOND);
    assert!(matches!(world.verdict(send), Some(Verdict::Stored(_))), "{}", world.transcript());
    world.finish();
}

#[test]
fn a_name_server_that_forgot_a_topic_without_queues_is_asked_on() {
    let mut world = with_topic(1, 1, "orders");
    world.change_cluster(|cluster, now| cluster.set_permission(now, "orders", 4));
    let producer = world.open_producer("group");
    let send = world.send(producer, Order::to("orders").within(20 * SECOND));
    world.run_for(SECOND);
    world.crash(ServerId::NameServer(0));
    world.restart(ServerId::NameServer(0));
    world.run_for(3 * SECOND);
    assert!(world.verdict(send).is_none());
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    world.run_for(2 * SECOND);
    assert!(matches!(world.verdict(send), Some(Verdict::Stored(_))), "{}", world.transcript());
    world.finish();
}

#[test]
fn a_broker_that_came_back_is_greeted_and_one_that_left_not_connected() {
    let mut world = with_topic(1, 2, "orders");
    let producer = world.open_producer("group");
    // So the round of heartbeats comes a second before that of routes, and its heartbeat waits for a connection
    // when the broker is forgotten.
    world.run_for(SECOND);
    for _ in 0..4 {
        world.send_and_wait(producer, Order::to("orders"));
    }
    world.run_for(20 * SECOND);
    world.leave(1);
    world.connects(ServerId::Broker(1), Connects::Hanging);
    world.run_for(100 * SECOND);
    let told = world.transcript();
    let (_, after) = told.split_once("BrokerLeft").expect("it is noticed");
    assert!(!after.contains("connects to broker-b"), "nobody needs it any more:\n{told}");
    world.connects(ServerId::Broker(1), Connects::Ordinary);
    world.restart(ServerId::Broker(1));
    world.run_for(31 * SECOND);
    for _ in 0..8 {
        assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    }
    assert_eq!(world.cluster().brokers()[1].producers("group").len(), 1, "{}", world.transcript());
    world.finish();
}

#[test]
fn a_broker_behind_the_address_of_the_name_server_is_greeted_too() {
    let mut world = with_topic(1, 1, "orders");
    world.on_answers(|_, frame| {
        let text = String::from_utf8_lossy(&frame.body).replace("10.0.1.1:10911", "10.0.0.1:9876");
        let mut frame = frame.clone();
        frame.body = text.into_bytes().into();
        Tamper::Instead(frame.encode())
    });
    let producer = world.open_producer("group");
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    // A name server is no broker, but the client has to find that out.
    assert!(matches!(verdict.error().expect("refused").kind(), SendErrorKind::Refused { .. }));
    let told = world.transcript();
    let greeting = told.find("HEART_BEAT").unwrap_or_else(|| panic!("{told}"));
    assert!(greeting < told.find("SEND_MESSAGE_V2").expect("a send"), "{told}");
    world.finish();
}

#[test]
fn routes_are_asked_for_and_heartbeats_sent_every_thirty_seconds() {
    let mut world = with_topic(1, 2, "orders");
    let producer = world.open_producer("group");
    for _ in 0..4 {
        world.send_and_wait(producer, Order::to("orders"));
    }
    let (routes, heartbeats) = (world.cluster().requests(ROUTE), world.cluster().requests(HEART_BEAT));
    assert_eq!((routes, heartbeats), (1, 2));
    world.run_for(301 * SECOND);
    assert_eq!(world.cluster().requests(ROUTE) - routes, 10);
    assert_eq!(world.cluster().requests(HEART_BEAT) - heartbeats, 20);
    assert_eq!(world.cluster().producers("group").len(), 2);
    world.finish();
}

#[test]
fn a_broker_that_comes_and_one_that_leaves_are_noticed() {
    let mut world = with_topic(1, 2, "orders");
    world.leave(1);
    let producer = world.open_producer("group");
    for _ in 0..4 {
        let verdict = world.send_and_wait(producer, Order::to("orders"));
        assert_eq!(verdict.receipt().expect("stored").queue.broker_name, "broker-a");
    }
    world.restart(ServerId::Broker(1));
    world.run_for(31 * SECOND);
    let brokers = |world: &mut World| {
        let verdicts: Vec<_> = (0..8).map(|_| world.send_and_wait(producer, Order::to("orders"))).collect();
        let mut names: Vec<String> = verdicts
            .iter()
            .map(|verdict| verdict.receipt().expect("stored").queue.broker_name.to_string())
            .collect();
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(brokers(&mut world), ["broker-a", "broker-b"]);
    world.leave(0);
    assert_eq!(brokers(&mut world), ["broker-b"], "{}", world.transcript());
    world.run_for(61 * SECOND);
    let view = world.core(0).view();
    assert_eq!(view.brokers.len(), 1, "the one that left is forgotten");
    assert!(view.connections.iter().all(|link| link.endpoint.to_string() != "10.0.1.1:10911"), "{view:?}");
    world.finish();
}

#[test]
fn routes_that_are_known_work_without_a_name_server() {
    let mut world = with_topic(1, 1, "orders");
    let producer = world.open_producer("group");
    world.send_and_wait(producer, Order::to("orders"));
    world.crash(ServerId::NameServer(0));
    for _ in 0..10 {
        assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
        world.run_for(20 * SECOND);
    }
    // A name server that has just started knows no topic: the last good route stays.
    world.crash(ServerId::Broker(0));
    world.restart(ServerId::NameServer(0));
    world.run_for(61 * SECOND);
    world.restart(ServerId::Broker(0));
    world.run_for(6 * SECOND);
    assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some(), "{}", world.transcript());
    world.finish();
}

#[test]
fn bytes_that_are_not_rocketmq_close_their_connection_only() {
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".as_slice();
    for bytes in [
        http,
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ] {
        let mut world = with_topic(1, 2, "orders");
        world.connects(ServerId::Broker(0), Connects::Foreign(bytes));
        let producer = world.open_producer("group");
        for _ in 0..8 {
            let verdict = world.send_and_wait(producer, Order::to("orders"));
            assert_eq!(
                verdict.receipt().expect("stored").queue.broker_name,
                "broker-b",
                "{}",
                world.transcript()
            );
        }
        assert!(counters(&world).bad_frames > 0);
        let before = counters(&world).connections_opened;
        world.run_for(60 * SECOND);
        let more = counters(&world).connections_opened - before;
        assert!((1..=80).contains(&more), "{more} connects in a minute to something that is no broker");
        world.finish();
    }
}

#[test]
fn a_name_server_that_asks_to_go_away_is_asked_again() {
    let mut world = with_topic(1, 1, "orders");
    let mut left = 1;
    world.on_answers(move |_, frame| {
        if left == 0 {
            return Tamper::Keep;
        }
        left -= 1;
        let mut frame = frame.clone();
        frame.code = 1500;
        frame.body = Default::default();
        Tamper::Instead(frame.encode())
    });
    let producer = world.open_producer("group");
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    assert!(verdict.receipt().is_some(), "{}", world.transcript());
    world.finish();
}

#[test]
fn another_list_of_name_servers_is_used_at_once() {
    let mut world = with_topic(2, 1, "orders");
    world.crash(ServerId::NameServer(0));
    world.crash(ServerId::NameServer(1));
    let producer = world.open_producer("group");
    let send = world.send(producer, Order::to("orders").within(20 * SECOND));
    world.run_for(2 * SECOND);
    world.restart(ServerId::NameServer(1));
    world.set_name_servers(0, "10.0.0.2:9876");
    // Brokers register with a name server that restarted within 30 s; until then it knows no topic.
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    world.run_for(5 * SECOND);
    assert!(matches!(world.verdict(send), Some(Verdict::Stored(_))), "{}", world.transcript());
    world.finish();
}
