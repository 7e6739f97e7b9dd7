//! The end of an attempt: what an answer or a failure means for its send.

use super::judge::{NextStep, Refusal, Verdict, judge};
use super::producers::{Context, Producers, Purposes, table_key};
use super::retry::{Facts, Failed, Next, after_failure};
use super::send::{SendKey, SendState, Stage};
use crate::command::ResponseCode;
use crate::ground::names::BrokerName;
use crate::interface::{
    Action, AttemptFailure, HookError, LostReason, MessageQueue, Notice, SendErrorKind, SendReceipt,
    SendStatus, Target, clean_text,
};
use crate::message::OffsetMessageId;
use crate::net::{Failure, FailureReason};
use crate::request::{SendMessageResponseHeader, StoredFields};
use crate::wire::Header;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::time::Duration;

impl Producers {
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
                Ok(fields) => self.stored(cx, key, status, &(&fields).into()),
                Err(error) => self.unreadable(cx, key, error.to_string()),
            },
            Verdict::Refused(refusal) => self.refused(cx, key, code, remark, refusal),
        }
    }

    fn unreadable<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, why: String) {
        self.note_attempt(cx, key, true);
        self.attempt_failed(cx, key, Failed::Unknown, true, AttemptFailure::BadAnswer(why));
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
        self.note_attempt(cx, key, refusal.speaks_against_the_broker());
        let failed = Failed::Refused { proves_not_stored: refusal.proves_not_stored, next: refusal.next };
        let failure = AttemptFailure::Refused { code, remark: clean_text(remark) };
        self.attempt_failed(cx, key, failed, true, failure);
    }

    /// A connection or the clock ended an attempt.
    pub(super) fn attempt_lost<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        failure: Failure,
    ) {
        let failed = if failure.written { Failed::Unknown } else { Failed::Unwritten };
        if !matches!(failure.why, FailureReason::Connection(LostReason::Unused | LostReason::Shutdown)) {
            self.note_attempt(cx, key, true);
        }
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

    /// The latency-fault strategy learns what became of the attempt that is under way.
    fn note_attempt<P: Purposes>(&self, cx: &mut Context<'_, P>, key: SendKey, failed: bool) {
        if cx.cluster.notes_attempts()
            && let Some(SendState { stage: Stage::Asked(asked), .. }) = self.sends.get(key)
        {
            cx.cluster.note_attempt(cx.now.mono, asked.broker, asked.at, failed, cx.actions);
        }
    }

    /// The request could not be put into a frame; no other attempt would fare better.
    pub(crate) fn not_encodable<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, why: String) {
        self.fail(cx, key, SendErrorKind::NotEncodable(why));
    }

    /// A hook did not let the request of an attempt through.
    pub(crate) fn refused_by_hook<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        error: HookError,
    ) {
        self.fail(cx, key, SendErrorKind::Hook(Box::new(error)));
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
        let proven = matches!(failed, Failed::Unwritten | Failed::Refused { proves_not_stored: true, .. });
        send.may_be_stored |= !proven;
        let alternative = matches!(send.target, Target::Any)
            && cx.cluster.has_alternative(cx.now.mono, send.topic, asked.broker, cx.net);
        let facts = Facts {
            resend: self
                .table
                .get(table_key(send.producer))
                .map_or_else(Default::default, |producer| producer.config.resend),
            counted: send.counted,
            retries: send.retries,
            alternative,
            waits: send.pauses.saturating_add(send.asked_to_wait),
        };
        let (next, counts) = after_failure(facts, failed);
        send.counted += u32::from(counts);
        let asks_to_wait = matches!(failed, Failed::Refused { next: NextStep::WaitAndTry, .. });
        send.asked_to_wait = send.asked_to_wait.saturating_add(u32::from(asks_to_wait));
        match next {
            Next::Again | Next::AgainAfterPause => self.again(cx, key, next, &asked.broker_name, &failure),
            Next::Refused => {
                let kind = final_refusal(asked.broker_name, failure);
                self.fail(cx, key, kind);
            }
            Next::Exhausted => {
                let tried = send.counted;
                let kind = match failure {
                    AttemptFailure::Refused { .. } => final_refusal(asked.broker_name, failure),
                    AttemptFailure::Timeout if send.deadline <= cx.now.mono => SendErrorKind::Timeout,
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
        let after = if next == Next::AgainAfterPause { self.pause(cx, key) } else { Duration::ZERO };
        let notice = Notice::Retry { topic, broker: Some(broker.clone()), why: failure.to_string(), after };
        cx.actions.push_back(Action::Notice(notice));
        if next == Next::Again {
            self.try_send(cx, key);
        }
    }

    /// A broker stored the message of an attempt.
    pub(crate) fn stored<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: SendKey,
        status: SendStatus,
        fields: &StoredFields<'_>,
    ) {
        let offset_message_id = match OffsetMessageId::parse_utf8(fields.msg_id) {
            Ok(id) => id,
            Err(error) => return self.unreadable(cx, key, error.to_string()),
        };
        if self.tracing.is_some() && self.trace_stored(cx, key, status, fields) {
            return;
        }
        let region = self.region_of(fields.region);
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let Stage::Asked(asked) = &send.stage else {
            return;
        };
        send.written += 1;
        cx.cluster.note_attempt(cx.now.mono, asked.broker, asked.at, false, cx.actions);
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
                .filter(|id| *id != send.unique_key.as_bytes())
                .map(|id| text(id).into()),
            region,
            trace_on: fields.trace_on,
            recall_handle: fields.recall_handle.map(|handle| text(handle).into()),
            attempts: send.written,
        };
        if status != SendStatus::SendOk && self.wants_another_broker(cx, key) {
            return self.try_another_broker(cx, key, receipt);
        }
        self.succeed(cx, key, receipt);
    }

    fn region_of(&mut self, region: Option<&[u8]>) -> Option<Arc<str>> {
        let region = region?;
        if self.region.as_deref().map(str::as_bytes) != Some(region) {
            self.region = Some(text(region).into());
        }
        self.region.clone()
    }

    pub(super) fn wants_another_broker<P: Purposes>(&self, cx: &Context<'_, P>, key: SendKey) -> bool {
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
            && cx.cluster.has_alternative(cx.now.mono, send.topic, asked.broker, cx.net)
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
        send.note(&asked, cx.now.mono, true, AttemptFailure::Status(receipt.status));
        send.written = written;
        send.avoid = Some(asked.broker);
        send.counted += 1;
        send.kept.get_or_insert(Box::new(receipt));
        self.try_send(cx, key);
    }
}

fn final_refusal(broker: BrokerName, failure: AttemptFailure) -> SendErrorKind {
    match failure {
        AttemptFailure::Refused { code, remark } => SendErrorKind::Refused { broker, code, remark },
        other => SendErrorKind::NotEncodable(other.to_string()),
    }
}

/// Bytes that are UTF-8 as text.
fn text(utf8: &[u8]) -> &str {
    core::str::from_utf8(utf8).unwrap_or_default()
}
