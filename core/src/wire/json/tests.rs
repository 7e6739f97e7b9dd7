use super::{JsonError, JsonReader};

fn strict(text: &str) -> Result<Option<alloc::string::String>, JsonError> {
    let mut reader = JsonReader::new(text, 5);
    let value = reader.value()?;
    reader.end()?;
    Ok(value.map(|value| value.decode().into_owned()))
}

#[test]
fn values_are_read_as_text() {
    for (text, value) in [
        (r#" "a" "#, Some("a")),
        (r#""\"\\\/\b\f\n\r\t""#, Some("\"\\/\u{8}\u{c}\n\r\t")),
        (r#""\u0041\u00e9\u4e3b\ud83d\ude00x""#, Some("Aé主😀x")),
        ("\"é😀\u{7f}\"", Some("é😀\u{7f}")),
        ("null", None),
        ("true", Some("true")),
        ("-0.5e+10", Some("-0.5e+10")),
        ("[1, {\"a\":[]}]", Some("[1, {\"a\":[]}]")),
    ] {
        assert_eq!(strict(text).unwrap().as_deref(), value, "{text}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    for (text, error) in [
        ("", JsonError::Truncated),
        ("\"abc", JsonError::Truncated),
        ("\"\\", JsonError::Truncated),
        ("\"\\u00", JsonError::Truncated),
        ("tru", JsonError::Truncated),
        ("-", JsonError::Truncated),
        ("[1,", JsonError::Truncated),
        ("{\"a\":", JsonError::Truncated),
        ("trux", JsonError::Unexpected(b'x')),
        ("'a'", JsonError::Unexpected(b'\'')),
        ("[1,]", JsonError::Unexpected(b']')),
        ("{,}", JsonError::Unexpected(b',')),
        ("{\"a\" 1}", JsonError::Unexpected(b'1')),
        ("{\"a\":1,}", JsonError::Unexpected(b'}')),
        ("{1:1}", JsonError::Unexpected(b'1')),
        ("[1 2]", JsonError::Unexpected(b'2')),
        ("\"\\x\"", JsonError::BadEscape),
        ("\"\\u12g4\"", JsonError::BadEscape),
        ("\"\\ud83d\"", JsonError::BadEscape),
        ("\"\\ude00\"", JsonError::BadEscape),
        ("\"\\ud83d\\u0041\"", JsonError::BadEscape),
        ("\"\u{1}\"", JsonError::ControlCharacter),
        ("01", JsonError::BadNumber),
        ("1.x", JsonError::BadNumber),
        ("1e", JsonError::Truncated),
        ("[[[[[[1]]]]]]", JsonError::TooDeep),
        ("1 2", JsonError::TrailingText),
    ] {
        assert_eq!(strict(text), Err(error), "{text}");
    }
    assert!(strict("[[[[[1]]]]]").is_ok());
}

#[test]
fn the_tolerant_reader_takes_bare_integers_as_keys_and_half_surrogates() {
    let mut reader = JsonReader::tolerant(r#"{0:"a",-1:"\ud83d!","2":"\ude00\u0041"}"#, 5);
    reader.open(b'{').unwrap();
    let mut first = true;
    let mut seen = alloc::vec::Vec::new();
    while let Some(key) = reader.key(&mut first).unwrap() {
        let value = reader.value().unwrap().unwrap().decode();
        seen.push((key.decode(), value));
    }
    reader.end().unwrap();
    let expected = [("0", "a"), ("-1", "\u{fffd}!"), ("2", "\u{fffd}A")];
    assert_eq!(seen, expected.map(|(key, value)| (key.into(), value.into())));
}

#[test]
fn no_limit_lets_the_reader_recurse_without_bound() {
    let deep = "[".repeat(100_000);
    assert_eq!(JsonReader::new(&deep, usize::MAX).value().err(), Some(JsonError::TooDeep));
}
