//! Stories about producers that share a client, and about the queue that a message goes to.

mod world_common;

use rocketmq_core::message::queue_index_by_hash;
use rocketmq_core::producer::{MessageQueue, OpenError, SendErrorKind, Target};
use rocketmq_sim::cluster::{ClusterConfig, Frame, ServerId, TopicConfig};
use rocketmq_sim::world::{Order, Tamper, Verdict, World};
use world_common::SECOND;

fn with_topic(brokers: usize, topic: &str) -> World {
    let mut world = World::new(1, ClusterConfig { brokers, ..ClusterConfig::default() }, |_| {});
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new(topic, 4)));
    world
}

#[test]
fn two_producers_share_a_client_but_not_a_group() {
    let mut world = with_topic(1, "orders");
    let first = world.open_producer("first");
    let second = world.open_producer("second");
    let again = world.try_open_producer(0, "first", |_| {});
    assert!(matches!(again, Err(OpenError::GroupInUse(group)) if group == "first"));
    assert!(world.send_and_wait(first, Order::to("orders")).receipt().is_some());
    assert!(world.send_and_wait(second, Order::to("orders")).receipt().is_some());
    assert_eq!(world.core(0).counters().connections_opened, 2);
    assert_eq!(world.cluster().producers("first"), world.cluster().producers("second"));
    // Another client may have the same group.
    world.add_client(|_| {});
    let other = world.try_open_producer(1, "first", |_| {}).expect("open");
    assert!(world.send_and_wait(other, Order::to("orders")).receipt().is_some());
    assert_eq!(world.cluster().producers("first").len(), 2);
    // Once closed, the group is free.
    let ticket = world.close_producer(first, SECOND);
    world.run_for(SECOND);
    assert_eq!(world.closed(ticket).map(<[_]>::len), Some(0));
    world.open_producer("first");
    world.finish();
}

#[test]
fn a_sharding_key_goes_to_the_queue_that_java_picks() {
    let mut world = with_topic(2, "orders");
    let producer = world.open_producer("group");
    for key in ["order-4711", "a", "", "ключ", "polygenelubricants"] {
        let target = Target::ShardingKey(key.to_owned());
        let verdict = world.send_and_wait(producer, Order::to("orders").target(target));
        let queue = &verdict.receipt().expect("stored").queue;
        let place = queue_index_by_hash(key, 8);
        let broker = if place < 4 { "broker-a" } else { "broker-b" };
        assert_eq!((queue.broker_name.as_str(), queue.queue_id), (broker, (place % 4) as i32), "{key}");
    }
    world.finish();
}

#[test]
fn an_ordered_send_waits_for_its_own_queue() {
    let mut world = with_topic(2, "orders");
    let producer = world.open_producer("group");
    let key = Target::ShardingKey("a".to_owned());
    let first = world.send_and_wait(producer, Order::to("orders").target(key.clone()));
    let queue = first.receipt().expect("stored").queue.clone();
    let index = usize::from(queue.broker_name.as_str() == "broker-b");
    world.crash(ServerId::Broker(index));
    let send = world.send(producer, Order::to("orders").target(key).within(30 * SECOND));
    world.run_for(5 * SECOND);
    assert!(world.verdict(send).is_none());
    world.restart(ServerId::Broker(index));
    world.run_for(8 * SECOND);
    let receipt =
        world.verdict(send).and_then(Verdict::receipt).unwrap_or_else(|| panic!("{}", world.transcript()));
    assert_eq!(receipt.queue, queue);
    world.finish();
}

#[test]
fn a_chosen_queue_is_used_and_one_that_does_not_exist_refused() {
    let mut world = with_topic(1, "orders");
    let producer = world.open_producer("group");
    let queue = |id| MessageQueue {
        topic: "orders".parse().unwrap(),
        broker_name: "broker-a".parse().unwrap(),
        queue_id: id,
    };
    for id in [3, 3, 0] {
        let verdict = world.send_and_wait(producer, Order::to("orders").target(Target::Queue(queue(id))));
        assert_eq!(verdict.receipt().expect("stored").queue, queue(id));
    }
    let verdict = world.send_and_wait(producer, Order::to("orders").target(Target::Queue(queue(4))));
    assert!(matches!(verdict.error().unwrap().kind(), SendErrorKind::UnknownQueue(it) if *it == queue(4)));
    let verdict = world.send_and_wait(producer, Order::to("other").target(Target::Queue(queue(0))));
    assert!(matches!(verdict.error().unwrap().kind(), SendErrorKind::OtherTopic(_)));
    world.finish();
}

#[test]
fn a_route_that_stays_the_same_mends_what_another_one_spoilt() {
    let mut world = with_topic(1, "orders");
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("payments", 2)));
    let producer = world.open_producer("group");
    assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    // The route of the other topic, known by its number of queues, names an address where nobody listens.
    world.on_answers(|_, frame| {
        let text = String::from_utf8_lossy(&frame.body).into_owned();
        if !text.contains("\"writeQueueNums\":2") {
            return Tamper::Keep;
        }
        let text = text.replace("10.0.1.1:10911", "10.0.1.99:10911");
        Tamper::Instead(Frame { body: text.into_bytes().into(), ..frame.clone() }.encode())
    });
    let lost = world.send_and_wait(producer, Order::to("payments"));
    assert!(lost.receipt().is_none(), "{lost:?}");
    // From now on nobody says anything about the broker but the route that the client has already.
    world.on_answers(|_, frame| {
        let other = String::from_utf8_lossy(&frame.body).contains("\"writeQueueNums\":2");
        if other { Tamper::Drop } else { Tamper::Keep }
    });
    let mended = world.send_and_wait(producer, Order::to("orders").within_ms(20_000));
    assert!(mended.receipt().is_some(), "{mended:?}");
    world.finish();
}
