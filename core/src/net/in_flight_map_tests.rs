use super::{InFlight, RESTING};
use crate::ground::{Key, Rng};
use crate::interface::Stray;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use proptest::prelude::*;

/// What became of a number that was given out.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Waits(u32),
    Answered,
    /// Given up, or its slot has been used again since.
    Late,
}

#[derive(Default)]
struct Model {
    fates: BTreeMap<i32, Fate>,
    /// The newest number of each slot.
    newest: BTreeMap<i32, i32>,
    waiting: Vec<i32>,
    freed: VecDeque<i32>,
}

impl Model {
    fn inserted(&mut self, opaque: i32, request: u32, limit: usize) {
        let slot = opaque & 0xFFFF;
        if let Some(earlier) = self.newest.insert(slot, opaque) {
            assert!(!self.waiting.contains(&earlier), "the slot of {opaque:#x} is in use");
            self.fates.insert(earlier, Fate::Late);
        }
        // As many slots as rest are in the table; those in use are not among them.
        let mut rests = self.freed.iter().rev().take(RESTING - limit);
        let rests = rests.any(|freed| freed & 0xFFFF == slot);
        assert!(!rests, "the slot of {opaque:#x} was freed a short time ago");
        self.fates.insert(opaque, Fate::Waits(request));
        self.waiting.push(opaque);
    }

    /// An end of any number, also of one that never was.
    fn end(&mut self, opaque: i32, how: Fate) -> Result<u32, Stray> {
        match self.fates.get(&opaque) {
            None => Err(Stray::Foreign),
            Some(Fate::Answered) => Err(Stray::Duplicate),
            Some(Fate::Late) => Err(Stray::Late),
            Some(Fate::Waits(request)) => {
                let request = *request;
                self.fates.insert(opaque, how);
                self.waiting.retain(|waiting| *waiting != opaque);
                self.freed.push_back(opaque);
                Ok(request)
            }
        }
    }
}

/// One step: a request, an answer, or a request that is given up; to a number in use, to an earlier one, to any.
fn step(table: &mut InFlight, model: &mut Model, rng: &mut Rng, limit: usize, request: u32) {
    let pick = |rng: &mut Rng, from: &[i32]| from[rng.below(from.len() as u64) as usize];
    let kind = rng.below(16);
    if kind < 7 {
        match table.insert(Key::from_parts(request, 0)) {
            Some(opaque) => model.inserted(opaque, request, limit),
            None => assert_eq!(model.waiting.len(), limit, "refused with room left"),
        }
        return;
    }
    let freed: Vec<i32> = model.freed.iter().copied().collect();
    let opaque = match kind {
        7..13 if !model.waiting.is_empty() => pick(rng, &model.waiting),
        13 | 14 if !freed.is_empty() => pick(rng, &freed),
        _ => (rng.next_u64() as u32).cast_signed(),
    };
    if kind.is_multiple_of(2) {
        table.abandon(opaque);
        // Only numbers in use can be given up.
        if matches!(model.fates.get(&opaque), Some(Fate::Waits(_))) {
            model.end(opaque, Fate::Late).ok();
        }
    } else {
        let answered = table.answered(opaque).map(|key| key.index());
        assert_eq!(answered, model.end(opaque, Fate::Answered), "{opaque:#x}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 24 }))]

    /// From first lives near the end of their 16 bits the numbers wrap around within the run.
    #[test]
    fn the_table_agrees_with_a_map(
        seed in any::<u64>(),
        before_wrap in 0_u16..4,
        limit in 1_usize..40,
        steps in 100_u32..if cfg!(miri) { 120 } else { 6_000 },
    ) {
        let mut rng = Rng::new(seed);
        let mut table = InFlight::new(limit, u16::MAX - before_wrap);
        let mut model = Model::default();
        for request in 0..steps {
            step(&mut table, &mut model, &mut rng, limit, request);
            prop_assert_eq!(table.len(), model.waiting.len());
            prop_assert_eq!(table.is_full(), model.waiting.len() >= limit);
        }
        prop_assert_eq!(table.requests().count(), model.waiting.len());
    }
}
