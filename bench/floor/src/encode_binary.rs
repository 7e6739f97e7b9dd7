//! Binary requests: texts that are the same for all messages, values and lengths in between, the body.

use crate::encode::{CODE, Common, Encoder, GROUP, MILLIS_DIGITS, Own, VERSION};
use crate::unique_id::{CHANGING_DIGITS, UniqueIds};

/// The form's type byte, in front of the header's length.
const BINARY: u32 = 1 << 24;
const RUST: u8 = 12;
/// From the frame's start: lengths, code, language, version.
const OPAQUE_AT: usize = 8 + 5;
const EXT_LENGTH_AT: usize = OPAQUE_AT + 4 + 4 + 4;

/// The properties, which the header ends with, from behind the unique id on.
const PROPERTIES_END: &[u8] = b"\x02WAIT\x01true\x02TAGS\x01TagA\x02";

/// Writes requests of one route.
pub(crate) struct BinaryEncoder {
    to_queue: Vec<u8>,
    to_born: Vec<u8>,
    to_unique_id: Vec<u8>,
    body: Vec<u8>,
}

impl Encoder for BinaryEncoder {
    fn new(common: &Common<'_>) -> Self {
        // Lengths, opaque and flag stay 0 until they are known; there is no remark.
        let mut to_queue = vec![0; EXT_LENGTH_AT + 4];
        to_queue[8..10].copy_from_slice(&CODE.to_be_bytes());
        to_queue[10] = RUST;
        to_queue[11..13].copy_from_slice(&VERSION.to_be_bytes());
        for (name, value) in [("a", GROUP), ("b", common.topic), ("c", "TBW102"), ("d", "4"), ("f", "0")] {
            field(&mut to_queue, name, value);
        }
        for (name, value) in [("j", "0"), ("k", "false"), ("m", "false"), ("n", common.broker_name)] {
            field(&mut to_queue, name, value);
        }
        to_queue.extend_from_slice(b"\0\x01e");
        let mut to_born = Vec::new();
        field(&mut to_born, "h", "0");
        to_born.extend_from_slice(b"\0\x01g\0\0\0");
        to_born.push(MILLIS_DIGITS as u8);
        let mut to_unique_id = b"\x02UNIQ_KEY\x01".to_vec();
        to_unique_id.extend_from_slice(&UniqueIds::process_digits());
        let body = common.body.to_vec();
        Self { to_queue, to_born, to_unique_id, body }
    }

    #[inline]
    fn encode(&self, out: &mut Vec<u8>, own: &Own) {
        let mut digits = itoa::Buffer::new();
        let start = out.len();
        out.extend_from_slice(&self.to_queue);
        let queue = digits.format(own.queue_id).as_bytes();
        out.extend_from_slice(&(queue.len() as u32).to_be_bytes());
        out.extend_from_slice(queue);
        out.extend_from_slice(&self.to_born);
        out.extend_from_slice(&own.born);
        out.extend_from_slice(b"\0\x01i");
        let key = digits.format(own.key).as_bytes();
        let properties_bytes =
            b"KEYS\x01k".len() + key.len() + self.to_unique_id.len() + CHANGING_DIGITS + PROPERTIES_END.len();
        out.extend_from_slice(&(properties_bytes as u32).to_be_bytes());
        out.extend_from_slice(b"KEYS\x01k");
        out.extend_from_slice(key);
        out.extend_from_slice(&self.to_unique_id);
        out.extend_from_slice(&own.unique_id);
        out.extend_from_slice(PROPERTIES_END);
        let header_bytes = (out.len() - start - 8) as u32;
        let ext_bytes = (out.len() - start - EXT_LENGTH_AT - 4) as u32;
        out.extend_from_slice(&self.body);
        let frame_bytes = (out.len() - start - 4) as u32;
        let frame = &mut out[start..];
        set(frame, 0, frame_bytes);
        set(frame, 4, BINARY | header_bytes);
        set(frame, OPAQUE_AT, own.opaque);
        set(frame, EXT_LENGTH_AT, ext_bytes);
    }
}

fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(&(name.len() as u16).to_be_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(&(value.len() as u32).to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}

#[inline]
fn set(frame: &mut [u8], at: usize, number: u32) {
    frame[at..at + 4].copy_from_slice(&number.to_be_bytes());
}
