use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use super::FieldError;
use crate::wire::{ExtFields, Header, RawFrame, SerializeType, WireLimits};

header! {
    /// One field of each kind.
    #[derive(Default)]
    struct Sample<'a> {
        /// Required text.
        name: Cow<'a, str> = "name",
        /// Required number.
        count: i32 = "count",
        /// Required truth.
        on: bool = "on",
        /// Optional number.
        offset: Option<i64> = "offset",
        /// Optional text.
        note: Option<Cow<'a, str>> = "note",
    }
}

fn read<T>(ext: &str, check: impl FnOnce(&ExtFields<'_>) -> T) -> T {
    let header: String = format!(r#"{{"code":0,"opaque":0,"extFields":{ext}}}"#);
    let serialize = SerializeType::Json;
    let frame = RawFrame { serialize, header: header.as_bytes(), body: b"" };
    check(&Header::parse(&frame, &WireLimits::default()).unwrap().ext)
}

#[test]
fn a_header_is_read_by_its_wire_names() {
    assert_eq!(Sample::WIRE_NAMES, ["name", "count", "on", "offset", "note"]);
    let ext = r#"{"note":"n","name":"old","on":"TRUE","other":"x","count":"-7","offset":9,"name":"x"}"#;
    read(ext, |ext| {
        let expected =
            Sample { name: "x".into(), count: -7, on: true, offset: Some(9), note: Some("n".into()) };
        assert_eq!(Sample::read(ext), Ok(expected));
    });
}

#[test]
fn optional_fields_may_be_absent_empty_or_null() {
    for ext in [
        r#"{"name":"x","count":"1","on":"yes"}"#,
        r#"{"name":"x","count":"1","on":"yes","offset":"","note":""}"#,
        r#"{"name":"x","count":"1","on":"yes","offset":null,"note":null}"#,
    ] {
        let expected = Sample { name: "x".into(), count: 1, ..Sample::default() };
        read(ext, |ext| assert_eq!(Sample::read(ext), Ok(expected)));
    }
}

#[test]
fn what_is_missing_or_no_number_is_named() {
    for (ext, error) in [
        (r#"{}"#, FieldError::Missing { name: "name" }),
        (r#"{"name":"","count":"1","on":"true"}"#, FieldError::Missing { name: "name" }),
        (r#"{"name":"x","on":"true"}"#, FieldError::Missing { name: "count" }),
        (r#"{"name":"x","count":"1x","on":"true"}"#, FieldError::BadNumber { name: "count" }),
        (r#"{"name":"x","count":"2147483648","on":"true"}"#, FieldError::BadNumber { name: "count" }),
        (r#"{"name":"x","count":"1","on":"true","offset":"1.5"}"#, FieldError::BadNumber { name: "offset" }),
    ] {
        read(ext, |fields| assert_eq!(Sample::read(fields), Err(error), "{ext}"));
    }
}
