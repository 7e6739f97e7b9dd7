//! Lists of named values, as settings are recorded.

use super::error::ReadErrorKind as Wrong;
use super::parts::{Parts, put_bytes, put_number, put_time};
use alloc::vec::Vec;
use core::fmt::Display;
use core::str::FromStr;
use core::time::Duration;

pub(super) enum Value<'a> {
    Number(u64),
    Text(&'a str),
    Time(Duration),
}

/// Appends settings; the number of them comes first.
pub(super) struct List {
    count: u64,
    bytes: Vec<u8>,
}

impl List {
    pub(super) fn new() -> Self {
        Self { count: 0, bytes: Vec::new() }
    }

    pub(super) fn put(&mut self, name: &str, value: &Value<'_>) {
        self.count += 1;
        put_bytes(&mut self.bytes, name.as_bytes());
        match value {
            Value::Number(number) => {
                self.bytes.push(0);
                put_number(&mut self.bytes, *number);
            }
            Value::Text(text) => {
                self.bytes.push(1);
                put_bytes(&mut self.bytes, text.as_bytes());
            }
            Value::Time(time) => {
                self.bytes.push(2);
                put_time(&mut self.bytes, *time);
            }
        }
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.put(name, &Value::Number(number));
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.put(name, &Value::Text(text));
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) {
        put_number(out, self.count);
        out.extend_from_slice(&self.bytes);
    }
}

pub(super) fn for_each(
    parts: &mut Parts<'_>,
    mut each: impl FnMut(&str, &Value<'_>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let count = parts.number("number of settings")?;
    for _ in 0..count {
        let name = parts.text("name of a setting")?;
        let value = match parts.byte("kind of a setting")? {
            0 => Value::Number(parts.number("setting")?),
            1 => Value::Text(parts.text("setting")?),
            2 => Value::Time(parts.time("setting")?),
            other => return Err(Wrong::value("kind of a setting", other)),
        };
        each(name, &value)?;
    }
    Ok(())
}

impl<'a> Value<'a> {
    pub(super) fn number<T: TryFrom<u64>>(&self) -> Result<T, Wrong> {
        match self {
            Self::Number(number) => T::try_from(*number).map_err(|_| Wrong::BadNumber("setting")),
            _ => Err(Wrong::value("setting", "not a number")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, Wrong> {
        match self.number::<u64>()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Wrong::value("flag", other)),
        }
    }

    pub(super) fn text(&self) -> Result<&'a str, Wrong> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Wrong::value("setting", "not a text")),
        }
    }

    pub(super) fn time(&self) -> Result<Duration, Wrong> {
        match self {
            Self::Time(time) => Ok(*time),
            _ => Err(Wrong::value("setting", "not a time")),
        }
    }

    pub(super) fn parse<T: FromStr>(&self, what: &'static str) -> Result<T, Wrong>
    where
        T::Err: Display,
    {
        self.text()?.parse().map_err(|error| Wrong::value(what, error))
    }
}
