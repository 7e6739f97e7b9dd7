//! From a route to the message queues that can be written, and the choice among them.

use super::brokers::BrokerKey;
use crate::body::TopicRouteData;
use crate::ground::names::TopicName;
use crate::interface::NoRoute;
use alloc::string::String;
use alloc::vec::Vec;

/// Permission bit: messages may be written.
const PERM_WRITE: i32 = 2;

/// The writable queues of one broker, numbered from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BrokerQueues {
    pub(crate) broker: BrokerKey,
    pub(crate) count: usize,
    /// Place of the first of them among all queues of the topic.
    first: usize,
}

/// The writable queues of a topic, in Java's order: by broker name, then by number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PublishInfo {
    groups: Vec<BrokerQueues>,
    total: usize,
}

impl PublishInfo {
    /// Queues in the order of `brokers`.
    pub(crate) fn new(brokers: impl IntoIterator<Item = (BrokerKey, usize)>) -> Self {
        let mut info = Self::default();
        for (broker, count) in brokers {
            info.groups.push(BrokerQueues { broker, count, first: info.total });
            info.total = info.total.saturating_add(count);
        }
        info
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// The queue at a place among all of them.
    pub(crate) fn at(&self, place: usize) -> Option<(BrokerKey, i32)> {
        let group = self.groups.get(self.group_of(place)?)?;
        Some((group.broker, i32::try_from(place.checked_sub(group.first)?).ok()?))
    }

    /// True when the broker has a writable queue of that number.
    pub(crate) fn has(&self, broker: BrokerKey, queue_id: i32) -> bool {
        let Ok(queue) = usize::try_from(queue_id) else {
            return false;
        };
        self.groups.iter().any(|group| group.broker == broker && queue < group.count)
    }

    /// The brokers that have queues.
    pub(crate) fn brokers(&self) -> impl Iterator<Item = BrokerKey> + '_ {
        self.groups.iter().map(|group| group.broker)
    }

    fn group_of(&self, place: usize) -> Option<usize> {
        if place >= self.total {
            return None;
        }
        self.groups.partition_point(|group| group.first <= place).checked_sub(1)
    }

    /// The next queue after `place`, round robin. Prefers brokers that are `usable` and not `avoid`, those that
    /// have `stalled` last; then usable ones, then others than `avoid`, then any. `place` moves behind the
    /// choice. A broker that is passed over costs one step, however many queues it has.
    pub(crate) fn next(
        &self,
        place: &mut usize,
        avoid: Option<BrokerKey>,
        usable: impl Fn(BrokerKey) -> bool,
        stalled: impl Fn(BrokerKey) -> bool,
    ) -> Option<(BrokerKey, i32)> {
        let start = self.start(*place)?;
        let best = |broker| Some(broker) != avoid && usable(broker) && !stalled(broker);
        // Nearly always the queue whose turn it is will do.
        let found = self.first_of_rank(start, best).or_else(|| {
            let others: [&dyn Fn(BrokerKey) -> bool; 4] = [
                &|broker| Some(broker) != avoid && usable(broker),
                &usable,
                &|broker| Some(broker) != avoid,
                &|_| true,
            ];
            others.into_iter().find_map(|rank| self.first_of_rank(start, rank))
        })?;
        self.take(place, found)
    }

    /// As [`next`](Self::next), with ranks of the caller's, the best one first.
    pub(crate) fn next_of_ranks(
        &self,
        place: &mut usize,
        ranks: &[&dyn Fn(BrokerKey) -> bool],
    ) -> Option<(BrokerKey, i32)> {
        let start = self.start(*place)?;
        let found = ranks.iter().find_map(|rank| self.first_of_rank(start, rank))?;
        self.take(place, found)
    }

    /// The place to begin at; none without a queue. The topic may have had more queues.
    #[inline(always)]
    fn start(&self, place: usize) -> Option<usize> {
        match place {
            _ if self.total == 0 => None,
            place if place < self.total => Some(place),
            place => Some(place % self.total),
        }
    }

    #[inline(always)]
    fn take(&self, place: &mut usize, found: usize) -> Option<(BrokerKey, i32)> {
        *place = if found + 1 < self.total { found + 1 } else { 0 };
        self.at(found)
    }

    /// The first queue from `start` on, round robin, of a broker of that rank.
    fn first_of_rank(&self, start: usize, rank: impl Fn(BrokerKey) -> bool) -> Option<usize> {
        let mut at = start;
        for _ in 0..=self.groups.len() {
            let index = self.group_of(at)?;
            let group = self.groups.get(index)?;
            if rank(group.broker) {
                return Some(at);
            }
            at = self.groups.get(index + 1).map_or(0, |next| next.first);
        }
        None
    }
}

/// Which brokers of a route have how many writable queues, by name; or why there is none.
pub(crate) fn writable_queues(
    topic: &TopicName,
    route: &TopicRouteData,
    has_master: impl Fn(&str) -> bool,
) -> Result<Vec<(String, usize)>, NoRoute> {
    if let Some(conf) = route.order_topic_conf.as_deref().filter(|conf| !conf.is_empty()) {
        let listed = order_topic_queues(conf);
        if listed.is_empty() {
            return Err(NoRoute::NoWritableQueue(topic.clone()));
        }
        let kept: Vec<_> = listed.into_iter().filter(|(broker, _)| has_master(broker)).collect();
        return if kept.is_empty() { Err(NoRoute::NoMaster(topic.clone())) } else { Ok(kept) };
    }
    if route.static_topic {
        return Err(NoRoute::StaticTopic(topic.clone()));
    }
    let mut writable: Vec<(String, usize)> = route
        .queue_datas
        .iter()
        .filter(|data| data.perm & PERM_WRITE != 0)
        .filter_map(|data| {
            let count = usize::try_from(data.write_queue_nums).ok().filter(|count| *count > 0)?;
            Some((data.broker_name.clone(), count))
        })
        .collect();
    if writable.is_empty() {
        return Err(NoRoute::NoWritableQueue(topic.clone()));
    }
    writable.sort();
    // A name that is listed twice would make its queues count twice.
    writable.dedup_by(|later, earlier| later.0 == earlier.0);
    writable.retain(|(broker, _)| has_master(broker));
    if writable.is_empty() { Err(NoRoute::NoMaster(topic.clone())) } else { Ok(writable) }
}

/// `brokerA:4;brokerB:2`; parts that cannot be read are left out.
fn order_topic_queues(conf: &str) -> Vec<(String, usize)> {
    conf.split(';')
        .filter_map(|part| {
            let (broker, count) = part.rsplit_once(':')?;
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            Some((String::from(broker), count))
        })
        .collect()
}

/// All queues that a route lists, written ones and those of an order configuration.
pub(super) fn written_queues(route: &TopicRouteData) -> usize {
    let conf = route.order_topic_conf.as_deref().unwrap_or_default();
    let listed = conf.split(';').filter_map(|part| part.rsplit_once(':')?.1.trim().parse::<usize>().ok());
    let written = route.queue_datas.iter().map(|data| usize::try_from(data.write_queue_nums).unwrap_or(0));
    listed.chain(written).fold(0_usize, usize::saturating_add)
}
