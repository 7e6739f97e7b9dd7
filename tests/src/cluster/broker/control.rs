//! What tests do to a broker and ask it.

use std::net::SocketAddr;

use super::policy::ScriptedAnswers;
use super::{Broker, BrokerSettings, Clients, SendPolicy, StoredBrief, StoredMessage};
use crate::cluster::topic::TopicConfig;
use crate::cluster::transport::Held;
use crate::cluster::{ConnKey, Dialect};

impl Broker {
    /// The broker's name, as routes give it.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The broker's address, as routes give it.
    pub fn address(&self) -> SocketAddr {
        self.config.address
    }

    /// Gives the broker another address. What is stored keeps the old one.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        self.config.address = address;
    }

    /// The release that the broker imitates.
    pub fn imitates(&self) -> Dialect {
        self.config.dialect
    }

    /// Answers the next `count` sends that are in order with this code. 10, 11 and 12 are answered after storing, 0 is
    /// an ordinary answer, with all others nothing is stored. Takes precedence over a policy.
    pub fn answer_next_sends(&mut self, count: u64, code: i32, remark: &str) {
        self.scripted = Some(ScriptedAnswers { left: count, code, remark: remark.to_owned() });
    }

    /// Lets a policy decide about every send that is in order.
    pub fn set_send_policy(&mut self, policy: impl SendPolicy + 'static) {
        self.policy = Some(Box::new(policy));
    }

    /// Stores and answers all sends again.
    pub fn clear_send_policy(&mut self) {
        self.policy = None;
        self.scripted = None;
    }

    /// The settings.
    pub fn settings(&self) -> &BrokerSettings {
        &self.settings
    }

    /// The settings, to be changed. Name servers are told on the next event.
    pub fn settings_mut(&mut self) -> &mut BrokerSettings {
        self.unregistered_changes = true;
        &mut self.settings
    }

    /// Turns the graceful shutdown on or off: code 1500 to requests whose version is above 475, on old and new
    /// connections (5.5.0 only).
    pub fn go_away(&mut self, on: bool) {
        self.settings.go_away = on;
    }

    /// Sets the permission of a topic as routes show it; sends do not look at it. False when the topic is unknown.
    pub fn set_permission(&mut self, topic: &str, permission: i32) -> bool {
        let Some(config) = self.topics.get_mut(topic) else {
            return false;
        };
        config.permission = permission;
        self.unregistered_changes = true;
        true
    }

    /// Creates a topic or changes its settings.
    pub fn create_topic(&mut self, config: TopicConfig) {
        self.topics.insert(config);
        self.unregistered_changes = true;
    }

    /// The settings of a topic.
    pub fn topic(&self, name: &str) -> Option<&TopicConfig> {
        self.topics.get(name)
    }

    /// Stops doing anything, as a stopped process: connections stay and fill up.
    pub fn pause(&mut self) {
        self.transport.pause();
    }

    /// Goes on after [`Broker::pause`] with what has arrived meanwhile, and registers at once.
    pub fn resume(&mut self, now_ms: u64) {
        for event in self.transport.resume() {
            match event {
                Held::Connect(conn, peer) => self.on_connect(now_ms, conn, peer),
                Held::Bytes(conn, bytes) => self.on_bytes(now_ms, conn, &bytes),
                Held::Close(conn) => self.on_close(now_ms, conn),
            }
        }
        self.unregistered_changes = true;
        self.on_tick(now_ms);
    }

    /// Is killed: all connections are closed, answers that were still due are never sent. The store is kept.
    pub fn crash(&mut self, now_ms: u64) {
        self.transport.crash();
        self.clients = Clients::new(self.config.dialect, now_ms);
    }

    /// Stops in order: answers that were still due are sent, then all connections are closed.
    pub fn leave(&mut self, now_ms: u64) {
        self.transport.leave(now_ms);
        self.clients = Clients::new(self.config.dialect, now_ms);
    }

    /// Starts again after [`Broker::crash`] or [`Broker::leave`], with its store and its topics.
    pub fn restart(&mut self, now_ms: u64) {
        self.transport.restart();
        self.clients = Clients::new(self.config.dialect, now_ms);
        self.settings.go_away = false;
        if self.settings.auto_create_topics {
            self.topics.insert_default_topic();
        }
        self.unregistered_changes = true;
        self.registration_due = now_ms;
    }

    /// Whether the broker runs (a paused one does).
    pub fn is_up(&self) -> bool {
        self.transport.is_up()
    }

    /// Whether the broker is paused.
    pub fn is_paused(&self) -> bool {
        self.transport.is_paused()
    }

    /// The messages stored under a topic, in the order of the commit log.
    pub fn stored(&self, topic: &str) -> Vec<StoredMessage> {
        let records = self.log.records().iter().filter(|record| record.message.topic == topic);
        records.map(|record| self.log.view(&self.config.name, record)).collect()
    }

    /// All stored messages, in the order of the commit log.
    pub fn stored_all(&self) -> Vec<StoredMessage> {
        self.log.records().iter().map(|record| self.log.view(&self.config.name, record)).collect()
    }

    /// The stored message with this number, from 0 in the order of the commit log.
    pub fn stored_at(&self, number: usize) -> Option<StoredMessage> {
        self.log.records().get(number).map(|record| self.log.view(&self.config.name, record))
    }

    /// The most important parts of a stored message.
    pub(crate) fn brief_at(&self, number: usize) -> Option<StoredBrief<'_>> {
        self.log.brief(number)
    }

    /// The id of the message at this place, as its producer was told.
    pub(crate) fn offset_message_id(&self, commit_offset: i64) -> String {
        self.log.offset_message_id(commit_offset)
    }

    /// How many messages are stored, under all topics.
    pub fn stored_count(&self) -> usize {
        self.log.len()
    }

    /// The open connections with the addresses of their clients.
    pub fn connections(&self) -> Vec<(ConnKey, SocketAddr)> {
        self.transport.connections()
    }

    /// The client ids in a producer group, one for each connection.
    pub fn producers(&self, group: &str) -> Vec<String> {
        self.clients.producers(group)
    }

    /// How many requests with this code have arrived, one-way ones included.
    pub fn requests(&self, code: i32) -> u64 {
        self.transport.requests(code)
    }
}
