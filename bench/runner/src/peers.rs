//! The other clients, each called as its own build leaves it. What they are configured with stands in their sources.

use crate::load_program::{Family, Load};

const PEER: Load = Load {
    name: "",
    family: Family::Peer,
    command: &[],
    address_flag: Some("--name-server"),
    start: 0.2,
    warm_up: 1.0,
    most_in_flight: u32::MAX,
    guess: 60_000.0,
};

/// A virtual machine has to load and compile the client before it is itself: it gets a warm-up of its own length.
const JAVA: Load = Load { start: 1.0, warm_up: 8.0, ..PEER };

pub const JAVA_ASYNC: Load =
    Load { name: "Java, async", command: &["{peers}/java", "--mode", "async"], ..JAVA };
/// One thread for each message in flight.
pub const JAVA_SYNC: Load =
    Load { name: "Java, sync", command: &["{peers}/java", "--mode", "sync"], most_in_flight: 1024, ..JAVA };
pub const GO_SYNC: Load =
    Load { name: "Go, sync", command: &["{peers}/go", "--mode", "sync"], guess: 25_000.0, ..PEER };
pub const GO_ASYNC: Load =
    Load { name: "Go, async", command: &["{peers}/go", "--mode", "async"], guess: 25_000.0, ..PEER };
pub const RUST: Load = Load { name: "rocketmq-client-rust", command: &["{peers}/rust"], ..PEER };
pub const RUST_COUNTING: Load = Load {
    name: "rocketmq-client-rust, counting allocations",
    command: &["{peers}/rust-allocations"],
    ..RUST
};

/// Whose best one is "the best peer".
pub const COMPARED: [&str; 5] = [JAVA_ASYNC.name, JAVA_SYNC.name, GO_SYNC.name, GO_ASYNC.name, RUST.name];
