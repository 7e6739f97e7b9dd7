//! Where the choices of a plan come from: a seed, or the bytes of a fuzzer.

use rocketmq_core::ground::Rng;

/// A source of choices.
pub trait Dice {
    /// A number below `limit`, or 0 when `limit` is 0.
    fn below(&mut self, limit: u64) -> u64;
}

impl Dice for Rng {
    fn below(&mut self, limit: u64) -> u64 {
        Rng::below(self, limit)
    }
}

/// Bytes in place of dice: two for each choice, eight for those of more than 65 536 numbers. Zeros when none are left.
#[derive(Debug, Clone)]
pub struct ByteDice<'a> {
    bytes: &'a [u8],
}

impl<'a> ByteDice<'a> {
    /// Choices that follow these bytes.
    pub fn new(bytes: &'a [u8]) -> ByteDice<'a> {
        ByteDice { bytes }
    }

    /// Whether all bytes are used up.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Dice for ByteDice<'_> {
    fn below(&mut self, limit: u64) -> u64 {
        let wanted = if limit <= 1 << 16 { 2 } else { 8 };
        let (now, later) = self.bytes.split_at(wanted.min(self.bytes.len()));
        self.bytes = later;
        let number = now.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        if limit == 0 { 0 } else { number % limit }
    }
}

/// Independent dice for each part of a plan, so that what is drawn for one part shifts no other. A single source of
/// choices serves all parts in turn.
pub(super) enum Forks<'a> {
    Seeded(Rng),
    One(&'a mut dyn Dice),
}

impl Forks<'_> {
    /// Draws one part of a plan.
    pub(super) fn part<R>(&mut self, name: &str, draw: impl FnOnce(&mut dyn Dice) -> R) -> R {
        match self {
            Forks::Seeded(rng) => draw(&mut rng.fork(name)),
            Forks::One(dice) => draw(&mut **dice),
        }
    }
}

/// One of these, all as likely.
pub(super) fn pick<T: Copy>(dice: &mut dyn Dice, choices: &[T]) -> T {
    choices[dice.below(choices.len() as u64) as usize]
}

/// True once in `times`.
pub(super) fn once_in(dice: &mut dyn Dice, times: u64) -> bool {
    dice.below(times) == 0
}
