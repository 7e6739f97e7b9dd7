//! The client sends to real servers, and what they stored is what it was told.
//!
//! Needs Java 17, Maven and some minutes, so it is asked for explicitly: `tests/real/suite` runs it and tells about each
//! case; `cargo test -p rocketmq-sim --test real_client -- --ignored --nocapture` does the same. It then fails where Java
//! or Maven is missing.
//!
//! Environment: `ROCKETMQ_REAL_FULL=1` runs every case on both runtimes with both forms of headers, not only on the one
//! pair named below; `ROCKETMQ_REAL_CASES="cold_start burst"` runs only these cases.

mod real_support;

use real_support::{Kind, run};
use rocketmq_tokio::SerializeType;

#[test]
#[ignore = "starts real servers"]
fn cases_on_5_5_0() {
    run("5.5.0", (Kind::Tokio, SerializeType::Json));
}

#[test]
#[ignore = "starts real servers"]
fn cases_on_4_9_7() {
    run("4.9.7", (Kind::Smol, SerializeType::RocketMq));
}
