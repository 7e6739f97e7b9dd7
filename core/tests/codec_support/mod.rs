//! What the codec tests share: captured frames and decoders that know nothing of the library's.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

#[path = "../checks/plain.rs"]
mod plain_frame;

#[allow(unused_imports, reason = "each test file uses its own part")]
pub(crate) use plain_frame::{Plain, plain};

pub(crate) const FOLDERS: [&str; 4] = ["5.5.0-json", "5.5.0-binary", "4.9.7-json", "4.9.7-binary"];

/// One captured frame.
pub(crate) struct Captured {
    pub(crate) name: String,
    pub(crate) from_client: bool,
    pub(crate) code: i64,
    pub(crate) header_json: Value,
    pub(crate) bytes: Vec<u8>,
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vectors")
}

/// The captured frames of one folder, in the order of its index.
pub(crate) fn captured(folder: &str) -> Vec<Captured> {
    let folder = testdata().join(folder);
    let index = fs::read_to_string(folder.join("index.tsv")).unwrap();
    let lines = index.lines().skip(1);
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            Captured {
                name: columns[0].into(),
                from_client: columns[1] == "client",
                code: columns[2].parse().unwrap(),
                header_json: serde_json::from_str(columns[5]).unwrap(),
                bytes: fs::read(folder.join(columns[0])).unwrap(),
            }
        })
        .collect()
}

pub(crate) fn all_captured() -> Vec<Captured> {
    FOLDERS.into_iter().flat_map(captured).collect()
}
