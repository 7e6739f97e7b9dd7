//! A client for tests: writes one request, hands back the answers.

use std::net::SocketAddr;

use crate::cluster::{
    Cluster, ClusterConfig, ConnKey, Dialect, Frame, FrameReader, ServerAction, ServerId, StoredMessage,
};

pub(super) const BROKER: ServerId = ServerId::Broker(0);
pub(super) const NAME_SERVER: ServerId = ServerId::NameServer(0);

/// A cluster with one connection to each server and a clock.
pub(super) struct World {
    pub(super) cluster: Cluster,
    pub(super) now: u64,
    pub(super) closed: Vec<(ServerId, ConnKey)>,
    next_opaque: i32,
}

pub(super) const CONN: ConnKey = ConnKey(7);
pub(super) const PEER: &str = "10.9.9.9:5555";

impl World {
    pub(super) fn new(dialect: Dialect) -> World {
        World::with(ClusterConfig { dialect, ..ClusterConfig::default() })
    }

    pub(super) fn with(config: ClusterConfig) -> World {
        let now = 1_000_000;
        let mut cluster = Cluster::new(config, now);
        for server in cluster.servers() {
            cluster.on_connect(now, server, CONN, peer());
        }
        World { cluster, now, closed: Vec::new(), next_opaque: 0 }
    }

    /// Everything that the servers have to say now, as frames.
    pub(super) fn answers(&mut self) -> Vec<(ServerId, ConnKey, Frame)> {
        let mut frames = Vec::new();
        while let Some((server, action)) = self.cluster.poll_action() {
            match action {
                ServerAction::Send { conn, bytes } => {
                    let mut reader = FrameReader::new(Dialect::V4_9_7);
                    reader.push(&bytes);
                    while let Some(frame) = reader.next_frame().expect("servers write whole frames") {
                        frames.push((server, conn, frame));
                    }
                }
                ServerAction::Close { conn } => self.closed.push((server, conn)),
            }
        }
        frames
    }

    /// Sends bytes and takes the answers on that connection.
    pub(super) fn raw(&mut self, server: ServerId, bytes: &[u8]) -> Vec<Frame> {
        self.cluster.on_bytes(self.now, server, CONN, bytes);
        self.answers().into_iter().map(|(_, _, frame)| frame).collect()
    }

    /// Sends a request and takes its one answer.
    pub(super) fn ask(&mut self, server: ServerId, request: &Frame) -> Frame {
        let mut answers = self.raw(server, &request.encode());
        assert_eq!(answers.len(), 1, "one answer to {request:?}");
        answers.remove(0)
    }

    pub(super) fn opaque(&mut self) -> i32 {
        self.next_opaque += 1;
        self.next_opaque
    }

    /// A request with ext fields and a number of its own.
    pub(super) fn call(&mut self, server: ServerId, code: i32, fields: &[(&str, &str)]) -> Frame {
        let opaque = self.opaque();
        self.ask(server, &Frame::request(code, opaque, fields))
    }

    /// Sends to queue 0 of a topic.
    pub(super) fn send(&mut self, topic: &str, properties: &str, body: &[u8]) -> Frame {
        let request = self.send_request(topic, properties, body);
        self.ask(BROKER, &request)
    }

    pub(super) fn send_request(&mut self, topic: &str, properties: &str, body: &[u8]) -> Frame {
        let mut request = Frame::request(310, self.opaque(), &send_fields(topic, properties));
        request.body = body.to_vec().into();
        request
    }

    /// Lets time pass up to an instant, event after event.
    pub(super) fn run_until(&mut self, until: u64) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(at) = self.cluster.next_deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.cluster.on_tick(self.now);
            frames.extend(self.answers().into_iter().map(|(_, _, frame)| frame));
        }
        self.now = until;
        frames
    }

    pub(super) fn stored(&self, topic: &str) -> Vec<StoredMessage> {
        self.cluster.stored(topic)
    }

    pub(super) fn route(&mut self, topic: &str) -> serde_json::Value {
        let answer = self.call(NAME_SERVER, 105, &[("topic", topic)]);
        if answer.code != 0 {
            return serde_json::Value::Null;
        }
        serde_json::from_slice(&answer.body).expect("standard JSON")
    }
}

pub(super) fn peer() -> SocketAddr {
    PEER.parse().expect("an address")
}

/// The V2 header of a send to queue 0.
pub(super) fn send_fields<'a>(topic: &'a str, properties: &'a str) -> [(&'a str, &'a str); 13] {
    [
        ("a", "group"),
        ("b", topic),
        ("c", "TBW102"),
        ("d", "4"),
        ("e", "0"),
        ("f", "0"),
        ("g", "1700000000000"),
        ("h", "0"),
        ("i", properties),
        ("j", "0"),
        ("k", "false"),
        ("m", "false"),
        ("n", "broker-a"),
    ]
}

/// Replaces or removes one field.
pub(super) fn change(request: &mut Frame, name: &str, value: Option<&str>) {
    let fields = request.ext_fields.get_or_insert_with(Vec::new);
    fields.retain(|(key, _)| key != name);
    if let Some(value) = value {
        fields.push((name.into(), Some(value.into())));
    }
}

/// Both releases.
pub(super) const DIALECTS: [Dialect; 2] = [Dialect::V4_9_7, Dialect::V5_5_0];
