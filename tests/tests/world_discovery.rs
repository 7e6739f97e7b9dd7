//! Discovery of name servers in the faulty world: every invariant holds while the HTTP server says anything.

use std::time::Duration;

use rocketmq_core::client::ServiceState;
use rocketmq_core::ground::endpoint::NameServers;
use rocketmq_sim::cluster::{Cluster, ClusterConfig, DiscoveryMood, TopicConfig};
use rocketmq_sim::world::{Order, Verdict, World};

const SECOND: Duration = Duration::from_secs(1);
const MOODS: [DiscoveryMood; 9] = [
    DiscoveryMood::Well,
    DiscoveryMood::Status(503),
    DiscoveryMood::Empty,
    DiscoveryMood::Page,
    DiscoveryMood::Garbage,
    DiscoveryMood::Cut(25),
    DiscoveryMood::Huge,
    DiscoveryMood::Late(4_000),
    DiscoveryMood::Silent,
];

fn world(seed: u64) -> World {
    let cluster = ClusterConfig { name_servers: 2, discovery: true, ..ClusterConfig::default() };
    let mut world = World::new(seed, cluster, |config| {
        config.name_servers = NameServers::none();
        config.discovery = Some("10.0.2.1".parse().expect("an address"));
    });
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    world
}

fn set_mood(world: &mut World, mood: DiscoveryMood) {
    world.change_cluster(|cluster: &mut Cluster, _| {
        cluster.discovery_mut().expect("a server").set_mood(mood);
    });
}

#[test]
fn a_first_send_takes_one_more_connect_and_round_trip() {
    let mut world = world(1);
    let producer = world.open_producer("group");
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    assert!(verdict.receipt().is_some(), "{}", world.transcript());
    assert_eq!(world.elapsed(), Duration::from_millis(6), "{}", world.transcript());
    world.finish();
}

#[test]
fn no_invariant_breaks_whatever_the_http_server_says() {
    for (mood, seed) in MOODS.into_iter().flat_map(|mood| (0..4).map(move |seed| (mood, seed))) {
        let mut world = world(seed);
        let network = world.network();
        (network.short_reads, network.short_writes, network.refused_connects) = (300, 300, 100);
        set_mood(&mut world, mood);
        let producer = world.open_producer("group");
        let send = world.send(producer, Order::to("orders").within(40 * SECOND));
        world.run_for(6 * SECOND);
        set_mood(&mut world, DiscoveryMood::Well);
        world.run_for(20 * SECOND);
        let verdict = world.verdict(send);
        assert!(matches!(verdict, Some(Verdict::Stored(_))), "{mood:?}: {}", world.transcript());
        // Two more look-ups, with a list in use.
        set_mood(&mut world, mood);
        world.run_for(250 * SECOND);
        let verdict = world.send_and_wait(producer, Order::to("orders").within(20 * SECOND));
        assert!(verdict.receipt().is_some(), "{mood:?}: {}", world.transcript());
        world.finish();
    }
}

#[test]
fn a_client_shuts_down_in_the_middle_of_a_look_up() {
    let mut world = world(3);
    set_mood(&mut world, DiscoveryMood::Silent);
    let producer = world.open_producer("group");
    let send = world.send(producer, Order::to("orders").within(20 * SECOND));
    world.run_for(SECOND);
    world.shutdown(0, SECOND);
    world.run_for(3 * SECOND);
    assert!(matches!(world.verdict(send), Some(Verdict::Failed(_))), "{}", world.transcript());
    assert_eq!(world.core(0).service_state(), ServiceState::ShutdownAlready);
    world.finish();
}
