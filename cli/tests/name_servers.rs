//! Where the commands find their name servers: flags, the environment, HTTP.

mod common;

use std::process::Output;

use common::{TOPIC, assert_code, closed_address, cluster, json, rocketmq, run, stderr, stored};
use rocketmq_sim::cluster::{ClusterConfig, DiscoveryMood};
use rocketmq_sim::serve::ServedCluster;

fn with_discovery() -> ServedCluster {
    let config = ClusterConfig { discovery: true, ..ClusterConfig::default() };
    ServedCluster::start(config).expect("loopback ports")
}

/// Runs with `NAMESRV_ADDR` set to this.
fn run_with(list: Option<&str>, args: &[&str]) -> Output {
    let mut command = rocketmq(args);
    command.envs(list.map(|list| ("NAMESRV_ADDR", list)));
    run(command)
}

#[test]
fn the_environment_counts_when_no_flag_does() {
    let cluster = cluster(1);
    let list = cluster.name_server_addr();
    assert_code(&run_with(Some(&list), &["send", "--topic", TOPIC, "--body", "x"]), 0);
    assert_eq!(stored(&cluster).len(), 1);
    assert_code(&run_with(Some(&list), &["route", "--topic", TOPIC]), 0);
    // A flag wins.
    let flags = ["route", "--topic", TOPIC, "--name-server", &list];
    assert_code(&run_with(Some(&closed_address()), &flags), 0);
}

#[test]
fn without_any_name_server_it_says_what_to_give() {
    for args in [&["send", "--topic", TOPIC, "--body", "x"][..], &["route", "--topic", TOPIC]] {
        for (list, wanted) in [(None, "--name-server"), (Some(" "), "--name-server"), (Some("a"), "no port")]
        {
            let output = run_with(list, args);
            assert_code(&output, 1);
            let text = stderr(&output);
            assert!(text.contains("NAMESRV_ADDR") && text.contains(wanted), "{text}");
        }
    }
    let help = run(rocketmq(&["send", "--help"]));
    assert!(String::from_utf8_lossy(&help.stdout).contains("NAMESRV_ADDR"));
}

#[test]
fn an_http_server_tells_the_name_servers() {
    let cluster = with_discovery();
    let url = format!("http://{}/rocketmq/nsaddr", cluster.discovery_addr());
    for runtime in ["tokio", "smol"] {
        let flags =
            ["send", "--topic", TOPIC, "--size", "10", "--count", "100", "--json", "--discovery", &url];
        let output = run(rocketmq(&[&flags[..], &["--runtime", runtime]].concat()));
        assert_code(&output, 0);
        assert_eq!(json(&output)["stored"], 100);
    }
    assert_eq!(stored(&cluster).len(), 200);
    let domain = cluster.discovery_addr();
    assert_code(&run(rocketmq(&["route", "--topic", TOPIC, "--discovery", &domain])), 0);
}

#[test]
fn an_http_server_that_does_not_is_an_error() {
    let cluster = with_discovery();
    let url = format!("http://{}/list", cluster.discovery_addr());
    for (mood, why) in [
        (DiscoveryMood::Status(404), "HTTP status 404"),
        (DiscoveryMood::Empty, "names no name server"),
        (DiscoveryMood::Garbage, "not HTTP"),
    ] {
        cluster.with_cluster(|cluster| cluster.discovery_mut().expect("a server").set_mood(mood));
        let flags = ["send", "--topic", TOPIC, "--body", "x", "--timeout", "200", "--discovery", &url];
        let output = run(rocketmq(&flags));
        assert_code(&output, 1);
        let text = stderr(&output);
        assert!(text.contains(&url) && text.contains(why), "{text}");
    }
}
