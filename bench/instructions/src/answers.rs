//! What name servers and brokers answer, as servers of version 5.5.0 write it.

use bytes::BytesMut;
use rocketmq_core::command::{LanguageCode, RequestCode};
use rocketmq_core::wire::{
    CommandHead, FieldSink, Header, SerializeType, WireLimits, WriteFields, encode_command,
};

/// The version that servers of 5.5.0 report.
const SERVER_VERSION: i32 = 513;
const RESPONSE: i32 = 1;
const SYSTEM_BUSY: i32 = 2;
const BUSY_REMARK: &str = "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 205ms, size of queue: 880";

/// The route of a topic with eight queues on one broker.
const ROUTE: &str = r#"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#;

/// The route of a topic with eight queues on each of three brokers, every one with a replica.
#[must_use]
pub fn route_of_three() -> String {
    let brokers = ["broker-a", "broker-b", "broker-c"];
    let datas = brokers.iter().enumerate().map(|(at, name)| {
        format!(
            r#"{{"brokerAddrs":{{"0":"10.0.0.{at}:10911","1":"10.0.1.{at}:10911"}},"brokerName":"{name}","cluster":"DefaultCluster","enableActingMaster":false}}"#
        )
    });
    let queues = brokers.iter().map(|name| {
        format!(r#"{{"brokerName":"{name}","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}}"#)
    });
    let (datas, queues): (Vec<_>, Vec<_>) = (datas.collect(), queues.collect());
    format!(
        r#"{{"brokerDatas":[{}],"filterServerTable":{{}},"queueDatas":[{}]}}"#,
        datas.join(","),
        queues.join(",")
    )
}

/// What becomes of the sends that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// `SUCCESS`.
    Stored,
    /// `SYSTEM_BUSY`.
    Busy,
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it asks for.
    pub code: RequestCode,
    /// Its number.
    pub opaque: i32,
    /// The message's unique key, if it is a send.
    pub unique_key: String,
    /// The queue that a send names.
    pub queue_id: String,
}

impl Request {
    /// Reads what an answer needs; `None` for one-way requests.
    ///
    /// # Panics
    /// When the core has written a header that cannot be read.
    #[must_use]
    pub fn read(frame: &rocketmq_core::wire::RawFrame<'_>) -> Option<Self> {
        let header = Header::parse(frame, &WireLimits::default()).expect("the core writes sound headers");
        if header.is_oneway() {
            return None;
        }
        let properties = header.ext.get("i").unwrap_or_default();
        let unique_key = properties
            .split('\u{2}')
            .find_map(|pair| pair.strip_prefix("UNIQ_KEY\u{1}"))
            .unwrap_or_default()
            .to_owned();
        let queue_id = header.ext.get("e").unwrap_or_default().into_owned();
        Some(Self { code: RequestCode(header.code), opaque: header.opaque, unique_key, queue_id })
    }
}

/// Adds the answer to a request to `out`.
pub fn answer(out: &mut BytesMut, serialize: SerializeType, request: &Request, fate: Fate, offset: u64) {
    match request.code {
        RequestCode::SEND_MESSAGE_V2 if fate == Fate::Busy => {
            frame(out, serialize, SYSTEM_BUSY, request.opaque, Some(BUSY_REMARK), &[], "");
        }
        RequestCode::SEND_MESSAGE_V2 => stored(out, serialize, request, offset),
        RequestCode::GET_ROUTEINFO_BY_TOPIC => {
            frame(out, serialize, 0, request.opaque, None, &[], ROUTE);
        }
        RequestCode::HEART_BEAT => {
            let ext = [("IS_SUPPORT_HEART_BEAT_V2", "true"), ("IS_SUB_CHANGE", "true")];
            frame(out, serialize, 0, request.opaque, None, &ext, "");
        }
        _ => frame(out, serialize, 0, request.opaque, None, &[], ""),
    }
}

/// The answer to a send that was stored.
fn stored(out: &mut BytesMut, serialize: SerializeType, request: &Request, offset: u64) {
    let queue_offset = offset.to_string();
    let message_id = format!("0A00000100002A9F{:016X}", offset * 1_300);
    let queue_id = ("queueId", request.queue_id.as_str());
    let message_id = ("msgId", message_id.as_str());
    let queue_offset = ("queueOffset", queue_offset.as_str());
    let transaction_id = ("transactionId", request.unique_key.as_str());
    let (trace_on, region) = (("TRACE_ON", "true"), ("MSG_REGION", "DefaultRegion"));
    // The order is a hash map's in JSON, and that of the header's own writer in binary.
    let ext = match serialize {
        SerializeType::Json => [queue_id, transaction_id, message_id, trace_on, region, queue_offset],
        SerializeType::RocketMq => [message_id, queue_id, queue_offset, transaction_id, trace_on, region],
    };
    frame(out, serialize, 0, request.opaque, None, &ext, "");
}

fn frame(
    out: &mut BytesMut,
    serialize: SerializeType,
    code: i32,
    opaque: i32,
    remark: Option<&str>,
    ext: &[(&'static str, &str)],
    body: &str,
) {
    let (version, language) = (SERVER_VERSION, LanguageCode::Java);
    let head = CommandHead { code, flag: RESPONSE, opaque, version, language, remark };
    encode_command(out, serialize, &head, &Ext(ext), body.len()).expect("answers are small");
    out.extend_from_slice(body.as_bytes());
}

struct Ext<'a>(&'a [(&'static str, &'a str)]);

impl WriteFields for Ext<'_> {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        for (name, value) in self.0 {
            sink.str(name, value);
        }
    }
}
