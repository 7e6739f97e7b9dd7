//! Topics made, shown and deleted by request.

use std::collections::BTreeMap;

use super::Broker;
use crate::cluster::Frame;
use crate::cluster::route::quoted;
use crate::cluster::topic::{self, Extras, TopicConfig};
use crate::cluster::transport::Answer;

/// The remark of success, which a broker forgets to replace.
const NO_REMARK_SET: &str = "not set any response code";
/// Topic attributes that 5.5 knows, and whether they can be changed.
const ATTRIBUTES: [(&str, bool); 4] =
    [("queue.type", false), ("cleanup.policy", false), ("message.type", true), ("reserve.time", true)];
/// Types of messages, in the order in which a remark lists them.
const MESSAGE_TYPES: [&str; 8] =
    ["UNSPECIFIED", "MIXED", "TRANSACTION", "PRIORITY", "FIFO", "DELAY", "LITE", "NORMAL"];

impl Broker {
    /// UPDATE_AND_CREATE_TOPIC 17.
    pub(super) fn create_topic_on_request(&mut self, request: &Frame) -> Answer {
        let v5 = self.dialect().is_v5();
        let filter = request.ext("topicFilterType");
        // Without a field map nothing is checked while the header is read.
        if request.ext_fields.is_some() && !matches!(filter, Some("SINGLE_TAG" | "MULTI_TAG")) {
            let class = "org.apache.rocketmq.remoting.exception.RemotingCommandException";
            return Answer::exception(format!("{class}: topicFilterType = [{filter:?}] value invalid"));
        }
        let name = match self.checked_name(request) {
            Ok(name) => name,
            Err(answer) => return answer,
        };
        let number = |field: &str| request.ext(field).and_then(|text| text.parse::<i32>().ok());
        let (Some(read_queues), Some(write_queues), Some(permission)) =
            (number("readQueueNums"), number("writeQueueNums"), number("perm"))
        else {
            // 5.5 catches the exception itself, so that its class is lost.
            return if v5 {
                Answer::refused(1, "Cannot invoke a method of null")
            } else {
                Answer::exception("java.lang.NullPointerException: a number is null")
            };
        };
        let before = self.topics.get(name).map(|_| self.topics.extras(name));
        let changed = changed_attributes(before.as_ref(), request.ext("attributes").unwrap_or_default());
        let attributes = match changed {
            _ if !v5 => BTreeMap::new(),
            Ok(attributes) => attributes,
            Err(answer) => return answer,
        };
        self.topics.set_extras(name, Extras { attributes, many_tags: filter == Some("MULTI_TAG") });
        self.create_topic(TopicConfig {
            name: name.to_owned(),
            read_queues,
            write_queues,
            permission,
            order: request.ext("order").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            system_flag: number("topicSysFlag").unwrap_or(0),
        });
        Answer::refused(0, NO_REMARK_SET)
    }

    /// DELETE_TOPIC_IN_BROKER 215.
    pub(super) fn delete_topic(&mut self, request: &Frame) -> Answer {
        let name = request.ext("topic").unwrap_or_default();
        let invalid = if self.dialect().is_v5() { 29 } else { 1 };
        if name.trim().is_empty() {
            return Answer::refused(invalid, "The specified topic is blank.");
        }
        if self.topics.is_system(name) {
            return Answer::refused(invalid, conflict(name));
        }
        self.topics.remove(name);
        self.log.forget_queues(name);
        self.unregistered_changes = true;
        Answer::new(0)
    }

    /// GET_TOPIC_CONFIG 351, of 5.x.
    pub(super) fn topic_settings(&self, request: &Frame) -> Answer {
        let Some(name) = request.ext("topic") else {
            return Answer::exception("java.lang.NullPointerException: topic is null");
        };
        let Some(config) = self.topics.get(name) else {
            return Answer::refused(17, format!("No topic in this broker. topic: {name}"));
        };
        let extras = self.topics.extras(name);
        let attributes: Vec<String> = extras
            .attributes
            .iter()
            .map(|(key, value)| format!("{}:{}", quoted(key), quoted(value)))
            .collect();
        let body = format!(
            "{{\"attributes\":{{{}}},\"order\":{},\"perm\":{},\"readQueueNums\":{},\"topicFilterType\":\"{}\",\
             \"topicName\":{},\"topicSysFlag\":{},\"writeQueueNums\":{}}}",
            attributes.join(","),
            config.order,
            config.permission,
            config.read_queues,
            if extras.many_tags { "MULTI_TAG" } else { "SINGLE_TAG" },
            quoted(name),
            config.system_flag,
            config.write_queues
        );
        Answer::with_body(body.into_bytes())
    }

    /// The name of a topic that may be made.
    fn checked_name<'a>(&self, request: &'a Frame) -> Result<&'a str, Answer> {
        let v5 = self.dialect().is_v5();
        let invalid = if v5 { 29 } else { 1 };
        let Some(name) = request.ext("topic").or((!v5).then_some("")) else {
            return Err(Answer::exception("java.lang.NullPointerException: topic is null"));
        };
        if let Some(remark) = topic::name_error(self.dialect(), name) {
            return Err(Answer::refused(invalid, remark));
        }
        if self.topics.is_system(name) {
            return Err(Answer::refused(invalid, conflict(name)));
        }
        Ok(name)
    }
}

fn conflict(topic: &str) -> String {
    format!("The topic[{topic}] is conflict with system topic.")
}

/// The attributes of a topic after changes of the form `+key=value` and `-key`, separated by commas. `before` is none
/// for a topic that is new.
fn changed_attributes(before: Option<&Extras>, text: &str) -> Result<BTreeMap<String, String>, Answer> {
    let old = before.map(|extras| extras.attributes.clone()).unwrap_or_default();
    let mut attributes = old.clone();
    for change in text.split(',').filter(|change| !change.is_empty()) {
        let refuse = |remark: String| Err(Answer::refused(1, remark));
        let Some((key, value)) = change.split_once('=') else {
            let Some(key) = change.strip_prefix('-') else {
                return refuse(format!("delete attribute format is wrong: {change}"));
            };
            if !old.contains_key(key) {
                return refuse(format!("attempt to delete a nonexistent key: {key}"));
            }
            attributes.remove(key);
            continue;
        };
        let Some(key) = key.strip_prefix('+') else {
            return refuse(format!("add/alter attribute format is wrong: {key}"));
        };
        let Some((_, can_change)) = ATTRIBUTES.iter().find(|(known, _)| *known == key) else {
            return refuse(format!("unsupported key: {key}"));
        };
        if before.is_some() && !can_change {
            return refuse(format!("attempt to update an unchangeable attribute. key: {key}"));
        }
        if key == "message.type" && value == "MIXED" {
            return Err(Answer::refused(29, "MIXED message type is not supported."));
        }
        if key == "message.type" && !MESSAGE_TYPES.contains(&value) {
            return refuse(format!("value is not in set: [{}]", MESSAGE_TYPES.join(", ")));
        }
        attributes.insert(key.to_owned(), value.to_owned());
    }
    Ok(attributes)
}
