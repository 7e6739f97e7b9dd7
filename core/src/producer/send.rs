//! One send as a small machine: room, route, queue, request, answer or failure, and again until its verdict.

use super::judge::{Refusal, Verdict, judge};
use super::producers::{Context, ProducerPurpose, ProducerTimer, Producers, Purposes, use_topic};
use super::retry::{Facts, Failed, Next, after_failure};
use crate::cluster::{BrokerKey, TopicKey};
use crate::command::ResponseCode;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::BrokerName;
use crate::ground::{Instant, Key, TimerKey};
use crate::interface::{
    Action, Answer, Attempt, AttemptFailure, CommandId, MessageQueue, Notice, Outcome, ProducerId,
    Send, SendError, SendErrorKind, SendReceipt, SendStatus, Target, clean_text,
};
use crate::message::{Message, OffsetMessageId, UniqueKey, check_message, queue_index_by_hash};
use crate::net::{Failure, FailureReason, LinkKey, RequestKey, pause};
use crate::request::SendMessageResponseHeader;
use crate::wire::Header;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

pub(crate) type SendKey = Key<SendState>;

/// Attempts that an error tells of; those in the middle of a longer history are left out.
const MOST_ATTEMPTS_TOLD: usize = 16;
/// Pauses near the deadline shrink, but never to nothing.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// A send that has no verdict yet.
#[derive(Debug)]
pub(crate) struct SendState {
    pub(super) command: CommandId,
    pub(super) producer: ProducerId,
    pub(super) topic: TopicKey,
    pub(super) message: Message,
    weight: usize,
    pub(super) unique_key: UniqueKey,
    target: Target,
    deadline: Instant,
    pub(super) one_way: bool,
    retries: u32,
    /// Place in the order of all sends, for flushes.
    pub(super) sequence: u64,
    started: Instant,
    pub(super) stage: Stage,
    attempts: Vec<Attempt>,
    attempts_left_out: u32,
    /// Attempts that may have reached a broker.
    written: u32,
    /// Attempts that count against `retries`.
    counted: u32,
    may_be_stored: bool,
    pauses: u32,
    /// The broker of the last failed attempt.
    avoid: Option<BrokerKey>,
    /// Stored already, but not as well as wanted.
    kept: Option<Box<SendReceipt>>,
}

/// What a send waits for.
#[derive(Debug)]
pub(super) enum Stage {
    Starting,
    NeedsRoute { timer: TimerKey<ProducerTimer> },
    Paused { timer: TimerKey<ProducerTimer> },
    Asked(Asked),
}

/// An attempt under way.
#[derive(Debug)]
pub(super) struct Asked {
    request: RequestKey,
    broker: BrokerKey,
    pub(super) broker_name: BrokerName,
    endpoint: Endpoint,
    pub(super) queue_id: i32,
    at: Instant,
}

/// Where an attempt goes.
struct Choice {
    broker: BrokerKey,
    name: BrokerName,
    endpoint: Endpoint,
    link: LinkKey,
    queue_id: i32,
}

/// Why an attempt cannot start.
enum NoChoice {
    /// The topic has no route yet.
    Route,
    /// The queue that was wanted is not there just now.
    Queue,
    /// The send can never go there.
    Never(SendErrorKind),
}

impl Producers {
    /// Takes a send on, or answers why not.
    pub(crate) fn send<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: CommandId, send: Send) {
        let granted = send
            .reservation
            .and_then(|room| self.use_grant(cx, room, send.producer));
        let (topic, weight) = match self.take_on(cx, &send, granted) {
            Ok(admitted) => admitted,
            Err(kind) => {
                if let Some((topic, weight)) = granted {
                    self.room.give_back(send.producer, topic, weight);
                    self.grant_waiting(cx);
                }
                cx.counters.not_stored += 1;
                let name = send.message.topic().clone();
                let error = SendError::before_any_attempt(kind, name, Some(send.message));
                return cx.answer(id, verdict(send.one_way, Err(error)));
            }
        };
        let retries = send.retries.or_else(|| {
            self.get(send.producer)
                .map(|producer| producer.config.retries)
        });
        let unique_key = send
            .message
            .unique_key()
            .unwrap_or_else(|| self.unique_keys.next(cx.now.unix_ms));
        self.next_sequence += 1;
        let key = self.sends.insert(SendState {
            command: id,
            producer: send.producer,
            topic,
            message: send.message,
            weight,
            unique_key,
            target: send.target,
            deadline: send.deadline,
            one_way: send.one_way,
            retries: retries.unwrap_or(0),
            sequence: self.next_sequence,
            started: cx.now.mono,
            stage: Stage::Starting,
            attempts: Vec::new(),
            attempts_left_out: 0,
            written: 0,
            counted: 0,
            may_be_stored: false,
            pauses: 0,
            avoid: None,
            kept: None,
        });
        if let Some(producer) = self.get_mut(send.producer) {
            producer.outstanding += 1;
        }
        cx.counters.sends += 1;
        use_topic(cx, topic, 1);
        self.try_send(cx, key);
    }

    /// Checks a send and takes room for it.
    fn take_on<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        send: &Send,
        granted: Option<(TopicKey, usize)>,
    ) -> Result<(TopicKey, usize), SendErrorKind> {
        let weight = send.message.weight();
        let topic = self.admit(cx, send.producer, send.message.topic(), weight)?;
        let most = self
            .get(send.producer)
            .map_or(0, |producer| producer.config.max_message_size);
        check_message(&send.message, most)?;
        if let Target::Queue(queue) = &send.target
            && queue.topic != *send.message.topic()
        {
            return Err(SendErrorKind::OtherTopic(queue.clone()));
        }
        match granted {
            Some((reserved, given)) if reserved == topic && given >= weight => {
                return Ok((topic, given));
            }
            Some(_) => return Err(SendErrorKind::Full),
            None => {}
        }
        if !self.room.has(send.producer, Some(topic), weight) {
            return Err(SendErrorKind::Full);
        }
        self.room.take(send.producer, topic, weight);
        Ok((topic, weight))
    }

    /// Starts an attempt, or waits for what it lacks.
    pub(super) fn try_send<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(send) = self.sends.get(key) else {
            return;
        };
        if send.deadline <= cx.now.mono {
            return self.out_of_time(cx, key);
        }
        match self.choose(cx, key) {
            Ok(choice) => self.ask(cx, key, choice),
            Err(NoChoice::Route) => self.wait_for_route(cx, key),
            Err(NoChoice::Queue) => {
                if let Some(send) = self.sends.get(key) {
                    cx.cluster.refresh(cx.now.mono, send.topic, cx.net);
                }
                self.pause(cx, key);
            }
            Err(NoChoice::Never(kind)) => self.fail(cx, key, kind),
        }
    }

    fn choose<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
    ) -> Result<Choice, NoChoice> {
        let send = self.sends.get_mut(key).ok_or(NoChoice::Route)?;
        let topic = cx.cluster.topic(send.topic).ok_or(NoChoice::Route)?;
        let publish = topic.publish.as_ref().ok_or(NoChoice::Route)?;
        if let Target::ShardingKey(text) = &send.target {
            let place = queue_index_by_hash(text, publish.total());
            let (broker, queue_id) = publish.at(place).ok_or(NoChoice::Route)?;
            let name = cx
                .cluster
                .brokers()
                .get(broker)
                .ok_or(NoChoice::Route)?
                .name
                .clone();
            // Chosen once: an attempt that follows must not change the order within a queue.
            send.target = Target::Queue(MessageQueue {
                topic: topic.name.clone(),
                broker_name: name,
                queue_id,
            });
        }
        let (broker, queue_id) = match &send.target {
            Target::Queue(queue) => {
                let broker = cx.cluster.brokers().find(&queue.broker_name);
                match broker.filter(|broker| publish.has(*broker, queue.queue_id)) {
                    Some(broker) => (broker, queue.queue_id),
                    None if !send.attempts.is_empty() => return Err(NoChoice::Queue),
                    None if topic.fetched_at.is_some_and(|at| at >= send.started) => {
                        return Err(NoChoice::Never(SendErrorKind::UnknownQueue(queue.clone())));
                    }
                    None => return Err(NoChoice::Queue),
                }
            }
            _ => {
                let (topic, avoid) = (send.topic, send.avoid);
                cx.cluster
                    .next_queue(topic, avoid, cx.net)
                    .ok_or(NoChoice::Route)?
            }
        };
        let found = cx.cluster.brokers().get(broker).ok_or(NoChoice::Queue)?;
        let (endpoint, link) = found.master.clone().ok_or(NoChoice::Queue)?;
        Ok(Choice {
            broker,
            name: found.name.clone(),
            endpoint,
            link,
            queue_id,
        })
    }

    fn ask<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, choice: Choice) {
        let least = self.timing.attempt_time_min;
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let now = cx.now.mono;
        let left = send.deadline.since(now);
        // Each attempt that may follow gets its share, so that one silent broker does not use up everything.
        let attempts = send.retries.saturating_sub(send.counted).saturating_add(1);
        let share = (left / attempts).max(least.min(left));
        let purpose = ProducerPurpose::Send(key).into();
        let request = cx
            .net
            .ask(choice.link, now + share, purpose, send.one_way, false);
        cx.counters.attempts += 1;
        send.stage = Stage::Asked(Asked {
            request,
            broker: choice.broker,
            broker_name: choice.name,
            endpoint: choice.endpoint,
            queue_id: choice.queue_id,
            at: now,
        });
    }

    fn wait_for_route<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let topic_key = send.topic;
        send.stage = Stage::NeedsRoute {
            timer: self.timers.set(send.deadline, ProducerTimer::Deadline(key)),
        };
        let line = self.routeless.entry(topic_key).or_default();
        line.push_back(key);
        let Some(topic) = cx.cluster.topic_mut(topic_key) else {
            return;
        };
        topic.waiting += 1;
        let live = topic.waiting;
        let searching = topic.query.is_some() || topic.soon.is_some();
        if line.len() > live * 2 + 64 {
            let sends = &self.sends;
            line.retain(|key| {
                matches!(
                    sends.get(*key).map(|send| &send.stage),
                    Some(Stage::NeedsRoute { .. })
                )
            });
        }
        if !searching {
            cx.cluster.look_up(cx.now.mono, topic_key, cx.net);
        }
    }

    /// There is a route: everybody who waited for it looks again.
    pub(super) fn route_found<P: Purposes>(&mut self, cx: &mut Context<'_, P>, topic: TopicKey) {
        for key in self.routeless.remove(&topic).unwrap_or_default() {
            if self.leave_stage(cx, key) {
                self.try_send(cx, key);
            }
        }
    }

    /// No search would find a route.
    pub(super) fn route_hopeless<P: Purposes>(&mut self, cx: &mut Context<'_, P>, topic: TopicKey) {
        let error = cx
            .cluster
            .topic(topic)
            .and_then(|topic| topic.error.clone());
        for key in self.routeless.remove(&topic).unwrap_or_default() {
            let kind = error
                .clone()
                .map_or(SendErrorKind::Timeout, SendErrorKind::NoRoute);
            self.fail(cx, key, kind);
        }
    }

    /// Ends the wait of a send: its timer or its request. False when the send is gone.
    fn leave_stage<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) -> bool {
        let Some(send) = self.sends.get_mut(key) else {
            return false;
        };
        match core::mem::replace(&mut send.stage, Stage::Starting) {
            Stage::Starting => {}
            Stage::NeedsRoute { timer } => {
                self.timers.unset(timer);
                if let Some(topic) = cx.cluster.topic_mut(send.topic) {
                    topic.waiting = topic.waiting.saturating_sub(1);
                }
            }
            Stage::Paused { timer } => self.timers.unset(timer),
            Stage::Asked(asked) => {
                let written = cx.net.withdraw(asked.request);
                send.note(&asked, cx.now.mono, written, AttemptFailure::NotWritten);
                send.may_be_stored |= written;
            }
        }
        true
    }

    /// Lets a send rest before its next attempt; tells how long.
    fn pause<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) -> Duration {
        let (min, max) = (self.timing.retry_pause_min, self.timing.retry_pause_max);
        let Some(send) = self.sends.get_mut(key) else {
            return Duration::ZERO;
        };
        send.pauses = send.pauses.saturating_add(1);
        let left = send.deadline.since(cx.now.mono);
        // The last pause leaves time for an attempt.
        let length = pause(&mut self.rng, send.pauses, min, max)
            .min(left / 2)
            .max(LEAST_PAUSE)
            .min(left);
        let timer = self
            .timers
            .set(cx.now.mono + length, ProducerTimer::Pause(key));
        send.stage = Stage::Paused { timer };
        length
    }

    /// A broker answered an attempt.
    pub(super) fn send_answered<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        header: &Header<'_>,
    ) {
        let code = ResponseCode(header.code);
        let remark = header.remark.as_deref().unwrap_or_default();
        match judge(code, remark) {
            Verdict::Stored(status) => match SendMessageResponseHeader::read(&header.ext) {
                Ok(fields) => self.stored(cx, key, status, &fields),
                Err(error) => self.unreadable(cx, key, error.to_string()),
            },
            Verdict::Refused(refusal) => self.refused(cx, key, code, remark, refusal),
        }
    }

    fn unreadable<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, why: String) {
        self.attempt_failed(
            cx,
            key,
            Failed::Unknown,
            true,
            AttemptFailure::BadAnswer(why),
        );
    }

    fn refused<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        code: ResponseCode,
        remark: &str,
        refusal: Refusal,
    ) {
        if refusal.refresh_route
            && let Some(send) = self.sends.get(key)
        {
            cx.cluster.refresh(cx.now.mono, send.topic, cx.net);
        }
        let failed = Failed::Refused {
            proves_not_stored: refusal.proves_not_stored,
            next: refusal.next,
        };
        let failure = AttemptFailure::Refused {
            code,
            remark: clean_text(remark),
        };
        self.attempt_failed(cx, key, failed, true, failure);
    }

    /// A connection or the clock ended an attempt.
    pub(super) fn attempt_lost<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        failure: Failure,
    ) {
        let failed = if failure.written {
            Failed::Unknown
        } else {
            Failed::Unwritten
        };
        let why = match failure.why {
            FailureReason::Timeout if !failure.written => AttemptFailure::NotWritten,
            FailureReason::Timeout => AttemptFailure::Timeout,
            FailureReason::Connection(why) => {
                if let Some(send) = self.sends.get(key) {
                    cx.cluster.refresh(cx.now.mono, send.topic, cx.net);
                }
                AttemptFailure::Connection(why)
            }
        };
        self.attempt_failed(cx, key, failed, failure.written, why);
    }

    /// The request could not be put into a frame; no other attempt would fare better.
    pub(crate) fn not_encodable<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        why: String,
    ) {
        self.fail(cx, key, SendErrorKind::NotEncodable(why));
    }

    fn attempt_failed<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        failed: Failed,
        written: bool,
        failure: AttemptFailure,
    ) {
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let Stage::Asked(asked) = core::mem::replace(&mut send.stage, Stage::Starting) else {
            return;
        };
        send.note(&asked, cx.now.mono, written, failure.clone());
        send.avoid = Some(asked.broker);
        let proven = matches!(
            failed,
            Failed::Unwritten
                | Failed::Refused {
                    proves_not_stored: true,
                    ..
                }
        );
        send.may_be_stored |= !proven;
        let alternative = matches!(send.target, Target::Any)
            && cx.cluster.has_alternative(send.topic, asked.broker, cx.net);
        let facts = Facts {
            resend: self
                .table
                .get(super::producers::table_key(send.producer))
                .map_or_else(Default::default, |producer| producer.config.resend),
            counted: send.counted,
            retries: send.retries,
            alternative,
            pauses: send.pauses,
        };
        let (next, counts) = after_failure(facts, failed);
        send.counted += u32::from(counts);
        match next {
            Next::Again | Next::AgainAfterPause => {
                self.again(cx, key, next, &asked.broker_name, &failure)
            }
            Next::Refused => {
                let kind = final_refusal(asked.broker_name, failure);
                self.fail(cx, key, kind);
            }
            Next::Exhausted => {
                let tried = send.counted;
                let kind = match failure {
                    AttemptFailure::Refused { .. } => final_refusal(asked.broker_name, failure),
                    _ => SendErrorKind::RetriesExhausted(tried),
                };
                self.fail(cx, key, kind);
            }
            Next::ResendForbidden => self.fail(cx, key, SendErrorKind::ResendForbidden),
        }
    }

    fn again<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        next: Next,
        broker: &BrokerName,
        failure: &AttemptFailure,
    ) {
        let now = cx.now.mono;
        let Some(send) = self.sends.get(key) else {
            return;
        };
        if send.deadline <= now {
            return self.out_of_time(cx, key);
        }
        let topic = send.message.topic().clone();
        let after = if next == Next::AgainAfterPause {
            self.pause(cx, key)
        } else {
            Duration::ZERO
        };
        let notice = Notice::Retry {
            topic,
            broker: Some(broker.clone()),
            why: failure.to_string(),
            after,
        };
        cx.actions.push_back(Action::Notice(notice));
        if next == Next::Again {
            self.try_send(cx, key);
        }
    }

    fn stored<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        status: SendStatus,
        fields: &SendMessageResponseHeader<'_>,
    ) {
        let offset_message_id = match OffsetMessageId::parse(&fields.msg_id) {
            Ok(id) => id,
            Err(error) => return self.unreadable(cx, key, error.to_string()),
        };
        let region = self.region_of(fields.region.as_deref());
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let Stage::Asked(asked) = &send.stage else {
            return;
        };
        send.written += 1;
        let receipt = SendReceipt {
            status,
            message_id: send.unique_key,
            offset_message_id,
            queue: MessageQueue {
                topic: send.message.topic().clone(),
                broker_name: asked.broker_name.clone(),
                queue_id: fields.queue_id,
            },
            queue_offset: fields.queue_offset,
            transaction_id: fields
                .transaction_id
                .as_deref()
                .filter(|id| *id != send.unique_key.as_str())
                .map(Into::into),
            region,
            trace_on: fields.trace_on,
            recall_handle: fields.recall_handle.as_deref().map(Into::into),
            attempts: send.written,
        };
        if status != SendStatus::SendOk && self.wants_another_broker(cx, key) {
            return self.try_another_broker(cx, key, receipt);
        }
        self.finish(cx, key, Ok(receipt));
    }

    fn region_of(&mut self, text: Option<&str>) -> Option<alloc::sync::Arc<str>> {
        let text = text?;
        if self.region.as_deref() != Some(text) {
            self.region = Some(text.into());
        }
        self.region.clone()
    }

    fn wants_another_broker<P: Purposes>(&self, cx: &Context<'_, P>, key: SendKey) -> bool {
        let Some(send) = self.sends.get(key) else {
            return false;
        };
        let Stage::Asked(asked) = &send.stage else {
            return false;
        };
        let wanted = self
            .get(send.producer)
            .is_some_and(|producer| producer.config.retry_another_broker_when_not_store_ok);
        wanted
            && send.counted < send.retries
            && send.deadline > cx.now.mono
            && matches!(send.target, Target::Any)
            && cx.cluster.has_alternative(send.topic, asked.broker, cx.net)
    }

    fn try_another_broker<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        receipt: SendReceipt,
    ) {
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let Stage::Asked(asked) = core::mem::replace(&mut send.stage, Stage::Starting) else {
            return;
        };
        let written = send.written;
        send.note(
            &asked,
            cx.now.mono,
            true,
            AttemptFailure::Status(receipt.status),
        );
        send.written = written;
        send.avoid = Some(asked.broker);
        send.counted += 1;
        send.kept.get_or_insert(Box::new(receipt));
        self.try_send(cx, key);
    }

    pub(super) fn one_way_done<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(send) = self.take_out(cx, key) else {
            return;
        };
        cx.counters.handed_over += 1;
        cx.answer(send.command, Answer::HandedOver(Ok(())));
        self.after_end(cx, &send);
    }

    /// The deadline came.
    pub(super) fn out_of_time<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(send) = self.sends.get(key) else {
            return;
        };
        let no_route = match (&send.stage, send.attempts.is_empty()) {
            (Stage::NeedsRoute { .. }, true) => cx
                .cluster
                .topic(send.topic)
                .and_then(|topic| topic.error.clone()),
            _ => None,
        };
        let kind = no_route.map_or(SendErrorKind::Timeout, SendErrorKind::NoRoute);
        self.fail(cx, key, kind);
    }

    /// Ends a send without a receipt, unless an earlier attempt earned one.
    pub(super) fn fail<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        kind: SendErrorKind,
    ) {
        self.leave_stage(cx, key);
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        if let Some(mut receipt) = send.kept.take() {
            receipt.attempts = send.written;
            return self.finish(cx, key, Ok(*receipt));
        }
        let outcome = if send.may_be_stored {
            Outcome::MayBeStored
        } else {
            Outcome::NotStored
        };
        let mut error = SendError::before_any_attempt(kind, send.message.topic().clone(), None);
        error.0.outcome = outcome;
        error.0.attempts = core::mem::take(&mut send.attempts);
        error.0.attempts_left_out = send.attempts_left_out;
        error.0.written = send.written;
        self.finish(cx, key, Err(error));
    }

    fn finish<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        result: Result<SendReceipt, SendError>,
    ) {
        let Some(mut send) = self.take_out(cx, key) else {
            return;
        };
        let result = match result {
            Ok(receipt) => {
                cx.counters.stored += 1;
                Ok(receipt)
            }
            Err(mut error) => {
                match error.0.outcome {
                    Outcome::NotStored => cx.counters.not_stored += 1,
                    Outcome::MayBeStored => cx.counters.may_be_stored += 1,
                }
                // A copy that was stored can be recognised when the message is sent again.
                send.message.set_unique_key(send.unique_key);
                self.note_undelivered(send.producer, &send.message, &error);
                error.0.message = Some(send.message.clone());
                Err(error)
            }
        };
        cx.answer(send.command, verdict(send.one_way, result));
        self.after_end(cx, &send);
    }

    fn take_out<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
    ) -> Option<SendState> {
        let send = self.sends.remove(key)?;
        use_topic(cx, send.topic, -1);
        self.room.give_back(send.producer, send.topic, send.weight);
        Some(send)
    }

    fn after_end<P: Purposes>(&mut self, cx: &mut Context<'_, P>, send: &SendState) {
        self.grant_waiting(cx);
        self.note_ended(cx, send.producer, send.sequence);
    }
}

impl SendState {
    /// Adds an attempt to the history.
    fn note(&mut self, asked: &Asked, now: Instant, written: bool, failure: AttemptFailure) {
        self.written += u32::from(written);
        if self.attempts.len() == MOST_ATTEMPTS_TOLD {
            // The first ones and the latest ones tell most.
            self.attempts.remove(MOST_ATTEMPTS_TOLD / 2);
            self.attempts_left_out += 1;
        }
        self.attempts.push(Attempt {
            broker: asked.broker_name.clone(),
            endpoint: asked.endpoint.clone(),
            queue_id: asked.queue_id,
            took: now.since(asked.at),
            written,
            failure,
        });
    }
}

fn verdict(one_way: bool, result: Result<SendReceipt, SendError>) -> Answer {
    if one_way {
        Answer::HandedOver(result.map(drop))
    } else {
        Answer::Sent(result)
    }
}

fn final_refusal(broker: BrokerName, failure: AttemptFailure) -> SendErrorKind {
    match failure {
        AttemptFailure::Refused { code, remark } => SendErrorKind::Refused {
            broker,
            code,
            remark,
        },
        other => SendErrorKind::NotEncodable(other.to_string()),
    }
}
