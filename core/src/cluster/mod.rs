//! Floor 7: the cluster as the name servers tell it: topics, their routes, brokers and their masters.

mod brokers;
mod discovery;
mod latency_fault;
#[cfg(test)]
mod latency_fault_tests;
mod list_change;
mod look_again;
mod name_servers;
mod publish;
#[cfg(test)]
mod publish_tests;
mod query;
mod topic;
mod vip;

pub(crate) use brokers::{BrokerKey, Brokers};
pub(crate) use discovery::DiscoveryPurpose;
pub(crate) use latency_fault::Question;
pub(crate) use publish::writable_queues;
pub(crate) use topic::{Topic, TopicKey};

use crate::command::LanguageCode;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::TopicName;
use crate::ground::{Instant, Rng, Slots, Timers};
use crate::interface::{Action, BrokerView, ClientConfig, NoRoute, Notice, Timing, TopicView};
use crate::net::{LinkKey, Net, Role};
use crate::request::naming::Naming;
use crate::wire::SerializeType;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use discovery::Discovery;
use latency_fault::LatencyFaults;
use name_servers::NameServerList;

/// Why this floor made a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClusterPurpose {
    /// The route of a topic; `default`: of its default topic.
    Route { topic: TopicKey, default: bool },
}

/// What a timer of this floor is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClusterTimer {
    /// All routes are asked for anew.
    Round,
    /// One route is.
    Topic(TopicKey),
    /// The detector looks at a broker that failed.
    Watch(BrokerKey),
    /// The list of name servers is.
    Discovery,
}

/// What the floor above must learn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Learnt {
    /// Sends that wait for this topic can look again: there is a route.
    Route(TopicKey),
    /// There is none, and no search would help: those that wait end now.
    Hopeless(TopicKey),
}

/// Topics, routes, brokers and name servers of one client.
#[derive(Debug)]
pub(crate) struct Cluster {
    name_servers: NameServerList,
    discovery: Option<Box<Discovery>>,
    topics: Slots<Topic>,
    by_name: BTreeMap<TopicName, TopicKey>,
    brokers: Brokers,
    /// None unless the strategy is wanted.
    latency_faults: Option<Box<LatencyFaults>>,
    questions: VecDeque<Question>,
    timers: Timers<ClusterTimer>,
    round_armed: bool,
    /// Routes changed since brokers were swept.
    unswept: bool,
    learnt: VecDeque<Learnt>,
    rng: Rng,
    timing: Timing,
    route_entries: usize,
    route_queues: usize,
    most_topics: usize,
    serialize: SerializeType,
    language: LanguageCode,
    naming: Naming,
    vip_channel: bool,
    /// Counts changes of what [`Cluster::brokers_view`] and [`Cluster::topics_view`] show.
    pub(crate) version: u64,
    pub(crate) queries: u64,
}

impl Cluster {
    pub(crate) fn new(config: &ClientConfig, naming: &Naming, now: Instant, rng: &Rng) -> Self {
        let mut timers = Timers::default();
        Self {
            name_servers: NameServerList::new(&config.name_servers, &mut rng.fork("name-server-order")),
            discovery: Discovery::new(config, now, &mut timers),
            topics: Slots::default(),
            by_name: BTreeMap::new(),
            brokers: Brokers::default(),
            latency_faults: config
                .latency_fault
                .clone()
                .map(|settings| Box::new(LatencyFaults::new(settings))),
            questions: VecDeque::new(),
            timers,
            round_armed: false,
            unswept: false,
            learnt: VecDeque::new(),
            rng: rng.fork("cluster"),
            timing: config.timing.clone(),
            route_entries: config.limits.route_entries,
            route_queues: config.limits.route_queues,
            most_topics: config.limits.topics,
            serialize: config.serialize_type,
            language: config.language,
            naming: naming.clone(),
            vip_channel: config.vip_channel,
            version: 0,
            queries: 0,
        }
    }

    /// The key of a topic; none when there is no room for another one.
    pub(crate) fn intern(
        &mut self,
        now: Instant,
        name: &TopicName,
        default_topic: &TopicName,
        default_queues: u32,
    ) -> Option<TopicKey> {
        if let Some(key) = self.by_name.get(name).copied() {
            if let Some(topic) = self.topics.get_mut(key) {
                topic.last_used = now;
            }
            return Some(key);
        }
        if self.topics.len() >= self.most_topics {
            self.forget_unused(now, core::time::Duration::ZERO);
            if self.topics.len() >= self.most_topics {
                return None;
            }
        }
        let place = usize::try_from(self.rng.next_u64() >> 40).unwrap_or(0);
        let topic = Topic::new(name.clone(), default_topic.clone(), default_queues, place, now);
        let key = self.topics.insert(topic);
        self.by_name.insert(name.clone(), key);
        if !self.round_armed {
            self.round_armed = true;
            self.timers.set(now + self.timing.route_interval, ClusterTimer::Round);
        }
        Some(key)
    }

    pub(crate) fn topic(&self, key: TopicKey) -> Option<&Topic> {
        self.topics.get(key)
    }

    pub(crate) fn topic_mut(&mut self, key: TopicKey) -> Option<&mut Topic> {
        self.topics.get_mut(key)
    }

    pub(crate) fn find_topic(&self, name: &TopicName) -> Option<TopicKey> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn brokers(&self) -> &Brokers {
        &self.brokers
    }

    pub(crate) fn most_topics(&self) -> usize {
        self.most_topics
    }

    /// The next writable queue of a topic, away from `avoid` and from brokers that do not look well. `answered`: the
    /// broker will answer what is sent there.
    pub(crate) fn next_queue<P: Copy>(
        &mut self,
        now: Instant,
        key: TopicKey,
        avoid: Option<BrokerKey>,
        answered: bool,
        net: &Net<P>,
    ) -> Option<(BrokerKey, i32)> {
        if self.latency_faults.is_some() {
            return self.next_queue_by_latency(now, key, avoid, answered, net);
        }
        let topic = self.topics.get_mut(key)?;
        let publish = topic.publish.as_ref()?;
        let brokers = &self.brokers;
        let usable = |broker| is_usable(brokers, net, broker);
        publish.next(&mut topic.place, avoid, usable, |broker| has_stalled(now, brokers, net, broker))
    }

    /// True when the topic has queues on a broker that looks well and is not `avoid`.
    pub(crate) fn has_alternative<P: Copy>(
        &self,
        now: Instant,
        key: TopicKey,
        avoid: BrokerKey,
        net: &Net<P>,
    ) -> bool {
        let Some(publish) = self.topics.get(key).and_then(|topic| topic.publish.as_ref()) else {
            return false;
        };
        let looks_well = |broker| is_usable(&self.brokers, net, broker) && self.is_available(now, broker);
        publish.brokers().any(|broker| broker != avoid && looks_well(broker))
    }

    /// The endpoints of all masters, in order.
    pub(crate) fn masters(&self) -> impl Iterator<Item = &(Endpoint, LinkKey)> {
        self.brokers.iter().filter_map(|(_, broker)| broker.master.as_ref())
    }

    pub(crate) fn name_server(&self) -> Option<&Endpoint> {
        self.name_servers.current()
    }

    pub(crate) fn name_servers(&self) -> impl Iterator<Item = &Endpoint> {
        self.name_servers.iter()
    }

    /// Bytes of an answer of discovery that is not complete yet.
    pub(crate) fn discovery_held(&self) -> usize {
        self.discovery.as_ref().map_or(0, |discovery| discovery.held())
    }

    /// The name server to ask, and the link to it; none when the list is empty.
    pub(crate) fn choose_name_server<P: Copy>(&mut self, net: &mut Net<P>) -> Option<(Endpoint, LinkKey)> {
        let usable = |server: &Endpoint| {
            let link = net.link(Role::NameServer, server);
            net.is_usable(link)
        };
        let chosen = self.name_servers.choose(usable)?.clone();
        let link = net.link(Role::NameServer, &chosen);
        Some((chosen, link))
    }

    /// A name server did not help somebody else.
    pub(crate) fn name_server_failed(&mut self, endpoint: &Endpoint) {
        self.name_servers.failed(endpoint);
    }

    pub(crate) fn name_server_count(&self) -> usize {
        self.name_servers.len()
    }

    pub(crate) fn next_learnt(&mut self) -> Option<Learnt> {
        self.learnt.pop_front()
    }

    pub(crate) fn has_learnt(&self) -> bool {
        !self.learnt.is_empty()
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.timers.next()
    }

    /// Handles every timer of this floor that is due.
    pub(crate) fn tick<P: Copy + From<ClusterPurpose> + From<DiscoveryPurpose>>(
        &mut self,
        now: Instant,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                ClusterTimer::Discovery => self.discover(now, net),
                ClusterTimer::Topic(key) => {
                    if let Some(topic) = self.topics.get_mut(key) {
                        topic.soon = None;
                        self.look_up(now, key, net);
                    }
                }
                ClusterTimer::Watch(broker) => self.watch(now, broker),
                ClusterTimer::Round => {
                    self.forget_unused(now, self.timing.topic_expiry);
                    self.sweep_brokers(now, net, actions);
                    for key in self.topics.keys() {
                        self.look_up(now, key, net);
                    }
                    self.round_armed = !self.topics.is_empty();
                    if self.round_armed {
                        self.timers.set(now + self.timing.route_interval, ClusterTimer::Round);
                    }
                }
            }
        }
    }

    fn forget_unused(&mut self, now: Instant, after: core::time::Duration) {
        for key in self.topics.keys() {
            let Some(topic) = self.topics.get(key) else {
                continue;
            };
            if topic.users > 0 || topic.query.is_some() || now.since(topic.last_used) < after {
                continue;
            }
            if let Some(topic) = self.topics.remove(key) {
                self.by_name.remove(&topic.name);
                self.unset_soon(topic.soon);
                self.unswept = true;
                self.version += 1;
            }
        }
    }

    fn unset_soon(&mut self, timer: Option<crate::ground::TimerKey<ClusterTimer>>) {
        if let Some(timer) = timer {
            self.timers.unset(timer);
        }
    }

    /// Forgets brokers that are in no route any more and lets their connections go.
    fn sweep_brokers<P: Copy>(&mut self, now: Instant, net: &mut Net<P>, actions: &mut VecDeque<Action>) {
        if !core::mem::take(&mut self.unswept) {
            return;
        }
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for (_, topic) in self.topics.iter() {
            let datas = topic.route.iter().flat_map(|route| &route.broker_datas);
            named.extend(datas.map(|data| data.broker_name.as_str()));
        }
        let brokers = &self.brokers;
        let stays: BTreeSet<BrokerKey> = brokers
            .iter()
            .filter(|(_, broker)| named.contains(broker.name.as_str()))
            .map(|(key, _)| key)
            .collect();
        if let Some(faults) = &mut self.latency_faults {
            faults.retain(|broker| stays.contains(&broker));
        }
        for broker in self.brokers.sweep(|key| stays.contains(&key)) {
            self.version += 1;
            if let Some((_, link)) = broker.master
                && !self.brokers.uses(link)
            {
                net.keep(now, link, false, actions);
            }
            if let Some((_, link)) = broker.vip {
                self.let_vip_go(now, link, net, actions);
            }
            actions.push_back(Action::Notice(Notice::BrokerLeft { broker: broker.name }));
        }
    }

    pub(crate) fn topics_view(&self) -> Vec<TopicView> {
        self.topics
            .iter()
            .filter_map(|(_, topic)| {
                let queues = topic.publish.as_ref()?.total();
                Some(TopicView { topic: topic.name.clone(), queues, provisional: topic.provisional })
            })
            .collect()
    }

    pub(crate) fn brokers_view(&self) -> Vec<BrokerView> {
        self.brokers
            .iter()
            .map(|(_, broker)| BrokerView {
                name: broker.name.clone(),
                master: broker.master.as_ref().map(|(endpoint, _)| endpoint.clone()),
            })
            .collect()
    }

    /// There is nobody to ask.
    fn no_name_server(&mut self, key: TopicKey) {
        let Some(topic) = self.topics.get_mut(key) else {
            return;
        };
        if let Some(discovery) = &self.discovery {
            // Those who wait look again when there is a list.
            topic.error = Some(discovery.no_route());
            return;
        }
        topic.error = Some(NoRoute::NoNameServerConfigured);
        if topic.publish.is_none() {
            self.learnt.push_back(Learnt::Hopeless(key));
        }
    }
}

fn is_usable<P: Copy>(brokers: &Brokers, net: &Net<P>, broker: BrokerKey) -> bool {
    let master = brokers.get(broker).and_then(|broker| broker.master.as_ref());
    master.is_some_and(|(_, link)| net.is_usable(*link))
}

#[inline(always)]
fn has_stalled<P: Copy>(now: Instant, brokers: &Brokers, net: &Net<P>, broker: BrokerKey) -> bool {
    let master = brokers.get(broker).and_then(|broker| broker.master.as_ref());
    master.is_some_and(|(_, link)| net.has_stalled(now, *link))
}
