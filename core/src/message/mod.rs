//! Messages as a producer hands them in: topic, body, flag and properties, and the identifiers that
//! RocketMQ gives them.

mod builder;
mod change;
mod check;
mod hex;
#[cfg(feature = "zlib")]
mod inflate;
mod java_hash;
mod message_ext;
mod offset_id;
mod properties;
mod rules;
mod unique_key;

use alloc::string::String;

use bytes::Bytes;

use crate::ground::names::TopicName;
use crate::request::naming::Naming;

pub use builder::MessageBuilder;
pub(crate) use check::{AddedProperties, check_added};
pub use check::{MAX_PROPERTIES_LEN, MessageError, check_message};
pub use java_hash::{java_string_hash, queue_index_by_hash};
pub use message_ext::{Compression, MessageExt, MessageExtError};
pub use offset_id::{OffsetMessageId, OffsetMessageIdError};
pub use properties::{Properties, PropertyIter, names};
pub use rules::{PropertyError, is_reserved_property};
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
        Message { topic, body: body.into(), flag: 0, properties: Properties::plain() }
    }

    /// A message of the client itself, with keys that are separated by blanks.
    pub(crate) fn with_keys(topic: TopicName, body: impl Into<Bytes>, keys: &str) -> Message {
        let mut message = Message::new(topic, body);
        message.properties.replace_checked(names::KEYS, keys);
        message
    }

    /// A message as it was recorded.
    #[cfg(feature = "record")]
    pub(crate) fn from_parts(topic: TopicName, body: Bytes, flag: i32, properties: Properties) -> Message {
        Message { topic, body, flag, properties }
    }

    /// Builds a message with tag, keys, user properties.
    #[inline]
    pub fn builder(topic: TopicName) -> MessageBuilder {
        MessageBuilder::new(topic)
    }

    /// The topic it goes to.
    #[must_use]
    #[inline]
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// The body, as the consumer will get it.
    #[must_use]
    #[inline]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// A number that RocketMQ carries but does not read (header field `flag`).
    #[must_use]
    #[inline]
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
    #[inline]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name)
    }

    /// All properties.
    #[must_use]
    #[inline]
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
    #[inline]
    pub fn unique_key(&self) -> Option<UniqueKey> {
        self.properties.get(names::UNIQ_KEY)?.parse().ok()
    }

    /// Takes the namespace out of the topic of a message that came from a broker.
    pub(crate) fn unwrap_topic(&mut self, naming: &Naming) {
        self.topic = naming.user_topic(&self.topic);
    }

    /// Writes the properties with what goes with them on the wire into `text`.
    pub(crate) fn write_added(&self, text: &mut String, added: &AddedProperties<'_>) {
        text.clear();
        text.push_str(self.properties.as_wire());
        for (name, value) in added.pairs() {
            properties::push_pair(text, name, value);
        }
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
    #[inline]
    pub fn weight(&self) -> usize {
        // The parts are in memory at once, so their sum cannot wrap; saturating keeps it evident.
        self.body
            .len()
            .saturating_add(self.topic.as_str().len())
            .saturating_add(self.properties.as_wire().len())
            .saturating_add(MESSAGE_OVERHEAD)
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
