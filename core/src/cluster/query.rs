//! The search for one route: which name server is asked, and what each answer means.

use super::brokers::BrokerKey;
use super::publish::{PublishInfo, writable_queues, written_queues};
use super::{Cluster, ClusterPurpose, ClusterTimer, Learnt, TopicKey};
use crate::body::{RouteLimits, TopicRouteData};
use crate::command::{RequestCode, ResponseCode, version};
use crate::ground::Instant;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::BrokerName;
use crate::interface::{Action, NoRoute, Notice, clean_text};
use crate::net::{Failure, FailureReason, Net, Outbox, Role};
use crate::request::GetRouteInfoRequestHeader;
use crate::wire::{EncodeError, RequestHead};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Cluster {
    /// Asks for a route now, unless it is being asked for.
    pub(crate) fn look_up<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        key: TopicKey,
        net: &mut Net<P>,
    ) {
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        if topic.query.is_some() {
            return;
        }
        topic.tried = 0;
        let soon = topic.soon.take();
        self.unset_soon(soon);
        self.ask(now, key, false, net);
    }

    /// An answer of a broker shows that the route is stale: asks again, but not more often than allowed.
    pub(crate) fn refresh<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        key: TopicKey,
        net: &mut Net<P>,
    ) {
        let Some(topic) = self.topics.get(key) else {
            return;
        };
        let earliest = topic.fetched_at.map_or(now, |at| at + self.timing.route_retry_interval);
        if earliest <= now {
            self.look_up(now, key, net);
        } else {
            self.plan(key, earliest);
        }
    }

    pub(super) fn plan(&mut self, key: TopicKey, at: Instant) {
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        if topic.query.is_none() && topic.soon.is_none() {
            topic.soon = Some(self.timers.set(at, ClusterTimer::Topic(key)));
        }
    }

    fn ask<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        key: TopicKey,
        default: bool,
        net: &mut Net<P>,
    ) {
        let servers = self.name_servers.len();
        let chosen = self.name_servers.choose(|server| {
            let link = net.link(Role::NameServer, server);
            net.is_usable(link)
        });
        let Some(server) = chosen else {
            return self.no_name_server(key);
        };
        let link = net.link(Role::NameServer, server);
        // A server that keeps silent must leave time to ask another one.
        let share = self.timing.api_timeout / u32::try_from(servers.clamp(1, 3)).unwrap_or(1);
        let request =
            net.ask(link, now + share, ClusterPurpose::Route { topic: key, default }.into(), false, false);
        self.queries += 1;
        if let Some(topic) = self.topics.get_mut(key) {
            topic.query = Some(request);
        }
    }

    /// Writes the frame of a query (`GET_ROUTEINFO_BY_TOPIC`, request code 105).
    // Kept apart from the sends that are encoded beside it.
    #[inline(never)]
    pub(crate) fn encode(
        &self,
        purpose: ClusterPurpose,
        opaque: i32,
        outbox: &mut Outbox,
    ) -> Result<bool, EncodeError> {
        let ClusterPurpose::Route { topic, default } = purpose;
        let Some(topic) = self.topics.get(topic) else {
            return Ok(false);
        };
        let name = if default { &topic.default_topic } else { &topic.name };
        let head = RequestHead {
            code: RequestCode::GET_ROUTEINFO_BY_TOPIC,
            flag: 0,
            opaque,
            version: version::CURRENT,
            language: self.language,
        };
        let topic = self.naming.topic(name);
        let header = GetRouteInfoRequestHeader { topic, accept_standard_json_only: Some(true) };
        outbox.append(0, |out| self.naming.encode(out, self.serialize, &head, &header, &[]))?;
        Ok(true)
    }

    /// A name server answered.
    pub(crate) fn answered<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        purpose: ClusterPurpose,
        answer: (ResponseCode, Option<&str>, &[u8]),
        from: &Endpoint,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        let ClusterPurpose::Route { topic: key, default } = purpose;
        let (code, remark, body) = answer;
        match code {
            ResponseCode::SUCCESS => {
                let limits = RouteLimits {
                    max_brokers: self.route_entries,
                    // Read and write queues are counted together there.
                    max_queues: self.route_queues.saturating_mul(2),
                    ..RouteLimits::default()
                };
                match TopicRouteData::parse(body, &limits) {
                    Ok(route) if written_queues(&route) > self.route_queues => {
                        self.server_failed(now, key, from, "route has too many queues".to_string(), net);
                    }
                    Ok(route) => self.apply(now, key, route, default, net, actions),
                    Err(error) => {
                        self.server_failed(now, key, from, format!("unreadable route: {error}"), net)
                    }
                }
            }
            ResponseCode::TOPIC_NOT_EXIST => self.unknown(now, key, default, net),
            other => {
                let remark = clean_text(remark.unwrap_or_default());
                self.server_failed(now, key, from, format!("{other}: {remark}"), net);
            }
        }
    }

    /// A query had no answer.
    pub(crate) fn failed<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        purpose: ClusterPurpose,
        failure: &Failure,
        from: &Endpoint,
        net: &mut Net<P>,
    ) {
        let ClusterPurpose::Route { topic, .. } = purpose;
        let why = match &failure.why {
            FailureReason::Timeout => "no answer in time".to_string(),
            FailureReason::Connection(why) => why.to_string(),
        };
        self.server_failed(now, topic, from, why, net);
    }

    /// A query was not let through: it is as if the name server had not answered.
    pub(crate) fn not_asked<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        ClusterPurpose::Route { topic, .. }: ClusterPurpose,
        from: &Endpoint,
        why: String,
        net: &mut Net<P>,
    ) {
        self.server_failed(now, topic, from, why, net);
    }

    /// This name server did not help: the next one is asked, or the search pauses.
    fn server_failed<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        key: TopicKey,
        from: &Endpoint,
        why: String,
        net: &mut Net<P>,
    ) {
        if !self.name_servers.contains(from) {
            return self.ask_elsewhere(now, key, net);
        }
        self.name_servers.failed(from);
        let servers = self.name_servers.len();
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        topic.query = None;
        topic.tried += 1;
        if topic.tried < servers {
            return self.ask(now, key, false, net);
        }
        topic.tried = 0;
        topic.failures = topic.failures.saturating_add(1);
        topic.unanswered = topic.unanswered.saturating_add(1);
        topic.error = Some(NoRoute::NoNameServerReachable(format!("{from}: {why}")));
        if topic.publish.is_some() && topic.waiting == 0 {
            // Not with the next round only: what kept this one back, such as a heartbeat at the same moment, would be
            // there again. How often the topic was unknown before does not count.
            let times = topic.unanswered;
            self.look_later(now, key, times);
        } else {
            self.search_on(now, key);
        }
        self.discover_soon(now);
    }

    /// The name server does not know the topic.
    fn unknown<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        key: TopicKey,
        default: bool,
        net: &mut Net<P>,
    ) {
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        topic.query = None;
        let stays = topic.publish.is_some() && !topic.provisional;
        if !default && !stays {
            return self.ask(now, key, true, net);
        }
        (topic.fetched_at, topic.unanswered) = (Some(now), 0);
        if stays {
            // A name server that was just started knows nothing yet: the last good route stays.
            return;
        }
        topic.failures = topic.failures.saturating_add(1);
        topic.error = Some(NoRoute::TopicUnknown {
            topic: topic.name.clone(),
            default_topic: topic.default_topic.clone(),
        });
        self.search_on(now, key);
    }

    /// A route came: brokers, queues and those who wait follow it.
    fn apply<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        key: TopicKey,
        mut route: TopicRouteData,
        default: bool,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        // The route of another topic may have named other masters meanwhile: the newest answer counts.
        let astray = self.brokers.lead_elsewhere(&route);
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        (topic.query, topic.tried, topic.unanswered) = (None, 0, 0);
        topic.fetched_at = Some(now);
        if default {
            borrow_route(&mut route, topic.default_queues);
        }
        let changed = astray || topic.route.as_ref() != Some(&route) || topic.provisional != default;
        if changed || topic.publish.is_none() {
            // Without a queue the same route is looked at again: since then another error may have been noted.
            self.replace(now, key, route, default, net, actions);
        }
        if changed {
            self.tell_change(key, actions);
        }
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        let usable = topic.publish.is_some();
        topic.failures = if usable && !default { 0 } else { topic.failures.saturating_add(1) };
        if usable {
            topic.error = None;
        }
        if usable && topic.declared > 0 {
            self.connect_to(now, key, net, actions);
        }
        let Some(topic) = self.topics.get(key) else {
            return;
        };
        if usable && topic.waiting > 0 {
            self.learnt.push_back(Learnt::Route(key));
        } else if matches!(topic.error, Some(NoRoute::StaticTopic(_))) {
            self.learnt.push_back(Learnt::Hopeless(key));
        }
        if default && usable {
            // The real route appears once a broker has made the topic.
            let failures = topic.failures;
            self.look_later(now, key, failures);
        } else if !usable {
            self.search_on(now, key);
        }
    }

    fn replace<P: Copy>(
        &mut self,
        now: Instant,
        key: TopicKey,
        route: TopicRouteData,
        provisional: bool,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        let keys = self.put_brokers(now, &route, net, actions);
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        let with_master = |name: &str| keys.get(name).is_some_and(|(_, has_master)| *has_master);
        match writable_queues(&topic.name, &route, with_master) {
            Ok(queues) => {
                let known =
                    queues.iter().filter_map(|(name, count)| Some((keys.get(name.as_str())?.0, *count)));
                topic.publish = Some(PublishInfo::new(known));
                topic.error = None;
            }
            Err(error) => {
                topic.publish = None;
                topic.error = Some(error);
            }
        }
        topic.route = Some(route);
        topic.provisional = provisional;
    }

    fn tell_change(&mut self, key: TopicKey, actions: &mut VecDeque<Action>) {
        let Some(topic) = self.topics.get(key) else {
            return;
        };
        let queues = topic.publish.as_ref().map_or(0, PublishInfo::total);
        let notice =
            Notice::RouteChanged { topic: topic.name.clone(), queues, provisional: topic.provisional };
        actions.push_back(Action::Notice(notice));
        self.unswept = true;
        self.version += 1;
    }

    /// Notes the brokers of a route. Returns their keys by name, and whether each has a master.
    fn put_brokers<P: Copy>(
        &mut self,
        now: Instant,
        route: &TopicRouteData,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) -> BTreeMap<String, (BrokerKey, bool)> {
        let mut keys = BTreeMap::new();
        let mut unused = Vec::new();
        for data in &route.broker_datas {
            let Ok(name) = data.broker_name.parse::<BrokerName>() else {
                continue;
            };
            let address = data.broker_addrs.get(&0).and_then(|text| text.parse::<Endpoint>().ok());
            let master = address.map(|endpoint| {
                let link = net.link(Role::Broker, &endpoint);
                net.keep(now, link, true, actions);
                (endpoint, link)
            });
            let has_master = master.is_some();
            let (key, old) = self.brokers.put(&name, master);
            unused.extend(old);
            self.put_vip(now, key, net, actions);
            keys.insert(data.broker_name.clone(), (key, has_master));
        }
        for link in unused {
            if !self.brokers.uses(link) {
                net.keep(now, link, false, actions);
            }
        }
        keys
    }
}

/// Makes the default topic's route one for a topic that does not exist: with as many queues as it will have.
fn borrow_route(route: &mut TopicRouteData, default_queues: u32) {
    let most = i32::try_from(default_queues).unwrap_or(i32::MAX);
    for data in &mut route.queue_datas {
        let queues = data.read_queue_nums.min(most);
        data.read_queue_nums = queues;
        data.write_queue_nums = queues;
    }
}
