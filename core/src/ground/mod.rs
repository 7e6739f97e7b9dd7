//! Floor 0: time, randomness, tables, timers and names. Knows nothing of RocketMQ's messages.

pub mod endpoint;
pub mod names;
pub mod namespace;
mod rng;
mod slots;
mod time;
mod timers;

pub use rng::Rng;
pub use slots::{Key, Slots};
pub use time::{Instant, Now};
pub use timers::{Armed, TimerKey, Timers};
