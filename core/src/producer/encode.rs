//! The frame of an attempt (`SEND_MESSAGE_V2`, request code 310).

use super::producers::Producers;
use super::send::{SendKey, Stage};
use crate::command::{RequestCode, version};
use crate::message::names;
use crate::net::Outbox;
use crate::request::SendMessageRequestHeaderV2;
use crate::wire::{EncodeError, Part, Plain, RequestHead, encode_request, encode_request_head};

/// One-way flag of a request header.
const FLAG_ONE_WAY: i32 = 2;

impl Producers {
    /// Writes the frame of an attempt that is under way. False when there is no such attempt.
    pub(crate) fn encode(
        &self,
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
        let Some(producer) = self.get(send.producer) else {
            return Ok(false);
        };
        let config = &producer.config;
        let head = RequestHead {
            code: RequestCode::SEND_MESSAGE_V2,
            flag: if send.one_way { FLAG_ONE_WAY } else { 0 },
            opaque,
            version: version::CURRENT,
            language: self.language,
        };
        let with_key = [
            Part::Text(send.message.properties().as_wire()),
            Part::Plain(Plain::known(names::UNIQ_KEY.as_bytes())),
            Part::NameEnd,
            Part::Plain(Plain::known(send.unique_key.as_bytes())),
            Part::ValueEnd,
        ];
        // A message that was handed back by an error carries its unique key already.
        let properties = if send.message.unique_key().is_some() { &with_key[..1] } else { &with_key[..] };
        let header = SendMessageRequestHeaderV2 {
            producer_group: (&config.group).into(),
            topic: send.message.topic().into(),
            default_topic: (&config.create_topic_key).into(),
            default_topic_queue_nums: i32::try_from(config.default_topic_queue_nums).unwrap_or(i32::MAX),
            queue_id: asked.queue_id,
            sys_flag: 0,
            born_timestamp: unix_ms,
            flag: send.message.flag(),
            properties,
            reconsume_times: 0,
            unit_mode: false,
            batch: false,
            broker_name: asked.broker_name.as_str(),
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
