use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::parse;
use crate::command::LanguageCode;
use crate::wire::{Header, HeaderError, WireLimits};

/// A header with this remark and these ext fields, each with its length field.
fn header(remark_len: i32, remark: &[u8], ext_len: i32, ext: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&310_i16.to_be_bytes());
    bytes.push(12);
    bytes.extend_from_slice(&513_i16.to_be_bytes());
    bytes.extend_from_slice(&(-7_i32).to_be_bytes());
    bytes.extend_from_slice(&2_i32.to_be_bytes());
    bytes.extend_from_slice(&remark_len.to_be_bytes());
    bytes.extend_from_slice(remark);
    bytes.extend_from_slice(&ext_len.to_be_bytes());
    bytes.extend_from_slice(ext);
    bytes
}

fn with_ext(ext: &[u8]) -> Vec<u8> {
    header(0, b"", ext.len() as i32, ext)
}

fn read(bytes: &[u8]) -> Result<Header<'_>, HeaderError> {
    parse(bytes, &WireLimits::default())
}

fn fields(bytes: &[u8]) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    read(bytes).unwrap().ext.iter().collect()
}

#[test]
fn the_fixed_fields_are_read() {
    let bytes = header(2, "é".as_bytes(), 0, b"");
    let header = read(&bytes).unwrap();
    assert_eq!((header.code, header.version, header.opaque, header.flag), (310, 513, -7, 2));
    assert_eq!((header.language, header.remark.as_deref()), (LanguageCode::Rust, Some("é")));
    assert!(header.ext.is_empty() && header.is_oneway());
}

#[test]
fn a_negative_ext_length_means_none_and_bytes_after_the_fields_are_ignored() {
    assert!(fields(&header(0, b"", -1, b"")).is_empty());
    assert!(fields(&header(0, b"", -1, b"rest")).is_empty());
    let mut bytes = with_ext(b"\0\x01a\0\0\0\x01b");
    bytes.extend_from_slice(b"\xff\xff");
    assert_eq!(fields(&bytes), [("a".into(), "b".into())]);
}

#[test]
fn empty_values_repeated_names_and_long_lengths_are_read() {
    let long = "x".repeat(200);
    let ext = [b"\0\x01a\0\0\0\0\0\x01a\0\0\0\xc8", long.as_bytes()].concat();
    let bytes = with_ext(&ext);
    assert_eq!(fields(&bytes), [("a".into(), "".into()), ("a".into(), long.as_str().into())]);
    assert_eq!(read(&bytes).unwrap().ext.get("a").unwrap(), long);
}

#[test]
fn lengths_that_do_not_fit_are_told_with_their_place() {
    let misfit = |at, part| HeaderError::Binary { at, part };
    for (bytes, error) in [
        (header(-1, b"", 0, b""), misfit(17, "remark")),
        (header(9, b"abc", 0, b""), misfit(17, "remark")),
        (header(0, b"", 9, b"abc"), misfit(21, "ext fields")),
        (with_ext(b"\xff\xff"), misfit(23, "ext name")),
        (with_ext(b"\0"), misfit(21, "ext name")),
        (with_ext(b"\0\x01a\0\0\0\x02b"), misfit(28, "ext value")),
        (with_ext(b"\0\x01a\xff\xff\xff\xff"), misfit(28, "ext value")),
        (header(0, b"", 0, b"")[..20].to_vec(), misfit(17, "length of the ext fields")),
        (Vec::new(), misfit(0, "code")),
    ] {
        assert_eq!(read(&bytes).unwrap_err(), error, "{bytes:x?}");
    }
}

#[test]
fn texts_must_be_utf8_each_for_itself() {
    for bytes in [
        header(1, b"\xff", 0, b""),
        with_ext(b"\0\x01\xff\0\0\0\0"),
        with_ext(b"\0\x01a\0\0\0\x01\xff"),
        // As one text these bytes would be sound: C3 ends the name, A9 starts the value length.
        with_ext(b"\0\x01\xc3\xa9\0\0\0"),
    ] {
        assert!(read(&bytes).is_err(), "{bytes:x?}");
    }
}

#[test]
fn the_number_of_fields_is_limited() {
    let limits = WireLimits { max_ext_fields: 2, ..WireLimits::default() };
    let field = b"\0\x01a\0\0\0\0";
    assert!(parse(&with_ext(&field.repeat(2)), &limits).is_ok());
    let many = parse(&with_ext(&field.repeat(3)), &limits).unwrap_err();
    assert_eq!(many, HeaderError::TooManyExtFields { limit: 2 });
}
