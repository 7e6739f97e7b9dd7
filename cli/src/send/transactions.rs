//! `rocketmq send --transaction`: how the transaction of each message ends, and what is said to brokers that ask.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocketmq_driver::{Check, Checks, EndTransactionError, LocalTransactionState, UniqueKey};

use super::Run;
use super::verdict::{EndOutcome, HalfEnding};
use crate::args::{OnCheck, TransactionChoice};

/// The local transactions of one run.
#[derive(Debug)]
pub(crate) struct LocalTransactions {
    choice: TransactionChoice,
    on_check: OnCheck,
    seed: RandomState,
    /// Messages whose end no broker has acknowledged, and how they are to end.
    open: Mutex<HashMap<UniqueKey, LocalTransactionState>>,
}

impl LocalTransactions {
    pub(crate) fn new(choice: TransactionChoice, on_check: OnCheck) -> Self {
        Self { choice, on_check, seed: RandomState::new(), open: Mutex::default() }
    }

    /// How the local transaction of a message ends.
    fn state_of(&self, number: u64) -> LocalTransactionState {
        match self.choice {
            TransactionChoice::Commit => LocalTransactionState::Commit,
            TransactionChoice::Rollback => LocalTransactionState::Rollback,
            TransactionChoice::Unknown => LocalTransactionState::Unknown,
            TransactionChoice::Random => match self.seed.hash_one(number) % 3 {
                0 => LocalTransactionState::Commit,
                1 => LocalTransactionState::Rollback,
                _ => LocalTransactionState::Unknown,
            },
        }
    }

    /// What to answer to a check: what the message was decided to be, else what the flag says. Messages of other runs are
    /// answered by the flag alone.
    fn answer_to(&self, key: UniqueKey) -> LocalTransactionState {
        match self.lock().get(&key) {
            Some(state @ (LocalTransactionState::Commit | LocalTransactionState::Rollback)) => *state,
            _ => self.on_check.into(),
        }
    }

    /// Whether brokers have acknowledged the end of every message.
    pub(super) fn all_ended(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UniqueKey, LocalTransactionState>> {
        // A single entry is changed at a time, so a poisoned table is still right.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the transaction of a message whose half a broker has stored.
pub(super) async fn end(
    run: &Run,
    local: &LocalTransactions,
    number: u64,
    half: rocketmq_driver::Transaction,
) -> HalfEnding {
    let receipt = half.receipt().clone();
    let (key, state) = (half.unique_key(), local.state_of(number));
    local.lock().insert(key, state);
    let within = run.args.timeout;
    let result = match state {
        LocalTransactionState::Commit => half.commit().within(within).await,
        LocalTransactionState::Rollback => half.rollback().within(within).await,
        LocalTransactionState::Unknown => {
            return HalfEnding { receipt, ended: state, outcome: None, checks: 0 };
        }
    };
    let outcome = EndOutcome::from(&result);
    if outcome == EndOutcome::Acknowledged {
        local.lock().remove(&key);
    }
    HalfEnding { receipt, ended: state, outcome: Some(outcome), checks: 0 }
}

/// Answers the checks of brokers until the producer is closed.
pub(super) async fn answer_checks(run: &Run, local: &LocalTransactions, mut checks: Checks) {
    while let Some(check) = checks.next().await {
        let (key, times) = (check.unique_key(), check.times());
        run.ledger.note_check(key, times);
        let state = local.answer_to(key);
        let Some(result) = answer(run, check, state).await else {
            continue;
        };
        let outcome = EndOutcome::from(&result);
        if outcome == EndOutcome::Acknowledged {
            local.lock().remove(&key);
        }
        run.ledger.note_end(key, state, outcome);
        run.note_settled();
    }
}

/// None: the check is left, and the broker asks again.
async fn answer(
    run: &Run,
    check: Check,
    state: LocalTransactionState,
) -> Option<Result<(), EndTransactionError>> {
    let within = run.args.timeout;
    match state {
        LocalTransactionState::Commit => Some(check.commit().within(within).await),
        LocalTransactionState::Rollback => Some(check.rollback().within(within).await),
        LocalTransactionState::Unknown => None,
    }
}
