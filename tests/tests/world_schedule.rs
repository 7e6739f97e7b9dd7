//! What an idle client does in an hour: everything that it says, with its period. Print the list with
//! `cargo test -p rocketmq-sim --test world_schedule -- --nocapture`.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_core::client::{FaultDetector, LatencyFault};
use rocketmq_core::ground::endpoint::NameServers;
use rocketmq_core::producer::{ProducerConfig, TraceConfig};
use rocketmq_sim::cluster::{ClusterConfig, TopicConfig};
use rocketmq_sim::world::{Order, World};

const HOUR: Duration = Duration::from_secs(3_600);

/// What was said to whom, and when, in seconds.
type Said = BTreeMap<(String, String), Vec<f64>>;

/// The lines of a story in which a client says something, and those in which it opens a connection.
fn said(story: &str) -> Said {
    let mut said = Said::new();
    for line in story.lines() {
        if let Some((before, to)) = line.split_once(" connects to ") {
            let seconds = before.split_whitespace().next().and_then(|time| time.parse::<f64>().ok());
            let to = to.split(" (").next().unwrap_or_default();
            said.entry((to.to_owned(), "connect".to_owned())).or_default().extend(seconds);
            continue;
        }
        let Some((before, what)) = line.split_once(" -> ") else {
            continue;
        };
        let Some((to, what)) = what.split_once(": ") else { continue };
        let seconds = before.split_whitespace().next().and_then(|time| time.parse::<f64>().ok());
        // A number of a request comes first, another one each time.
        let words = what.split_whitespace().filter(|word| !word.starts_with('#')).take(2);
        let name = words.collect::<Vec<_>>().join(" ");
        said.entry((to.to_owned(), name)).or_default().extend(seconds);
    }
    said
}

/// The pauses between these times, from the shortest to the longest.
fn pauses(times: &[f64]) -> (f64, f64) {
    let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
    pauses.fold((f64::MAX, 0.0), |(least, most), pause| (least.min(pause), most.max(pause)))
}

fn print(said: &Said) {
    println!("{:<16} {:<34} {:>6} {:>12}", "to", "what", "times", "every, s");
    for ((to, what), times) in said {
        let (least, most) = pauses(times);
        let period = if times.len() > 1 { format!("{least:.1}..{most:.1}") } else { "once".to_owned() };
        println!("{to:<16} {what:<34} {:>6} {period:>12}", times.len());
    }
}

#[test]
fn an_hour_of_an_idle_client_is_heartbeats_routes_and_discovery() {
    let cluster = ClusterConfig { brokers: 2, discovery: true, ..ClusterConfig::default() };
    let mut world = World::new(9, cluster, |config| {
        config.name_servers = NameServers::none();
        config.discovery = Some("10.0.2.1".parse().expect("an address"));
        // The detector asks brokers that have failed, and none has.
        config.latency_fault =
            Some(LatencyFault { detector: Some(FaultDetector::default()), ..LatencyFault::default() });
    });
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    let names_its_topic =
        |config: &mut ProducerConfig| config.topics.push("orders".parse().expect("a topic"));
    let producer = world.try_open_producer(0, "group", names_its_topic).expect("an open producer");
    world.run_for(Duration::from_secs(1));
    assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
    world.run_for(HOUR);
    let said = said(&world.transcript());
    print(&said);
    let times = |to: &str, what: &str| {
        let key = (to.to_owned(), what.to_owned());
        said.get(&key).unwrap_or_else(|| panic!("nothing {what} to {to} in {said:?}")).as_slice()
    };
    // Greeted when it was connected, and every 30 s.
    for broker in ["broker-a", "broker-b"] {
        let heartbeats = times(broker, "HEART_BEAT(34)");
        assert_eq!(heartbeats.len(), 121, "{broker}");
        assert!(pauses(heartbeats).1 < 30.01, "{broker}");
    }
    let routes = times("name server 0", "GET_ROUTEINFO_BY_TOPIC(105) orders");
    assert_eq!(routes.len(), 121);
    assert!(pauses(routes).1 < 30.01);
    // Each look-up has a connection of its own.
    let look_ups = times("discovery", "connect");
    assert_eq!(look_ups.len(), 31);
    assert!(pauses(look_ups).0 > 119.0 && pauses(look_ups).1 < 121.0);
    // And one message, nothing else.
    let others = said.keys().filter(|(_, what)| !matches!(what.as_str(), "connect" | "HEART_BEAT(34)"));
    assert_eq!(others.count(), 2, "{said:?}");
    let connects = ["broker-a", "broker-b", "name server 0"].map(|to| times(to, "connect").len());
    assert_eq!(connects, [1, 1, 1]);
    world.finish();
}

#[test]
fn records_of_trace_are_flushed_every_five_seconds_while_there_are_any() {
    let mut world = World::new(9, ClusterConfig::default(), |_| ());
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    let is_traced = |config: &mut ProducerConfig| config.trace = Some(TraceConfig::default());
    let producer = world.try_open_producer(0, "group", is_traced).expect("an open producer");
    for _ in 0..60 {
        assert!(world.send_and_wait(producer, Order::to("orders")).receipt().is_some());
        world.run_for(Duration::from_secs(1));
    }
    world.run_for(HOUR);
    let said = said(&world.transcript());
    print(&said);
    let key = ("broker-a".to_owned(), "SEND_MESSAGE_V2(310) records".to_owned());
    let flushes = &said[&key];
    // Each waits for five seconds; then there is nothing to flush any more.
    assert_eq!(flushes.len(), 12, "{flushes:?}");
    let (least, most) = pauses(flushes);
    assert!(least > 4.9 && most < 6.1, "{flushes:?}");
    let counters = world.core(0).counters();
    assert_eq!((counters.trace_records, counters.trace_records_sent), (60, 60));
    let shutdown = world.shutdown(0, Duration::from_secs(1));
    assert!(world.run_until(Duration::from_secs(3), |world| world.closed(shutdown).is_some()));
    world.finish();
}
