//! RocketMQ client as a pure state machine: no sockets, threads, clocks, environment or randomness.
//!
//! Everything that happens is a value given to [`client::Client::handle`] with the time; everything to do
//! comes out of [`client::Client::poll_action`]. Drivers for runtimes carry the actions out.
//!
//! | floor | module | knows |
//! |---|---|---|
//! | 0 | [`ground`] | time, tables, timers, names |
//! | 1 | [`command`], [`wire`] | codes; frames and headers |
//! | 2 | [`request`] | typed headers |
//! | 3 | [`body`] | JSON bodies |
//! | 4 | [`message`] | messages, properties, ids |
//! | 5 | [`interface`] | inputs, actions, settings, receipts, errors, as values |
//! | 6 | `net` | connections and requests |
//! | 7 | `cluster`, `heartbeat` | name servers, routes, brokers |
//! | 8 | `admin`, [`producer`] | administrative calls; sends and their verdicts |
//! | 9 | [`client`] | everything: the one door in |
//! | 10 | `recording` | recordings of a client and their replay (with the feature named record) |
//!
//! Nobody uses a floor above the own one. Where two share a floor, the second may use the first.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod admin;
pub mod body;
pub mod client;
mod cluster;
pub mod command;
pub mod ground;
mod heartbeat;
pub mod interface;
pub mod message;
mod net;
pub mod producer;
#[cfg(feature = "record")]
pub mod recording;
pub mod request;
pub mod wire;
