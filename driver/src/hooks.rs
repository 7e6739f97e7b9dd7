//! Hooks of applications, and what keeps their panics where they belong.

use crate::ClientBuilder;
use rocketmq_core::interface::{
    CheckForbidden, InterceptedMessage, OutgoingRequest, PlannedAttempt, Refusal, RequestView, RpcHook,
    RpcOutcome, SendEnd, SendInterceptor,
};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

impl ClientBuilder {
    /// A hook around every request of the client, see [`RpcHook`]. Several are called in the order in which they were given.
    /// A hook that panics refuses, and nothing else is touched, unless panics abort the process.
    ///
    /// Hooks run inside the client, under its lock: one that waits holds up all callers, and one that waits for another
    /// thread which calls the client stands still for ever. One that calls its own client or a producer of it itself is
    /// unwound at that call, as by a panic, and so refuses. Another client may be called, if it is not waited for.
    #[doc(alias = "registerRPCHook")]
    pub fn rpc_hook(mut self, hook: impl RpcHook) -> Self {
        self.hooks.rpc.push(Arc::new(Guarded::new(hook, RpcHook::name)));
        self
    }

    /// Shows every message once before it is sent and once when its verdict is there, see [`SendInterceptor`]. As for
    /// [`rpc_hook`](Self::rpc_hook).
    #[doc(alias = "registerSendMessageHook")]
    pub fn send_interceptor(mut self, hook: impl SendInterceptor) -> Self {
        self.hooks.interceptors.push(Arc::new(Guarded::new(hook, SendInterceptor::name)));
        self
    }

    /// Is asked before each attempt of a send, see [`CheckForbidden`]. As for [`rpc_hook`](Self::rpc_hook).
    #[doc(alias = "registerCheckForbiddenHook")]
    pub fn check_forbidden(mut self, hook: impl CheckForbidden) -> Self {
        self.hooks.forbidden.push(Arc::new(Guarded::new(hook, CheckForbidden::name)));
        self
    }
}

/// A hook whose panics are refusals.
struct Guarded<H> {
    name: String,
    hook: H,
}

impl<H> Guarded<H> {
    /// The name is asked for once.
    fn new(hook: H, name: impl FnOnce(&H) -> &str) -> Self {
        let found = catch_unwind(AssertUnwindSafe(|| name(&hook).to_owned()));
        Self { name: found.unwrap_or_else(|_| "(without a name)".to_owned()), hook }
    }

    fn ask(&self, call: impl FnOnce(&H) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let answer = catch_unwind(AssertUnwindSafe(|| call(&self.hook)));
        answer.unwrap_or_else(|why| Err(Refusal::new(format!("it panicked: {}", text_of(&*why)))))
    }

    fn tell(&self, call: impl FnOnce(&H)) {
        let told = catch_unwind(AssertUnwindSafe(|| call(&self.hook)));
        // What it was told of is over: nobody can be given the error but an observer.
        #[cfg(feature = "tracing")]
        if let Err(why) = &told {
            tracing::error!(hook = %self.name, why = %text_of(&**why), "hook panicked");
        }
        drop(told);
    }
}

/// What a panic says.
pub(crate) fn text_of(why: &(dyn Any + Send)) -> &str {
    let text = why.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

impl<H: RpcHook> RpcHook for Guarded<H> {
    fn name(&self) -> &str {
        &self.name
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        self.ask(|hook| hook.before_request(request))
    }

    fn after_response(&self, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        self.tell(|hook| hook.after_response(request, outcome));
    }
}

impl<H: SendInterceptor> SendInterceptor for Guarded<H> {
    fn name(&self) -> &str {
        &self.name
    }

    fn most_growth(&self) -> usize {
        catch_unwind(AssertUnwindSafe(|| self.hook.most_growth())).unwrap_or_default()
    }

    fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
        self.ask(|hook| hook.before_send(message))
    }

    fn after_send(&self, send: &SendEnd<'_>) {
        self.tell(|hook| hook.after_send(send));
    }
}

impl<H: CheckForbidden> CheckForbidden for Guarded<H> {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, attempt: &PlannedAttempt<'_>) -> Result<(), Refusal> {
        self.ask(|hook| hook.check(attempt))
    }
}
