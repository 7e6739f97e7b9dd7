//! How long a file and a function may be.

use crate::lexer::{closing_brace, code, end_of_item, line_of, without_tests, words};
use crate::none;
use crate::repository::{product_files, rust_files};

const MOST_LINES_OF_A_FILE: usize = 600;
/// Longer files stand in [`LONG_FILES`].
const LINES_OF_A_LONG_FILE: usize = 400;
const MOST_LINES_OF_A_FUNCTION: usize = 70;
const ALL: [&str; 7] = ["core/", "driver/", "runtime-tokio/", "runtime-smol/", "tests/", "cli/", "fuzz/"];
const WITH_PRODUCT: [&str; 6] =
    ["core/src/", "driver/src/", "runtime-tokio/src/", "runtime-smol/src/", "tests/src/", "cli/src/"];

/// Files that are longer than they should be, each with its reason. The list only shrinks: an entry that is not
/// needed any more fails the test.
const LONG_FILES: [(&str, &str); 5] = [
    ("core/src/client/tests.rs", "one scripted cluster and the stories told with it"),
    ("core/src/net/mod.rs", "the one book of connections and requests; what stands alone has its own file"),
    ("core/src/producer/producers.rs", "the table of producers and the door to their floor"),
    (
        "core/src/wire/sink.rs",
        "three writers of the same fields, side by side: JSON, binary, and one that counts",
    ),
    ("driver/src/send.rs", "four futures of one send, which share its states"),
];

/// Complaints about files that are too long, and about entries of the list that are not needed.
fn long_files(files: &[(String, usize)], known: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, lines) in files {
        let known = known.iter().any(|(known, _)| known == path);
        if *lines > MOST_LINES_OF_A_FILE {
            complaints.push(format!(
                "{path} has {lines} lines, the limit is {MOST_LINES_OF_A_FILE}: split it by subject"
            ));
        } else if *lines > LINES_OF_A_LONG_FILE && !known {
            complaints.push(format!(
                "{path} has {lines} lines, more than {LINES_OF_A_LONG_FILE}: split it by subject"
            ));
        }
    }
    for (path, reason) in known {
        let needed = files.iter().any(|(file, lines)| file == path && *lines > LINES_OF_A_LONG_FILE);
        if !needed {
            complaints.push(format!("{path} is not long any more: take it off the list of long files"));
        }
        if reason.is_empty() {
            complaints.push(format!("{path} is on the list of long files without a reason"));
        }
    }
    complaints
}

/// Complaints about functions that are too long.
fn long_functions(path: &str, text: &str) -> Vec<String> {
    let code = code(&without_tests(text));
    let mut complaints = Vec::new();
    for (at, word) in words(&code) {
        let after = &code[at + word.len()..];
        let name =
            after.trim_start().split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
        // Without a name it is the type of a function.
        if word != "fn" || name.is_empty() {
            continue;
        }
        let end = end_of_item(&code, at);
        let lines = line_of(&code, end) + 1 - line_of(&code, at);
        if lines > MOST_LINES_OF_A_FUNCTION {
            let line = line_of(&code, at);
            complaints.push(format!(
                "{path}:{line}: {name} has {lines} lines, the limit is {MOST_LINES_OF_A_FUNCTION}"
            ));
        }
    }
    complaints
}

#[test]
fn files_are_short() {
    let files: Vec<(String, usize)> =
        rust_files(&ALL).into_iter().map(|file| (file.path, file.text.lines().count())).collect();
    none(&long_files(&files, &LONG_FILES));
}

#[test]
fn functions_are_short() {
    let complaints: Vec<String> =
        product_files(&WITH_PRODUCT).iter().flat_map(|file| long_functions(&file.path, &file.text)).collect();
    none(&complaints);
}

#[test]
fn long_files_are_found() {
    let files = [("a.rs".to_owned(), 401), ("b.rs".to_owned(), 400), ("c.rs".to_owned(), 601)];
    let found = |known: &[(&str, &str)]| long_files(&files, known).join(" ");
    assert!(found(&[]).contains("a.rs has 401") && found(&[]).contains("c.rs has 601"));
    assert!(!found(&[("a.rs", "a table")]).contains("a.rs"));
    assert!(found(&[("b.rs", "a table")]).contains("b.rs is not long any more"));
    assert!(found(&[("a.rs", "")]).contains("without a reason"));
    assert!(found(&[("c.rs", "a table")]).contains("c.rs has 601"), "no reason excuses the hard limit");
}

#[test]
fn long_functions_are_found() {
    let body = "    step();\n".repeat(69);
    let text = format!("fn short(f: fn(u8) -> [u8; 2]) {{\n{}}}\n\nfn long() {{\n{body}}}\n", &body[12..]);
    assert_eq!(long_functions("a.rs", &text), ["a.rs:72: long has 71 lines, the limit is 70"]);
    let in_tests = format!("#[cfg(test)]\nmod tests {{\n{text}}}\n");
    assert_eq!(long_functions("a.rs", &in_tests), Vec::<String>::new());
    assert_eq!(closing_brace("{ { } }", 0), 6);
}
