//! Cases in which a server is killed or stopped. No other case may run beside them.

use std::thread;
use std::time::{Duration, Instant};

use rocketmq_sim::real::{QueueCount, RealCluster};
use rocketmq_tokio::{Client, FaultDetector, LatencyFault, TopicName};

use super::audit::audit;
use super::bench::Bench;
use super::load::{Load, Until};
use super::plan::is_full;

const LONG: Duration = Duration::from_secs(30);
const LONGER_THAN_THE_OUTAGE: Duration = Duration::from_secs(120);

/// The only broker of two topics is killed with SIGKILL under load and started again, twice. Sends with a deadline that is
/// longer than the outage are all stored; those with the default deadline get one verdict each, and the store agrees.
pub(crate) fn broker_killed(bench: &Bench<'_>) -> String {
    let (patient, hasty) =
        (bench.topic_on("killed-120s", &["broker-b"]), bench.topic_on("killed-3s", &["broker-b"]));
    let (client, other_client) = (bench.client(), bench.client());
    let until = Until::told();
    let patient_load = Load::new(bench, &bench.producer(&client, "killed-120s"), &patient)
        .within(LONGER_THAN_THE_OUTAGE)
        .paced(200, &until);
    let hasty_load = Load::new(bench, &bench.producer(&other_client, "killed-3s"), &hasty).lanes(64, &until);
    let mut outages = Vec::new();
    thread::sleep(Duration::from_secs(3));
    for _ in 0..2 {
        let start = Instant::now();
        bench.cluster.kill9("broker-b").expect("kill");
        thread::sleep(Duration::from_secs(1));
        bench.cluster.restart("broker-b").expect("restart");
        outages.push(start.elapsed().as_secs());
        // The client tries to connect after up to 2 s, and what has waited goes out then.
        thread::sleep(Duration::from_secs(4));
    }
    until.tell();
    let (patient_sent, hasty_sent) = (bench.wait(patient_load), bench.wait(hasty_load));
    let patient = audit(bench.cluster, &patient, &patient_sent).all_stored();
    let hasty = audit(bench.cluster, &hasty, &hasty_sent);
    assert!(hasty.stored > 0, "{hasty}");
    bench.run(async move { (client.shutdown(LONG).await, other_client.shutdown(LONG).await) });
    format!(
        "outages of {outages:?} s; deadline 120 s: {patient}; deadline 3 s, {} sends: {hasty}",
        hasty_sent.len()
    )
}

/// Two masters, one of them killed and started again, over and over, at 500 sends a second with the default deadline:
/// each attempt has its share of the deadline and the next one goes elsewhere, so no send fails.
pub(crate) fn master_killed(bench: &Bench<'_>) -> String {
    two_masters(bench, "master-killed", bench.client(), |cluster, broker| {
        cluster.kill9(broker).expect("kill");
        thread::sleep(Duration::from_millis(500));
        cluster.restart(broker).expect("restart");
        thread::sleep(Duration::from_secs(3));
    })
}

/// The same with SIGSTOP for 3 s and SIGCONT: connections stay open and nothing is answered.
pub(crate) fn master_stopped(bench: &Bench<'_>) -> String {
    two_masters(bench, "master-stopped", bench.client(), stop_and_go_on)
}

/// The same with the latency-fault strategy and its detector: the broker that was stopped gives a sign of life and is tried
/// before it gets its share again.
pub(crate) fn latency_fault(bench: &Bench<'_>) -> String {
    let settings = LatencyFault { detector: Some(FaultDetector::default()), ..LatencyFault::default() };
    let client = bench.client_with(|builder| builder.latency_fault(settings));
    two_masters(bench, "latency-fault", client, stop_and_go_on)
}

fn stop_and_go_on(cluster: &RealCluster, broker: &str) {
    cluster.stop(broker).expect("stop");
    thread::sleep(Duration::from_secs(3));
    cluster.cont(broker).expect("go on");
    thread::sleep(Duration::from_secs(3));
}

fn two_masters(bench: &Bench<'_>, case: &str, client: Client, hurt: impl Fn(&RealCluster, &str)) -> String {
    let topic = bench.topic_on(case, &["broker-a", "broker-b"]);
    let until = Until::told();
    let load = Load::new(bench, &bench.producer(&client, case), &topic).paced(500, &until);
    thread::sleep(Duration::from_secs(2));
    let end = Instant::now() + Duration::from_secs(if is_full() { 60 } else { 25 });
    let mut rounds = 0;
    while Instant::now() < end {
        hurt(bench.cluster, "broker-b");
        rounds += 1;
    }
    until.tell();
    let sent = bench.wait(load);
    let counters = client.counters();
    bench.run(async move { client.shutdown(LONG).await });
    let figures = audit(bench.cluster, &topic, &sent).all_stored();
    format!("{rounds} rounds, {} sends, {} attempts: {figures}", sent.len(), counters.attempts)
}

/// The name server is gone while routes are known: sends go on, also past the next time the routes are asked for.
pub(crate) fn name_server_gone(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("no-name-server", &["broker-a", "broker-b"]);
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "no-name-server"), &topic);
    let sending = load.paced(50, &Until::count(2_000));
    while client.counters().stored < 50 {
        thread::sleep(Duration::from_millis(10));
    }
    let before = client.counters();
    bench.cluster.kill9("name-server-1").expect("kill");
    let sent = bench.wait(sending);
    let after = client.counters();
    bench.cluster.restart("name-server-1").expect("restart");
    brokers_are_back(bench.cluster, &topic);
    let failed = after.connects_failed - before.connects_failed;
    assert!(failed > 0, "the client did not look for the name server");
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    bench.run(async move { client.shutdown(LONG).await });
    format!("{figures}; {failed} connects to the name server failed")
}

fn brokers_are_back(cluster: &RealCluster, topic: &TopicName) {
    for broker in cluster.brokers() {
        let expected =
            QueueCount { broker: broker.to_owned(), read_queues: 4, write_queues: 4, permission: 6 };
        cluster.wait_for_route(topic.as_str(), &expected).expect("the route");
    }
}
