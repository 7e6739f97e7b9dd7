use super::SendMessageResponseHeader;
use crate::request::FieldError;
use crate::wire::{Header, RawFrame, SerializeType, WireLimits};

fn read(ext: &str, check: impl FnOnce(Result<SendMessageResponseHeader<'_>, FieldError>)) {
    let header = alloc::format!(r#"{{"code":0,"opaque":0,"extFields":{ext}}}"#);
    let serialize = SerializeType::Json;
    let frame = RawFrame { serialize, header: header.as_bytes(), body: b"" };
    check(SendMessageResponseHeader::read(&Header::parse(&frame, &WireLimits::default()).unwrap().ext));
}

#[test]
fn tracing_is_on_unless_the_broker_says_false() {
    for (trace, on) in [("", true), (r#","TRACE_ON":"yes""#, true), (r#","TRACE_ON":"False""#, false)] {
        let ext = alloc::format!(r#"{{"msgId":"M","queueId":"3","queueOffset":"5000000000"{trace}}}"#);
        read(&ext, |answer| {
            let answer = answer.unwrap();
            assert_eq!((&*answer.msg_id, answer.queue_id, answer.queue_offset), ("M", 3, 5_000_000_000));
            assert_eq!((answer.trace_on, answer.transaction_id), (on, None));
        });
    }
}

#[test]
fn the_three_required_fields_are_demanded() {
    for (ext, error) in [
        (r#"{"queueId":"3","queueOffset":"5"}"#, FieldError::Missing { name: "msgId" }),
        (r#"{"msgId":"M","queueOffset":"5"}"#, FieldError::Missing { name: "queueId" }),
        (r#"{"msgId":"M","queueId":"3","queueOffset":""}"#, FieldError::Missing { name: "queueOffset" }),
        (r#"{"msgId":"M","queueId":"x","queueOffset":"5"}"#, FieldError::BadNumber { name: "queueId" }),
    ] {
        read(ext, |answer| assert_eq!(answer, Err(error), "{ext}"));
    }
}
