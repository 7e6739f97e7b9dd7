use alloc::format;

use super::Header;
use crate::wire::{RawFrame, SerializeType, WireLimits};

fn parse(header: &str) -> Header<'_> {
    let frame = RawFrame { serialize: SerializeType::Json, header: header.as_bytes(), body: b"" };
    Header::parse(&frame, &WireLimits::default()).unwrap()
}

#[test]
fn flags_tell_answers_and_one_way_requests() {
    for (flag, response, oneway) in [(0, false, false), (1, true, false), (2, false, true)] {
        let header = format!(r#"{{"code":39,"opaque":1,"flag":{flag}}}"#);
        let header = parse(&header);
        assert_eq!((header.is_response(), header.is_oneway()), (response, oneway));
    }
}

#[test]
fn of_a_repeated_field_the_last_one_counts() {
    for text in [
        r#"{"code":0,"extFields":{"a":"1","b":"2","a":"3"},"flag":1,"language":"JAVA","opaque":1,"serializeTypeCurrentRPC":"JSON","version":1}"#,
        r#"{"code":0,"opaque":1,"extFields":{"a":"1","b":"2","a":"3","c":null}}"#,
    ] {
        let ext = parse(text).ext;
        assert_eq!(ext.get("a").as_deref(), Some("3"));
        assert_eq!(ext.get("c"), None);
        assert_eq!(ext.iter().count(), 3);
        assert!(!ext.is_empty());
        assert_eq!(format!("{ext:?}"), r#"{"a": "1", "b": "2", "a": "3"}"#);
    }
    assert!(parse(r#"{"code":0,"opaque":1}"#).ext.is_empty());
}
