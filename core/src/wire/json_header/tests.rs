use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::parse;
use crate::command::LanguageCode;
use crate::wire::{Header, HeaderError, JsonError, WireLimits};

fn read(header: &str) -> Result<Header<'_>, HeaderError> {
    parse(header.as_bytes(), &WireLimits::default())
}

#[test]
fn the_form_of_the_text_does_not_matter() {
    for text in [
        r#"{"code":17,"extFields":{"a":"1","b":""},"flag":1,"language":"GO","opaque":5,"remark":"no","serializeTypeCurrentRPC":"JSON","version":407}"#,
        r#" { "version":407, "remark":"no", "opaque":"5","language":"GO","flag":1,"extFields":{"a":1,"z":null,"b":""},"code":"17","x":[{}]}"#,
        r#"{"code":1,"code":17,"opaque":5,"serializeTypeCurrentRPC":"ROCKETMQ","extFields":null,"extFields":{ "\u0061" : "1" , "b" : "" },"flag":1,"language":"GO","remark":"n\u006f","version":407}"#,
    ] {
        let header = read(text).unwrap();
        assert_eq!((header.code, header.flag, header.opaque, header.version), (17, 1, 5, 407));
        assert_eq!((header.language, header.remark.as_deref()), (LanguageCode::Go, Some("no")));
        let ext: Vec<_> = header.ext.iter().collect();
        assert_eq!(ext, [("a", "1"), ("b", "")].map(|(a, b)| (a.into(), b.into())));
    }
}

#[test]
fn ext_values_of_other_kinds_become_text() {
    let header = read(r#"{"code":0,"opaque":0,"extFields":{"n":-5,"f":1.50,"t":true,"l":[1, "x"]}}"#);
    let ext: Vec<_> = header.unwrap().ext.iter().map(|(_, value)| value).collect();
    assert_eq!(ext, ["-5", "1.50", "true", "[1, \"x\"]"]);
}

#[test]
fn what_is_left_out_has_javas_default() {
    let header = read(r#"{"code":0,"opaque":-1}"#).unwrap();
    assert_eq!((header.flag, header.version, header.opaque), (0, 0, -1));
    assert_eq!((header.language, header.remark), (LanguageCode::Java, None));
    for language in ["null", "\"rust\"", "99"] {
        let text =
            alloc::format!(r#"{{"code":0,"opaque":1,"flag":null,"version":null,"language":{language}}}"#);
        assert_eq!(read(&text).unwrap().language, LanguageCode::Unknown);
    }
}

#[test]
fn code_and_opaque_are_demanded() {
    for (text, field) in [
        (r#"{"opaque":1}"#, "code"),
        (r#"{"code":null,"opaque":1}"#, "code"),
        (r#"{"code":0}"#, "opaque"),
        (r#"{"code":0,"opaque":null}"#, "opaque"),
        ("{}", "code"),
    ] {
        assert_eq!(read(text).unwrap_err(), HeaderError::Missing { field }, "{text}");
    }
}

#[test]
fn numbers_must_be_whole_and_fit() {
    for (text, field) in [
        (r#"{"code":2147483648,"opaque":1}"#, "code"),
        (r#"{"code":0,"opaque":1.5}"#, "opaque"),
        (r#"{"code":0,"opaque":"x"}"#, "opaque"),
        (r#"{"code":true,"opaque":1}"#, "code"),
        (r#"{"code":0,"opaque":1,"flag":{}}"#, "flag"),
        (
            r#"{"code":2147483648,"flag":1,"language":"JAVA","opaque":1,"serializeTypeCurrentRPC":"JSON","version":1}"#,
            "code",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), HeaderError::BadNumber { field }, "{text}");
    }
    let text = r#"{"code":2147483647,"flag":0,"language":"JAVA","opaque":-2147483648,"serializeTypeCurrentRPC":"JSON","version":0}"#;
    let header = read(text).unwrap();
    assert_eq!((header.code, header.opaque), (i32::MAX, i32::MIN));
}

#[test]
fn the_place_of_an_error_is_told() {
    let json = |at, error| HeaderError::Json { at, error };
    for (text, error) in [
        (r#"{"code":0,"opaque":1}x"#, json(21, JsonError::TrailingText)),
        (r#"{"code":0,"opaque":1,}"#, json(21, JsonError::Unexpected(b'}'))),
        (r#"{"code":0,"#, json(10, JsonError::Truncated)),
        (r#"{"code":0,"extFields":[]}"#, json(22, JsonError::Unexpected(b'['))),
        ("[]", json(0, JsonError::Unexpected(b'['))),
        ("\u{feff}{}", json(0, JsonError::Unexpected(0xef))),
    ] {
        assert_eq!(read(text).unwrap_err(), error, "{text}");
    }
    let bad = b"{\"code\":0,\"opaque\":1,\"remark\":\"\xff\"}";
    assert_eq!(parse(bad, &WireLimits::default()).unwrap_err(), HeaderError::InvalidUtf8);
}

#[test]
fn nesting_and_fields_are_limited() {
    let limits = WireLimits { max_depth: 3, max_ext_fields: 2, ..WireLimits::default() };
    let read = |text: &str| parse(text.as_bytes(), &limits).map(|header| header.ext.iter().count());
    assert_eq!(read(r#"{"code":0,"opaque":1,"x":[[]]}"#), Ok(0));
    let deep = HeaderError::Json { at: 26, error: JsonError::TooDeep };
    assert_eq!(
        read(r#"{"code":0,"opaque":1,"x":[[[]]]}"#).map_err(|error| match error {
            HeaderError::Json { error, .. } => HeaderError::Json { at: 26, error },
            other => other,
        }),
        Err(deep)
    );
    assert_eq!(read(r#"{"code":0,"opaque":1,"extFields":{"a":"","b":""}}"#), Ok(2));
    let many = Err(HeaderError::TooManyExtFields { limit: 2 });
    assert_eq!(read(r#"{"code":0,"opaque":1,"extFields":{"a":"","b":"","c":""}}"#), many);
    let compact = r#"{"code":0,"extFields":{"a":"","b":"","c":""},"flag":1,"language":"JAVA","opaque":1,"serializeTypeCurrentRPC":"JSON","version":1}"#;
    assert_eq!(read(compact), many);
}

#[test]
fn texts_without_escapes_are_not_copied() {
    let text = r#"{ "code":0,"opaque":1,"remark":"é","extFields":{"a":"b","c":7}}"#;
    let header = read(text).unwrap();
    assert!(matches!(header.remark, Some(Cow::Borrowed("é"))));
    for (key, value) in header.ext.iter() {
        assert!(matches!((key, value), (Cow::Borrowed(_), Cow::Borrowed(_))));
    }
}
