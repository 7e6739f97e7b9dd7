//! Requests of the official Java client, given to the simulated servers, whose answers are compared with those that the
//! real servers gave.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::client::{BROKER, CONN, NAME_SERVER, World};
use crate::cluster::{ClusterConfig, Dialect, Frame, FrameReader};

/// Where an answer differs from the recorded one, and why that is right: start of the folder, part of the file name,
/// what differs, the reason.
const DIFFERENCES: [(&str, &str, &str, &str); 4] = [
    ("", "view-message-by-id", "code", ELSEWHERE),
    ("", "view-message-by-id", "remark", ELSEWHERE),
    ("", "view-message-by-id", "body", ELSEWHERE),
    ("4.9.7-binary", "view-message-by-id", "serialize type", ELSEWHERE),
];

const ELSEWHERE: &str = "the recording is a selection of a longer run, so that the message lies elsewhere in our log and \
     is not found; stored messages are compared in the tests of the log";

struct Recorded {
    name: String,
    bytes: Vec<u8>,
    frame: Frame,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vectors").join(name)
}

fn recorded(dialect: Dialect, folder_name: &str) -> Vec<Recorded> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder(folder_name))
        .expect("the folder of captured frames")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| read(dialect, path)).collect()
}

fn read(dialect: Dialect, path: &Path) -> Recorded {
    let bytes = fs::read(path).expect("a captured frame");
    let mut reader = FrameReader::new(dialect);
    reader.push(&bytes);
    let frame = reader.next_frame().expect("a frame that can be read").expect("a whole frame");
    assert_eq!(reader.next_frame(), Ok(None), "one frame per file");
    let name = path.file_name().expect("a file name").to_string_lossy().into_owned();
    Recorded { name, bytes, frame }
}

/// Everything about an answer that does not depend on what the server had stored before, by name.
fn facts(frame: &Frame, code: i32) -> Vec<(&'static str, String)> {
    let fields: Option<BTreeSet<&str>> =
        frame.ext_fields.as_ref().map(|fields| fields.iter().map(|(name, _)| name.as_str()).collect());
    let mut facts = vec![
        ("serialize type", format!("{:?}", frame.serialize_type)),
        ("code", frame.code.to_string()),
        ("language", format!("{:?}", frame.language)),
        ("version", frame.version.to_string()),
        ("flag", frame.flag.to_string()),
        ("ext fields", format!("{fields:?}")),
        ("remark", remark_up_to_location(frame)),
        ("body", frame.body.is_empty().to_string()),
    ];
    for name in ["queueId", "transactionId", "MSG_REGION", "TRACE_ON", "IS_SUB_CHANGE", "value"] {
        facts.push((name, format!("{:?}", frame.ext(name))));
    }
    if matches!(code, 105 | 106 | 219) {
        facts.push(("body text", String::from_utf8_lossy(&frame.body).into_owned()));
    }
    facts
}

/// The remark of an exception ends with the place in the source, which is no part of the protocol.
fn remark_up_to_location(frame: &Frame) -> String {
    let remark = format!("{:?}", frame.remark);
    match remark.find(", org.apache.rocketmq.broker.processor") {
        Some(end) => remark[..end].to_owned() + "\")",
        None => remark,
    }
}

/// Replays one folder; the list of differences as (file, what, recorded, ours).
fn replay(dialect: Dialect, folder_name: &str, broker: &str) -> (usize, Vec<(String, String)>) {
    let frames = recorded(dialect, folder_name);
    let address = broker.parse().expect("an address");
    let config = ClusterConfig { dialect, broker_addresses: vec![address], ..ClusterConfig::default() };
    let mut world = World::with(config);
    let mut differences = Vec::new();
    let mut compared = 0;
    for (index, request) in frames.iter().enumerate() {
        if request.frame.is_response() {
            continue;
        }
        let code = request.frame.code;
        let server = if matches!(code, 100..=106 | 206 | 219) { NAME_SERVER } else { BROKER };
        let answers = world.raw(server, &request.bytes);
        assert!(world.closed.is_empty(), "{folder_name}/{} closed the connection", request.name);
        if request.frame.is_one_way() {
            assert!(answers.is_empty(), "{folder_name}/{} is one-way", request.name);
            continue;
        }
        let [answer] = answers.as_slice() else {
            panic!("{folder_name}/{}: {} answers", request.name, answers.len());
        };
        assert_eq!(answer.opaque, request.frame.opaque);
        let is_answer =
            |later: &&Recorded| later.frame.is_response() && later.frame.opaque == request.frame.opaque;
        let Some(real) = frames[index..].iter().find(is_answer) else {
            continue;
        };
        compared += 1;
        for ((what, ours), (_, theirs)) in facts(answer, code).into_iter().zip(facts(&real.frame, code)) {
            let known = DIFFERENCES.iter().any(|(in_folder, file, part, _)| {
                folder_name.starts_with(in_folder) && real.name.contains(file) && *part == what
            });
            if ours != theirs && !known {
                differences
                    .push((real.name.clone(), format!("{what}: {theirs} was recorded, ours is {ours}")));
            }
        }
    }
    assert!(world.cluster.brokers()[0].connections().iter().any(|(conn, _)| *conn == CONN));
    (compared, differences)
}

fn assert_as_recorded(dialect: Dialect, folder_name: &str, broker: &str, least: usize) {
    let (compared, differences) = replay(dialect, folder_name, broker);
    assert!(differences.is_empty(), "{folder_name}: {differences:#?}");
    assert!(compared >= least, "{folder_name}: only {compared} answers compared");
}

#[test]
fn java_5_5_0_with_json_headers_gets_the_recorded_answers() {
    assert_as_recorded(Dialect::V5_5_0, "5.5.0-json", "127.0.0.1:21911", 35);
}

#[test]
fn java_5_5_0_with_binary_headers_gets_the_recorded_answers() {
    assert_as_recorded(Dialect::V5_5_0, "5.5.0-binary", "127.0.0.1:21911", 30);
}

#[test]
fn java_4_9_7_with_json_headers_gets_the_recorded_answers() {
    assert_as_recorded(Dialect::V4_9_7, "4.9.7-json", "127.0.0.1:24911", 30);
}

#[test]
fn java_4_9_7_with_binary_headers_gets_the_recorded_answers() {
    assert_as_recorded(Dialect::V4_9_7, "4.9.7-binary", "127.0.0.1:24911", 30);
}
