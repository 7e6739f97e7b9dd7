//! Message trace: a record for each traced send and each end of a transaction that a broker may have got, and the queue in
//! which records wait for others to share a message with. `inner.rs` sends the messages.
//!
//! All of it is off the path of sends: without a traced producer one comparison is left of it.

use super::inner::InnerProducer;
use super::producers::{Context, ProducerTimer, Producers, Purposes};
use super::send::{SendKey, SendState, Stage};
use crate::body::{EndTransactionTrace, PubTrace, TraceKeys, TraceMessageType};
use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, GroupName};
use crate::ground::{Instant, Now, TimerKey};
use crate::interface::{
    AttemptFailure, HalfMessage, ProducerId, SendMode, SendStatus, TraceConfig, TransactionEnd,
};
use crate::message::{MAX_PROPERTIES_LEN, names};
use crate::request::StoredFields;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The region of a broker that names none.
const DEFAULT_REGION: &str = "DefaultRegion";
/// The property of a delayed message that brokers of other makes read.
const START_DELIVER_TIME: &str = "__STARTDELIVERTIME";
/// The level of a delayed message.
const DELAY_TIME_LEVEL: &str = "DELAY";
/// Keys of one trace message in bytes: what a message may have, without its other properties.
const MOST_KEYS: usize = MAX_PROPERTIES_LEN - 64;
/// Trace messages of one producer that may be under way.
const MOST_UNDER_WAY: usize = 4;
/// Brokers that want no records, as far as they are remembered.
const MOST_SWITCHED_OFF: usize = 1_024;

/// What there is once a producer is traced.
#[derive(Debug)]
pub(super) struct Tracing {
    /// Those of producers that are open, and of closed ones whose records are on their way.
    pub(super) tracers: BTreeMap<ProducerId, Tracer>,
    pub(super) inner: InnerProducer,
}

/// The records of one producer.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) config: TraceConfig,
    group: GroupName,
    queue: VecDeque<Record>,
    /// Of the queue.
    waiting_bytes: usize,
    /// Of messages under way.
    under_way_bytes: usize,
    under_way_records: usize,
    under_way: usize,
    timer: Option<(Instant, TimerKey<ProducerTimer>)>,
    /// What waits goes out, however little it is.
    overdue: bool,
    /// After a message that was not stored.
    rests_until: Instant,
    /// No further records come.
    retired: bool,
    /// Brokers that said of their last message that they want no records.
    switched_off: BTreeSet<BrokerName>,
    /// An address that was written before.
    host: Option<(Endpoint, String)>,
}

/// A record as it is sent.
#[derive(Debug)]
struct Record {
    text: String,
    found_by: TraceKeys,
    /// Bytes of the texts by which it is found, with a blank behind each.
    keys_len: usize,
}

/// The content of one trace message.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) body: String,
    /// Separated by blanks.
    pub(super) keys: String,
    pub(super) records: usize,
}

impl Record {
    fn new(write: impl FnOnce(&mut String) -> TraceKeys) -> Self {
        let mut text = String::new();
        let mut found_by = write(&mut text);
        let mut keys_len = found_by.msg_id.len() + 1;
        match &found_by.keys {
            Some(keys) if keys_len + keys.len() < MOST_KEYS => keys_len += keys.len() + 1,
            // It can still be found by its id.
            _ => found_by.keys = None,
        }
        Self { text, found_by, keys_len }
    }

    /// The texts by which it is found.
    fn keys(&self) -> impl Iterator<Item = &str> {
        let part = |range: &core::ops::Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let keys = self.found_by.keys.as_ref().map_or("", part);
        core::iter::once(part(&self.found_by.msg_id)).chain(keys.split(' ').filter(|key| !key.is_empty()))
    }
}

impl Tracer {
    pub(super) fn new(config: TraceConfig, group: GroupName) -> Self {
        Self {
            config,
            group,
            queue: VecDeque::new(),
            waiting_bytes: 0,
            under_way_bytes: 0,
            under_way_records: 0,
            under_way: 0,
            timer: None,
            overdue: false,
            rests_until: Instant::ZERO,
            retired: false,
            switched_off: BTreeSet::new(),
            host: None,
        }
    }

    /// Records that wait or are on their way, and their bytes.
    pub(super) fn memory(&self) -> (usize, usize) {
        (self.queue.len() + self.under_way_records, self.waiting_bytes + self.under_way_bytes)
    }

    pub(super) fn is_done(&self) -> bool {
        self.retired && self.queue.is_empty() && self.under_way == 0
    }

    /// True when another record finds room.
    fn has_room(&self, bytes: usize) -> bool {
        self.queue.len() < self.config.queue_records
            && bytes <= self.config.batch_bytes
            && self.memory().1.saturating_add(bytes) <= self.config.queue_bytes
    }

    /// Takes a record; false when there is no room for it. It is not even written then, if the queue is full.
    fn take(&mut self, write: impl FnOnce(&mut String) -> TraceKeys) -> bool {
        if !self.has_room(0) {
            return false;
        }
        let record = Record::new(write);
        if !self.has_room(record.text.len()) {
            return false;
        }
        self.waiting_bytes += record.text.len();
        self.queue.push_back(record);
        true
    }

    /// What waits fills a message.
    fn fills_a_message(&self) -> bool {
        self.queue.len() >= self.config.batch_records || self.waiting_bytes >= self.config.batch_bytes
    }

    /// The content of the next message, if there is one to be sent now.
    pub(super) fn next_batch(&mut self, now: Instant) -> Option<Batch> {
        let may = self.under_way < MOST_UNDER_WAY && self.rests_until <= now;
        if !may || self.queue.is_empty() || !(self.overdue || self.fills_a_message()) {
            return None;
        }
        let (mut count, mut bytes, mut keys_len) = (0, 0, 0);
        for record in self.queue.iter().take(self.config.batch_records) {
            let (text, keys) = (record.text.len(), record.keys_len);
            if count > 0 && (bytes + text > self.config.batch_bytes || keys_len + keys > MOST_KEYS) {
                break;
            }
            (count, bytes, keys_len) = (count + 1, bytes + text, keys_len + keys);
        }
        let mut batch = Batch {
            body: String::with_capacity(bytes),
            keys: String::with_capacity(keys_len),
            records: count,
        };
        let records: Vec<Record> = self.queue.drain(..count).collect();
        let mut seen = BTreeSet::new();
        for record in &records {
            batch.body.push_str(&record.text);
            for key in record.keys() {
                if seen.insert(key) {
                    if !batch.keys.is_empty() {
                        batch.keys.push(' ');
                    }
                    batch.keys.push_str(key);
                }
            }
        }
        self.waiting_bytes -= bytes;
        self.under_way_bytes += bytes;
        self.under_way_records += count;
        self.under_way += 1;
        self.overdue &= !self.queue.is_empty();
        Some(batch)
    }

    /// A message has its verdict. What is dropped now besides it.
    pub(super) fn message_over(&mut self, now: Instant, records: usize, bytes: usize, stored: bool) -> usize {
        self.under_way = self.under_way.saturating_sub(1);
        self.under_way_records = self.under_way_records.saturating_sub(records);
        self.under_way_bytes = self.under_way_bytes.saturating_sub(bytes);
        if stored {
            self.rests_until = Instant::ZERO;
            return 0;
        }
        if self.retired {
            return self.drop_waiting();
        }
        // The others need not be lost as well.
        self.rests_until = now + self.config.flush_interval;
        0
    }

    /// No further records come: what waits goes out.
    pub(super) fn retire(&mut self) {
        self.retired = true;
        self.overdue = true;
        self.rests_until = Instant::ZERO;
    }

    pub(super) fn drop_waiting(&mut self) -> usize {
        self.waiting_bytes = 0;
        core::mem::take(&mut self.queue).len()
    }

    /// When to look at the queue again; none when the end of a message will tell.
    fn next_look(&self, now: Instant) -> Option<Instant> {
        if self.queue.is_empty() {
            return None;
        }
        let is_due = self.overdue || self.fills_a_message();
        if is_due && self.under_way >= MOST_UNDER_WAY {
            return None;
        }
        if is_due {
            return Some(now.max(self.rests_until));
        }
        Some(self.timer.map_or_else(|| now + self.config.flush_interval, |(at, _)| at))
    }

    /// The switch of a broker, as its answer to a message has it.
    fn note_switch(&mut self, broker: &BrokerName, trace_on: bool) {
        if trace_on {
            self.switched_off.remove(broker);
        } else if self.switched_off.len() < MOST_SWITCHED_OFF {
            self.switched_off.insert(broker.clone());
        }
    }

    /// Takes the record of a send; false when there is no room for it.
    fn take_send(&mut self, now: Now, send: &SendState, end: &SendEnd<'_>) -> bool {
        if let Some(endpoint) = end.endpoint
            && self.host.as_ref().is_none_or(|(written, _)| written != endpoint)
        {
            self.host = Some((endpoint.clone(), endpoint.to_string()));
        }
        let (host, group) = (self.host.take(), self.group.clone());
        let message = &send.message;
        let took = u64::try_from(now.mono.since(send.started).as_millis()).unwrap_or(u64::MAX);
        let taken = self.take(|out| {
            PubTrace {
                time_stamp: now.unix_ms.saturating_sub_unsigned(took),
                region: end.region,
                group: group.as_str(),
                topic: message.topic().as_str(),
                msg_id: send.unique_key.as_str(),
                tags: message.tag(),
                keys: message.property(names::KEYS),
                store_host: end.endpoint.and(host.as_ref()).map(|(_, text)| text.as_str()),
                body_length: message.body().len(),
                cost_time: took,
                message_type: message_type(send),
                offset_msg_id: end.offset_msg_id,
                success: end.success,
            }
            .write(out)
        });
        self.host = host;
        taken
    }
}

/// What became of a send.
struct SendEnd<'a> {
    endpoint: Option<&'a Endpoint>,
    region: &'a str,
    offset_msg_id: Option<&'a str>,
    success: bool,
}

/// The end of a transaction that a broker may have got.
#[derive(Debug)]
pub(super) struct TracedEnd<'a> {
    pub(super) half: &'a HalfMessage,
    pub(super) end: TransactionEnd,
    pub(super) endpoint: Option<&'a Endpoint>,
    pub(super) time_stamp: i64,
    pub(super) from_check: bool,
}

fn message_type(send: &SendState) -> TraceMessageType {
    let message = &send.message;
    if [DELAY_TIME_LEVEL, START_DELIVER_TIME].iter().any(|name| message.property(name).is_some()) {
        TraceMessageType::Delay
    } else if send.mode == SendMode::Half {
        TraceMessageType::Half
    } else {
        TraceMessageType::Normal
    }
}

impl Producers {
    /// A producer that is to be traced was opened.
    pub(super) fn open_tracer(&mut self, id: ProducerId, config: TraceConfig, group: GroupName) {
        let tracing = self.tracing.get_or_insert_with(|| {
            Box::new(Tracing { tracers: BTreeMap::new(), inner: InnerProducer::new() })
        });
        tracing.tracers.insert(id, Tracer::new(config, group));
    }

    /// A broker stored the message of an attempt. True when that was a trace message, whose end this is.
    #[cold]
    #[inline(never)]
    pub(super) fn trace_stored<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        status: SendStatus,
        fields: &StoredFields<'_>,
    ) -> bool {
        let Some(send) = self.sends.get(key) else {
            return false;
        };
        let Stage::Asked(asked) = &send.stage else {
            return false;
        };
        if send.is_inner() {
            cx.cluster.note_attempt(cx.now.mono, asked.broker, asked.at, false, cx.actions);
            self.inner_send_over(cx, key, true);
            return true;
        }
        // The verdict is the last attempt's.
        if send.mode == SendMode::OneWay
            || (status != SendStatus::SendOk && self.wants_another_broker(cx, key))
        {
            return false;
        }
        let id = send.producer;
        let Some(tracer) = self.tracing.as_mut().and_then(|tracing| tracing.tracers.get_mut(&id)) else {
            return false;
        };
        tracer.note_switch(&asked.broker_name, fields.trace_on);
        if !fields.trace_on || !is_traced(&tracer.config, send.message.topic().as_str()) {
            return false;
        }
        let end = SendEnd {
            endpoint: Some(&asked.endpoint),
            region: fields
                .region
                .and_then(|region| core::str::from_utf8(region).ok())
                .unwrap_or(DEFAULT_REGION),
            offset_msg_id: core::str::from_utf8(fields.msg_id).ok(),
            success: status == SendStatus::SendOk,
        };
        let taken = tracer.take_send(cx.now, send, &end);
        self.recorded(cx, id, taken);
        false
    }

    /// A send ends without another answer. True when that was a trace message, whose end this is.
    #[cold]
    #[inline(never)]
    pub(super) fn trace_failed<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) -> bool {
        let Some(send) = self.sends.get(key) else {
            return false;
        };
        if send.is_inner() {
            self.inner_send_over(cx, key, false);
            return true;
        }
        let id = send.producer;
        let Some(tracer) = self.tracing.as_mut().and_then(|tracing| tracing.tracers.get_mut(&id)) else {
            return false;
        };
        if send.mode == SendMode::OneWay || !is_traced(&tracer.config, send.message.topic().as_str()) {
            return false;
        }
        let end = match &send.kept {
            Some(receipt) => {
                tracer.note_switch(&receipt.queue.broker_name, receipt.trace_on);
                let kept = send.attempts.iter().find(|attempt| {
                    matches!(attempt.failure, AttemptFailure::Status(_))
                        && attempt.broker == receipt.queue.broker_name
                });
                SendEnd {
                    endpoint: kept.map(|attempt| &attempt.endpoint),
                    region: receipt.region.as_deref().unwrap_or(DEFAULT_REGION),
                    offset_msg_id: Some(receipt.offset_message_id.as_str()),
                    success: receipt.status == SendStatus::SendOk,
                }
            }
            None => SendEnd {
                endpoint: send.attempts.last().map(|attempt| &attempt.endpoint),
                region: self.region.as_deref().unwrap_or(DEFAULT_REGION),
                offset_msg_id: None,
                success: false,
            },
        };
        let broker = match &send.kept {
            Some(receipt) => Some(&receipt.queue.broker_name),
            None => send.attempts.last().map(|attempt| &attempt.broker),
        };
        if broker.is_some_and(|broker| tracer.switched_off.contains(broker)) {
            return false;
        }
        let taken = tracer.take_send(cx.now, send, &end);
        self.recorded(cx, id, taken);
        false
    }

    /// The end of a transaction that a broker got, or may have got.
    #[cold]
    #[inline(never)]
    pub(super) fn trace_end<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        id: ProducerId,
        ended: &TracedEnd<'_>,
    ) {
        let Some(tracer) = self.tracing.as_mut().and_then(|tracing| tracing.tracers.get_mut(&id)) else {
            return;
        };
        let TracedEnd { half, end, endpoint, time_stamp, from_check } = *ended;
        if tracer.switched_off.contains(&half.broker_name) || !is_traced(&tracer.config, half.topic.as_str())
        {
            return;
        }
        let (host, group) = (endpoint.map(ToString::to_string), tracer.group.clone());
        let record = EndTransactionTrace {
            time_stamp,
            region: self.region.as_deref().unwrap_or(DEFAULT_REGION),
            group: group.as_str(),
            topic: half.topic.as_str(),
            msg_id: half.unique_key.as_str(),
            tags: None,
            keys: None,
            store_host: host.as_deref(),
            commit: end == TransactionEnd::Commit,
            from_check,
        };
        let taken = tracer.take(|out| record.write(out));
        self.recorded(cx, id, taken);
    }

    fn recorded<P>(&mut self, cx: &mut Context<'_, P>, id: ProducerId, taken: bool) {
        cx.counters.trace_records += 1;
        if taken {
            self.plan_trace(cx.now.mono, id);
        } else {
            cx.counters.trace_records_dropped += 1;
        }
    }

    /// Arms the timer of a producer's records as their queue needs it.
    pub(super) fn plan_trace(&mut self, now: Instant, id: ProducerId) {
        let Some(tracer) = self.tracing.as_mut().and_then(|tracing| tracing.tracers.get_mut(&id)) else {
            return;
        };
        let wanted = tracer.next_look(now);
        if tracer.timer.map(|(at, _)| at) == wanted {
            return;
        }
        if let Some((_, timer)) = tracer.timer.take() {
            self.timers.unset(timer);
        }
        tracer.timer = wanted.map(|at| (at, self.timers.set(at, ProducerTimer::Trace(id))));
    }

    /// The timer of a producer's records: those that are due go out.
    pub(super) fn flush_trace<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        let Some(tracer) = self.tracing.as_mut().and_then(|tracing| tracing.tracers.get_mut(&id)) else {
            return;
        };
        tracer.timer = None;
        tracer.overdue |= !tracer.fills_a_message();
        self.send_traces(cx, id);
        self.plan_trace(cx.now.mono, id);
    }

    /// A producer closes: its records need not wait for more.
    pub(super) fn retire_tracer<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        let Some(tracing) = &mut self.tracing else {
            return;
        };
        // Records of producers that are opened and closed all the time must not pile up.
        let too_many = tracing.tracers.len() > self.most_producers;
        let Some(tracer) = tracing.tracers.get_mut(&id) else {
            return;
        };
        tracer.retire();
        if too_many {
            cx.counters.trace_records_dropped += tracer.drop_waiting() as u64;
        }
        self.plan_trace(cx.now.mono, id);
        self.forget_tracer_if_done(id);
    }

    pub(super) fn forget_tracer_if_done(&mut self, id: ProducerId) {
        if let Some(tracing) = &mut self.tracing
            && tracing.tracers.get(&id).is_some_and(Tracer::is_done)
            && let Some(tracer) = tracing.tracers.remove(&id)
            && let Some((_, timer)) = tracer.timer
        {
            self.timers.unset(timer);
        }
    }

    /// Records of message trace that wait or are on their way, and their bytes.
    pub(crate) fn trace_memory(&self) -> (usize, usize) {
        let tracers = self.tracing.iter().flat_map(|tracing| tracing.tracers.values());
        tracers.map(Tracer::memory).fold((0, 0), |sum, (records, bytes)| (sum.0 + records, sum.1 + bytes))
    }
}

/// What goes to the trace topic is not traced, as in Java.
fn is_traced(config: &TraceConfig, topic: &str) -> bool {
    !topic.starts_with(config.topic.as_str())
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
