use super::{Key, Slots, State};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use proptest::prelude::*;

/// Lets every free slot believe that it has lived nearly as often as its count can tell.
fn age(slots: &mut Slots<u32>, left: u32) {
    for slot in &mut slots.slots {
        if matches!(slot.state, State::Free { .. }) {
            slot.life = u32::MAX - left;
        }
    }
}

proptest! {
    /// Also when the lives of a slot wrap around: then a key is as good as new after 2^32 lives, not before.
    #[test]
    fn the_table_agrees_with_a_map(
        steps in prop::collection::vec((0_u8..8, any::<prop::sample::Index>()), 1..400),
        old in 0_u32..3,
    ) {
        let mut slots = Slots::default();
        let mut model: BTreeMap<Key<u32>, u32> = BTreeMap::new();
        let mut stale: Vec<Key<u32>> = Vec::new();
        for (number, (kind, pick)) in (0..).zip(steps) {
            match kind {
                0..4 => {
                    let key = slots.insert(number);
                    prop_assert!(!stale.contains(&key), "{:?} is used twice", key);
                    prop_assert_eq!(model.insert(key, number), None);
                }
                4..6 if !model.is_empty() => {
                    let key = *model.keys().nth(pick.index(model.len())).unwrap();
                    prop_assert_eq!(slots.remove(key), model.remove(&key));
                    stale.push(key);
                }
                6 if !stale.is_empty() => {
                    let key = stale[pick.index(stale.len())];
                    prop_assert_eq!(slots.get(key), None);
                    prop_assert_eq!(slots.remove(key), None);
                }
                _ if number > 0 => {
                    age(&mut slots, old);
                    // These lives were skipped: nobody holds a key of theirs.
                    stale.clear();
                }
                _ => {}
            }
            prop_assert_eq!(slots.len(), model.len());
        }
        let mut all: Vec<(Key<u32>, u32)> = slots.iter().map(|(key, value)| (key, *value)).collect();
        all.sort_unstable();
        prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
    }
}
