//! A day of a cluster with three brokers and a send per second.

use std::time::Duration;

use rocketmq_sim::cluster::ClusterConfig;
use rocketmq_sim::world::{Order, Verdict, World};

const SECONDS: u64 = 86_400;

/// A send is a command, a write, bytes on both ways, two reads and their reports; the rest is heartbeats, routes and
/// registrations. A client that wakes up more often than it must shows here.
const EVENTS_PER_SECOND: u64 = 10;

#[test]
fn a_day_has_few_events_and_every_message_of_it_is_stored_once() {
    let cluster = ClusterConfig { name_servers: 2, brokers: 3, ..ClusterConfig::default() };
    let mut world = World::new(24, cluster, |_| {});
    world.be_silent();
    world.record_nothing();
    let producer = world.open_producer("a-day");
    let sends: Vec<_> = (0..SECONDS)
        .map(|_| {
            let send = world.send(producer, Order::to("orders"));
            world.run_for(Duration::from_secs(1));
            send
        })
        .collect();
    let stored =
        sends.iter().filter(|send| matches!(world.verdict(**send), Some(Verdict::Stored(_)))).count();
    assert_eq!(stored as u64, SECONDS);
    assert_eq!(world.cluster().stored_count() as u64, SECONDS);
    world.finish();
    let events = world.events_so_far();
    assert!(events < SECONDS * EVENTS_PER_SECOND, "{events} events in a day");
}
