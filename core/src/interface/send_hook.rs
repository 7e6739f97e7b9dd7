//! Hooks around sends: interceptors, which see each message once, and the check before each attempt.

use super::hooks::Refusal;
use super::input::SendMode;
use super::receipt::SendReceipt;
use super::send_error::SendError;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, GroupName, TopicName};
use crate::message::{Message, PropertyError, UniqueKey};
use alloc::sync::Arc;
use bytes::Bytes;

/// Bytes by which an interceptor may make a message heavier, unless it says otherwise.
const USUAL_GROWTH: usize = 4 * 1024;

/// Sees every message once before it is sent and once when its verdict is there: whether awaited, one-way or half, and
/// however many attempts it takes.
///
/// `before_send` is called when the message is handed to the client, which is when there is room. If it returns `Ok`, exactly one call of `after_send` follows, with
/// the verdict that the caller gets, unless the client is dropped without a shutdown. A message for which there is no room,
/// or that comes after the client was shut down, is not shown.
///
/// **Both run inside the client, under its lock**: they must not wait, and must not call the client or its producers.
///
/// ```
/// use rocketmq_core::interface::{InterceptedMessage, Refusal, SendInterceptor};
///
/// struct Origin;
///
/// impl SendInterceptor for Origin {
///     fn name(&self) -> &str {
///         "origin"
///     }
///
///     fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
///         if message.body().is_empty() {
///             return Err(Refusal::new("empty messages are not sent here"));
///         }
///         message.set_property("origin", "shop-7").map_err(|error| Refusal::new(error.to_string()))
///     }
/// }
/// ```
#[doc(alias = "SendMessageHook")]
#[doc(alias = "registerSendMessageHook")]
pub trait SendInterceptor: Send + Sync + 'static {
    /// A name for errors and logs.
    fn name(&self) -> &str;

    /// Bytes by which it makes a message heavier at most, asked once. So much more room is reserved for each message, and one
    /// that grows by more is refused. Default 4 KiB.
    fn most_growth(&self) -> usize {
        USUAL_GROWTH
    }

    /// A message is about to be sent. It may be changed, all but its topic. When the send fails, its error gives the message
    /// back as it is then.
    ///
    /// # Errors
    /// The message is not sent; the send ends as *not stored*, with an error that names the interceptor.
    #[doc(alias = "sendMessageBefore")]
    fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal>;

    /// The send has its verdict.
    #[doc(alias = "sendMessageAfter")]
    fn after_send(&self, send: &SendEnd<'_>) {
        let _ = send;
    }
}

impl<H: SendInterceptor + ?Sized> SendInterceptor for Arc<H> {
    fn name(&self) -> &str {
        H::name(self)
    }

    fn most_growth(&self) -> usize {
        H::most_growth(self)
    }

    fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
        H::before_send(self, message)
    }

    fn after_send(&self, send: &SendEnd<'_>) {
        H::after_send(self, send);
    }
}

/// A message that is about to be sent.
#[derive(Debug)]
pub struct InterceptedMessage<'a> {
    pub(crate) message: &'a mut Message,
    pub(crate) group: &'a GroupName,
    pub(crate) mode: SendMode,
}

impl InterceptedMessage<'_> {
    /// The message as it is now.
    #[must_use]
    pub fn message(&self) -> &Message {
        self.message
    }

    /// Its topic, which stays.
    #[must_use]
    pub fn topic(&self) -> &TopicName {
        self.message.topic()
    }

    /// The group of its producer.
    #[must_use]
    pub fn group(&self) -> &GroupName {
        self.group
    }

    /// What is wanted of the send.
    #[must_use]
    pub fn mode(&self) -> SendMode {
        self.mode
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.message.body()
    }

    /// Gives it another body.
    pub fn set_body(&mut self, body: impl Into<Bytes>) {
        self.message.set_body(body.into());
    }

    /// Sets a property, as [`MessageBuilder::property`](crate::message::MessageBuilder::property).
    ///
    /// # Errors
    /// The name is reserved, or name or value cannot be sent.
    pub fn set_property(&mut self, name: &str, value: &str) -> Result<(), PropertyError> {
        self.message.set_user_property(name, value)
    }

    /// Takes a property away, if it is there.
    ///
    /// # Errors
    /// The name is reserved.
    pub fn remove_property(&mut self, name: &str) -> Result<(), PropertyError> {
        self.message.remove_user_property(name)
    }

    /// Sets the tag.
    ///
    /// # Errors
    /// The tag cannot be sent.
    pub fn set_tag(&mut self, tag: &str) -> Result<(), PropertyError> {
        self.message.set_tag(tag)
    }

    /// Sets the keys, in place of those that it has.
    ///
    /// # Errors
    /// A key cannot be sent; the old ones stay then.
    pub fn set_keys<K: AsRef<str>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<(), PropertyError> {
        self.message.set_keys(keys)
    }
}

/// A send that has its verdict.
#[derive(Clone, Copy, Debug)]
pub struct SendEnd<'a> {
    /// The group of its producer.
    pub group: &'a GroupName,
    /// The topic of its message.
    pub topic: &'a TopicName,
    /// The unique id of the message; none when the send was refused before it had one.
    pub unique_key: Option<UniqueKey>,
    /// What was wanted of it.
    pub mode: SendMode,
    /// What its caller learns.
    pub verdict: SendVerdict<'a>,
}

/// What the caller of a send learns.
#[derive(Clone, Copy, Debug)]
pub enum SendVerdict<'a> {
    /// It is stored.
    Stored(&'a SendReceipt),
    /// One-way: the socket took all of it.
    HandedOver,
    /// It has no receipt; the error says whether it may be stored.
    Failed(&'a SendError),
}

/// Asked before each attempt, when broker and queue are chosen.
///
/// **It runs inside the client, under its lock**: it must not wait, and must not call the client or its producers.
#[doc(alias = "CheckForbiddenHook")]
#[doc(alias = "registerCheckForbiddenHook")]
pub trait CheckForbidden: Send + Sync + 'static {
    /// A name for errors and logs.
    fn name(&self) -> &str;

    /// Whether the attempt may be made.
    ///
    /// # Errors
    /// It may not. The send ends with [`SendErrorKind::Forbidden`](crate::interface::SendErrorKind::Forbidden): *not stored*
    /// unless an earlier attempt may have stored it.
    #[doc(alias = "checkForbidden")]
    fn check(&self, attempt: &PlannedAttempt<'_>) -> Result<(), Refusal>;
}

impl<H: CheckForbidden + ?Sized> CheckForbidden for Arc<H> {
    fn name(&self) -> &str {
        H::name(self)
    }

    fn check(&self, attempt: &PlannedAttempt<'_>) -> Result<(), Refusal> {
        H::check(self, attempt)
    }
}

/// An attempt that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct PlannedAttempt<'a> {
    /// The group of the producer.
    pub group: &'a GroupName,
    /// The message.
    pub message: &'a Message,
    /// What is wanted of the send.
    pub mode: SendMode,
    /// The chosen broker.
    pub broker: &'a BrokerName,
    /// Its address.
    pub endpoint: &'a Endpoint,
    /// The chosen queue.
    pub queue_id: i32,
    /// How many attempts were made before.
    pub earlier: u32,
}
