//! Which crate may depend on which.

use crate::none;
use crate::repository::read;

/// The dependencies of a default or full build, tests left out. `None`: any.
const CRATES: [(&str, Option<&[&str]>); 6] = [
    ("core", Some(&["bytes", "thiserror", "miniz_oxide"])),
    ("driver", Some(&["rocketmq-core", "bytes", "thiserror", "tracing"])),
    ("runtime-tokio", Some(&["rocketmq-driver", "tokio"])),
    ("runtime-smol", Some(&["rocketmq-driver", "smol"])),
    ("tests", Some(&["rocketmq-core", "rocketmq-driver", "bytes", "serde_json", "tokio"])),
    ("cli", None),
];

/// Lines of the sections of a manifest whose headings `wanted` accepts, as name and value.
fn entries(manifest: &str, wanted: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
    let (mut inside, mut found) = (false, Vec::new());
    for line in manifest.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('[') {
            inside = wanted(heading.trim_end_matches(']'));
        } else if inside
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once('=')
        {
            let name = name.trim();
            found.push((name.strip_suffix(".workspace").unwrap_or(name), line));
        }
    }
    found
}

/// Complaints about dependencies that a crate must not have.
fn foreign_dependencies(folder: &str, manifest: &str, allowed: &[&str]) -> Vec<String> {
    let is_product =
        |heading: &str| heading.ends_with("dependencies") && !heading.ends_with("dev-dependencies");
    entries(manifest, is_product)
        .into_iter()
        .filter(|(name, _)| !allowed.contains(name))
        .map(|(name, _)| format!("{folder}/Cargo.toml: {folder} must not depend on {name}"))
        .collect()
}

/// Complaints about versions that do not come from the one table of the workspace, and about missing lints.
fn stray_versions(folder: &str, manifest: &str) -> Vec<String> {
    let mut complaints: Vec<String> = entries(manifest, |heading| heading.ends_with("dependencies"))
        .into_iter()
        .filter(|(_, line)| !line.contains("workspace = true"))
        .map(|(name, _)| {
            format!("{folder}/Cargo.toml: the version of {name} belongs into the table of the workspace")
        })
        .collect();
    if !entries(manifest, |heading| heading == "lints").iter().any(|(name, _)| *name == "workspace") {
        complaints.push(format!("{folder}/Cargo.toml: [lints] workspace = true is missing"));
    }
    complaints
}

#[test]
fn crates_depend_downwards_only() {
    for (folder, allowed) in CRATES {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        if let Some(allowed) = allowed {
            none(&foreign_dependencies(folder, &manifest, allowed));
        }
        none(&stray_versions(folder, &manifest));
    }
}

#[test]
fn every_member_is_checked() {
    let workspace = read("Cargo.toml");
    let (_, members) = entries(&workspace, |heading| heading == "workspace")
        .into_iter()
        .find(|(name, _)| *name == "members")
        .expect("the workspace has members");
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert_eq!(members, CRATES.map(|(folder, _)| folder));
}

#[test]
fn foreign_dependencies_are_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\nbytes.workspace = true\ntokio = { workspace = true }\n\
                    [target.'cfg(unix)'.dependencies]\nlibc.workspace = true\n[dev-dependencies]\nproptest = \"1\"\n";
    let complaints = foreign_dependencies("core", manifest, &["bytes"]);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(
        complaints[0].ends_with("must not depend on tokio") && complaints[1].ends_with("libc"),
        "{complaints:?}"
    );
    let complaints = stray_versions("core", manifest);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].contains("proptest") && complaints[1].contains("[lints]"), "{complaints:?}");
}
