//! What name servers and brokers answer, truly or not, and what that proves.

use arbitrary::{Result, Unstructured};
use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::SerializeType;

use super::super::command::{Command, Field};
use super::peer::{Request, Told};

const QUEUE_GONE: &str = "request queueId[9] is illegal, TopicConfig [topicName=T] Producer: 127.0.0.1:1";
const FORBIDDEN: &str = "the broker[10.0.1.1] sending message is forbidden";
const ACL: &str = "org.apache.rocketmq.acl.common.AclException: no permission";
const UNABLE: &str = "broker unable to service";

/// Refusals of brokers, and whether each proves that nothing was stored.
const REFUSALS: [(i16, &str, bool); 23] = [
    (1, "java.lang.NullPointerException", false),
    (1, QUEUE_GONE, true),
    (1, ACL, true),
    (1, UNABLE, true),
    (2, "[REJECTREQUEST]system busy", true),
    (3, " request type 310 not supported", true),
    (4, "", false),
    (13, "the message is illegal", true),
    (14, "service not available now.", true),
    (15, "Request doesn't have field", true),
    (16, FORBIDDEN, true),
    (16, "no permission", true),
    (17, "topic[T] not exist", true),
    (26, "subscription group not exist", true),
    (29, QUEUE_GONE, true),
    (29, "The specified topic contains illegal characters", true),
    (204, "", true),
    (205, "", true),
    (215, "", true),
    (501, "", true),
    (1500, "please go away", true),
    (22, "", false),
    (32_000, "?", false),
];

pub(super) fn text(name: &'static str, value: &str) -> (&'static str, Field) {
    (name, Field::Text(value.into()))
}

/// An answer as bytes, in either form.
pub(super) fn frame(
    choices: &mut Unstructured<'_>,
    opaque: i32,
    code: i16,
    remark: &str,
    fields: Vec<(&'static str, Field)>,
    body: Vec<u8>,
) -> Result<Vec<u8>> {
    let answer = Command {
        code,
        flag: 1,
        opaque,
        version: 479,
        language: LanguageCode::Java,
        remark: Some(remark.to_owned()).filter(|text| !text.is_empty()),
        fields,
        body,
    };
    let serialize = if choices.ratio(1, 4)? { SerializeType::RocketMq } else { SerializeType::Json };
    Ok(answer.expected(serialize))
}

/// The good answer of a broker, stored at this offset.
pub(crate) fn stored(
    choices: &mut Unstructured<'_>,
    request: &Request,
    code: i16,
    offset: i64,
) -> Result<(Vec<u8>, Option<Told>)> {
    // Without choices left everything is well.
    let damage = if choices.ratio(1, 24)? { choices.int_in_range(1..=5)? } else { 0 };
    let queue: i32 = request.ext.get("e").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut fields = vec![
        text("msgId", &format!("0A000101{:08X}{offset:016X}", 10_911)),
        ("queueId", Field::Int(queue.into())),
        ("queueOffset", Field::Int(offset)),
    ];
    match damage {
        1 => drop(fields.remove(0)),
        2 => drop(fields.remove(1)),
        3 => drop(fields.pop()),
        4 => fields[1].1 = Field::Text("two".into()),
        5 => fields[2].1 = Field::Text("99999999999999999999".into()),
        _ => {}
    }
    // A garbled message id is seen through, too, but it is no reason to take the answer for a bad one here.
    let bytes = frame(choices, request.opaque, code, "", fields, Vec::new())?;
    let told = request.attempt.map(|attempt| Told {
        attempt,
        stored: (damage == 0).then_some((code.into(), queue, offset)),
        proves_not_stored: false,
    });
    Ok((bytes, told))
}

/// A refusal of a broker.
pub(crate) fn refused(choices: &mut Unstructured<'_>, request: &Request) -> Result<(Vec<u8>, Option<Told>)> {
    let (code, remark, proves_not_stored) = *choices.choose(&REFUSALS)?;
    let bytes = frame(choices, request.opaque, code, remark, Vec::new(), Vec::new())?;
    let told = request.attempt.map(|attempt| Told { attempt, stored: None, proves_not_stored });
    Ok((bytes, told))
}

/// An answer without content.
pub(crate) fn plain_answer(choices: &mut Unstructured<'_>, opaque: i32, code: i16) -> Result<Vec<u8>> {
    frame(choices, opaque, code, "", Vec::new(), Vec::new())
}

/// A request of a server.
pub(crate) fn server_request(choices: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const CODES: [i16; 8] = [39, 40, 220, 221, 307, 309, 326, 9_999];
    let request = Command {
        code: *choices.choose(&CODES)?,
        flag: if choices.arbitrary()? { 2 } else { 0 },
        opaque: choices.arbitrary()?,
        version: 479,
        language: LanguageCode::Java,
        remark: None,
        fields: vec![text("consumerGroup", "g")],
        body: Vec::new(),
    };
    Ok(request.expected(SerializeType::Json))
}

/// A message of topic `T` in the layout in which brokers store it.
pub(crate) fn stored_message(queue_offset: i64, commit_log_offset: i64, properties: &str) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend(0xDAA3_20A7_u32.to_be_bytes());
    out.extend([0; 12]);
    out.extend(queue_offset.to_be_bytes());
    out.extend(commit_log_offset.to_be_bytes());
    out.extend([0; 12]);
    out.extend([10, 0, 1, 9, 0, 0, 0x15, 0xB3]);
    out.extend([0; 8]);
    out.extend([10, 0, 1, 1, 0, 0, 0x2A, 0x9F]);
    out.extend([0; 12]);
    out.extend([0, 0, 0, 4]);
    out.extend(b"body");
    out.extend([1, b'T']);
    out.extend(i16::try_from(properties.len()).unwrap().to_be_bytes());
    out.extend(properties.as_bytes());
    out
}

/// What a route says of a broker: its name, the address of its master, the number of its writable queues.
pub(crate) type Offer = (String, Option<String>, i32);

/// A route of one to three brokers, and what it offers.
pub(crate) fn route(choices: &mut Unstructured<'_>, opaque: i32) -> Result<(Vec<u8>, Vec<Offer>)> {
    let mut offers = Vec::new();
    let (mut queues, mut brokers) = (Vec::new(), Vec::new());
    // Without choices left: two sound brokers.
    let count = if choices.ratio(1, 4)? { choices.int_in_range(0..=3)? } else { 2 };
    for number in 0..count {
        let name = format!("broker-{number}");
        // A broker may move.
        let host = if choices.ratio(1, 12)? { number + 3 } else { number };
        let address = format!("10.0.1.{host}:10911");
        let writable = if choices.ratio(1, 8)? { choices.int_in_range(0..=2)? } else { 2 };
        let perm = if choices.ratio(1, 12)? { choices.int_in_range(0..=7)? } else { 6 };
        let master = if choices.ratio(1, 12)? { 1 } else { 0 };
        queues.push(format!(
            "{{\"brokerName\":\"{name}\",\"perm\":{perm},\"readQueueNums\":{writable},\"topicSysFlag\":0,\
             \"writeQueueNums\":{writable}}}"
        ));
        brokers.push(format!(
            "{{\"brokerAddrs\":{{{master}:\"{address}\"}},\"brokerName\":\"{name}\",\"cluster\":\"c\"}}"
        ));
        let offered = if perm & 2 != 0 { writable } else { 0 };
        offers.push((name, Some(address).filter(|_| master == 0), offered));
    }
    let body = format!(
        "{{\"brokerDatas\":[{}],\"filterServerTable\":{{}},\"queueDatas\":[{}]}}",
        brokers.join(","),
        queues.join(",")
    );
    Ok((frame(choices, opaque, 0, "", Vec::new(), body.into_bytes())?, offers))
}
