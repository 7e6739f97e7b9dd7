//! The header in RocketMQ's binary form.

use std::borrow::Cow;

use bytes::Bytes;

use super::header_json::known_languages;
use super::{Dialect, Frame, SerializeType, Text};

/// Reads a header; `None` when a server would close the connection over it. The body is left empty.
pub(crate) fn read(dialect: Dialect, header: &[u8]) -> Option<Frame> {
    let mut input = Input { rest: header, limit: header.len() };
    let code = input.i16()?;
    let language = input.u8()?;
    let version = input.i16()?;
    let opaque = input.i32()?;
    let flag = input.i32()?;
    let remark = {
        let length = input.i32()?;
        input.text(length)?
    };
    let ext_length = input.i32()?;
    let ext_fields = read_ext_fields(&mut input, ext_length)?;
    Some(Frame {
        serialize_type: SerializeType::RocketMq,
        code: i32::from(code),
        language: (language < known_languages(dialect)).then_some(language),
        version: i32::from(version),
        opaque: Some(opaque),
        flag,
        remark: remark.map(String::from),
        ext_fields,
        body: Bytes::new(),
    })
}

type ExtFields = Vec<(Text, Option<Text>)>;

/// A length of zero or below means that there are no ext fields.
fn read_ext_fields(input: &mut Input<'_>, length: i32) -> Option<Option<ExtFields>> {
    let Ok(length) = usize::try_from(length) else {
        return Some(None);
    };
    if length == 0 {
        return Some(None);
    }
    // Servers stop at the end of the block, but let the last entry run on to the end of the header.
    let after = input.rest.len().checked_sub(length)?;
    let mut fields = Vec::with_capacity(16);
    while input.rest.len() > after {
        let key_length = input.i16()?;
        let key = input.text(i32::from(key_length))?;
        let value_length = input.i32()?;
        let value = input.text(value_length)?;
        fields.push((key.unwrap_or_default(), value));
    }
    Some(Some(fields))
}

struct Input<'a> {
    rest: &'a [u8],
    limit: usize,
}

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn i16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    /// Outer `None`: refused; inner `None`: length zero, which servers read as null.
    fn text(&mut self, length: i32) -> Option<Option<Text>> {
        let length = usize::try_from(length).ok()?;
        if length == 0 {
            return Some(None);
        }
        if length > self.limit {
            return None;
        }
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Some(match String::from_utf8_lossy(taken) {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }))
    }
}

/// Writes the header of a frame. Codes and versions are cut to 16 bits, as servers do.
pub(crate) fn write(frame: &Frame, out: &mut Vec<u8>) {
    out.extend_from_slice(&(frame.code as i16).to_be_bytes());
    out.push(frame.language.unwrap_or(0));
    out.extend_from_slice(&(frame.version as i16).to_be_bytes());
    out.extend_from_slice(&frame.opaque.unwrap_or(0).to_be_bytes());
    out.extend_from_slice(&frame.flag.to_be_bytes());
    write_i32_text(frame.remark.as_deref().unwrap_or_default().as_bytes(), out);
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    for (name, value) in frame.ext_fields.iter().flatten() {
        let Some(value) = value else { continue };
        out.extend_from_slice(&(name.len() as u16).to_be_bytes());
        out.extend_from_slice(name.as_bytes());
        write_i32_text(value.as_bytes(), out);
    }
    let length = (out.len() - length_at - 4) as u32;
    out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
}

fn write_i32_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_be_bytes());
    out.extend_from_slice(text);
}
