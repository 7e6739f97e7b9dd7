//! The inner producer: sends what is the client's own, under a group that no user can have (Java: `CLIENT_INNER_PRODUCER`).
//!
//! It stands in no table that users reach. Its messages take no room, count for no counter of users' messages, and are no
//! flush's business; how they end is told to nobody but the tracer that they came from. It is there from the first traced
//! producer on until the client is shut down, after all others.

use super::producers::{Context, ProducerTimer, Producers, Purposes, use_topic};
use super::room::UseKey;
use super::send::{SendKey, SendState, Stage};
use super::trace_queue::Batch;
use crate::ground::names::{GroupName, TopicName};
use crate::ground::{Instant, Key, TimerKey};
use crate::interface::{
    CommandId, ProducerConfig, ProducerId, ProducerView, SendErrorKind, SendMode, Target,
};
use crate::message::Message;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

/// No table ever gives this key.
pub(super) const INNER_PRODUCER: ProducerId = Key::from_parts(u32::MAX, u32::MAX);
/// Its messages take no room.
const NO_PLACE: UseKey = Key::from_parts(u32::MAX, u32::MAX);
/// Nobody waits for their end.
const NO_COMMAND: CommandId = CommandId(u64::MAX);
/// How long a trace message may take in all, as in Java.
const TRACE_SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// The inner producer of a client.
#[derive(Debug)]
pub(super) struct InnerProducer {
    pub(super) config: ProducerConfig,
    under_way: BTreeMap<SendKey, TraceMessage>,
    closing: Option<InnerClosing>,
}

/// A trace message under way.
#[derive(Debug)]
struct TraceMessage {
    of: ProducerId,
    records: usize,
    bytes: usize,
}

/// The client shuts down.
#[derive(Debug)]
struct InnerClosing {
    until: Instant,
    timer: TimerKey<ProducerTimer>,
    says_farewell: bool,
    /// Brokers that have not answered the farewell.
    farewells: usize,
}

impl InnerProducer {
    pub(super) fn new() -> Self {
        Self {
            config: ProducerConfig::new(GroupName::client_inner_producer()),
            under_way: BTreeMap::new(),
            closing: None,
        }
    }

    /// Its group, as long as heartbeats name it.
    pub(super) fn group(&self) -> Option<&GroupName> {
        let says_farewell = self.closing.as_ref().is_some_and(|closing| closing.says_farewell);
        (!says_farewell).then_some(&self.config.group)
    }

    pub(super) fn view(&self) -> ProducerView {
        ProducerView {
            group: self.config.group.clone(),
            is_open: self.closing.is_none(),
            sends: self.under_way.len(),
            ends: 0,
            topics: Vec::new(),
        }
    }
}

impl SendState {
    /// True for messages of the inner producer: those of users have a weight.
    pub(super) fn is_inner(&self) -> bool {
        self.weight == 0
    }
}

impl Producers {
    /// Sends what is due of a producer's records.
    pub(super) fn send_traces<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        loop {
            let Some(tracing) = &mut self.tracing else { return };
            let Some(tracer) = tracing.tracers.get_mut(&id) else { return };
            let Some(batch) = tracer.next_batch(cx.now.mono) else { return };
            let topic = tracer.config.topic.clone();
            self.send_trace(cx, id, topic, batch);
        }
    }

    fn send_trace<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        of: ProducerId,
        name: TopicName,
        batch: Batch,
    ) {
        let Some(tracing) = &mut self.tracing else { return };
        let Batch { body, keys, records } = batch;
        let bytes = body.len();
        let ProducerConfig { create_topic_key, default_topic_queue_nums, retries, .. } =
            &tracing.inner.config;
        let interned = cx.cluster.intern(cx.now.mono, &name, create_topic_key, *default_topic_queue_nums);
        let Some(topic) = interned else {
            return self.trace_message_over(cx, &TraceMessage { of, records, bytes }, false);
        };
        let now = cx.now.mono;
        let key = self.sends.insert(SendState {
            command: NO_COMMAND,
            producer: INNER_PRODUCER,
            topic,
            message: Message::with_keys(name, body, &keys),
            place: NO_PLACE,
            weight: 0,
            unique_key: self.unique_keys.next(cx.now.unix_ms),
            target: Target::Any,
            deadline: now + TRACE_SEND_TIMEOUT,
            mode: SendMode::Acknowledged,
            retries: *retries,
            sequence: 0,
            started: now,
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
        tracing.inner.under_way.insert(key, TraceMessage { of, records, bytes });
        use_topic(cx, topic, 1);
        self.try_send(cx, key);
    }

    /// A trace message has its verdict.
    pub(super) fn inner_send_over<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        stored: bool,
    ) {
        let Some(send) = self.sends.remove(key) else { return };
        use_topic(cx, send.topic, -1);
        let message = self.tracing.as_mut().and_then(|tracing| tracing.inner.under_way.remove(&key));
        if let Some(message) = message {
            self.trace_message_over(cx, &message, stored);
        }
    }

    fn trace_message_over<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        message: &TraceMessage,
        stored: bool,
    ) {
        let TraceMessage { of, records, bytes } = *message;
        let counter =
            if stored { &mut cx.counters.trace_records_sent } else { &mut cx.counters.trace_records_dropped };
        *counter += records as u64;
        if let Some(tracer) = self.tracing.as_mut().and_then(|tracing| tracing.tracers.get_mut(&of)) {
            let dropped = tracer.message_over(cx.now.mono, records, bytes, stored);
            cx.counters.trace_records_dropped += dropped as u64;
        }
        self.plan_trace(cx.now.mono, of);
        self.forget_tracer_if_done(of);
        self.inner_farewell_if_done(cx);
    }

    /// The settings of a producer, the inner one included.
    pub(super) fn config_of(&self, id: ProducerId) -> Option<&ProducerConfig> {
        let inner = self.tracing.as_ref().filter(|_| id == INNER_PRODUCER);
        inner.map(|tracing| &tracing.inner.config).or_else(|| self.get(id).map(|producer| &producer.config))
    }

    /// The client shuts down: once all producers are drained, what waits of their records goes out, until the deadline.
    pub(crate) fn close_inner<P: Purposes>(&mut self, cx: &mut Context<'_, P>, until: Instant) {
        let Some(tracing) = &mut self.tracing else { return };
        match &mut tracing.inner.closing {
            Some(closing) if closing.says_farewell || closing.until <= until => {}
            Some(closing) => {
                self.timers.unset(closing.timer);
                closing.until = until;
                closing.timer = self.timers.set(until, ProducerTimer::InnerDrain);
            }
            closing @ None => {
                let timer = self.timers.set(until, ProducerTimer::InnerDrain);
                *closing = Some(InnerClosing { until, timer, says_farewell: false, farewells: 0 });
            }
        }
        self.inner_farewell_if_done(cx);
    }

    /// With nothing left to send, the inner producer of a client that shuts down says farewell.
    pub(super) fn inner_farewell_if_done<P: Purposes>(&mut self, cx: &mut Context<'_, P>) {
        let producers_drain = self.groups_of_users().next().is_some();
        let Some(tracing) = &mut self.tracing else { return };
        let closes = tracing.inner.closing.as_ref().is_some_and(|closing| !closing.says_farewell);
        if closes && !producers_drain && tracing.tracers.is_empty() {
            self.inner_farewell(cx);
        }
    }

    /// The drain is over: what was not sent is dropped.
    pub(super) fn cut_inner<P: Purposes>(&mut self, cx: &mut Context<'_, P>) {
        let Some(tracing) = &mut self.tracing else { return };
        for tracer in tracing.tracers.values_mut() {
            tracer.retire();
            cx.counters.trace_records_dropped += tracer.drop_waiting() as u64;
        }
        let under_way: Vec<SendKey> = tracing.inner.under_way.keys().copied().collect();
        for key in under_way {
            self.fail(cx, key, SendErrorKind::ClientClosed);
        }
        let left = self.tracing.iter().flat_map(|tracing| tracing.tracers.keys().copied());
        let left: Vec<ProducerId> = left.collect();
        for id in left {
            self.forget_tracer_if_done(id);
        }
        self.inner_farewell_if_done(cx);
    }

    /// Tells every connected broker that the group leaves.
    fn inner_farewell<P: Purposes>(&mut self, cx: &mut Context<'_, P>) {
        self.groups_changed = true;
        let until = cx.now.mono + self.timing.unregister_timeout;
        let farewells = self.ask_to_unregister(cx, INNER_PRODUCER, until);
        let Some(closing) = self.inner_closing() else { return };
        closing.says_farewell = true;
        closing.farewells = farewells;
        let old = closing.timer;
        self.timers.unset(old);
        let timer = self.timers.set(until, ProducerTimer::Farewell(INNER_PRODUCER));
        if let Some(closing) = self.inner_closing() {
            closing.timer = timer;
        }
        if farewells == 0 {
            self.inner_over();
        }
    }

    pub(super) fn inner_farewell_answered(&mut self) {
        let Some(closing) = self.inner_closing().filter(|closing| closing.says_farewell) else { return };
        closing.farewells = closing.farewells.saturating_sub(1);
        if closing.farewells == 0 {
            self.inner_over();
        }
    }

    fn inner_closing(&mut self) -> Option<&mut InnerClosing> {
        self.tracing.as_mut()?.inner.closing.as_mut()
    }

    /// The client has no inner producer any more.
    pub(super) fn inner_over(&mut self) {
        if let Some(closing) = self.tracing.take().and_then(|tracing| tracing.inner.closing) {
            self.timers.unset(closing.timer);
        }
    }
}
