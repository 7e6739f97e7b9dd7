//! Writes and reads administrative calls.

use super::error::ReadErrorKind as Wrong;
use super::parts::{Parts, put_bytes, put_number, put_signed};
use crate::ground::Instant;
use crate::ground::names::{BrokerName, TopicName};
use crate::interface::{
    AdminRequest, Command, MessageQuery, MessageQueue, OffsetBoundary, TopicConfig, TopicPlace,
};
use crate::message::OffsetMessageId;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;
use core::str::FromStr;

const CREATE_TOPIC: u8 = 0;
const TOPIC_ROUTE: u8 = 1;
const PUBLISH_QUEUES: u8 = 2;
const MAX_OFFSET: u8 = 3;
const MIN_OFFSET: u8 = 4;
const EARLIEST_STORE_TIME: u8 = 5;
const SEARCH_OFFSET: u8 = 6;
const VIEW_MESSAGE: u8 = 7;
const QUERY_MESSAGES: u8 = 8;
const QUERY_UNIQUE_KEY: u8 = 9;
const CLUSTER_INFO: u8 = 10;
const TOPIC_LIST: u8 = 11;

pub(super) fn put_admin(parts: &mut Vec<u8>, request: &AdminRequest, deadline: Instant) {
    put_number(parts, deadline.as_micros());
    match request {
        AdminRequest::CreateTopic { topic, place } => {
            parts.push(CREATE_TOPIC);
            put_topic(parts, topic);
            put_place(parts, place);
        }
        AdminRequest::TopicRoute(topic) => put_named(parts, TOPIC_ROUTE, topic),
        AdminRequest::PublishQueues(topic) => put_named(parts, PUBLISH_QUEUES, topic),
        AdminRequest::MaxOffset(queue) => put_queue(parts, MAX_OFFSET, queue),
        AdminRequest::MinOffset(queue) => put_queue(parts, MIN_OFFSET, queue),
        AdminRequest::EarliestStoreTime(queue) => put_queue(parts, EARLIEST_STORE_TIME, queue),
        AdminRequest::SearchOffset { queue, timestamp_ms, boundary } => {
            put_queue(parts, SEARCH_OFFSET, queue);
            put_signed(parts, *timestamp_ms);
            parts.push(u8::from(*boundary == OffsetBoundary::Upper));
        }
        AdminRequest::ViewMessage { id, topic } => {
            parts.push(VIEW_MESSAGE);
            put_bytes(parts, id.as_str().as_bytes());
            parts.push(u8::from(topic.is_some()));
            if let Some(topic) = topic {
                put_bytes(parts, topic.as_str().as_bytes());
            }
        }
        AdminRequest::QueryMessages(query) => {
            let MessageQuery { topic, key, most, begin_ms, end_ms } = query;
            put_named(parts, QUERY_MESSAGES, topic);
            put_bytes(parts, key.as_bytes());
            put_number(parts, u64::from(*most));
            put_signed(parts, *begin_ms);
            put_signed(parts, *end_ms);
        }
        AdminRequest::QueryUniqueKey { topic, key } => {
            put_named(parts, QUERY_UNIQUE_KEY, topic);
            put_bytes(parts, key.as_bytes());
        }
        AdminRequest::ClusterInfo => parts.push(CLUSTER_INFO),
        AdminRequest::TopicList => parts.push(TOPIC_LIST),
    }
}

fn put_named(parts: &mut Vec<u8>, kind: u8, topic: &TopicName) {
    parts.push(kind);
    put_bytes(parts, topic.as_str().as_bytes());
}

fn put_queue(parts: &mut Vec<u8>, kind: u8, queue: &MessageQueue) {
    put_named(parts, kind, &queue.topic);
    put_bytes(parts, queue.broker_name.as_str().as_bytes());
    put_signed(parts, i64::from(queue.queue_id));
}

fn put_topic(parts: &mut Vec<u8>, config: &TopicConfig) {
    let TopicConfig { topic, read_queues, write_queues, readable, writable, order, attributes } = config;
    put_bytes(parts, topic.as_str().as_bytes());
    put_number(parts, u64::from(*read_queues));
    put_number(parts, u64::from(*write_queues));
    parts.extend([*readable, *writable, *order].map(u8::from));
    put_number(parts, attributes.len() as u64);
    for (name, value) in attributes {
        put_bytes(parts, name.as_bytes());
        parts.push(u8::from(value.is_some()));
        if let Some(value) = value {
            put_bytes(parts, value.as_bytes());
        }
    }
}

fn put_place(parts: &mut Vec<u8>, place: &TopicPlace) {
    let (kind, name) = match place {
        TopicPlace::OnlyCluster => return parts.push(0),
        TopicPlace::Cluster(cluster) => (1, cluster.as_str()),
        TopicPlace::Broker(broker) => (2, broker.as_str()),
        TopicPlace::RouteOf(topic) => (3, topic.as_str()),
    };
    parts.push(kind);
    put_bytes(parts, name.as_bytes());
}

pub(super) fn read_admin(parts: &mut Parts<'_>) -> Result<Command, Wrong> {
    let deadline = parts.number("deadline").map(Instant::from_micros)?;
    let request = match parts.byte("administrative call")? {
        CREATE_TOPIC => AdminRequest::CreateTopic { topic: read_topic(parts)?, place: read_place(parts)? },
        TOPIC_ROUTE => AdminRequest::TopicRoute(parse(parts, "topic")?),
        PUBLISH_QUEUES => AdminRequest::PublishQueues(parse(parts, "topic")?),
        MAX_OFFSET => AdminRequest::MaxOffset(read_queue(parts)?),
        MIN_OFFSET => AdminRequest::MinOffset(read_queue(parts)?),
        EARLIEST_STORE_TIME => AdminRequest::EarliestStoreTime(read_queue(parts)?),
        SEARCH_OFFSET => {
            let (queue, timestamp_ms) = (read_queue(parts)?, parts.signed("time")?);
            let upper = flag(parts, "boundary")?;
            let boundary = if upper { OffsetBoundary::Upper } else { OffsetBoundary::Lower };
            AdminRequest::SearchOffset { queue, timestamp_ms, boundary }
        }
        VIEW_MESSAGE => {
            let id: OffsetMessageId = parse(parts, "offset message id")?;
            let topic = if flag(parts, "topic")? { Some(parse(parts, "topic")?) } else { None };
            AdminRequest::ViewMessage { id, topic }
        }
        QUERY_MESSAGES => AdminRequest::QueryMessages(MessageQuery {
            topic: parse(parts, "topic")?,
            key: parts.text("key")?.to_owned(),
            most: parts.narrow("number of messages")?,
            begin_ms: parts.signed("time")?,
            end_ms: parts.signed("time")?,
        }),
        QUERY_UNIQUE_KEY => {
            AdminRequest::QueryUniqueKey { topic: parse(parts, "topic")?, key: parts.text("key")?.to_owned() }
        }
        CLUSTER_INFO => AdminRequest::ClusterInfo,
        TOPIC_LIST => AdminRequest::TopicList,
        other => return Err(Wrong::value("administrative call", other)),
    };
    Ok(Command::Admin { request: Box::new(request), deadline })
}

fn read_queue(parts: &mut Parts<'_>) -> Result<MessageQueue, Wrong> {
    let (topic, broker_name): (TopicName, BrokerName) = (parse(parts, "topic")?, parse(parts, "broker")?);
    let queue_id = i32::try_from(parts.signed("queue")?).map_err(|_| Wrong::BadNumber("queue"))?;
    Ok(MessageQueue { topic, broker_name, queue_id })
}

fn read_topic(parts: &mut Parts<'_>) -> Result<TopicConfig, Wrong> {
    let topic = parse(parts, "topic")?;
    let (read_queues, write_queues) = (parts.narrow("queues")?, parts.narrow("queues")?);
    let (readable, writable) = (flag(parts, "permission")?, flag(parts, "permission")?);
    let order = flag(parts, "order")?;
    let mut attributes: BTreeMap<String, Option<String>> = BTreeMap::new();
    for _ in 0..parts.number("number of attributes")? {
        let name = parts.text("attribute")?.to_owned();
        let value = if flag(parts, "attribute")? { Some(parts.text("attribute")?.to_owned()) } else { None };
        if attributes.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(Wrong::value("attribute", "not in order"));
        }
        attributes.insert(name, value);
    }
    Ok(TopicConfig { topic, read_queues, write_queues, readable, writable, order, attributes })
}

fn read_place(parts: &mut Parts<'_>) -> Result<TopicPlace, Wrong> {
    Ok(match parts.byte("place")? {
        0 => TopicPlace::OnlyCluster,
        1 => TopicPlace::Cluster(parts.text("cluster")?.to_owned()),
        2 => TopicPlace::Broker(parse(parts, "broker")?),
        3 => TopicPlace::RouteOf(parse(parts, "topic")?),
        other => return Err(Wrong::value("place", other)),
    })
}

fn flag(parts: &mut Parts<'_>, what: &'static str) -> Result<bool, Wrong> {
    match parts.byte(what)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Wrong::value(what, other)),
    }
}

fn parse<T: FromStr>(parts: &mut Parts<'_>, what: &'static str) -> Result<T, Wrong>
where
    T::Err: Display,
{
    parts.text(what)?.parse().map_err(|error| Wrong::value(what, error))
}
