//! Floor 7: heartbeats. Every broker that a producer may send to learns on every connection, and every
//! 30 seconds, which groups this client has (`HEART_BEAT`, request code 34).

use crate::body::write_heartbeat_data;
use crate::cluster::Cluster;
use crate::command::{LanguageCode, RequestCode, ResponseCode, version};
use crate::ground::Instant;
use crate::ground::names::{ClientId, GroupName};
use crate::interface::{Action, Counters, Notice, Timing, clean_text};
use crate::net::{LinkKey, Net, Outbox};
use crate::wire::{EncodeError, NoFields, RequestHead, SerializeType, encode_request};
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::BytesMut;

/// Why this floor made a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeartbeatPurpose {
    pub(crate) link: LinkKey,
}

/// What is told, and when next.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    client_id: ClientId,
    serialize: SerializeType,
    language: LanguageCode,
    timing: Timing,
    body: BytesMut,
    has_groups: bool,
    round_at: Option<Instant>,
}

impl Heartbeat {
    pub(crate) fn new(
        client_id: ClientId,
        serialize: SerializeType,
        language: LanguageCode,
        timing: Timing,
    ) -> Self {
        Self {
            client_id,
            serialize,
            language,
            timing,
            body: BytesMut::new(),
            has_groups: false,
            round_at: None,
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.round_at.unwrap_or(Instant::NEVER)
    }

    /// The groups changed: brokers that are connected learn it at once.
    pub(crate) fn set_groups<'a, P: Copy + From<HeartbeatPurpose>>(
        &mut self,
        now: Instant,
        groups: impl Iterator<Item = &'a GroupName>,
        cluster: &Cluster,
        net: &mut Net<P>,
        counters: &mut Counters,
    ) {
        let groups: Vec<&str> = groups.map(GroupName::as_str).collect();
        self.has_groups = !groups.is_empty();
        self.body.clear();
        write_heartbeat_data(&mut self.body, self.client_id.as_str(), groups);
        if !self.has_groups {
            self.round_at = None;
            return;
        }
        if self.round_at.is_none() {
            self.round_at = Some(now + self.timing.heartbeat_interval);
        }
        let links: Vec<LinkKey> = cluster.masters().map(|(_, link)| *link).collect();
        for link in links {
            if net.is_up(link) {
                self.ask(now, link, net, counters);
            }
        }
    }

    /// A connection came up: if a broker is at the other end, it is greeted before anything else is said.
    pub(crate) fn reached<P: Copy + From<HeartbeatPurpose>>(
        &mut self,
        now: Instant,
        link: LinkKey,
        cluster: &Cluster,
        net: &mut Net<P>,
        counters: &mut Counters,
    ) {
        if cluster.brokers().uses(link) {
            self.ask(now, link, net, counters);
        }
    }

    fn ask<P: Copy + From<HeartbeatPurpose>>(
        &self,
        now: Instant,
        link: LinkKey,
        net: &mut Net<P>,
        counters: &mut Counters,
    ) {
        if self.has_groups {
            counters.heartbeats += 1;
            net.ask(link, now + self.timing.api_timeout, HeartbeatPurpose { link }.into(), false, true);
        }
    }

    /// The round of all brokers, when it is due. True when it was.
    pub(crate) fn tick<P: Copy + From<HeartbeatPurpose>>(
        &mut self,
        now: Instant,
        cluster: &Cluster,
        net: &mut Net<P>,
        counters: &mut Counters,
    ) -> bool {
        if self.round_at.is_none_or(|at| at > now) {
            return false;
        }
        self.round_at = Some(now + self.timing.heartbeat_interval);
        let links: Vec<LinkKey> = cluster.masters().map(|(_, link)| *link).collect();
        for link in links {
            self.ask(now, link, net, counters);
        }
        true
    }

    /// A broker answered.
    pub(crate) fn answered<P: Copy>(
        &self,
        purpose: HeartbeatPurpose,
        code: ResponseCode,
        remark: &str,
        net: &Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        if code != ResponseCode::SUCCESS {
            self.note_failure(purpose, format!("{code}: {}", clean_text(remark)), net, actions);
        }
    }

    /// A heartbeat had no answer.
    pub(crate) fn note_failure<P: Copy>(
        &self,
        purpose: HeartbeatPurpose,
        why: String,
        net: &Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        if let Some(endpoint) = net.endpoint(purpose.link) {
            actions.push_back(Action::Notice(Notice::HeartbeatFailed { endpoint: endpoint.clone(), why }));
        }
    }

    /// Writes the frame.
    pub(crate) fn encode(&self, opaque: i32, outbox: &mut Outbox) -> Result<bool, EncodeError> {
        let head = RequestHead {
            code: RequestCode::HEART_BEAT,
            flag: 0,
            opaque,
            version: version::CURRENT,
            language: self.language,
        };
        outbox.append(self.body.len(), |out| {
            encode_request(out, self.serialize, &head, &NoFields, &self.body).map(drop)
        })?;
        Ok(true)
    }
}
