//! Stories about heartbeats: of both versions to brokers of both releases, rejected ones, and brokers that come back.

mod world_common;

use std::time::Duration;

use rocketmq_core::client::ConnectionState;
use rocketmq_sim::cluster::{ClusterConfig, Dialect, ServerId};
use rocketmq_sim::world::{Order, SimProducer, Tamper, World};
use world_common::{SECOND, ready_in};

/// A broker of 4.9.7 and one of 5.5.0, and a client that sends heartbeats of version 2.
fn both_releases() -> (World, SimProducer) {
    let config = ClusterConfig {
        brokers: 2,
        dialect: Dialect::V5_5_0,
        broker_dialects: vec![Dialect::V4_9_7],
        ..ClusterConfig::default()
    };
    ready_in(World::new(3, config, |config| config.heartbeat_v2 = true), 2)
}

/// Whether each broker knows the producer.
fn known(world: &World) -> Vec<bool> {
    world.cluster().brokers().iter().map(|broker| broker.producers("group").len() == 1).collect()
}

#[test]
fn version_two_is_understood_by_brokers_of_both_releases() {
    let (mut world, _) = both_releases();
    let before = world.core(0).counters();
    assert_eq!((before.heartbeats, before.heartbeats_without_sub), (2, 0));
    world.run_for(300 * SECOND);
    let after = world.core(0).counters();
    assert_eq!((after.heartbeats, after.heartbeats_without_sub, after.heartbeats_failed), (22, 10, 0));
    assert_eq!(known(&world), [true, true], "both keep the client for longer than the 120 s of silence");
    assert_eq!(after.connections_opened, before.connections_opened);
    world.finish();
}

#[test]
fn a_broker_that_comes_back_knows_the_client_at_once() {
    let (mut world, _) = both_releases();
    for index in [0, 1] {
        world.crash(ServerId::Broker(index));
        world.run_for(20 * SECOND);
        world.restart(ServerId::Broker(index));
        // The longest pause between two connects, and a round trip.
        world.run_for(2 * SECOND + SECOND / 10);
        assert_eq!(known(&world), [true, true], "broker {index}");
    }
    world.finish();
}

/// A broker that rejects heartbeats for minutes keeps no client waiting longer than a round once it is well.
#[test]
fn rejected_heartbeats_are_repeated_until_one_is_accepted() {
    let (mut world, producer) = both_releases();
    let broker = ServerId::Broker(0);
    world.crash(broker);
    world.run_for(SECOND);
    world.on_answers(move |server, answer| {
        // A heartbeat's answer is the only one of this broker without fields and body: turned into SYSTEM_BUSY.
        let is_heartbeat = server == broker && answer.code == 0 && answer.body.is_empty();
        if !is_heartbeat || answer.ext("msgId").is_some() {
            return Tamper::Keep;
        }
        let mut busy = answer.clone();
        busy.code = 2;
        Tamper::Instead(busy.encode())
    });
    world.restart(broker);
    world.run_for(240 * SECOND);
    let counters = world.core(0).counters();
    assert!((8..=40).contains(&counters.heartbeats_failed), "{counters:?}");
    assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    world.leave_answers_alone();
    world.run_for(33 * SECOND);
    let failed = world.core(0).counters().heartbeats_failed;
    world.run_for(Duration::from_secs(120));
    assert_eq!(world.core(0).counters().heartbeats_failed, failed);
    let states = world.core(0).view().connections;
    assert!(states.iter().all(|connection| connection.state == ConnectionState::Up), "{states:?}");
    world.finish();
}
