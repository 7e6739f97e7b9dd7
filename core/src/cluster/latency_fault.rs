//! The latency-fault strategy: which brokers are avoided because of what became of attempts there.
//!
//! Only outcomes are noted: that a message was handed to a socket says nothing about its broker. A broker whose time of
//! avoidance is over is tried with one message; the others follow when that one was answered in time. So a broker that
//! stays slow gets one message per time of avoidance, not all those that are sent until the first of them is late.

use super::brokers::BrokerKey;
use super::{Cluster, ClusterTimer, TopicKey, has_stalled, is_usable};
use crate::ground::Instant;
use crate::interface::{Action, FAILED_COUNTS_AS, FaultDetector, LatencyFault, Notice};
use crate::net::Net;
use alloc::collections::{BTreeMap, VecDeque};
use core::time::Duration;

/// What is known of the brokers that were late or failed. Others have no entry.
#[derive(Debug)]
pub(super) struct LatencyFaults {
    settings: LatencyFault,
    brokers: BTreeMap<BrokerKey, Fault>,
}

#[derive(Debug)]
struct Fault {
    /// Avoided before.
    until: Instant,
    /// It has to be tried before it gets messages as others do.
    doubtful: bool,
    /// A message is under way that tries whether the broker is well again.
    on_trial: bool,
    /// False from a failure until a sign of life; with a detector only.
    reachable: bool,
    /// The detector has a timer or a question for it.
    watched: bool,
}

/// What follows from an outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Noted {
    /// The broker is avoided from now on, for this long.
    pub(super) avoided_for: Option<Duration>,
    /// The detector looks at it then.
    pub(super) watch_at: Option<Instant>,
}

/// A sign of life that the detector wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) broker: BrokerKey,
    /// How long the answer may take.
    pub(crate) timeout: Duration,
}

/// What the detector does about a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Watch {
    /// Looks again then.
    At(Instant),
    /// Asks for a sign of life, which may take so long.
    Ask(Duration),
    /// Nothing more.
    Over,
}

impl LatencyFaults {
    pub(super) fn new(settings: LatencyFault) -> Self {
        Self { settings, brokers: BTreeMap::new() }
    }

    /// Notes what became of an attempt.
    pub(super) fn note(&mut self, now: Instant, broker: BrokerKey, latency: Duration, failed: bool) -> Noted {
        let back_off = self.settings.back_off(if failed { FAILED_COUNTS_AS } else { latency });
        let detects = self.settings.detector.is_some();
        if back_off.is_zero() {
            self.note_good(broker);
            return Noted::default();
        }
        let fault = self.brokers.entry(broker).or_insert(Fault {
            until: Instant::ZERO,
            doubtful: true,
            on_trial: false,
            reachable: true,
            watched: false,
        });
        let was_available = fault.is_available(now);
        // What a trial had claimed gives way to what it found; else the longer time holds.
        let least = if fault.on_trial { Instant::ZERO } else { fault.until };
        fault.until = least.max(now + back_off);
        (fault.doubtful, fault.on_trial) = (true, false);
        fault.reachable = !(failed && detects);
        let watches = !fault.reachable && !fault.watched;
        fault.watched |= watches;
        Noted { avoided_for: was_available.then_some(back_off), watch_at: watches.then_some(fault.until) }
    }

    /// An attempt was answered in time: that ends a trial. What was earned before is sat out.
    fn note_good(&mut self, broker: BrokerKey) {
        let Some(fault) = self.brokers.get_mut(&broker) else {
            return;
        };
        fault.reachable = true;
        if fault.on_trial {
            (fault.until, fault.doubtful, fault.on_trial) = (Instant::ZERO, false, false);
        }
        if fault.is_over() {
            self.brokers.remove(&broker);
        }
    }

    /// True when nothing is held against the broker, or it is time to try it.
    pub(super) fn is_available(&self, now: Instant, broker: BrokerKey) -> bool {
        self.brokers.get(&broker).is_none_or(|fault| fault.is_available(now))
    }

    /// False when it failed and has not given a sign of life since.
    pub(super) fn is_reachable(&self, broker: BrokerKey) -> bool {
        self.brokers.get(&broker).is_none_or(|fault| fault.reachable)
    }

    /// A message with an answer to come goes to this broker: if it is to be tried, this one does, and no other until its
    /// outcome is known.
    pub(super) fn chosen(&mut self, now: Instant, broker: BrokerKey) {
        let claim = now + self.settings.back_off(FAILED_COUNTS_AS);
        if let Some(fault) = self.brokers.get_mut(&broker)
            && fault.doubtful
            && fault.is_available(now)
        {
            fault.on_trial = true;
            fault.until = claim;
        }
    }

    /// The detector's timer for a broker went off.
    pub(super) fn look(&mut self, now: Instant, broker: BrokerKey) -> Watch {
        let Some(fault) = self.brokers.get_mut(&broker) else {
            return Watch::Over;
        };
        match self.settings.detector {
            Some(FaultDetector { timeout, .. }) if !fault.reachable => {
                if fault.until > now {
                    Watch::At(fault.until)
                } else {
                    Watch::Ask(timeout)
                }
            }
            _ => {
                fault.watched = false;
                if fault.is_over() {
                    self.brokers.remove(&broker);
                }
                Watch::Over
            }
        }
    }

    /// A question of the detector ended. Tells when it looks again.
    pub(super) fn asked(&mut self, now: Instant, broker: BrokerKey, answered: bool) -> Option<Instant> {
        let interval = self.settings.detector?.interval;
        let fault = self.brokers.get_mut(&broker)?;
        fault.reachable |= answered;
        fault.watched = !fault.reachable;
        fault.watched.then_some(now + interval)
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.brokers.len()
    }

    pub(super) fn retain(&mut self, stays: impl Fn(BrokerKey) -> bool) {
        self.brokers.retain(|broker, _| stays(*broker));
    }
}

impl Fault {
    fn is_available(&self, now: Instant) -> bool {
        self.until <= now && self.reachable
    }

    /// Nothing is left to remember.
    fn is_over(&self) -> bool {
        !self.doubtful && !self.watched
    }
}

impl Cluster {
    /// As [`Cluster::next_queue`] with the strategy on: away from brokers that are avoided while there are others, and
    /// from those that cannot be reached while there are better ones. `answered`: the broker will answer, so that this
    /// message can be the one that tries it.
    #[cold]
    #[inline(never)]
    pub(super) fn next_queue_by_latency<P: Copy>(
        &mut self,
        now: Instant,
        key: TopicKey,
        avoid: Option<BrokerKey>,
        answered: bool,
        net: &Net<P>,
    ) -> Option<(BrokerKey, i32)> {
        let faults = self.latency_faults.as_mut()?;
        let topic = self.topics.get_mut(key)?;
        let publish = topic.publish.as_ref()?;
        let brokers = &self.brokers;
        let other = |broker| Some(broker) != avoid;
        let usable = |broker| is_usable(brokers, net, broker);
        let available = |broker| other(broker) && usable(broker) && faults.is_available(now, broker);
        let found = publish.next_of_ranks(
            &mut topic.place,
            &[
                &|broker| available(broker) && !has_stalled(now, brokers, net, broker),
                &available,
                &|broker| other(broker) && usable(broker) && faults.is_reachable(broker),
                &|broker| other(broker) && usable(broker),
                &usable,
                &other,
                &|_| true,
            ],
        )?;
        if answered {
            faults.chosen(now, found.0);
        }
        Some(found)
    }

    /// True unless the strategy avoids the broker just now.
    pub(super) fn is_available(&self, now: Instant, broker: BrokerKey) -> bool {
        self.latency_faults.as_ref().is_none_or(|faults| faults.is_available(now, broker))
    }

    /// True when somebody wants to know what becomes of attempts.
    pub(crate) fn notes_attempts(&self) -> bool {
        self.latency_faults.is_some()
    }

    /// What became of an attempt that began at `since`. `failed`: in a way that speaks against its broker.
    #[inline(always)]
    pub(crate) fn note_attempt(
        &mut self,
        now: Instant,
        broker: BrokerKey,
        since: Instant,
        failed: bool,
        actions: &mut VecDeque<Action>,
    ) {
        if self.notes_attempts() {
            self.note_latency(now, broker, now.since(since), failed, actions);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_latency(
        &mut self,
        now: Instant,
        broker: BrokerKey,
        latency: Duration,
        failed: bool,
        actions: &mut VecDeque<Action>,
    ) {
        let (Some(faults), Some(known)) = (&mut self.latency_faults, self.brokers.get(broker)) else {
            return;
        };
        let noted = faults.note(now, broker, latency, failed);
        if let Some(at) = noted.watch_at {
            self.timers.set(at, ClusterTimer::Watch(broker));
        }
        if let Some(avoided_for) = noted.avoided_for {
            let broker = known.name.clone();
            let notice = Notice::BrokerAvoided { broker, latency, failed, avoided_for };
            actions.push_back(Action::Notice(notice));
        }
    }

    /// The detector looks at a broker.
    pub(super) fn watch(&mut self, now: Instant, broker: BrokerKey) {
        let Some(faults) = &mut self.latency_faults else {
            return;
        };
        match faults.look(now, broker) {
            Watch::At(at) => {
                self.timers.set(at, ClusterTimer::Watch(broker));
            }
            Watch::Ask(timeout) => self.questions.push_back(Question { broker, timeout }),
            Watch::Over => {}
        }
    }

    /// The next broker that the detector wants a sign of life of.
    pub(crate) fn next_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    /// A question of the detector ended.
    pub(crate) fn question_ended(&mut self, now: Instant, broker: BrokerKey, answered: bool) {
        let faults = self.latency_faults.as_mut();
        if let Some(at) = faults.and_then(|faults| faults.asked(now, broker, answered)) {
            self.timers.set(at, ClusterTimer::Watch(broker));
        }
    }
}
