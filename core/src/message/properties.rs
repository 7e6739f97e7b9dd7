//! The properties of a message, kept as the text that goes over the wire.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::rules::{PropertyError, check_property, check_user_property};
use super::{KEY_SEPARATOR, unique_key};

/// Stands between a name and its value.
const NAME_END: char = '\u{1}';
/// Stands behind each value, the last one too: Java 4.9 glues texts together and relies on it.
const VALUE_END: char = '\u{2}';

/// The property `WAIT` of a new message.
const WAIT_TRUE: &str = "WAIT\u{1}true\u{2}";

/// Room for the `UNIQ_KEY` that a message gets when it is handed back unsent.
const UNIQ_KEY_ROOM: usize = pair_len(names::UNIQ_KEY.len(), unique_key::MAX_LEN);
/// Room for `WAIT` and `UNIQ_KEY`, so that a plain message's properties are one allocation.
const PLAIN_ROOM: usize = pair_len(names::WAIT.len(), "false".len()) + UNIQ_KEY_ROOM;
/// Room for a tag and a key besides, so that most messages' are, too. With its own 8 bytes this is
/// the largest piece that glibc's allocator keeps at hand by the thousand: a larger one costs 150
/// instructions more when many messages are under way.
const BUILDER_ROOM: usize = 120;

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
    /// The namespace of the message's topic, where it has one.
    pub const INSTANCE_ID: &str = "INSTANCE_ID";
    /// Producer group of a half message.
    pub const PGROUP: &str = "PGROUP";
    /// `true` on a half message.
    pub const TRAN_MSG: &str = "TRAN_MSG";
    /// How often the broker has asked about a half message.
    pub const TRANSACTION_CHECK_TIMES: &str = "TRANSACTION_CHECK_TIMES";
    /// Seconds in which only the producer ends a half message, and after which only its answer to a check does.
    pub const CHECK_IMMUNITY_TIME_IN_SECONDS: &str = "CHECK_IMMUNITY_TIME_IN_SECONDS";
    /// Queues of a light topic that the broker dispatches to as well, separated by commas.
    pub const INNER_MULTI_DISPATCH: &str = "INNER_MULTI_DISPATCH";
    /// Which request a reply belongs to.
    pub const CORRELATION_ID: &str = "CORRELATION_ID";
    /// Group of messages that stay in order.
    pub const SHARDING_KEY: &str = "__SHARDINGKEY";
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
    initials: u64,
}

impl Properties {
    /// No properties.
    #[must_use]
    pub const fn new() -> Properties {
        Properties { text: String::new(), initials: 0 }
    }

    /// Just `WAIT`, with room for what a send adds.
    pub(super) fn plain() -> Properties {
        Properties::wait_with_room(PLAIN_ROOM)
    }

    /// Just `WAIT`, with room for what usually comes.
    pub(super) fn to_be_built() -> Properties {
        Properties::wait_with_room(BUILDER_ROOM)
    }

    #[inline]
    fn wait_with_room(room: usize) -> Properties {
        let mut text = String::with_capacity(room);
        text.push_str(WAIT_TRUE);
        Properties { text, initials: initial(names::WAIT) }
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
    #[inline]
    pub fn get(&self, name: &str) -> Option<&str> {
        // Inlined up to here, where the name is known, the question is one instruction.
        if self.initials & initial(name) == 0 {
            return None;
        }
        self.find(name)
    }

    fn find(&self, name: &str) -> Option<&str> {
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
        check_user_property(name, value)?;
        self.replace_checked(name, value);
        Ok(())
    }

    /// Sets a property under any name, the reserved ones too: for RocketMQ's own properties.
    ///
    /// # Errors
    /// A blank name or value, a control character in either.
    pub fn insert_reserved(&mut self, name: &str, value: &str) -> Result<(), PropertyError> {
        check_property(name, value)?;
        self.replace_checked(name, value);
        Ok(())
    }

    /// Replaces or appends a pair whose characters are known to be harmless.
    #[inline]
    pub(super) fn replace_checked(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.append(name, value);
    }

    /// The same, but what are the last `tail` bytes now, pairs of other names, stays behind it.
    pub(super) fn replace_before(&mut self, tail: usize, name: &str, value: &str) {
        self.remove(name);
        self.initials |= initial(name);
        self.make_room(pair_len(name.len(), value.len()));
        let at = self.text.len().saturating_sub(tail);
        self.text.insert(at, VALUE_END);
        self.text.insert_str(at, value);
        self.text.insert(at, NAME_END);
        self.text.insert_str(at, name);
    }

    /// Adds a key to `KEYS`, which are the last `keys_len` bytes, or none. Returns by how much they grew.
    pub(super) fn add_key(&mut self, key: &str, keys_len: usize) -> usize {
        let before = self.text.len();
        if keys_len == 0 {
            self.append(names::KEYS, key);
        } else {
            self.make_room(KEY_SEPARATOR.len().saturating_add(key.len()));
            self.text.pop();
            self.text.push_str(KEY_SEPARATOR);
            self.text.push_str(key);
            self.text.push(VALUE_END);
        }
        self.text.len() - before
    }

    #[inline]
    fn append(&mut self, name: &str, value: &str) {
        self.initials |= initial(name);
        self.make_room(pair_len(name.len(), value.len()));
        push_pair(&mut self.text, name, value);
    }

    /// Makes room for so many bytes at once.
    #[inline]
    fn make_room(&mut self, bytes: usize) {
        if bytes > self.text.capacity() - self.text.len() {
            self.grow(bytes);
        }
    }

    /// Whoever needs more room than usual gets that for a `UNIQ_KEY` with it.
    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.text.reserve(bytes.saturating_add(UNIQ_KEY_ROOM));
    }

    /// Takes a property out, if it is there.
    #[inline]
    pub(super) fn remove(&mut self, name: &str) {
        if self.initials & initial(name) != 0
            && let Some(range) = self.range_of(name)
        {
            self.text.replace_range(range, "");
        }
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

/// The bit of a name's first letter; upper and lower case have bits of their own.
#[inline]
const fn initial(name: &str) -> u64 {
    match name.as_bytes() {
        [letter, ..] => 1 << (*letter & 63),
        [] => 0,
    }
}

/// Appends a pair to a text that goes over the wire.
#[inline]
pub(super) fn push_pair(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push(NAME_END);
    text.push_str(value);
    text.push(VALUE_END);
}

/// Bytes of a pair with its separators.
pub(super) const fn pair_len(name: usize, value: usize) -> usize {
    name.saturating_add(value).saturating_add(2)
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

#[cfg(test)]
#[path = "properties_tests.rs"]
mod tests;
