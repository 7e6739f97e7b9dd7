use alloc::string::ToString;

use super::*;

fn parse(text: &str) -> OffsetMessageId {
    text.parse().unwrap()
}

#[test]
fn ids_are_those_of_servers() {
    for (text, store, offset) in [
        // The first two were captured from brokers 4.9.7 and 5.5.0.
        ("7F0000010000614F00000000000000C5", "127.0.0.1:24911", 197),
        ("7F00000100005597000000000000B46F", "127.0.0.1:21911", 46_191),
        ("0A00000200002A9F00000000000003E8", "10.0.0.2:10911", 1000),
        ("FE80000000000000000000000000000100002A9F00000000000003E8", "[fe80::1]:10911", 1000),
        ("0000000000000000000000000000000100002A9F0000000000000000", "[::1]:10911", 0),
        ("7F0000010000FFFF7FFFFFFFFFFFFFFF", "127.0.0.1:65535", i64::MAX),
        ("7F00000100000001FFFFFFFFFFFFFFFF", "127.0.0.1:1", -1),
    ] {
        let id = parse(text);
        let store: SocketAddr = store.parse().unwrap();
        assert_eq!(id.as_str(), text);
        assert_eq!(id.store_address(), Some(store));
        assert_eq!(id.commit_log_offset(), Some(offset));
        assert_eq!(OffsetMessageId::new(store, offset), id);
    }
}

#[test]
fn lower_case_is_read_and_kept() {
    let id = parse("0a00000200002a9f00000000000003e8");
    assert_eq!(id.store_address(), Some("10.0.0.2:10911".parse().unwrap()));
    assert_eq!(id.to_string(), "0a00000200002a9f00000000000003e8");
}

#[test]
fn other_texts_are_kept_without_parts() {
    let longest = "x".repeat(64);
    for text in ["a", "0A00", "0A00000200002A9F00000000000003EG", "\u{4e2d}\u{6587}", &longest] {
        let id = parse(text);
        assert_eq!(id.as_str(), text);
        assert_eq!((id.store_address(), id.commit_log_offset()), (None, None));
    }
    // The port has four bytes; one that no socket has leaves the address unknown.
    let id = parse("0A0000020001000000000000000003E8");
    assert_eq!(id.store_address(), None);
    assert_eq!(id.commit_log_offset(), Some(1000));
}

#[test]
fn empty_and_long_texts_are_refused() {
    assert_eq!(OffsetMessageId::parse(""), Err(OffsetMessageIdError::Empty));
    for len in [65, 255, 256, 300, 100_000] {
        let expected = Err(OffsetMessageIdError::TooLong { len });
        assert_eq!(OffsetMessageId::parse(&"A".repeat(len)), expected);
    }
}

#[test]
fn ids_sort_as_their_text() {
    let mut ids = [parse("b"), parse("ab"), parse("a")];
    ids.sort();
    assert_eq!(ids.map(|id| id.to_string()), ["a", "ab", "b"]);
}
