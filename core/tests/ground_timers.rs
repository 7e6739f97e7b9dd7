//! Timers against a naive list.

use proptest::prelude::*;
use proptest::sample::Index;
use rocketmq_core::ground::{Instant, TimerKey, Timers};

#[derive(Clone, Debug)]
enum Step {
    Set(u64),
    SetNever,
    Unset(Index),
    UnsetAgain(Index),
    Pop(u64),
    PopAll(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..50).prop_map(Step::Set),
        1 => any::<u64>().prop_map(Step::Set),
        1 => Just(Step::SetNever),
        3 => any::<Index>().prop_map(Step::Unset),
        1 => any::<Index>().prop_map(Step::UnsetAgain),
        3 => (0_u64..50).prop_map(Step::Pop),
        1 => (0_u64..50).prop_map(Step::PopAll),
        1 => Just(Step::PopAll(u64::MAX)),
    ]
}

/// Deadline and number of each timer, in the order in which they were set.
#[derive(Default)]
struct Model(Vec<(Instant, u32, TimerKey<u32>)>);

impl Model {
    /// The earliest of those that are due, of equal ones that which was set first.
    fn pop(&mut self, now: Instant) -> Option<u32> {
        let due = self.0.iter().enumerate().filter(|(_, (at, ..))| *at <= now && *at != Instant::NEVER);
        let (place, _) = due.min_by_key(|(place, (at, ..))| (*at, *place))?;
        Some(self.0.remove(place).1)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn timers_agree_with_a_list(steps in prop::collection::vec(step(), 1..120)) {
        let mut timers = Timers::default();
        let mut model = Model::default();
        let mut gone = Vec::new();
        for (number, step) in (0..).zip(steps) {
            match step {
                Step::Set(at) => {
                    let at = Instant::from_micros(at);
                    model.0.push((at, number, timers.set(at, number)));
                }
                Step::SetNever => model.0.push((Instant::NEVER, number, timers.set(Instant::NEVER, number))),
                Step::Unset(pick) if !model.0.is_empty() => {
                    let (_, _, key) = model.0.remove(pick.index(model.0.len()));
                    timers.unset(key);
                    gone.push(key);
                }
                Step::UnsetAgain(pick) if !gone.is_empty() => timers.unset(gone[pick.index(gone.len())]),
                Step::Pop(now) => {
                    let now = Instant::from_micros(now);
                    prop_assert_eq!(timers.pop_due(now), model.pop(now));
                }
                Step::PopAll(now) => {
                    let now = Instant::from_micros(now);
                    while let Some(due) = model.pop(now) {
                        prop_assert_eq!(timers.pop_due(now), Some(due));
                    }
                    prop_assert_eq!(timers.pop_due(now), None);
                }
                Step::Unset(_) | Step::UnsetAgain(_) => {}
            }
            prop_assert_eq!(timers.len(), model.0.len());
            prop_assert_eq!(timers.is_empty(), model.0.is_empty());
            prop_assert_eq!(timers.next(), model.0.iter().map(|(at, ..)| *at).min().unwrap_or(Instant::NEVER));
        }
    }
}
