//! Topics made by request.

use super::Broker;
use crate::cluster::Frame;
use crate::cluster::topic::{self, TopicConfig};
use crate::cluster::transport::Answer;

/// The remark of success, which a broker forgets to replace.
const NO_REMARK_SET: &str = "not set any response code";
/// Topic attributes that 5.5 knows.
const ATTRIBUTES: [&str; 4] = ["queue.type", "cleanup.policy", "message.type", "reserve.time"];

impl Broker {
    /// UPDATE_AND_CREATE_TOPIC 17.
    pub(super) fn create_topic_on_request(&mut self, request: &Frame) -> Answer {
        let invalid = if self.dialect().is_v5() { 29 } else { 1 };
        let name = request.ext("topic").unwrap_or_default();
        if let Some(remark) = topic::name_error(self.dialect(), name) {
            return Answer::refused(invalid, remark);
        }
        if self.topics.is_system(name) {
            return Answer::refused(invalid, format!("The topic[{name}] is conflict with system topic."));
        }
        let number = |field: &str| request.ext(field).and_then(|text| text.parse::<i32>().ok());
        let (Some(read_queues), Some(write_queues), Some(permission)) =
            (number("readQueueNums"), number("writeQueueNums"), number("perm"))
        else {
            return Answer::exception("java.lang.NullPointerException: a number is null");
        };
        if let Err(answer) = self.check_attributes(request.ext("attributes").unwrap_or_default()) {
            return answer;
        }
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

    /// `+key=value` sets, `-key` removes; 4.9 ignores attributes.
    fn check_attributes(&self, text: &str) -> Result<(), Answer> {
        if !self.dialect().is_v5() {
            return Ok(());
        }
        for change in text.split(',').filter(|change| !change.is_empty()) {
            let (key, value) = change.split_once('=').unwrap_or((change, ""));
            let key = key.trim_start_matches(['+', '-']);
            if !ATTRIBUTES.contains(&key) {
                return Err(Answer::exception(format!("java.lang.RuntimeException: unsupported key: {key}")));
            }
            if key == "message.type" && value == "MIXED" {
                return Err(Answer::refused(29, "MIXED message type is not supported."));
            }
        }
        Ok(())
    }
}
