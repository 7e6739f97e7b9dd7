//! Stories of whole outages: brokers and name servers that stop, restart, and hang, under load.

use std::time::Duration;

use rocketmq_sim::cluster::{ClusterConfig, ServerId, TopicConfig};
use rocketmq_sim::world::{Connects, Order, SendHandle, SimProducer, Verdict, World};

const SECOND: Duration = Duration::from_secs(1);

fn ready(seed: u64, brokers: usize) -> (World, SimProducer) {
    let config = ClusterConfig { brokers, ..ClusterConfig::default() };
    let mut world = World::new(seed, config, |_| {});
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    let producer = world.open_producer("group");
    for _ in 0..4 {
        assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    }
    (world, producer)
}

/// Sends one message every `gap` for some time.
fn load(
    world: &mut World,
    producer: SimProducer,
    order: &Order,
    gap: Duration,
    time: Duration,
) -> Vec<SendHandle> {
    let end = world.elapsed() + time;
    let mut sends = Vec::new();
    while world.elapsed() < end {
        sends.push(world.send(producer, order.clone()));
        world.run_for(gap);
    }
    sends
}

fn all_stored(world: &World, sends: &[SendHandle]) {
    for send in sends {
        let verdict = world.verdict(*send);
        assert!(matches!(verdict, Some(Verdict::Stored(_))), "{send:?}: {verdict:?}\n{}", world.transcript());
    }
}

#[test]
fn a_broker_that_stops_gets_few_messages_that_others_get_too() {
    let (mut world, producer) = ready(7, 2);
    world.pause(ServerId::Broker(1));
    world.later(3 * SECOND, |world| world.resume(ServerId::Broker(1)));
    let sends = load(&mut world, producer, &Order::to("orders"), Duration::from_millis(10), 3 * SECOND);
    world.run_for(5 * SECOND);
    all_stored(&world, &sends);
    let twice = sends.iter().filter(|send| world.copies(**send).len() == 2).count();
    // Every second message goes there until it has kept silent for 100 ms, not until the first attempt ends after 1 s.
    assert!((1..=8).contains(&twice), "{twice} of {} are stored twice", sends.len());
    world.finish();
}

#[test]
fn ten_seconds_without_any_server_fail_nothing_that_may_wait_a_minute() {
    let (mut world, producer) = ready(3, 2);
    let servers = world.cluster().servers();
    for server in &servers {
        world.crash(*server);
    }
    for server in servers {
        world.later(10 * SECOND, move |world| world.restart(server));
    }
    let order = Order::to("orders").within(60 * SECOND);
    let sends = load(&mut world, producer, &order, Duration::from_millis(200), 20 * SECOND);
    world.run_for(20 * SECOND);
    all_stored(&world, &sends);
    for send in &sends {
        assert_eq!(world.copies(*send).len(), 1, "nothing was under way when they stopped");
    }
    world.finish();
}

#[test]
fn the_only_broker_may_restart_for_thirty_seconds() {
    let (mut world, producer) = ready(4, 1);
    world.later(SECOND, |world| world.crash(ServerId::Broker(0)));
    world.later(31 * SECOND, |world| world.restart(ServerId::Broker(0)));
    let order = Order::to("orders").within(60 * SECOND);
    let sends = load(&mut world, producer, &order, Duration::from_millis(500), 40 * SECOND);
    world.run_for(20 * SECOND);
    all_stored(&world, &sends);
    world.finish();
}

#[test]
fn the_only_broker_may_hang_for_thirty_seconds() {
    let (mut world, producer) = ready(5, 1);
    world.later(SECOND, |world| world.pause(ServerId::Broker(0)));
    world.later(31 * SECOND, |world| world.resume(ServerId::Broker(0)));
    let order = Order::to("orders").within(120 * SECOND).retries(5);
    let sends = load(&mut world, producer, &order, Duration::from_millis(500), 40 * SECOND);
    world.run_for(100 * SECOND);
    all_stored(&world, &sends);
    world.finish();
}

#[test]
fn one_of_two_masters_may_stop_and_go_on_again_and_again() {
    let (mut world, producer) = ready(6, 2);
    for round in 0..6_u32 {
        let broker = ServerId::Broker(round as usize % 2);
        world.later(8 * SECOND * round + SECOND, move |world| world.pause(broker));
        world.later(8 * SECOND * round + 5 * SECOND, move |world| world.resume(broker));
    }
    let sends = load(&mut world, producer, &Order::to("orders"), Duration::from_millis(100), 50 * SECOND);
    world.run_for(4 * SECOND);
    all_stored(&world, &sends);
    world.finish();
}

#[test]
fn one_of_two_masters_may_be_killed_again_and_again() {
    let (mut world, producer) = ready(7, 2);
    for round in 0..6_u32 {
        let broker = ServerId::Broker(round as usize % 2);
        world.later(9 * SECOND * round + SECOND, move |world| world.crash(broker));
        world.later(9 * SECOND * round + 4 * SECOND, move |world| world.restart(broker));
    }
    let sends = load(&mut world, producer, &Order::to("orders"), Duration::from_millis(100), 56 * SECOND);
    world.run_for(4 * SECOND);
    all_stored(&world, &sends);
    world.finish();
}

#[test]
fn connects_that_hang_cost_time_and_no_message() {
    let (mut world, producer) = ready(8, 2);
    world.crash(ServerId::Broker(0));
    world.connects(ServerId::Broker(0), Connects::Hanging);
    let sends = load(&mut world, producer, &Order::to("orders"), Duration::from_millis(100), 20 * SECOND);
    world.run_for(4 * SECOND);
    all_stored(&world, &sends);
    world.restart(ServerId::Broker(0));
    world.connects(ServerId::Broker(0), Connects::Ordinary);
    world.run_for(10 * SECOND);
    let verdicts: Vec<_> = (0..8).map(|_| world.send_and_wait(producer, Order::to("orders"))).collect();
    assert!(verdicts.iter().any(|it| it.receipt().expect("stored").queue.broker_name == "broker-a"));
    world.finish();
}

#[test]
fn a_dead_cluster_gives_each_send_its_verdict_and_is_not_stormed() {
    let (mut world, producer) = ready(9, 2);
    for server in world.cluster().servers() {
        world.crash(server);
    }
    world.run_for(SECOND);
    let sends = load(&mut world, producer, &Order::to("orders"), Duration::from_millis(500), 300 * SECOND);
    world.run_for(4 * SECOND);
    for send in sends {
        let verdict = world.verdict(send).expect("a verdict");
        assert!(!verdict.error().expect("a failure").may_be_stored());
    }
    let failed = world.core(0).counters().connects_failed;
    assert!(failed < 3 * 5 * 60, "{failed} connects in five minutes");
    world.finish();
}

#[test]
fn a_jump_of_the_wall_clock_moves_no_deadline_and_doubles_no_id() {
    let (mut world, producer) = ready(10, 1);
    let mut sends = Vec::new();
    for jump in [3_600_000, -7_200_000, -1_733_000_000_000, 1_733_000_000_000, 86_400_000 * 31, -5, -1_000] {
        world.jump_wall_clock(jump);
        sends.extend(load(&mut world, producer, &Order::to("orders"), Duration::from_millis(3), SECOND / 20));
    }
    world.run_for(SECOND);
    all_stored(&world, &sends);
    let heartbeats = world.core(0).counters().heartbeats;
    world.run_for(90 * SECOND);
    assert_eq!(world.core(0).counters().heartbeats - heartbeats, 3);
    world.finish();
}

#[test]
fn a_process_that_slept_for_five_minutes_goes_on() {
    let (mut world, producer) = ready(11, 1);
    let sends = load(&mut world, producer, &Order::to("orders").within(600 * SECOND), SECOND / 10, SECOND);
    world.network().late_ticks_us = 300_000_000;
    world.run_for(301 * SECOND);
    world.network().late_ticks_us = 0;
    let more = load(&mut world, producer, &Order::to("orders").within(20 * SECOND), SECOND / 10, SECOND);
    world.run_for(25 * SECOND);
    all_stored(&world, &sends);
    all_stored(&world, &more);
    world.finish();
}
