//! Just enough of Rust's lexical rules to tell code from comments and strings, and product code from its tests.

/// What a byte of a source file belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Code,
    Comment,
    Text,
}

/// The code alone: comments and the contents of strings are blank, lines stay where they are.
pub(crate) fn code(source: &str) -> String {
    keep(source, |class| class == Class::Code)
}

/// Code and strings: comments are blank, lines stay where they are.
pub(crate) fn without_comments(source: &str) -> String {
    keep(source, |class| class != Class::Comment)
}

/// The same text with every item under `#[cfg(test)]` blank.
pub(crate) fn without_tests(source: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let code = code(source);
    let mut bytes = source.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let end = end_of_item(&code, start + MARK.len());
        blank(&mut bytes[start..end]);
        from = end;
    }
    String::from_utf8(bytes).expect("whole characters were made blank")
}

/// Position behind an item that starts at `from`: its `;`, or the brace that closes it.
pub(crate) fn end_of_item(code: &str, from: usize) -> usize {
    let mut round = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b';' if round == 0 => return at + 1,
            b'{' if round == 0 => return closing_brace(code, at) + 1,
            _ => {}
        }
    }
    code.len()
}

/// Position of the brace that closes the one at `open`.
pub(crate) fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    code.len() - 1
}

/// Every word with its position: letters, digits and underscores.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.split(move |c| !is_word(c))
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - code.as_ptr() as usize, word))
}

/// The number of the line, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

fn keep(source: &str, wanted: impl Fn(Class) -> bool) -> String {
    let mut bytes = source.as_bytes().to_vec();
    for (byte, class) in bytes.iter_mut().zip(classes(source)) {
        if !wanted(class) {
            blank(std::slice::from_mut(byte));
        }
    }
    String::from_utf8(bytes).expect("whole characters were made blank")
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn classes(source: &str) -> Vec<Class> {
    let mut classes = vec![Class::Code; source.len()];
    let mut at = 0;
    while at < source.len() {
        let (end, class) = token(source, at);
        // The quotes of a string are code: only what they hold is text.
        let (first, last) = if class == Class::Text { (at + 1, end - 1) } else { (at, end) };
        if first < last {
            classes[first..last].fill(class);
        }
        at = end;
    }
    classes
}

/// The end and the class of what starts at `at`: a comment, a string, a character, or one character of code.
fn token(source: &str, at: usize) -> (usize, Class) {
    let rest = &source[at..];
    let first = rest.chars().next().expect("not at the end");
    let upto = |end: Option<usize>| at + end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return (upto(rest.find('\n')), Class::Comment);
    }
    if rest.starts_with("/*") {
        return (at + block_comment(rest), Class::Comment);
    }
    let in_word = source[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
    let after_prefix = in_word && !source[..at].ends_with(['b', 'c']);
    if first == 'r' && !after_prefix {
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if rest[1 + hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            let end = rest[open..].find(&close).map(|found| open + found + close.len());
            return (upto(end), Class::Text);
        }
    }
    if first == '"' {
        return (at + quoted(rest, '"'), Class::Text);
    }
    let second = rest.chars().nth(1);
    let is_character = second == Some('\\') || rest.chars().nth(2) == Some('\'');
    if first == '\'' && is_character {
        return (at + quoted(rest, '\''), Class::Text);
    }
    (at + first.len_utf8(), Class::Code)
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < rest.len() {
        if rest.as_bytes()[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.as_bytes()[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[test]
fn comments_and_strings_are_no_code() {
    let source = r####"
let a = "panic! // \" {"; // unwrap()
let b = r#"expect(" "#; /* todo! /* nested */ } */ let c = '"'; let d: &'static str = "é";
let e = b'\''; let f = br"x";
"####;
    let code = code(source);
    for gone in ["panic", "unwrap", "expect", "todo", "nested", "é", "x"] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    for kept in ["let a =", "let b =", "let c =", "&'static str", "let e =", "let f ="] {
        assert!(code.contains(kept), "{kept} not in {code}");
    }
    assert_eq!(code.lines().count(), source.lines().count());
    assert!(without_comments(source).contains("expect("));
    assert!(!without_comments(source).contains("unwrap"));
}

#[test]
fn tests_are_no_product_code() {
    let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { \"}\" }\n}\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}\n";
    let product = without_tests(source);
    for (name, kept) in [("fn a", true), ("fn b", false), ("fn c", true), ("mod d", false), ("fn e", true)] {
        assert_eq!(product.contains(name), kept, "{name}");
    }
    assert_eq!(line_of(&product, product.find("fn e").expect("kept")), 9);
}
