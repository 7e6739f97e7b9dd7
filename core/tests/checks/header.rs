//! Headers are read as the slow second implementation reads them.

use arbitrary::Unstructured;
use rocketmq_core::request::{SendMessageResponseHeader, StoredAnswer, StoredFields};
use rocketmq_core::wire::{Header, RawFrame, SerializeType, WireLimits};

use super::near_json;
use super::slow;

/// Small, so that short inputs reach them.
const LIMITS: WireLimits =
    WireLimits { max_frame: 64 * 1024, max_header: 4096, max_ext_fields: 16, max_depth: 12 };

/// No JSON text starts with it: what follows draws a header that is nearly right.
pub(crate) const GRAMMAR: u8 = 0xff;

/// A JSON header, or [`GRAMMAR`] and choices.
pub(crate) fn check_json(input: &[u8]) {
    match input.split_first() {
        Some((&GRAMMAR, choices)) => {
            let text = near_json::header(&mut Unstructured::new(choices)).unwrap_or_default();
            alike(SerializeType::Json, text.as_bytes());
        }
        _ => alike(SerializeType::Json, input),
    }
}

/// A binary header.
pub(crate) fn check_binary(input: &[u8]) {
    alike(SerializeType::RocketMq, input);
}

fn alike(serialize: SerializeType, header: &[u8]) {
    let slow = slow::slow(serialize, header, &LIMITS);
    assert_eq!(slow::fast(serialize, header, &LIMITS), slow);
    let frame = RawFrame { serialize, header, body: &[] };
    if let Some(answer) = StoredAnswer::read(&frame, &LIMITS) {
        let slow = slow.expect("read in one pass, but not in the slow way");
        assert_eq!((slow.code, slow.flag, slow.opaque, &slow.remark), (0, 1, answer.opaque, &None));
        let general = Header::parse(&frame, &LIMITS).expect("read as well");
        let fields = SendMessageResponseHeader::read(&general.ext).expect("a send's answer");
        assert_eq!(answer.fields, StoredFields::from(&fields));
    }
}
