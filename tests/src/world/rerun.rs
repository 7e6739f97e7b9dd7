//! A run once more: the same inputs, given to a new client.

use rocketmq_core::client::{Client, ClientConfig, OwnedInput};
use rocketmq_core::ground::Now;

use super::hooks::{HookBook, HookRules, client};
use super::trace::TraceHash;

/// When the actions of a client are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    AtOnce,
    InTheEnd,
}

/// Gives recorded inputs to a new client, and hashes and counts its actions.
pub(crate) fn replay(
    config: &ClientConfig,
    hooks: Option<HookRules>,
    start: Now,
    inputs: &[(Now, OwnedInput)],
    taken: Taken,
) -> Option<(u64, usize)> {
    let book = hooks.map(|rules| HookBook::new(rules, false));
    let mut client = client(config.clone(), book.as_ref(), start);
    let (mut hash, mut count) = (TraceHash::default(), 0);
    let mut take = |client: &mut Client| {
        while let Some(action) = client.poll_action() {
            hash.add(&TraceHash::of(&action));
            count += 1;
        }
    };
    for (now, input) in inputs {
        input.clone().give(&mut client, *now);
        if taken == Taken::AtOnce {
            take(&mut client);
        }
    }
    take(&mut client);
    Some((hash.value(), count))
}
