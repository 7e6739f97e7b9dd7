//! Route bodies are read as a model on `serde_json` reads them, once the leniency of name servers is undone: integer keys
//! without quotes, and halves of surrogate pairs.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use rocketmq_core::body::{BrokerData, QueueData, RouteLimits, TopicRouteData};

use super::header::GRAMMAR;
use super::json::{self, Node};
use super::near_json;

/// Small, so that short inputs reach them.
pub(crate) const LIMITS: RouteLimits =
    RouteLimits { max_brokers: 4, max_addresses: 3, max_queues: 64, max_name: 24, max_depth: 8 };

/// A body, or [`GRAMMAR`] and choices.
pub(crate) fn check(input: &[u8]) {
    match input.split_first() {
        Some((&GRAMMAR, choices)) => {
            let body = near_route(&mut Unstructured::new(choices)).unwrap_or_default();
            alike(body.as_bytes());
        }
        _ => alike(input),
    }
}

fn alike(body: &[u8]) {
    let read = TopicRouteData::parse(body, &LIMITS).ok();
    if let Some(route) = &read {
        assert!(route.broker_datas.len() <= LIMITS.max_brokers);
        assert!(route.queue_datas.len() <= LIMITS.max_brokers);
    }
    let mut model = Model::default();
    let expected = std::str::from_utf8(body).ok().and_then(|text| model.route(&strict(text)));
    // The text of an object is not the same once its keys have quotes.
    if !model.took_container {
        assert_eq!(read, expected);
    }
}

/// The same JSON with quotes around integer keys, and U+FFFD for halves of surrogate pairs.
pub(crate) fn strict(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut objects = Vec::new();
    let mut key_next = false;
    while let Some(first) = rest.chars().next() {
        let mut len = first.len_utf8();
        match first {
            '"' => {
                len = string_len(rest);
                out.push_str(&whole_surrogates(&rest[..len]));
                key_next = false;
            }
            '-' | '0'..='9' if key_next => {
                let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
                len = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
                let number = &rest[..len];
                let sound = serde_json::from_str::<&serde_json::value::RawValue>(number).is_ok();
                out.push_str(&if sound { format!("\"{number}\"") } else { number.into() });
                key_next = false;
            }
            _ => {
                match first {
                    '{' | '[' => objects.push(first == '{'),
                    '}' | ']' => drop(objects.pop()),
                    _ => {}
                }
                let is_object = objects.last() == Some(&true);
                match first {
                    '{' | ',' => key_next = is_object,
                    ' ' | '\t' | '\n' | '\r' => {}
                    _ => key_next = false,
                }
                out.push(first);
            }
        }
        rest = &rest[len..];
    }
    out
}

/// Length of a string with its quotes, or all there is.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn whole_surrogates(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let unit = |at: usize| u16::from_str_radix(rest.get(at..at + 6)?.strip_prefix("\\u")?, 16).ok();
        let is_high = |unit: u16| (0xD800..0xDC00).contains(&unit);
        let is_low = |unit: u16| (0xDC00..0xE000).contains(&unit);
        let (escape, len) = match (unit(0), unit(6)) {
            (Some(high), Some(low)) if is_high(high) && is_low(low) => (&rest[..12], 12),
            (Some(half), _) if is_high(half) || is_low(half) => ("\\ufffd", 6),
            _ => {
                let len = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (&rest[..len], len)
            }
        };
        out.push_str(escape);
        rest = &rest[len..];
    }
    out + rest
}

/// Makes a queue or broker of its members: the element, or the path of an earlier one that it refers to.
type ReadElement<T> = fn(&mut Model, Vec<(String, Node)>) -> Option<Result<T, String>>;

/// The route as plain rules over the tree; nothing when it is refused.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) took_container: bool,
}

impl Model {
    fn route(&mut self, text: &str) -> Option<TopicRouteData> {
        let Node::Object(_, members) = json::read(text, LIMITS.max_depth)? else {
            return None;
        };
        let mut route = TopicRouteData::default();
        for (key, value) in members {
            match key.as_str() {
                "orderTopicConf" => {
                    route.order_topic_conf = self.name(value, LIMITS.max_name * LIMITS.max_brokers)?;
                }
                "brokerDatas" => route.broker_datas = self.list(value, &key, Self::broker)?,
                "queueDatas" => route.queue_datas = self.list(value, &key, Self::queue)?,
                "topicQueueMappingByBroker" => {
                    route.static_topic = match value {
                        Node::Null => false,
                        Node::Object(_, members) => !members.is_empty(),
                        _ => return None,
                    }
                }
                _ => {}
            }
        }
        let most =
            |queue: &QueueData| u64::try_from(queue.read_queue_nums.max(queue.write_queue_nums)).unwrap_or(0);
        let queues: u64 = route.queue_datas.iter().map(most).sum();
        route.broker_datas.sort_by_key(|broker| broker.broker_name.clone());
        route.queue_datas.sort_by_key(|queue| queue.broker_name.clone());
        (queues <= LIMITS.max_queues as u64).then_some(route)
    }

    fn list<T: Clone>(&mut self, value: Node, field: &str, element: ReadElement<T>) -> Option<Vec<T>> {
        let items = match value {
            Node::Null => return Some(Vec::new()),
            Node::List(_, items) if items.len() <= LIMITS.max_brokers => items,
            _ => return None,
        };
        let mut list: Vec<T> = Vec::new();
        for item in items {
            let Node::Object(_, members) = item else {
                return None;
            };
            let earlier =
                |path: &str| list.iter().enumerate().find(|(at, _)| path == format!("$.{field}[{at}]"));
            let value = match element(self, members)? {
                Ok(value) => value,
                Err(path) => earlier(&path)?.1.clone(),
            };
            list.push(value);
        }
        Some(list)
    }

    fn queue(&mut self, members: Vec<(String, Node)>) -> Option<Result<QueueData, String>> {
        let mut queue = QueueData::default();
        for (key, value) in members {
            match key.as_str() {
                "brokerName" => queue.broker_name = self.name(value, LIMITS.max_name)?.unwrap_or_default(),
                "readQueueNums" => queue.read_queue_nums = number(value)?,
                "writeQueueNums" => queue.write_queue_nums = number(value)?,
                "perm" => queue.perm = number(value)?,
                "topicSysFlag" | "topicSynFlag" => queue.topic_sys_flag = number(value)?,
                "$ref" => return Some(Err(value.text().unwrap_or_default())),
                _ => {}
            }
        }
        (!queue.broker_name.is_empty()).then_some(Ok(queue))
    }

    pub(crate) fn broker(&mut self, members: Vec<(String, Node)>) -> Option<Result<BrokerData, String>> {
        let mut broker = BrokerData::default();
        for (key, value) in members {
            match key.as_str() {
                "cluster" => broker.cluster = self.name(value, LIMITS.max_name)?.unwrap_or_default(),
                "brokerName" => broker.broker_name = self.name(value, LIMITS.max_name)?.unwrap_or_default(),
                "brokerAddrs" => broker.broker_addrs = self.addresses(value)?,
                "zoneName" => broker.zone_name = self.name(value, LIMITS.max_name)?,
                "enableActingMaster" => {
                    let text = value.text().unwrap_or_default();
                    broker.enable_acting_master = text.eq_ignore_ascii_case("true");
                }
                "$ref" => return Some(Err(value.text().unwrap_or_default())),
                _ => {}
            }
        }
        (!broker.broker_name.is_empty()).then_some(Ok(broker))
    }

    fn addresses(&mut self, value: Node) -> Option<BTreeMap<i64, String>> {
        let members = match value {
            Node::Null => Vec::new(),
            Node::Object(_, members) => members,
            _ => return None,
        };
        let mut addresses = BTreeMap::new();
        for (id, address) in members {
            let id: i64 = id.parse().ok()?;
            let Some(address) = self.name(address, LIMITS.max_name)? else {
                continue;
            };
            if addresses.len() == LIMITS.max_addresses {
                return None;
            }
            addresses.insert(id, address);
        }
        Some(addresses)
    }

    pub(crate) fn name(&mut self, value: Node, limit: usize) -> Option<Option<String>> {
        self.took_container |= matches!(value, Node::Object(..) | Node::List(..));
        let text = value.text();
        text.as_ref().is_none_or(|text| text.len() <= limit).then_some(text)
    }
}

fn number(value: Node) -> Option<i32> {
    value.text().map_or(Some(0), |text| text.parse().ok())
}

/// A route that is nearly right.
fn near_route(choices: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::from("{");
    for index in 0..choices.int_in_range(1..=4)? {
        if index > 0 {
            text.push(',');
        }
        match choices.int_in_range(0..=7)? {
            0..=2 => near_list(&mut text, choices, "brokerDatas", near_broker)?,
            3..=5 => near_list(&mut text, choices, "queueDatas", near_queue)?,
            6 => {
                text.push_str("\"orderTopicConf\":");
                near_json::value(&mut text, choices, 1)?;
            }
            _ => {
                text.push_str("\"topicQueueMappingByBroker\":");
                near_json::value(&mut text, choices, 2)?;
            }
        }
    }
    text.push('}');
    Ok(text)
}

type NearElement = fn(&mut String, &mut Unstructured<'_>) -> Result<()>;

fn near_list(
    text: &mut String,
    choices: &mut Unstructured<'_>,
    field: &str,
    element: NearElement,
) -> Result<()> {
    text.push_str(&format!("\"{field}\":["));
    for index in 0..choices.int_in_range(0..=5)? {
        if index > 0 {
            text.push(',');
        }
        if choices.ratio(1, 8)? {
            let to = choices.int_in_range(0..=index + 1)?;
            text.push_str(&format!("{{\"$ref\":\"$.{field}[{to}]\"}}"));
        } else {
            element(text, choices)?;
        }
    }
    text.push(']');
    Ok(())
}

fn near_queue(text: &mut String, choices: &mut Unstructured<'_>) -> Result<()> {
    let name = *choices.choose(&["broker-a", "b", "broker-\\u00e9"])?;
    let count = *choices.choose(&["0", "4", "\"8\"", "-1", "65", "null", "2147483647"])?;
    text.push_str(&format!("{{\"brokerName\":\"{name}\",\"perm\":6,\"readQueueNums\":{count},\"x\":"));
    near_json::value(text, choices, 1)?;
    text.push_str(",\"writeQueueNums\":");
    near_json::value(text, choices, 0)?;
    text.push('}');
    Ok(())
}

fn near_broker(text: &mut String, choices: &mut Unstructured<'_>) -> Result<()> {
    text.push_str("{\"brokerAddrs\":{");
    for index in 0..choices.int_in_range(0..=4)? {
        let comma = if index > 0 { "," } else { "" };
        let id = *choices.choose(&["0", "1", "\"0\"", "-1", "9223372036854775807", "1.5", "01", " 2 "])?;
        text.push_str(&format!("{comma}{id}:"));
        near_json::value(text, choices, 0)?;
    }
    text.push_str("},\"brokerName\":\"broker-a\",\"cluster\":");
    near_json::value(text, choices, 1)?;
    text.push_str(",\"enableActingMaster\":");
    near_json::value(text, choices, 0)?;
    text.push_str(",\"zoneName\":\"\\ud83d\"}");
    Ok(())
}
