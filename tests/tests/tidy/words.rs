//! Words that must not appear in some places.

use crate::lexer::{code, line_of, without_comments, without_tests, words};
use crate::none;
use crate::repository::{File, files, product_files, read, rust_files};
use std::collections::BTreeSet;

const CORE: [&str; 1] = ["core/src/"];
const OUTSIDE_THE_CORE: [&str; 3] = ["driver/src/", "runtime-tokio/src/", "runtime-smol/src/"];
const LIBRARIES: [&str; 4] = ["core/src/", "driver/src/", "runtime-tokio/src/", "runtime-smol/src/"];
const CRATE_ROOTS: [&str; 6] = [
    "core/src/lib.rs",
    "driver/src/lib.rs",
    "runtime-tokio/src/lib.rs",
    "runtime-smol/src/lib.rs",
    "tests/src/lib.rs",
    "cli/src/main.rs",
];

/// Sockets, clocks, threads, files, environment and randomness, and what brings them in.
const OUTSIDE_WORDS: [&str; 14] = [
    "std",
    "tokio",
    "smol",
    "async_std",
    "rocketmq_driver",
    "SystemTime",
    "HashMap",
    "HashSet",
    "RandomState",
    "rand",
    "getrandom",
    "println",
    "eprintln",
    "thread_local",
];

/// Complaints about code in the core that reaches outside, or could be different from run to run.
fn outside_words(path: &str, text: &str) -> Vec<String> {
    let code = code(&without_tests(text));
    let word = words(&code).filter(|(_, word)| OUTSIDE_WORDS.contains(word));
    let now = code.match_indices("Instant::now");
    word.chain(now)
        .map(|(at, word)| format!("{path}:{}: {word} has no place in the core", line_of(&code, at)))
        .collect()
}

/// Complaints about a simulated server that uses the core. What both shared, one could not check in the other.
fn uses_of_the_core(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let uses = words(&code).filter(|(_, word)| *word == "rocketmq_core");
    uses.map(|(at, _)| format!("{path}:{}: a simulated server must not use the core", line_of(&code, at)))
        .collect()
}

/// Request codes and header fields, by their names on the wire.
fn protocol_words(request_codes: &str, requests: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::from(["RequestCode".to_owned(), "ResponseCode".to_owned()]);
    let is_constant = |word: &str| {
        word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
    };
    found.extend(
        words(&code(request_codes)).map(|(_, word)| word).filter(|word| is_constant(word)).map(str::to_owned),
    );
    for file in requests {
        let text = without_comments(&file.text);
        let lines = text.lines().filter(|line| !is_search_alias(line));
        let strings = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
        // A small word such as `topic` is one of everyday speech too.
        let is_field = |text: &&str| {
            text.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
                && text.chars().any(|c| c.is_ascii_uppercase())
        };
        found.extend(strings.filter(is_field).map(str::to_owned));
    }
    found
}

fn is_search_alias(line: &str) -> bool {
    line.trim_start().starts_with("#[doc(alias")
}

/// Complaints about code outside the core that speaks the protocol. Search aliases in the documentation may.
fn protocol_uses(path: &str, text: &str, protocol: &BTreeSet<String>) -> Vec<String> {
    let text = without_comments(&without_tests(text));
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if is_search_alias(line) {
            continue;
        }
        for (_, word) in words(line).filter(|(_, word)| protocol.contains(*word)) {
            complaints.push(format!("{path}:{}: {word} belongs to the core", number + 1));
        }
    }
    complaints
}

/// Complaints about code that can panic by design.
fn panics(path: &str, text: &str) -> Vec<String> {
    let code = code(&without_tests(text));
    let own_expect = code.contains("fn expect(");
    words(&code)
        .filter(|(at, word)| {
            let (before, after) = (&code[..*at], &code[at + word.len()..]);
            match *word {
                "unwrap" | "unwrap_err" | "expect_err" => before.ends_with('.'),
                // A parser may have a method of that name which returns an error.
                "expect" => before.ends_with('.') && !own_expect,
                "panic" | "todo" | "unimplemented" | "unreachable" => after.starts_with('!'),
                _ => false,
            }
        })
        .map(|(at, word)| format!("{path}:{}: {word} in product code", line_of(&code, at)))
        .collect()
}

/// Complaints about text that only makes sense on one machine, or that marks something as unfinished.
fn local_words(path: &str, text: &str) -> Vec<String> {
    // In two parts, so that this file passes its own test.
    let parts = [
        ("/wo", "rk/"),
        ("sha", "red/"),
        ("/ho", "me/"),
        ("/ro", "ot/"),
        ("/Us", "ers/"),
        ("TO", "DO"),
        ("FIX", "ME"),
    ];
    let mut complaints = Vec::new();
    for word in parts.map(|(one, two)| format!("{one}{two}")) {
        for (at, _) in text.match_indices(&word) {
            let inside_a_word =
                text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            if !inside_a_word || word.starts_with('/') {
                complaints.push(format!("{path}:{}: {word}", line_of(text, at)));
            }
        }
    }
    complaints
}

#[test]
fn the_core_reaches_nothing_outside() {
    none(
        &product_files(&CORE)
            .iter()
            .flat_map(|file| outside_words(&file.path, &file.text))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn simulated_servers_share_nothing_with_the_core() {
    let servers = rust_files(&["tests/src/cluster/", "tests/src/serve/", "tests/src/real/"]);
    none(&servers.iter().flat_map(|file| uses_of_the_core(&file.path, &file.text)).collect::<Vec<_>>());
    assert_eq!(uses_of_the_core("a.rs", "// rocketmq_core\nuse rocketmq_core::wire;").len(), 1);
}

#[test]
fn only_the_core_speaks_the_protocol() {
    let protocol =
        protocol_words(&read("core/src/command/request_code.rs"), &rust_files(&["core/src/request/"]));
    for word in ["SEND_MESSAGE_V2", "GET_ROUTEINFO_BY_TOPIC", "producerGroup", "queueOffset", "MSG_REGION"] {
        assert!(protocol.contains(word), "{word} was not found in the core");
    }
    let complaints: Vec<String> = product_files(&OUTSIDE_THE_CORE)
        .iter()
        .flat_map(|file| protocol_uses(&file.path, &file.text, &protocol))
        .collect();
    none(&complaints);
}

#[test]
fn the_libraries_do_not_panic() {
    none(
        &product_files(&LIBRARIES).iter().flat_map(|file| panics(&file.path, &file.text)).collect::<Vec<_>>(),
    );
}

#[test]
fn every_crate_forbids_unsafe_code() {
    for path in CRATE_ROOTS {
        assert!(code(&read(path)).contains("#![forbid(unsafe_code)]"), "{path}");
    }
}

#[test]
fn nothing_names_a_machine_or_is_unfinished() {
    none(&files().iter().flat_map(|file| local_words(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn outside_words_are_found() {
    for text in
        ["use std::net::TcpStream;", "let now = Instant::now();", "use alloc::x; type M = HashMap<u8, u8>;"]
    {
        assert_eq!(outside_words("core/src/a.rs", text).len(), 1, "{text}");
    }
    let good =
        "// std::time\nlet a = \"std\";\n#[cfg(test)]\nextern crate std;\nlet standard = Instant::ZERO;";
    assert_eq!(outside_words("core/src/a.rs", good), Vec::<String>::new());
}

#[test]
fn protocol_uses_are_found() {
    let requests =
        [File { path: String::new(), text: "pub a: &str = \"producerGroup\", b = \"topic\"".to_owned() }];
    let protocol = protocol_words("HEART_BEAT = 34,", &requests);
    let bad = "// HEART_BEAT\n#[doc(alias = \"producerGroup\")]\nlet topic = (\"producerGroup\", HEART_BEAT, RequestCode(1));";
    assert_eq!(protocol_uses("a.rs", bad, &protocol).len(), 3);
    assert!(protocol_uses("a.rs", bad, &protocol)[0].starts_with("a.rs:3: producerGroup"));
    assert_eq!(protocol_uses("a.rs", "let topic = heart_beat;", &protocol), Vec::<String>::new());
}

#[test]
fn panics_are_found() {
    for text in [
        "a.unwrap();",
        "a.expect(\"b\");",
        "todo!()",
        "unreachable!(\"x\")",
        "a.unwrap_err()",
        "panic!(\"{a}\")",
    ] {
        assert_eq!(panics("a.rs", text).len(), 1, "{text}");
    }
    let good = "#[expect(dead_code)] a.unwrap_or(1); // unwrap()\nfn expect(&self) {} self.expect(b'x')?;\n#[cfg(test)]\nfn b() { c.unwrap() }";
    assert_eq!(panics("a.rs", good), Vec::<String>::new());
}

#[test]
fn local_words_are_found() {
    let bad = ["see /wo", "rk/main, sha", "red/x and TO", "DO"].concat();
    assert_eq!(local_words("a.md", &bad).len(), 3);
    assert_eq!(local_words("a.md", &["a net", "work/b unsha", "red/c"].concat()), Vec::<String>::new());
}
