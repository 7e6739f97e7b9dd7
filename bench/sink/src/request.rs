//! The little of a request that an answer depends on.

use crate::{request_binary, request_json};

/// Bytes before the header: the frame's length, then the header's type and length.
pub(crate) const FRAME_PREFIX_BYTES: usize = 8;
/// The flag's bit of requests that nobody waits for.
const ONE_WAY: i32 = 2;

/// Request codes that are answered in a way of their own.
pub(crate) mod code {
    pub(crate) const SEND_MESSAGE: i32 = 10;
    pub(crate) const HEART_BEAT: i32 = 34;
    pub(crate) const UNREGISTER_CLIENT: i32 = 35;
    pub(crate) const GET_ROUTEINFO_BY_TOPIC: i32 = 105;
    pub(crate) const SEND_MESSAGE_V2: i32 = 310;
    pub(crate) const SEND_BATCH_MESSAGE: i32 = 320;
}

/// How a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Binary,
}

/// What is the same in both forms. `ext` is the written form of the ext fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) code: i32,
    pub(crate) flag: i32,
    pub(crate) opaque: i32,
    pub(crate) ext: &'a [u8],
}

/// One request, read as far as needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) form: Form,
    pub(crate) code: i32,
    pub(crate) one_way: bool,
    pub(crate) opaque: i32,
    /// Size of the whole frame.
    pub(crate) frame_bytes: usize,
    pub(crate) body: &'a [u8],
    ext: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads a whole frame, its four length bytes included. `None` when it is not one.
    pub(crate) fn read(scanner: &request_json::Scanner, frame: &'a [u8]) -> Option<Self> {
        let (prefix, rest) = frame.split_first_chunk::<FRAME_PREFIX_BYTES>()?;
        let [_, _, _, _, kind, high, middle, low] = *prefix;
        let header_bytes = u32::from_be_bytes([0, high, middle, low]) as usize;
        let (header, body) = rest.split_at_checked(header_bytes)?;
        let (form, head) = match kind {
            0 => (Form::Json, scanner.head(header)?),
            1 => (Form::Binary, request_binary::head(header)?),
            _ => return None,
        };
        let Head { code, flag, opaque, ext } = head;
        let one_way = flag & ONE_WAY != 0;
        Some(Self { form, code, one_way, opaque, frame_bytes: frame.len(), body, ext })
    }

    /// Whether this stores one message or more.
    pub(crate) fn is_send(&self) -> bool {
        matches!(self.code, code::SEND_MESSAGE | code::SEND_MESSAGE_V2 | code::SEND_BATCH_MESSAGE)
    }

    /// The queue of a send; 0 when the broker is to choose. Its field has a short name in the second form of
    /// `SEND_MESSAGE`, a long one in the first, and either in batches.
    pub(crate) fn queue_id(&self, scanner: &request_json::Scanner) -> u16 {
        let short = || match self.form {
            Form::Json => scanner.short_queue_id(self.ext),
            Form::Binary => request_binary::field(self.ext, b"e"),
        };
        let long = || match self.form {
            Form::Json => scanner.long_queue_id(self.ext),
            Form::Binary => request_binary::field(self.ext, b"queueId"),
        };
        let digits = if self.code == code::SEND_MESSAGE { long() } else { short().or_else(long) };
        digits.and_then(decimal).and_then(|id| u16::try_from(id).ok()).unwrap_or(0)
    }

    /// The unique id among the properties of a send; empty when there is none.
    pub(crate) fn unique_id(&self, scanner: &request_json::Scanner) -> &'a [u8] {
        let after_name = match self.form {
            Form::Json => scanner.after_unique_key(self.ext),
            Form::Binary => request_binary::field(self.ext, b"i")
                .or_else(|| request_binary::field(self.ext, b"properties"))
                .and_then(|properties| scanner.after_raw_unique_key(properties)),
        };
        id_at_start(after_name.unwrap_or_default())
    }

    /// The topic of a route request.
    pub(crate) fn topic(&self, scanner: &request_json::Scanner) -> Option<&'a [u8]> {
        match self.form {
            Form::Json => scanner.topic(self.ext),
            Form::Binary => request_binary::field(self.ext, b"topic"),
        }
    }
}

/// The id that `text` starts with. Ids are letters and digits: separators are below these, and what begins an
/// escape is not part of one, so that an id can go into answers of either form as it is.
pub(crate) fn id_at_start(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte < b'0' || *byte == b'\\');
    &text[..end.unwrap_or(text.len())]
}

/// A whole number at the start of `text`, up to the first other character.
pub(crate) fn decimal(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    let mut number = 0_i32;
    let mut count = 0;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        number = number.wrapping_mul(10).wrapping_add(i32::from(digit - b'0'));
        count += 1;
    }
    // Opaques wrap around in long-lived clients, so the smallest number must come through as well.
    let number = if negative { number.wrapping_neg() } else { number };
    (1..=10).contains(&count).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_end_at_the_first_other_character() {
        assert_eq!(decimal(b"17,\"x\""), Some(17));
        assert_eq!(decimal(b"-2147483648}"), Some(i32::MIN));
        assert_eq!(decimal(b"2147483647"), Some(i32::MAX));
        assert_eq!(decimal(b"\"1\""), None);
        assert_eq!(decimal(b""), None);
        assert_eq!(decimal(b"-"), None);
    }
}
