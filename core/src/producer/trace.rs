//! Message trace: a record for each traced send and each end of a transaction that a broker may have got. Records wait in
//! `trace_queue.rs` for others to share a message with; `inner.rs` sends the messages.
//!
//! All of it is off the path of sends: without a traced producer one comparison is left of it.

use super::inner::InnerProducer;
use super::producers::{Context, ProducerTimer, Producers, Purposes};
use super::send::{SendKey, SendState, Stage};
use super::trace_queue::Tracer;
use crate::body::{EndTransactionTrace, PubTrace, TraceMessageType};
use crate::ground::endpoint::Endpoint;
use crate::ground::names::GroupName;
use crate::ground::{Instant, Now};
use crate::interface::{
    AttemptFailure, HalfMessage, ProducerId, SendMode, SendStatus, TraceConfig, TransactionEnd,
};
use crate::message::names;
use crate::request::StoredFields;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString;

/// The region of a broker that names none.
const DEFAULT_REGION: &str = "DefaultRegion";
/// The property of a delayed message that brokers of other makes read.
const START_DELIVER_TIME: &str = "__STARTDELIVERTIME";
/// The level of a delayed message.
const DELAY_TIME_LEVEL: &str = "DELAY";

/// What there is once a producer is traced.
#[derive(Debug)]
pub(super) struct Tracing {
    /// Those of producers that are open, and of closed ones whose records are on their way.
    pub(super) tracers: BTreeMap<ProducerId, Tracer>,
    pub(super) inner: InnerProducer,
}

impl Tracer {
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
