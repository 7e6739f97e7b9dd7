//! Another list of name servers, while the client runs.

use super::{Cluster, ClusterPurpose, Topic, TopicKey};
use crate::ground::Instant;
use crate::ground::endpoint::NameServers;
use crate::interface::{Action, Notice};
use crate::net::{Net, Role};
use alloc::collections::VecDeque;

impl Cluster {
    /// A list of name servers to use from the next question on. Connections to servers that left finish what is pending
    /// on them. An empty list changes nothing: it would end every send that waits for a route.
    pub(crate) fn set_name_servers<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        list: &NameServers,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        if list.is_empty() {
            return;
        }
        if let Some(left) = self.name_servers.replace(list, &mut self.rng) {
            self.version += 1;
            actions.push_back(Action::Notice(Notice::NameServersChanged { name_servers: list.clone() }));
            for server in &left {
                if let Some(link) = net.find(Role::NameServer, server) {
                    net.let_go(now, link, actions);
                }
            }
        }
        for key in self.topics.keys() {
            if self.topics.get(key).is_some_and(Topic::is_wanted) {
                self.look_up(now, key, net);
            }
        }
    }

    /// The name server that was asked left the list before it helped: another one is asked, and none of the list has
    /// failed.
    pub(super) fn ask_elsewhere<P: Copy + From<ClusterPurpose>>(
        &mut self,
        now: Instant,
        key: TopicKey,
        net: &mut Net<P>,
    ) {
        if let Some(topic) = self.topics.get_mut(key) {
            topic.query = None;
            self.look_up(now, key, net);
        }
    }
}
