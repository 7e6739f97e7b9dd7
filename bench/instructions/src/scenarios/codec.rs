//! Scenarios of the codec alone.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use rocketmq_core::body::{RouteLimits, TopicRouteData, write_heartbeat_data};
use rocketmq_core::command::{LanguageCode, RequestCode, version};
use rocketmq_core::message::{Message, UniqueKeys};
use rocketmq_core::request::{
    SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2, SendMessageResponseHeader,
    SendMessageTemplate, StoredAnswer,
};
use rocketmq_core::wire::{
    Header, Inbox, Plain, RawFrame, RequestHead, SerializeType, WireLimits, WrittenNumber, encode_request,
};

use crate::answers::{Fate, Request, answer, route_of_three};
use crate::probe::Probe;

/// A send's request, written the way the producer writes it: 1 KiB, tag, key, unique key.
pub(super) fn encode(probe: &mut Probe, serialize: SerializeType, rounds: u64) {
    let message = Message::builder("Bench".parse().expect("a topic"))
        .body(Bytes::from_static(&[b'x'; 1024]))
        .tag("TagA")
        .key("k0000001")
        .build()
        .expect("a sound message");
    let unique_key = UniqueKeys::new([10, 0, 0, 2].into(), 4_711, 7).next(1_795_258_349_875);
    // The producer knows without a look that these need no escapes.
    let plain = |text| Plain::new(text).expect("no escapes");
    let template = SendMessageTemplate::new(&SendMessageCommonHeader {
        producer_group: plain("bench-producer-group"),
        topic: message.topic().into(),
        default_topic: plain("TBW102"),
        default_topic_queue_nums: 4,
        sys_flag: 0,
        reconsume_times: 0,
        unit_mode: false,
        batch: false,
        broker_name: "broker-a",
    })
    .expect("small enough");
    let mut born_timestamp = WrittenNumber::default();
    let key = plain(unique_key.as_str());
    let mut out = BytesMut::with_capacity(4 * 1024);
    for round in 0..rounds {
        let opaque = 1_234_500_000 + (round % 4_096) as i32;
        out.clear();
        let (out, message, template, key) = black_box((&mut out, &message, &template, key));
        let time = &mut born_timestamp;
        probe.measure(|| encode_one(out, serialize, message, template, time, key, opaque));
        assert!(out.len() > 1_200);
    }
}

#[inline(always)]
fn encode_one(
    out: &mut BytesMut,
    serialize: SerializeType,
    message: &Message,
    template: &SendMessageTemplate,
    born_timestamp: &mut WrittenNumber,
    unique_key: Plain<'_>,
    opaque: i32,
) {
    let head = RequestHead {
        code: RequestCode::SEND_MESSAGE_V2,
        flag: 0,
        opaque,
        version: version::CURRENT,
        language: LanguageCode::Rust,
    };
    born_timestamp.set(black_box(1_795_258_349_875));
    let header = SendMessageRequestHeaderV2 {
        common: SendMessageCommon::Written(template),
        queue_id: opaque & 7,
        born_timestamp,
        flag: message.flag(),
        properties: message.properties().as_wire(),
        unique_key: Some(unique_key),
    };
    encode_request(out, serialize, &head, &header, message.body()).expect("small enough");
}

/// A send's answer, from bytes to the fields of its header.
pub(super) fn decode(probe: &mut Probe, serialize: SerializeType, rounds: u64) {
    let limits = WireLimits::default();
    decode_with(probe, serialize, rounds, &limits, |frame| {
        let answer = StoredAnswer::read(frame, &limits).expect("the usual form");
        black_box(&answer);
    });
}

/// The same in the general way, which reads every other answer too.
pub(super) fn decode_any(probe: &mut Probe, serialize: SerializeType, rounds: u64) {
    let limits = WireLimits::default();
    decode_with(probe, serialize, rounds, &limits, |frame| {
        let header = Header::parse(frame, &limits).expect("a sound header");
        black_box(SendMessageResponseHeader::read(&header.ext).expect("a sound answer"));
        black_box(&header);
    });
}

fn decode_with(
    probe: &mut Probe,
    serialize: SerializeType,
    rounds: u64,
    limits: &WireLimits,
    read: impl Fn(&RawFrame<'_>),
) {
    let answers: Vec<BytesMut> = (0..16).map(|n| stored_answer(serialize, n)).collect();
    let mut inbox = Inbox::new(*limits);
    for (answer, _) in answers.iter().cycle().zip(0..rounds) {
        let (inbox, bytes) = (&mut inbox, black_box(&answer[..]));
        probe.measure(|| {
            let mut frames = inbox.feed(bytes);
            read(&frames.next().expect("a sound frame").expect("a whole frame"));
        });
    }
}

fn stored_answer(serialize: SerializeType, n: i32) -> BytesMut {
    let request = Request {
        code: RequestCode::SEND_MESSAGE_V2,
        opaque: 1_234_500_000 + n,
        unique_key: format!("0A0000021267A1B2C3D4017F3A{n:02X}0000"),
        queue_id: (n & 7).to_string(),
    };
    let mut out = BytesMut::new();
    answer(&mut out, serialize, &request, Fate::Stored, 1_000_000 + u64::from(n.unsigned_abs()));
    out
}

/// The route of a topic with eight queues on each of three brokers.
pub(super) fn route(probe: &mut Probe, rounds: u64) {
    let body = route_of_three();
    let limits = RouteLimits::default();
    for _ in 0..rounds {
        let body = black_box(body.as_bytes());
        let route = probe.measure(|| TopicRouteData::parse(body, &limits));
        assert_eq!(route.expect("a sound route").broker_datas.len(), 3);
    }
}

/// The body of a heartbeat that names one group.
pub(super) fn heartbeat(probe: &mut Probe, rounds: u64) {
    let mut out = BytesMut::with_capacity(1_024);
    for _ in 0..rounds {
        out.clear();
        let (client_id, group) = black_box(("10.0.0.2@4711#5577006791947779410", "bench-producer-group"));
        let out = &mut out;
        probe.measure(|| write_heartbeat_data(out, client_id, [group]));
        assert!(out.len() > 100);
    }
}
