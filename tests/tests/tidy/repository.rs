//! The files of the repository.

use crate::lexer;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no text of ours.
const NOT_OURS: [&str; 4] = [".git", "target", "testdata", "corpus"];

/// A file with its path from the root of the repository.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Tests, examples, and the contract suite, which is a test that others can run.
    pub(crate) fn is_test(&self) -> bool {
        let in_test_folder = self
            .path
            .split('/')
            .skip(1)
            .any(|part| matches!(part, "tests" | "examples" | "benches" | "contract"));
        in_test_folder || self.path.ends_with("/tests.rs") || self.path.ends_with("_tests.rs")
    }

    /// The code without comments, strings and tests.
    pub(crate) fn product_code(&self) -> String {
        lexer::code(&lexer::without_tests(&self.text))
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is a folder of the repository")
        .to_path_buf()
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All text files, in order of their paths.
pub(crate) fn files() -> Vec<File> {
    let mut files = Vec::new();
    walk(&root(), "", &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(files.len() > 100, "only {} files found", files.len());
    files
}

/// The Rust files under one of these folders.
pub(crate) fn rust_files(folders: &[&str]) -> Vec<File> {
    let mut files = files();
    files.retain(|file| {
        file.path.ends_with(".rs") && folders.iter().any(|folder| file.path.starts_with(folder))
    });
    assert!(!files.is_empty(), "no Rust files in {folders:?}");
    files
}

/// Their product code: files that are tests are left out.
pub(crate) fn product_files(folders: &[&str]) -> Vec<File> {
    let mut files = rust_files(folders);
    files.retain(|file| !file.is_test());
    files
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.expect("an entry of a folder");
        let name = entry.file_name().into_string().expect("names are UTF-8");
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("the kind of a file");
        if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) && !name.starts_with("target") {
            walk(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(File { path, text });
        }
    }
}
