//! Asking, and asking again.

use super::call::{AdminPurpose, CallKey, Part, PartKey, Question, Stage, Target};
use super::{Admin, AdminTimer, Context, LINGER};
use crate::interface::{AdminError, CallFailure};
use crate::net::{Failure, FailureReason, LinkKey, Role, pause};
use core::time::Duration;

/// How often a broker is asked, and how often all name servers are.
const ATTEMPTS: u32 = 3;
/// Questions of one call that are asked at the same time.
const AT_ONCE: usize = 16;
/// First pause before a server is asked again that is busy, or before all name servers are asked again.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// Longest of these pauses.
const PAUSE_MAX: Duration = Duration::from_secs(1);

impl Admin {
    /// Asks a name server.
    pub(super) fn ask_name_server<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        call: CallKey,
        question: Question,
    ) {
        let part = self.new_part(call, question);
        self.ask(cx, part);
    }

    /// Asks the next brokers, as many as may be asked at the same time. A call without questions ends.
    pub(super) fn ask_brokers<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: CallKey,
    ) {
        while let Some(call) = self.calls.get_mut(key) {
            if call.parts.len() >= AT_ONCE {
                return;
            }
            let Some(target) = call.targets.pop_front() else {
                if call.parts.is_empty() {
                    self.conclude(cx, key);
                }
                return;
            };
            let part = self.new_part(key, Question::Broker(target));
            self.ask(cx, part);
        }
    }

    fn new_part(&mut self, call: CallKey, question: Question) -> PartKey {
        let part = Part { call, question, attempts: 0, asked_at: None, last: None, stage: Stage::Idle };
        let key = self.parts.insert(part);
        if let Some(call) = self.calls.get_mut(call) {
            call.parts.push(key);
        }
        key
    }

    /// Asks a question, for the first time or again.
    pub(super) fn ask<P: Copy + From<AdminPurpose>>(&mut self, cx: &mut Context<'_, P>, key: PartKey) {
        let now = cx.now.mono;
        let Some(part) = self.parts.get_mut(key) else {
            return;
        };
        let Some(call) = self.calls.get(part.call) else {
            return;
        };
        let broker = match &part.question {
            Question::Broker(target) => Some(cx.net.link(Role::Admin, &target.endpoint)),
            Question::Route | Question::Cluster | Question::Topics => None,
        };
        let (link, share) = match broker {
            Some(link) => {
                let left = ATTEMPTS.saturating_sub(part.attempts).max(1);
                let share = call.deadline.since(now) / left;
                (link, share.max(self.timing.attempt_time_min))
            }
            None => match cx.cluster.choose_name_server(cx.net) {
                Some((endpoint, link)) => {
                    part.asked_at = Some(endpoint);
                    // A server that keeps silent must leave time to ask another one.
                    let servers = u32::try_from(cx.cluster.name_server_count().clamp(1, 3)).unwrap_or(1);
                    (link, self.timing.api_timeout / servers)
                }
                None => {
                    let call = part.call;
                    return self.end(cx, call, Err(AdminError::NoNameServerConfigured));
                }
            },
        };
        part.attempts = part.attempts.saturating_add(1);
        let until = (now + share).min(call.deadline);
        let request = cx.net.ask(link, until, AdminPurpose(key).into(), false, false);
        part.stage = Stage::Asked { request, kept: broker };
        if broker.is_some() {
            self.hold(link);
        }
    }

    /// A question had no answer.
    pub(crate) fn failed<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        AdminPurpose(key): AdminPurpose,
        failure: Failure,
    ) {
        let why = match failure.why {
            FailureReason::Timeout => CallFailure::Timeout,
            FailureReason::Connection(why) => CallFailure::Connection(why),
        };
        self.try_again(cx, key, why, false);
    }

    /// A question does not fit into a frame.
    pub(crate) fn not_encodable<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        AdminPurpose(key): AdminPurpose,
        why: CallFailure,
    ) {
        self.give_up(cx, key, why);
    }

    /// An attempt failed, and another one may help: at another name server, or later. `busy`: the server asks for time.
    pub(super) fn try_again<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: PartKey,
        why: CallFailure,
        busy: bool,
    ) {
        self.drop_question(cx, key);
        let now = cx.now.mono;
        let Some(part) = self.parts.get_mut(key) else {
            return;
        };
        let Some(call) = self.calls.get(part.call) else {
            return;
        };
        // One round: all name servers, or the one broker.
        let round = match &part.asked_at {
            Some(endpoint) => {
                cx.cluster.name_server_failed(endpoint);
                u32::try_from(cx.cluster.name_server_count()).unwrap_or(u32::MAX).max(1)
            }
            None => 1,
        };
        if part.attempts >= round.saturating_mul(ATTEMPTS) || call.deadline <= now {
            return self.give_up(cx, key, why);
        }
        let rounds = part.attempts / round;
        part.last = Some(why);
        let wait = match part.asked_at {
            // A broker's connection rests by itself before it is opened again.
            None if !busy => Duration::ZERO,
            Some(_) if part.attempts % round != 0 => Duration::ZERO,
            _ => pause(&mut self.rng, rounds, PAUSE_MIN, PAUSE_MAX),
        };
        if wait.is_zero() {
            return self.ask(cx, key);
        }
        let at = (now + wait).min(call.deadline);
        let timer = self.timers.set(at, AdminTimer::Again(key));
        if let Some(part) = self.parts.get_mut(key) {
            part.stage = Stage::Pausing(timer);
        }
    }

    /// A question has failed for good.
    pub(super) fn give_up<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: PartKey,
        why: CallFailure,
    ) {
        self.drop_question(cx, key);
        let Some(part) = self.remove_part(key) else {
            return;
        };
        match part.question {
            Question::Broker(target) => {
                self.note_failure(part.call, target.failed(why));
                self.ask_brokers(cx, part.call);
            }
            Question::Route | Question::Cluster | Question::Topics => {
                let error = match part.asked_at {
                    Some(endpoint) => AdminError::NoNameServer { endpoint, failure: why },
                    None => AdminError::NoNameServerConfigured,
                };
                self.end(cx, part.call, Err(error));
            }
        }
    }

    /// Stops asking a question, whatever became of it.
    pub(super) fn drop_question<P: Copy>(&mut self, cx: &mut Context<'_, P>, key: PartKey) {
        let Some(part) = self.parts.get_mut(key) else {
            return;
        };
        match core::mem::replace(&mut part.stage, Stage::Idle) {
            Stage::Idle => {}
            Stage::Asked { request, kept } => {
                cx.net.withdraw(request);
                if let Some(link) = kept {
                    self.release(cx, link);
                }
            }
            Stage::Pausing(timer) => self.timers.unset(timer),
        }
    }

    /// The connection of a broker is in use.
    fn hold(&mut self, link: LinkKey) {
        let used = self.links.entry(link).or_default();
        used.questions += 1;
        if let Some(timer) = used.linger.take() {
            self.timers.unset(timer);
        }
    }

    /// One question less: the last one leaves the connection for a while to the next call.
    fn release<P: Copy>(&mut self, cx: &Context<'_, P>, link: LinkKey) {
        let Some(used) = self.links.get_mut(&link) else {
            return;
        };
        used.questions = used.questions.saturating_sub(1);
        if used.questions == 0 && used.linger.is_none() {
            let at = cx.now.mono + LINGER;
            used.linger = Some(self.timers.set(at, AdminTimer::Linger(link)));
        }
    }

    /// A broker to ask, and no other.
    pub(super) fn ask_broker<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: CallKey,
        target: Target,
    ) {
        if let Some(call) = self.calls.get_mut(key) {
            call.targets.push_back(target);
        }
        self.ask_brokers(cx, key);
    }
}
