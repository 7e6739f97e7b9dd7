//! One send as a small machine: room, route, queue, request, answer or failure, and again until its verdict.

use super::encode::added_properties;
use super::producers::{Context, ProducerTimer, Producers, Purposes, use_topic};
use super::room::{Grant, UseKey};
use crate::cluster::{BrokerKey, TopicKey};
use crate::ground::endpoint::Endpoint;
use crate::ground::names::BrokerName;
use crate::ground::{Instant, Key, TimerKey};
use crate::interface::{
    Answer, Attempt, AttemptFailure, CommandId, Outcome, ProducerId, Send, SendError, SendErrorKind,
    SendMode, SendReceipt, Target,
};
use crate::message::{Message, MessageError, UniqueKey, check_added, check_message};
use crate::net::{RequestKey, pause};
use alloc::boxed::Box;
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
    /// Where its room was taken.
    pub(super) place: UseKey,
    pub(super) weight: usize,
    pub(super) unique_key: UniqueKey,
    pub(super) target: Target,
    pub(super) deadline: Instant,
    pub(super) mode: SendMode,
    pub(super) retries: u32,
    /// Place in the order of all sends, for flushes.
    pub(super) sequence: u64,
    pub(super) started: Instant,
    pub(super) stage: Stage,
    pub(super) attempts: Vec<Attempt>,
    pub(super) attempts_left_out: u32,
    /// Attempts that may have reached a broker.
    pub(super) written: u32,
    /// Attempts that count against `retries`.
    pub(super) counted: u32,
    pub(super) may_be_stored: bool,
    pub(super) pauses: u32,
    /// Refusals so far that asked to wait.
    pub(super) asked_to_wait: u32,
    /// The broker of the last failed attempt.
    pub(super) avoid: Option<BrokerKey>,
    /// Stored already, but not as well as wanted.
    pub(super) kept: Option<Box<SendReceipt>>,
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
    pub(super) request: RequestKey,
    pub(super) broker: BrokerKey,
    pub(super) broker_name: BrokerName,
    pub(super) endpoint: Endpoint,
    pub(super) queue_id: i32,
    pub(super) at: Instant,
}

impl Producers {
    /// Takes a send on, or answers why not.
    pub(crate) fn send<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: CommandId, send: Send) {
        let granted = send.reservation.and_then(|room| self.use_grant(cx, room, send.producer));
        let (topic, place, weight) = match self.take_on(cx, &send, granted) {
            Ok(admitted) => admitted,
            Err(kind) => {
                if let Some(grant) = granted {
                    self.room.give_back(grant.place, grant.weight);
                    self.grant_waiting(cx);
                }
                cx.counters.not_stored += 1;
                let name = send.message.topic().clone();
                let error = SendError::before_any_attempt(kind, name, Some(send.message));
                cx.answer(id, verdict(send.mode, Err(error)));
                if self.hooks.is_some() {
                    self.not_taken_on(cx, send.producer, send.mode);
                }
                return;
            }
        };
        let retries =
            send.retries.or_else(|| self.get(send.producer).map(|producer| producer.config.retries));
        let unique_key = send.message.unique_key().unwrap_or_else(|| self.unique_keys.next(cx.now.unix_ms));
        self.next_sequence += 1;
        let key = self.sends.insert(SendState {
            command: id,
            producer: send.producer,
            topic,
            message: send.message,
            place,
            weight,
            unique_key,
            target: send.target,
            deadline: send.deadline,
            mode: send.mode,
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
            asked_to_wait: 0,
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
    #[inline(always)]
    fn take_on<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        send: &Send,
        granted: Option<Grant>,
    ) -> Result<(TopicKey, UseKey, usize), SendErrorKind> {
        let weight = send.message.weight();
        let topic = self.admit(cx, send.producer, send.message.topic(), weight)?;
        let most = self.get(send.producer).map_or(0, |producer| producer.config.max_message_size);
        check_message(&send.message, most)?;
        if send.mode == SendMode::Half || self.naming.namespace().is_some() {
            self.check_properties(send)?;
        }
        if let Target::Queue(queue) = &send.target
            && queue.topic != *send.message.topic()
        {
            return Err(SendErrorKind::OtherTopic(queue.clone()));
        }
        match granted {
            Some(grant) if grant.topic == topic && grant.weight >= weight => {
                return Ok((topic, grant.place, grant.weight));
            }
            Some(_) => return Err(SendErrorKind::Full),
            None => {}
        }
        if !self.room.has(send.producer, Some(topic), weight) {
            return Err(SendErrorKind::Full);
        }
        let place = self.room.take(send.producer, topic, weight);
        Ok((topic, place, weight))
    }

    /// Checks that the properties that go with a message have room beside its own.
    #[cold]
    #[inline(never)]
    fn check_properties(&self, send: &Send) -> Result<(), MessageError> {
        let producer = self.get(send.producer).filter(|_| send.mode == SendMode::Half);
        let group = producer.map(|producer| self.naming.group(&producer.config.group));
        check_added(&send.message, &added_properties(&self.naming, group.as_deref()))
    }

    /// Ends the wait of a send: its timer or its request. False when the send is gone.
    pub(super) fn leave_stage<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) -> bool {
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
                let failure = if written { AttemptFailure::Timeout } else { AttemptFailure::NotWritten };
                send.note(&asked, cx.now.mono, written, failure);
                send.may_be_stored |= written;
            }
        }
        true
    }

    /// Lets a send rest before its next attempt; tells how long.
    pub(super) fn pause<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) -> Duration {
        let (min, max) = (self.timing.retry_pause_min, self.timing.retry_pause_max);
        let Some(send) = self.sends.get_mut(key) else {
            return Duration::ZERO;
        };
        send.pauses = send.pauses.saturating_add(1);
        let left = send.deadline.since(cx.now.mono);
        // The last pause leaves time for an attempt.
        let length = pause(&mut self.rng, send.pauses, min, max).min(left / 2).max(LEAST_PAUSE).min(left);
        let timer = self.timers.set(cx.now.mono + length, ProducerTimer::Pause(key));
        send.stage = Stage::Paused { timer };
        length
    }

    pub(super) fn one_way_done<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(ended) = self.sends.get(key).map(Ended::from) else {
            return;
        };
        cx.counters.handed_over += 1;
        self.end(cx, key, &ended, Answer::HandedOver(Ok(())));
    }

    /// The deadline came.
    pub(super) fn out_of_time<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(send) = self.sends.get(key) else {
            return;
        };
        let no_route = match (&send.stage, send.attempts.is_empty()) {
            (Stage::NeedsRoute { .. }, true) => {
                cx.cluster.topic(send.topic).and_then(|topic| topic.error.clone())
            }
            _ => None,
        };
        let kind = no_route.map_or(SendErrorKind::Timeout, SendErrorKind::NoRoute);
        self.fail(cx, key, kind);
    }

    /// Ends a send without a receipt, unless an earlier attempt earned one.
    pub(super) fn fail<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, kind: SendErrorKind) {
        self.leave_stage(cx, key);
        if self.tracing.is_some() && self.trace_failed(cx, key) {
            return;
        }
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        if let Some(mut receipt) = send.kept.take() {
            receipt.attempts = send.written;
            return self.succeed(cx, key, *receipt);
        }
        let outcome = if send.may_be_stored { Outcome::MayBeStored } else { Outcome::NotStored };
        let mut error = SendError::before_any_attempt(kind, send.message.topic().clone(), None);
        error.0.outcome = outcome;
        error.0.attempts = core::mem::take(&mut send.attempts);
        error.0.attempts_left_out = send.attempts_left_out;
        error.0.written = send.written;
        match outcome {
            Outcome::NotStored => cx.counters.not_stored += 1,
            Outcome::MayBeStored => cx.counters.may_be_stored += 1,
        }
        // A copy that was stored can be recognised when the message is sent again.
        send.message.set_unique_key(send.unique_key);
        let message = send.message.clone();
        let ended = Ended::from(&*send);
        self.note_undelivered(ended.producer, &message, &error);
        error.0.message = Some(message);
        self.end(cx, key, &ended, verdict(ended.mode, Err(error)));
    }

    /// Ends a send with its receipt.
    pub(super) fn succeed<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        receipt: SendReceipt,
    ) {
        let Some(ended) = self.sends.get(key).map(Ended::from) else {
            return;
        };
        cx.counters.stored += 1;
        if ended.mode == SendMode::OneWay {
            return self.end(cx, key, &ended, Answer::HandedOver(Ok(())));
        }
        self.end(cx, key, &ended, Answer::Sent(Ok(receipt)));
    }

    fn end<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, ended: &Ended, answer: Answer) {
        cx.answer(ended.command, answer);
        if self.hooks.is_some() {
            self.tell_end(cx, key);
        }
        self.take_out(cx, key, ended);
        self.after_end(cx, ended);
    }

    fn take_out<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, ended: &Ended) {
        self.sends.discard(key);
        use_topic(cx, ended.topic, -1);
        self.room.give_back(ended.place, ended.weight);
    }

    fn after_end<P: Purposes>(&mut self, cx: &mut Context<'_, P>, ended: &Ended) {
        self.grant_waiting(cx);
        self.note_ended(cx, ended.producer, ended.sequence);
    }
}

/// What is needed of a send after its end: little, where the whole is large to move.
struct Ended {
    command: CommandId,
    producer: ProducerId,
    topic: TopicKey,
    place: UseKey,
    weight: usize,
    sequence: u64,
    mode: SendMode,
}

impl From<&SendState> for Ended {
    fn from(send: &SendState) -> Self {
        Self {
            command: send.command,
            producer: send.producer,
            topic: send.topic,
            place: send.place,
            weight: send.weight,
            sequence: send.sequence,
            mode: send.mode,
        }
    }
}

impl SendState {
    /// Adds an attempt to the history.
    pub(super) fn note(&mut self, asked: &Asked, now: Instant, written: bool, failure: AttemptFailure) {
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

pub(super) fn verdict(mode: SendMode, result: Result<SendReceipt, SendError>) -> Answer {
    if mode == SendMode::OneWay { Answer::HandedOver(result.map(drop)) } else { Answer::Sent(result) }
}
