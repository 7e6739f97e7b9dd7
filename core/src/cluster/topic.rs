//! What is known of one topic.

use super::publish::PublishInfo;
use crate::body::TopicRouteData;
use crate::ground::names::TopicName;
use crate::ground::{Instant, Key, TimerKey};
use crate::interface::NoRoute;
use crate::net::RequestKey;

pub(crate) type TopicKey = Key<Topic>;

/// One topic: its route, and how far the search for it is.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: TopicName,
    /// Whose route is borrowed while the topic does not exist.
    pub(crate) default_topic: TopicName,
    /// Queues per broker of a borrowed route.
    pub(crate) default_queues: u32,
    pub(crate) route: Option<TopicRouteData>,
    /// True while the route is the default topic's.
    pub(crate) provisional: bool,
    /// The queues of the route, or why there is none that can be written.
    pub(crate) publish: Option<PublishInfo>,
    pub(crate) error: Option<NoRoute>,
    /// Round-robin place among the queues.
    pub(crate) place: usize,
    /// The query under way.
    pub(crate) query: Option<RequestKey>,
    /// The query that is planned before the next round.
    pub(crate) soon: Option<TimerKey<super::ClusterTimer>>,
    /// When the last answer that settled anything came.
    pub(crate) fetched_at: Option<Instant>,
    pub(crate) last_used: Instant,
    /// Sends and callers of this topic; it is not forgotten while there are any.
    pub(crate) users: usize,
    /// Producers that named it when they were opened.
    pub(crate) declared: usize,
    /// Sends that wait for the route.
    pub(crate) waiting: usize,
    /// Answers in a row that brought no usable route.
    pub(crate) failures: u32,
    /// Searches in a row that no name server answered.
    pub(crate) unanswered: u32,
    /// Name servers that failed in this search.
    pub(crate) tried: usize,
}

impl Topic {
    pub(crate) fn new(
        name: TopicName,
        default_topic: TopicName,
        default_queues: u32,
        place: usize,
        now: Instant,
    ) -> Self {
        Self {
            name,
            default_topic,
            default_queues,
            route: None,
            provisional: false,
            publish: None,
            error: None,
            place,
            query: None,
            soon: None,
            fetched_at: None,
            last_used: now,
            users: 0,
            declared: 0,
            waiting: 0,
            failures: 0,
            unanswered: 0,
            tried: 0,
        }
    }

    /// Whether somebody needs its route now: a send that waits, or a producer that has named it and has none yet.
    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting > 0 || (self.declared > 0 && self.route.is_none())
    }
}
