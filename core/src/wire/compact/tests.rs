use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{MARKED, parse};
use crate::wire::{Header, WireLimits};

fn read(text: &str) -> Option<Header<'_>> {
    parse(text, &WireLimits::default())
}

/// A header in Java's form around `ext`, which has its own comma.
fn around(ext: &str) -> String {
    format!(
        r#"{{"code":0{ext},"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":513}}"#
    )
}

#[test]
fn javas_form_is_read_without_copying() {
    let text = around(r#","extFields":{"msgId":"7F00","TRACE_ON":"true","":""}"#);
    let header = read(&text).unwrap();
    assert_eq!((header.code, header.flag, header.opaque, header.version), (0, 1, 7, 513));
    let ext: Vec<_> = header.ext.iter().collect();
    assert!(ext.iter().all(|pair| matches!(pair, (Cow::Borrowed(_), Cow::Borrowed(_)))));
    let expected = [("msgId", "7F00"), ("TRACE_ON", "true"), ("", "")];
    assert_eq!(ext, expected.map(|(name, value)| (name.into(), value.into())));
    assert!(read(&around("")).unwrap().ext.is_empty());
    assert!(read(&around(r#","extFields":{}"#)).unwrap().ext.is_empty());
}

#[test]
fn fields_beyond_the_remembered_ones_are_found_too() {
    for count in [MARKED - 1, MARKED, MARKED + 1, 3 * MARKED] {
        let field = |n: usize| (format!("name{n}"), "v".repeat(n));
        let fields: Vec<_> = (0..count).map(field).collect();
        let json: Vec<_> = fields.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        let text = around(&format!(r#","extFields":{{{}}}"#, json.join(",")));
        let ext = read(&text).unwrap().ext;
        let read: Vec<_> = ext.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert_eq!(read, fields);
    }
}

#[test]
fn every_other_form_is_left_to_the_general_way() {
    let sound = around(r#","extFields":{"a":"1","b":"2"}"#);
    assert!(read(&sound).is_some());
    for (part, other) in [
        ("\"code\":0", "\"code\":00"),
        ("\"code\":0", "\"code\":-1"),
        ("\"code\":0", "\"code\":2147483648"),
        ("\"code\":0", "\"code\":99999999999999999999999"),
        ("\"code\":0", "\"code\":\"0\""),
        ("\"code\":0", "\"code\": 0"),
        ("\"1\"", "1"),
        ("\"1\"", "\"\\n\""),
        ("\"1\"", "\"\u{1}\""),
        ("\"1\",", "\"1\", "),
        ("\"2\"}", "\"2\",}"),
        ("\"2\"}", "\"2\" }"),
        ("\"JSON\"", "\"ROCKETMQ\""),
        ("513}", "513} "),
        ("513}", "513"),
        ("\"flag\":1,", ""),
    ] {
        let changed = sound.replacen(part, other, 1);
        assert_ne!(changed, sound);
        assert!(read(&changed).is_none(), "{changed}");
    }
}

#[test]
fn a_remark_may_stand_in_its_place() {
    let text = around("").replace(",\"serialize", ",\"remark\":\"主题\",\"serialize");
    assert_eq!(read(&text).unwrap().remark.as_deref(), Some("主题"));
}
