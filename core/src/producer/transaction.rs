//! The end of transactions (`END_TRANSACTION`, request code 37).
//!
//! A broker does it again each time it is asked, so one that may have left is never sent again. What is known of the ends
//! so far decides what happens to a check for the same key: see `check.rs`.

use super::check::CheckState;
use super::fates::{Fate, Fates};
use super::producers::{Context, ProducerPurpose, ProducerTimer, Producers, Purposes};
use super::trace::TracedEnd;
use crate::command::ResponseCode;
use crate::ground::names::{BrokerName, GroupName};
use crate::ground::{Instant, Key, Slots, TimerKey};
use crate::interface::{
    Answer, AttemptFailure, CheckId, CommandId, EndErrorKind, EndTransactionError, EndVerdict, HalfMessage,
    HookError, ProducerId, TransactionEnd, clean_text,
};
use crate::message::UniqueKey;
use crate::net::{Failure, FailureReason, LinkKey, RequestKey, pause};
use crate::wire::Header;
use alloc::collections::BTreeMap;

pub(crate) type EndKey = Key<EndState>;

/// The end of one transaction, to be asked for.
#[derive(Debug)]
pub(super) struct NewEnd {
    pub(super) producer: ProducerId,
    pub(super) half: HalfMessage,
    pub(super) end: TransactionEnd,
    /// Where the broker asked from; none for an end that was not asked for, which goes to the broker's master.
    pub(super) asked_from: Option<LinkKey>,
    /// Who waits for the result; none when the client answers a check of its own accord.
    pub(super) command: Option<CommandId>,
    pub(super) deadline: Instant,
}

/// The end of one transaction, under way.
#[derive(Debug)]
pub(crate) struct EndState {
    pub(super) producer: ProducerId,
    group: GroupName,
    pub(super) half: HalfMessage,
    pub(super) end: TransactionEnd,
    pub(super) asked_from: Option<LinkKey>,
    command: Option<CommandId>,
    deadline: Instant,
    stage: EndStage,
    pauses: u32,
    /// When the broker was asked last, milliseconds since the Unix epoch.
    asked_at: i64,
    /// Set once somebody was asked: why there was no answer.
    last: Option<EndErrorKind>,
}

#[derive(Debug)]
enum EndStage {
    Starting,
    Paused(TimerKey<ProducerTimer>),
    Asked { request: RequestKey, link: LinkKey },
}

/// The ends and checks of all producers.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    pub(super) ends: Slots<EndState>,
    pub(super) fates: Fates,
    pub(super) checks: Slots<CheckState>,
    pub(super) checks_by_key: BTreeMap<(ProducerId, UniqueKey), CheckId>,
    pub(super) check_bytes: usize,
}

impl Transactions {
    /// Checks that wait, and fates that are known.
    pub(super) fn memory(&self) -> (usize, usize) {
        (self.checks.len(), self.fates.len())
    }
}

impl Producers {
    /// Ends a transaction for its producer, unasked.
    pub(crate) fn end_transaction<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        id: CommandId,
        producer: ProducerId,
        half: HalfMessage,
        end: TransactionEnd,
        deadline: Instant,
    ) {
        self.forget_old_fates(cx.now.mono);
        let refused = |kind| {
            let error = EndTransactionError::new(kind, EndVerdict::NotDelivered, end, &half);
            Answer::Ended(Err(error))
        };
        let Some(group) = self.group_of(producer).filter(|_| self.may_end(producer)) else {
            return cx.answer(id, refused(EndErrorKind::ProducerClosed));
        };
        if self.transactions.fates.get(&(group, half.unique_key)).is_some() {
            return cx.answer(id, refused(EndErrorKind::EndedAlready));
        }
        // The broker has asked meanwhile, and its newest copy is the one to end.
        let asked = self.take_check(producer, half.unique_key);
        let (half, asked_from) = asked.map_or((half, None), |check| (check.half, Some(check.from)));
        self.start_end(cx, NewEnd { producer, half, end, asked_from, command: Some(id), deadline });
    }

    /// How often brokers asked about a transaction that a producer has ended.
    pub(crate) fn checks_of(&self, producer: ProducerId, key: UniqueKey) -> u32 {
        self.group_of(producer).map_or(0, |group| self.transactions.fates.asked(&(group, key)))
    }

    fn group_of(&self, producer: ProducerId) -> Option<GroupName> {
        self.get(producer).map(|found| found.config.group.clone())
    }

    /// True while a producer may still end transactions.
    pub(super) fn may_end(&self, producer: ProducerId) -> bool {
        self.get(producer)
            .is_some_and(|found| found.closing.as_ref().is_none_or(|closing| !closing.says_farewell))
    }

    /// Begins to end a transaction of a producer that may.
    pub(super) fn start_end<P: Purposes>(&mut self, cx: &mut Context<'_, P>, new: NewEnd) {
        let NewEnd { producer, half, end, asked_from, command, deadline } = new;
        let Some(found) = self.get_mut(producer) else {
            return;
        };
        found.ends += 1;
        let group = found.config.group.clone();
        self.transactions.fates.set(cx.now.mono, (group.clone(), half.unique_key), Fate::UnderWay);
        let key = self.transactions.ends.insert(EndState {
            producer,
            group,
            half,
            end,
            asked_from,
            command,
            deadline,
            stage: EndStage::Starting,
            pauses: 0,
            asked_at: cx.now.unix_ms,
            last: None,
        });
        self.try_end(cx, key);
    }

    /// Asks the broker, or waits until it can be asked.
    pub(super) fn try_end<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: EndKey) {
        let Some(state) = self.transactions.ends.get_mut(key) else {
            return;
        };
        if state.deadline <= cx.now.mono {
            return self.end_out_of_time(cx, key);
        }
        let broker = cx.cluster.brokers().find(&state.half.broker_name);
        let master = broker
            .and_then(|broker| cx.cluster.brokers().get(broker))
            .and_then(|broker| broker.master.as_ref())
            .map(|(_, link)| *link);
        let Some(link) = state.asked_from.or(master) else {
            if let Some(topic) = cx.cluster.find_topic(&state.half.topic) {
                cx.cluster.refresh(cx.now.mono, topic, cx.net);
            }
            return self.pause_end(cx, key);
        };
        let purpose = ProducerPurpose::EndTransaction(key).into();
        let request = cx.net.ask(link, state.deadline, purpose, false, false);
        state.asked_at = cx.now.unix_ms;
        state.stage = EndStage::Asked { request, link };
    }

    fn pause_end<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: EndKey) {
        let (min, max) = (self.timing.retry_pause_min, self.timing.retry_pause_max);
        let Some(state) = self.transactions.ends.get_mut(key) else {
            return;
        };
        state.pauses = state.pauses.saturating_add(1);
        let at = (cx.now.mono + pause(&mut self.rng, state.pauses, min, max)).min(state.deadline);
        state.stage = EndStage::Paused(self.timers.set(at, ProducerTimer::EndTransaction(key)));
    }

    /// The broker answered.
    pub(super) fn end_answered<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: EndKey,
        header: &Header<'_>,
    ) {
        let Some(state) = self.transactions.ends.get_mut(key) else {
            return;
        };
        state.stage = EndStage::Starting;
        let broker = state.half.broker_name.clone();
        let code = ResponseCode(header.code);
        let remark = clean_text(header.remark.as_deref().unwrap_or_default());
        if code == ResponseCode::SUCCESS {
            return self.end_over(cx, key, Ok(()));
        }
        let kind = refusal(broker, code, remark);
        // A broker that is too busy or goes away has not looked at it.
        if matches!(code, ResponseCode::SYSTEM_BUSY | ResponseCode::GO_AWAY) {
            state.last = Some(kind);
            return self.pause_end(cx, key);
        }
        self.end_over(cx, key, Err((EndVerdict::Refused, kind)));
    }

    /// There will be no answer.
    pub(super) fn end_lost<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: EndKey, failure: Failure) {
        let Some(state) = self.transactions.ends.get_mut(key) else {
            return;
        };
        let EndStage::Asked { link, .. } = core::mem::replace(&mut state.stage, EndStage::Starting) else {
            return;
        };
        let kind = match failure.why {
            FailureReason::Timeout => EndErrorKind::Timeout,
            FailureReason::Connection(why) => match cx.net.endpoint(link) {
                Some(endpoint) => {
                    EndErrorKind::Lost { endpoint: endpoint.clone(), why: AttemptFailure::Connection(why) }
                }
                None => EndErrorKind::Timeout,
            },
        };
        if failure.written {
            return self.end_over(cx, key, Err((EndVerdict::MayBeDelivered, kind)));
        }
        // Nobody got a whole request: it is as if it had never been tried.
        if let Some(state) = self.transactions.ends.get_mut(key)
            && matches!(kind, EndErrorKind::Lost { .. })
        {
            state.last = Some(kind);
        }
        self.pause_end(cx, key);
    }

    fn end_out_of_time<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: EndKey) {
        let Some(state) = self.transactions.ends.get_mut(key) else {
            return;
        };
        let unreachable = || EndErrorKind::Unreachable { broker: state.half.broker_name.clone() };
        let kind = state.last.take().unwrap_or_else(unreachable);
        let refused = !matches!(kind, EndErrorKind::Lost { .. } | EndErrorKind::Unreachable { .. });
        let verdict = if refused { EndVerdict::Refused } else { EndVerdict::NotDelivered };
        self.end_over(cx, key, Err((verdict, kind)));
    }

    /// The end of the end: its fate is noted, and its caller told.
    fn end_over<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: EndKey,
        result: Result<(), (EndVerdict, EndErrorKind)>,
    ) {
        let Some(state) = self.transactions.ends.remove(key) else {
            return;
        };
        if self.tracing.is_some() && matches!(&result, Ok(()) | Err((EndVerdict::MayBeDelivered, _))) {
            self.trace_the_end(cx, &state);
        }
        let EndState { producer, group, half, end, command, .. } = state;
        let (now, place) = (cx.now.mono, (group, half.unique_key));
        let counters = &mut *cx.counters;
        let (count, fate) = match &result {
            Ok(()) => (&mut counters.ends_acknowledged, Some(Fate::Acknowledged)),
            Err((EndVerdict::MayBeDelivered, _)) => {
                (&mut counters.ends_may_be_delivered, Some(Fate::Unsure(end)))
            }
            // As if it had never been asked for: the next check is put to the application.
            Err((EndVerdict::Refused, _)) => (&mut counters.ends_refused, None),
            Err((EndVerdict::NotDelivered, _)) => (&mut counters.ends_not_delivered, None),
        };
        *count += 1;
        match fate {
            Some(fate) => self.transactions.fates.set(now, place, fate),
            None => self.transactions.fates.forget(&place),
        }
        self.forget_old_fates(now);
        if let Some(id) = command {
            let error = |(verdict, kind)| EndTransactionError::new(kind, verdict, end, &half);
            cx.answer(id, Answer::Ended(result.map_err(error)));
        }
        if let Some(found) = self.get_mut(producer) {
            found.ends = found.ends.saturating_sub(1);
        }
        self.farewell_if_done(cx, producer);
    }

    #[cold]
    fn trace_the_end<P: Purposes>(&mut self, cx: &mut Context<'_, P>, state: &EndState) {
        let EndState { producer, half, end, asked_from, asked_at, .. } = state;
        let brokers = cx.cluster.brokers();
        let broker = brokers.find(&half.broker_name).and_then(|broker| brokers.get(broker));
        let master = broker.and_then(|broker| broker.master.as_ref()).map(|(endpoint, _)| endpoint);
        let asker = asked_from.and_then(|link| cx.net.endpoint(link));
        let endpoint = asker.or(master).cloned();
        let ended = TracedEnd {
            half,
            end: *end,
            endpoint: endpoint.as_ref(),
            time_stamp: *asked_at,
            from_check: asked_from.is_some(),
        };
        self.trace_end(cx, *producer, &ended);
    }

    /// A closing producer waits no longer: its ends get their results.
    pub(super) fn cut_ends<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        producer: ProducerId,
        for_shutdown: bool,
    ) {
        let of_it = |(key, state): (EndKey, &EndState)| (state.producer == producer).then_some(key);
        let ends: alloc::vec::Vec<EndKey> = self.transactions.ends.iter().filter_map(of_it).collect();
        for key in ends {
            let Some(state) = self.transactions.ends.get_mut(key) else {
                continue;
            };
            let written = match core::mem::replace(&mut state.stage, EndStage::Starting) {
                EndStage::Starting => false,
                EndStage::Paused(timer) => {
                    self.timers.unset(timer);
                    false
                }
                EndStage::Asked { request, .. } => cx.net.withdraw(request),
            };
            let verdict = if written { EndVerdict::MayBeDelivered } else { EndVerdict::NotDelivered };
            let kind = if for_shutdown { EndErrorKind::ClientClosed } else { EndErrorKind::ProducerClosed };
            self.end_over(cx, key, Err((verdict, kind)));
        }
    }

    pub(super) fn forget_old_fates(&mut self, now: Instant) {
        let kept = self.timing.ended_transaction_kept;
        self.transactions.fates.forget_old(now - kept, self.most_ended_transactions);
    }

    /// The request could not be put into a frame.
    pub(crate) fn end_not_encodable<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: EndKey) {
        self.end_over(cx, key, Err((EndVerdict::NotDelivered, EndErrorKind::NoPlace)));
    }

    /// A hook did not let the request through.
    pub(crate) fn end_refused_by_hook<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: EndKey,
        error: HookError,
    ) {
        self.end_over(cx, key, Err((EndVerdict::NotDelivered, EndErrorKind::Hook(error))));
    }
}

/// What a refusal means.
fn refusal(broker: BrokerName, code: ResponseCode, remark: alloc::string::String) -> EndErrorKind {
    match code {
        ResponseCode::ILLEGAL_OPERATION => EndErrorKind::ImmunityTimeOver { broker },
        ResponseCode::SYSTEM_ERROR => EndErrorKind::NotFound { broker, remark },
        ResponseCode::SLAVE_NOT_AVAILABLE => EndErrorKind::NotMaster { broker },
        ResponseCode::MESSAGE_ILLEGAL => EndErrorKind::MessageIllegal { broker, remark },
        ResponseCode::SERVICE_NOT_AVAILABLE => EndErrorKind::ServiceNotAvailable { broker, remark },
        _ => EndErrorKind::Refused { broker, code, remark },
    }
}
