//! Clients that a broker knows by their heartbeats: producers and consumers by group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::heartbeat_body::{ConsumerSettings, Heartbeat};
use crate::cluster::header_json::language_name;
use crate::cluster::route::quoted;
use crate::cluster::transport::{Answer, Transport};
use crate::cluster::{ConnKey, Dialect, Frame};
use crate::memo::Memo;

/// A registered connection without a heartbeat for longer than this is closed, in milliseconds.
const EXPIRY_MS: u64 = 120_000;
/// How often a broker looks for such connections, in milliseconds.
const SCAN_MS: u64 = 10_000;

struct Registered {
    /// Brokers take heartbeats without one.
    client_id: Option<String>,
    language: Option<u8>,
    version: i32,
    last_heartbeat: u64,
}

type Group = BTreeMap<ConnKey, Registered>;

/// The groups with their connections.
pub(super) struct Clients {
    dialect: Dialect,
    producers: BTreeMap<String, Group>,
    consumers: BTreeMap<String, Group>,
    /// What the last heartbeat said about each consumer group.
    subscriptions: BTreeMap<String, ConsumerSettings>,
    next_scan: u64,
    heartbeats: Memo<Result<Arc<Heartbeat>, &'static str>>,
}

/// Consumer groups that have changed, with the connections that are in them now.
pub(super) type Changes = Vec<(String, Vec<ConnKey>)>;

impl Clients {
    pub(super) fn new(dialect: Dialect, now_ms: u64) -> Clients {
        let next_scan = now_ms.saturating_add(SCAN_MS);
        let (producers, consumers, subscriptions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Clients { dialect, producers, consumers, subscriptions, next_scan, heartbeats: Memo::default() }
    }

    /// HEART_BEAT 34.
    pub(super) fn heartbeat(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) -> (Answer, Changes) {
        let read = |body: &[u8]| Heartbeat::read(self.dialect, body).map(Arc::new);
        let heartbeat = match self.heartbeats.get(&request.body, read) {
            Ok(heartbeat) => heartbeat,
            Err(class) => {
                let text = format!("{class}: the heartbeat cannot be read");
                return (Answer::exception(text), Changes::new());
            }
        };
        let mut changes = Changes::new();
        for group in &heartbeat.producer_groups {
            register(&mut self.producers, group, now_ms, conn, request, &heartbeat.client_id);
        }
        for consumer in &heartbeat.consumers {
            let group = &consumer.group;
            let is_new = register(&mut self.consumers, group, now_ms, conn, request, &heartbeat.client_id);
            let before = self.subscriptions.insert(group.clone(), consumer.clone());
            if is_new || before.is_none_or(|before| before != *consumer) {
                changes.push((group.clone(), members_of(&self.consumers, group)));
            }
        }
        if !self.dialect.is_v5() {
            return (Answer::new(0), changes);
        }
        // Without a fingerprint the server always asks for the whole subscription.
        let ask_for_all = !changes.is_empty() || heartbeat.fingerprint == 0;
        let answer = Answer::new(0).ext("IS_SUPPORT_HEART_BEAT_V2", "true");
        (answer.ext("IS_SUB_CHANGE", ask_for_all.to_string()), changes)
    }

    /// UNREGISTER_CLIENT 35.
    pub(super) fn unregister(&mut self, conn: ConnKey, request: &Frame) -> (Answer, Changes) {
        let producer = request.ext("producerGroup");
        let consumer = request.ext("consumerGroup");
        // An explicit farewell removes the group with its last connection; a lost connection leaves it empty on 4.9.
        for (groups, name) in [(&mut self.producers, producer), (&mut self.consumers, consumer)] {
            let Some(name) = name else { continue };
            let Some(group) = groups.get_mut(name) else {
                continue;
            };
            group.remove(&conn);
            if group.is_empty() {
                groups.remove(name);
            }
        }
        let changes = consumer.map(|group| (group.to_owned(), members_of(&self.consumers, group)));
        (Answer::new(0).empty_ext(), changes.into_iter().collect())
    }

    /// GET_PRODUCER_CONNECTION_LIST 204.
    pub(super) fn producer_connections(&self, transport: &Transport, request: &Frame) -> Answer {
        let Some(name) = request.ext("producerGroup") else {
            return Answer::exception("java.lang.NullPointerException: producerGroup");
        };
        let Some(group) = self.producers.get(name) else {
            return Answer::refused(1, format!("the producer group[{name}] not exist"));
        };
        let entries = connections(transport, group);
        Answer::with_body(format!("{{\"connectionSet\":[{entries}]}}").into_bytes())
    }

    /// GET_CONSUMER_CONNECTION_LIST 203.
    pub(super) fn consumer_connections(&self, transport: &Transport, request: &Frame) -> Answer {
        let name = request.ext("consumerGroup").unwrap_or("null");
        let (Some(group), Some(settings)) = (self.consumers.get(name), self.subscriptions.get(name)) else {
            return Answer::refused(206, format!("the consumer group[{name}] not online"));
        };
        let entries = connections(transport, group);
        let body = format!("{{\"connectionSet\":[{entries}],{}}}", settings.text);
        Answer::with_body(body.into_bytes())
    }

    /// GET_CONSUMER_LIST_BY_GROUP 38.
    pub(super) fn members(&self, request: &Frame) -> Answer {
        let name = request.ext("consumerGroup").unwrap_or("null");
        let Some(group) = self.consumers.get(name) else {
            return Answer::refused(1, format!("no consumer for this group, {name}")).empty_ext();
        };
        let ids: Vec<String> =
            group.values().map(|client| quoted(client.client_id.as_deref().unwrap_or_default())).collect();
        Answer::with_body(format!("{{\"consumerIdList\":[{}]}}", ids.join(",")).into_bytes()).empty_ext()
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, conn: ConnKey) -> Changes {
        for group in self.producers.values_mut() {
            group.remove(&conn);
        }
        let mut left = Vec::new();
        for (name, group) in &mut self.consumers {
            if group.remove(&conn).is_some() {
                left.push(name.clone());
            }
        }
        if self.dialect.is_v5() {
            self.producers.retain(|_, group| !group.is_empty());
        }
        self.consumers.retain(|_, group| !group.is_empty());
        let change = |name: String| {
            let members = members_of(&self.consumers, &name);
            (name, members)
        };
        left.into_iter().map(change).collect()
    }

    /// The connections that are registered and have sent no heartbeat for too long.
    pub(super) fn scan(&mut self, now_ms: u64) -> Vec<ConnKey> {
        if now_ms < self.next_scan {
            return Vec::new();
        }
        let periods = (now_ms - self.next_scan) / SCAN_MS + 1;
        self.next_scan = self.next_scan.saturating_add(periods.saturating_mul(SCAN_MS));
        let groups = self.producers.values().chain(self.consumers.values());
        let late = |client: &Registered| now_ms.saturating_sub(client.last_heartbeat) > EXPIRY_MS;
        let mut expired: Vec<ConnKey> =
            groups.flatten().filter(|(_, client)| late(client)).map(|(conn, _)| *conn).collect();
        expired.sort_unstable();
        expired.dedup();
        expired
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        let mut groups = self.producers.values().chain(self.consumers.values());
        groups.any(|group| !group.is_empty()).then_some(self.next_scan)
    }

    /// The connections of a producer group.
    pub(super) fn producer_connections_of(&self, group: &str) -> Vec<ConnKey> {
        members_of(&self.producers, group)
    }

    /// The client ids in a producer group, one for each connection.
    pub(super) fn producers(&self, group: &str) -> Vec<String> {
        let clients = self.producers.get(group).into_iter().flat_map(BTreeMap::values);
        clients.map(|client| client.client_id.clone().unwrap_or_default()).collect()
    }
}

/// Registers a connection or renews it; true when it is new in its group.
fn register(
    groups: &mut BTreeMap<String, Group>,
    name: &str,
    now_ms: u64,
    conn: ConnKey,
    request: &Frame,
    client_id: &Option<String>,
) -> bool {
    let group = groups.entry(name.to_owned()).or_default();
    let is_new = !group.contains_key(&conn);
    let (language, version) = (request.language, request.version);
    let fresh = || Registered { client_id: client_id.clone(), language, version, last_heartbeat: now_ms };
    group.entry(conn).or_insert_with(fresh).last_heartbeat = now_ms;
    is_new
}

/// The connections of a group, as JSON objects with commas between them.
fn connections(transport: &Transport, group: &Group) -> String {
    let mut entries = Vec::new();
    for (conn, client) in group {
        let Some(peer) = transport.peer(*conn) else {
            continue;
        };
        let id = client.client_id.as_deref().map(|id| format!("\"clientId\":{},", quoted(id)));
        let language = client.language.and_then(language_name);
        let language = language.map(|name| format!("\"language\":\"{name}\",")).unwrap_or_default();
        let id = id.unwrap_or_default();
        entries.push(format!("{{\"clientAddr\":\"{peer}\",{id}{language}\"version\":{}}}", client.version));
    }
    entries.join(",")
}

fn members_of(groups: &BTreeMap<String, Group>, name: &str) -> Vec<ConnKey> {
    groups.get(name).into_iter().flat_map(BTreeMap::keys).copied().collect()
}
