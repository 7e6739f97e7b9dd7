//! One script of raw requests, played to real servers and to the simulated ones, whose answers are compared.
//!
//! A step is one write on one connection; what comes back is brought into a form without addresses, times and other
//! accidents (see `answer.rs`). The answers of the real servers are kept in `testdata/faithfulness`, so that the simulated
//! ones are checked on machines without Java, too. Every difference stands in `differences.rs` with its reason.

mod answer;
mod differences;
mod player;
mod recording;
mod script;
mod step;

pub(crate) use differences::compare;
pub(crate) use player::{Target, play};
pub(crate) use recording::Recording;
pub(crate) use script::{farewell, script};
