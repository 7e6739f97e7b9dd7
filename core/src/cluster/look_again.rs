//! When a route is looked for again, and what is done at once for topics that a producer has named.

use super::publish::PublishInfo;
use super::{Cluster, TopicKey};
use crate::ground::Instant;
use crate::interface::Action;
use crate::net::{Net, pause};
use alloc::collections::VecDeque;
use core::time::Duration;

/// First pause before a search without result is repeated.
const SEARCH_PAUSE: Duration = Duration::from_millis(100);

impl Cluster {
    /// Repeats a search after a pause while somebody waits for it; else the next round does.
    pub(super) fn search_on(&mut self, now: Instant, key: TopicKey) {
        let Some(topic) = self.topics.get(key) else {
            return;
        };
        if topic.waiting > 0 {
            let most = self.timing.route_retry_interval.max(SEARCH_PAUSE);
            let rest = pause(&mut self.rng, topic.failures, SEARCH_PAUSE, most);
            self.plan(key, now + rest);
        } else if topic.provisional || topic.is_wanted() {
            let failures = topic.failures;
            self.look_later(now, key, failures);
        }
    }

    /// Looks for a route again at intervals that grow with the number of times in a row that it was looked for in vain, until
    /// those of the rounds are reached.
    pub(super) fn look_later(&mut self, now: Instant, key: TopicKey, times: u32) {
        let rest = self.timing.route_retry_interval.saturating_mul(1 << times.saturating_sub(1).min(16));
        if rest < self.timing.route_interval {
            self.plan(key, now + rest);
        }
    }

    /// Connects to the brokers of a topic that a producer has named: they are greeted before it sends anything.
    pub(super) fn connect_to<P: Copy>(
        &self,
        now: Instant,
        key: TopicKey,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        let publish = self.topics.get(key).and_then(|topic| topic.publish.as_ref());
        for broker in publish.into_iter().flat_map(PublishInfo::brokers) {
            if let Some((_, link)) = self.brokers.get(broker).and_then(|broker| broker.master.as_ref()) {
                net.connect_if_wanted(now, *link, actions);
            }
        }
    }
}
