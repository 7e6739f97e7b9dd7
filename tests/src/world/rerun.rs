//! A run once more: the same inputs, given to a new client.

use rocketmq_core::client::{Client, ClientConfig, OwnedInput};
use rocketmq_core::ground::Now;

use super::hooks::{HookBook, HookRules, client};
use super::trace::TraceHash;

/// When the actions of a client are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    AtOnce,
    /// After every third input.
    Late,
    InTheEnd,
}

/// What a client did: a hash and the number of its actions, and which report of written bytes was the first to tell of other
/// bytes than before.
pub(crate) type Done = (u64, usize, Option<usize>);

/// Gives recorded inputs to a new client, and hashes what it does. `written`: a hash of the bytes of each report.
pub(crate) fn replay(
    config: &ClientConfig,
    hooks: Option<HookRules>,
    start: Now,
    inputs: &[(Now, OwnedInput)],
    written: &[u64],
    taken: Taken,
) -> Done {
    let book = hooks.map(|rules| HookBook::new(rules, false));
    let mut client = client(config.clone(), book.as_ref(), start);
    let (mut hash, mut count) = (TraceHash::default(), 0);
    let mut take = |client: &mut Client| {
        while let Some(action) = client.poll_action() {
            hash.add(&TraceHash::of(&action));
            count += 1;
        }
    };
    let (mut reports, mut differs) = (0, None);
    for (number, (now, input)) in inputs.iter().enumerate() {
        if let OwnedInput::Wrote { conn, count } = input {
            let mut chunks = Vec::new();
            client.outbox(*conn, &mut chunks);
            let mut bytes = chunks.concat();
            bytes.truncate(*count);
            // A connection that the client has closed meanwhile has nothing to show.
            if !bytes.is_empty() && written.get(reports) != Some(&TraceHash::of(&bytes)) {
                differs.get_or_insert(reports);
            }
            reports += 1;
        }
        input.clone().give(&mut client, *now);
        let is_time = match taken {
            Taken::AtOnce => true,
            Taken::Late => number % 3 == 2,
            Taken::InTheEnd => false,
        };
        if is_time {
            take(&mut client);
        }
    }
    take(&mut client);
    (hash.value(), count, differs)
}
