//! The documents agree with the code: limits and time-outs, links, commands.

use crate::none;
use crate::repository::{files, read, root, rust_files};

/// The fields of the tables of `limits.rs` with their documented defaults.
fn limits(source: &str) -> Vec<(String, String)> {
    let (mut found, mut comment, mut inside) = (Vec::new(), String::new(), false);
    for line in source.lines().map(str::trim) {
        if line.starts_with("table! {") {
            inside = true;
        } else if line == "}" {
            comment.clear();
        } else if line.starts_with("impl ") {
            inside = false;
        }
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
        } else if inside
            && line.ends_with(',')
            && let Some((name, _)) = line.split_once(" = ")
        {
            let default = comment.rsplit_once("Default ").map_or("", |(_, rest)| rest);
            let end = default.find([',', '.', ';', '(']).unwrap_or(default.len());
            found.push((name.to_owned(), default[..end].trim().to_owned()));
            comment.clear();
        } else if !line.is_empty() {
            comment.clear();
        }
    }
    found
}

/// Complaints about limits that a document does not list, or lists with another default.
fn unlisted_limits(limits: &[(String, String)], document: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, default) in limits {
        let row = document.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let listed = row.and_then(|row| row.split('|').nth(2)).map(str::trim);
        if default.is_empty() {
            complaints.push(format!("{name}: its comment names no default"));
        } else if listed != Some(default) {
            complaints.push(format!(
                "{name}: ARCHITECTURE.md needs a row `| `{name}` | {default} | ...`, it has {listed:?}"
            ));
        }
    }
    complaints
}

/// Paths in back quotes that look like files of this repository and are not there.
fn dead_paths(document: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let folders = ["core/", "driver/", "runtime-tokio/", "runtime-smol/", "tests/", "cli/", "fuzz/", ".ci/"];
    let mut complaints: Vec<String> = Vec::new();
    for path in document.split('`').skip(1).step_by(2) {
        let is_path =
            folders.iter().any(|folder| path.starts_with(folder)) && !path.contains([' ', '*', '<']);
        if is_path && !exists(path) {
            complaints.push(format!("{path} does not exist"));
        }
    }
    complaints
}

/// Names in back quotes, behind the heading of the invariants, that look like tests and that no function has.
fn dead_tests(document: &str, sources: &[String]) -> Vec<String> {
    let (_, invariants) = document.split_once("\n## Invariants\n").unwrap_or_default();
    let names = invariants.split('`').skip(1).step_by(2);
    let is_test =
        |name: &&str| name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let exists = |name: &str| {
        let start = format!("fn {name}");
        sources.iter().any(|text| {
            text.match_indices(&start).any(|(at, _)| text[at + start.len()..].starts_with(['(', '<']))
        })
    };
    names
        .filter(is_test)
        .filter(|name| !exists(name))
        .map(|name| format!("there is no test {name}"))
        .collect()
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let limits = limits(&read("core/src/interface/limits.rs"));
    assert!(limits.len() >= 29, "only {} limits found", limits.len());
    none(&unlisted_limits(&limits, &read("ARCHITECTURE.md")));
}

#[test]
fn documents_name_files_that_exist() {
    let exists = |path: &str| root().join(path).exists();
    for file in files().iter().filter(|file| file.path.ends_with(".md")) {
        let complaints: Vec<String> = dead_paths(&file.text, &exists);
        none(&complaints.iter().map(|complaint| format!("{}: {complaint}", file.path)).collect::<Vec<_>>());
    }
}

#[test]
fn tests_that_the_architecture_names_exist() {
    let sources: Vec<String> = rust_files(&[""]).into_iter().map(|file| file.text).collect();
    none(&dead_tests(&read("ARCHITECTURE.md"), &sources));
}

#[test]
fn the_readme_starts_with_its_two_commands() {
    let readme = read("README.md");
    let commands: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("```"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .collect();
    assert_eq!(commands, ["cargo run --release -p rocketmq-cli -- demo", "cargo test --workspace"]);
}

/// Complaints about examples that a document runs and no manifest has.
fn dead_examples(document: &str, manifests: &str) -> Vec<String> {
    let names = document.split("--example ").skip(1).filter_map(|rest| rest.split_whitespace().next());
    names
        .filter(|name| !manifests.contains(&format!("name = \"{name}\"")))
        .map(|name| format!("there is no example {name}"))
        .collect()
}

#[test]
fn the_readme_runs_examples_that_exist() {
    let readme = read("README.md");
    let manifests =
        read("runtime-tokio/Cargo.toml") + &read("runtime-smol/Cargo.toml") + &read("tests/Cargo.toml");
    assert!(readme.contains("--example "));
    none(&dead_examples(&readme, &manifests));
    assert_eq!(dead_examples("cargo run --example lost\n", &manifests), ["there is no example lost"]);
}

#[test]
fn undocumented_limits_are_found() {
    let source = "table! {\n    /// A.\n    Timing of Duration {\n        /// One. Default 3 s, as Java.\n        one = D::from(3),\n\
                  \n        /// Two. At most 9. Default 1 024.\n        two = 1_024,\n        /// None.\n        three = 3,\n    }\n}\nimpl X {\n let a = b,\n}";
    let found = limits(source);
    let names: Vec<(&str, &str)> =
        found.iter().map(|(name, default)| (name.as_str(), default.as_str())).collect();
    assert_eq!(names, [("one", "3 s"), ("two", "1 024"), ("three", "")]);
    let complaints = unlisted_limits(&found, "| `one` | 3 s | x |\n| `two` | 1 000 | x |\n").join("\n");
    assert!(!complaints.contains("one:"), "{complaints}");
    assert!(
        complaints.contains("two: ARCHITECTURE.md needs a row") && complaints.contains("three: its comment"),
        "{complaints}"
    );
}

#[test]
fn dead_paths_are_found() {
    let complaints =
        dead_paths("see `core/src/lib.rs`, `core/src/gone.rs` and `a/b`", &|path| path == "core/src/lib.rs");
    assert_eq!(complaints, ["core/src/gone.rs does not exist"]);
}

#[test]
fn dead_tests_are_found() {
    let document = "`a_b`\n## Invariants\n| x | `it_holds`, `it_holds_too`, `a_b`, `word` |";
    let sources = ["fn it_holds() {}\npub fn a_b<H>(h: H) {}\nfn it_holds_too_long() {}".to_owned()];
    assert_eq!(dead_tests(document, &sources), ["there is no test it_holds_too"]);
}
