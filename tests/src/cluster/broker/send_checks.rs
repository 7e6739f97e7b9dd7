//! The checks of a send that do not depend on the message itself.

use std::net::SocketAddr;

use super::Broker;
use super::send_header::SendHeader;
use crate::cluster::Frame;
use crate::cluster::topic::{self, DLQ_PREFIX, PERM_WRITE, RETRY_PREFIX, TopicConfig};
use crate::cluster::transport::Answer;

/// From this request version on (3.4.9) the limit of reconsumptions in the request counts.
const MAX_RECONSUME_VERSION: i32 = 121;
/// How often a message is consumed again before it is given up, unless the request says otherwise.
const DEFAULT_MAX_RECONSUME: i32 = 16;

/// 5.x makes no group with a longer name.
const GROUP_LIMIT: usize = 120;

/// Where a message really goes.
pub(super) struct Target {
    pub(super) topic: String,
    pub(super) queue_id: i32,
    /// The group has given the message up.
    pub(super) is_dead: bool,
}

impl Broker {
    /// An answer with the two ext fields that every answer to a send has once the first checks are passed.
    pub(super) fn send_answer(code: i32) -> Answer {
        Answer::new(code).ext("MSG_REGION", "DefaultRegion").ext("TRACE_ON", "true")
    }

    pub(super) fn refuse_send(code: i32, remark: impl Into<String>) -> Answer {
        Answer { remark: Some(remark.into()), ..Broker::send_answer(code) }
    }

    /// The checks from time to queue id, in the order of a real broker. Creates the topic when that is allowed.
    pub(super) fn check_send(
        &mut self,
        now_ms: u64,
        peer: SocketAddr,
        header: &SendHeader,
        request: &Frame,
    ) -> Result<(), Answer> {
        if now_ms < self.settings.accept_sends_from_ms {
            let from = self.settings.accept_sends_from_ms;
            return Err(Broker::refuse_send(1, format!("broker unable to service, until {from}")));
        }
        let topic = header.topic.as_str();
        let is_order = self.topics.get(topic).is_some_and(|config| config.order);
        if self.dialect().is_v5() && self.settings.permission & PERM_WRITE == 0 && is_order {
            let ip = self.config.address.ip();
            return Err(Broker::refuse_send(16, format!("the broker[{ip}] sending message is forbidden")));
        }
        if let Some(remark) = topic::name_error(self.dialect(), topic) {
            return Err(Broker::refuse_send(self.invalid_parameter(), remark));
        }
        if topic::is_forbidden_for_sends(topic) {
            return Err(Broker::refuse_send(16, format!("Sending message to topic[{topic}] is forbidden.")));
        }
        self.ensure_topic(header, request)?;
        let Some(config) = self.topics.get(topic) else {
            let remark = format!("topic[{topic}] not exist, apply first please!");
            let remark = remark + self.dialect().faq_line();
            return Err(Broker::refuse_send(17, remark));
        };
        if header.queue_id >= config.queue_limit() {
            let (id, config) = (header.queue_id, config.describe(self.dialect()));
            let remark = format!("request queueId[{id}] is illegal, {config} Producer: {peer}");
            return Err(Broker::refuse_send(self.invalid_parameter(), remark));
        }
        Ok(())
    }

    /// 5.3.3 and later have a code of their own for bad parameters.
    fn invalid_parameter(&self) -> i32 {
        if self.dialect().is_v5() { 29 } else { 1 }
    }

    /// Makes an unknown topic where that is allowed.
    fn ensure_topic(&mut self, header: &SendHeader, request: &Frame) -> Result<(), Answer> {
        let topic = header.topic.as_str();
        if self.topics.get(topic).is_some() {
            return Ok(());
        }
        // Only now the two fields about the default topic are needed.
        let missing =
            || Answer::exception(format!("java.lang.NullPointerException: request {}", request.code));
        let default_topic = header.default_topic.as_deref().ok_or_else(missing)?;
        let queues = header.default_queues.ok_or_else(missing)?;
        let allowed = self.settings.auto_create_topics;
        if self.topics.create_from_default(topic, default_topic, queues, allowed) {
            self.unregistered_changes = true;
        } else if topic.starts_with(RETRY_PREFIX) {
            self.create_topic(TopicConfig::new(topic, 1));
        }
        Ok(())
    }

    /// The queue to use: a negative id lets the broker choose.
    pub(super) fn choose_queue(&mut self, header: &SendHeader) -> Result<i32, Answer> {
        if header.queue_id >= 0 {
            return Ok(header.queue_id);
        }
        let queues = self.topics.get(&header.topic).map_or(0, |config| config.write_queues);
        match u64::try_from(queues) {
            Ok(count) if count > 0 => Ok((self.next_random() % count) as i32),
            _ => Err(Answer::exception("java.lang.ArithmeticException: / by zero")),
        }
    }

    /// Whether a consumer group is there, or can be made on the spot.
    pub(super) fn knows_group(&mut self, group: &str) -> bool {
        let illegal = self.dialect().is_v5() && (group.is_empty() || group.len() > GROUP_LIMIT);
        let known = self.groups.contains(group);
        if !known && self.settings.auto_create_groups && !illegal {
            self.groups.insert(group.to_owned());
            return true;
        }
        known
    }

    /// A message that a consumer group has seen too often goes to the group's dead-letter topic.
    pub(super) fn redirect_retry(
        &mut self,
        header: &SendHeader,
        queue_id: i32,
        request: &Frame,
    ) -> Result<Target, Answer> {
        let topic = header.topic.clone();
        let Some(group) = header.topic.strip_prefix(RETRY_PREFIX) else {
            return Ok(Target { topic, queue_id, is_dead: false });
        };
        if !self.knows_group(group) {
            let faq = self.dialect().faq_line();
            return Err(Broker::refuse_send(26, format!("subscription group not exist, {group} {faq}")));
        }
        let asked = header.max_reconsume_times.filter(|_| request.version >= MAX_RECONSUME_VERSION);
        let most = asked.unwrap_or(DEFAULT_MAX_RECONSUME);
        // 4.9 gives up one time earlier.
        let again =
            header.reconsume_times < most || (self.dialect().is_v5() && header.reconsume_times == most);
        if again {
            return Ok(Target { topic, queue_id, is_dead: false });
        }
        let topic = format!("{DLQ_PREFIX}{group}");
        if self.topics.get(&topic).is_none() {
            self.create_topic(TopicConfig::new(&topic, 1));
        }
        Ok(Target { topic, queue_id: 0, is_dead: true })
    }
}
