//! Every request code that the client sends has its home file, a frame of the official Java client to be compared with,
//! and a row in ARCHITECTURE.md.

use crate::lexer::{closing_brace, without_comments};
use crate::none;
use crate::repository::{product_files, read, root};
use std::collections::BTreeSet;

const VECTORS: &str = "core/testdata/vectors/";

/// The codes of all requests that are put together in `code`, and complaints about heads without one.
fn sent_codes(path: &str, code: &str) -> (BTreeSet<String>, Vec<String>) {
    let (mut codes, mut complaints) = (BTreeSet::new(), Vec::new());
    for (at, name) in code.match_indices("RequestHead {") {
        let before = code[..at].trim_end();
        if ["struct", "impl", "for", "->"].iter().any(|word| before.ends_with(word)) || before.ends_with('>')
        {
            continue;
        }
        let open = at + name.len() - 1;
        let head = &code[open..=closing_brace(code, open)];
        match head.split_once("RequestCode::") {
            Some((_, rest)) => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                codes.insert(rest[..end].to_owned());
            }
            None => complaints.push(format!("{path}: a request head does not name its code")),
        }
    }
    (codes, complaints)
}

/// The number of a code, as `request_code.rs` declares it.
fn number_of<'a>(declarations: &'a str, name: &str) -> Option<&'a str> {
    declarations.lines().find_map(|line| {
        let (declared, number) = line.trim().split_once(" = ")?;
        (declared == name).then(|| number.trim_end_matches(','))
    })
}

/// The cells of the rows of ARCHITECTURE.md that start with this number and name.
fn row<'a>(architecture: &'a str, number: &str, name: &str) -> Option<Vec<&'a str>> {
    architecture.lines().find_map(|line| {
        let cells: Vec<&str> =
            line.trim().trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        (cells.len() >= 4 && cells[0] == number && cells[1] == name).then_some(cells)
    })
}

/// Complaints about the row of one code. `file` gives the text of a file of the repository.
fn check_row(
    name: &str,
    declarations: &str,
    architecture: &str,
    file: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    let Some(number) = number_of(declarations, name) else {
        return vec![format!("{name} is not declared in core/src/command/request_code.rs")];
    };
    let Some(cells) = row(architecture, number, name) else {
        return vec![format!("ARCHITECTURE.md has no row `| {number} | {name} | home file | vector |`")];
    };
    let (home, vector) = (cells[2], cells[3]);
    let mut complaints = Vec::new();
    if !(home.starts_with("core/src/request/") || home.starts_with("core/src/body/")) {
        complaints
            .push(format!("{name}: its home is not a file of core/src/request or core/src/body, but {home}"));
    } else if !file(home).is_some_and(|text| text.contains(name)) {
        complaints.push(format!("{name}: its home file {home} does not exist or does not name it"));
    }
    let (folder, frame) = vector.split_once('/').unwrap_or(("", vector));
    let index = file(&format!("{VECTORS}{folder}/index.tsv")).unwrap_or_default();
    let listed = index
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .any(|line| line.starts_with(&[frame, "client", number]));
    if !listed {
        complaints.push(format!(
            "{name}: {VECTORS}{vector} is not a captured request of the Java client with code {number}"
        ));
    }
    if !root().join(VECTORS).join(vector).is_file() {
        complaints.push(format!("{name}: there is no file {VECTORS}{vector}"));
    }
    complaints
}

#[test]
fn every_request_has_its_home_its_vector_and_its_row() {
    let (mut codes, mut complaints) = (BTreeSet::new(), Vec::new());
    for source in product_files(&["core/src/"]) {
        let (found, bad) = sent_codes(&source.path, &source.product_code());
        codes.extend(found);
        complaints.extend(bad);
    }
    assert!(codes.len() >= 4, "only {codes:?} found");
    let declarations = without_comments(&read("core/src/command/request_code.rs"));
    let architecture = read("ARCHITECTURE.md");
    let file = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    for name in &codes {
        complaints.extend(check_row(name, &declarations, &architecture, &file));
    }
    none(&complaints);
}

#[test]
fn sent_codes_are_found() {
    let code = "pub struct RequestHead { code: RequestCode }\nfn f() { let head = RequestHead { code: RequestCode::HEART_BEAT, flag: 0 }; }\n\
                fn g(code: RequestCode) { encode(&RequestHead { code, flag: 0 }) }";
    let (codes, complaints) = sent_codes("a.rs", code);
    assert_eq!(codes, BTreeSet::from(["HEART_BEAT".to_owned()]));
    assert_eq!(complaints, ["a.rs: a request head does not name its code"]);
}

#[test]
fn incomplete_rows_are_found() {
    let vector = "5.5.0-json/006-client-heart-beat.bin";
    let declarations = "    HEART_BEAT = 34,\n";
    let file = |path: &str| match path {
        "core/src/body/heartbeat.rs" => Some("//! `HEART_BEAT` (34)".to_owned()),
        "core/src/body/route.rs" => Some(String::new()),
        "core/testdata/vectors/5.5.0-json/index.tsv" => {
            Some("006-client-heart-beat.bin\tclient\t34\t4".to_owned())
        }
        _ => None,
    };
    let check = |row: String| check_row("HEART_BEAT", declarations, &row, &file);
    assert_eq!(
        check(format!("| 34 | `HEART_BEAT` | `core/src/body/heartbeat.rs` | `{vector}` |")),
        Vec::<String>::new()
    );
    for (row, complaint) in [
        (format!("| 35 | HEART_BEAT | core/src/body/heartbeat.rs | {vector} |"), "has no row"),
        (format!("| 34 | HEART_BEAT | core/src/heartbeat.rs | {vector} |"), "its home is not"),
        (format!("| 34 | HEART_BEAT | core/src/body/route.rs | {vector} |"), "does not name it"),
        (
            "| 34 | HEART_BEAT | core/src/body/heartbeat.rs | 5.5.0-json/1.bin |".to_owned(),
            "not a captured request",
        ),
    ] {
        let complaints = check(row).join(" ");
        assert!(complaints.contains(complaint), "{complaint}: {complaints}");
    }
    assert!(check_row("LOST", declarations, "", &file)[0].contains("not declared"));
}
