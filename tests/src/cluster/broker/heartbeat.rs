//! What heartbeats and farewells bring about besides the table of clients: consumers hear of changes in their group.

use super::Broker;
use super::clients::Changes;
use crate::cluster::topic::{RETRY_PREFIX, TopicConfig};
use crate::cluster::transport::Answer;
use crate::cluster::{ConnKey, Frame};

/// NOTIFY_CONSUMER_IDS_CHANGED, one-way from the broker to every member of a group.
const NOTIFY_CONSUMER_IDS_CHANGED: i32 = 40;

impl Broker {
    /// HEART_BEAT 34.
    pub(super) fn heartbeat(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) -> Answer {
        let (answer, changes) = self.clients.heartbeat(now_ms, conn, request);
        for (group, _) in &changes {
            if !self.knows_group(group) {
                continue;
            }
            let topic = format!("{RETRY_PREFIX}{group}");
            if self.topics.get(&topic).is_none() {
                self.create_topic(TopicConfig::new(&topic, 1));
            }
        }
        self.notify(now_ms, &changes);
        answer
    }

    /// UNREGISTER_CLIENT 35.
    pub(super) fn unregister(&mut self, now_ms: u64, conn: ConnKey, request: &Frame) -> Answer {
        let (answer, changes) = self.clients.unregister(conn, request);
        self.notify(now_ms, &changes);
        answer
    }

    /// The connection is gone.
    pub(super) fn forget_client(&mut self, now_ms: u64, conn: ConnKey) {
        let changes = self.clients.forget(conn);
        self.notify(now_ms, &changes);
    }

    fn notify(&mut self, now_ms: u64, changes: &Changes) {
        for (group, members) in changes {
            for conn in members {
                let fields = [("consumerGroup", group.as_str())];
                self.transport.ask_one_way(now_ms, *conn, NOTIFY_CONSUMER_IDS_CHANGED, &fields, Vec::new());
            }
        }
    }
}
