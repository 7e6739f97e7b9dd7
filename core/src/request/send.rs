//! `SEND_MESSAGE_V2` (310) and the answer that all send requests share.

use alloc::borrow::Cow;

use super::naming::WithShared;
use super::{FieldError, ReadField, header};
use crate::wire::{EncodeError, ExtFields, FieldSink, FixedFields, Part, Plain, WriteFields, WrittenNumber};

header! {
    /// What of a [`SendMessageRequestHeaderV2`] is the same for all messages of a producer to a topic on a broker.
    #[derive(Copy)]
    pub write struct SendMessageCommonHeader<'a> {
        /// Producer group (`a`).
        pub producer_group: Plain<'a> = "a",
        /// Topic (`b`).
        pub topic: Plain<'a> = "b",
        /// The topic whose settings an automatically created topic takes (`c`), `TBW102`.
        pub default_topic: Plain<'a> = "c",
        /// Number of queues of an automatically created topic (`d`).
        pub default_topic_queue_nums: i32 = "d",
        /// Bits for compression and transactions (`f`).
        pub sys_flag: i32 = "f",
        /// How often consumers have tried the message already (`j`).
        pub reconsume_times: i32 = "j",
        /// Unit mode (`k`).
        pub unit_mode: bool = "k",
        /// Whether the body is a batch (`m`).
        pub batch: bool = "m",
        /// Name of the broker the message is meant for (`n`).
        pub broker_name: &'a str = "n",
    }
}

/// A [`SendMessageCommonHeader`] in the form that goes over the wire. Nine fields of each send are copied at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendMessageTemplate(FixedFields);

impl SendMessageTemplate {
    /// Writes the common fields.
    ///
    /// # Errors
    /// [`EncodeError`] if no header could hold them.
    pub fn new(common: &SendMessageCommonHeader<'_>) -> Result<Self, EncodeError> {
        FixedFields::new(common).map(Self)
    }

    /// The same with fields that all requests have.
    pub(crate) fn with_shared(
        common: &SendMessageCommonHeader<'_>,
        shared: Option<&FixedFields>,
    ) -> Result<Self, EncodeError> {
        match shared {
            Some(shared) => FixedFields::new(&WithShared { header: common, shared }).map(Self),
            None => Self::new(common),
        }
    }
}

/// What a message has in common with others of its producer, topic and broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendMessageCommon<'a> {
    /// Written before.
    Written(&'a SendMessageTemplate),
    /// Field by field.
    Unwritten(SendMessageCommonHeader<'a>),
}

/// Header of `SEND_MESSAGE_V2` (310) and `SEND_BATCH_MESSAGE` (320): what it has in common with others, and what is special
/// to one message. The order of ext fields means nothing to brokers.
///
/// The body is the message's body, or the encoded batch. It must not be empty: brokers from 5.0 on answer an empty body
/// with an error.
///
/// ```
/// use rocketmq_core::request::{
///     SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2, SendMessageTemplate,
/// };
/// use rocketmq_core::wire::{FixedFields, Plain, WrittenNumber};
///
/// let plain = |text| Plain::new(text).unwrap();
/// let template = SendMessageTemplate::new(&SendMessageCommonHeader {
///     producer_group: plain("orders-producer"),
///     topic: plain("orders"),
///     default_topic: plain("TBW102"),
///     default_topic_queue_nums: 4,
///     sys_flag: 0,
///     reconsume_times: 0,
///     unit_mode: false,
///     batch: false,
///     broker_name: "broker-a",
/// })?;
/// let mut born_timestamp = WrittenNumber::default();
/// born_timestamp.set(1_700_000_000_000);
/// let fields = SendMessageRequestHeaderV2 {
///     common: SendMessageCommon::Written(&template),
///     queue_id: 3,
///     born_timestamp: &born_timestamp,
///     flag: 0,
///     properties: "TAGS\u{1}new\u{2}",
///     unique_key: Some(plain("7F0000010001")),
/// };
/// let json = FixedFields::new(&fields)?;
/// assert!(json.json().starts_with(br#""a":"orders-producer","b":"orders","c":"TBW102","d":"4""#));
/// assert!(json.json().ends_with(br#""i":"TAGS\u0001new\u0002UNIQ_KEY\u00017F0000010001\u0002","#));
/// # Ok::<(), rocketmq_core::wire::EncodeError>(())
/// ```
#[doc(alias = "sendMessage")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendMessageRequestHeaderV2<'a> {
    /// What it has in common with others.
    pub common: SendMessageCommon<'a>,
    /// Queue of the topic (`e`); below 0 the broker chooses.
    pub queue_id: i32,
    /// When the message was made, milliseconds since the Unix epoch (`g`).
    pub born_timestamp: &'a WrittenNumber,
    /// The user's own number (`h`).
    pub flag: i32,
    /// The properties text (`i`), which ends with a separator if there is one.
    pub properties: &'a str,
    /// The unique key, if the properties do not hold it yet: it is added to them.
    pub unique_key: Option<Plain<'a>>,
}

/// The name of the property of the unique key.
pub(crate) const UNIQ_KEY: &str = "UNIQ_KEY";

impl WriteFields for SendMessageRequestHeaderV2<'_> {
    #[inline(always)]
    fn write<S: FieldSink>(&self, sink: &mut S) {
        match &self.common {
            SendMessageCommon::Written(template) => sink.fixed(&template.0),
            SendMessageCommon::Unwritten(common) => common.write(sink),
        }
        sink.int("e", i64::from(self.queue_id));
        sink.int("h", i64::from(self.flag));
        sink.plain("g", Plain::known(self.born_timestamp.as_bytes()));
        // Two lists of known length instead of one whose parts had to be told apart again for each message.
        let text = Part::Text(self.properties);
        match self.unique_key {
            Some(key) => {
                let name = Part::Plain(Plain::known(UNIQ_KEY.as_bytes()));
                sink.parts("i", &[text, name, Part::NameEnd, Part::Plain(key), Part::ValueEnd]);
            }
            None => sink.parts("i", &[text]),
        }
    }
}

/// Header of the answer to a send.
///
/// Present with the codes `SUCCESS`, `FLUSH_DISK_TIMEOUT`, `SLAVE_NOT_AVAILABLE` and
/// `FLUSH_SLAVE_TIMEOUT`, which all mean that the message is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "SendResult")]
pub struct SendMessageResponseHeader<'a> {
    /// Offset message id (`msgId`); for a batch the ids joined by commas.
    #[doc(alias = "offsetMsgId")]
    pub msg_id: Cow<'a, str>,
    /// The queue the message is in (`queueId`).
    pub queue_id: i32,
    /// Offset in the queue (`queueOffset`), of the first message for a batch.
    pub queue_offset: i64,
    /// Unique id of the stored message (`transactionId`), servers from 5.0 on.
    pub transaction_id: Option<Cow<'a, str>>,
    /// Handle to take a timer message back (`recallHandle`), servers from 5.3.2 on.
    pub recall_handle: Option<Cow<'a, str>>,
    /// The broker's region (`MSG_REGION`).
    pub region: Option<Cow<'a, str>>,
    /// Whether the broker wants traces (`TRACE_ON`); on unless it says `false`.
    pub trace_on: bool,
}

impl<'a> SendMessageResponseHeader<'a> {
    /// Reads the header in one pass over the ext fields.
    ///
    /// # Errors
    /// [`FieldError`] when `msgId`, `queueId` or `queueOffset` is missing or no number.
    pub fn read(ext: &ExtFields<'a>) -> Result<Self, FieldError> {
        let mut msg_id = None;
        let mut queue_id = None;
        let mut queue_offset = None;
        let mut transaction_id = None;
        let mut recall_handle = None;
        let mut region = None;
        let mut trace_on = true;
        for (name, text) in ext.iter() {
            match &*name {
                "msgId" => msg_id = Some(text),
                "queueId" => queue_id = Some(text),
                "queueOffset" => queue_offset = Some(text),
                "transactionId" => transaction_id = Some(text),
                "recallHandle" => recall_handle = Some(text),
                "MSG_REGION" => region = Some(text),
                "TRACE_ON" => trace_on = !text.eq_ignore_ascii_case("false"),
                _ => {}
            }
        }
        Ok(Self {
            msg_id: required("msgId", msg_id)?,
            queue_id: i32::read_field("queueId", required("queueId", queue_id)?)?,
            queue_offset: i64::read_field("queueOffset", required("queueOffset", queue_offset)?)?,
            transaction_id: present(transaction_id),
            recall_handle: present(recall_handle),
            region: present(region),
            trace_on,
        })
    }
}

#[inline]
fn required<'a>(name: &'static str, text: Option<Cow<'a, str>>) -> Result<Cow<'a, str>, FieldError> {
    present(text).ok_or(FieldError::Missing { name })
}

/// Binary headers cannot tell an empty value from none.
#[inline]
fn present(text: Option<Cow<'_, str>>) -> Option<Cow<'_, str>> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod template_tests;
#[cfg(test)]
mod tests;
