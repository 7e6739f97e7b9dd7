//! The body of a batch: messages back to back.

use bytes::Bytes;

/// One message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) flag: i32,
    pub(super) body: Bytes,
    pub(super) properties: String,
}

const UNDERFLOW: &str = "java.nio.BufferUnderflowException";

/// Splits the body of a batch.
///
/// # Errors
/// The name of the exception that a server runs into.
pub(super) fn split(body: &Bytes) -> Result<Vec<Part>, &'static str> {
    if body.is_empty() {
        return Err("java.lang.NullPointerException");
    }
    let mut input = Input { body, at: 0 };
    let mut parts = Vec::new();
    while input.at < body.len() {
        // Total size, magic and checksum are read and not looked at.
        input.i32()?;
        input.i32()?;
        input.i32()?;
        let flag = input.i32()?;
        let body_length = input.i32()?;
        // The checksum of the body runs out of the array; the properties are a position that is set.
        let body = input.bytes(body_length).map_err(|_| "java.lang.ArrayIndexOutOfBoundsException")?;
        let properties = input.i16()?;
        // A length below zero steps back, where nothing is read that makes a message.
        let length = usize::try_from(properties).map_err(|_| UNDERFLOW)?;
        let properties = input.bytes(length as i32).map_err(|_| "java.lang.IllegalArgumentException")?;
        let properties = String::from_utf8_lossy(&properties).into_owned();
        parts.push(Part { flag, body, properties });
    }
    Ok(parts)
}

struct Input<'a> {
    body: &'a Bytes,
    at: usize,
}

impl Input<'_> {
    fn bytes(&mut self, length: i32) -> Result<Bytes, &'static str> {
        let length = usize::try_from(length).map_err(|_| UNDERFLOW)?;
        if self.body.len() - self.at < length {
            return Err(UNDERFLOW);
        }
        let taken = self.body.slice(self.at..self.at + length);
        self.at += length;
        Ok(taken)
    }

    fn i32(&mut self) -> Result<i32, &'static str> {
        let taken = self.bytes(4)?;
        Ok(taken.iter().fold(0, |number, byte| (number << 8) | i32::from(*byte)))
    }

    fn i16(&mut self) -> Result<i16, &'static str> {
        let taken = self.bytes(2)?;
        Ok(taken.iter().fold(0, |number, byte| (number << 8) | i16::from(*byte)))
    }
}
