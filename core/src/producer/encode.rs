//! The frame of an attempt (`SEND_MESSAGE_V2`, request code 310).

use super::inner::INNER_PRODUCER;
use super::producers::{Producers, table_key};
use super::send::{SendKey, Stage};
use crate::command::{RequestCode, version};
use crate::interface::SendMode;
use crate::net::Outbox;
use crate::request::{SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2};
use crate::wire::{EncodeError, Plain, RequestHead, encode_request, encode_request_head};

/// One-way flag of a request header.
const FLAG_ONE_WAY: i32 = 2;
/// System flag of a half message.
const TRANSACTION_PREPARED_TYPE: i32 = 4;

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
        let config = match (self.table.get(table_key(send.producer)), &self.tracing) {
            (Some(producer), _) => &producer.config,
            (None, Some(tracing)) if send.producer == INNER_PRODUCER => &tracing.inner.config,
            _ => return Ok(false),
        };
        let is_half = send.mode == SendMode::Half;
        let common = || SendMessageCommonHeader {
            producer_group: (&config.group).into(),
            topic: send.message.topic().into(),
            default_topic: (&config.create_topic_key).into(),
            default_topic_queue_nums: i32::try_from(config.default_topic_queue_nums).unwrap_or(i32::MAX),
            sys_flag: if is_half { TRANSACTION_PREPARED_TYPE } else { 0 },
            reconsume_times: 0,
            unit_mode: false,
            batch: false,
            broker_name: asked.broker_name.as_str(),
        };
        let template = if is_half { None } else { self.room.template(send.place, asked.broker, common)? };
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
        let half_properties;
        let properties = if is_half {
            half_properties = send.message.half_properties(config.group.as_str());
            half_properties.as_str()
        } else {
            send.message.properties().as_wire()
        };
        let header = SendMessageRequestHeaderV2 {
            common: template
                .map_or_else(|| SendMessageCommon::Unwritten(common()), SendMessageCommon::Written),
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
