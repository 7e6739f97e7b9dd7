//! Hooks of sends: each message is shown before it is taken on and when it has its verdict, each attempt before it is made.
//! All of it is out of the way of a client that has none.

use super::producers::{Context, Producers, Purposes, table_key};
use super::send::{SendKey, SendState, verdict};
use crate::ground::endpoint::Endpoint;
use crate::ground::names::BrokerName;
use crate::interface::{
    Action, Answer, CheckForbidden, CommandId, HookError, InterceptedMessage, PlannedAttempt, ProducerId,
    Refusal, Send, SendEnd, SendError, SendErrorKind, SendInterceptor, SendMode, SendVerdict,
};
use crate::message::Message;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The hooks of all sends of a client.
pub(super) struct SendHooks {
    interceptors: Vec<Interceptor>,
    forbidden: Vec<Arc<dyn CheckForbidden>>,
    /// How many interceptors have let the message through that is just being taken on.
    let_through: usize,
}

struct Interceptor {
    hook: Arc<dyn SendInterceptor>,
    most_growth: usize,
}

impl core::fmt::Debug for SendHooks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let interceptors = self.interceptors.iter().map(|one| one.hook.name());
        f.debug_list().entries(interceptors.chain(self.forbidden.iter().map(|hook| hook.name()))).finish()
    }
}

impl Producers {
    /// Takes on the hooks of the client.
    pub(crate) fn set_hooks(
        &mut self,
        interceptors: Vec<Arc<dyn SendInterceptor>>,
        forbidden: Vec<Arc<dyn CheckForbidden>>,
    ) {
        if interceptors.is_empty() && forbidden.is_empty() {
            return;
        }
        let asked = |hook: Arc<dyn SendInterceptor>| Interceptor { most_growth: hook.most_growth(), hook };
        let interceptors: Vec<Interceptor> = interceptors.into_iter().map(asked).collect();
        self.growth = interceptors.iter().fold(0, |sum, one| sum.saturating_add(one.most_growth));
        self.looks_twice |= !forbidden.is_empty();
        self.hooks = Some(Box::new(SendHooks { interceptors, forbidden, let_through: 0 }));
    }

    /// What a message may weigh once all interceptors have seen it: so much room is reserved for it. Never more than there
    /// ever is for one that fits as it is.
    pub(super) fn grown(&self, weight: usize) -> usize {
        weight.saturating_add(self.growth).min(self.room.largest().max(weight))
    }

    /// True when messages or attempts are shown to anybody.
    #[inline]
    pub(crate) fn has_hooks(&self) -> bool {
        self.hooks.is_some()
    }

    /// Shows a message to the interceptors. False when one of them has refused it: its caller is answered then.
    #[cold]
    #[inline(never)]
    pub(crate) fn intercept<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        id: CommandId,
        send: &mut Send,
    ) -> bool {
        let Some(error) = self.refusal_of(send) else {
            return true;
        };
        if let Some(grant) = send.reservation.and_then(|room| self.use_grant(cx, room, send.producer)) {
            self.room.give_back(grant.place, grant.weight);
            self.grant_waiting(cx);
        }
        cx.counters.not_stored += 1;
        let (topic, message) = (send.message.topic().clone(), Some(send.message.clone()));
        let error =
            SendError::before_any_attempt(SendErrorKind::Intercepted(Box::new(error)), topic, message);
        cx.answer(id, verdict(send.mode, Err(error)));
        self.not_taken_on(cx, send.producer, send.mode);
        false
    }

    fn refusal_of(&mut self, send: &mut Send) -> Option<HookError> {
        let hooks = self.hooks.as_mut()?;
        hooks.let_through = 0;
        // Without a producer there is nobody to show it for; it is refused.
        let group = &self.table.get(table_key(send.producer))?.config.group;
        for one in &hooks.interceptors {
            let before = send.message.weight();
            let mut message = InterceptedMessage { message: &mut send.message, group, mode: send.mode };
            let answer =
                one.hook.before_send(&mut message).and_then(|()| one.check_growth(&send.message, before));
            if let Err(refusal) = answer {
                return Some(HookError::new(one.hook.name(), &refusal));
            }
            hooks.let_through += 1;
        }
        None
    }

    /// A message was not taken on, which is the last action: those who had let it through learn of it.
    #[cold]
    #[inline(never)]
    pub(super) fn not_taken_on<P>(&mut self, cx: &Context<'_, P>, producer: ProducerId, mode: SendMode) {
        let Some(hooks) = &mut self.hooks else {
            return;
        };
        let count = core::mem::take(&mut hooks.let_through);
        if let (Some(producer), Some(verdict @ SendVerdict::Failed(error))) =
            (self.table.get(table_key(producer)), last_verdict(cx))
        {
            let group = &producer.config.group;
            hooks.tell(count, &SendEnd { group, topic: error.topic(), unique_key: None, mode, verdict });
        }
    }

    /// A send has its verdict, which is the last action.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_end<P>(&self, cx: &Context<'_, P>, key: SendKey) {
        if let (Some(hooks), Some(send), Some(verdict)) = (&self.hooks, self.sends.get(key), last_verdict(cx))
            && let Some(producer) = self.get(send.producer)
        {
            let group = &producer.config.group;
            let (topic, unique_key) = (send.message.topic(), Some(send.unique_key));
            let end = SendEnd { group, topic, unique_key, mode: send.mode, verdict };
            hooks.tell(hooks.interceptors.len(), &end);
        }
    }

    /// Asks whether an attempt may be made; if not, why its send ends.
    pub(super) fn forbidden_by(
        &self,
        key: SendKey,
        broker: &BrokerName,
        endpoint: &Endpoint,
        queue_id: i32,
    ) -> Option<SendErrorKind> {
        let (hooks, send) = (self.hooks.as_ref()?, self.sends.get(key)?);
        let attempt = PlannedAttempt {
            group: &self.get(send.producer)?.config.group,
            message: &send.message,
            mode: send.mode,
            broker,
            endpoint,
            queue_id,
            earlier: earlier(send),
        };
        hooks.forbidden.iter().find_map(|hook| {
            let refusal = hook.check(&attempt).err()?;
            Some(SendErrorKind::Forbidden {
                broker: broker.clone(),
                queue_id,
                hook: Box::new(HookError::new(hook.name(), &refusal)),
            })
        })
    }
}

impl Interceptor {
    fn check_growth(&self, message: &Message, before: usize) -> Result<(), Refusal> {
        let grown = message.weight().saturating_sub(before);
        if grown > self.most_growth {
            let most = self.most_growth;
            return Err(Refusal::new(format!(
                "it made the message {grown} bytes heavier, {most} are announced"
            )));
        }
        Ok(())
    }
}

impl SendHooks {
    fn tell(&self, count: usize, end: &SendEnd<'_>) {
        for one in self.interceptors.iter().take(count) {
            one.hook.after_send(end);
        }
    }
}

/// The verdict that was given last.
fn last_verdict<'a, P>(cx: &'a Context<'_, P>) -> Option<SendVerdict<'a>> {
    match cx.actions.back()? {
        Action::Answer { answer: Answer::Sent(Ok(receipt)), .. } => Some(SendVerdict::Stored(receipt)),
        Action::Answer { answer: Answer::HandedOver(Ok(())), .. } => Some(SendVerdict::HandedOver),
        Action::Answer { answer: Answer::Sent(Err(error)) | Answer::HandedOver(Err(error)), .. } => {
            Some(SendVerdict::Failed(error))
        }
        _ => None,
    }
}

fn earlier(send: &SendState) -> u32 {
    u32::try_from(send.attempts.len()).unwrap_or(u32::MAX).saturating_add(send.attempts_left_out)
}
