//! What is measured: each scenario by name, with the size of its rounds.

mod codec;
mod hooks;
mod message;
mod session;

use rocketmq_core::recording::Bodies::{Keep, LeaveOut};
use rocketmq_core::wire::SerializeType::{Json, RocketMq};

use crate::probe::Probe;

/// Something whose cost is known.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Its name, in tables and on the command line.
    pub name: &'static str,
    /// What one operation is.
    pub operation: &'static str,
    /// Operations in a round.
    pub per_round: u64,
    /// Rounds until every table has grown as far as it will.
    pub warm_up: u64,
    /// Further rounds, those that count.
    pub rounds: u64,
    /// Does so many rounds.
    pub run: fn(&mut Probe, u64),
}

/// A table of scenarios: name, operation, operations in a round, rounds of warm-up, further rounds, function.
macro_rules! scenarios {
    ($($name:literal $operation:literal $per_round:literal $warm_up:literal $rounds:literal $run:expr;)*) => {
        &[$(Scenario {
            name: $name,
            operation: $operation,
            per_round: $per_round,
            warm_up: $warm_up,
            rounds: $rounds,
            run: $run,
        }),*]
    };
}

/// All scenarios. Messages have 1 KiB, a tag, a key and a unique key.
pub const ALL: &[Scenario] = scenarios![
    "message"           "build"   64      10     64 |probe, rounds| message::build(probe, rounds);
    "encode-json"       "request" 1      100  2_000 |probe, rounds| codec::encode(probe, Json, rounds);
    "encode-rocketmq"   "request" 1      100  2_000 |probe, rounds| codec::encode(probe, RocketMq, rounds);
    "decode-json"       "answer"  1      100  2_000 |probe, rounds| codec::decode(probe, Json, rounds);
    "decode-rocketmq"   "answer"  1      100  2_000 |probe, rounds| codec::decode(probe, RocketMq, rounds);
    "decode-any-json"   "answer"  1      100  2_000 |probe, rounds| codec::decode_any(probe, Json, rounds);
    "write-json"        "request" 64      24     32 |probe, rounds| session::write(probe, Json, rounds);
    "write-rocketmq"    "request" 64      24     32 |probe, rounds| session::write(probe, RocketMq, rounds);
    "cycle-1-json"      "send"    1    2_400  4_096 |probe, rounds| session::cycle(probe, Json, 1, rounds);
    "cycle-64-json"     "send"    64      40     64 |probe, rounds| session::cycle(probe, Json, 64, rounds);
    "cycle-64-rocketmq" "send"    64      40     64 |probe, rounds| session::cycle(probe, RocketMq, 64, rounds);
    "cycle-1024-json"   "send"    1024     4      4 |probe, rounds| session::cycle(probe, Json, 1024, rounds);
    "namespaces"        "send"    64      40     64 |probe, rounds| session::in_namespaces(probe, rounds);
    "latency-fault"     "send"    64      40     64 |probe, rounds| session::latency_fault(probe, rounds);
    "traced-64-json"    "send"    64      40     64 |probe, rounds| session::traced(probe, rounds);
    "recorded"          "send"    64      40     64 |probe, rounds| session::recorded(probe, LeaveOut, rounds);
    "recorded-bodies"   "send"    64      40     64 |probe, rounds| session::recorded(probe, Keep, rounds);
    "retry-json"        "send"    64      24     32 |probe, rounds| session::retry(probe, rounds);
    "hook-looks"        "send"    64      40     64 |probe, rounds| hooks::cycle(probe, &[], rounds);
    "hook-adds"         "send"    64      40     64 |probe, rounds| hooks::cycle(probe, hooks::TWO, rounds);
    "timeout-1024"      "send"    1024     4      4 |probe, rounds| session::time_out(probe, rounds);
    "route"             "route"   1       10    500 |probe, rounds| codec::route(probe, rounds);
    "heartbeat"         "body"    1       10  2_000 |probe, rounds| codec::heartbeat(probe, rounds);
    "session-100"       "session" 1        2     16 |probe, rounds| session::whole(probe, rounds);
];
