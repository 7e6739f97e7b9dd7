//! Floor 7: heartbeats. Every broker that a producer may send to learns on every connection, and every
//! 30 seconds, which groups this client has (`HEART_BEAT`, request code 34).

mod retries;
#[cfg(test)]
mod tests;
mod v2;

use crate::body::write_heartbeat_data;
use crate::cluster::{BrokerKey, Cluster};
use crate::command::{LanguageCode, RequestCode, ResponseCode, version};
use crate::ground::names::{ClientId, GroupName};
use crate::ground::{Instant, Rng};
use crate::interface::{Action, ClientConfig, Counters, Notice, Timing, clean_text};
use crate::net::{LinkKey, Net, Outbox, pause};
use crate::request::HeartbeatAnswer;
use crate::request::naming::Naming;
use crate::wire::{EncodeError, Header, NoFields, RequestHead, SerializeType};
use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::BytesMut;
use core::time::Duration;
use retries::Retries;
use v2::VersionTwo;

/// Why this floor made a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeartbeatPurpose {
    /// The broker has to know the client.
    Tell { link: LinkKey },
    /// The detector wants to know whether the broker lives.
    Question { broker: BrokerKey },
}

/// The floors beside and below, and where results go.
#[derive(Debug)]
pub(crate) struct Context<'a, P> {
    pub(crate) now: Instant,
    pub(crate) net: &'a mut Net<P>,
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) actions: &'a mut VecDeque<Action>,
    pub(crate) counters: &'a mut Counters,
}

/// What is told, and when next.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    client_id: ClientId,
    serialize: SerializeType,
    language: LanguageCode,
    naming: Naming,
    timing: Timing,
    rng: Rng,
    body: BytesMut,
    /// None unless it is wanted.
    v2: Option<Box<VersionTwo>>,
    has_groups: bool,
    round_at: Option<Instant>,
    retries: Retries,
    /// The earlier of the next round and the next retry: asked for after each step.
    next_at: Instant,
}

impl Heartbeat {
    pub(crate) fn new(config: &ClientConfig, client_id: ClientId, naming: &Naming, rng: Rng) -> Self {
        Self {
            client_id,
            serialize: config.serialize_type,
            language: config.language,
            naming: naming.clone(),
            timing: config.timing.clone(),
            rng,
            body: BytesMut::new(),
            v2: config.heartbeat_v2.then(Box::default),
            has_groups: false,
            round_at: None,
            retries: Retries::default(),
            next_at: Instant::NEVER,
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.next_at
    }

    fn plan(&mut self) {
        self.next_at = self.round_at.unwrap_or(Instant::NEVER).min(self.retries.next());
    }

    /// The groups changed: brokers that are connected learn it at once.
    pub(crate) fn set_groups<'a, P: Copy + From<HeartbeatPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        groups: impl Iterator<Item = &'a GroupName>,
    ) {
        let groups: Vec<_> = groups.map(|group| self.naming.group(group)).collect();
        self.has_groups = !groups.is_empty();
        self.body.clear();
        let texts = || groups.iter().map(AsRef::as_ref);
        write_heartbeat_data(&mut self.body, self.client_id.as_str(), texts());
        if let Some(v2) = &mut self.v2 {
            v2.set_groups(&self.client_id, texts().collect());
        }
        if self.has_groups {
            self.round_at.get_or_insert(cx.now + self.timing.heartbeat_interval);
            let links: Vec<LinkKey> = cx.cluster.masters().map(|(_, link)| *link).collect();
            for link in links {
                if cx.net.is_up(link) {
                    self.tell(cx, link);
                }
            }
        } else {
            self.round_at = None;
            self.retries = Retries::default();
        }
        self.plan();
    }

    /// A connection came up, or fell silent: if a broker is at the other end, it is greeted before anything else is
    /// said. It may be another process than before, so it hears everything.
    pub(crate) fn reached<P: Copy + From<HeartbeatPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        link: LinkKey,
    ) {
        if cx.cluster.brokers().uses(link) {
            if let Some(v2) = &mut self.v2 {
                v2.forget(link);
            }
            self.tell(cx, link);
            self.plan();
        }
    }

    fn tell<P: Copy + From<HeartbeatPurpose>>(&mut self, cx: &mut Context<'_, P>, link: LinkKey) {
        if self.has_groups {
            self.retries.rest(link);
            let time = self.timing.api_timeout;
            ask(cx, link, time, HeartbeatPurpose::Tell { link });
        }
    }

    /// The round of all brokers, retries, and questions of the detector, when they are due. True when the round was.
    pub(crate) fn tick<P: Copy + From<HeartbeatPurpose>>(&mut self, cx: &mut Context<'_, P>) -> bool {
        self.ask_questions(cx);
        if self.next_at > cx.now {
            return false;
        }
        let is_round = self.round_at.is_some_and(|at| at <= cx.now);
        if is_round {
            self.round_at = Some(cx.now + self.timing.heartbeat_interval);
            let links: Vec<LinkKey> = cx.cluster.masters().map(|(_, link)| *link).collect();
            self.forget_all_but(&links);
            for link in links {
                self.tell(cx, link);
            }
        }
        while let Some(link) = self.retries.take_due(cx.now) {
            // One that comes up again is greeted anyway.
            if cx.net.is_up(link) {
                self.tell(cx, link);
            }
        }
        self.plan();
        is_round
    }

    fn forget_all_but(&mut self, links: &[LinkKey]) {
        let stay: BTreeSet<LinkKey> = links.iter().copied().collect();
        self.retries.retain(|link| stay.contains(&link));
        if let Some(v2) = &mut self.v2 {
            v2.retain(|link| stay.contains(&link));
        }
    }

    fn ask_questions<P: Copy + From<HeartbeatPurpose>>(&mut self, cx: &mut Context<'_, P>) {
        while let Some(question) = cx.cluster.next_question() {
            let broker = question.broker;
            match master_of(cx.cluster, broker) {
                Some(link) if self.has_groups => {
                    ask(cx, link, question.timeout, HeartbeatPurpose::Question { broker });
                }
                // Without a group there is nothing to say, and nothing to send either.
                _ => cx.cluster.question_ended(cx.now, broker, false),
            }
        }
    }

    /// A broker answered.
    pub(crate) fn answered<P: Copy>(
        &mut self,
        cx: &mut Context<'_, P>,
        purpose: HeartbeatPurpose,
        header: &Header<'_>,
    ) {
        let code = ResponseCode(header.code);
        if let HeartbeatPurpose::Question { broker } = purpose {
            // One that asks to wait or to go away lives, but wants no messages. Any other refusal is of this request.
            let is_well = !matches!(
                code,
                ResponseCode::SYSTEM_BUSY | ResponseCode::FLOW_CONTROL | ResponseCode::GO_AWAY
            );
            cx.cluster.question_ended(cx.now, broker, is_well);
        }
        let Some(link) = link_of(cx.cluster, purpose) else {
            return;
        };
        if code == ResponseCode::SUCCESS {
            if let Some(v2) = &mut self.v2 {
                v2.answered(link, HeartbeatAnswer::read(&header.ext));
            }
            self.retries.succeeded(link);
            return self.plan();
        }
        if let Some(v2) = &mut self.v2 {
            v2.rejected(link);
        }
        let remark = header.remark.as_deref().unwrap_or_default();
        self.failed(cx, link, format!("{code}: {}", clean_text(remark)));
    }

    /// A heartbeat had no answer.
    pub(crate) fn unanswered<P: Copy>(
        &mut self,
        cx: &mut Context<'_, P>,
        purpose: HeartbeatPurpose,
        why: String,
    ) {
        if let (Some(link), Some(v2)) = (link_of(cx.cluster, purpose), &mut self.v2) {
            v2.forget(link);
        }
        match purpose {
            HeartbeatPurpose::Tell { link } => self.failed(cx, link, why),
            // That was the question; nobody waits for the heartbeat.
            HeartbeatPurpose::Question { broker } => cx.cluster.question_ended(cx.now, broker, false),
        }
    }

    /// Tells of the failure, and tries again before the next round: brokers forget a client after 120 s.
    fn failed<P: Copy>(&mut self, cx: &mut Context<'_, P>, link: LinkKey, why: String) {
        cx.counters.heartbeats_failed += 1;
        // A connection that is lost or silent has been seen to: one is greeted when it comes up again, the other one
        // was asked for a sign of life.
        if self.has_groups && cx.net.is_up(link) && cx.net.is_usable(link) {
            let (min, max) = (self.timing.heartbeat_retry_interval, self.timing.heartbeat_interval);
            let rng = &mut self.rng;
            self.retries.failed(link, |failures| cx.now + pause(rng, failures, min, max));
            self.plan();
        }
        if let Some(endpoint) = cx.net.endpoint(link) {
            let notice = Notice::HeartbeatFailed { endpoint: endpoint.clone(), why };
            cx.actions.push_back(Action::Notice(notice));
        }
    }

    /// Writes the frame.
    // Kept apart from the sends that are encoded beside it.
    #[inline(never)]
    pub(crate) fn encode(
        &mut self,
        purpose: HeartbeatPurpose,
        opaque: i32,
        cluster: &Cluster,
        outbox: &mut Outbox,
        counters: &mut Counters,
    ) -> Result<bool, EncodeError> {
        let Self { body, v2, serialize, language, naming, .. } = self;
        let head = RequestHead {
            code: RequestCode::HEART_BEAT,
            flag: 0,
            opaque,
            version: version::CURRENT,
            language: *language,
        };
        let body = match (v2, link_of(cluster, purpose)) {
            (Some(v2), Some(link)) => v2.body(link, body, counters),
            _ => body,
        };
        outbox.append(body.len(), |out| naming.encode(out, *serialize, &head, &NoFields, body))?;
        Ok(true)
    }
}

fn ask<P: Copy + From<HeartbeatPurpose>>(
    cx: &mut Context<'_, P>,
    link: LinkKey,
    time: Duration,
    purpose: HeartbeatPurpose,
) {
    cx.counters.heartbeats += 1;
    cx.net.ask(link, cx.now + time, purpose.into(), false, true);
}

/// The broker may have moved since it was asked.
fn link_of(cluster: &Cluster, purpose: HeartbeatPurpose) -> Option<LinkKey> {
    match purpose {
        HeartbeatPurpose::Tell { link } => Some(link),
        HeartbeatPurpose::Question { broker } => master_of(cluster, broker),
    }
}

fn master_of(cluster: &Cluster, broker: BrokerKey) -> Option<LinkKey> {
    cluster.brokers().get(broker)?.master.as_ref().map(|(_, link)| *link)
}
