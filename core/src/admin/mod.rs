//! Floor 8: administrative calls. A call asks a name server, or brokers, or first the one and then the others; it ends
//! with one answer, by its deadline. Whatever is asked may be asked again without harm, and is, a few times.
//!
//! Brokers are asked on connections of their own, so that a large answer holds up no send. Such a connection is closed
//! when nobody has used it for a while.

mod answer;
mod ask;
mod call;
mod encode;
mod step;

pub(crate) use call::AdminPurpose;

use crate::body::RouteLimits;
use crate::cluster::Cluster;
use crate::command::LanguageCode;
use crate::ground::{Instant, Now, Rng, Slots, TimerKey, Timers};
use crate::interface::{
    Action, AdminAnswer, AdminError, AdminRequest, Answer, BrokerFailure, CallFailure, ClientConfig,
    CommandId, ConfigError, Timing,
};
use crate::net::{LinkKey, Net};
use crate::request::naming::Naming;
use crate::wire::SerializeType;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::ToString;
use call::{Call, CallKey, Part, PartKey};
use core::time::Duration;

/// How long a connection to a broker is kept for the next call.
const LINGER: Duration = Duration::from_secs(10);

/// What a timer of this floor is for.
#[derive(Clone, Copy, Debug)]
enum AdminTimer {
    /// The call ends.
    Deadline(CallKey),
    /// The question is asked again.
    Again(PartKey),
    /// Nobody has used the connection for a while.
    Linger(LinkKey),
}

/// What this floor needs of the others.
#[derive(Debug)]
pub(crate) struct Context<'a, P> {
    pub(crate) now: Now,
    pub(crate) net: &'a mut Net<P>,
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) actions: &'a mut VecDeque<Action>,
}

/// Who uses a connection to a broker.
#[derive(Debug, Default)]
struct Use {
    questions: usize,
    linger: Option<TimerKey<AdminTimer>>,
}

/// All administrative calls of a client.
#[derive(Debug)]
pub(crate) struct Admin {
    calls: Slots<Call>,
    parts: Slots<Part>,
    links: BTreeMap<LinkKey, Use>,
    timers: Timers<AdminTimer>,
    rng: Rng,
    timing: Timing,
    routes: RouteLimits,
    most_queues: usize,
    most_calls: usize,
    most_topics: usize,
    most_message_bytes: usize,
    serialize: SerializeType,
    language: LanguageCode,
    naming: Naming,
}

impl Admin {
    pub(crate) fn new(config: &ClientConfig, naming: Naming, rng: &Rng) -> Self {
        let limits = &config.limits;
        Self {
            calls: Slots::default(),
            parts: Slots::default(),
            links: BTreeMap::new(),
            timers: Timers::default(),
            rng: rng.fork("admin"),
            timing: config.timing.clone(),
            routes: RouteLimits {
                max_brokers: limits.route_entries,
                // Read and write queues are counted together there.
                max_queues: limits.route_queues.saturating_mul(2),
                ..RouteLimits::default()
            },
            most_queues: limits.route_queues,
            most_calls: limits.admin_calls,
            // A name takes at least three bytes of a frame, so this is no more than a few times the frame.
            most_topics: limits.frame_bytes / 3,
            most_message_bytes: limits.admin_message_bytes,
            serialize: config.serialize_type,
            language: config.language,
            naming,
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.timers.next()
    }

    /// A call begins.
    pub(crate) fn begin<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        id: CommandId,
        request: Box<AdminRequest>,
        deadline: Instant,
    ) {
        let refused = if let Err(error) = request.check().and_then(|()| self.check_names(&request)) {
            Some(AdminError::Invalid(error))
        } else if deadline <= cx.now.mono {
            Some(AdminError::Timeout)
        } else if self.calls.len() >= self.most_calls {
            Some(AdminError::TooMany(self.most_calls))
        } else {
            None
        };
        if let Some(error) = refused {
            return cx.actions.push_back(Action::Answer { id, answer: Answer::Admin(Err(error)) });
        }
        let key = self.calls.insert(Call::new(id, request, deadline));
        let timer = self.timers.set(deadline, AdminTimer::Deadline(key));
        if let Some(call) = self.calls.get_mut(key) {
            call.timer = Some(timer);
        }
        self.first_step(cx, key);
    }

    /// Refuses topics that are too long with their namespace.
    fn check_names(&self, request: &AdminRequest) -> Result<(), ConfigError> {
        let created = match request {
            AdminRequest::CreateTopic { topic, .. } => Some(&topic.topic),
            AdminRequest::ViewMessage { topic, .. } => topic.as_ref(),
            _ => None,
        };
        let topics = [created, answer::topic_of(request)];
        let checked = topics.into_iter().flatten().try_for_each(|topic| self.naming.check_topic(topic));
        checked.map_err(|error| ConfigError { field: "topic", reason: error.to_string() })
    }

    /// Handles every timer of this floor that is due.
    pub(crate) fn tick<P: Copy + From<AdminPurpose>>(&mut self, cx: &mut Context<'_, P>) {
        while let Some(timer) = self.timers.pop_due(cx.now.mono) {
            match timer {
                AdminTimer::Deadline(call) => self.expire(cx, call),
                AdminTimer::Again(part) => self.ask(cx, part),
                AdminTimer::Linger(link) => {
                    self.links.remove(&link);
                    cx.net.let_go(cx.now.mono, link, cx.actions);
                }
            }
        }
    }

    /// The client ends: nobody gets an answer any more.
    pub(crate) fn close<P: Copy + From<AdminPurpose>>(&mut self, cx: &mut Context<'_, P>) {
        for call in self.calls.keys() {
            self.end(cx, call, Err(AdminError::ClientClosed));
        }
    }

    /// The deadline has come: what is still asked has failed.
    fn expire<P: Copy + From<AdminPurpose>>(&mut self, cx: &mut Context<'_, P>, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        call.timer = None;
        for target in core::mem::take(&mut call.targets) {
            call.failed.push(target.failed(CallFailure::Timeout));
        }
        for part in call.parts.clone() {
            let why = self.parts.get(part).and_then(|part| part.last.clone());
            self.give_up(cx, part, why.unwrap_or(CallFailure::Timeout));
        }
        // Without any part left it has ended already.
        self.end(cx, key, Err(AdminError::Timeout));
    }

    /// Ends a call with its one answer. Whatever is still asked for it is withdrawn.
    fn end<P: Copy + From<AdminPurpose>>(
        &mut self,
        cx: &mut Context<'_, P>,
        key: CallKey,
        result: Result<AdminAnswer, AdminError>,
    ) {
        let Some(call) = self.calls.remove(key) else {
            return;
        };
        if let Some(timer) = call.timer {
            self.timers.unset(timer);
        }
        for part in call.parts {
            self.drop_question(cx, part);
            self.parts.remove(part);
        }
        cx.actions.push_back(Action::Answer { id: call.id, answer: Answer::Admin(result) });
    }

    /// A question to a broker failed for good: the call goes on without it.
    fn note_failure(&mut self, call: CallKey, failure: BrokerFailure) {
        if let Some(call) = self.calls.get_mut(call) {
            call.failed.push(failure);
        }
    }

    /// Takes a part out of its call.
    fn remove_part(&mut self, key: PartKey) -> Option<Part> {
        let part = self.parts.remove(key)?;
        if let Some(call) = self.calls.get_mut(part.call) {
            call.parts.retain(|other| *other != key);
        }
        Some(part)
    }
}
