//! Frames exchanged by the official Java client with official servers, for tests.

use std::path::PathBuf;

/// One whole frame.
pub(crate) fn frame(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All frames of one folder whose names contain `part`, with those names.
pub(crate) fn frames(version: &str, part: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder().join(version))
        .unwrap()
        .map(|entry| format!("{version}/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.contains(part))
        .map(|name| (name.clone(), frame(&name)))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no frame of {version} is called {part}");
    found
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/testdata/vectors")
}
