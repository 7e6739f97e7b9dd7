//! Hooks of clients in a world: what they see must fit together, and fit what callers learn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rocketmq_core::client::{Client, ClientConfig};
use rocketmq_core::ground::Now;
use rocketmq_core::interface::{
    Hooks, InterceptedMessage, OutgoingRequest, Refusal, RequestView, RpcHook, RpcOutcome, SendEnd,
    SendInterceptor, SendVerdict,
};
use rocketmq_core::producer::{SendError, SendReceipt};

use super::{Invariant, Mutant, Verdict, World};

/// Request code of a send.
const SEND_MESSAGE_V2: i32 = 310;
/// The field that hooks add, and its value.
const ADDED: (&str, &str) = ("worldHook", "a \"quoted\" value");

/// What the hooks of a world's clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookRules {
    /// They add a field to each request.
    pub adds: bool,
    /// They refuse some sends and some of their requests.
    pub refuses: bool,
}

/// What the hooks of one client have seen. Each client has its own; one that is given the same inputs once more has another.
#[derive(Debug)]
pub(super) struct HookBook {
    rules: HookRules,
    /// A mutant: some ends are not told.
    loses_ends: bool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Requests that were let through and have not ended: address, number, whether one-way, and code.
    under_way: BTreeMap<(String, i32, bool, i32), usize>,
    /// Messages that were let through and have no verdict, by key.
    shown: BTreeMap<String, usize>,
    /// Verdicts that were told, and not yet seen by their callers.
    told: BTreeMap<String, usize>,
    ends: u64,
    fault: Option<String>,
}

impl HookBook {
    pub(super) fn new(rules: HookRules, loses_ends: bool) -> Arc<Self> {
        Arc::new(Self { rules, loses_ends, seen: Mutex::default() })
    }

    pub(super) fn hooks(self: &Arc<Self>) -> Hooks {
        Hooks { rpc: vec![self.clone()], interceptors: vec![self.clone()], forbidden: Vec::new() }
    }

    fn see<R>(&self, look: impl FnOnce(&mut Seen) -> R) -> R {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a mutant keeps this end to itself.
    fn loses(&self, seen: &mut Seen) -> bool {
        seen.ends += 1;
        self.loses_ends && seen.ends.is_multiple_of(7)
    }
}

impl RpcHook for HookBook {
    fn name(&self) -> &str {
        "world-rpc"
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        if self.rules.refuses && request.code().0 == SEND_MESSAGE_V2 && request.opaque() & 63 == 5 {
            return Err(Refusal::new("not this number"));
        }
        if self.rules.adds {
            request.add_field(ADDED.0, ADDED.1)?;
        }
        let key = (request.endpoint().to_string(), request.opaque(), request.is_one_way(), request.code().0);
        self.see(|seen| *seen.under_way.entry(key).or_default() += 1);
        Ok(())
    }

    fn after_response(&self, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        let key = (request.endpoint.to_string(), request.opaque, request.one_way, request.code.0);
        let was_written = !matches!(outcome, RpcOutcome::Failed { written: false, .. });
        let has_field = request.fields().get(ADDED.0).as_deref() == Some(ADDED.1);
        self.see(|seen| {
            if self.loses(seen) {
                return;
            }
            if self.rules.adds && was_written && !has_field {
                seen.fault = Some(format!("{key:?} ended without the field that was added"));
            }
            if !take(&mut seen.under_way, &key) {
                seen.fault = Some(format!("{key:?} ended again, or was never let through: {outcome:?}"));
            }
        });
    }
}

impl SendInterceptor for HookBook {
    fn name(&self) -> &str {
        "world-send"
    }

    fn most_growth(&self) -> usize {
        0
    }

    fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
        if self.rules.refuses && message.body().len() % 16 == 3 {
            return Err(Refusal::new("not this length"));
        }
        let key = message.message().keys().next().unwrap_or_default().to_owned();
        self.see(|seen| *seen.shown.entry(key).or_default() += 1);
        Ok(())
    }

    fn after_send(&self, send: &SendEnd<'_>) {
        let text = match send.verdict {
            SendVerdict::Stored(receipt) => of_receipt(receipt),
            SendVerdict::HandedOver => HANDED_OVER.to_owned(),
            SendVerdict::Failed(error) => of_error(error),
        };
        self.see(|seen| {
            if !self.loses(seen) {
                *seen.told.entry(text).or_default() += 1;
            }
        });
    }
}

const HANDED_OVER: &str = "handed over";

fn of_receipt(receipt: &SendReceipt) -> String {
    format!("{receipt:?}")
}

fn of_error(error: &SendError) -> String {
    format!("{error} {:?}", error.message().map(|message| message.properties()))
}

fn take<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) -> bool {
    let Some(count) = counts.get_mut(key) else {
        return false;
    };
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
    }
    true
}

/// A client with such hooks, if there are any.
pub(super) fn client(config: ClientConfig, book: Option<&Arc<HookBook>>, now: Now) -> Client {
    let hooks = book.map(HookBook::hooks).unwrap_or_default();
    Client::with_hooks(config, hooks, now).expect("a configuration that can work")
}

impl World {
    /// All clients have hooks from now on. To be called before anything happens.
    pub fn with_hooks(&mut self, rules: HookRules) {
        self.hook_rules = Some(rules);
        self.make_cores_again();
    }

    /// The book of a new client.
    pub(super) fn hook_book(&self) -> Option<Arc<HookBook>> {
        let loses_ends = self.is_mutant(Mutant::LosesHookCalls);
        self.hook_rules.map(|rules| HookBook::new(rules, loses_ends))
    }

    /// I24, after every input: whatever has ended was let through before. When all is over, nothing is left.
    pub(super) fn check_hooks(&mut self, number: usize) {
        let it = &self.clients[number];
        let Some(book) = &it.hooks else { return };
        let is_over = it.over;
        let fault = book.see(|seen| {
            let nothing = seen.under_way.is_empty() && seen.shown.is_empty() && seen.told.is_empty();
            let left = (is_over && !nothing).then(|| format!("is shut down, and this is left: {seen:?}"));
            seen.fault.take().or(left)
        });
        self.checked(Invariant::HookCalls);
        if let Some(text) = fault {
            self.fail(Invariant::HookCalls, format!("client {number}: {text}"));
        }
    }

    /// I24: a message that was shown is told of once, with what its caller learns.
    pub(super) fn check_hook_told(&mut self, client: usize, key: &str, verdict: &Verdict) {
        let Some(book) = &self.clients[client].hooks else { return };
        let text = match verdict {
            Verdict::Stored(receipt) => of_receipt(receipt),
            Verdict::HandedOver => HANDED_OVER.to_owned(),
            Verdict::Failed(error) => of_error(error),
        };
        let is_right =
            book.see(|seen| !take(&mut seen.shown, &key.to_owned()) || take(&mut seen.told, &text));
        self.checked(Invariant::HookCalls);
        if !is_right {
            self.fail(Invariant::HookCalls, format!("client {client}: nobody was told of {key}: {text}"));
        }
    }
}
