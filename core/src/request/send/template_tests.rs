//! A header put together from a template says the same as one that is written field by field.

use crate::command::{LanguageCode, RequestCode};
use crate::request::{
    SendMessageCommon, SendMessageCommonHeader, SendMessageFields, SendMessageRequestHeaderV2,
    SendMessageTemplate,
};
use crate::wire::{
    Header, Part, Plain, RawFrame, RequestHead, SerializeType, WireLimits, WriteFields, WrittenNumber,
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
    fn a_template_says_the_same(
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
        let written = SendMessageFields {
            common: SendMessageCommon::Written(&template),
            queue_id,
            born_timestamp: &born_timestamp,
            flag,
            properties: &properties,
            unique_key: key,
        };
        let unwritten = SendMessageFields { common: SendMessageCommon::Unwritten(common), ..written };
        let all = [Part::Text(&properties), Part::Text("UNIQ_KEY\u{1}7F0000010001\u{2}")];
        let one_by_one = SendMessageRequestHeaderV2 {
            producer_group: common.producer_group,
            topic: common.topic,
            default_topic: common.default_topic,
            default_topic_queue_nums: 4,
            queue_id,
            sys_flag,
            born_timestamp: born,
            flag,
            properties: &all[..1 + usize::from(has_key)],
            reconsume_times: 0,
            unit_mode,
            batch,
            broker_name: &broker_name,
        };
        for serialize in [SerializeType::Json, SerializeType::RocketMq] {
            let expected = ext(serialize, &one_by_one);
            prop_assert_eq!(&ext(serialize, &written), &expected);
            prop_assert_eq!(&ext(serialize, &unwritten), &expected);
        }
    }
}
