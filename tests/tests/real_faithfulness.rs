//! The simulated servers answer as real ones do, request by request.
//!
//! The ordinary tests compare the simulated servers with recordings of the real ones. The ignored ones play the same script
//! to real servers and verify the recordings; they need Java 17 and, for the first run, Maven:
//! `cargo test -p rocketmq-sim --test real_faithfulness -- --ignored`. With `ROCKETMQ_FAITHFULNESS_RECORD=1` they write
//! the recordings anew.

mod faithfulness;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use faithfulness::{Recording, Target, compare, farewell, play, script};
use rocketmq_sim::cluster::{ClusterConfig, Dialect};
use rocketmq_sim::real::RealCluster;
use rocketmq_sim::serve::ServedCluster;

const RECORD: &str = "ROCKETMQ_FAITHFULNESS_RECORD";

/// The least number of steps: a script that loses its steps proves nothing.
const LEAST_STEPS: usize = 150;

fn file_of(version: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/faithfulness/{version}.txt"))
}

fn recorded(version: &str) -> Recording {
    let text = fs::read_to_string(file_of(version)).expect("a recording");
    Recording::from_text(&text)
}

fn play_to_simulated(dialect: Dialect) -> Recording {
    let served =
        ServedCluster::start(ClusterConfig { dialect, ..ClusterConfig::default() }).expect("servers");
    let broker = served.with_cluster(|cluster| cluster.brokers()[0].address().to_string());
    // Time does not pass by itself for what waits in the simulated broker.
    let pause = || {
        let later = served.now_ms() + 2_000;
        served.with_cluster(|cluster| cluster.on_tick(later));
    };
    let name_server = served.name_server_addr();
    let target = Target { name_server, broker, is_real: false, pause: Box::new(pause) };
    let mut found = play(&script(), &target, None, false);
    if has_farewell(dialect) {
        served.with_cluster(|cluster| {
            if let Some(broker) = cluster.broker_mut(0) {
                broker.go_away(true);
            }
        });
        found.add(play(&farewell(), &target, None, false));
    }
    found
}

/// Brokers of 4.9 just go.
fn has_farewell(dialect: Dialect) -> bool {
    dialect == Dialect::V5_5_0
}

fn simulated_is_as_recorded(version: &str, dialect: Dialect) {
    let real = recorded(version);
    assert!(real.steps.len() >= LEAST_STEPS, "only {} steps are recorded", real.steps.len());
    let complaints = compare(version, &real, &play_to_simulated(dialect));
    assert!(complaints.is_empty(), "{} differences\n{}", complaints.len(), complaints.join("\n"));
}

/// The broker has some seconds between the signal and its end.
fn play_farewell(
    cluster: &RealCluster,
    target: &Target<'_>,
    known: Option<&Recording>,
    record: bool,
) -> Recording {
    std::thread::scope(|scope| {
        let end = scope.spawn(|| cluster.terminate("broker-a"));
        let found = play(&farewell(), target, known, record);
        // It need not be waited for. Whether it has gone meanwhile does not matter.
        let _ = cluster.kill9("broker-a");
        let _ = end.join();
        found
    })
}

fn real_is_as_recorded(version: &str, dialect: Dialect) {
    let record = std::env::var_os(RECORD).is_some();
    let known = file_of(version).exists().then(|| recorded(version));
    let cluster = RealCluster::start(version, &[], 1).expect("servers");
    let broker = cluster.broker_address("broker-a").expect("an address").to_owned();
    // Nothing tells when a real server has done it: ask again, but leave it the processor.
    let pause = Box::new(|| std::thread::sleep(Duration::from_millis(20)));
    let target = Target { name_server: cluster.name_server().to_owned(), broker, is_real: true, pause };
    let mut found = play(&script(), &target, known.as_ref(), record);
    if has_farewell(dialect) {
        found.add(play_farewell(&cluster, &target, known.as_ref(), record));
    }
    if record {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
        found.head = format!(
            "Answers of the Apache RocketMQ {version} name server and broker to the script of real_faithfulness.rs.\n\
             Default settings of tests/real/servers; recorded on {}.\n\
             Written by the test itself; see there. Do not edit.",
            date(since.as_secs())
        );
        fs::write(file_of(version), found.to_text()).expect("a recording");
        return;
    }
    let known = known.expect("a recording");
    found.head.clone_from(&known.head);
    let changed = changed_lines(&known.to_text(), &found.to_text());
    assert!(changed.is_empty(), "{version} answers otherwise than recorded\n{}", changed.join("\n"));
}

/// Lines of either text that stand at another place than in the other one, with the step that they belong to.
fn changed_lines(known: &str, found: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        let mut step = String::new();
        let mut lines = Vec::new();
        for line in text.lines() {
            if line.starts_with('[') {
                line.clone_into(&mut step);
            }
            lines.push(format!("{step} {line}"));
        }
        lines
    };
    let (known, found) = (lines(known), lines(found));
    let gone = known.iter().filter(|line| !found.contains(line)).map(|line| format!("- {line}"));
    let new = found.iter().filter(|line| !known.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}

/// The date of a second since 1970, by the proleptic Gregorian calendar.
fn date(seconds: u64) -> String {
    let (mut days, mut year) = (seconds / 86_400, 1970);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[test]
fn simulated_5_5_0_answers_as_the_real_one() {
    simulated_is_as_recorded("5.5.0", Dialect::V5_5_0);
}

#[test]
fn simulated_4_9_7_answers_as_the_real_one() {
    simulated_is_as_recorded("4.9.7", Dialect::V4_9_7);
}

#[test]
fn dates_are_right() {
    assert_eq!(date(0), "1970-01-01");
    assert_eq!(date(951_782_400), "2000-02-29");
    assert_eq!(date(1_798_675_199), "2026-12-30");
}

#[test]
#[ignore = "starts real servers"]
fn real_5_5_0_answers_as_recorded() {
    real_is_as_recorded("5.5.0", Dialect::V5_5_0);
}

#[test]
#[ignore = "starts real servers"]
fn real_4_9_7_answers_as_recorded() {
    real_is_as_recorded("4.9.7", Dialect::V4_9_7);
}
