//! Which texts may be names, values, tags and keys.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::names;
use crate::wire::text::any_below;

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

/// The letters that reserved names begin with: names of users rarely do, and are not looked up then.
const RESERVED_INITIALS: [bool; 256] = {
    let mut initials = [false; 256];
    let mut rest: &[&str] = &RESERVED;
    while let Some((name, others)) = rest.split_first() {
        initials[name.as_bytes()[0] as usize] = true;
        rest = others;
    }
    initials
};

/// Whether RocketMQ uses this property name itself, so that users cannot set it.
#[must_use]
pub fn is_reserved_property(name: &str) -> bool {
    let may_be = name.as_bytes().first().is_some_and(|initial| RESERVED_INITIALS[usize::from(*initial)]);
    may_be && RESERVED.binary_search(&name).is_ok()
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
    /// A time of zero in which a transaction can be ended unasked.
    #[error("a check immunity time of zero; leave it out for the broker's default of 6 s")]
    NoImmunityTime,
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

/// Whether a user may set this property.
pub(super) fn check_user_property(name: &str, value: &str) -> Result<(), PropertyError> {
    if is_reserved_property(name) {
        return Err(PropertyError::Reserved { name: name.to_owned() });
    }
    check_property(name, value)
}

/// Whether a property can have this name and this value.
pub(super) fn check_property(name: &str, value: &str) -> Result<(), PropertyError> {
    if is_blank(name) {
        return Err(PropertyError::BlankName);
    }
    if let Some(character) = first_control(name) {
        return Err(PropertyError::ControlInName { name: name.to_owned(), character });
    }
    check_value(name, value)
}

/// Whether the property `name` can have this value.
#[inline]
pub(super) fn check_value(name: &str, value: &str) -> Result<(), PropertyError> {
    if let Some(character) = first_control(value) {
        return Err(PropertyError::ControlInValue { name: name.to_owned(), character });
    }
    if is_blank(value) {
        return Err(PropertyError::BlankValue { name: name.to_owned() });
    }
    Ok(())
}

/// Whether a text may become one of the keys of a message.
#[inline]
pub(super) fn check_key(key: &str) -> Result<(), PropertyError> {
    // Sought together, so that a key is read once: the blank comes next to the control characters.
    if any_below::<{ b' ' + 1 }>(key.as_bytes()) {
        check_value(names::KEYS, key)?;
        return Err(PropertyError::BlankInKey { key: key.to_owned() });
    }
    if is_blank(key) {
        return Err(PropertyError::BlankValue { name: names::KEYS.to_owned() });
    }
    Ok(())
}

/// Whether nothing is left of a text without its white space. Mostly one look at the first byte.
#[inline]
fn is_blank(text: &str) -> bool {
    let is_visible = text.as_bytes().first().is_some_and(u8::is_ascii_graphic);
    !is_visible && text.chars().all(char::is_whitespace)
}

/// The first C0 control character: U+0000 to U+001F.
#[inline]
fn first_control(text: &str) -> Option<char> {
    // Bytes below 0x20 occur in UTF-8 only as these characters themselves.
    if !any_below::<b' '>(text.as_bytes()) {
        return None;
    }
    text.bytes().find(|byte| *byte < b' ').map(char::from)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
