//! What many headers have in common, written once and copied into each.

use alloc::boxed::Box;
use alloc::vec;

use super::encode::{EncodeError, WriteFields};
use super::frame::MAX_FRAME_BYTES;
use super::sink::{BinarySink, DECIMAL_ROOM, JsonSink, Measure, decimal};

/// Ext fields that many headers share, in both forms: a header takes them by one copy instead of field by field.
///
/// ```
/// use rocketmq_core::request::GetRouteInfoRequestHeader;
/// use rocketmq_core::wire::FixedFields;
///
/// let route = GetRouteInfoRequestHeader { topic: "orders".into(), accept_standard_json_only: None };
/// let fields = FixedFields::new(&route)?;
/// assert_eq!(fields.json(), br#""topic":"orders","#);
/// assert_eq!(fields.binary(), b"\0\x05topic\0\0\0\x06orders");
/// # Ok::<(), rocketmq_core::wire::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedFields {
    json: Box<[u8]>,
    binary: Box<[u8]>,
}

impl FixedFields {
    /// Writes `fields` in both forms.
    ///
    /// # Errors
    /// [`EncodeError`] if no header could hold them.
    pub fn new<H: WriteFields>(fields: &H) -> Result<Self, EncodeError> {
        /// An escape in JSON needs as many bytes for one at most.
        const LONGEST_ESCAPE: usize = 6;
        /// Writers ask for more room at the end than they fill.
        const AT_THE_END: usize = 64;
        let bytes = Measure::fields(fields).saturating_mul(LONGEST_ESCAPE);
        let too_large = EncodeError::FrameTooLarge { bytes, limit: MAX_FRAME_BYTES };
        if bytes > MAX_FRAME_BYTES {
            return Err(too_large);
        }
        let mut space = vec![0; bytes + AT_THE_END];
        let json = match JsonSink::fields(&mut space, fields).and_then(|len| space.get(..len)) {
            Some(json) => json.into(),
            None => return Err(too_large),
        };
        let binary = match BinarySink::fields(&mut space, fields)?.and_then(|len| space.get(..len)) {
            Some(binary) => binary.into(),
            None => return Err(too_large),
        };
        Ok(Self { json, binary })
    }

    /// The fields as members of a JSON object, each with a comma behind it.
    #[must_use]
    #[inline]
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The fields as a binary header has them.
    #[must_use]
    #[inline]
    pub fn binary(&self) -> &[u8] {
        &self.binary
    }
}

/// A number with its decimal digits, which are written again only when it changes. Made for the time in milliseconds,
/// which is the same for hundreds of messages in a row.
///
/// ```
/// use rocketmq_core::wire::WrittenNumber;
///
/// let mut time = WrittenNumber::default();
/// assert_eq!(time.digits(), "0");
/// time.set(1_700_000_000_000);
/// assert_eq!(time.digits(), "1700000000000");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenNumber {
    value: i64,
    text: [u8; DECIMAL_ROOM],
    len: usize,
}

impl Default for WrittenNumber {
    fn default() -> Self {
        let mut text = [0; DECIMAL_ROOM];
        let len = decimal(0, &mut text);
        Self { value: 0, text, len }
    }
}

impl WrittenNumber {
    /// Takes another number, if it is another one.
    #[inline]
    pub fn set(&mut self, value: i64) {
        if value != self.value {
            self.value = value;
            self.text = [0; DECIMAL_ROOM];
            self.len = decimal(value, &mut self.text);
        }
    }

    /// The digits, with a minus sign in front of a negative number.
    #[must_use]
    #[inline]
    pub fn digits(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    #[inline(always)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{FixedFields, WrittenNumber};
    use crate::wire::{EncodeError, FieldSink, Part, WriteFields};
    use alloc::string::{String, ToString};

    struct Text(String);

    impl WriteFields for Text {
        fn write<S: FieldSink>(&self, sink: &mut S) {
            sink.int("n", -12_345_678_901);
            sink.bool("yes", true);
            sink.parts("t", &[Part::Text(&self.0), Part::NameEnd]);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many steps for an interpreter")]
    fn a_text_full_of_escapes_fits() {
        for len in 0..64 {
            let fields = FixedFields::new(&Text("\u{1f}".repeat(len))).unwrap();
            let json =
                alloc::format!(r#""n":"-12345678901","yes":"true","t":"{}\u0001","#, "\\u001f".repeat(len));
            assert_eq!(core::str::from_utf8(fields.json()).unwrap(), json);
            let start = b"\0\x01n\0\0\0\x0c-12345678901\0\x03yes\0\0\0\x04true\0\x01t\0\0\0";
            assert_eq!(&fields.binary()[..start.len()], start);
            assert_eq!(fields.binary().len(), start.len() + 1 + len + 1);
        }
    }

    #[test]
    fn what_no_frame_holds_is_refused() {
        let refused = FixedFields::new(&Text("x".repeat(16 << 20)));
        assert!(matches!(refused, Err(EncodeError::FrameTooLarge { .. })), "{:?}", refused.map(drop));
    }

    #[test]
    fn digits_are_those_of_the_standard_library() {
        let mut number = WrittenNumber::default();
        let near = |at: i64| [at.saturating_sub(1), at, at.saturating_add(1)];
        let powers = (0..19).flat_map(|power| near(10_i64.pow(power)));
        for value in powers.chain([i64::MAX, i64::MIN, i64::MIN + 1, 0]).flat_map(|n| [n, n.wrapping_neg()]) {
            number.set(value);
            assert_eq!(number.digits(), value.to_string());
        }
    }
}
