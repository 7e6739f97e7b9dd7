//! Answers as a stock 5.5.0 server writes them, added to an output buffer as whole frames.

use crate::options::AnswerForm;
use crate::request::{Form, Request};
use crate::{answer_binary, answer_json};

/// Version of the servers that are imitated: 5.5.0.
pub(crate) const VERSION: i16 = 513;
pub(crate) const SUCCESS: u16 = 0;
pub(crate) const SYSTEM_BUSY: u16 = 2;
pub(crate) const TOPIC_NOT_EXIST: u16 = 17;
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// What a broker tells about messages that it has stored.
pub(crate) struct Stored<'a> {
    pub(crate) queue_id: u16,
    /// Of the first message.
    pub(crate) queue_offset: u64,
    /// Sent back as `transactionId`; empty when the message has none.
    pub(crate) unique_id: &'a [u8],
    pub(crate) message_ids: MessageIds<'a>,
}

/// Ids of the messages of one send, made of the broker's address and their place in its log.
#[derive(Clone, Copy)]
pub(crate) struct MessageIds<'a> {
    /// Address and port in hexadecimal.
    pub(crate) broker: &'a [u8; 16],
    pub(crate) log_offset: u64,
    /// From one message of a batch to the next.
    pub(crate) step: u64,
    pub(crate) count: u64,
}

impl MessageIds<'_> {
    /// Length of all ids with commas between them.
    pub(crate) fn text_bytes(&self) -> usize {
        (self.count * 33).saturating_sub(1) as usize
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for message in 0..self.count {
            if message > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.broker);
            out.extend_from_slice(&hex16(self.log_offset + message * self.step));
        }
    }
}

/// 16 hexadecimal digits.
pub(crate) fn hex16(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (digit, shift) in digits.iter_mut().zip((0..16).rev()) {
        *digit = HEX[(number >> (shift * 4)) as usize & 15];
    }
    digits
}

/// An ext field and its value.
pub(crate) type Ext<'a> = (&'a str, &'a str);

/// An answer to anything but a send.
pub(crate) struct Plain<'a> {
    pub(crate) code: u16,
    pub(crate) remark: Option<&'a str>,
    /// `None` where the server writes no ext fields at all, not even an empty object.
    pub(crate) ext: Option<&'a [Ext<'a>]>,
    pub(crate) body: &'a [u8],
}

impl Plain<'_> {
    /// Success that says nothing more.
    pub(crate) const SUCCESS: Self = Self { code: SUCCESS, remark: None, ext: None, body: &[] };
}

/// The form in which `request` is answered.
pub(crate) fn form(answers: AnswerForm, request: &Request<'_>) -> Form {
    match answers {
        AnswerForm::Json => Form::Json,
        AnswerForm::Rocketmq => Form::Binary,
        AnswerForm::Same => request.form,
    }
}

/// Adds the answer to a send that stored something.
pub(crate) fn stored(form: Form, out: &mut Vec<u8>, opaque: i32, stored: &Stored<'_>) {
    framed(form, out, 0, |out| match form {
        Form::Json => answer_json::stored(out, opaque, stored),
        Form::Binary => answer_binary::stored(out, opaque, stored),
    });
}

/// Adds any other answer.
pub(crate) fn plain(form: Form, out: &mut Vec<u8>, opaque: i32, plain: &Plain<'_>) {
    framed(form, out, plain.body.len(), |out| match form {
        Form::Json => answer_json::plain(out, opaque, plain),
        Form::Binary => answer_binary::plain(out, opaque, plain),
    });
    out.extend_from_slice(plain.body);
}

/// Writes the header with `header`, and then the lengths in front of it.
fn framed(form: Form, out: &mut Vec<u8>, body_bytes: usize, header: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    header(out);
    let header_bytes = out.len() - start - 8;
    let [_, high, middle, low] = (header_bytes as u32).to_be_bytes();
    let kind = match form {
        Form::Json => 0,
        Form::Binary => 1,
    };
    let frame_bytes = ((4 + header_bytes + body_bytes) as u32).to_be_bytes();
    out[start..start + 4].copy_from_slice(&frame_bytes);
    out[start + 4..start + 8].copy_from_slice(&[kind, high, middle, low]);
}
