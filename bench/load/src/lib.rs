//! What the measuring programs of this crate share: `load` (the client as a load), `core_cost` (its core without
//! any I/O), `idle` and `start`.
#![forbid(unsafe_code)]

pub mod answers;
pub mod counting;
pub mod growth;
pub mod host;
pub mod latency;
pub mod load;
pub mod message;
pub mod pacer;
pub mod report;
pub mod rig;
pub mod stopwatch;
pub mod usage;
