//! The check of the fuzz target `simulation`: the fuzzer's bytes take the place of the dice.

use rocketmq_core::ground::Rng;
use rocketmq_sim::world::plan::{Dice, Mode, Plan, RunOptions, run_plan};

/// Bytes as dice, as many as there are; then a seed's.
struct Bytes<'a> {
    bytes: &'a [u8],
    then: Rng,
}

impl Dice for Bytes<'_> {
    fn below(&mut self, limit: u64) -> u64 {
        let wanted = if limit <= 256 { 1 } else { 2 };
        let Some((now, later)) = self.bytes.split_at_checked(wanted) else {
            return self.then.below(limit);
        };
        self.bytes = later;
        let number = now.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // Large limits are those of times and sizes: two bytes reach all of their range, in steps.
        match limit {
            0 => 0,
            1..=65_536 => number % limit,
            _ => (u128::from(number) * u128::from(limit) / 65_536) as u64,
        }
    }
}

/// Mode, a seed of two bytes, and dice: the plan that they draw runs, and no invariant breaks.
pub(crate) fn check(input: &[u8]) {
    let Some((&[mode, high, low], dice)) = input.split_first_chunk::<3>() else {
        return;
    };
    let mode = if mode % 2 == 0 { Mode::Safety } else { Mode::Liveness };
    let seed = u64::from(u16::from_be_bytes([high, low]));
    let mut dice = Bytes { bytes: dice, then: Rng::new(seed).fork("dice") };
    let plan = Plan::draw_with(seed, mode, None, &mut dice);
    let silent = RunOptions { silent: true, ..RunOptions::default() };
    if run_plan(&plan, &silent).broken.is_some() {
        let report = run_plan(&plan, &RunOptions::default());
        panic!("{:?}\n{}", report.broken, report.transcript);
    }
}
