//! A header says what it was given, whether its common fields were written before or not.

use crate::command::{LanguageCode, RequestCode};
use crate::request::{
    SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2, SendMessageTemplate,
};
use crate::wire::{
    Header, Plain, RawFrame, RequestHead, SerializeType, WireLimits, WriteFields, WrittenNumber,
    encode_request_head,
};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use bytes::BytesMut;
use proptest::prelude::*;

/// The ext fields of a request with these fields.
fn ext<H: WriteFields>(serialize: SerializeType, fields: &H) -> BTreeMap<String, String> {
    let head = RequestHead {
        code: RequestCode::SEND_MESSAGE_V2,
        flag: 0,
        opaque: 7,
        version: 479,
        language: LanguageCode::Rust,
    };
    let mut out = BytesMut::new();
    encode_request_head(&mut out, serialize, &head, fields, 0).unwrap();
    let frame = RawFrame { serialize, header: &out[8..], body: b"" };
    let header = Header::parse(&frame, &WireLimits::default()).unwrap();
    let fields: BTreeMap<String, String> =
        header.ext.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    assert_eq!(fields.len(), header.ext.iter().count(), "each name comes once");
    fields
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn a_header_says_what_it_was_given(
        (queue_id, sys_flag, flag) in (any::<i32>(), any::<i32>(), any::<i32>()),
        born in any::<i64>(),
        (unit_mode, batch, has_key) in (any::<bool>(), any::<bool>(), any::<bool>()),
        broker_name in "[ -~]{1,20}",
        properties in "([a-z\"\\\\\u{e9}]{1,9}\u{1}[^\u{1}\u{2}]{1,40}\u{2}){0,3}",
    ) {
        let plain = |text| Plain::new(text).unwrap();
        let common = SendMessageCommonHeader {
            producer_group: plain("group"),
            topic: plain("orders"),
            default_topic: plain("TBW102"),
            default_topic_queue_nums: 4,
            sys_flag,
            reconsume_times: 0,
            unit_mode,
            batch,
            broker_name: &broker_name,
        };
        let template = SendMessageTemplate::new(&common).unwrap();
        let mut born_timestamp = WrittenNumber::default();
        born_timestamp.set(born);
        let key = has_key.then(|| plain("7F0000010001"));
        let written = SendMessageRequestHeaderV2 {
            common: SendMessageCommon::Written(&template),
            queue_id,
            born_timestamp: &born_timestamp,
            flag,
            properties: &properties,
            unique_key: key,
        };
        let unwritten = SendMessageRequestHeaderV2 { common: SendMessageCommon::Unwritten(common), ..written };
        let key_text = if has_key { "UNIQ_KEY\u{1}7F0000010001\u{2}" } else { "" };
        let expected: BTreeMap<String, String> = [
            ("a", "group".to_string()),
            ("b", "orders".to_string()),
            ("c", "TBW102".to_string()),
            ("d", "4".to_string()),
            ("e", queue_id.to_string()),
            ("f", sys_flag.to_string()),
            ("g", born.to_string()),
            ("h", flag.to_string()),
            ("i", properties.clone() + key_text),
            ("j", "0".to_string()),
            ("k", unit_mode.to_string()),
            ("m", batch.to_string()),
            ("n", broker_name.clone()),
        ]
        .map(|(name, value)| (name.to_string(), value))
        .into();
        for serialize in [SerializeType::Json, SerializeType::RocketMq] {
            prop_assert_eq!(&ext(serialize, &written), &expected);
            prop_assert_eq!(&ext(serialize, &unwritten), &expected);
        }
    }
}
