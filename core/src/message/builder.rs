//! Builds messages.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::time::Duration;

use bytes::Bytes;

use super::rules::{check_key, check_user_property, check_value};
use super::{Message, MessageError, Properties, PropertyError, names};
use crate::ground::names::TopicName;

/// Builds a [`Message`]. What is wrong with a part is told by [`MessageBuilder::build`], the first
/// such part only.
// Each call takes the builder and returns it. These shells are inlined, so that it stays where it
// is, and what they do has one copy each, see below.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MessageBuilder {
    message: Message,
    /// Bytes of `KEYS` with its separators, 0 without keys. It stays the last property, so the
    /// first key already goes where it will be sent from.
    keys_len: usize,
    /// In a box: hardly any builder has one, and all of them would be larger.
    error: Option<Box<PropertyError>>,
}

impl MessageBuilder {
    #[inline]
    pub(super) fn new(topic: TopicName) -> MessageBuilder {
        let properties = Properties::to_be_built();
        let message = Message { topic, body: Bytes::new(), flag: 0, properties };
        MessageBuilder { message, keys_len: 0, error: None }
    }

    /// Sets the body.
    #[inline]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.message.body = body.into();
        self
    }

    /// Sets the tag, by which consumers filter: not blank, no control characters.
    #[doc(alias = "setTags")]
    #[inline]
    pub fn tag(mut self, tag: &str) -> Self {
        self.set_tag(tag);
        self
    }

    /// Adds one index key: not blank, no blank inside, no control characters.
    #[doc(alias = "setKeys")]
    #[inline]
    pub fn key(mut self, key: &str) -> Self {
        self.add_key(key);
        self
    }

    /// Adds several index keys, see [`MessageBuilder::key`].
    pub fn keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        keys.into_iter().for_each(|key| self.add_key(key.as_ref()));
        self
    }

    /// Sets a user property; an earlier value of that name is replaced. Names that RocketMQ uses
    /// itself are refused, as are blank names and values and control characters in either.
    #[doc(alias = "putUserProperty")]
    #[inline]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.set_property(name, value);
        self
    }

    /// Sets a number that RocketMQ carries but does not read (header field `flag`, default 0).
    #[doc(alias = "setFlag")]
    #[inline]
    pub fn flag(mut self, flag: i32) -> Self {
        self.message.flag = flag;
        self
    }

    /// Whether the broker answers only when the message is stored as its flush and replication
    /// settings say (property `WAIT`, default true).
    #[doc(alias = "setWaitStoreMsgOK")]
    #[inline]
    pub fn wait_store_msg_ok(mut self, wait: bool) -> Self {
        self.set(names::WAIT, if wait { "true" } else { "false" });
        self
    }

    /// For half messages: how long the producer may end the transaction unasked, in whole seconds, rounded up (property
    /// `CHECK_IMMUNITY_TIME_IN_SECONDS`). Brokers do not ask before that, and 5.x refuses an unasked end after it. By
    /// default brokers ask after 6 s, and take an end at any time. Zero is refused.
    pub fn check_immunity_time(mut self, time: Duration) -> Self {
        let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
        if seconds == 0 {
            self.refuse(PropertyError::NoImmunityTime);
        } else {
            // Brokers read 31 bits.
            let seconds = seconds.min(i32::MAX.unsigned_abs().into());
            self.set(names::CHECK_IMMUNITY_TIME_IN_SECONDS, &seconds.to_string());
        }
        self
    }

    /// The message.
    ///
    /// # Errors
    /// The first tag, key or property that was refused. Topic and sizes are checked when it is
    /// sent, see [`check_message`](super::check_message).
    #[inline]
    pub fn build(self) -> Result<Message, MessageError> {
        match self.error {
            None => Ok(self.message),
            Some(error) => Err((*error).into()),
        }
    }

    fn set_tag(&mut self, tag: &str) {
        match check_value(names::TAGS, tag) {
            Ok(()) => self.set(names::TAGS, tag),
            Err(error) => self.refuse(error),
        }
    }

    fn set_property(&mut self, name: &str, value: &str) {
        match check_user_property(name, value) {
            Ok(()) => self.set(name, value),
            Err(error) => self.refuse(error),
        }
    }

    fn add_key(&mut self, key: &str) {
        match check_key(key) {
            Ok(()) => self.keys_len += self.message.properties.add_key(key, self.keys_len),
            Err(error) => self.refuse(error),
        }
    }

    /// Sets a property that is none of the keys, and whose characters are known to be harmless.
    fn set(&mut self, name: &str, value: &str) {
        let properties = &mut self.message.properties;
        if self.keys_len == 0 {
            properties.replace_checked(name, value);
        } else {
            properties.replace_before(self.keys_len, name, value);
        }
    }

    #[cold]
    fn refuse(&mut self, error: PropertyError) {
        self.error.get_or_insert_with(|| Box::new(error));
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
