//! Messages as a producer hands them in: topic, body, flag and properties, and the identifiers that
//! RocketMQ gives them.

mod check;
mod hex;
mod java_hash;
mod offset_id;
mod properties;
mod unique_key;

use alloc::string::String;
use bytes::Bytes;

use crate::ground::names::TopicName;

pub use check::{MAX_PROPERTIES_LEN, MessageError, check_message};
pub use java_hash::{java_string_hash, queue_index_by_hash};
pub use offset_id::{OffsetMessageId, OffsetMessageIdError};
pub use properties::{Properties, PropertyError, PropertyIter, is_reserved_property, names};
pub use unique_key::{UniqueKey, UniqueKeyError, UniqueKeys};

/// Bytes that every message counts for in memory limits besides its own texts: the structures that
/// carry it through the client.
pub const MESSAGE_OVERHEAD: usize = 256;

/// Separates the keys of a message in its `KEYS` property.
const KEY_SEPARATOR: &str = " ";

/// A message to send.
///
/// A clone shares topic and body and copies the text of the properties.
///
/// ```
/// use rocketmq_core::ground::names::TopicName;
/// use rocketmq_core::message::Message;
///
/// let topic: TopicName = "orders".parse()?;
/// let message = Message::builder(topic)
///     .body("4 apples")
///     .tag("created")
///     .key("order-4711")
///     .property("region", "north")
///     .build()?;
/// assert_eq!(message.tag(), Some("created"));
/// assert_eq!(message.keys().collect::<Vec<_>>(), ["order-4711"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    topic: TopicName,
    body: Bytes,
    flag: i32,
    properties: Properties,
}

impl Message {
    /// A message without tag, keys and user properties; the broker answers when it is stored
    /// (property `WAIT` = `true`, as Java's constructor sets it).
    #[must_use]
    pub fn new(topic: TopicName, body: impl Into<Bytes>) -> Message {
        Message { topic, body: body.into(), flag: 0, properties: Properties::with_wait(true) }
    }

    /// A message as it was recorded.
    #[cfg(feature = "record")]
    pub(crate) fn from_parts(topic: TopicName, body: Bytes, flag: i32, properties: Properties) -> Message {
        Message { topic, body, flag, properties }
    }

    /// Builds a message with tag, keys, user properties.
    pub fn builder(topic: TopicName) -> MessageBuilder {
        MessageBuilder { message: Message::new(topic, Bytes::new()), keys: String::new(), error: None }
    }

    /// The topic it goes to.
    #[must_use]
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// The body, as the consumer will get it.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// A number that RocketMQ carries but does not read (header field `flag`).
    #[must_use]
    pub fn flag(&self) -> i32 {
        self.flag
    }

    /// The tag (property `TAGS`), by which consumers filter.
    #[doc(alias = "getTags")]
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.properties.get(names::TAGS)
    }

    /// The index keys (property `KEYS`), by which messages can be looked up on the broker.
    #[doc(alias = "getKeys")]
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let text = self.properties.get(names::KEYS).unwrap_or_default();
        text.split(KEY_SEPARATOR).filter(|key| !key.is_empty())
    }

    /// The value of a property, of the user's or of RocketMQ's.
    #[doc(alias = "getProperty")]
    #[doc(alias = "getUserProperty")]
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name)
    }

    /// All properties.
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Whether the broker answers only when the message is stored as its flush and replication
    /// settings say (property `WAIT`, default true).
    #[doc(alias = "isWaitStoreMsgOK")]
    #[must_use]
    pub fn wait_store_msg_ok(&self) -> bool {
        // Java's reading: absent means true, any other text than "true" means false.
        self.properties.get(names::WAIT).is_none_or(|wait| wait.eq_ignore_ascii_case("true"))
    }

    /// The unique key (property `UNIQ_KEY`), once a send has set it; every further send of this
    /// message and of its clones keeps it. A key of another form than this client's is found with
    /// `property("UNIQ_KEY")` only.
    #[doc(alias = "getUniqID")]
    #[doc(alias = "UNIQ_KEY")]
    #[must_use]
    pub fn unique_key(&self) -> Option<UniqueKey> {
        self.properties.get(names::UNIQ_KEY)?.parse().ok()
    }

    /// Gives the message its unique key (property `UNIQ_KEY`), replacing an earlier one. Sends do
    /// this by themselves.
    #[doc(alias = "setUniqID")]
    pub fn set_unique_key(&mut self, key: UniqueKey) {
        self.properties.replace_checked(names::UNIQ_KEY, key.as_str());
    }

    /// Bytes the message counts for in the limits on held messages: body, topic, properties, and
    /// [`MESSAGE_OVERHEAD`].
    #[must_use]
    pub fn weight(&self) -> usize {
        // The parts are in memory at once, so their sum cannot wrap; saturating keeps it evident.
        self.body
            .len()
            .saturating_add(self.topic.as_str().len())
            .saturating_add(self.properties.as_wire().len())
            .saturating_add(MESSAGE_OVERHEAD)
    }
}

/// Builds a [`Message`]. What is wrong with a part is told by [`MessageBuilder::build`], the first
/// such part only.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MessageBuilder {
    message: Message,
    keys: String,
    error: Option<MessageError>,
}

impl MessageBuilder {
    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.message.body = body.into();
        self
    }

    /// Sets the tag, by which consumers filter: not blank, no control characters.
    #[doc(alias = "setTags")]
    pub fn tag(mut self, tag: &str) -> Self {
        let set = self.message.properties.insert_reserved(names::TAGS, tag);
        self.keep_first(set);
        self
    }

    /// Adds one index key: not blank, no blank inside, no control characters.
    #[doc(alias = "setKeys")]
    pub fn key(mut self, key: &str) -> Self {
        match properties::check_key(key) {
            Ok(()) => {
                if !self.keys.is_empty() {
                    self.keys.push_str(KEY_SEPARATOR);
                }
                self.keys.push_str(key);
            }
            refused => self.keep_first(refused),
        }
        self
    }

    /// Adds several index keys, see [`MessageBuilder::key`].
    pub fn keys<K: AsRef<str>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        keys.into_iter().fold(self, |builder, key| builder.key(key.as_ref()))
    }

    /// Sets a user property; an earlier value of that name is replaced. Names that RocketMQ uses
    /// itself are refused, as are blank names and values and control characters in either.
    #[doc(alias = "putUserProperty")]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        let set = self.message.properties.insert(name, value);
        self.keep_first(set);
        self
    }

    /// Sets a number that RocketMQ carries but does not read (header field `flag`, default 0).
    #[doc(alias = "setFlag")]
    pub fn flag(mut self, flag: i32) -> Self {
        self.message.flag = flag;
        self
    }

    /// Whether the broker answers only when the message is stored as its flush and replication
    /// settings say (property `WAIT`, default true).
    #[doc(alias = "setWaitStoreMsgOK")]
    pub fn wait_store_msg_ok(mut self, wait: bool) -> Self {
        let text = if wait { "true" } else { "false" };
        self.message.properties.replace_checked(names::WAIT, text);
        self
    }

    /// The message.
    ///
    /// # Errors
    /// The first tag, key or property that was refused. Topic and sizes are checked when it is
    /// sent, see [`check_message`].
    pub fn build(mut self) -> Result<Message, MessageError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if !self.keys.is_empty() {
            let properties = &mut self.message.properties;
            properties.replace_checked(names::KEYS, &self.keys);
        }
        Ok(self.message)
    }

    fn keep_first(&mut self, outcome: Result<(), PropertyError>) {
        if let (Err(error), None) = (outcome, &self.error) {
            self.error = Some(error.into());
        }
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
