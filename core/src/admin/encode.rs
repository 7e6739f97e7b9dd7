//! The frames of questions.

use super::Admin;
use super::answer::topic_of;
use super::call::{AdminPurpose, Question, Target};
use crate::command::{RequestCode, version};
use crate::ground::names::BrokerName;
use crate::interface::{AdminRequest, MessageQueue, OffsetBoundary, TopicConfig};
use crate::net::Outbox;
use crate::request::{
    CreateTopicRequestHeader, GetMaxOffsetRequestHeader, GetRouteInfoRequestHeader,
    QueryMessageRequestHeader, QueueRequestHeader, SearchOffsetRequestHeader, ViewMessageRequestHeader,
};
use crate::wire::{EncodeError, NoFields, RequestHead, WriteFields};
use alloc::string::String;

/// Permission bits of a topic.
const READ: i32 = 4;
const WRITE: i32 = 2;
/// Brokers want a topic here and do not look at it.
const DEFAULT_TOPIC: &str = "TBW102";

impl Admin {
    /// Writes the frame of a question. False when nobody asks it any more.
    // Kept apart from the sends that are encoded beside it.
    #[inline(never)]
    pub(crate) fn encode(
        &self,
        AdminPurpose(key): AdminPurpose,
        opaque: i32,
        outbox: &mut Outbox,
    ) -> Result<bool, EncodeError> {
        let Some(part) = self.parts.get(key) else {
            return Ok(false);
        };
        let Some(call) = self.calls.get(part.call) else {
            return Ok(false);
        };
        let route = RequestHead {
            code: RequestCode::GET_ROUTEINFO_BY_TOPIC,
            flag: 0,
            opaque,
            version: version::CURRENT,
            language: self.language,
        };
        match &part.question {
            Question::Route => {
                let Some(topic) = topic_of(&call.request) else {
                    return Ok(false);
                };
                let topic = self.naming.topic(topic);
                let header = GetRouteInfoRequestHeader { topic, accept_standard_json_only: Some(true) };
                self.put(outbox, &route, &header)
            }
            Question::Cluster => {
                let head = RequestHead { code: RequestCode::GET_BROKER_CLUSTER_INFO, ..route };
                self.put(outbox, &head, &NoFields)
            }
            Question::Topics => {
                let head = RequestHead { code: RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER, ..route };
                self.put(outbox, &head, &NoFields)
            }
            Question::Broker(target) => self.put_broker(outbox, route, &call.request, target),
        }
    }

    fn put_broker(
        &self,
        outbox: &mut Outbox,
        base: RequestHead,
        request: &AdminRequest,
        target: &Target,
    ) -> Result<bool, EncodeError> {
        let broker_name = target.broker.as_ref().map(|name| BrokerName::as_str(name).into());
        match request {
            AdminRequest::CreateTopic { topic, .. } => {
                let head = RequestHead { code: RequestCode::UPDATE_AND_CREATE_TOPIC, ..base };
                self.put_topic(outbox, &head, topic)
            }
            AdminRequest::MaxOffset(MessageQueue { topic, queue_id, .. }) => {
                let head = RequestHead { code: RequestCode::GET_MAX_OFFSET, ..base };
                let topic = self.naming.topic(topic);
                let committed = Some(true);
                let header = GetMaxOffsetRequestHeader { topic, queue_id: *queue_id, committed, broker_name };
                self.put(outbox, &head, &header)
            }
            AdminRequest::MinOffset(queue) => {
                let head = RequestHead { code: RequestCode::GET_MIN_OFFSET, ..base };
                self.put(outbox, &head, &self.queue_header(queue))
            }
            AdminRequest::EarliestStoreTime(queue) => {
                let head = RequestHead { code: RequestCode::GET_EARLIEST_MSG_STORETIME, ..base };
                self.put(outbox, &head, &self.queue_header(queue))
            }
            AdminRequest::SearchOffset { queue, timestamp_ms, boundary } => {
                let head = RequestHead { code: RequestCode::SEARCH_OFFSET_BY_TIMESTAMP, ..base };
                let boundary = match boundary {
                    OffsetBoundary::Lower => "LOWER",
                    OffsetBoundary::Upper => "UPPER",
                };
                let header = SearchOffsetRequestHeader {
                    topic: self.naming.topic(&queue.topic),
                    queue_id: queue.queue_id,
                    timestamp: *timestamp_ms,
                    boundary_type: Some(boundary.into()),
                    broker_name,
                };
                self.put(outbox, &head, &header)
            }
            AdminRequest::ViewMessage { id, topic } => {
                let head = RequestHead { code: RequestCode::VIEW_MESSAGE_BY_ID, ..base };
                let topic = topic.as_ref().map(|topic| self.naming.topic(topic));
                let offset = id.commit_log_offset().unwrap_or_default();
                self.put(outbox, &head, &ViewMessageRequestHeader { topic, offset })
            }
            AdminRequest::QueryMessages(_) | AdminRequest::QueryUniqueKey { .. } => {
                let head = RequestHead { code: RequestCode::QUERY_MESSAGE, ..base };
                self.query_header(request).map_or(Ok(false), |header| self.put(outbox, &head, &header))
            }
            AdminRequest::TopicRoute(_)
            | AdminRequest::PublishQueues(_)
            | AdminRequest::ClusterInfo
            | AdminRequest::TopicList => Ok(false),
        }
    }

    fn put_topic(
        &self,
        outbox: &mut Outbox,
        head: &RequestHead,
        config: &TopicConfig,
    ) -> Result<bool, EncodeError> {
        let mut attributes = String::new();
        for (name, value) in &config.attributes {
            if !attributes.is_empty() {
                attributes.push(',');
            }
            attributes.push(if value.is_some() { '+' } else { '-' });
            attributes.push_str(name);
            if let Some(value) = value {
                attributes.push('=');
                attributes.push_str(value);
            }
        }
        let bit = |set: bool, bit: i32| if set { bit } else { 0 };
        // The numbers were checked when the call began.
        let queues = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let header = CreateTopicRequestHeader {
            topic: self.naming.topic(&config.topic),
            default_topic: DEFAULT_TOPIC.into(),
            read_queue_nums: queues(config.read_queues),
            write_queue_nums: queues(config.write_queues),
            perm: bit(config.readable, READ) | bit(config.writable, WRITE),
            topic_filter_type: "SINGLE_TAG".into(),
            topic_sys_flag: Some(0),
            order: config.order,
            attributes: (!attributes.is_empty()).then(|| attributes.into()),
        };
        self.put(outbox, head, &header)
    }

    fn put<H: WriteFields>(
        &self,
        outbox: &mut Outbox,
        head: &RequestHead,
        header: &H,
    ) -> Result<bool, EncodeError> {
        outbox.append(0, |out| self.naming.encode(out, self.serialize, head, header, &[]))?;
        Ok(true)
    }

    fn queue_header<'a>(&self, queue: &'a MessageQueue) -> QueueRequestHeader<'a> {
        QueueRequestHeader {
            topic: self.naming.topic(&queue.topic),
            queue_id: queue.queue_id,
            broker_name: Some(queue.broker_name.as_str().into()),
        }
    }

    fn query_header<'a>(&self, request: &'a AdminRequest) -> Option<QueryMessageRequestHeader<'a>> {
        match request {
            AdminRequest::QueryMessages(query) => Some(QueryMessageRequestHeader {
                topic: self.naming.topic(&query.topic),
                key: query.key.as_str().into(),
                max_num: i32::try_from(query.most).unwrap_or(i32::MAX),
                begin_timestamp: query.begin_ms,
                end_timestamp: query.end_ms,
                index_type: Some("K".into()),
                unique_key_query: Some(false),
            }),
            AdminRequest::QueryUniqueKey { topic, key } => Some(QueryMessageRequestHeader {
                topic: self.naming.topic(topic),
                key: key.as_str().into(),
                // Brokers take their own number.
                max_num: 32,
                begin_timestamp: 0,
                end_timestamp: i64::MAX,
                index_type: Some("U".into()),
                unique_key_query: Some(true),
            }),
            _ => None,
        }
    }
}
