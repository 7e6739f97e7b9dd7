//! JSON headers of answers, keys in the order in which a stock server writes them.

use crate::answer::{Plain, Stored};

/// From the flag to the opaque, and from the opaque to the end, with [`VERSION`](crate::answer::VERSION).
const FLAG_TO_OPAQUE: &[u8] = b"\"flag\":1,\"language\":\"JAVA\",\"opaque\":";
const AFTER_OPAQUE: &[u8] = b",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":513}";

pub(crate) fn stored(out: &mut Vec<u8>, opaque: i32, stored: &Stored<'_>) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(b"{\"code\":0,\"extFields\":{\"queueId\":\"");
    out.extend_from_slice(digits.format(stored.queue_id).as_bytes());
    if !stored.unique_id.is_empty() {
        out.extend_from_slice(b"\",\"transactionId\":\"");
        out.extend_from_slice(stored.unique_id);
    }
    out.extend_from_slice(b"\",\"msgId\":\"");
    stored.message_ids.write(out);
    out.extend_from_slice(b"\",\"TRACE_ON\":\"true\",\"MSG_REGION\":\"DefaultRegion\",\"queueOffset\":\"");
    out.extend_from_slice(digits.format(stored.queue_offset).as_bytes());
    out.extend_from_slice(b"\"},");
    out.extend_from_slice(FLAG_TO_OPAQUE);
    out.extend_from_slice(digits.format(opaque).as_bytes());
    out.extend_from_slice(AFTER_OPAQUE);
}

pub(crate) fn plain(out: &mut Vec<u8>, opaque: i32, plain: &Plain<'_>) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(b"{\"code\":");
    out.extend_from_slice(digits.format(plain.code).as_bytes());
    if let Some(ext) = plain.ext {
        out.extend_from_slice(b",\"extFields\":{");
        for (index, (name, value)) in ext.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            string(out, name);
            out.push(b':');
            string(out, value);
        }
        out.push(b'}');
    }
    out.push(b',');
    out.extend_from_slice(FLAG_TO_OPAQUE);
    out.extend_from_slice(digits.format(opaque).as_bytes());
    if let Some(remark) = plain.remark {
        out.extend_from_slice(b",\"remark\":");
        string(out, remark);
    }
    out.extend_from_slice(AFTER_OPAQUE);
}

/// With quotes and escapes.
fn string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}
