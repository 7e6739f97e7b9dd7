use super::*;
use crate::encode_binary::BinaryEncoder;
use crate::encode_json::JsonEncoder;
use rocketmq_core::command::{LanguageCode, RequestCode};
use rocketmq_core::request::{SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2};
use rocketmq_core::wire::{Plain, RequestHead, SerializeType, WrittenNumber, encode_request};

const BODY: &[u8] = b"the body";

/// The frame that the real client's codec makes of the same values.
fn expected(form: SerializeType, own: &Own) -> Vec<u8> {
    let process = crate::unique_id::UniqueIds::process_digits();
    let [process, changing] =
        [&process[..], &own.unique_id].map(|digits| std::str::from_utf8(digits).unwrap());
    let key = own.key;
    let plain = |text| Plain::new(text).unwrap();
    let mut born_timestamp = WrittenNumber::default();
    born_timestamp.set(std::str::from_utf8(&own.born).unwrap().parse().unwrap());
    let properties =
        format!("KEYS\x01k{key}\x02UNIQ_KEY\x01{process}{changing}\x02WAIT\x01true\x02TAGS\x01TagA\x02");
    let common = SendMessageCommonHeader {
        producer_group: plain(GROUP),
        topic: plain("Bench"),
        default_topic: plain("TBW102"),
        default_topic_queue_nums: 4,
        sys_flag: 0,
        reconsume_times: 0,
        unit_mode: false,
        batch: false,
        broker_name: "broker-a",
    };
    let fields = SendMessageRequestHeaderV2 {
        common: SendMessageCommon::Unwritten(common),
        queue_id: i32::from(own.queue_id),
        born_timestamp: &born_timestamp,
        flag: 0,
        properties: &properties,
        unique_key: None,
    };
    let head = RequestHead {
        code: RequestCode(i32::from(CODE)),
        flag: 0,
        opaque: own.opaque as i32,
        version: i32::from(VERSION),
        language: LanguageCode::Rust,
    };
    let mut out = Default::default();
    encode_request(&mut out, form, &head, &fields, BODY).unwrap();
    out.to_vec()
}

#[test]
fn frames_are_those_of_the_real_codec() {
    let common = Common { topic: "Bench", broker_name: "broker-a", body: BODY };
    let (json, binary) = (JsonEncoder::new(&common), BinaryEncoder::new(&common));
    let mut numbering = Numbering::new(300, 1_700_000_000_000);
    let (mut json_out, mut binary_out) = (Vec::new(), Vec::new());
    let (mut json_expected, mut binary_expected) = (Vec::new(), Vec::new());
    for index in 0..1_000_u32 {
        numbering.set_time(1_700_000_000_000 + u64::from(index / 64));
        let own = numbering.next((index * 17).wrapping_sub(4_000));
        json.encode(&mut json_out, &own);
        binary.encode(&mut binary_out, &own);
        json_expected.extend(expected(SerializeType::Json, &own));
        binary_expected.extend(expected(SerializeType::RocketMq, &own));
    }
    assert!(json_out == json_expected, "{}", String::from_utf8_lossy(&json_out[..500]));
    assert!(binary_out == binary_expected, "{}", String::from_utf8_lossy(&binary_out[..300]));
}

#[test]
fn messages_are_numbered_and_spread_over_the_queues() {
    let mut numbering = Numbering::new(3, 1_700_000_000_000);
    let first = numbering.next(9);
    numbering.set_time(1_700_000_000_017);
    let own: Vec<Own> = (0..3).map(|opaque| numbering.next(opaque)).collect();
    assert_eq!((first.queue_id, first.key, first.opaque), (0, 0, 9));
    assert_eq!(own.iter().map(|own| own.queue_id).collect::<Vec<_>>(), [1, 2, 0]);
    assert_eq!(own.iter().map(|own| own.key).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((&first.born, &own[0].born), (b"1700000000000", b"1700000000017"));
    assert_eq!((&first.unique_id, &own[0].unique_id), (b"000000000000", b"000000110001"));
}
