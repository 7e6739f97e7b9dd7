//! Torture: one step of a fixed session fails, each in turn and in each way, and everything still holds.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_sim::cluster::{ClusterConfig, TopicConfig};
use rocketmq_sim::world::{Order, SendHandle, Step, StepFailure, Verdict, World};

const SECOND: Duration = Duration::from_secs(1);

/// Two brokers, two producers, messages of many kinds, a flush, a close and a shutdown.
fn session(world: &mut World) -> Vec<SendHandle> {
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 2)));
    let (first, second) = (world.open_producer("first"), world.open_producer("second"));
    let mut sends = Vec::new();
    for round in 0..12 {
        sends.push(world.send(first, Order::to("orders").within(20 * SECOND)));
        sends.push(world.send(second, Order::to("made-by-a-send").within(20 * SECOND)));
        sends.push(world.send(first, Order::to("orders").size(40_000).within(20 * SECOND)));
        let ticket = world.reserve(second, "orders", 400, SECOND);
        world.run_for(Duration::from_millis(70 * round));
        world.withdraw(ticket);
    }
    // Long enough for heartbeats and for another look at the routes.
    world.run_for(35 * SECOND);
    sends.push(world.send(second, Order::to("orders").within(20 * SECOND)));
    world.flush(0, None, 10 * SECOND);
    world.run_for(21 * SECOND);
    world.close_producer(first, SECOND);
    world.shutdown(0, 2 * SECOND);
    world.run_for(10 * SECOND);
    world.finish();
    sends
}

fn new_world() -> World {
    let config = ClusterConfig { brokers: 2, name_servers: 2, ..ClusterConfig::default() };
    World::new(11, config, |_| {})
}

fn is_stored(world: &World, send: SendHandle) -> bool {
    matches!(world.verdict(send), Some(Verdict::Stored(_)))
}

#[test]
fn every_step_of_a_session_may_fail_in_every_way() {
    let mut calm = new_world();
    let sends = session(&mut calm);
    assert!(sends.iter().all(|send| is_stored(&calm, *send)));
    let steps = calm.fallible_steps();
    assert!(steps > 60, "{steps}");
    let mut failed: BTreeMap<Step, u32> = BTreeMap::new();
    for number in 0..steps {
        for failure in StepFailure::ALL {
            let mut world = new_world();
            world.fail_step(number, failure);
            let sends = session(&mut world);
            let step = world.failed_step().expect("the step was reached");
            // One failure in twenty seconds is no reason to give up.
            for send in &sends {
                let told = world.verdict(*send);
                assert!(
                    is_stored(&world, *send),
                    "{number} {step:?} {failure:?}: {told:?}\n{}",
                    world.transcript()
                );
            }
            *failed.entry(step).or_default() += 1;
        }
    }
    assert_eq!(failed.len(), 4, "{failed:?}");
    println!("{steps} steps, each in {} ways: {failed:?}", StepFailure::ALL.len());
}

#[test]
fn the_count_of_steps_is_the_same_every_time() {
    let count = || {
        let mut world = new_world();
        session(&mut world);
        (world.fallible_steps(), world.trace_hash())
    };
    assert_eq!(count(), count());
}
