//! Clients that a broker knows by their heartbeats: producers and consumers by group.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::header_json::language_name;
use crate::cluster::route::quoted;
use crate::cluster::transport::{Answer, Transport};
use crate::cluster::{ConnKey, Dialect, Frame};

/// A registered connection without a heartbeat for longer than this is closed, in milliseconds.
const EXPIRY_MS: u64 = 120_000;
/// How often a broker looks for such connections, in milliseconds.
const SCAN_MS: u64 = 10_000;

struct Registered {
    client_id: String,
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
    next_scan: u64,
}

impl Clients {
    pub(super) fn new(dialect: Dialect, now_ms: u64) -> Clients {
        let next_scan = now_ms.saturating_add(SCAN_MS);
        Clients { dialect, producers: BTreeMap::new(), consumers: BTreeMap::new(), next_scan }
    }

    /// HEART_BEAT 34.
    pub(super) fn heartbeat(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) -> Answer {
        let Some(heartbeat) = Heartbeat::read(&request.body) else {
            return Answer::exception("java.lang.NullPointerException: the heartbeat cannot be read");
        };
        let mut changed = false;
        for group in &heartbeat.producer_groups {
            register(&mut self.producers, group, now_ms, conn, request, &heartbeat.client_id);
        }
        for group in &heartbeat.consumer_groups {
            changed |= register(&mut self.consumers, group, now_ms, conn, request, &heartbeat.client_id);
        }
        if !self.dialect.is_v5() {
            return Answer::new(0);
        }
        // Without a fingerprint the server always asks for the whole subscription.
        let ask_for_all = changed || heartbeat.fingerprint == 0;
        Answer::new(0).ext("IS_SUPPORT_HEART_BEAT_V2", "true").ext("IS_SUB_CHANGE", ask_for_all.to_string())
    }

    /// UNREGISTER_CLIENT 35.
    pub(super) fn unregister(&mut self, conn: ConnKey, request: &Frame) -> Answer {
        let producer = request.ext("producerGroup");
        let consumer = request.ext("consumerGroup");
        if request.ext("clientID").is_none() && (producer.is_some() || consumer.is_some()) {
            return Answer::exception("java.lang.NullPointerException: clientID");
        }
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
        Answer::new(0).empty_ext()
    }

    /// GET_PRODUCER_CONNECTION_LIST 204.
    pub(super) fn producer_connections(&self, transport: &Transport, request: &Frame) -> Answer {
        let name = request.ext("producerGroup").unwrap_or("null");
        let Some(group) = self.producers.get(name) else {
            return Answer::refused(1, format!("the producer group[{name}] not exist"));
        };
        let mut entries = Vec::new();
        for (conn, client) in group {
            let Some(peer) = transport.peer(*conn) else {
                continue;
            };
            let language = client.language.and_then(language_name);
            let language = language.map(|name| format!("\"language\":\"{name}\",")).unwrap_or_default();
            entries.push(format!(
                "{{\"clientAddr\":\"{peer}\",\"clientId\":{},{language}\"version\":{}}}",
                quoted(&client.client_id),
                client.version
            ));
        }
        Answer::with_body(format!("{{\"connectionSet\":[{}]}}", entries.join(",")).into_bytes())
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, conn: ConnKey) {
        for groups in [&mut self.producers, &mut self.consumers] {
            for group in groups.values_mut() {
                group.remove(&conn);
            }
        }
        if self.dialect.is_v5() {
            self.producers.retain(|_, group| !group.is_empty());
        }
        self.consumers.retain(|_, group| !group.is_empty());
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

    /// The client ids in a producer group, one for each connection.
    pub(super) fn producers(&self, group: &str) -> Vec<String> {
        let clients = self.producers.get(group).into_iter().flat_map(BTreeMap::values);
        clients.map(|client| client.client_id.clone()).collect()
    }
}

/// Registers a connection or renews it; true when it is new in its group.
fn register(
    groups: &mut BTreeMap<String, Group>,
    name: &str,
    now_ms: u64,
    conn: ConnKey,
    request: &Frame,
    client_id: &str,
) -> bool {
    let group = groups.entry(name.to_owned()).or_default();
    let is_new = !group.contains_key(&conn);
    let (language, version) = (request.language, request.version);
    let fresh = || Registered { client_id: client_id.to_owned(), language, version, last_heartbeat: now_ms };
    group.entry(conn).or_insert_with(fresh).last_heartbeat = now_ms;
    is_new
}

struct Heartbeat {
    client_id: String,
    producer_groups: Vec<String>,
    consumer_groups: Vec<String>,
    fingerprint: i64,
}

impl Heartbeat {
    /// Reads the body; `None` where a server runs into an exception.
    fn read(body: &[u8]) -> Option<Heartbeat> {
        let parsed: Value = serde_json::from_slice(body).ok()?;
        let client_id = parsed.get("clientID")?.as_str()?.to_owned();
        let producer_groups = group_names(parsed.get("producerDataSet"))?;
        let consumer_groups = group_names(parsed.get("consumerDataSet"))?;
        let fingerprint = parsed.get("heartbeatFingerprint").and_then(Value::as_i64).unwrap_or(0);
        Some(Heartbeat { client_id, producer_groups, consumer_groups, fingerprint })
    }
}

/// An absent set is empty, a set that is null is an error.
fn group_names(set: Option<&Value>) -> Option<Vec<String>> {
    let Some(set) = set else {
        return Some(Vec::new());
    };
    let name = |entry: &Value| entry.get("groupName").and_then(Value::as_str).map(str::to_owned);
    Some(set.as_array()?.iter().filter_map(name).collect())
}
