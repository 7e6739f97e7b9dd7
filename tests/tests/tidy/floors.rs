//! The floors of the core: a module uses its own floor and those below, never one above.

use crate::lexer::{code, line_of, without_tests};
use crate::none;
use crate::repository::{File, product_files, read};

/// From the ground up.
const FLOORS: [&str; 14] = [
    "ground",
    "command",
    "wire",
    "request",
    "body",
    "message",
    "interface",
    "net",
    "cluster",
    "heartbeat",
    "admin",
    "producer",
    "client",
    "recording",
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| *floor == module)
}

/// The folders under `src` of a file, the file itself included: `core/src/net/link.rs` is `["net", "link"]`.
fn module_path(path: &str) -> Vec<&str> {
    let inside = path.strip_prefix("core/src/").unwrap_or(path);
    let mut parts: Vec<&str> = inside.strip_suffix(".rs").unwrap_or(inside).split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

/// Uses of a floor above the file's own.
fn upward_uses(path: &str, text: &str) -> Vec<String> {
    let own = module_path(path);
    let code = code(&without_tests(text));
    if own == ["lib"] {
        return Vec::new();
    }
    let Some(own_floor) = floor(own[0]) else {
        return vec![format!("{path}: module {} has no floor in tests/tests/tidy/floors.rs", own[0])];
    };
    let mut complaints = Vec::new();
    // `super::` as often as the file is deep leads to the crate as well.
    for start in ["crate::".to_owned(), "super::".repeat(own.len())] {
        for (at, _) in code.match_indices(&start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            for module in first_names(&code[at + start.len()..]) {
                if floor(module).is_some_and(|floor| floor > own_floor) {
                    let line = line_of(&code, at);
                    complaints
                        .push(format!("{path}:{line}: {} is below {module} and must not use it", own[0]));
                }
            }
        }
    }
    complaints
}

/// The names that can follow `crate::`: one, or each first one of a list in braces.
fn first_names(rest: &str) -> Vec<&str> {
    let name = |text: &'_ str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let Some(list) = rest.strip_prefix('{') else {
        return vec![&rest[..name(rest)]];
    };
    let (mut names, mut depth, mut fresh) = (Vec::new(), 0, true);
    for (at, c) in list.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if c.is_whitespace() => {}
            _ if fresh => {
                names.push(&list[at..at + name(&list[at..])]);
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

/// Modules in the order in which the table of `core/src/lib.rs` lists them.
fn documented_order(lib: &str) -> Vec<&str> {
    lib.lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn no_module_of_the_core_uses_one_above() {
    let complaints: Vec<String> = product_files(&["core/src/"])
        .iter()
        .flat_map(|File { path, text }| upward_uses(path, text))
        .collect();
    none(&complaints);
}

#[test]
fn the_core_documents_its_floors() {
    assert_eq!(documented_order(&read("core/src/lib.rs")), FLOORS);
}

#[test]
fn upward_uses_are_found() {
    let bad = [
        "use crate::net::Net;",
        "use super::super::net::Net;",
        "use crate::{ground::Instant, net::{Net, Link}};",
        "fn f() -> crate::client::Client { todo() }",
    ];
    for text in bad {
        let complaints = upward_uses("core/src/wire/frame.rs", text);
        assert_eq!(complaints.len(), 1, "{text}: {complaints:?}");
        assert!(complaints[0].starts_with("core/src/wire/frame.rs:1: wire is below"), "{complaints:?}");
    }
    assert_eq!(upward_uses("core/src/wire/mod.rs", "use super::net::Net;").len(), 1);
    assert_eq!(upward_uses("core/src/attic.rs", "").len(), 1);
}

#[test]
fn other_uses_are_no_upward_uses() {
    let good = "use crate::{ground::Instant, wire::{net, Frame}};\n//! See [`Net`](crate::net::Net).\nuse super::net::X;\n\
                #[cfg(test)]\nmod tests {\n    use crate::client::Client;\n}\nlet a = \"crate::net\";";
    assert_eq!(upward_uses("core/src/wire/frame.rs", good), Vec::<String>::new());
    assert_eq!(upward_uses("core/src/client/mod.rs", "use crate::net::Net;"), Vec::<String>::new());
}
