//! The frame of an attempt (`SEND_MESSAGE_V2`, request code 310).

use super::inner::INNER_PRODUCER;
use super::producers::{Producer, Producers, table_key};
use super::send::{SendKey, Stage};
use super::trace::Tracing;
use crate::command::{RequestCode, version};
use crate::ground::Slots;
use crate::ground::names::{GroupName, TopicName};
use crate::ground::namespace::Namespace;
use crate::interface::{ProducerConfig, ProducerId, SendMode};
use crate::message::{AddedProperties, Message};
use crate::net::Outbox;
use crate::request::naming::{Naming, plain};
use crate::request::{
    SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2, SendMessageTemplate,
};
use crate::wire::{EncodeError, Plain, RequestHead, encode_request, encode_request_head};
use alloc::string::String;

/// One-way flag of a request header.
const FLAG_ONE_WAY: i32 = 2;
/// System flag of a half message.
const TRANSACTION_PREPARED_TYPE: i32 = 4;

/// What messages of a producer to a topic and a broker have in common.
struct Common<'a> {
    config: &'a ProducerConfig,
    topic: &'a TopicName,
    broker_name: &'a str,
    is_half: bool,
    unit_mode: bool,
}

impl Common<'_> {
    /// In the form that goes over the wire.
    #[cold]
    #[inline(never)]
    fn template(self, naming: &Naming) -> Result<SendMessageTemplate, EncodeError> {
        let Self { config, topic, broker_name, is_half, unit_mode } = self;
        let (group, topic) = (naming.group(&config.group), naming.topic(topic));
        let default_topic = naming.topic(&config.create_topic_key);
        let header = SendMessageCommonHeader {
            producer_group: plain(&group),
            topic: plain(&topic),
            default_topic: plain(&default_topic),
            default_topic_queue_nums: i32::try_from(config.default_topic_queue_nums).unwrap_or(i32::MAX),
            sys_flag: if is_half { TRANSACTION_PREPARED_TYPE } else { 0 },
            reconsume_times: 0,
            unit_mode,
            batch: false,
            broker_name,
        };
        SendMessageTemplate::with_shared(&header, naming.shared())
    }
}

/// Writes the properties of a message with those that go with it into `text`.
#[cold]
#[inline(never)]
fn write_properties(text: &mut String, message: &Message, naming: &Naming, half_of: Option<&GroupName>) {
    let group = half_of.map(|group| naming.group(group));
    message.write_added(text, &added_properties(naming, group.as_deref()));
}

/// The properties that go with a message besides its own.
pub(super) fn added_properties<'a>(naming: &'a Naming, half_of: Option<&'a str>) -> AddedProperties<'a> {
    AddedProperties { half_of, instance_id: naming.namespace().map(Namespace::as_str) }
}

/// The settings of a producer, the client's own included.
#[inline(always)]
fn config_of<'a>(
    table: &'a Slots<Producer>,
    tracing: Option<&'a Tracing>,
    id: ProducerId,
) -> Option<&'a ProducerConfig> {
    match (table.get(table_key(id)), tracing) {
        (Some(producer), _) => Some(&producer.config),
        (None, Some(tracing)) if id == INNER_PRODUCER => Some(&tracing.inner.config),
        _ => None,
    }
}

impl Producers {
    /// Writes the frame of an attempt that is under way. False when there is no such attempt.
    pub(crate) fn encode(
        &mut self,
        key: SendKey,
        opaque: i32,
        unix_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<bool, EncodeError> {
        let Some(send) = self.sends.get(key) else {
            return Ok(false);
        };
        let Stage::Asked(asked) = &send.stage else {
            return Ok(false);
        };
        let Some(config) = config_of(&self.table, self.tracing.as_deref(), send.producer) else {
            return Ok(false);
        };
        let naming = &self.naming;
        let is_half = send.mode == SendMode::Half;
        let unit_mode = self.unit_mode;
        let common = || Common {
            config,
            topic: send.message.topic(),
            broker_name: asked.broker_name.as_str(),
            is_half,
            unit_mode,
        };
        let kept = self.room.template(send.place, asked.broker, is_half, || common().template(naming))?;
        // Others, for messages to more topics than there is memory for, are made each time.
        let template = match kept {
            Some(template) => template,
            None => self.unkept_template.insert(common().template(naming)?),
        };
        self.born_timestamp.set(unix_ms);
        let head = RequestHead {
            code: RequestCode::SEND_MESSAGE_V2,
            flag: if send.mode == SendMode::OneWay { FLAG_ONE_WAY } else { 0 },
            opaque,
            version: version::CURRENT,
            language: self.language,
        };
        // A message that was handed back by an error carries its unique key already.
        let has_key = send.message.unique_key().is_some();
        let properties = if is_half || naming.namespace().is_some() {
            let half_of = is_half.then_some(&config.group);
            write_properties(&mut self.properties, &send.message, naming, half_of);
            self.properties.as_str()
        } else {
            send.message.properties().as_wire()
        };
        let header = SendMessageRequestHeaderV2 {
            common: SendMessageCommon::Written(template),
            queue_id: asked.queue_id,
            born_timestamp: &self.born_timestamp,
            flag: send.message.flag(),
            properties,
            unique_key: (!has_key).then(|| Plain::known(send.unique_key.as_bytes())),
        };
        let body = send.message.body();
        if Outbox::rides_along(body) {
            outbox.append(0, |out| {
                encode_request_head(out, self.serialize, &head, &header, body.len()).map(drop)
            })?;
            outbox.append_shared(body.clone());
        } else {
            outbox.append(body.len(), |out| {
                encode_request(out, self.serialize, &head, &header, body).map(drop)
            })?;
        }
        Ok(true)
    }
}
