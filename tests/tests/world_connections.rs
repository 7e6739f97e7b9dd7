//! Stories about connections: lost, silent, draining, slow, and answers that find nobody.

mod world_common;

use rocketmq_core::client::LostReason;
use rocketmq_core::producer::{AttemptFailure, Outcome, Target};
use rocketmq_sim::cluster::{ClusterConfig, Frame, SendDecision, TopicConfig};
use rocketmq_sim::world::{Order, Tamper, Verdict, World};
use std::time::Duration;
use world_common::*;

#[test]
fn a_connection_lost_before_the_last_byte_is_not_stored() {
    let (mut world, producer) = ready(1);
    for cut in [0, 1, 3, 8, 60, 200] {
        world.run_for(SECOND);
        let pipe = broker_pipe(&world);
        world.cut_up(pipe, cut);
        let order = to_broker_a().within_ms(1);
        let before = sends(&world);
        let verdict = world.send_and_wait(producer, order);
        let error = failed(&verdict);
        assert_eq!(error.outcome(), Outcome::NotStored, "cut after {cut} bytes: {error}");
        assert_eq!(error.written_attempts(), 0);
        assert!(
            matches!(error.attempts()[0].failure, AttemptFailure::Connection(LostReason::Closed(_))),
            "{error}"
        );
        assert_eq!(sends(&world), before);
        world.run_for(10 * SECOND);
    }
    world.finish();
}

#[test]
fn a_slow_request_ends_alone() {
    let (mut world, producer) = ready(1);
    policy(&mut world, 0, |send| match send.queue_id {
        1 => SendDecision::Delay { millis: 2_000 },
        _ => SendDecision::Store,
    });
    let slow = world.send(producer, to_broker_a().within_ms(500).retries(0));
    let mut others = Vec::new();
    for _ in 0..30 {
        world.run_for(Duration::from_millis(100));
        others.push(world.send(producer, Order::to("orders").target(Target::Queue(queue(0, 2)))));
    }
    world.run_for(SECOND);
    assert!(failed(world.verdict(slow).expect("a verdict")).may_be_stored());
    for other in others {
        assert!(matches!(world.verdict(other), Some(Verdict::Stored(_))));
    }
    let counters = world.core(0).counters();
    assert_eq!((counters.connections_opened, counters.silences, counters.late_answers), (2, 0, 1));
    world.finish();
}

#[test]
fn a_connection_without_a_sign_of_life_is_closed() {
    let (mut world, producer) = ready(1);
    let pipe = broker_pipe(&world);
    world.half_open(pipe);
    let send = world.send(producer, Order::to("orders").within(40 * SECOND));
    world.run_for(25 * SECOND);
    assert!(matches!(world.verdict(send), Some(Verdict::Stored(_))), "{}", world.transcript());
    assert_eq!(world.core(0).counters().silences, 1);
    world.finish();
}

#[test]
fn silence_is_noticed_by_one_send_after_the_other_as_well() {
    let (mut world, producer) = ready(1);
    let pipe = broker_pipe(&world);
    world.half_open(pipe);
    let before = world.elapsed();
    let stored = (0..10).any(|_| world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    assert!(stored, "{}", world.transcript());
    assert!(world.elapsed() - before < 14 * SECOND, "{:?}", world.elapsed() - before);
    world.finish();
}

#[test]
fn late_duplicate_and_foreign_answers_are_counted_and_harm_nobody() {
    let (mut world, producer) = ready(1);
    policy(&mut world, 0, |send| match send.queue_id {
        1 => SendDecision::Delay { millis: 900 },
        2 => SendDecision::AnswerTwice,
        _ => SendDecision::Store,
    });
    let late = world.send(producer, to_broker_a().within_ms(300).retries(0));
    let twice = world.send(producer, Order::to("orders").target(Target::Queue(queue(0, 2))));
    world.run_for(2 * SECOND);
    assert!(matches!(world.verdict(twice), Some(Verdict::Stored(_))));
    assert!(failed(world.verdict(late).expect("a verdict")).may_be_stored());
    let mut sent = false;
    world.on_answers(move |_, frame| {
        if std::mem::replace(&mut sent, true) {
            return Tamper::Keep;
        }
        let mut other = frame.clone();
        other.opaque = frame.opaque.map(|opaque| opaque ^ 0x4000_7000);
        let mut bytes = other.encode();
        bytes.extend(frame.encode());
        Tamper::Instead(bytes)
    });
    let verdict = world.send_and_wait(producer, Order::to("orders").target(Target::Queue(queue(0, 3))));
    assert!(verdict.receipt().is_some());
    let counters = world.core(0).counters();
    assert_eq!((counters.late_answers, counters.duplicate_answers, counters.foreign_answers), (1, 1, 1));
    assert_eq!(counters.connections_opened, 2);
    world.finish();
}

#[test]
fn answers_in_another_order_find_their_sends() {
    let (mut world, producer) = ready(1);
    policy(&mut world, 0, |send| SendDecision::Delay { millis: 50 - 7 * (send.number % 7) });
    let sends: Vec<_> = (0..40).map(|_| world.send(producer, Order::to("orders"))).collect();
    world.run_for(SECOND);
    for send in sends {
        // That receipt and log agree is checked with every verdict.
        assert!(matches!(world.verdict(send), Some(Verdict::Stored(_))));
    }
    world.finish();
}

#[test]
fn a_broker_that_asks_to_go_away_is_left_in_peace_and_the_other_takes_over() {
    let (mut world, producer) = ready(2);
    world.go_away(0, true);
    let sends: Vec<_> = (0..20).map(|_| world.send(producer, Order::to("orders"))).collect();
    world.run_for(2 * SECOND);
    for send in &sends {
        let receipt = world.verdict(*send).and_then(Verdict::receipt);
        assert_eq!(receipt.unwrap_or_else(|| panic!("{}", world.transcript())).queue.broker_name, "broker-b");
        assert_eq!(world.copies(*send).len(), 1);
    }
    let opened = world.core(0).counters().connections_opened;
    world.run_for(30 * SECOND);
    let more = world.core(0).counters().connections_opened - opened;
    assert!((1..=20).contains(&more), "{more} connects in 30 s to a broker that asks to go away");
    world.crash(BROKER);
    world.restart(BROKER);
    world.run_for(10 * SECOND);
    let names: Vec<_> = (0..8).map(|_| world.send_and_wait(producer, Order::to("orders"))).collect();
    assert!(names.iter().any(|it| it.receipt().expect("stored").queue.broker_name == "broker-a"));
    world.finish();
}

#[test]
fn one_way_ends_with_the_last_byte_and_wants_no_answer() {
    let (mut world, producer) = ready(1);
    let send = world.send(producer, to_broker_a().one_way());
    world.run_for(Duration::from_micros(1));
    assert!(matches!(world.verdict(send), Some(Verdict::HandedOver)));
    world.run_for(SECOND);
    assert_eq!(world.copies(send).len(), 1);
    assert_eq!(world.core(0).memory().requests, 0);
    let pipe = broker_pipe(&world);
    world.cut_up(pipe, 40);
    let send = world.send(producer, to_broker_a().one_way());
    world.run_for(2 * SECOND);
    assert!(matches!(world.verdict(send), Some(Verdict::HandedOver)), "sent again: half a frame is nothing");
    assert_eq!(world.copies(send).len(), 1);
    world.finish();
}

#[test]
fn a_broker_that_does_not_answer_does_not_hold_up_what_waits_behind() {
    let config = ClusterConfig::default();
    let mut world = World::new(2, config, |config| config.limits.connection_requests = 1);
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    let producer = world.open_producer("group");
    world.send_and_wait(producer, Order::to("orders"));
    let mut lose = true;
    policy(&mut world, 0, move |_| match std::mem::take(&mut lose) {
        true => SendDecision::Lose,
        false => SendDecision::Store,
    });
    let lost = world.send(producer, to_broker_a().within_ms(300).retries(0));
    let behind = world.send(producer, to_broker_a().within(8 * SECOND).retries(0));
    world.run_for(Duration::from_millis(100));
    // A sign of life that is no answer: nobody asks the broker for one.
    let mut request = Frame::request(40, 1, &[("consumerGroup", "g")]);
    request.flag = 2;
    let pipe = broker_pipe(&world);
    world.inject(pipe, &request.encode());
    world.run_for(2 * SECOND);
    assert!(world.verdict(lost).is_some());
    assert!(matches!(world.verdict(behind), Some(Verdict::Stored(_))), "{}", world.transcript());
    world.finish();
}

#[test]
fn a_connection_that_drains_does_not_stay_for_a_send_that_was_given_up() {
    let (mut world, producer) = ready(2);
    policy(&mut world, 0, |_| SendDecision::Delay { millis: 60_000 });
    let slow = world.send(producer, to_broker_a().within(60 * SECOND));
    let pipe = broker_pipe(&world);
    world.run_for(SECOND);
    world.go_away(0, true);
    world.send(producer, to_broker_a().within(SECOND));
    world.run_for(SECOND);
    assert!(world.pipes().contains(&pipe), "it waits for the slow one");
    world.close_producer(producer, Duration::ZERO);
    assert!(failed(world.verdict(slow).expect("a verdict")).may_be_stored());
    world.run_for(20 * SECOND);
    assert!(!world.pipes().contains(&pipe));
    world.finish();
}

#[test]
fn nothing_is_called_unwritten_that_the_socket_may_have() {
    // The driver writes outside the lock and reports late: meanwhile the core closes the connection for its silence.
    let mut closed_before_the_report = 0;
    for seed in 0..8 {
        let (mut world, producer) = ready_in(World::new(seed, ClusterConfig::default(), |_| {}), 1);
        world.pause(BROKER);
        world.network().late_wrote_us = 40_000_000;
        let send = world.send(producer, to_broker_a().within_ms(10_500).retries(0));
        world.run_for(11 * SECOND);
        let error = failed(world.verdict(send).expect("a verdict"));
        assert_eq!((error.outcome(), error.written_attempts()), (Outcome::MayBeStored, 1), "{error}");
        closed_before_the_report += world.core(0).counters().silences;
        world.network().late_wrote_us = 0;
        world.resume(BROKER);
        world.run_for(SECOND);
        assert_eq!(world.copies(send).len(), 1);
        world.run_for(60 * SECOND);
        world.finish();
    }
    assert!(closed_before_the_report > 0);
}
