//! The list of name servers from an HTTP server: when it is asked, and what its answer means.
//!
//! A failure never takes the list away that is in use. Without any list, sends wait for one until their deadline.

use super::{Cluster, ClusterPurpose, ClusterTimer};
use crate::ground::endpoint::NameServers;
use crate::ground::{Instant, Rng, TimerKey, Timers};
use crate::interface::{
    Action, ClientConfig, CloseReason, DiscoveryError, HttpDiscovery, LostReason, NoRoute, Notice, Timing,
};
use crate::net::{Failure, FailureReason, Net, Outbox, RequestKey, Role, pause};
use crate::wire::{EncodeError, HttpAnswer, HttpLimits};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;

/// First pause before an unsuccessful look-up is repeated while no name server is known.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Why a request was made: to learn the name servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiscoveryPurpose;

/// The HTTP server and the look-up under way.
#[derive(Debug)]
pub(crate) struct Discovery {
    settings: HttpDiscovery,
    unit_name: Option<String>,
    limits: HttpLimits,
    query: Option<RequestKey>,
    /// The number of the question that `answer` belongs to.
    opaque: i32,
    answer: HttpAnswer,
    asked_at: Instant,
    /// The next look-up.
    next: Option<(Instant, TimerKey<ClusterTimer>)>,
    /// Look-ups in a row that failed, and why the last one did.
    failures: u32,
    why: DiscoveryError,
    /// The last list that was found. The one in use may be another, set by hand since.
    found: Option<NameServers>,
}

impl Discovery {
    /// The first look-up is due at once.
    pub(crate) fn new(
        config: &ClientConfig,
        now: Instant,
        timers: &mut Timers<ClusterTimer>,
    ) -> Option<Box<Self>> {
        let settings = config.discovery.as_ref()?;
        let limits = HttpLimits { head: config.limits.discovery_bytes, body: config.limits.discovery_bytes };
        Some(Box::new(Self {
            settings: settings.clone(),
            unit_name: config.identity.unit_name.clone(),
            limits,
            query: None,
            opaque: 0,
            answer: HttpAnswer::new(limits),
            asked_at: now,
            next: Some((now, timers.set(now, ClusterTimer::Discovery))),
            failures: 0,
            why: DiscoveryError::NoAnswerYet,
            found: None,
        }))
    }

    /// Bytes of the answer that are held.
    pub(crate) fn held(&self) -> usize {
        self.answer.held()
    }

    /// What a send is told that waits for a name server.
    pub(super) fn no_route(&self) -> NoRoute {
        NoRoute::DiscoveryFailed { endpoint: self.settings.endpoint().clone(), why: self.why.clone() }
    }

    /// How long the next look-up waits after a failure: a client without name servers cannot work.
    fn rest(&self, timing: &Timing, has_list: bool, rng: &mut Rng) -> Duration {
        let (least, most) = if has_list {
            (timing.route_retry_interval, timing.name_server_interval)
        } else {
            (FIRST_PAUSE, timing.reconnect_pause_max)
        };
        pause(rng, self.failures, least, most.min(timing.name_server_interval))
    }
}

impl Cluster {
    /// Asks for the list of name servers now, unless it is being asked for.
    pub(super) fn discover<P: Copy + From<DiscoveryPurpose>>(&mut self, now: Instant, net: &mut Net<P>) {
        // The connection has to be opened first, as a rule.
        let until = now + self.timing.connect_timeout + self.timing.api_timeout;
        let Some(discovery) = &mut self.discovery else {
            return;
        };
        discovery.next = None;
        if discovery.query.is_none() {
            let link = net.link(Role::Discovery, discovery.settings.endpoint());
            discovery.answer = HttpAnswer::new(discovery.limits);
            discovery.asked_at = now;
            discovery.query = Some(net.ask(link, until, DiscoveryPurpose.into(), false, false));
        }
    }

    /// No name server of the list helps: perhaps there is another list by now. Not more often than sends may retry a
    /// connection.
    pub(super) fn discover_soon(&mut self, now: Instant) {
        let at = match &self.discovery {
            Some(discovery) if discovery.query.is_none() => {
                now.max(discovery.asked_at + self.timing.reconnect_pause_max)
            }
            _ => return,
        };
        self.plan_discovery(at);
    }

    /// The next look-up comes then, or earlier if it was planned so.
    fn plan_discovery(&mut self, at: Instant) {
        let Some(discovery) = &mut self.discovery else {
            return;
        };
        if let Some((planned, timer)) = discovery.next {
            if planned <= at {
                return;
            }
            self.timers.unset(timer);
        }
        discovery.next = Some((at, self.timers.set(at, ClusterTimer::Discovery)));
    }

    /// Writes the question, with the headers that Java sends.
    // Kept apart from the sends that are encoded beside it.
    #[inline(never)]
    pub(crate) fn encode_discovery(
        &mut self,
        opaque: i32,
        unix_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<bool, EncodeError> {
        let Some(discovery) = &mut self.discovery else {
            return Ok(false);
        };
        discovery.opaque = opaque;
        let text = discovery.settings.question(discovery.unit_name.as_deref(), unix_ms);
        outbox.append(text.len(), |out| {
            out.extend_from_slice(text.as_bytes());
            Ok::<(), EncodeError>(())
        })?;
        Ok(true)
    }

    /// Bytes of the answer came. When it is complete or broken, returns the number of its question.
    pub(crate) fn read_discovery(&mut self, bytes: &[u8]) -> Option<i32> {
        let discovery = self.discovery.as_mut()?;
        match discovery.answer.feed(bytes) {
            Ok(false) => None,
            Ok(true) | Err(_) => Some(discovery.opaque),
        }
    }

    /// The answer is complete, or broken.
    pub(crate) fn discovered<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        if let Some(result) = self.discovery.as_ref().map(|discovery| HttpDiscovery::list(&discovery.answer))
        {
            self.look_up_ended(now, result, net, actions);
        }
    }

    /// The question had no whole answer.
    pub(crate) fn discovery_failed<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        failure: &Failure,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        let Some(discovery) = &self.discovery else {
            return;
        };
        let result = match &failure.why {
            FailureReason::Timeout => Err(DiscoveryError::Timeout),
            // The end of the connection may be the end of the answer.
            FailureReason::Connection(LostReason::Closed(CloseReason::EndOfStream))
                if discovery.answer.has_begun() =>
            {
                HttpDiscovery::list(&discovery.answer)
            }
            FailureReason::Connection(why) => Err(DiscoveryError::Connection(why.clone())),
        };
        self.look_up_ended(now, result, net, actions);
    }

    fn look_up_ended<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        result: Result<NameServers, DiscoveryError>,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        let has_list = self.name_servers.len() > 0;
        let Some(discovery) = &mut self.discovery else {
            return;
        };
        discovery.query = None;
        discovery.answer = HttpAnswer::new(discovery.limits);
        // A connection is for one question. One that timed out would bring the answer to another.
        if let Some(link) = net.find(Role::Discovery, discovery.settings.endpoint()) {
            net.hang_up(now, link, actions);
        }
        match result {
            Ok(list) => {
                discovery.failures = 0;
                // A list that was set by hand stays until there is another one to be found.
                let is_news = discovery.found.as_ref().is_none_or(|found| !found.same_servers(&list));
                discovery.found = Some(list.clone());
                self.plan_discovery(now + self.timing.name_server_interval);
                if is_news {
                    self.set_name_servers(now, &list, net, actions);
                }
            }
            Err(why) => {
                discovery.failures = discovery.failures.saturating_add(1);
                discovery.why = why.clone();
                let rest = discovery.rest(&self.timing, has_list, &mut self.rng);
                let endpoint = discovery.settings.endpoint().clone();
                actions.push_back(Action::Notice(Notice::DiscoveryFailed { endpoint, why }));
                self.plan_discovery(now + rest);
                if !has_list {
                    self.tell_waiting();
                }
            }
        }
    }

    /// Those who wait for a first list learn at their deadline why there is none.
    fn tell_waiting(&mut self) {
        let Some(why) = self.discovery.as_ref().map(|discovery| discovery.no_route()) else {
            return;
        };
        for key in self.topics.keys() {
            if let Some(topic) = self.topics.get_mut(key).filter(|topic| topic.publish.is_none()) {
                topic.error = Some(why.clone());
            }
        }
    }
}
