//! Writing headers into prepared space, as JSON and as binary.

use super::encode::{CommandHead, EncodeError, FieldSink, Part, Plain, WriteFields};
use super::fixed::FixedFields;
use super::frame::{MAX_FRAME_BYTES, PREFIX_BYTES, SerializeType};
use super::text::{control_escape, eight_digits, first_mark, in_eights, short_digits, short_word, specials};

/// What is left of the prepared space. Once something did not fit, nothing fits any more.
struct Space<'b> {
    rest: &'b mut [u8],
    full: bool,
}

impl<'b> Space<'b> {
    #[inline(always)]
    fn from(bytes: &'b mut [u8], at: usize) -> Self {
        match bytes.get_mut(at..) {
            Some(rest) => Self { rest, full: false },
            None => Self { rest: &mut [], full: true },
        }
    }

    #[inline(always)]
    fn overflow(&mut self) {
        self.rest = &mut [];
        self.full = true;
    }

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        match core::mem::take(&mut self.rest).split_at_mut_checked(bytes.len()) {
            Some((place, rest)) => {
                place.copy_from_slice(bytes);
                self.rest = rest;
            }
            None => self.overflow(),
        }
    }

    /// Puts the first `len` bytes of a word. The others are overwritten by what follows.
    #[inline(always)]
    fn put_word(&mut self, word: [u8; 8], len: usize) {
        match core::mem::take(&mut self.rest) {
            rest if rest.len() >= 8 => {
                if let Some(place) = rest.first_chunk_mut::<8>() {
                    *place = word;
                }
                self.rest = rest.get_mut(len..).unwrap_or_default();
            }
            _ => self.overflow(),
        }
    }

    #[inline(always)]
    fn number(&mut self, value: i64) {
        match u32::try_from(value) {
            Ok(digit @ 0..=9) => self.put(&[b'0' + digit as u8]),
            Ok(short @ 0..=99_999_999) => self.first_digits(short),
            // Numbers of requests are here: nine or ten digits.
            Ok(long) => {
                self.first_digits(long / 100_000_000);
                self.put_word(eight_digits(long % 100_000_000).to_le_bytes(), 8);
            }
            Err(_) => {
                if value < 0 {
                    self.put(b"-");
                }
                match long_number_into(core::mem::take(&mut self.rest), value.unsigned_abs()) {
                    Some(rest) => self.rest = rest,
                    None => self.overflow(),
                }
            }
        }
    }

    #[inline(always)]
    fn first_digits(&mut self, value: u32) {
        let (word, len) = short_digits(value);
        self.put_word(word, len);
    }

    /// Writes text as the inside of a JSON string.
    #[inline(always)]
    fn escaped(&mut self, text: &str) {
        match escape_into(core::mem::take(&mut self.rest), text.as_bytes()) {
            Some(rest) => self.rest = rest,
            None => self.overflow(),
        }
    }

    /// A 32-bit length. One that is larger is above the frame limit and never sent.
    #[inline(always)]
    fn length(&mut self, len: usize) {
        self.put(&(len as u32).to_be_bytes());
    }
}

/// Room for any number: it is written eight digits at a time.
pub(super) const DECIMAL_ROOM: usize = 24;

/// Writes a number to the front of `space`; its length.
#[inline(always)]
pub(super) fn decimal(value: i64, space: &mut [u8; DECIMAL_ROOM]) -> usize {
    let mut text = Space::from(space, 0);
    text.number(value);
    DECIMAL_ROOM - text.rest.len()
}

/// Writes a number of any size; what is left of the space, `None` when it is too small.
#[inline(never)]
fn long_number_into(space: &mut [u8], value: u64) -> Option<&mut [u8]> {
    let mut space = Space { rest: space, full: false };
    let [high, middle, low] = in_eights(value);
    if high > 0 {
        space.first_digits(high);
        space.put_word(eight_digits(middle).to_le_bytes(), 8);
    } else if middle > 0 {
        space.first_digits(middle);
    }
    if value < 100_000_000 {
        space.first_digits(low);
    } else {
        space.put_word(eight_digits(low).to_le_bytes(), 8);
    }
    (!space.full).then_some(space.rest)
}

/// Copies `text` into `space` with JSON escapes; what is left of it, `None` when it is too small.
#[inline(never)]
fn escape_into<'b>(mut space: &'b mut [u8], mut text: &[u8]) -> Option<&'b mut [u8]> {
    loop {
        // Room for eight bytes as they are, of which the last may have to be escaped after all.
        // All are stored even if fewer count: the next ones overwrite them.
        let place = space.first_chunk_mut::<16>()?;
        let Some(chunk) = text.first_chunk::<8>() else {
            return escape_tail(space, text);
        };
        let word = u64::from_le_bytes(*chunk);
        *place.first_chunk_mut::<8>()? = *chunk;
        let marks = specials(word);
        if marks == 0 {
            space = space.get_mut(8..)?;
            text = text.get(8..)?;
            continue;
        }
        let clean = first_mark(marks);
        let end = escape_at(place, clean, word)?;
        space = space.get_mut(end..)?;
        text = text.get(clean + 1..)?;
    }
}

/// The same for less than eight bytes.
#[inline(always)]
fn escape_tail<'b>(mut space: &'b mut [u8], mut text: &[u8]) -> Option<&'b mut [u8]> {
    while !text.is_empty() {
        let word = short_word(text);
        let place = space.first_chunk_mut::<16>()?;
        *place.first_chunk_mut::<8>()? = word.to_le_bytes();
        let marks = specials(word);
        if marks == 0 {
            return space.get_mut(text.len()..);
        }
        let clean = first_mark(marks);
        let end = escape_at(place, clean, word)?;
        space = space.get_mut(end..)?;
        text = text.get(clean + 1..)?;
    }
    Some(space)
}

/// Writes the escape of the byte at `at` of a word to the same place; where it ends.
#[inline(always)]
fn escape_at(place: &mut [u8; 16], at: usize, word: u64) -> Option<usize> {
    let (escape, len) = escape((word >> (at * 8)) as u8);
    *place.get_mut(at..)?.first_chunk_mut::<8>()? = escape.to_le_bytes();
    Some(at + len)
}

/// The escape of one byte as a little-endian word, and its length.
#[inline(always)]
fn escape(byte: u8) -> (u64, usize) {
    // Properties are separated by these.
    if byte < 8 {
        const ZERO: u64 = u64::from_le_bytes(*b"\\u0000\0\0");
        return (ZERO | u64::from(byte) << 40, 6);
    }
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let [a, b, c, d, e, f] = control_escape(byte);
            return (u64::from_le_bytes([a, b, c, d, e, f, 0, 0]), 6);
        }
    };
    (u64::from(b'\\') | u64::from(short) << 8, 2)
}

/// Fills in the prefix of a frame whose prefix and header are the first `at` bytes of `space`.
#[inline(always)]
fn finish(
    space: &mut [u8],
    at: usize,
    serialize: SerializeType,
    body_len: usize,
) -> Result<Option<usize>, EncodeError> {
    let bytes = at.saturating_add(body_len);
    if bytes > MAX_FRAME_BYTES {
        return Err(EncodeError::FrameTooLarge { bytes, limit: MAX_FRAME_BYTES });
    }
    // Both are below 2^24 now.
    let length = (bytes - 4) as u64;
    let header = (at - PREFIX_BYTES) as u64;
    if let Some(prefix) = space.first_chunk_mut::<PREFIX_BYTES>() {
        let word = length << 32 | u64::from(serialize.code()) << 24 | header;
        *prefix = word.to_be_bytes();
    }
    Ok(Some(at))
}

/// Writes a header as JSON, keys in the order Java's servers and clients write them.
pub(super) struct JsonSink<'b>(Space<'b>);

impl JsonSink<'_> {
    /// Writes the ext fields alone; their size, or `None` when `space` is too small.
    pub(super) fn fields<H: WriteFields>(space: &mut [u8], fields: &H) -> Option<usize> {
        let size = space.len();
        let mut sink = JsonSink(Space::from(space, 0));
        fields.write(&mut sink);
        (!sink.0.full).then_some(size - sink.0.rest.len())
    }

    /// Writes prefix and header; the size of both, or `None` when `space` is too small.
    #[inline(always)]
    pub(super) fn command<H: WriteFields>(
        space: &mut [u8],
        head: &CommandHead<'_>,
        fields: &H,
        body_len: usize,
    ) -> Result<Option<usize>, EncodeError> {
        let size = space.len();
        let mut sink = JsonSink(Space::from(space, PREFIX_BYTES));
        sink.0.put(b"{\"code\":");
        sink.0.number(i64::from(head.code));
        sink.0.put(b",");
        let no_fields = size - sink.0.rest.len();
        sink.0.put(b"\"extFields\":{");
        let first = size - sink.0.rest.len();
        fields.write(&mut sink);
        if sink.0.full {
            return Ok(None);
        }
        let end = size - sink.0.rest.len();
        let mut rest = if end == first {
            Space::from(space, no_fields)
        } else {
            // Over the comma of the last field.
            let mut rest = Space::from(space, end - 1);
            rest.put(b"},");
            rest
        };
        Self::after_fields(&mut rest, head);
        let (full, end) = (rest.full, size - rest.rest.len());
        if full { Ok(None) } else { finish(space, end, SerializeType::Json, body_len) }
    }

    #[inline(always)]
    fn after_fields(space: &mut Space<'_>, head: &CommandHead<'_>) {
        space.put(b"\"flag\":");
        space.number(i64::from(head.flag));
        space.put(b",\"language\":\"");
        space.put(head.language.name().as_bytes());
        space.put(b"\",\"opaque\":");
        space.number(i64::from(head.opaque));
        if let Some(remark) = head.remark {
            space.put(b",\"remark\":\"");
            space.escaped(remark);
            space.put(b"\"");
        }
        space.put(b",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":");
        space.number(i64::from(head.version));
        space.put(b"}");
    }

    /// Name and quotes, up to where the value starts, with room for `N` more bytes.
    #[inline(always)]
    fn field(&mut self, name: &str, value: &[u8]) {
        let len = name.len() + 4 + value.len();
        match core::mem::take(&mut self.0.rest).split_at_mut_checked(len) {
            Some((place, rest)) => {
                if let [open, place @ ..] = place {
                    *open = b'"';
                    if let Some((text, [close, colon, quote, place @ ..])) =
                        place.split_at_mut_checked(name.len())
                    {
                        text.copy_from_slice(name.as_bytes());
                        [*close, *colon, *quote] = *b"\":\"";
                        place.copy_from_slice(value);
                    }
                }
                self.0.rest = rest;
            }
            None => self.0.overflow(),
        }
    }
}

impl FieldSink for JsonSink<'_> {
    #[inline(always)]
    fn str(&mut self, name: &str, value: &str) {
        self.field(name, b"");
        self.0.escaped(value);
        self.0.put(b"\",");
    }

    #[inline(always)]
    fn int(&mut self, name: &str, value: i64) {
        if let Ok(digit @ 0..=9) = u8::try_from(value) {
            return self.field(name, &[b'0' + digit, b'"', b',']);
        }
        self.field(name, b"");
        self.0.number(value);
        self.0.put(b"\",");
    }

    #[inline(always)]
    fn bool(&mut self, name: &str, value: bool) {
        if value {
            self.field(name, b"true\",");
        } else {
            self.field(name, b"false\",");
        }
    }

    #[inline(always)]
    fn plain(&mut self, name: &str, value: Plain<'_>) {
        self.field(name, b"");
        self.0.put(value.as_bytes());
        self.0.put(b"\",");
    }

    #[inline(always)]
    fn parts(&mut self, name: &str, parts: &[Part<'_>]) {
        self.field(name, b"");
        for part in parts {
            match *part {
                Part::Text(text) => self.0.escaped(text),
                Part::Plain(text) => self.0.put(text.as_bytes()),
                Part::NameEnd => self.0.put(b"\\u0001"),
                Part::ValueEnd => self.0.put(b"\\u0002"),
            }
        }
        self.0.put(b"\",");
    }

    #[inline(always)]
    fn fixed(&mut self, fields: &FixedFields) {
        self.0.put(fields.json());
    }
}

/// Writes a header in RocketMQ's binary layout.
pub(super) struct BinarySink<'b> {
    space: Space<'b>,
    name_too_long: bool,
}

impl BinarySink<'_> {
    /// Writes the ext fields alone; their size, or `None` when `space` is too small.
    pub(super) fn fields<H: WriteFields>(space: &mut [u8], fields: &H) -> Result<Option<usize>, EncodeError> {
        let size = space.len();
        let mut sink = BinarySink { space: Space::from(space, 0), name_too_long: false };
        fields.write(&mut sink);
        match sink {
            BinarySink { name_too_long: true, .. } => Err(EncodeError::NameTooLong),
            BinarySink { space: Space { full: true, .. }, .. } => Ok(None),
            BinarySink { space: Space { rest, .. }, .. } => Ok(Some(size - rest.len())),
        }
    }

    /// Writes prefix and header; the size of both, or `None` when `space` is too small.
    #[inline(always)]
    pub(super) fn command<H: WriteFields>(
        space: &mut [u8],
        head: &CommandHead<'_>,
        fields: &H,
        body_len: usize,
    ) -> Result<Option<usize>, EncodeError> {
        let code = i16::try_from(head.code).map_err(|_| EncodeError::CodeTooLarge { code: head.code })?;
        let version = i16::try_from(head.version)
            .map_err(|_| EncodeError::VersionTooLarge { version: head.version })?;
        let size = space.len();
        let mut sink = BinarySink { space: Space::from(space, PREFIX_BYTES), name_too_long: false };
        sink.space.put(&code.to_be_bytes());
        sink.space.put(&[head.language.code()]);
        sink.space.put(&version.to_be_bytes());
        sink.space.put(&head.opaque.to_be_bytes());
        sink.space.put(&head.flag.to_be_bytes());
        let remark = head.remark.unwrap_or_default();
        sink.space.length(remark.len());
        sink.space.put(remark.as_bytes());
        sink.space.length(0);
        let first = size - sink.space.rest.len();
        fields.write(&mut sink);
        if sink.name_too_long {
            return Err(EncodeError::NameTooLong);
        }
        if sink.space.full {
            return Ok(None);
        }
        let end = size - sink.space.rest.len();
        Space::from(space, first - 4).length(end - first);
        finish(space, end, SerializeType::RocketMq, body_len)
    }

    /// Name length, name and value length, and a value that is short.
    #[inline(always)]
    fn field(&mut self, name: &str, value_len: usize, value: &[u8]) {
        let Ok(name_len) = i16::try_from(name.len()) else {
            self.name_too_long = true;
            return;
        };
        let len = name.len() + 6 + value.len();
        match core::mem::take(&mut self.space.rest).split_at_mut_checked(len) {
            Some((place, rest)) => {
                if let [a, b, place @ ..] = place {
                    [*a, *b] = name_len.to_be_bytes();
                    if let Some((text, [c, d, e, f, place @ ..])) = place.split_at_mut_checked(name.len()) {
                        text.copy_from_slice(name.as_bytes());
                        [*c, *d, *e, *f] = (value_len as u32).to_be_bytes();
                        place.copy_from_slice(value);
                    }
                }
                self.space.rest = rest;
            }
            None => self.space.overflow(),
        }
    }
}

impl FieldSink for BinarySink<'_> {
    #[inline(always)]
    fn str(&mut self, name: &str, value: &str) {
        self.field(name, value.len(), b"");
        self.space.put(value.as_bytes());
    }

    #[inline(always)]
    fn int(&mut self, name: &str, value: i64) {
        if let Ok(digit @ 0..=9) = u8::try_from(value) {
            return self.field(name, 1, &[b'0' + digit]);
        }
        let mut digits = [0; DECIMAL_ROOM];
        let len = decimal(value, &mut digits);
        self.field(name, len, b"");
        self.space.put(digits.get(..len).unwrap_or_default());
    }

    #[inline(always)]
    fn bool(&mut self, name: &str, value: bool) {
        if value {
            self.field(name, 4, b"true");
        } else {
            self.field(name, 5, b"false");
        }
    }

    #[inline(always)]
    fn plain(&mut self, name: &str, value: Plain<'_>) {
        self.field(name, value.as_bytes().len(), b"");
        self.space.put(value.as_bytes());
    }

    #[inline(always)]
    fn parts(&mut self, name: &str, parts: &[Part<'_>]) {
        self.field(name, parts.iter().map(Part::len).sum(), b"");
        for part in parts {
            match *part {
                Part::Text(text) => self.space.put(text.as_bytes()),
                Part::Plain(text) => self.space.put(text.as_bytes()),
                Part::NameEnd => self.space.put(&[1]),
                Part::ValueEnd => self.space.put(&[2]),
            }
        }
    }

    #[inline(always)]
    fn fixed(&mut self, fields: &FixedFields) {
        self.space.put(fields.binary());
    }
}

/// Adds up what the fields of a header need at least, in bytes.
pub(super) struct Measure {
    bytes: usize,
}

impl Measure {
    /// Room for a header when its texts need no escapes. Saturates instead of wrapping.
    pub(super) fn command<H: WriteFields>(head: &CommandHead<'_>, fields: &H) -> usize {
        const OTHER_FIELDS: usize = 192;
        let mut measure = Self { bytes: OTHER_FIELDS };
        measure.add(head.remark.unwrap_or_default().len());
        fields.write(&mut measure);
        measure.bytes
    }

    /// The same for the ext fields alone.
    pub(super) fn fields<H: WriteFields>(fields: &H) -> usize {
        let mut measure = Self { bytes: 0 };
        fields.write(&mut measure);
        measure.bytes
    }

    fn add(&mut self, bytes: usize) {
        const AROUND: usize = 8;
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(AROUND);
    }
}

impl FieldSink for Measure {
    fn str(&mut self, name: &str, value: &str) {
        self.add(name.len());
        self.add(value.len());
    }

    fn int(&mut self, name: &str, _: i64) {
        const MOST_DIGITS: usize = 20;
        self.add(name.len());
        self.add(MOST_DIGITS);
    }

    fn bool(&mut self, name: &str, _: bool) {
        self.add(name.len());
    }

    fn plain(&mut self, name: &str, value: Plain<'_>) {
        self.add(name.len());
        self.add(value.as_bytes().len());
    }

    fn parts(&mut self, name: &str, parts: &[Part<'_>]) {
        self.add(name.len());
        parts.iter().for_each(|part| self.add(part.len()));
    }
    fn fixed(&mut self, fields: &FixedFields) {
        self.add(fields.json().len().max(fields.binary().len()));
    }
}
