//! Binary headers of answers, ext fields in the order in which a 5.5.0 server with binary answers writes them.

use crate::answer::{Plain, SUCCESS, Stored, VERSION};

/// Marks an answer.
const FLAG: i32 = 1;
const JAVA: u8 = 0;
/// The ext fields that end the answer to a send.
const TRACE_AND_REGION: &[u8] = b"\x00\x08TRACE_ON\x00\x00\x00\x04true\
    \x00\x0aMSG_REGION\x00\x00\x00\x0dDefaultRegion";

pub(crate) fn stored(out: &mut Vec<u8>, opaque: i32, stored: &Stored<'_>) {
    let mut digits = itoa::Buffer::new();
    fixed(out, SUCCESS, opaque, "");
    let ext_at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(b"\x00\x05msgId");
    length(out, stored.message_ids.text_bytes());
    stored.message_ids.write(out);
    out.extend_from_slice(b"\x00\x07queueId");
    value(out, digits.format(stored.queue_id));
    out.extend_from_slice(b"\x00\x0bqueueOffset");
    value(out, digits.format(stored.queue_offset));
    if !stored.unique_id.is_empty() {
        out.extend_from_slice(b"\x00\x0dtransactionId");
        length(out, stored.unique_id.len());
        out.extend_from_slice(stored.unique_id);
    }
    out.extend_from_slice(TRACE_AND_REGION);
    set_length(out, ext_at);
}

pub(crate) fn plain(out: &mut Vec<u8>, opaque: i32, plain: &Plain<'_>) {
    fixed(out, plain.code, opaque, plain.remark.unwrap_or_default());
    let ext_at = out.len();
    out.extend_from_slice(&[0; 4]);
    for (name, text) in plain.ext.unwrap_or_default() {
        out.extend_from_slice(&(name.len() as u16).to_be_bytes());
        out.extend_from_slice(name.as_bytes());
        value(out, text);
    }
    set_length(out, ext_at);
}

/// All before the ext fields.
fn fixed(out: &mut Vec<u8>, code: u16, opaque: i32, remark: &str) {
    out.extend_from_slice(&code.to_be_bytes());
    out.push(JAVA);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&opaque.to_be_bytes());
    out.extend_from_slice(&FLAG.to_be_bytes());
    value(out, remark);
}

fn value(out: &mut Vec<u8>, text: &str) {
    length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn length(out: &mut Vec<u8>, bytes: usize) {
    out.extend_from_slice(&(bytes as u32).to_be_bytes());
}

/// Writes the number of bytes after the length at `at` into it.
fn set_length(out: &mut [u8], at: usize) {
    let bytes = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&bytes.to_be_bytes());
}
