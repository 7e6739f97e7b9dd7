//! Sends: single messages and batches, from the request to the place in the log.

use super::batch;
use super::delay::{self, Wait};
use super::log::{NewMessage, Place};
use super::policy::Reply;
use super::send_header::SendHeader;
use super::{Broker, SendAttempt, SendDecision};
use crate::cluster::properties::{
    get_property, parse_properties, remove_property, set_property, write_properties,
};
use crate::cluster::topic::{HALF_TOPIC, RETRY_PREFIX, TopicConfig};
use crate::cluster::transport::Answer;
use crate::cluster::{ConnKey, Frame, Text};

/// The stored length of a properties string is a signed 16-bit number.
const MAX_PROPERTIES: usize = 32_767;
/// The stored length of a topic is a signed byte.
const MAX_TOPIC: usize = 127;
/// System flag: the two bits that say where a transaction stands.
const TRANSACTION_BITS: i32 = 0x0C;

/// A send that is ready to be stored.
struct Ready {
    messages: Vec<NewMessage>,
    /// The time of delivery, for a message that waits.
    delivery: Option<(u64, NewMessage)>,
    recall_handle: Option<String>,
    /// The queue id that the answer names: the one of the request, also for a message that waits elsewhere.
    queue_id: i32,
    unique_key: Option<String>,
    keys: Option<String>,
}

impl Broker {
    pub(super) fn send(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) -> Reply {
        let reply = self.take_send(now_ms, conn, request);
        if self.settings.trace_on { reply } else { reply.map(Answer::without_trace) }
    }

    fn take_send(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) -> Reply {
        // 5.x turns sends to a slave away at the door, 4.9 at the store.
        if self.settings.busy || (self.settings.slave && self.dialect().is_v5()) {
            return Reply::Now(Answer::refused(
                2,
                "[REJECTREQUEST]system busy, start flow control for a while",
            ));
        }
        let ready = match self.prepare(now_ms, conn, request) {
            Ok(ready) => ready,
            Err(answer) => return Reply::Now(answer),
        };
        let decision = self.decide(&ready, request);
        match decision {
            SendDecision::Store => Reply::Now(self.store(now_ms, ready, 0, None)),
            SendDecision::StoreSilently => {
                self.store(now_ms, ready, 0, None);
                Reply::Never
            }
            SendDecision::Lose => Reply::Never,
            // Flow control and shutdown answer before the fields are set.
            SendDecision::Refuse { code: code @ (2 | 1500), remark } => {
                Reply::Now(Answer::refused(code, remark))
            }
            SendDecision::Refuse { code, remark } => Reply::Now(Broker::refuse_send(code, remark)),
            SendDecision::Delay { millis } => {
                Reply::At(now_ms.saturating_add(millis), self.store(now_ms, ready, 0, None))
            }
            SendDecision::AnswerTwice => Reply::Twice(self.store(now_ms, ready, 0, None)),
            SendDecision::StoreThenAnswer { code, remark } => {
                let remark = (!remark.is_empty()).then_some(remark);
                Reply::Now(self.store(now_ms, ready, code, remark))
            }
        }
    }

    fn decide(&mut self, ready: &Ready, request: &Frame) -> SendDecision {
        let number = self.sends;
        self.sends += 1;
        if let Some(decision) = self.scripted.as_mut().and_then(|scripted| scripted.next()) {
            return decision;
        }
        let Some(policy) = &mut self.policy else {
            return SendDecision::Store;
        };
        policy.decide(&SendAttempt {
            number,
            broker: &self.config.name,
            topic: request.ext(if request.code == 10 { "topic" } else { "b" }).unwrap_or_default(),
            queue_id: ready.queue_id,
            unique_key: ready.unique_key.as_deref(),
            keys: ready.keys.as_deref(),
            request_code: request.code,
            opaque: request.opaque.unwrap_or(0),
            one_way: request.is_one_way(),
            body_length: request.body.len(),
        })
    }

    fn prepare(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) -> Result<Ready, Answer> {
        let header = SendHeader::read(self.dialect(), request).map_err(Answer::exception)?;
        let peer = self.transport.peer(conn).unwrap_or(self.config.address);
        self.check_send(now_ms, peer, &header, request)?;
        let queue_id = self.choose_queue(&header)?;
        let message = NewMessage {
            topic: header.topic.clone(),
            queue_id,
            body: request.body.clone(),
            properties: String::new(),
            flag: header.flag,
            system_flag: header.system_flag,
            born_timestamp: header.born_timestamp,
            born_host: peer,
            reconsume_times: header.reconsume_times,
            request_code: request.code,
            opaque: request.opaque.unwrap_or(0),
        };
        let ready = if header.is_batch {
            self.prepare_batch(&header, message)?
        } else {
            self.prepare_single(now_ms, &header, message, request)?
        };
        if self.settings.disk_full || self.settings.slave {
            return Err(Broker::refuse_send(14, SERVICE_NOT_AVAILABLE));
        }
        Ok(ready)
    }

    fn prepare_single(
        &mut self,
        now_ms: u64,
        header: &SendHeader,
        mut message: NewMessage,
        request: &Frame,
    ) -> Result<Ready, Answer> {
        let asked_queue = message.queue_id;
        let target = self.redirect_retry(header, asked_queue, request)?;
        (message.topic, message.queue_id) = (target.topic, target.queue_id);
        let mut pairs = parse_properties(&header.properties);
        self.complete_properties(&mut pairs);
        if target.is_dead && self.dialect().is_v5() {
            set_property(&mut pairs, "DELAY", "-1");
        }
        let is_half = get_property(&pairs, "TRAN_MSG").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if is_half {
            self.make_half(&mut pairs, &mut message)?;
        }
        self.check_size(&pairs, &message, is_half)?;
        let plain = delay::is_asked_for(&pairs).then(|| message.clone());
        let wait = if message.system_flag & TRANSACTION_BITS == 0 {
            let v5 = self.dialect().is_v5();
            delay::examine(v5, &self.settings, now_ms, &mut pairs).map_err(|(code, remark)| match code {
                1 if remark.starts_with("java.") => Answer::exception(remark),
                _ => Broker::refuse_send(code, remark),
            })?
        } else {
            Wait::No
        };
        let due = delay::divert(&wait, &mut pairs, &mut message);
        if !self.dialect().is_v5() && !is_half && due.is_none() {
            // 4.9 stores the text without this property; it writes the text anew for messages that wait.
            remove_property(&mut pairs, "WAIT");
        }
        message.properties = write_properties(&pairs, self.dialect().is_v5());
        let unique_key = get_property(&pairs, "UNIQ_KEY").map(str::to_owned);
        let recall_handle = match wait {
            Wait::Timer { out_ms } => {
                let key = unique_key.as_deref().unwrap_or_default();
                Some(delay::recall_handle(&header.topic, &self.config.name, out_ms, key))
            }
            _ => None,
        };
        // What is delivered keeps the properties of what waits.
        let delivery = due.zip(plain).map(|(due, plain)| {
            let properties = message.properties.clone();
            (due, NewMessage { properties, ..plain })
        });
        let keys = get_property(&pairs, "KEYS").map(str::to_owned);
        Ok(Ready {
            messages: vec![message],
            delivery,
            recall_handle,
            queue_id: asked_queue,
            unique_key,
            keys,
        })
    }

    /// What a broker takes out of the properties of a single message and puts in.
    fn complete_properties(&mut self, pairs: &mut Vec<(Text, Text)>) {
        if self.dialect().is_v5() {
            remove_property(pairs, "POP_CK");
            set_property(pairs, "MSG_REGION", "DefaultRegion");
            set_property(pairs, "TRACE_ON", if self.settings.trace_on { "true" } else { "false" });
            if get_property(pairs, "UNIQ_KEY").is_none() {
                let key = format!("{:016X}{:016X}", self.next_random(), self.next_random());
                set_property(pairs, "UNIQ_KEY", &key);
            }
        }
        set_property(pairs, "CLUSTER", &self.config.cluster);
    }

    fn make_half(&mut self, pairs: &mut Vec<(Text, Text)>, message: &mut NewMessage) -> Result<(), Answer> {
        if self.settings.reject_transactions {
            let ip = self.config.address.ip();
            let remark = format!("the broker[{ip}] sending transaction message is forbidden");
            return Err(Broker::refuse_send(16, remark));
        }
        if let Some(key) =
            get_property(pairs, "UNIQ_KEY").map(str::to_owned).filter(|_| self.dialect().is_v5())
        {
            set_property(pairs, "__transactionId__", &key);
        }
        if self.topics.get(HALF_TOPIC).is_none() {
            self.create_topic(TopicConfig::new(HALF_TOPIC, 1));
        }
        set_property(pairs, "REAL_TOPIC", &message.topic);
        set_property(pairs, "REAL_QID", &message.queue_id.to_string());
        message.system_flag &= !TRANSACTION_BITS;
        HALF_TOPIC.clone_into(&mut message.topic);
        message.queue_id = 0;
        Ok(())
    }

    fn check_size(&self, pairs: &[(Text, Text)], message: &NewMessage, is_half: bool) -> Result<(), Answer> {
        let v5 = self.dialect().is_v5();
        let separators = if v5 { 0 } else { 1 };
        // What 4.9 does not store does not count.
        let counts = |(name, _): &&(Text, Text)| v5 || is_half || name != "WAIT";
        let counted = pairs.iter().filter(counts);
        let length: usize = counted.map(|(name, value)| name.len() + value.len() + 2).sum();
        let too_long = length.saturating_sub(separators) > MAX_PROPERTIES;
        // Names of dead-letter topics may be longer when they are checked, but not when they are stored.
        let long_topic = message.topic.len() > MAX_TOPIC;
        let inner_batch = v5 && get_property(pairs, "INNER_NUM").is_some();
        if too_long || long_topic || message.body.len() > self.settings.max_body || inner_batch {
            return Err(self.illegal_message());
        }
        Ok(())
    }

    fn illegal_message(&self) -> Answer {
        let limit = self.settings.max_body;
        let remark = format!(
            "the message is illegal, maybe msg body or properties length not matched. msg body length limit \
             {limit}B, msg properties length limit 32KB."
        );
        Broker::refuse_send(13, remark)
    }

    fn prepare_batch(&mut self, header: &SendHeader, base: NewMessage) -> Result<Ready, Answer> {
        let v5 = self.dialect().is_v5();
        if header.topic.len() > 127 {
            let remark = format!("message topic length too long {}", header.topic.len());
            return Err(Broker::refuse_send(13, remark));
        }
        if v5 && header.topic.starts_with(RETRY_PREFIX) {
            let remark = format!("batch request does not support retry group {}", header.topic);
            return Err(Broker::refuse_send(13, remark));
        }
        let mut pairs = parse_properties(&header.properties);
        set_property(&mut pairs, "CLUSTER", &self.config.cluster);
        let delayed =
            get_property(&pairs, "DELAY").is_some_and(|text| text.parse().is_ok_and(|level: i32| level > 0));
        if header.system_flag & TRANSACTION_BITS != 0 || delayed {
            return Err(self.illegal_message());
        }
        if base.body.len() > self.settings.max_body {
            let remark = "java.lang.RuntimeException: message body size exceeded";
            return Err(if v5 { Answer::exception(remark) } else { self.illegal_message() });
        }
        let parts = batch::split(&base.body).map_err(Answer::exception)?;
        let appended = write_properties(&pairs, false);
        let whole = |part: batch::Part| NewMessage {
            properties: stored_part_properties(v5, part.properties, &appended),
            flag: part.flag,
            body: part.body,
            ..base.clone()
        };
        let messages = parts.into_iter().map(whole).collect();
        let unique_key = get_property(&pairs, "UNIQ_KEY").map(str::to_owned);
        let queue_id = base.queue_id;
        Ok(Ready { messages, delivery: None, recall_handle: None, queue_id, unique_key, keys: None })
    }

    /// Stores and answers with the place, or with an error when the code is not one of those that mean *stored*.
    fn store(&mut self, now_ms: u64, ready: Ready, code: i32, remark: Option<String>) -> Answer {
        let mut places: Vec<Place> = Vec::with_capacity(ready.messages.len());
        for message in ready.messages {
            let is_half = message.topic == HALF_TOPIC;
            let place = self.log.append(now_ms, message);
            if is_half {
                self.halves.open(place);
            }
            places.push(place);
        }
        if let Some((due_ms, message)) = ready.delivery {
            self.delayed.add(due_ms, message);
        }
        let mut answer = Answer { remark, ..Broker::send_answer(code) };
        if !matches!(code, 0 | 10..=12) {
            return answer;
        }
        let ids: Vec<String> =
            places.iter().map(|place| self.log.offset_message_id(place.commit_offset)).collect();
        let first = places.first().map_or(0, |place| place.queue_offset);
        answer = answer.ext("msgId", ids.join(",")).ext("queueId", ready.queue_id.to_string());
        answer = answer.ext("queueOffset", first.to_string());
        if self.dialect().is_v5() {
            if let Some(key) = ready.unique_key {
                answer = answer.ext("transactionId", key);
            }
            if let Some(handle) = ready.recall_handle {
                answer = answer.ext("recallHandle", handle);
            }
        }
        answer
    }
}

const SERVICE_NOT_AVAILABLE: &str = "service not available now. It may be caused by one of the following reasons: the \
     broker's disk is full [CL:  0.95 CQ:  0.95 INDEX:  0.95], messages are put to the slave, message store has been shut down, etc.";

/// 5.5 keeps the properties of a part as they came; 4.9 appends those of the batch.
fn stored_part_properties(v5: bool, own: String, of_batch: &str) -> String {
    if v5 || of_batch.is_empty() {
        return own;
    }
    let separator = if own.is_empty() || own.ends_with('\u{2}') { "" } else { "\u{2}" };
    format!("{own}{separator}{of_batch}")
}
