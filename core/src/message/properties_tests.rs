use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;

use proptest::prelude::*;

use super::*;
use crate::message::is_reserved_property;

fn wire(text: &str) -> String {
    text.replace('=', "\u{1}").replace(';', "\u{2}")
}

fn parse(text: &str) -> String {
    let parsed = Properties::parse(&wire(text));
    parsed.iter().map(|(name, value)| format!("{name}={};", value.replace('\u{1}', "="))).collect()
}

#[test]
fn the_wire_text_always_ends_with_a_separator() {
    let mut properties = Properties::new();
    assert_eq!(properties.as_wire(), "");
    assert!(properties.is_empty());
    properties.insert_reserved("TAGS", "a").unwrap();
    properties.insert_reserved("KEYS", "k").unwrap();
    let golden = b"\x54\x41\x47\x53\x01\x61\x02\x4B\x45\x59\x53\x01\x6B\x02";
    assert_eq!(properties.as_wire().as_bytes(), golden);
    assert!(!properties.is_empty());
}

#[test]
fn inserting_again_replaces() {
    let mut properties = Properties::new();
    for (name, value) in [("a", "1"), ("ab", "2"), ("b", "a"), ("a", "33")] {
        properties.insert(name, value).unwrap();
    }
    assert_eq!(properties.as_wire(), wire("ab=2;b=a;a=33;"));
    assert_eq!(properties.get("a"), Some("33"));
    assert_eq!(properties.get("ab"), Some("2"));
    assert_eq!(properties.get("c"), None);
    assert_eq!(format!("{properties:?}"), r#"{"ab": "2", "b": "a", "a": "33"}"#);
    assert_eq!((&properties).into_iter().count(), 3);
}

#[test]
fn the_last_pairs_stay_the_last() {
    let mut properties = Properties::new();
    for (name, value) in [("a", "1"), ("b", "2"), ("last", "3")] {
        properties.insert(name, value).unwrap();
    }
    let tail = "last=3;".len();
    for (name, value, text) in [
        ("c", "4", "a=1;b=2;c=4;last=3;"),
        ("a", "55", "b=2;c=4;a=55;last=3;"),
        ("a", "6", "b=2;c=4;a=6;last=3;"),
    ] {
        properties.replace_before(tail, name, value);
        assert_eq!(properties.as_wire(), wire(text));
        assert_eq!(properties.get(name), Some(value));
    }
    properties.replace_before(0, "d", "7");
    assert_eq!(properties.as_wire(), wire("b=2;c=4;a=6;last=3;d=7;"));
}

#[test]
fn reading_follows_java() {
    for (text, read) in [
        ("a=b;e=f;", "a=b;e=f;"),
        // Java 4.9 leaves the last separator out.
        ("a=b;e=f", "a=b;e=f;"),
        ("k=v=w;", "k=v=w;"),
        ("a=;b=1;", "b=1;"),
        ("=v;b=1;", "b=1;"),
        ("==;b=1;", "b=1;"),
        ("novalue;b=1;", "b=1;"),
        (";;b=1;;", "b=1;"),
        ("a=1;b=2;a=3;", "b=2;a=3;"),
        ("a=1;a=;", "a=1;"),
        ("", ""),
    ] {
        assert_eq!(parse(text), read, "{text}");
    }
}

#[test]
fn properties_captured_from_java_are_read() {
    // As the Java clients 5.5.0 and 4.9.7 wrote them; only the newer one ends with a separator.
    let newer = "UNIQ_KEY=FD00000000000000000000000000000216FE4E0E2F2A6955859E0001;WAIT=true;TAGS=TagA;";
    let older = "UNIQ_KEY=FD00000000000000000000000000000212A84E0E2F2A6954924F0001;WAIT=true;TAGS=TagA";
    for captured in [newer, older] {
        let properties = Properties::parse(&wire(captured));
        let ended = format!("{};", captured.trim_end_matches(';'));
        assert_eq!(properties.as_wire(), wire(&ended));
        assert_eq!(properties.get("TAGS"), Some("TagA"));
        assert_eq!(properties.get("WAIT"), Some("true"));
    }
}

#[test]
fn reserved_names_are_refused_and_say_what_to_use() {
    for (name, advice) in [
        ("KEYS", "add keys"),
        ("TAGS", "set the tag"),
        ("WAIT", "wait_store_msg_ok"),
        ("DELAY", "another name"),
        ("UNIQ_KEY", "another name"),
        ("TRAN_MSG", "another name"),
        ("__CRC32#", "another name"),
        ("1ST_POP_TIME", "another name"),
    ] {
        let error = Properties::new().insert(name, "x").unwrap_err();
        assert!(matches!(error, PropertyError::Reserved { .. }));
        assert!(error.to_string().contains(advice), "{error}");
    }
    for name in ["keys", "INNER_NUM", "__SHARDINGKEY", "__transactionId__", "KEYS2"] {
        assert!(!is_reserved_property(name));
        assert_eq!(Properties::new().insert(name, "x"), Ok(()));
    }
}

#[test]
fn blank_names_and_values_are_refused() {
    let mut properties = Properties::new();
    for blank in ["", " ", "\u{3000}"] {
        assert_eq!(properties.insert(blank, "v"), Err(PropertyError::BlankName));
        let name = "n".to_string();
        assert_eq!(properties.insert("n", blank), Err(PropertyError::BlankValue { name }));
    }
    assert!(properties.is_empty());
}

#[test]
fn control_characters_are_refused_everywhere() {
    let mut properties = Properties::new();
    for character in (0..0x20u8).map(char::from) {
        let bad = format!("a{character}b");
        let name = bad.clone();
        let expected = Err(PropertyError::ControlInName { name, character });
        assert_eq!(properties.insert(&bad, "v"), expected);
        let name = "n".to_string();
        let expected = Err(PropertyError::ControlInValue { name, character });
        assert_eq!(properties.insert("n", &bad), expected);
        assert!(properties.insert_reserved("TAGS", &bad).is_err());
    }
    assert!(properties.is_empty());
    assert_eq!(properties.insert("\u{4e2d}\u{80}", "\u{e4} \u{7f}\u{1f600}"), Ok(()));
}

/// Texts around everything that matters: separators, controls, blanks, letters of all widths.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        6 => prop::char::range('a', 'd'),
        1 => prop::char::range('\u{0}', '\u{20}'),
        1 => prop::sample::select(&['\u{1}', '\u{2}', '\u{7f}', '\u{e4}', '\u{1f600}'][..]),
    ];
    prop::collection::vec(character, 0..6).prop_map(|list| list.into_iter().collect())
}

proptest! {
    #[test]
    fn what_was_set_is_read_back(pairs in prop::collection::vec((text(), text()), 0..12)) {
        let mut properties = Properties::new();
        let mut model = BTreeMap::new();
        for (name, value) in &pairs {
            let control = name.chars().chain(value.chars()).any(|c| c < ' ');
            let blank = name.trim().is_empty() || value.trim().is_empty();
            let outcome = properties.insert(name, value);
            prop_assert_eq!(outcome.is_err(), control || blank);
            if outcome.is_ok() {
                model.insert(name.as_str(), value.as_str());
            }
        }
        prop_assert_eq!(&Properties::parse(properties.as_wire()), &properties);
        prop_assert_eq!(&properties.iter().collect::<BTreeMap<_, _>>(), &model);
        prop_assert_eq!(properties.iter().count(), model.len());
        for (name, value) in model {
            prop_assert_eq!(properties.get(name), Some(value));
        }
        let separators = properties.as_wire().matches(['\u{1}', '\u{2}']).count();
        prop_assert_eq!(separators, 2 * properties.iter().count());
    }

    #[test]
    fn any_text_is_read_by_the_rules(input in prop::collection::vec(text(), 0..20)) {
        let input = input.concat();
        let mut model = BTreeMap::new();
        for piece in input.split('\u{2}').filter(|p| p.encode_utf16().count() >= 3) {
            if let Some((name, value)) = piece.split_once('\u{1}')
                && !name.is_empty()
                && !value.is_empty()
            {
                model.insert(name, value);
            }
        }
        let properties = Properties::parse(&input);
        prop_assert_eq!(&properties.iter().collect::<BTreeMap<_, _>>(), &model);
        prop_assert_eq!(properties.iter().count(), model.len());
        prop_assert_eq!(&Properties::parse(properties.as_wire()), &properties);
    }
}
