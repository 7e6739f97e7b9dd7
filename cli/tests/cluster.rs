//! `rocketmq cluster` and `rocketmq demo`.

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Child;

use common::{TOPIC, assert_accounts, assert_code, json, rocketmq, run, stderr};

/// Starts a cluster and reads its first line.
fn start(args: &[&str]) -> (Child, String) {
    let mut command = rocketmq(&["cluster"]);
    let mut child = command.args(args).spawn().expect("the binary");
    let mut address = String::new();
    // The rest of the output stays unread; it is far smaller than a pipe.
    let mut out = BufReader::new(child.stdout.as_mut().expect("captured"));
    out.read_line(&mut address).expect("a line");
    (child, address.trim_end_matches('\n').to_owned())
}

#[test]
#[cfg(unix)]
fn it_serves_until_a_signal_ends_it() {
    for signal in ["-INT", "-TERM"] {
        let (mut child, address) = start(&["--brokers", "2"]);
        let port = address.strip_prefix("127.0.0.1:").expect("nothing but the address");
        assert!(port.parse::<u16>().is_ok_and(|port| port != 0), "{address}");

        let flags = ["send", "--topic", TOPIC, "--size", "5", "--count", "20", "--json"];
        let mut sender = rocketmq(&flags);
        sender.args(["--name-server", &address]);
        let output = run(sender);
        assert_code(&output, 0);
        assert_accounts(&json(&output), 20);

        let route = run(rocketmq(&["route", "--topic", TOPIC, "--json", "--name-server", &address]));
        assert_eq!(json(&route)["brokers"].as_array().map(Vec::len), Some(2));

        common::signal(&child, signal);
        assert_eq!(child.wait().expect("an end").code(), Some(0));
    }
}

#[test]
#[cfg(unix)]
fn the_port_can_be_chosen() {
    let address = common::closed_address();
    let port = address.strip_prefix("127.0.0.1:").expect("loopback");
    let (mut child, served) = start(&["--name-server-port", port]);
    assert_eq!(served, address);
    common::signal(&child, "-INT");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
#[cfg(unix)]
fn it_tells_its_address_by_http_when_asked_to() {
    let http = common::closed_address();
    let port = http.strip_prefix("127.0.0.1:").expect("loopback");
    let (mut child, address) = start(&["--discovery-port", port]);
    let route = run(rocketmq(&["route", "--topic", "TBW102", "--json", "--discovery", &http]));
    assert_code(&route, 0);
    assert_eq!(json(&route)["name_server"], *address);
    common::signal(&child, "-INT");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_taken_port_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = run(rocketmq(&["cluster", "--name-server-port", &port]));
    assert_code(&output, 1);
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains(&port), "{}", stderr(&output));
}

#[test]
fn the_demo_adds_up_on_both_runtimes() {
    for runtime in ["tokio", "smol"] {
        let output = run(rocketmq(&["demo", "--runtime", runtime]));
        assert_code(&output, 0);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for part in ["is killed", "uses it again", "0 messages undelivered", "It adds up."] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
