//! Answers as servers of version 5.5.0 write them: the same fields in the same order, in either form.

use rocketmq_core::command::{LanguageCode, RequestCode};
use rocketmq_core::wire::SerializeType;
use std::fmt::Write;

/// Where a request wants to go, as far as its answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The chosen queue.
    pub queue_id: i32,
    /// The message's unique id, repeated as `transactionId`.
    pub unique_id: &'a str,
    /// Its place in the commit log, of which the broker makes `msgId`.
    pub log_offset: u64,
    /// Its place in the queue.
    pub queue_offset: u64,
}

/// The brokers of a route: `broker-000` at `10.0.0.1:10911` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many brokers.
    pub brokers: usize,
    /// Queues on each of them.
    pub queues: usize,
}

const VERSION: i16 = 513;
const FLAG_ANSWER: i32 = 1;

/// Adds the answer to a send that was stored.
pub fn stored(out: &mut Vec<u8>, form: SerializeType, opaque: i32, what: &Stored<'_>) {
    let queue_id = what.queue_id.to_string();
    let queue_offset = what.queue_offset.to_string();
    let message_id = format!("7F00000100005597{:016X}", what.log_offset);
    let unique_id = what.unique_id;
    let (trace, region) = (("TRACE_ON", "true"), ("MSG_REGION", "DefaultRegion"));
    let (queue, offset) = (("queueId", queue_id.as_str()), ("queueOffset", queue_offset.as_str()));
    let (message, transaction) = (("msgId", message_id.as_str()), ("transactionId", unique_id));
    match form {
        SerializeType::Json => {
            frame(out, form, opaque, &[queue, transaction, message, trace, region, offset], "");
        }
        SerializeType::RocketMq => {
            frame(out, form, opaque, &[message, queue, offset, transaction, trace, region], "");
        }
    }
}

/// Adds the answer of a name server that knows the route.
pub fn route(out: &mut Vec<u8>, opaque: i32, shape: Shape) {
    let (mut brokers, mut queues) = (String::new(), String::new());
    for number in 0..shape.brokers {
        let comma = if number == 0 { "" } else { "," };
        let (high, low) = (number / 250, number % 250 + 1);
        let of_brokers = write!(
            brokers,
            r#"{comma}{{"brokerAddrs":{{"0":"10.0.{high}.{low}:10911"}},"brokerName":"broker-{number:03}","cluster":"DefaultCluster","enableActingMaster":false}}"#
        );
        let count = shape.queues;
        let of_queues = write!(
            queues,
            r#"{comma}{{"brokerName":"broker-{number:03}","perm":6,"readQueueNums":{count},"topicSysFlag":0,"writeQueueNums":{count}}}"#
        );
        of_brokers.and(of_queues).expect("a String takes every text");
    }
    let body = format!(r#"{{"brokerDatas":[{brokers}],"filterServerTable":{{}},"queueDatas":[{queues}]}}"#);
    frame(out, SerializeType::Json, opaque, &[], &body);
}

/// Adds a bare success, as heartbeats and farewells get it.
pub fn success(out: &mut Vec<u8>, opaque: i32) {
    frame(out, SerializeType::Json, opaque, &[], "");
}

/// Adds the answer to any request but a send.
pub fn other(out: &mut Vec<u8>, code: RequestCode, opaque: i32, shape: Shape) {
    if code == RequestCode::GET_ROUTEINFO_BY_TOPIC {
        route(out, opaque, shape);
    } else {
        success(out, opaque);
    }
}

fn frame(out: &mut Vec<u8>, form: SerializeType, opaque: i32, ext: &[(&str, &str)], body: &str) {
    let (kind, header) = match form {
        SerializeType::Json => (0, json(opaque, ext).into_bytes()),
        SerializeType::RocketMq => (1, binary(opaque, ext)),
    };
    let length = |bytes: usize| u32::try_from(bytes).expect("an answer is short");
    out.extend_from_slice(&length(4 + header.len() + body.len()).to_be_bytes());
    out.extend_from_slice(&(kind << 24 | length(header.len())).to_be_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(body.as_bytes());
}

/// No text that comes here needs an escape.
fn json(opaque: i32, ext: &[(&str, &str)]) -> String {
    let fields: Vec<String> = ext.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    let fields =
        if ext.is_empty() { String::new() } else { format!(r#""extFields":{{{}}},"#, fields.join(",")) };
    format!(
        r#"{{"code":0,{fields}"flag":{FLAG_ANSWER},"language":"JAVA","opaque":{opaque},"serializeTypeCurrentRPC":"JSON","version":{VERSION}}}"#
    )
}

fn binary(opaque: i32, ext: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = Vec::new();
    for (name, value) in ext {
        fields.extend_from_slice(&i16::try_from(name.len()).expect("a name is short").to_be_bytes());
        fields.extend_from_slice(name.as_bytes());
        fields.extend_from_slice(&i32::try_from(value.len()).expect("a value is short").to_be_bytes());
        fields.extend_from_slice(value.as_bytes());
    }
    let mut header = Vec::new();
    header.extend_from_slice(&0_i16.to_be_bytes());
    header.push(LanguageCode::Java.code());
    header.extend_from_slice(&VERSION.to_be_bytes());
    header.extend_from_slice(&opaque.to_be_bytes());
    header.extend_from_slice(&FLAG_ANSWER.to_be_bytes());
    header.extend_from_slice(&0_i32.to_be_bytes());
    header.extend_from_slice(&i32::try_from(fields.len()).expect("a header is short").to_be_bytes());
    header.extend_from_slice(&fields);
    header
}

#[cfg(test)]
mod tests {
    use super::{Shape, Stored, route, stored};
    use rocketmq_core::request::SendMessageResponseHeader;
    use rocketmq_core::wire::{Header, Inbox, SerializeType, WireLimits};

    const UNIQUE: &str = "FD00000000000000000000000000000212AB4E0E2F2A695497BB0001";

    #[test]
    fn a_json_answer_is_what_a_broker_of_5_5_0_wrote() {
        let mut out = Vec::new();
        let what = Stored { queue_id: 3, unique_id: UNIQUE, log_offset: 0xF7, queue_offset: 0 };
        stored(&mut out, SerializeType::Json, 13, &what);
        let header = concat!(
            r#"{"code":0,"extFields":{"queueId":"3","transactionId":"FD00000000000000000000000000000212AB4E0E2F2A69549"#,
            r#"7BB0001","msgId":"7F0000010000559700000000000000F7","TRACE_ON":"true","MSG_REGION":"DefaultRegion","#,
            r#""queueOffset":"0"},"flag":1,"language":"JAVA","opaque":13,"serializeTypeCurrentRPC":"JSON","version":513}"#,
        );
        let mut wanted = vec![0, 0, 1, 0x37, 0, 0, 1, 0x33];
        wanted.extend_from_slice(header.as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&wanted));
    }

    #[test]
    fn both_forms_say_the_same() {
        for form in [SerializeType::Json, SerializeType::RocketMq] {
            let mut out = Vec::new();
            let what = Stored { queue_id: 5, unique_id: UNIQUE, log_offset: 1_000, queue_offset: 77 };
            stored(&mut out, form, -7, &what);
            let mut inbox = Inbox::new(WireLimits::default());
            let mut frames = inbox.feed(&out);
            let frame = frames.next().unwrap().unwrap();
            assert_eq!(frame.serialize, form);
            let header = Header::parse(&frame, &WireLimits::default()).unwrap();
            assert_eq!((header.opaque, header.flag, header.code, header.version), (-7, 1, 0, 513));
            let read = SendMessageResponseHeader::read(&header.ext).unwrap();
            assert_eq!((read.queue_id, read.queue_offset, read.trace_on), (5, 77, true));
            assert_eq!(read.transaction_id.as_deref(), Some(UNIQUE));
            assert_eq!(read.msg_id, "7F0000010000559700000000000003E8");
            assert_eq!(header.ext.iter().count(), 6);
        }
    }

    #[test]
    fn a_route_names_every_broker_once() {
        let mut out = Vec::new();
        route(&mut out, 1, Shape { brokers: 300, queues: 8 });
        let text = String::from_utf8_lossy(&out);
        assert_eq!(text.matches(r#""writeQueueNums":8"#).count(), 300);
        assert!(text.contains(r#""0":"10.0.1.50:10911""#) && text.contains(r#""brokerName":"broker-299""#));
    }
}
