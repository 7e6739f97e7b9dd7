//! The properties of a message, kept as the text that goes over the wire.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// Stands between a name and its value.
const NAME_END: char = '\u{1}';
/// Stands behind each value, the last one too: Java 4.9 glues texts together and relies on it.
const VALUE_END: char = '\u{2}';

/// Room for `WAIT` and a `UNIQ_KEY`, so that a plain message's properties are one allocation.
const INITIAL_CAPACITY: usize = 64;

/// Names of the properties this client writes or reads itself (Java: `MessageConst`).
pub mod names {
    /// Index keys, joined by one blank.
    pub const KEYS: &str = "KEYS";
    /// The tag.
    pub const TAGS: &str = "TAGS";
    /// `true` or `false`: whether the broker answers when the message is stored.
    pub const WAIT: &str = "WAIT";
    /// The unique key, see [`UniqueKey`](super::super::UniqueKey).
    pub const UNIQ_KEY: &str = crate::request::send::UNIQ_KEY;
    /// Queues of a light topic that the broker dispatches to as well, separated by commas.
    pub const INNER_MULTI_DISPATCH: &str = "INNER_MULTI_DISPATCH";
    /// Group of messages that stay in order.
    pub const SHARDING_KEY: &str = "__SHARDINGKEY";
}

/// The names `putUserProperty` refuses, in byte order.
const RESERVED: [&str; 51] = [
    "1ST_POP_TIME",
    "ARRIVE_TIME",
    "BORN_TIMESTAMP",
    "BUYER_ID",
    "CLUSTER",
    "CONSUME_START_TIME",
    "CORRECTION_FLAG",
    "CORRELATION_ID",
    "DELAY",
    "DLQ_ORIGIN_MESSAGE_ID",
    "DLQ_ORIGIN_TOPIC",
    "DUP_INFO",
    "EXTEND_UNIQ_INFO",
    "INNER_MULTI_QUEUE_OFFSET",
    "INSTANCE_ID",
    "KEYS",
    "MAX_OFFSET",
    "MAX_RECONSUME_TIMES",
    "MIN_OFFSET",
    "MQ2_FLAG",
    "MSG_REGION",
    "MSG_TYPE",
    "ORIGIN_MESSAGE_ID",
    "PGROUP",
    "POP_CK",
    "POP_CK_OFFSET",
    "PUSH_REPLY_TIME",
    "REAL_QID",
    "REAL_TOPIC",
    "RECONSUME_TIME",
    "REPLY_TO_CLIENT",
    "RETRY_TOPIC",
    "TAGS",
    "TIMER_DELAY_LEVEL",
    "TIMER_DELAY_MS",
    "TIMER_DELAY_SEC",
    "TIMER_DELIVER_MS",
    "TIMER_DEL_UNIQKEY",
    "TIMER_DEQUEUE_MS",
    "TIMER_ENQUEUE_MS",
    "TIMER_OUT_MS",
    "TIMER_ROLL_TIMES",
    "TRACE_ON",
    "TRANSFER_FLAG",
    "TRAN_MSG",
    "TRAN_PREPARED_QUEUE_OFFSET",
    "TTL",
    "UNIQ_KEY",
    "WAIT",
    "__BORNHOST",
    "__CRC32#",
];

/// Whether RocketMQ uses this property name itself, so that users cannot set it.
#[must_use]
pub fn is_reserved_property(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

/// Why a property, a tag or a key is refused. The message is not built, nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PropertyError {
    /// RocketMQ uses this name itself.
    #[error("the property name {name} is reserved; {}", instead_of(.name))]
    Reserved {
        /// The reserved name.
        name: String,
    },
    /// The name is empty or consists of white space.
    #[error("a property name is blank; give it a name")]
    BlankName,
    /// The value is empty or consists of white space: readers would lose the property.
    #[error("the value of property {name:?} is blank; leave the property out instead")]
    BlankValue {
        /// The property.
        name: String,
    },
    /// A control character in a property name.
    #[error("the property name {name:?} has the control character {character:?}; remove it")]
    ControlInName {
        /// The property.
        name: String,
        /// The first control character.
        character: char,
    },
    /// A control character in a value, which could split it into properties nobody set.
    #[error(
        "the value of property {name:?} has the control character {character:?}; encode it, or put it into the body"
    )]
    ControlInValue {
        /// The property; `TAGS` for the tag, `KEYS` for a key.
        name: String,
        /// The first control character.
        character: char,
    },
    /// A blank inside a key, which would make two keys of it.
    #[error("the key {key:?} has a blank inside; add several keys one by one")]
    BlankInKey {
        /// The key.
        key: String,
    },
}

/// What a user who reached for a reserved name most likely wants.
fn instead_of(name: &str) -> &'static str {
    match name {
        names::TAGS => "set the tag",
        names::KEYS => "add keys",
        names::WAIT => "use wait_store_msg_ok",
        _ => "choose another name",
    }
}

/// The properties of a message, in the order they were set.
///
/// They are kept as the text that goes over the wire (`name \x01 value \x02` for each), so sending
/// copies it once. No name comes twice, no name and no value is empty. Two are equal when their
/// texts are.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Properties {
    text: String,
    /// The first letters of all names, a bit for each: most questions are for names that are not there.
    initials: u32,
}

impl Properties {
    /// No properties.
    #[must_use]
    pub const fn new() -> Properties {
        Properties { text: String::new(), initials: 0 }
    }

    /// Just `WAIT`, with room for what a send adds.
    pub(super) fn with_wait(wait: bool) -> Properties {
        let mut properties = Properties { text: String::with_capacity(INITIAL_CAPACITY), initials: 0 };
        properties.append(names::WAIT, if wait { "true" } else { "false" });
        properties
    }

    /// Reads a wire text by Java's rules: pieces end at `\x02`, a name ends at the first `\x01` of
    /// its piece, pieces without a name or a value are dropped, and of several values for one name
    /// the last wins. Cannot fail. While it reads, it takes memory for a table of the pairs, so
    /// bound the text first; a store's texts have at most 32 767 bytes.
    #[doc(alias = "string2messageProperties")]
    #[must_use]
    pub fn parse(wire: &str) -> Properties {
        let pairs: Vec<(&str, &str)> = split_pairs(wire).collect();
        let last: BTreeMap<&str, usize> =
            pairs.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
        let mut properties =
            Properties { text: String::with_capacity(wire.len().saturating_add(1)), initials: 0 };
        for (index, (name, value)) in pairs.iter().enumerate() {
            if last.get(name) == Some(&index) {
                properties.append(name, value);
            }
        }
        properties
    }

    /// The text that goes over the wire, as UTF-8; ends with `\x02` unless it is empty.
    #[doc(alias = "messageProperties2String")]
    #[must_use]
    pub fn as_wire(&self) -> &str {
        &self.text
    }

    /// The value of a property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        if self.initials & initial(name) == 0 {
            return None;
        }
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Names and values in the order they were set.
    #[must_use]
    pub fn iter(&self) -> PropertyIter<'_> {
        PropertyIter { rest: &self.text }
    }

    /// Whether there is no property at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Sets a user property; an earlier value of that name is replaced.
    ///
    /// # Errors
    /// A name RocketMQ uses itself, a blank name or value, a control character in either.
    #[doc(alias = "putUserProperty")]
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), PropertyError> {
        if is_reserved_property(name) {
            return Err(PropertyError::Reserved { name: name.to_owned() });
        }
        self.insert_reserved(name, value)
    }

    /// Sets a property under any name, the reserved ones too: for RocketMQ's own properties.
    ///
    /// # Errors
    /// A blank name or value, a control character in either.
    pub fn insert_reserved(&mut self, name: &str, value: &str) -> Result<(), PropertyError> {
        if name.trim().is_empty() {
            return Err(PropertyError::BlankName);
        }
        if let Some(character) = first_control(name) {
            return Err(PropertyError::ControlInName { name: name.to_owned(), character });
        }
        check_value(name, value)?;
        self.replace_checked(name, value);
        Ok(())
    }

    /// Replaces or appends a pair whose characters are known to be harmless.
    pub(super) fn replace_checked(&mut self, name: &str, value: &str) {
        if let Some(range) = self.range_of(name) {
            self.text.replace_range(range, "");
        }
        self.append(name, value);
    }

    fn append(&mut self, name: &str, value: &str) {
        self.initials |= initial(name);
        self.text.push_str(name);
        self.text.push(NAME_END);
        self.text.push_str(value);
        self.text.push(VALUE_END);
    }

    /// Where a property with both its separators stands in the text.
    fn range_of(&self, wanted: &str) -> Option<Range<usize>> {
        let mut start = 0;
        for (name, value) in self.iter() {
            let end = start + name.len() + value.len() + 2;
            if name == wanted {
                return Some(start..end);
            }
            start = end;
        }
        None
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Properties {
    type Item = (&'a str, &'a str);
    type IntoIter = PropertyIter<'a>;
    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}

/// The bit of a name's first letter.
fn initial(name: &str) -> u32 {
    name.as_bytes().first().map_or(0, |letter| 1 << (letter & 31))
}

/// Names and values of [`Properties`].
#[derive(Debug, Clone)]
pub struct PropertyIter<'a> {
    rest: &'a str,
}

impl<'a> Iterator for PropertyIter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (piece, rest) = self.rest.split_once(VALUE_END)?;
        self.rest = rest;
        piece.split_once(NAME_END)
    }
}

/// The pairs of a text from elsewhere, duplicates included.
fn split_pairs(wire: &str) -> impl Iterator<Item = (&str, &str)> {
    wire.split(VALUE_END)
        .filter_map(|piece| piece.split_once(NAME_END))
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// Whether a text may become one of the keys of a message.
pub(super) fn check_key(key: &str) -> Result<(), PropertyError> {
    check_value(names::KEYS, key)?;
    if key.contains(super::KEY_SEPARATOR) {
        return Err(PropertyError::BlankInKey { key: key.to_owned() });
    }
    Ok(())
}

fn check_value(name: &str, value: &str) -> Result<(), PropertyError> {
    if let Some(character) = first_control(value) {
        return Err(PropertyError::ControlInValue { name: name.to_owned(), character });
    }
    if value.trim().is_empty() {
        return Err(PropertyError::BlankValue { name: name.to_owned() });
    }
    Ok(())
}

/// The first C0 control character: U+0000 to U+001F.
fn first_control(text: &str) -> Option<char> {
    // Bytes below 0x20 occur in UTF-8 only as these characters themselves.
    text.bytes().find(|byte| *byte < 0x20).map(char::from)
}

#[cfg(test)]
#[path = "properties_tests.rs"]
mod tests;
