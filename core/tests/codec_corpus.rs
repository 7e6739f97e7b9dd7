//! Replays the committed fuzz corpora, with the same checks as the fuzz targets, on any compiler.

use std::fs;
use std::path::Path;

mod checks;

/// A corpus of fewer inputs has been lost.
const LEAST_INPUTS: usize = 20;

fn replay(target: &str) {
    let (_, check) = checks::TARGETS.into_iter().find(|(name, _)| *name == target).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= LEAST_INPUTS, "{target}: {} inputs", inputs.len());
    for input in inputs {
        // Shown only when the check fails.
        println!("{}", input.display());
        check(&fs::read(&input).unwrap());
    }
}

/// In the order of the tests below.
const REPLAYED: [&str; 9] = [
    "frame_stream",
    "header_json_diff",
    "header_binary_diff",
    "roundtrip",
    "props",
    "route_body",
    "admin_bodies",
    "state_machine",
    "http_answer",
];

#[test]
fn every_target_is_replayed() {
    assert_eq!(checks::TARGETS.map(|(name, _)| name), REPLAYED);
}

#[test]
fn frame_stream_corpus() {
    replay("frame_stream");
}

#[test]
fn header_json_diff_corpus() {
    replay("header_json_diff");
}

#[test]
fn header_binary_diff_corpus() {
    replay("header_binary_diff");
}

#[test]
fn roundtrip_corpus() {
    replay("roundtrip");
}

#[test]
fn props_corpus() {
    replay("props");
}

#[test]
fn route_body_corpus() {
    replay("route_body");
}

#[test]
fn admin_bodies_corpus() {
    replay("admin_bodies");
}

#[test]
fn state_machine_corpus() {
    replay("state_machine");
}

#[test]
fn http_answer_corpus() {
    replay("http_answer");
}
