//! Cases of topics that do not exist, and of topics that must not be written.

use std::time::{Duration, Instant};

use rocketmq_sim::real::{QueueCount, RealCluster};
use rocketmq_tokio::{AttemptFailure, NoRoute, Outcome, SendError, SendErrorKind, TopicName};

use super::audit::audit;
use super::bench::Bench;
use super::load::{Load, Until, message};

const LONG: Duration = Duration::from_secs(30);
const TOPIC_NOT_EXIST: i32 = 17;

/// Sends one message that cannot be stored; the error, and how long it took.
fn refused(bench: &Bench<'_>, case: &str, topic: &TopicName, within: Duration) -> (SendError, Duration) {
    let client = bench.client();
    let (producer, message) = (bench.producer(&client, case), message(topic, "refused"));
    let start = Instant::now();
    let error = bench
        .run(async move { producer.send(message).within(within).await })
        .expect_err("nobody may store it");
    let took = start.elapsed();
    assert_eq!(error.outcome(), Outcome::NotStored, "{error}");
    bench.run(async move { client.shutdown(LONG).await });
    (error, took)
}

/// Brokers do not look at the permission of a topic when they are sent to: it is the client that must honour the route.
pub(crate) fn topic_without_write(bench: &Bench<'_>) -> String {
    let topic = bench.topic("read-only");
    for broker in bench.cluster.brokers() {
        bench.cluster.create_topic(broker, topic.as_str(), 4, 4).expect("a topic");
    }
    let (error, _) = refused(bench, "read-only", &topic, Duration::from_secs(2));
    let kind = error.kind();
    assert!(matches!(kind, SendErrorKind::NoRoute(NoRoute::NoWritableQueue(of)) if *of == topic), "{kind:?}");
    assert_eq!(bench.cluster.stored(topic.as_str()).expect("the store"), []);

    let topic = bench.topic("half-read-only");
    for (broker, permission) in [("broker-a", 4), ("broker-b", 6)] {
        bench.cluster.create_topic(broker, topic.as_str(), 4, permission).expect("a topic");
    }
    all_go_to(bench, "half-read-only", &topic, "broker-b");
    format!("{kind}; with one writable broker of two, 20 of 20 went there")
}

fn all_go_to(bench: &Bench<'_>, case: &str, topic: &TopicName, broker: &str) {
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, case), topic).within(LONG);
    let sent = bench.wait(load.lanes(1, &Until::count(20)));
    bench.run(async move { client.shutdown(LONG).await });
    audit(bench.cluster, topic, &sent).all_stored().once();
    let stored = bench.cluster.stored(topic.as_str()).expect("the store");
    assert!(stored.iter().all(|message| message.broker == broker), "{stored:?}");
}

/// A broker whose route has no write permission as a whole gets nothing.
pub(crate) fn broker_without_write(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("read-only-broker", &["broker-a", "broker-b"]);
    let set_permission = |permission: i32| {
        bench.cluster.set("broker-b", "brokerPermission", &permission.to_string()).expect("a setting");
        let expected =
            QueueCount { broker: "broker-b".to_owned(), read_queues: 4, write_queues: 4, permission };
        bench.cluster.wait_for_route(topic.as_str(), &expected).expect("a route");
    };
    set_permission(4);
    all_go_to(bench, "read-only-broker", &topic, "broker-a");
    set_permission(6);
    "20 of 20 went to the other broker".to_owned()
}

/// Servers that do not create topics, from their start on: the default topic has no route either.
pub(crate) fn auto_create_off_from_the_start(bench: &Bench<'_>) -> String {
    let topic = bench.topic("never-made");
    let deadline = Duration::from_secs(2);
    let (error, took) = refused(bench, "never-made", &topic, deadline);
    let SendErrorKind::NoRoute(NoRoute::TopicUnknown { topic: of, default_topic }) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!((of, default_topic.as_str()), (&topic, "TBW102"));
    assert!(took >= deadline, "the topic may still be made until the deadline: {took:?}");
    assert!(error.attempts().is_empty(), "{error:?}");
    does_not_exist(bench.cluster, &topic);

    // While a send waits, somebody makes the topic.
    let topic = bench.topic("made-late");
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "made-late"), &topic).within(LONG);
    let waiting = load.lanes(1, &Until::count(1));
    while client.counters().route_queries < 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    bench.topic_on("made-late", &["broker-a"]);
    let sent = bench.wait(waiting);
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    bench.run(async move { client.shutdown(LONG).await });
    format!("{} after {:.1} s; a topic made while a send waits: {figures}", error.kind(), took.as_secs_f64())
}

fn does_not_exist(cluster: &RealCluster, topic: &TopicName) {
    assert_eq!(cluster.queue_counts(topic.as_str()).expect("a route"), []);
}

/// Turned off while running: the default topic keeps its route, and the brokers refuse with code 17. It cannot be undone,
/// so this is the last case of these servers. `earlier` exists already and goes on.
pub(crate) fn auto_create_turned_off(bench: &Bench<'_>) -> String {
    let earlier = bench.topic_on("made-before", &["broker-a", "broker-b"]);
    for broker in bench.cluster.brokers() {
        bench.cluster.set(broker, "autoCreateTopicEnable", "false").expect("a setting");
    }
    let topic = bench.topic("refused-by-broker");
    let (error, _) = refused(bench, "refused-by-broker", &topic, Duration::from_secs(5));
    let refused_with = |failure: &AttemptFailure| match failure {
        AttemptFailure::Refused { code, .. } => Some(code.0),
        _ => None,
    };
    let codes: Vec<_> = error.attempts().iter().map(|attempt| refused_with(&attempt.failure)).collect();
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == Some(TOPIC_NOT_EXIST)), "{error:?}");
    does_not_exist(bench.cluster, &topic);

    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "made-before"), &earlier).within(LONG);
    let sent = bench.wait(load.lanes(1, &Until::count(20)));
    audit(bench.cluster, &earlier, &sent).all_stored().once();
    bench.run(async move { client.shutdown(LONG).await });
    format!("{}: answered {codes:?}", error.kind())
}
