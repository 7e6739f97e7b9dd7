//! Runs the binary, and clusters for it.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod recorded;

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rocketmq_sim::cluster::{ClusterConfig, StoredMessage};
use rocketmq_sim::serve::ServedCluster;
use serde_json::Value;

pub(crate) const TOPIC: &str = "CliTopic";

/// A cluster with one name server.
pub(crate) fn cluster(brokers: usize) -> ServedCluster {
    let config = ClusterConfig { brokers, ..ClusterConfig::default() };
    ServedCluster::start(config).expect("loopback ports")
}

/// What the brokers have stored under [`TOPIC`].
pub(crate) fn stored(cluster: &ServedCluster) -> Vec<StoredMessage> {
    cluster.with_cluster(|cluster| cluster.stored(TOPIC))
}

/// The binary with these arguments, its three streams captured.
pub(crate) fn rocketmq(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rocketmq"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Where the tests run there may be a cluster, which is none of their business.
    command.env_remove("NAMESRV_ADDR");
    command
}

/// `rocketmq send` to [`TOPIC`] of this cluster.
pub(crate) fn send(cluster: &ServedCluster, args: &[&str]) -> Command {
    let mut command = rocketmq(&["send", "--topic", TOPIC, "--name-server"]);
    command.arg(cluster.name_server_addr()).args(args);
    command
}

/// Runs to the end with this standard input.
pub(crate) fn run_with_input(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary");
    child.stdin.take().expect("captured").write_all(input).expect("the binary reads");
    child.wait_with_output().expect("an end")
}

/// Runs to the end without input.
pub(crate) fn run(mut command: Command) -> Output {
    command.output().expect("the binary")
}

/// The exit code, with everything that was printed when it is not the expected one.
#[track_caller]
pub(crate) fn assert_code(output: &Output, expected: i32) {
    assert_eq!(
        output.status.code(),
        Some(expected),
        "standard output:\n{}\nstandard error:\n{}",
        String::from_utf8_lossy(&output.stdout),
        stderr(output)
    );
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The one JSON object on standard output.
#[track_caller]
pub(crate) fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim_end().lines().count(), 1, "not one line: {text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Checks what holds for every run.
#[track_caller]
pub(crate) fn assert_accounts(json: &Value, attempted: u64) {
    let number = |field: &str| json[field].as_u64().unwrap_or_else(|| panic!("{field} in {json}"));
    assert_eq!(number("attempted"), attempted, "{json}");
    let verdicts = number("stored") + number("not_stored") + number("may_be_stored");
    assert_eq!(verdicts, attempted, "{json}");
}

/// A file in the folder for files of tests, which no other test uses.
pub(crate) fn report_file(test: &str) -> PathBuf {
    let name = format!("{test}-{}.tsv", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The rows of a report, without its header line, which is checked.
#[track_caller]
pub(crate) fn rows(report: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(report).expect("a report");
    assert!(text.ends_with('\n'), "the last line is cut");
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "key\tverdict\tstatus\tmsg_id\toffset_msg_id\tbroker\tqueue_id\tqueue_offset\tattempts\terror\tended\tend_verdict\tchecks"
        )
    );
    let rows: Vec<Vec<String>> = lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 13), "{text}");
    rows
}

/// Sends a signal such as `-INT`.
pub(crate) fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
    assert!(status.expect("kill").success());
}

/// An address at which nobody listens.
pub(crate) fn closed_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}
