//! What servers answered.

use super::call::{AdminPurpose, CallKey, PartKey, Question, Target};
use super::{Admin, Context};
use crate::body::{ClusterInfo, TopicRouteData, read_topic_list};
use crate::command::ResponseCode;
use crate::interface::{AdminAnswer, AdminError, AdminRequest, CallFailure, TopicPlace, clean_text};
use crate::message::{Message, MessageExt, names};
use crate::request::naming::Naming;
use crate::request::offset::{read_offset, read_timestamp};
use crate::request::query::read_index_last_update;
use crate::wire::{ExtFields, Header};
use alloc::boxed::Box;
use alloc::string::{String, ToString};

/// What a broker says when no message begins at an offset.
const NO_MESSAGE_THERE: &str = "can not find message";

impl Admin {
    /// A server answered a question.
    pub(crate) fn answered<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        AdminPurpose(key): AdminPurpose,
        header: &Header<'_>,
        body: &[u8],
    ) {
        let Some(part) = self.parts.get(key) else {
            return;
        };
        let code = ResponseCode(header.code);
        let remark = header.remark.as_deref().unwrap_or_default();
        let is_broker = matches!(part.question, Question::Broker(_));
        if code == ResponseCode::SUCCESS {
            return if is_broker {
                self.broker_answered(cx, key, &header.ext, body)
            } else {
                self.name_server_answered(cx, key, body)
            };
        }
        if let Some(result) = self.settled_by(key, code, remark) {
            let call = part.call;
            return match result {
                Some(error) => self.end(cx, call, Err(error)),
                None => self.broker_done(cx, key),
            };
        }
        let why = CallFailure::Refused { code, remark: clean_text(remark) };
        match code {
            ResponseCode::SYSTEM_BUSY | ResponseCode::FLOW_CONTROL | ResponseCode::GO_AWAY => {
                self.try_again(cx, key, why, true);
            }
            // Another name server may do better.
            _ if !is_broker => self.try_again(cx, key, why, false),
            _ => self.give_up(cx, key, why),
        }
    }

    /// True answers that come as refusals: with an error that ends the call, or none when a broker has just nothing.
    fn settled_by(&self, key: PartKey, code: ResponseCode, remark: &str) -> Option<Option<AdminError>> {
        let part = self.parts.get(key)?;
        let request = &*self.calls.get(part.call)?.request;
        match (&part.question, code, request) {
            (Question::Route, ResponseCode::TOPIC_NOT_EXIST, request) => {
                Some(Some(AdminError::TopicUnknown(topic_of(request)?.clone())))
            }
            (
                Question::Broker(_),
                ResponseCode::QUERY_NOT_FOUND,
                AdminRequest::QueryMessages(_) | AdminRequest::QueryUniqueKey { .. },
            ) => Some(None),
            (Question::Broker(_), ResponseCode::SYSTEM_ERROR, AdminRequest::ViewMessage { .. })
                if remark.starts_with(NO_MESSAGE_THERE) =>
            {
                Some(Some(AdminError::NotFound))
            }
            _ => None,
        }
    }

    fn name_server_answered<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: PartKey,
        body: &[u8],
    ) {
        let Some(part) = self.parts.get(key) else {
            return;
        };
        let (call, question) = (part.call, part.question.clone());
        let unreadable = match question {
            Question::Route => match TopicRouteData::parse(body, &self.routes) {
                Ok(route) => {
                    self.finish_part(cx, key);
                    return self.routed(cx, call, route);
                }
                Err(error) => error,
            },
            Question::Cluster => match ClusterInfo::parse(body, &self.routes) {
                Ok(info) => {
                    self.finish_part(cx, key);
                    return self.clustered(cx, call, info);
                }
                Err(error) => error,
            },
            Question::Topics => match read_topic_list(body, self.most_topics) {
                Ok(topics) => {
                    let topics = self.naming.user_topics(topics);
                    return self.end(cx, call, Ok(AdminAnswer::Topics(topics)));
                }
                Err(error) => error,
            },
            Question::Broker(_) => return,
        };
        self.try_again(cx, key, CallFailure::BadAnswer(unreadable.to_string()), false);
    }

    fn broker_answered<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: PartKey,
        ext: &ExtFields<'_>,
        body: &[u8],
    ) {
        let Some(call_key) = self.parts.get(key).map(|part| part.call) else {
            return;
        };
        let Some(call) = self.calls.get(call_key) else {
            return;
        };
        let result = match &*call.request {
            AdminRequest::MaxOffset(_) | AdminRequest::MinOffset(_) | AdminRequest::SearchOffset { .. } => {
                read_offset(ext).map(AdminAnswer::Offset).map_err(|error| error.to_string())
            }
            AdminRequest::EarliestStoreTime(_) => read_timestamp(ext)
                .map(|time| AdminAnswer::StoreTime(Some(time).filter(|time| *time >= 0)))
                .map_err(|error| error.to_string()),
            AdminRequest::ViewMessage { id, .. } => {
                read_viewed(body, id.commit_log_offset(), self.most_message_bytes).map(|mut message| {
                    message.message.unwrap_topic(&self.naming);
                    AdminAnswer::Message(message)
                })
            }
            AdminRequest::QueryMessages(_) | AdminRequest::QueryUniqueKey { .. } => {
                return self.messages_came(cx, key, call_key, ext, body);
            }
            // A broker that took a topic has nothing to say; nothing else is asked of brokers.
            _ => return self.broker_done(cx, key),
        };
        match result {
            Ok(answer) => self.end(cx, call_key, Ok(answer)),
            Err(why) => self.give_up(cx, key, CallFailure::BadAnswer(why)),
        }
    }

    /// Takes the messages that were asked for out of an answer.
    fn messages_came<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: PartKey,
        call_key: CallKey,
        ext: &ExtFields<'_>,
        body: &[u8],
    ) {
        let Some(call) = self.calls.get_mut(call_key) else {
            return;
        };
        let most = self.most_message_bytes;
        if let Ok(updated) = read_index_last_update(ext) {
            call.found.index_last_update = call.found.index_last_update.max(Some(updated));
        }
        let mut rest = body;
        while !rest.is_empty() {
            let mut message = match MessageExt::read(&mut rest) {
                Ok(message) => message,
                // What came before it counts; the broker failed all the same.
                Err(error) => return self.give_up(cx, key, CallFailure::BadAnswer(error.to_string())),
            };
            // The index of a broker is made of hashes.
            if !is_asked_for(&call.request, &message.message, &self.naming) {
                continue;
            }
            message.message.unwrap_topic(&self.naming);
            inflate(&mut message, most.saturating_sub(call.found_bytes));
            call.found_bytes = call.found_bytes.saturating_add(message.message.weight());
            if call.found_bytes > most {
                return self.end(cx, call_key, Err(AdminError::TooLarge(most)));
            }
            if matches!(*call.request, AdminRequest::QueryUniqueKey { .. }) {
                return self.end(cx, call_key, Ok(AdminAnswer::Message(Box::new(message))));
            }
            call.found.messages.push(message);
        }
        self.broker_done(cx, key);
    }

    /// A broker did what was asked.
    fn broker_done<P: Copy + From<AdminPurpose>>(&mut self, cx: &mut Context<'_, P>, key: PartKey) {
        let target = self.parts.get(key).map(|part| (part.call, part.question.clone()));
        self.finish_part(cx, key);
        let Some((call_key, Question::Broker(Target { broker, .. }))) = target else {
            return;
        };
        if let Some(call) = self.calls.get_mut(call_key) {
            call.done.extend(broker);
        }
        self.ask_brokers(cx, call_key);
    }

    fn finish_part<P: Copy>(&mut self, cx: &mut Context<'_, P>, key: PartKey) {
        self.drop_question(cx, key);
        self.remove_part(key);
    }
}

/// The topic whose route a call needs.
pub(super) fn topic_of(request: &AdminRequest) -> Option<&crate::ground::names::TopicName> {
    match request {
        AdminRequest::CreateTopic { place: TopicPlace::RouteOf(topic), .. }
        | AdminRequest::TopicRoute(topic)
        | AdminRequest::PublishQueues(topic)
        | AdminRequest::QueryUniqueKey { topic, .. } => Some(topic),
        AdminRequest::MaxOffset(queue)
        | AdminRequest::MinOffset(queue)
        | AdminRequest::EarliestStoreTime(queue)
        | AdminRequest::SearchOffset { queue, .. } => Some(&queue.topic),
        AdminRequest::QueryMessages(query) => Some(&query.topic),
        AdminRequest::CreateTopic { .. }
        | AdminRequest::ViewMessage { .. }
        | AdminRequest::ClusterInfo
        | AdminRequest::TopicList => None,
    }
}

/// Whether a message has the topic and the key that were asked for.
fn is_asked_for(request: &AdminRequest, message: &Message, naming: &Naming) -> bool {
    let has_topic = |topic| *message.topic() == *naming.topic(topic);
    match request {
        AdminRequest::QueryMessages(query) => {
            has_topic(&query.topic) && message.keys().any(|key| key == query.key)
        }
        AdminRequest::QueryUniqueKey { topic, key } => {
            has_topic(topic) && message.property(names::UNIQ_KEY) == Some(key.as_str())
        }
        _ => false,
    }
}

/// The one message that was asked for, at the place that was asked for.
fn read_viewed(body: &[u8], offset: Option<i64>, most: usize) -> Result<Box<MessageExt>, String> {
    let mut rest = body;
    let mut message = MessageExt::read(&mut rest).map_err(|error| error.to_string())?;
    if Some(message.commit_log_offset) != offset {
        return Err(alloc::format!("it is the message at {}", message.commit_log_offset));
    }
    inflate(&mut message, most);
    Ok(Box::new(message))
}

/// Puts in a body that another client compressed as it was sent, if it has at most so many bytes.
#[cfg(feature = "zlib")]
fn inflate(message: &mut MessageExt, most: usize) {
    message.inflate(most);
}

/// Without the feature it stays as it is, and says so.
#[cfg(not(feature = "zlib"))]
fn inflate(_: &mut MessageExt, _: usize) {}
