//! The start of an attempt: which queue of which broker, or what is lacking.

use super::producers::{Context, ProducerPurpose, ProducerTimer, Producers, Purposes};
use super::send::{Asked, SendKey, Stage};
use crate::cluster::{BrokerKey, TopicKey};
use crate::ground::Instant;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::BrokerName;
use crate::interface::{Action, MessageQueue, SendErrorKind, SendMode, Target};
use crate::message::queue_index_by_hash;
use crate::net::{LinkKey, Net};
use alloc::collections::VecDeque;

/// Where an attempt goes.
struct Choice {
    broker: BrokerKey,
    name: BrokerName,
    endpoint: Endpoint,
    link: LinkKey,
    queue_id: i32,
}

/// Why an attempt cannot start.
enum NoChoice {
    /// The topic has no route yet.
    Route,
    /// The queue that was wanted is not there just now.
    Queue,
    /// The send can never go there.
    Never(SendErrorKind),
}

impl Producers {
    /// Starts an attempt, or waits for what it lacks.
    pub(super) fn try_send<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(send) = self.sends.get(key) else {
            return;
        };
        if send.deadline <= cx.now.mono {
            return self.out_of_time(cx, key);
        }
        if self.looks_twice {
            return self.try_send_elsewhere(cx, key);
        }
        match self.choose(cx, key) {
            Ok(choice) => self.ask(cx, key, choice),
            Err(lack) => self.wait_for(cx, key, lack),
        }
    }

    fn wait_for<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, lack: NoChoice) {
        match lack {
            NoChoice::Route => self.wait_for_route(cx, key),
            NoChoice::Queue => {
                if let Some(send) = self.sends.get(key) {
                    cx.cluster.refresh(cx.now.mono, send.topic, cx.net);
                }
                self.pause(cx, key);
            }
            NoChoice::Never(kind) => self.fail(cx, key, kind),
        }
    }

    // As for `ask`.
    #[inline(always)]
    fn choose<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) -> Result<Choice, NoChoice> {
        let send = self.sends.get_mut(key).ok_or(NoChoice::Route)?;
        let topic = cx.cluster.topic(send.topic).ok_or(NoChoice::Route)?;
        let publish = topic.publish.as_ref().ok_or(NoChoice::Route)?;
        if let Target::ShardingKey(text) = &send.target {
            let place = queue_index_by_hash(text, publish.total());
            let (broker, queue_id) = publish.at(place).ok_or(NoChoice::Route)?;
            let name = cx.cluster.brokers().get(broker).ok_or(NoChoice::Route)?.name.clone();
            // Chosen once: an attempt that follows must not change the order within a queue.
            send.target =
                Target::Queue(MessageQueue { topic: topic.name.clone(), broker_name: name, queue_id });
        }
        let (broker, queue_id) = match &send.target {
            Target::Queue(queue) => {
                let broker = cx.cluster.brokers().find(&queue.broker_name);
                match broker.filter(|broker| publish.has(*broker, queue.queue_id)) {
                    Some(broker) => (broker, queue.queue_id),
                    None if !send.attempts.is_empty() => return Err(NoChoice::Queue),
                    None if topic.fetched_at.is_some_and(|at| at >= send.started) => {
                        return Err(NoChoice::Never(SendErrorKind::UnknownQueue(queue.clone())));
                    }
                    None => return Err(NoChoice::Queue),
                }
            }
            _ => {
                let (topic, avoid, answered) = (send.topic, send.avoid, send.mode != SendMode::OneWay);
                cx.cluster.next_queue(cx.now.mono, topic, avoid, answered, cx.net).ok_or(NoChoice::Route)?
            }
        };
        let found = cx.cluster.brokers().get(broker).ok_or(NoChoice::Queue)?;
        let (endpoint, link) = found.master.clone().ok_or(NoChoice::Queue)?;
        Ok(Choice { broker, name: found.name.clone(), endpoint, link, queue_id })
    }

    /// As [`try_send`](Self::try_send), when there are VIP channels, or somebody who may forbid an attempt.
    #[cold]
    #[inline(never)]
    fn try_send_elsewhere<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        match self.choose(cx, key) {
            Ok(mut choice) => {
                // Messages that go to a queue of their own stay on one connection: on two they could overtake each other.
                let any = self.sends.get(key).is_some_and(|send| matches!(send.target, Target::Any));
                let broker = cx.cluster.brokers().get(choice.broker).filter(|_| any);
                let vip = broker.and_then(|broker| broker.vip.clone());
                let vip = vip.filter(|(_, vip)| vip_is_ready(cx.now.mono, *vip, cx.net, cx.actions));
                if let Some((endpoint, link)) = vip {
                    (choice.endpoint, choice.link) = (endpoint, link);
                }
                match self.forbidden_by(key, &choice.name, &choice.endpoint, choice.queue_id) {
                    Some(kind) => self.fail(cx, key, kind),
                    None => self.ask(cx, key, choice),
                }
            }
            Err(lack) => self.wait_for(cx, key, lack),
        }
    }

    // Inlined: there is a second caller that nobody is in a hurry for.
    #[inline(always)]
    fn ask<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey, choice: Choice) {
        let least = (Instant::ZERO + self.timing.attempt_time_min).as_micros();
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let now = cx.now.mono;
        let left = send.deadline.as_micros().saturating_sub(now.as_micros());
        // Each attempt that may follow gets its share, so that one silent broker does not use up everything.
        let attempts = u64::from(send.retries.saturating_sub(send.counted)) + 1;
        let share = (left / attempts).max(least.min(left));
        let until = Instant::from_micros(now.as_micros().saturating_add(share));
        let purpose = ProducerPurpose::Send(key).into();
        let request = cx.net.ask(choice.link, until, purpose, send.mode == SendMode::OneWay, false);
        // Those of the inner producer are no user's.
        cx.counters.attempts += u64::from(!send.is_inner());
        send.stage = Stage::Asked(Asked {
            request,
            broker: choice.broker,
            broker_name: choice.name,
            endpoint: choice.endpoint,
            queue_id: choice.queue_id,
            at: now,
        });
    }

    fn wait_for_route<P: Purposes>(&mut self, cx: &mut Context<'_, P>, key: SendKey) {
        let Some(send) = self.sends.get_mut(key) else {
            return;
        };
        let topic_key = send.topic;
        send.stage =
            Stage::NeedsRoute { timer: self.timers.set(send.deadline, ProducerTimer::Deadline(key)) };
        let line = self.routeless.entry(topic_key).or_default();
        line.push_back(key);
        let Some(topic) = cx.cluster.topic_mut(topic_key) else {
            return;
        };
        topic.waiting += 1;
        let live = topic.waiting;
        let searching = topic.query.is_some() || topic.soon.is_some();
        if line.len() > live * 2 + 64 {
            let sends = &self.sends;
            line.retain(|key| {
                matches!(sends.get(*key).map(|send| &send.stage), Some(Stage::NeedsRoute { .. }))
            });
        }
        if !searching {
            cx.cluster.look_up(cx.now.mono, topic_key, cx.net);
        }
    }

    /// There is a route: everybody who waited for it looks again.
    pub(super) fn route_found<P: Purposes>(&mut self, cx: &mut Context<'_, P>, topic: TopicKey) {
        for key in self.routeless.remove(&topic).unwrap_or_default() {
            if self.leave_stage(cx, key) {
                self.try_send(cx, key);
            }
        }
    }

    /// No search would find a route.
    pub(super) fn route_hopeless<P: Purposes>(&mut self, cx: &mut Context<'_, P>, topic: TopicKey) {
        let error = cx.cluster.topic(topic).and_then(|topic| topic.error.clone());
        for key in self.routeless.remove(&topic).unwrap_or_default() {
            let kind = error.clone().map_or(SendErrorKind::Timeout, SendErrorKind::NoRoute);
            self.fail(cx, key, kind);
        }
    }
}

/// Whether a send may take a VIP channel; if there is none it is opened, for the next one.
fn vip_is_ready<P: Copy>(
    now: Instant,
    vip: LinkKey,
    net: &mut Net<P>,
    actions: &mut VecDeque<Action>,
) -> bool {
    net.close_if_stale(now, vip, actions);
    let is_ready = net.is_ready(now, vip);
    if !is_ready {
        net.open(now, vip, actions);
    }
    is_ready
}
