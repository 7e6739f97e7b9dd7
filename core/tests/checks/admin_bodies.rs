//! Bodies of answers to administrative calls: clusters and lists of topics are read as a model on `serde_json` reads them,
//! stored messages as obvious code reads them.

use std::collections::{BTreeMap, BTreeSet};

use rocketmq_core::body::{ClusterInfo, RouteLimits, read_topic_list};
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::message::{MessageExt, Properties};

use super::json::{self, Node};
use super::route_body::{LIMITS, Model, strict};

const MOST_TOPICS: usize = 4;

/// The kind of the body, then the body.
pub(crate) fn check(input: &[u8]) {
    match input.split_first() {
        Some((b'c', body)) => clusters(body),
        Some((b't', body)) => topics(body),
        Some((b'm', body)) => messages(body),
        _ => {}
    }
}

fn clusters(body: &[u8]) {
    let read = ClusterInfo::parse(body, &LIMITS).ok();
    let mut model = Model::default();
    let expected = std::str::from_utf8(body).ok().and_then(|text| cluster_info(&mut model, &strict(text)));
    // The text of an object is not the same once its keys have quotes.
    if !model.took_container {
        assert_eq!(read, expected);
    }
}

fn members(node: Node) -> Option<Vec<(String, Node)>> {
    match node {
        Node::Null => Some(Vec::new()),
        Node::Object(_, members) => Some(members),
        _ => None,
    }
}

fn items(node: Node) -> Option<Vec<Node>> {
    match node {
        Node::Null => Some(Vec::new()),
        Node::List(_, items) => Some(items),
        _ => None,
    }
}

fn cluster_info(model: &mut Model, text: &str) -> Option<ClusterInfo> {
    let Node::Object(_, all) = json::read(text, LIMITS.max_depth)? else {
        return None;
    };
    let is_name = |name: &String| name.len() <= LIMITS.max_name;
    let mut info = ClusterInfo::default();
    for (key, value) in all {
        match key.as_str() {
            "brokerAddrTable" => {
                info.brokers = BTreeMap::new();
                for (name, value) in members(value)? {
                    let Node::Object(_, of_broker) = value else {
                        return None;
                    };
                    let broker = model.broker(of_broker)?.ok()?;
                    if !is_name(&name) || info.brokers.len() == LIMITS.max_brokers {
                        return None;
                    }
                    info.brokers.insert(name, broker);
                }
            }
            "clusterAddrTable" => {
                info.clusters = BTreeMap::new();
                let mut listed = 0;
                for (cluster, value) in members(value)? {
                    if !is_name(&cluster) || info.clusters.len() == LIMITS.max_brokers {
                        return None;
                    }
                    let mut names = BTreeSet::new();
                    for item in items(value)? {
                        listed += 1;
                        names.extend(model.name(item, LIMITS.max_name)?);
                    }
                    info.clusters.insert(cluster, names);
                }
                if listed > LIMITS.max_brokers {
                    return None;
                }
            }
            _ => {}
        }
    }
    Some(info)
}

fn topics(body: &[u8]) {
    let read = read_topic_list(body, MOST_TOPICS).ok();
    let mut model = Model::default();
    let expected = std::str::from_utf8(body).ok().and_then(|text| topic_list(&mut model, &strict(text)));
    if !model.took_container {
        assert_eq!(read, expected);
    }
}

fn topic_list(model: &mut Model, text: &str) -> Option<BTreeSet<String>> {
    let limits = RouteLimits::default();
    let Node::Object(_, all) = json::read(text, limits.max_depth)? else {
        return None;
    };
    let mut topics = BTreeSet::new();
    for (_, value) in all.into_iter().filter(|(key, _)| key == "topicList") {
        for item in items(value)? {
            if topics.len() == MOST_TOPICS {
                return None;
            }
            topics.extend(model.name(item, limits.max_name)?);
        }
    }
    Some(topics)
}

fn messages(body: &[u8]) {
    let (mut rest, mut at) = (body, 0);
    loop {
        let read = MessageExt::read(&mut rest);
        let expected = slow_message(body, &mut at);
        match (read, expected) {
            (Ok(read), Some(expected)) => {
                assert_eq!(rest.len(), body.len() - at, "it ends elsewhere");
                let offset = read.offset_message_id();
                assert_eq!(offset.store_address(), Some(read.store_host));
                assert_eq!(offset.commit_log_offset(), Some(read.commit_log_offset));
                assert_eq!(Slow::of(&read), expected);
            }
            (Err(_), None) => return,
            (read, expected) => panic!("{read:?} and {expected:?}"),
        }
    }
}

/// A message as obvious code reads it.
#[derive(Debug, PartialEq)]
struct Slow {
    topic: TopicName,
    body: Vec<u8>,
    properties: Properties,
    numbers: [i64; 9],
    hosts: [String; 2],
}

impl Slow {
    fn of(read: &MessageExt) -> Slow {
        let of = &read.message;
        Slow {
            topic: of.topic().clone(),
            body: of.body().to_vec(),
            properties: of.properties().clone(),
            numbers: [
                read.queue_id.into(),
                of.flag().into(),
                read.queue_offset,
                read.commit_log_offset,
                read.system_flag.into(),
                read.born_timestamp,
                read.store_timestamp,
                read.reconsume_times.into(),
                read.prepared_transaction_offset,
            ],
            hosts: [read.born_host.to_string(), read.store_host.to_string()],
        }
    }
}

/// A whole number of so many bytes.
fn number(body: &[u8], at: &mut usize, len: usize) -> Option<i64> {
    let bytes = body.get(*at..*at + len)?;
    *at += len;
    let shift = 64 - 8 * len;
    let number = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    Some((number << shift).cast_signed() >> shift)
}

fn bytes<'a>(body: &'a [u8], at: &mut usize, len: i64) -> Option<&'a [u8]> {
    let len = usize::try_from(len).ok()?;
    let bytes = body.get(*at..at.checked_add(len)?)?;
    *at += len;
    Some(bytes)
}

fn host(body: &[u8], at: &mut usize, is_v6: bool) -> Option<String> {
    let ip = bytes(body, at, if is_v6 { 16 } else { 4 })?;
    let ip: std::net::IpAddr = match <[u8; 16]>::try_from(ip) {
        Ok(v6) => v6.into(),
        Err(_) => <[u8; 4]>::try_from(ip).ok()?.into(),
    };
    let port = u16::try_from(number(body, at, 4)?).ok()?;
    Some(std::net::SocketAddr::new(ip, port).to_string())
}

fn slow_message(body: &[u8], end: &mut usize) -> Option<Slow> {
    let mut at = *end;
    number(body, &mut at, 4)?;
    let long_topic = match number(body, &mut at, 4)? as i32 as u32 {
        0xDAA3_20A7 => false,
        0xDAA3_20AB => true,
        _ => return None,
    };
    number(body, &mut at, 4)?;
    let (queue, flag) = (number(body, &mut at, 4)?, number(body, &mut at, 4)?);
    let (queue_offset, commit_log) = (number(body, &mut at, 8)?, number(body, &mut at, 8)?);
    let system = number(body, &mut at, 4)?;
    let born = number(body, &mut at, 8)?;
    let born_host = host(body, &mut at, system & 0x10 != 0)?;
    let stored = number(body, &mut at, 8)?;
    let store_host = host(body, &mut at, system & 0x20 != 0)?;
    let (reconsume, prepared) = (number(body, &mut at, 4)?, number(body, &mut at, 8)?);
    let len = number(body, &mut at, 4)?;
    let content = bytes(body, &mut at, len)?.to_vec();
    let len = number(body, &mut at, if long_topic { 2 } else { 1 })?;
    let topic = std::str::from_utf8(bytes(body, &mut at, len)?).ok()?.parse().ok()?;
    let len = number(body, &mut at, 2)?;
    let properties = Properties::parse(std::str::from_utf8(bytes(body, &mut at, len)?).ok()?);
    *end = at;
    let numbers = [queue, flag, queue_offset, commit_log, system, born, stored, reconsume, prepared];
    Some(Slow { topic, body: content, properties, numbers, hosts: [born_host, store_host] })
}
