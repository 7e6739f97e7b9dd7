//! JSON headers in the compact form that all clients write, scanned by hand.
//!
//! Only the keys of the outermost object are walked, in whatever order they come: Java writes `opaque` after
//! the ext fields, others before. The ext fields, most of a header, are skipped in one search.

use crate::request::{Head, decimal};
use memchr::memmem::Finder;

/// Searches that are prepared once.
pub(crate) struct Scanner {
    object_end: Finder<'static>,
    long_queue_id: Finder<'static>,
    short_queue_id: Finder<'static>,
    topic: Finder<'static>,
    unique_key: Finder<'static>,
    raw_unique_key: Finder<'static>,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            object_end: Finder::new(b"},\""),
            long_queue_id: Finder::new(b"\"queueId\":\""),
            short_queue_id: Finder::new(b"\"e\":\""),
            topic: Finder::new(b"\"topic\":\""),
            unique_key: Finder::new(b"UNIQ_KEY\\u0001"),
            raw_unique_key: Finder::new(b"UNIQ_KEY\x01"),
        }
    }

    /// Reads what stands in the outermost object. `None` without code and opaque, or if the header is not in
    /// compact form.
    pub(crate) fn head<'a>(&self, header: &'a [u8]) -> Option<Head<'a>> {
        let (mut code, mut flag, mut opaque) = (None, None, None);
        let mut ext: &[u8] = &[];
        let mut rest = header.strip_prefix(b"{")?;
        loop {
            let key = rest.strip_prefix(b"\"")?;
            let key_end = memchr::memchr(b'"', key)?;
            let (key, value) = (&key[..key_end], key[key_end + 1..].strip_prefix(b":")?);
            match key {
                b"code" => code = decimal(value),
                b"flag" => flag = decimal(value),
                b"opaque" => opaque = decimal(value),
                b"extFields" => ext = value,
                _ => {}
            }
            if let (Some(code), Some(opaque), Some(flag), false) = (code, opaque, flag, ext.is_empty()) {
                return Some(Head { code, flag, opaque, ext });
            }
            match self.after_value(value)?.split_first()? {
                (b',', next) => rest = next,
                _ => break,
            }
        }
        Some(Head { code: code?, flag: flag.unwrap_or(0), opaque: opaque?, ext })
    }

    /// What comes after the value that `text` starts with: `,` or `}`.
    fn after_value<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match text.first()? {
            b'"' => after_string(text),
            b'{' => self.after_object(text),
            _ => {
                let end = text.iter().position(|byte| matches!(byte, b',' | b'}'))?;
                Some(&text[end..])
            }
        }
    }

    /// What comes after an object of strings. In compact form an object ends where `},"` is followed by a
    /// letter: within a string, the quote would end it, and no letter follows the end of a string.
    fn after_object<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut from = 0;
        while let Some(found) = self.object_end.find(&text[from..]) {
            let end = from + found;
            if text.get(end + 3).is_some_and(u8::is_ascii_alphabetic) {
                return Some(&text[end + 1..]);
            }
            from = end + 1;
        }
        // Nothing follows, so this is the last value of the header.
        text.strip_suffix(b"}").map(|_| &text[text.len() - 1..])
    }

    /// The queue of a send whose ext fields have long names, as text.
    pub(crate) fn long_queue_id<'a>(&self, ext: &'a [u8]) -> Option<&'a [u8]> {
        after(&self.long_queue_id, ext)
    }

    /// The queue of a send whose ext fields have short names, as text.
    pub(crate) fn short_queue_id<'a>(&self, ext: &'a [u8]) -> Option<&'a [u8]> {
        after(&self.short_queue_id, ext)
    }

    /// The topic of a route request.
    pub(crate) fn topic<'a>(&self, ext: &'a [u8]) -> Option<&'a [u8]> {
        let topic = after(&self.topic, ext)?;
        Some(&topic[..memchr::memchr(b'"', topic)?])
    }

    /// What follows the name of the unique id in the properties of a JSON header.
    pub(crate) fn after_unique_key<'a>(&self, ext: &'a [u8]) -> Option<&'a [u8]> {
        after(&self.unique_key, ext)
    }

    /// What follows the name of the unique id where properties are not written as JSON.
    pub(crate) fn after_raw_unique_key<'a>(&self, properties: &'a [u8]) -> Option<&'a [u8]> {
        after(&self.raw_unique_key, properties)
    }
}

fn after<'a>(finder: &Finder<'_>, text: &'a [u8]) -> Option<&'a [u8]> {
    finder.find(text).map(|found| &text[found + finder.needle().len()..])
}

/// What comes after the string that `text` starts with.
fn after_string(text: &[u8]) -> Option<&[u8]> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(&text[at + 1..]);
        }
        at += 2;
    }
}
