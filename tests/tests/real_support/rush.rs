//! Cases of many messages, and of one connection for a long time.

use std::time::{Duration, Instant};

use rocketmq_tokio::Client;

use super::audit::{Figures, audit};
use super::bench::Bench;
use super::load::{Load, Sent, Until};
use super::plan::is_full;

const LONG: Duration = Duration::from_secs(30);

/// Shuts the client down; how many attempts its sends needed.
fn attempts(bench: &Bench<'_>, client: Client) -> String {
    let counters = client.counters();
    bench.run(async move { client.shutdown(LONG).await });
    format!("{} attempts for {} sends", counters.attempts, counters.sends)
}

fn rush(bench: &Bench<'_>, load: &Load, lanes: usize, count: usize) -> (Vec<Sent>, f64) {
    let start = Instant::now();
    let sent = bench.wait(load.lanes(lanes, &Until::count(count)));
    assert_eq!(sent.len(), count);
    let per_second = count as f64 / start.elapsed().as_secs_f64();
    (sent, per_second)
}

fn told(figures: &Figures, per_second: f64, attempts: &str) -> String {
    format!("{figures}; {per_second:.0} sends/s, {attempts}")
}

/// 20 000 messages with 256 in flight; each receipt is checked against what the brokers stored.
pub(crate) fn in_flight(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("in-flight", &["broker-a", "broker-b"]);
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "in-flight"), &topic).within(LONG);
    let (sent, per_second) = rush(bench, &load, 256, 20_000);
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    told(&figures, per_second, &attempts(bench, client))
}

/// 5 000 messages with 256 in flight and the default deadline to a topic that does not exist yet.
pub(crate) fn cold_start(bench: &Bench<'_>) -> String {
    let topic = bench.topic("cold-start");
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "cold-start"), &topic);
    let (sent, per_second) = rush(bench, &load, 256, 5_000);
    let figures = audit(bench.cluster, &topic, &sent).all_stored();
    told(&figures, per_second, &attempts(bench, client))
}

/// 20 000 tasks at once against a broker with default settings, which refuses with SYSTEM_BUSY what has waited for more
/// than 200 ms. A fast machine may not get there: so the same again with a limit of 1 ms.
pub(crate) fn burst(bench: &Bench<'_>) -> String {
    let usual = burst_of(bench, "burst", 20_000).0;
    let set_limit = |limit| {
        bench.cluster.set("broker-a", "waitTimeMillsInSendQueue", limit).expect("a setting");
    };
    set_limit("1");
    let (busy, refused) = burst_of(bench, "burst-busy", 3_000);
    set_limit("200");
    assert!(refused > 0, "the broker was not busy: {busy}");
    format!("{usual}; with a limit of 1 ms: {busy}")
}

/// The figures, and how many attempts were refused.
fn burst_of(bench: &Bench<'_>, case: &str, count: usize) -> (String, u64) {
    let topic = bench.topic_on(case, &["broker-a"]);
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, case), &topic).within(LONG);
    let (sent, per_second) = rush(bench, &load, count, count);
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    let counters = client.counters();
    (told(&figures, per_second, &attempts(bench, client)), counters.attempts - counters.sends)
}

/// One connection that sends without a pause. Brokers close a connection that had no heartbeat for 120 s, whatever else
/// comes over it: so it takes 150 s, except on older servers when not everything is asked for.
pub(crate) fn steady(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("steady", &["broker-a"]);
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "steady"), &topic).within(LONG);
    let first = bench.wait(load.lanes(1, &Until::count(1)));
    assert!(first.iter().all(|one| one.result.is_ok()));
    let (before, producers) =
        (client.counters(), bench.cluster.producers(&bench.name("steady")).expect("producers"));
    assert_eq!(producers.len(), 1, "{producers:?}");

    let topic = bench.topic_on("steady-on", &["broker-a"]);
    let load = Load::new(bench, &bench.producer(&client, "steady-on"), &topic).within(LONG);
    let seconds = if is_full() || bench.cluster.version().starts_with('5') { 150 } else { 60 };
    let sent = bench.wait(load.paced(10, &Until::count(10 * seconds)));
    let after = client.counters();
    assert_eq!(after.connections_opened, before.connections_opened, "{before:?} {after:?}");
    let heartbeats = after.heartbeats - before.heartbeats;
    assert!(heartbeats >= seconds as u64 / 30 - 1, "{heartbeats} heartbeats in {seconds} s");
    assert_eq!(bench.cluster.producers(&bench.name("steady")).expect("producers"), producers);
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    bench.run(async move { client.shutdown(LONG).await });
    format!("{figures}; {heartbeats} heartbeats, no connection opened again")
}
