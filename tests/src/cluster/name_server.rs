//! A name server: routes, cluster information, key-value configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::registry::{Registration, Registry};
use super::route;
use super::transport::{Answer, Held, Transport};
use super::{ConnKey, Dialect, Frame, ServerAction};

/// From this request version on (4.9.4) routes are answered in standard JSON.
const STANDARD_JSON_VERSION: i32 = 401;

/// The route of a topic that no broker of the client's zone has.
const EMPTY_ROUTE: &[u8] = br#"{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}"#;

/// A name server as a state machine.
pub struct NameServer {
    transport: Transport,
    registry: Registry,
    key_values: BTreeMap<String, BTreeMap<String, String>>,
}

impl NameServer {
    /// A name server that knows no broker yet.
    pub fn new(dialect: Dialect) -> NameServer {
        NameServer {
            transport: Transport::new(dialect),
            registry: Registry::default(),
            key_values: BTreeMap::new(),
        }
    }

    /// A client has connected. A server that is down closes the connection at once.
    pub fn on_connect(&mut self, now_ms: u64, conn: ConnKey, peer: SocketAddr) {
        if !self.transport.hold(|| Held::Connect(conn, peer)) {
            self.transport.connect(now_ms, conn, peer);
        }
    }

    /// Bytes have arrived on a connection.
    pub fn on_bytes(&mut self, now_ms: u64, conn: ConnKey, bytes: &[u8]) {
        if self.transport.hold(|| Held::Bytes(conn, bytes.to_vec())) {
            return;
        }
        self.transport.receive(now_ms, conn, bytes);
        while let Ok(Some(request)) = self.transport.next_request(conn) {
            if let Some(answer) = self.process(&request) {
                self.transport.answer(now_ms, conn, &request, answer);
            }
        }
    }

    /// The client has closed the connection.
    pub fn on_close(&mut self, _now_ms: u64, conn: ConnKey) {
        if !self.transport.hold(|| Held::Close(conn)) {
            self.transport.forget(conn);
        }
    }

    /// Time has passed: idle connections are closed, brokers that have been silent for 120 s are forgotten.
    pub fn on_tick(&mut self, now_ms: u64) {
        if !self.transport.is_paused() {
            self.transport.tick(now_ms);
            self.registry.expire(now_ms);
        }
    }

    /// When [`NameServer::on_tick`] has something to do; `None` while paused or with nothing to wait for.
    pub fn next_deadline(&self) -> Option<u64> {
        if self.transport.is_paused() {
            return None;
        }
        self.transport.next_deadline().into_iter().chain(self.registry.next_expiry()).min()
    }

    /// The next thing to do on a connection.
    pub fn poll_action(&mut self) -> Option<ServerAction> {
        self.transport.poll_action()
    }

    /// A broker registers with all its topics.
    pub fn register(&mut self, now_ms: u64, registration: &Registration) {
        if self.transport.is_up() {
            self.registry.register(now_ms, registration);
        }
    }

    /// A broker has gone: its connection is closed or it has unregistered.
    pub fn forget_broker(&mut self, broker_name: &str) {
        self.registry.forget(broker_name);
    }

    /// The names of the registered brokers.
    pub fn broker_names(&self) -> Vec<String> {
        self.registry.brokers().map(|(name, _)| name.to_owned()).collect()
    }

    /// The open connections with the addresses of their clients.
    pub fn connections(&self) -> Vec<(ConnKey, SocketAddr)> {
        self.transport.connections()
    }

    /// How many requests with this code have arrived, one-way ones included.
    pub fn requests(&self, code: i32) -> u64 {
        self.transport.requests(code)
    }

    /// Stops doing anything, as a stopped process: connections stay and fill up.
    pub fn pause(&mut self) {
        self.transport.pause();
    }

    /// Goes on after [`NameServer::pause`] with what has arrived meanwhile.
    pub fn resume(&mut self, now_ms: u64) {
        for event in self.transport.resume() {
            match event {
                Held::Connect(conn, peer) => self.on_connect(now_ms, conn, peer),
                Held::Bytes(conn, bytes) => self.on_bytes(now_ms, conn, &bytes),
                Held::Close(conn) => self.on_close(now_ms, conn),
            }
        }
        self.on_tick(now_ms);
    }

    /// Is killed: all connections are closed, what brokers had registered is lost.
    pub fn crash(&mut self) {
        self.transport.crash();
        self.registry.clear();
    }

    /// Starts again after [`NameServer::crash`]; key-value configuration is kept, as on disk.
    pub fn restart(&mut self) {
        self.transport.restart();
    }

    /// Whether the server runs (a paused one does).
    pub fn is_up(&self) -> bool {
        self.transport.is_up()
    }

    /// Whether the server is paused.
    pub fn is_paused(&self) -> bool {
        self.transport.is_paused()
    }

    fn process(&mut self, request: &Frame) -> Option<Answer> {
        let answer = match request.code {
            100 => self.put_key_value(request),
            101 => self.get_key_value(request),
            102 => self.delete_key_value(request),
            105 => self.route(request),
            106 => Answer::with_body(route::cluster_info_body(self.transport.dialect, &self.registry)),
            206 => Answer::with_body(route::topic_list_body(&self.registry, None)),
            216 => self.forget_topic(request),
            219 => self.list_key_values(request),
            224 => {
                let cluster = request.ext("cluster").unwrap_or_default();
                Answer::with_body(route::topic_list_body(&self.registry, Some(cluster)))
            }
            code if self.transport.dialect.is_v5() => {
                Answer::refused(3, format!(" request type {code} not supported"))
            }
            _ => return None,
        };
        Some(answer)
    }

    fn route(&self, request: &Frame) -> Answer {
        let dialect = self.transport.dialect;
        let asked =
            request.ext("acceptStandardJsonOnly").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let standard = asked || request.version >= STANDARD_JSON_VERSION;
        let topic = request.ext("topic");
        if dialect.is_v5() && asks_for_zone(request) {
            // Brokers here are in no zone, so that none is left of those that have the topic.
            let known = topic.is_some_and(|topic| self.registry.brokers_of(topic).next().is_some());
            if known {
                return Answer::with_body(EMPTY_ROUTE.to_vec());
            }
        }
        match topic.and_then(|topic| route::route_body(dialect, &self.registry, topic, standard)) {
            Some(body) => Answer::with_body(body),
            None => {
                let name = topic.unwrap_or("null");
                let line =
                    format!("No topic route info in name server for the topic: {name}{}", dialect.faq_line());
                Answer::refused(17, line)
            }
        }
    }

    /// DELETE_TOPIC_IN_NAMESRV 216.
    fn forget_topic(&mut self, request: &Frame) -> Answer {
        if let Some(topic) = request.ext("topic") {
            self.registry.forget_topic(topic);
        }
        Answer::new(0)
    }

    fn put_key_value(&mut self, request: &Frame) -> Answer {
        let (Some(namespace), Some(key)) = (request.ext("namespace"), request.ext("key")) else {
            return Answer::refused(1, "namespace or key is null");
        };
        let namespace = self.key_values.entry(namespace.to_owned()).or_default();
        // A value that is missing is stored as null, which cannot be told from no value.
        match request.ext("value") {
            Some(value) => namespace.insert(key.to_owned(), value.to_owned()),
            None => namespace.remove(key),
        };
        Answer::new(0)
    }

    fn get_key_value(&self, request: &Frame) -> Answer {
        let (namespace, key) = (request.ext("namespace"), request.ext("key"));
        let found =
            namespace.and_then(|name| self.key_values.get(name)).zip(key).and_then(|(map, key)| map.get(key));
        match found {
            Some(value) => Answer::new(0).ext("value", value.as_str()),
            None => {
                let (namespace, key) = (namespace.unwrap_or("null"), key.unwrap_or("null"));
                Answer::refused(22, format!("No config item, Namespace: {namespace} Key: {key}")).empty_ext()
            }
        }
    }

    fn delete_key_value(&mut self, request: &Frame) -> Answer {
        if let (Some(namespace), Some(key)) = (request.ext("namespace"), request.ext("key"))
            && let Some(map) = self.key_values.get_mut(namespace)
        {
            map.remove(key);
        }
        Answer::new(0)
    }

    fn list_key_values(&self, request: &Frame) -> Answer {
        let namespace = request.ext("namespace").unwrap_or("null");
        let Some(map) = self.key_values.get(namespace) else {
            return Answer::refused(22, format!("No config item, Namespace: {namespace}"));
        };
        let pairs: Vec<String> = map
            .iter()
            .map(|(key, value)| format!("{}:{}", route::quoted(key), route::quoted(value)))
            .collect();
        Answer::with_body(format!("{{\"table\":{{{}}}}}", pairs.join(",")).into_bytes())
    }
}

/// Whether a client wants to hear of brokers of its own zone only (5.x).
fn asks_for_zone(request: &Frame) -> bool {
    let mode = request.ext("__ZONE_MODE").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    mode && request.ext("__ZONE_NAME").is_some_and(|name| !name.trim().is_empty())
}
