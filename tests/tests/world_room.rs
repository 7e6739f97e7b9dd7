//! Stories of room for messages, of waiting for it, and of the ways in which producers and clients end.

use std::time::Duration;

use rocketmq_core::client::{ClientConfig, ServiceState};
use rocketmq_core::producer::{Outcome, SendErrorKind};
use rocketmq_sim::cluster::{ClusterConfig, ServerId, TopicConfig};
use rocketmq_sim::world::{Order, SimProducer, Ticket, Verdict, World};

const SECOND: Duration = Duration::from_secs(1);
const BROKER: ServerId = ServerId::Broker(0);
const UNREGISTER: i32 = 35;

fn ready(tweak: impl FnOnce(&mut ClientConfig)) -> (World, SimProducer) {
    let mut world = World::new(12, ClusterConfig::default(), tweak);
    world.change_cluster(|cluster, now| {
        for topic in ["orders", "logs"] {
            cluster.create_topic(now, &TopicConfig::new(topic, 4));
        }
        cluster.create_topic(now, &TopicConfig { permission: 4, ..TopicConfig::new("dead", 4) });
    });
    let producer = world.open_producer("group");
    for topic in ["orders", "logs"] {
        assert!(world.send_and_wait(producer, Order::to(topic)).receipt().is_some());
    }
    (world, producer)
}

fn granted(world: &World, ticket: Ticket) -> bool {
    matches!(world.room(ticket), Some(Ok(())))
}

#[test]
fn who_finds_no_room_waits_in_line() {
    let (mut world, producer) = ready(|config| config.limits.messages = 2);
    let first: Vec<_> = (0..2).map(|_| world.send(producer, Order::to("orders"))).collect();
    assert!(!world.core(0).room_for(producer.id, &"orders".parse().unwrap(), 600));
    let refused = world.send(producer, Order::to("orders"));
    assert!(matches!(world.verdict(refused).unwrap().error().unwrap().kind(), SendErrorKind::Full));
    let waiting: Vec<_> = (0..4).map(|_| world.reserve(producer, "orders", 600, SECOND)).collect();
    assert!(waiting.iter().all(|it| world.room(*it).is_none()));
    world.run_for(Duration::from_millis(100));
    assert!(first.iter().all(|it| world.verdict(*it).is_some()));
    let state: Vec<bool> = waiting.iter().map(|it| granted(&world, *it)).collect();
    assert_eq!(state, [true, true, false, false], "first come, first served");
    let send = world.send(producer, Order::to("orders").reservation(waiting[0]));
    world.run_for(Duration::from_millis(100));
    assert!(matches!(world.verdict(send), Some(Verdict::Stored(_))));
    assert!(granted(&world, waiting[2]) && !granted(&world, waiting[3]));
    world.withdraw(waiting[1]);
    assert!(granted(&world, waiting[3]));
    world.withdraw(waiting[2]);
    world.withdraw(waiting[3]);
    assert_eq!(world.core(0).memory().messages, 0);
    world.finish();
}

#[test]
fn who_waits_too_long_is_told_and_nobody_is_overtaken() {
    let (mut world, producer) = ready(|config| config.limits.message_bytes = 2_000);
    world.pause(BROKER);
    let held = world.send(producer, Order::to("orders").size(1_000).within(5 * SECOND));
    let large = world.reserve(producer, "orders", 1_900, SECOND);
    let small = world.reserve(producer, "orders", 400, 3 * SECOND);
    let other = world.reserve(producer, "logs", 400, 3 * SECOND);
    world.run_for(SECOND / 2);
    assert!([large, small, other].iter().all(|it| world.room(*it).is_none()), "the large one is first");
    world.run_for(SECOND);
    assert!(
        matches!(world.room(large), Some(Err(error)) if matches!(error.kind(), SendErrorKind::NoRoomInTime))
    );
    assert!(granted(&world, small), "nobody stands before it any more");
    assert!(world.room(other).is_none() || granted(&world, other));
    assert!(world.verdict(held).is_none());
    let never = world.reserve(producer, "orders", 2_001, SECOND);
    assert!(
        matches!(world.room(never), Some(Err(error)) if matches!(error.kind(), SendErrorKind::LargerThanLimit { .. }))
    );
    world.resume(BROKER);
    world.run_for(5 * SECOND);
    world.finish();
}

#[test]
fn a_dead_topic_leaves_room_to_the_others() {
    let (mut world, producer) = ready(|config| config.limits.topic_messages = 3);
    for _ in 0..3 {
        world.send(producer, Order::to("dead").within(60 * SECOND));
    }
    let dead = world.reserve(producer, "dead", 600, 30 * SECOND);
    let alive = world.reserve(producer, "orders", 600, SECOND);
    assert!(world.room(dead).is_none());
    assert!(granted(&world, alive), "another topic has room");
    world.withdraw(alive);
    assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    world.withdraw(dead);
    world.run_for(61 * SECOND);
    world.finish();
}

#[test]
fn a_producer_leaves_room_to_the_others() {
    let (mut world, first) = ready(|config| config.limits.producer_messages = 3);
    let second = world.open_producer("second");
    for topic in ["dead", "orders", "logs"] {
        world.pause(BROKER);
        world.send(first, Order::to(topic).within(20 * SECOND));
    }
    let held_up = world.reserve(first, "orders", 600, 10 * SECOND);
    let free = world.reserve(second, "orders", 600, SECOND);
    assert!(world.room(held_up).is_none());
    assert!(granted(&world, free));
    world.withdraw(free);
    world.resume(BROKER);
    world.run_for(SECOND);
    assert!(granted(&world, held_up));
    world.withdraw(held_up);
    world.run_for(20 * SECOND);
    world.finish();
}

#[test]
fn flush_waits_for_what_was_sent_before_it() {
    let (mut world, producer) = ready(|_| {});
    let idle = world.flush(0, None, SECOND);
    assert_eq!(world.flushed(idle), Some(Ok(())));
    world.pause(BROKER);
    let sends: Vec<_> =
        (0..5).map(|_| world.send(producer, Order::to("orders").within(20 * SECOND))).collect();
    let short = world.flush(0, Some(producer), SECOND);
    let long = world.flush(0, None, 10 * SECOND);
    world.send(producer, Order::to("dead").within(20 * SECOND));
    world.run_for(2 * SECOND);
    assert_eq!(world.flushed(short), Some(Err(5)));
    assert_eq!(world.flushed(long), None);
    world.resume(BROKER);
    world.run_for(SECOND);
    assert!(sends.iter().all(|it| world.verdict(*it).is_some()));
    assert_eq!(world.flushed(long), Some(Ok(())), "the later send is not waited for");
    world.run_for(20 * SECOND);
    world.finish();
}

#[test]
fn a_producer_that_closes_drains_and_says_farewell() {
    let (mut world, producer) = ready(|_| {});
    let other = world.open_producer("other");
    let sends: Vec<_> = (0..5).map(|_| world.send(producer, Order::to("orders"))).collect();
    let stuck = world.send(producer, Order::to("dead").within(60 * SECOND));
    let in_line = world.reserve(producer, "orders", 600, SECOND);
    let ticket = world.close_producer(producer, 2 * SECOND);
    let late = world.send(producer, Order::to("orders").reservation(in_line));
    assert!(matches!(world.verdict(late).unwrap().error().unwrap().kind(), SendErrorKind::ProducerClosed));
    world.run_for(SECOND);
    assert!(sends.iter().all(|it| matches!(world.verdict(*it), Some(Verdict::Stored(_)))));
    assert!(world.closed(ticket).is_none());
    world.run_for(2 * SECOND);
    let left = world.closed(ticket).expect("closed");
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].message.topic().as_str(), left[0].error.outcome()), ("dead", Outcome::NotStored));
    assert!(matches!(world.verdict(stuck).unwrap().error().unwrap().kind(), SendErrorKind::ProducerClosed));
    assert!(world.cluster().producers("group").is_empty());
    assert_eq!(world.cluster().producers("other").len(), 1);
    assert!(world.send_and_wait(other, Order::to("orders")).receipt().is_some());
    let again = world.close_producer(producer, SECOND);
    assert_eq!(world.closed(again).map(<[_]>::len), Some(0));
    world.finish();
}

#[test]
fn a_send_that_is_cut_while_its_attempt_times_out_may_be_stored() {
    let (mut world, producer) = ready(|_| {});
    world.pause(BROKER);
    // The attempt has a third of three seconds; the drain ends at the same instant.
    let send = world.send(producer, Order::to("orders"));
    let ticket = world.close_producer(producer, SECOND);
    world.run_for(SECOND);
    let error = world.verdict(send).and_then(Verdict::error).expect("cut").clone();
    assert_eq!((error.outcome(), error.written_attempts()), (Outcome::MayBeStored, 1), "{error}");
    world.resume(BROKER);
    world.run_for(SECOND);
    assert!(world.closed(ticket).is_some());
    assert_eq!(world.copies(send).len(), 1);
    world.finish();
}

#[test]
fn a_client_that_shuts_down_drains_unregisters_and_never_acts_again() {
    let (mut world, producer) = ready(|_| {});
    let second = world.open_producer("second");
    world.pause(BROKER);
    let unsure = world.send(producer, Order::to("orders").within(60 * SECOND));
    let unsent = world.send(second, Order::to("dead").within(60 * SECOND));
    let line = world.flush(0, None, 60 * SECOND);
    let first = world.shutdown(0, 10 * SECOND);
    let sooner = world.shutdown(0, 2 * SECOND);
    world.run_for(SECOND);
    assert_eq!(world.core(0).service_state(), ServiceState::ShuttingDown);
    assert!(world.try_open_producer(0, "third", |_| {}).is_err());
    world.run_for(2 * SECOND);
    assert_eq!(world.core(0).service_state(), ServiceState::ShutdownAlready, "{}", world.transcript());
    for ticket in [first, sooner] {
        let left = world.closed(ticket).expect("closed");
        let outcomes: Vec<_> =
            left.iter().map(|it| (it.message.topic().as_str(), it.error.outcome())).collect();
        assert_eq!(outcomes, [("orders", Outcome::MayBeStored), ("dead", Outcome::NotStored)]);
    }
    assert_eq!(world.flushed(line), Some(Ok(())), "everything has its verdict");
    assert!(world.verdict(unsure).is_some() && world.verdict(unsent).is_some());
    world.resume(BROKER);
    world.run_for(SECOND);
    assert_eq!(world.cluster().requests(UNREGISTER), 2);
    assert!(world.cluster().producers("group").is_empty() && world.cluster().producers("second").is_empty());
    let late = world.send(producer, Order::to("orders"));
    assert!(matches!(world.verdict(late).unwrap().error().unwrap().kind(), SendErrorKind::ClientClosed));
    let again = world.shutdown(0, SECOND);
    assert_eq!(world.closed(again).map(<[_]>::len), Some(0));
    world.run_for(300 * SECOND);
    assert!(world.pipes().is_empty());
    world.finish();
}

#[test]
fn a_shutdown_without_work_is_quick() {
    let (mut world, _) = ready(|_| {});
    let before = world.elapsed();
    let ticket = world.shutdown(0, 60 * SECOND);
    assert!(world.run_until(SECOND, |world| world.closed(ticket).is_some()));
    assert_eq!(world.elapsed() - before, Duration::from_millis(1), "one farewell and its answer");
    let mut idle = World::new(1, ClusterConfig::default(), |_| {});
    let ticket = idle.shutdown(0, SECOND);
    assert!(idle.closed(ticket).is_some());
    idle.finish();
    world.finish();
}

#[test]
fn memory_stays_within_its_limits_when_nobody_reads() {
    let (mut world, producer) = ready(|config| config.limits.outbox_bytes = 4_096);
    let pipe = world.pipe_to(0, BROKER).expect("a connection");
    world.stall(pipe, 2 * SECOND);
    let sends: Vec<_> =
        (0..200).map(|_| world.send(producer, Order::to("orders").size(900).within(30 * SECOND))).collect();
    world.run_for(SECOND);
    let memory = world.core(0).memory();
    assert!(memory.outbox_bytes < 4_096 + 2_000, "{memory:?}");
    assert_eq!(memory.messages, 200);
    world.run_for(10 * SECOND);
    for send in sends {
        assert!(matches!(world.verdict(send), Some(Verdict::Stored(_))), "{}", world.transcript());
    }
    assert_eq!(world.core(0).memory().outbox_bytes, 0);
    world.finish();
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tell = |seed| {
        let mut world = World::new(seed, ClusterConfig { brokers: 2, ..ClusterConfig::default() }, |_| {});
        world.network().jitter_us = 3_000;
        world.network().short_reads = 300;
        world.network().short_writes = 300;
        let producer = world.open_producer("group");
        for _ in 0..20 {
            world.send(producer, Order::to("orders"));
        }
        world.run_for(5 * SECOND);
        world.finish();
        (world.trace_hash(), world.transcript())
    };
    assert_eq!(tell(5), tell(5));
    assert_ne!(tell(5).0, tell(6).0);
}

#[test]
fn as_many_as_two_bytes_count_are_under_way_at_once() {
    const MOST: usize = 1 << 16;
    let (mut world, producer) = ready(|config| {
        let limits = &mut config.limits;
        (limits.messages, limits.producer_messages, limits.topic_messages) = (MOST, MOST, MOST);
        // Nothing shall be held up by bytes.
        limits.message_bytes = 1 << 30;
        (limits.producer_message_bytes, limits.topic_message_bytes) = (1 << 30, 1 << 30);
        limits.outbox_bytes = 1 << 28;
    });
    world.pause(BROKER);
    let sends: Vec<_> =
        (0..MOST).map(|_| world.send(producer, Order::to("orders").within(9 * SECOND))).collect();
    let refused = world.send(producer, Order::to("orders"));
    assert!(matches!(world.verdict(refused).unwrap().error().unwrap().kind(), SendErrorKind::Full));
    world.run_for(Duration::from_millis(100));
    assert_eq!(world.core(0).memory().requests, MOST);
    world.resume(BROKER);
    world.run_for(10 * SECOND);
    assert!(sends.iter().all(|send| matches!(world.verdict(*send), Some(Verdict::Stored(_)))));
    assert_eq!(world.core(0).memory().messages, 0);
    world.finish();
}
