//! Replays the committed fuzz corpora, with the same checks as the fuzz targets, on any compiler.

mod codec_support;

use std::fs;
use std::path::Path;

use codec_support::checks;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= 20, "{target}: {} inputs", inputs.len());
    for input in inputs {
        // Shown only when the check fails.
        println!("{}", input.display());
        check(&fs::read(&input).unwrap());
    }
}

#[test]
fn frame_corpus() {
    replay("frame", checks::frame);
}

#[test]
fn header_corpus() {
    replay("header", checks::header);
}
