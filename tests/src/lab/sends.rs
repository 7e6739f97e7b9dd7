//! What brokers of a lab do wrong with sends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_core::ground::Rng;

use super::state::lock;
use crate::cluster::{SendAttempt, SendDecision, SendPolicy};

/// What goes wrong with a send that is in order, see [`Broker::next_sends`](super::Broker::next_sends).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendFault {
    /// The broker stores the message and dies before it answers. It stays down until it is restarted, and keeps its
    /// store.
    StoreThenCrash,
    /// The broker stores the message, and the connection is reset before the answer leaves.
    StoreThenReset,
    /// The broker stores the message and never answers.
    StoreNoAnswer,
    /// The broker stores the message at once and answers so much later.
    AnswerLate(Duration),
    /// The broker stores the message once and answers twice.
    AnswerTwice,
    /// The request is lost: nothing is stored, and there is no answer.
    Lose,
    /// Nothing is stored; the answer has this code.
    Refuse {
        /// Response code, such as 2 (`SYSTEM_BUSY`) or 14 (`SERVICE_NOT_AVAILABLE`).
        code: i32,
        /// The text of the answer.
        remark: String,
    },
    /// The message is stored; the answer has this code, such as 10 (`FLUSH_DISK_TIMEOUT`) or 1 (`SYSTEM_ERROR`).
    StoreThenAnswer {
        /// Response code.
        code: i32,
        /// The text of the answer.
        remark: String,
    },
}

impl SendFault {
    /// `SYSTEM_BUSY`, as a broker answers whose queue of requests is too long: nothing is stored.
    #[must_use]
    pub fn busy() -> SendFault {
        let remark = "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 205ms, size of queue: 880";
        SendFault::Refuse { code: 2, remark: remark.to_owned() }
    }
}

/// What a send brings upon its broker once the bytes that carried it are processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Crash,
    Reset,
}

/// Decides for one broker.
pub(super) struct SendRules {
    pub(super) now_us: u64,
    pub(super) busy_until_us: u64,
    pub(super) scripted: VecDeque<(u64, SendFault)>,
    pub(super) at_random: Vec<(u32, SendFault)>,
    pub(super) policy: Option<Box<dyn SendPolicy>>,
    dice: Rng,
    effects: Vec<Effect>,
    /// The broker is dead, only the machine has not been told: it does nothing more.
    dying: bool,
}

impl SendRules {
    pub(super) fn new(dice: Rng) -> SendRules {
        SendRules {
            now_us: 0,
            busy_until_us: 0,
            scripted: VecDeque::new(),
            at_random: Vec::new(),
            policy: None,
            dice,
            effects: Vec::new(),
            dying: false,
        }
    }

    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        self.dying = false;
        std::mem::take(&mut self.effects)
    }

    fn decide(&mut self, send: &SendAttempt<'_>) -> SendDecision {
        if self.dying {
            return SendDecision::Lose;
        }
        if self.now_us < self.busy_until_us {
            return self.decision(SendFault::busy());
        }
        if let Some(fault) = self.next_scripted() {
            return self.decision(fault);
        }
        for (per_mille, fault) in &self.at_random {
            if self.dice.below(1_000) < u64::from(*per_mille) {
                let fault = fault.clone();
                return self.decision(fault);
            }
        }
        self.policy.as_mut().map_or(SendDecision::Store, |policy| policy.decide(send))
    }

    fn next_scripted(&mut self) -> Option<SendFault> {
        let (left, fault) = self.scripted.front_mut()?;
        let fault = fault.clone();
        *left -= 1;
        if *left == 0 {
            self.scripted.pop_front();
        }
        Some(fault)
    }

    fn decision(&mut self, fault: SendFault) -> SendDecision {
        match fault {
            SendFault::StoreThenCrash => {
                self.dying = true;
                self.effects.push(Effect::Crash);
                SendDecision::StoreSilently
            }
            SendFault::StoreThenReset => {
                self.effects.push(Effect::Reset);
                SendDecision::StoreSilently
            }
            SendFault::StoreNoAnswer => SendDecision::StoreSilently,
            SendFault::AnswerLate(late) => {
                SendDecision::Delay { millis: u64::try_from(late.as_millis()).unwrap_or(u64::MAX) }
            }
            SendFault::AnswerTwice => SendDecision::AnswerTwice,
            SendFault::Lose => SendDecision::Lose,
            SendFault::Refuse { code, remark } => SendDecision::Refuse { code, remark },
            SendFault::StoreThenAnswer { code, remark } => SendDecision::StoreThenAnswer { code, remark },
        }
    }
}

/// The rules of a broker, as the broker asks them.
pub(super) struct AskRules(pub(super) Arc<Mutex<SendRules>>);

impl SendPolicy for AskRules {
    fn decide(&mut self, send: &SendAttempt<'_>) -> SendDecision {
        lock(&self.0).decide(send)
    }
}
