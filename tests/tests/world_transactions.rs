//! Stories of half messages: how their transactions end, and what brokers ask about them.

use std::time::Duration;

use rocketmq_core::client::{EndErrorKind, EndVerdict, TransactionEnd};
use rocketmq_sim::cluster::{ClusterConfig, Dialect, ServerId, TopicConfig};
use rocketmq_sim::world::{LocalTransaction, Order, SendHandle, SimProducer, Tamper, World};

const SECOND: Duration = Duration::from_secs(1);
const BROKER: ServerId = ServerId::Broker(0);

fn ready(dialect: Dialect) -> (World, SimProducer) {
    let config = ClusterConfig { dialect, ..ClusterConfig::default() };
    let mut world = World::new(31, config, |_| {});
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    let producer = world.open_producer("group");
    assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    (world, producer)
}

/// Ends at once, and answers checks at once.
fn ends_by(end: TransactionEnd) -> LocalTransaction {
    LocalTransaction {
        end,
        after: Some(Duration::ZERO),
        within: 3 * SECOND,
        unknown: 0,
        think: Duration::ZERO,
    }
}

fn half(world: &mut World, producer: SimProducer, local: LocalTransaction) -> SendHandle {
    let send = world.send_half(producer, Order::to("orders"), local);
    world.run_for(SECOND);
    assert!(world.verdict(send).unwrap().receipt().is_some());
    send
}

/// How many messages of the topic can be seen.
fn visible(world: &World) -> usize {
    // One was sent to warm up.
    world.cluster().stored("orders").len() - 1
}

fn open_halves(world: &World) -> usize {
    world.cluster().brokers()[0].open_half_messages()
}

fn until_none_is_open(world: &mut World) {
    assert!(world.run_until(300 * SECOND, |world| open_halves(world) == 0));
    // The answer comes, too.
    world.run_for(SECOND);
}

#[test]
fn a_commit_is_seen_and_a_rollback_is_not() {
    for dialect in [Dialect::V5_5_0, Dialect::V4_9_7] {
        for (end, seen) in [(TransactionEnd::Commit, 1), (TransactionEnd::Rollback, 0)] {
            let (mut world, producer) = ready(dialect);
            let send = half(&mut world, producer, ends_by(end));
            assert!(matches!(world.ended(send), Some(Ok(()))));
            assert_eq!((visible(&world), open_halves(&world)), (seen, 0));
            // Brokers have nothing to ask.
            world.run_for(200 * SECOND);
            assert_eq!((visible(&world), world.asked(send)), (seen, 0));
            world.finish();
        }
    }
}

#[test]
fn what_is_left_open_is_asked_about_until_it_is_known() {
    for dialect in [Dialect::V5_5_0, Dialect::V4_9_7] {
        let (mut world, producer) = ready(dialect);
        let local = LocalTransaction { after: None, unknown: 2, ..ends_by(TransactionEnd::Commit) };
        let send = half(&mut world, producer, local);
        assert_eq!((visible(&world), open_halves(&world)), (0, 1));
        assert!(world.run_until(300 * SECOND, |world| world.asked(send) == 2));
        assert_eq!((visible(&world), open_halves(&world)), (0, 1));
        until_none_is_open(&mut world);
        assert_eq!((visible(&world), world.asked(send)), (1, 3));
        assert!(world.ended(send).is_none());
        world.finish();
    }
}

#[test]
fn a_broker_gives_up_after_fifteen_checks() {
    let (mut world, producer) = ready(Dialect::V5_5_0);
    let local = LocalTransaction { after: None, unknown: 100, ..ends_by(TransactionEnd::Commit) };
    let send = half(&mut world, producer, local);
    world.run_for(1_000 * SECOND);
    assert_eq!((visible(&world), open_halves(&world), world.asked(send)), (0, 0, 15));
    assert_eq!(world.cluster().stored("TRANS_CHECK_MAX_TIME_TOPIC").len(), 1);
    world.finish();
}

#[test]
fn an_end_without_answer_may_be_delivered_and_is_settled_by_the_next_check() {
    let (mut world, producer) = ready(Dialect::V5_5_0);
    let mut lose = true;
    world.on_answers(move |_, answer| {
        // The answer to an end has no fields and no body.
        let is_end = answer.is_response() && answer.ext_fields.is_none() && answer.body.is_empty();
        if is_end && std::mem::take(&mut lose) { Tamper::Drop } else { Tamper::Keep }
    });
    let send = half(&mut world, producer, ends_by(TransactionEnd::Commit));
    assert!(world.run_until(10 * SECOND, |world| world.ended(send).is_some()));
    let error = world.ended(send).unwrap().as_ref().unwrap_err();
    assert_eq!(error.verdict(), EndVerdict::MayBeDelivered);
    assert!(matches!(error.kind(), EndErrorKind::Timeout), "{error}");
    // The broker had done it: nothing is left to ask.
    assert_eq!((visible(&world), open_halves(&world)), (1, 0));
    world.run_for(200 * SECOND);
    assert_eq!((visible(&world), world.asked(send)), (1, 0));
    world.finish();
}

#[test]
fn a_lost_end_is_said_again_when_the_broker_asks_and_the_application_is_not_bothered() {
    let (mut world, producer) = ready(Dialect::V5_5_0);
    let local = LocalTransaction { after: Some(5 * SECOND), ..ends_by(TransactionEnd::Rollback) };
    let send = half(&mut world, producer, local);
    let pipe = world.pipe_to(0, BROKER).unwrap();
    world.half_open(pipe);
    assert!(world.run_until(20 * SECOND, |world| world.ended(send).is_some()));
    let error = world.ended(send).unwrap().as_ref().unwrap_err();
    assert_eq!(error.verdict(), EndVerdict::MayBeDelivered, "{error}");
    assert_eq!(open_halves(&world), 1);
    until_none_is_open(&mut world);
    assert_eq!((visible(&world), world.asked(send)), (0, 0));
    assert_eq!(world.core(0).counters().checks_answered, 1);
    world.finish();
}

#[test]
fn an_end_that_nobody_got_is_no_end() {
    let (mut world, producer) = ready(Dialect::V5_5_0);
    let local = LocalTransaction { after: Some(5 * SECOND), ..ends_by(TransactionEnd::Commit) };
    let send = half(&mut world, producer, local);
    world.crash(BROKER);
    assert!(world.run_until(20 * SECOND, |world| world.ended(send).is_some()));
    let error = world.ended(send).unwrap().as_ref().unwrap_err();
    assert_eq!(error.verdict(), EndVerdict::NotDelivered, "{error}");
    world.restart(BROKER);
    until_none_is_open(&mut world);
    assert_eq!((visible(&world), world.asked(send)), (1, 1));
    world.finish();
}

#[test]
fn another_client_of_the_group_answers_for_one_that_is_gone() {
    let (mut world, producer) = ready(Dialect::V5_5_0);
    let local = LocalTransaction { after: Some(100 * SECOND), ..ends_by(TransactionEnd::Commit) };
    let send = half(&mut world, producer, local);
    world.shutdown(0, Duration::ZERO);
    world.run_for(SECOND);
    let other = world.add_client(|_| {});
    // It sends nothing: its producer has named the topic.
    let topics = |config: &mut rocketmq_core::producer::ProducerConfig| {
        config.topics.push("orders".parse().unwrap());
    };
    world.try_open_producer(other, "group", topics).unwrap();
    until_none_is_open(&mut world);
    assert_eq!(visible(&world), 1);
    assert!(world.asked(send) > 1, "the outcome was not known at first");
    assert_eq!(world.core(other).counters().sends, 0);
    world.run_for(100 * SECOND);
    assert_eq!(visible(&world), 1);
    world.finish();
}

#[test]
fn refused_ends_are_told_apart_and_the_broker_asks() {
    type Is = fn(&EndErrorKind) -> bool;
    let cases: [(i32, Is); 4] = [
        (604, |kind| matches!(kind, EndErrorKind::ImmunityTimeOver { .. })),
        (1, |kind| matches!(kind, EndErrorKind::NotFound { .. })),
        (11, |kind| matches!(kind, EndErrorKind::NotMaster { .. })),
        (14, |kind| matches!(kind, EndErrorKind::ServiceNotAvailable { .. })),
    ];
    for (code, is) in cases {
        let (mut world, producer) = ready(Dialect::V5_5_0);
        let refuse = |world: &mut World, code| {
            world.change_cluster(|cluster, _| {
                cluster.broker_mut(0).unwrap().settings_mut().refuse_ends = code;
            });
        };
        refuse(&mut world, Some(code));
        let send = half(&mut world, producer, ends_by(TransactionEnd::Commit));
        let error = world.ended(send).unwrap().as_ref().unwrap_err();
        assert!(is(error.kind()), "{code}: {error}");
        assert_eq!(error.verdict(), EndVerdict::Refused);
        refuse(&mut world, None);
        until_none_is_open(&mut world);
        assert_eq!((visible(&world), world.asked(send)), (1, 1));
        world.finish();
    }
}

#[test]
fn the_immunity_time_decides_who_may_end() {
    for (dialect, taken) in [(Dialect::V5_5_0, false), (Dialect::V4_9_7, true)] {
        let (mut world, producer) = ready(dialect);
        let topic = "orders".parse().unwrap();
        let message = rocketmq_core::message::Message::builder(topic)
            .body("hello")
            .key("immune")
            .check_immunity_time(2 * SECOND)
            .build()
            .unwrap();
        let local = LocalTransaction { after: Some(4 * SECOND), ..ends_by(TransactionEnd::Commit) };
        let send = world.send_half(producer, Order::again(message), local);
        assert!(world.run_until(10 * SECOND, |world| world.ended(send).is_some()));
        assert_eq!(world.ended(send).unwrap().is_ok(), taken);
        until_none_is_open(&mut world);
        assert_eq!((visible(&world), world.asked(send)), (1, u32::from(!taken)));
        world.finish();
    }
}
