//! A run once more: the same inputs, given to a new client.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use rocketmq_core::client::{Action, ClientConfig, OwnedInput};
use rocketmq_core::ground::Now;

use super::additions;

/// All actions of a run as one number.
#[derive(Default)]
pub(crate) struct Actions {
    hasher: DefaultHasher,
    pub(crate) count: usize,
}

impl Actions {
    pub(crate) fn note(&mut self, action: &Action) {
        action.hash(&mut self.hasher);
        self.count += 1;
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }
}

/// Gives the inputs to a new client that nobody asks for actions before the end.
pub(crate) fn replay(config: ClientConfig, start: Now, inputs: &[(Now, OwnedInput)]) -> Actions {
    let mut client = additions::client(config, start);
    for (now, input) in inputs {
        input.clone().give(&mut client, *now);
    }
    let mut actions = Actions::default();
    while let Some(action) = client.poll_action() {
        actions.note(&action);
    }
    actions
}
