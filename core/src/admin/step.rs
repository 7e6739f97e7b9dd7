//! What a call does next: whom it asks first, whom after that, and what it ends with.

use super::call::{AdminPurpose, CallKey, Question, Target};
use super::{Admin, Context};
use crate::body::{BrokerData, ClusterInfo, TopicRouteData};
use crate::cluster::writable_queues;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::{BrokerName, TopicName};
use crate::interface::{
    AdminAnswer, AdminError, AdminRequest, BrokerFailure, CallFailure, MessageQueue, NoRoute, TopicPlace,
};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

impl Admin {
    /// Whom a call asks first.
    pub(super) fn first_step<P: Copy + From<AdminPurpose>>(&mut self, cx: &mut Context<'_, P>, key: CallKey) {
        let Some(call) = self.calls.get(key) else {
            return;
        };
        let question = match &*call.request {
            AdminRequest::ViewMessage { id, .. } => {
                let endpoint = id.store_address().and_then(|address| Endpoint::try_from(address).ok());
                // The request was checked when it came, so there is one.
                if let Some(endpoint) = endpoint {
                    self.ask_broker(cx, key, Target { broker: None, endpoint });
                }
                return;
            }
            AdminRequest::CreateTopic { place: TopicPlace::RouteOf(_), .. }
            | AdminRequest::TopicRoute(_)
            | AdminRequest::PublishQueues(_)
            | AdminRequest::MaxOffset(_)
            | AdminRequest::MinOffset(_)
            | AdminRequest::EarliestStoreTime(_)
            | AdminRequest::SearchOffset { .. }
            | AdminRequest::QueryMessages(_)
            | AdminRequest::QueryUniqueKey { .. } => Question::Route,
            AdminRequest::CreateTopic { .. } | AdminRequest::ClusterInfo => Question::Cluster,
            AdminRequest::TopicList => Question::Topics,
        };
        self.ask_name_server(cx, key, question);
    }

    /// A name server told the route of the call's topic.
    pub(super) fn routed<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: CallKey,
        route: TopicRouteData,
    ) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let result = match &*call.request {
            AdminRequest::TopicRoute(_) => Ok(AdminAnswer::Route(Box::new(route))),
            AdminRequest::PublishQueues(topic) => publish_queues(topic, &route, self.most_queues),
            AdminRequest::MaxOffset(queue)
            | AdminRequest::MinOffset(queue)
            | AdminRequest::EarliestStoreTime(queue)
            | AdminRequest::SearchOffset { queue, .. } => match master_of(queue, &route) {
                Ok(target) => return self.ask_broker(cx, key, target),
                Err(error) => Err(error),
            },
            AdminRequest::CreateTopic { place: TopicPlace::RouteOf(topic), .. }
                if route.broker_datas.is_empty() =>
            {
                Err(AdminError::TopicUnknown(topic.clone()))
            }
            AdminRequest::CreateTopic { .. } => {
                for data in &route.broker_datas {
                    sort_out(data, master(data), &mut call.targets, &mut call.failed);
                }
                return self.ask_brokers(cx, key);
            }
            _ => {
                // Slaves have what their master has, so one of each group is enough.
                for data in &route.broker_datas {
                    sort_out(data, any_address(data), &mut call.targets, &mut call.failed);
                }
                return self.ask_brokers(cx, key);
            }
        };
        self.end(cx, key, result);
    }

    /// A name server told which brokers and clusters there are.
    pub(super) fn clustered<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: CallKey,
        info: ClusterInfo,
    ) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let AdminRequest::CreateTopic { place, .. } = &*call.request else {
            return self.end(cx, key, Ok(AdminAnswer::Cluster(info)));
        };
        let names = match names_at(place, &info) {
            Ok(names) => names,
            Err(error) => return self.end(cx, key, Err(error)),
        };
        for name in names {
            let missing = BrokerData { broker_name: String::from(name), ..BrokerData::default() };
            let data = info.brokers.get(name).unwrap_or(&missing);
            sort_out(data, master(data), &mut call.targets, &mut call.failed);
        }
        self.ask_brokers(cx, key);
    }

    /// All questions of a call have had their answers.
    pub(super) fn conclude<P: Copy + From<AdminPurpose>>(&mut self, cx: &mut Context<'_, P>, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let (mut done, mut failed) = (core::mem::take(&mut call.done), core::mem::take(&mut call.failed));
        let mut found = core::mem::take(&mut call.found);
        // Which broker was faster changes nothing.
        done.sort();
        failed.sort_by(|a, b| a.broker.cmp(&b.broker));
        let result = match &*call.request {
            AdminRequest::CreateTopic { .. } if failed.is_empty() && !done.is_empty() => {
                Ok(AdminAnswer::TopicCreated(done))
            }
            AdminRequest::CreateTopic { .. } => Err(AdminError::Brokers { done, failed }),
            AdminRequest::QueryMessages(query) if failed.is_empty() || !found.messages.is_empty() => {
                found.messages.sort_by_key(|message| message.store_timestamp);
                let most = usize::try_from(query.most).unwrap_or(usize::MAX);
                let older = found.messages.len().saturating_sub(most);
                found.messages.drain(..older);
                found.failed = failed;
                Ok(AdminAnswer::Messages(found))
            }
            AdminRequest::QueryMessages(_) => Err(AdminError::Brokers { done, failed }),
            AdminRequest::QueryUniqueKey { .. } if failed.is_empty() => Err(AdminError::NotFound),
            AdminRequest::QueryUniqueKey { .. } => Err(AdminError::Brokers { done, failed }),
            _ => Err(failed.pop().map_or(AdminError::NotFound, AdminError::Broker)),
        };
        self.end(cx, key, result);
    }
}

/// The names of the brokers that are to have a topic.
fn names_at<'a>(place: &'a TopicPlace, info: &'a ClusterInfo) -> Result<Vec<&'a str>, AdminError> {
    let known = || info.clusters.keys().cloned().collect();
    let of_cluster = |cluster: &str| {
        let names = info.clusters.get(cluster).filter(|names| !names.is_empty());
        names.map(|names| names.iter().map(String::as_str).collect())
    };
    match place {
        TopicPlace::OnlyCluster => match info.clusters.keys().next() {
            Some(only) if info.clusters.len() == 1 => {
                of_cluster(only).ok_or_else(|| AdminError::WhichCluster(known()))
            }
            _ => Err(AdminError::WhichCluster(known())),
        },
        TopicPlace::Cluster(cluster) => of_cluster(cluster)
            .ok_or_else(|| AdminError::UnknownCluster { cluster: cluster.clone(), known: known() }),
        TopicPlace::Broker(broker) if info.brokers.contains_key(broker.as_str()) => {
            Ok(Vec::from([broker.as_str()]))
        }
        TopicPlace::Broker(broker) => Err(AdminError::UnknownBroker(broker.clone())),
        // Its brokers stand in a route.
        TopicPlace::RouteOf(_) => Ok(Vec::new()),
    }
}

/// Puts a broker on the list of those that are asked, or of those that cannot be.
fn sort_out(
    data: &BrokerData,
    endpoint: Option<Endpoint>,
    targets: &mut VecDeque<Target>,
    failed: &mut Vec<BrokerFailure>,
) {
    // Names that cannot be come from nobody who is to be asked.
    let Ok(broker) = data.broker_name.parse::<BrokerName>() else {
        return;
    };
    match endpoint {
        Some(endpoint) => targets.push_back(Target { broker: Some(broker), endpoint }),
        None => {
            let why = CallFailure::NoMaster;
            failed.push(BrokerFailure { broker: Some(broker), endpoint: None, why });
        }
    }
}

fn master(data: &BrokerData) -> Option<Endpoint> {
    data.broker_addrs.get(&0).and_then(|text| text.parse().ok())
}

/// The address of the master, else of the first slave.
fn any_address(data: &BrokerData) -> Option<Endpoint> {
    master(data).or_else(|| data.broker_addrs.values().find_map(|text| text.parse().ok()))
}

/// The broker that has a queue. Brokers answer for queues that they do not have, so the route is what counts.
fn master_of(queue: &MessageQueue, route: &TopicRouteData) -> Result<Target, AdminError> {
    if route.static_topic {
        return Err(AdminError::StaticTopic(queue.topic.clone()));
    }
    let exists = route.queue_datas.iter().any(|data| {
        let queues = data.read_queue_nums.max(data.write_queue_nums);
        data.broker_name == queue.broker_name.as_str() && (0..queues).contains(&queue.queue_id)
    });
    if !exists {
        return Err(AdminError::UnknownQueue(queue.clone()));
    }
    let data = route.broker_datas.iter().find(|data| data.broker_name == queue.broker_name.as_str());
    let broker = Some(queue.broker_name.clone());
    match data.and_then(master) {
        Some(endpoint) => Ok(Target { broker, endpoint }),
        None => Err(AdminError::Broker(BrokerFailure { broker, endpoint: None, why: CallFailure::NoMaster })),
    }
}

fn publish_queues(topic: &TopicName, route: &TopicRouteData, most: usize) -> Result<AdminAnswer, AdminError> {
    let has_master = |name: &str| {
        let data = route.broker_datas.iter().find(|data| data.broker_name == name);
        data.is_some_and(|data| master(data).is_some())
    };
    let groups = writable_queues(topic, route, has_master).map_err(|error| match error {
        NoRoute::StaticTopic(topic) => AdminError::StaticTopic(topic),
        _ => AdminError::NoWritableQueue(topic.clone()),
    })?;
    let total = groups.iter().fold(0_usize, |sum, (_, count)| sum.saturating_add(*count));
    if total > most {
        return Err(AdminError::TooManyQueues(most));
    }
    let mut queues = Vec::with_capacity(total);
    for (name, count) in groups {
        let Ok(broker_name) = name.parse::<BrokerName>() else {
            continue;
        };
        for queue_id in (0..).take(count) {
            queues.push(MessageQueue { topic: topic.clone(), broker_name: broker_name.clone(), queue_id });
        }
    }
    Ok(AdminAnswer::Queues(queues))
}
