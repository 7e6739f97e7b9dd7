//! The client finds real name servers by HTTP.

use std::time::Duration;

use rocketmq_sim::cluster::{ClusterConfig, DiscoveryMood, DiscoveryServer};
use rocketmq_sim::serve::ServedCluster;
use rocketmq_tokio::{Client, Timing};

use super::audit::audit;
use super::bench::Bench;
use super::load::{Load, Until};

const LONG: Duration = Duration::from_secs(30);

/// Nothing but an HTTP server, on loopback.
fn http_server() -> ServedCluster {
    let config = ClusterConfig { name_servers: 0, brokers: 0, discovery: true, ..ClusterConfig::default() };
    ServedCluster::start(config).expect("a free port")
}

fn change(server: &ServedCluster, change: impl FnOnce(&mut DiscoveryServer)) {
    server.with_cluster(|cluster| change(cluster.discovery_mut().expect("an HTTP server")));
}

/// A client that knows an HTTP server only: which fails first, then tells the real name server, then the same one by
/// another name, and then nothing any more.
pub(crate) fn discovered(bench: &Bench<'_>) -> String {
    let topics = ["failing", "found", "renamed", "emptied"]
        .map(|name| bench.topic_on(&format!("discovered-{name}"), &["broker-a", "broker-b"]));
    let server = http_server();
    change(&server, |http| {
        http.set_list(bench.cluster.name_server());
        http.set_mood(DiscoveryMood::Status(503));
    });
    let url = format!("http://{}/rocketmq/nsaddr", server.discovery_addr());
    let client = bench.client_with(|_| {
        let timing = Timing { name_server_interval: Duration::from_millis(500), ..Timing::default() };
        Client::builder_with_discovery(url).unit_name("real").timing(timing)
    });
    let producer = bench.producer(&client, "discovered");
    let [failing, others @ ..] = topics;
    // These sends wait while the HTTP server fails.
    let waiting = Load::new(bench, &producer, &failing).within(LONG).lanes(8, &Until::count(100));
    std::thread::sleep(Duration::from_millis(300));
    change(&server, |http| http.set_mood(DiscoveryMood::Chunked));
    let mut figures = vec![audit(bench.cluster, &failing, &bench.wait(waiting)).all_stored().once().stored];
    let (_, port) = bench.cluster.name_server().rsplit_once(':').expect("an address");
    let other_name = format!("localhost:{port}");
    for (step, topic) in others.iter().enumerate() {
        match step {
            0 => {}
            1 => {
                change(&server, |http| http.set_list(&other_name));
                until(|| client.view().name_servers.iter().any(|it| it.to_string() == other_name));
            }
            _ => {
                change(&server, |http| http.set_mood(DiscoveryMood::Empty));
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        let load = Load::new(bench, &producer, topic).within(LONG);
        let sent = bench.wait(load.lanes(8, &Until::count(100)));
        figures.push(audit(bench.cluster, topic, &sent).all_stored().once().stored);
    }
    assert_eq!(client.view().name_servers.len(), 1, "an empty answer takes nothing away");
    let mut asked = Vec::new();
    change(&server, |http| asked = http.asked().to_vec());
    assert!(
        asked.len() >= 4 && asked.iter().all(|path| path == "/rocketmq/nsaddr-real?nofix=1"),
        "{asked:?}"
    );
    bench.run(async move { client.shutdown(LONG).await });
    format!("stored while failing, found, renamed, emptied: {figures:?}; {} look-ups", asked.len())
}

fn until(is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not within 30 s");
}
