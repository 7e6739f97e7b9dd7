//! What is known of the ends of transactions, for as long as brokers may ask.

use crate::ground::Instant;
use crate::ground::names::GroupName;
use crate::interface::TransactionEnd;
use crate::message::UniqueKey;
use alloc::collections::{BTreeMap, VecDeque};

/// What is known of the end of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The request is on its way.
    UnderWay,
    /// The broker has done it.
    Acknowledged,
    /// The broker may have done it.
    Unsure(TransactionEnd),
}

/// Names a transaction: the group and the unique key of its message. A producer that is opened again under its group
/// knows what the one before has ended.
pub(super) type TransactionKey = (GroupName, UniqueKey);

/// A transaction of whose end something is known.
#[derive(Debug)]
struct Known {
    fate: Fate,
    sequence: u64,
    /// How often brokers asked about it.
    asked: u32,
}

/// All of them, bounded by number and age.
#[derive(Debug, Default)]
pub(super) struct Fates {
    fates: BTreeMap<TransactionKey, Known>,
    /// By age; an entry whose number is not that of its fate is stale.
    ages: VecDeque<(Instant, TransactionKey, u64)>,
    sequence: u64,
}

impl Fates {
    /// What is known of the end of a transaction, if that is not too old.
    pub(super) fn get(&self, key: &TransactionKey) -> Option<Fate> {
        self.fates.get(key).map(|known| known.fate)
    }

    /// A broker asks about a transaction, for the n-th time by its own count.
    pub(super) fn note_asked(&mut self, key: &TransactionKey, times: u32) {
        if let Some(known) = self.fates.get_mut(key) {
            known.asked = known.asked.saturating_add(1).max(times);
        }
    }

    /// How often brokers asked about a transaction of whose end something is known.
    pub(super) fn asked(&self, key: &TransactionKey) -> u32 {
        self.fates.get(key).map_or(0, |known| known.asked)
    }

    pub(super) fn set(&mut self, now: Instant, key: TransactionKey, fate: Fate) {
        self.sequence += 1;
        // One under way does not grow old: it ends at its deadline.
        if fate != Fate::UnderWay {
            self.ages.push_back((now, key.clone(), self.sequence));
        }
        let asked = self.asked(&key);
        self.fates.insert(key, Known { fate, sequence: self.sequence, asked });
    }

    /// Forgets fates from before `since`, and the oldest when there are more than `most`.
    pub(super) fn forget_old(&mut self, since: Instant, most: usize) {
        while let Some((at, key, sequence)) = self.ages.front() {
            let is_current = self.fates.get(key).is_some_and(|known| known.sequence == *sequence);
            if is_current {
                if *at >= since && self.fates.len() <= most {
                    return;
                }
                self.fates.remove(key);
            }
            self.ages.pop_front();
        }
    }

    pub(super) fn forget(&mut self, key: &TransactionKey) {
        self.fates.remove(key);
    }

    pub(super) fn len(&self) -> usize {
        self.fates.len()
    }
}
