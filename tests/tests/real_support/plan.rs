//! Which cases run, where, in which order, and what is told about them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rocketmq_sim::real::RealCluster;
use rocketmq_tokio::SerializeType;

use super::bench::{Bench, Kind};
use super::{
    admin, calm, discovery, faults, hooks, identity, peers, recorded, rush, topics, trace, transactions,
};

/// When a case runs, and beside what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Beside everything that hurts no server.
    LongRun,
    /// Beside each other, on every runtime with both forms of headers.
    Calm,
    /// One after the other.
    Rush,
    /// On servers of their own, that do not create topics.
    NoAutoCreate,
    /// Alone, because a server is hurt or changed.
    Alone,
    /// Alone, and the servers are of no use afterwards.
    Last,
}

struct Case {
    name: &'static str,
    stage: Stage,
    /// Returns the figures to tell; fails by a panic.
    run: fn(&Bench<'_>) -> String,
}

const fn case(name: &'static str, stage: Stage, run: fn(&Bench<'_>) -> String) -> Case {
    Case { name, stage, run }
}

const CASES: [Case; 31] = [
    case("steady", Stage::LongRun, rush::steady),
    case("auto_create", Stage::Calm, calm::auto_create),
    case("awaited", Stage::Calm, calm::awaited),
    case("one_way", Stage::Calm, calm::one_way),
    case("refused_locally", Stage::Calm, calm::refused_locally),
    case("topic_without_write", Stage::Calm, topics::topic_without_write),
    case("transactions", Stage::Calm, transactions::transactions),
    case("ends_refused", Stage::Calm, transactions::ends_refused),
    case("trace", Stage::Calm, trace::trace),
    case("graceful_shutdown", Stage::Calm, calm::graceful_shutdown),
    case("heartbeat_v2", Stage::Calm, calm::heartbeat_v2),
    case("hooks", Stage::Calm, hooks::hooks),
    case("vip_channel", Stage::Calm, hooks::vip_channel),
    case("discovered", Stage::Calm, discovery::discovered),
    case("administration", Stage::Calm, admin::administration),
    case("namespaces", Stage::Calm, identity::namespaces),
    case("shared_client", Stage::Calm, identity::shared_client),
    case("wrong_address", Stage::Calm, peers::wrong_address),
    case("in_flight", Stage::Rush, rush::in_flight),
    case("cold_start", Stage::Rush, rush::cold_start),
    case("burst", Stage::Rush, rush::burst),
    case("auto_create_off_from_the_start", Stage::NoAutoCreate, topics::auto_create_off_from_the_start),
    case("broker_without_write", Stage::Alone, topics::broker_without_write),
    case("transaction_restart", Stage::Alone, transactions::transaction_restart),
    case("broker_killed", Stage::Alone, faults::broker_killed),
    case("recorded_kill", Stage::Alone, recorded::recorded_kill),
    case("master_killed", Stage::Alone, faults::master_killed),
    case("master_stopped", Stage::Alone, faults::master_stopped),
    case("latency_fault", Stage::Alone, faults::latency_fault),
    case("name_server_gone", Stage::Alone, faults::name_server_gone),
    case("auto_create_turned_off", Stage::Last, topics::auto_create_turned_off),
];

const EVERYWHERE: [(Kind, SerializeType); 4] = [
    (Kind::Tokio, SerializeType::Json),
    (Kind::Tokio, SerializeType::RocketMq),
    (Kind::Smol, SerializeType::Json),
    (Kind::Smol, SerializeType::RocketMq),
];

/// Brokers ask about half messages after a second, every three seconds.
const BROKER_SETTINGS: [(&str, &str); 2] =
    [("transactionTimeOut", "1000"), ("transactionCheckInterval", "3000")];

/// Whether every case is wanted on both runtimes with both forms of headers.
pub(crate) fn is_full() -> bool {
    std::env::var_os("ROCKETMQ_REAL_FULL").is_some_and(|value| value == "1")
}

/// The names of `ROCKETMQ_REAL_CASES`, separated by blanks or commas; all if there are none.
fn wanted() -> Vec<&'static Case> {
    let names = std::env::var("ROCKETMQ_REAL_CASES").unwrap_or_default();
    let names: Vec<&str> = names.split([' ', ',']).filter(|name| !name.is_empty()).collect();
    for name in &names {
        let known = CASES.iter().map(|case| case.name).collect::<Vec<_>>();
        assert!(known.contains(name), "there is no case {name}, only {}", known.join(", "));
    }
    let is_wanted = |case: &&Case| names.is_empty() || names.contains(&case.name);
    CASES.iter().filter(is_wanted).collect()
}

/// What became of the cases so far.
#[derive(Default)]
struct Book {
    failed: Mutex<Vec<String>>,
}

impl Book {
    /// Runs a case and tells its result in one line. A case that fails does not keep others from running.
    fn enter(&self, case: &Case, bench: &Bench<'_>) {
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| (case.run)(bench)));
        let (took, told) = (start.elapsed(), &result.as_ref().map_err(|_| "see above"));
        let (verdict, figures): (_, &dyn fmt::Display) = match told {
            Ok(figures) => ("ok", figures),
            Err(nothing) => ("FAILED", nothing),
        };
        let seconds = took.as_secs_f64();
        println!("real: {bench} {:<30} {verdict:<6} {seconds:>6.1} s  {figures}", case.name);
        if result.is_err() {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.push(format!("{} ({bench})", case.name));
        }
    }
}

/// Servers of two versions at once would be in each other's way.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs the cases on one version of the servers. `usual` is the bench of those cases that run on one only.
pub(crate) fn run(version: &str, usual: (Kind, SerializeType)) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (cases, book) = (wanted(), Book::default());
    let of = |stage| cases.iter().copied().filter(move |case| case.stage == stage);
    let kinds = if is_full() { EVERYWHERE.to_vec() } else { vec![usual] };
    let mut began = Instant::now();
    let mut lap = |what: &str| {
        let seconds = Duration::as_secs_f64(&began.elapsed());
        println!("real: {version} {what}: {seconds:.1} s");
        began = Instant::now();
    };
    let no_auto_create = of(Stage::NoAutoCreate).next().map(|case| (case, version));
    if let Some((case, version)) = no_auto_create {
        let cluster = RealCluster::start(version, &[("autoCreateTopicEnable", "false")], 1).expect("servers");
        for kind in &kinds {
            book.enter(case, &Bench::new(&cluster, *kind));
        }
        drop(cluster);
        lap("servers that create no topics");
    }
    if cases.iter().any(|case| case.stage != Stage::NoAutoCreate) {
        let cluster = RealCluster::start(version, &BROKER_SETTINGS, 2).expect("servers");
        lap("two masters started");
        let usual: Vec<Bench<'_>> = kinds.iter().map(|kind| Bench::new(&cluster, *kind)).collect();
        let all: Vec<Bench<'_>> = EVERYWHERE.iter().map(|kind| Bench::new(&cluster, *kind)).collect();
        let (book, of) = (&book, &of);
        thread::scope(|scope| {
            for bench in &usual {
                scope.spawn(move || of(Stage::LongRun).for_each(|case| book.enter(case, bench)));
            }
            for bench in &all {
                thread::scope(|calm| {
                    for case in of(Stage::Calm) {
                        calm.spawn(move || book.enter(case, bench));
                    }
                });
            }
            for bench in &usual {
                of(Stage::Rush).for_each(|case| book.enter(case, bench));
            }
        });
        lap("cases side by side");
        for stage in [Stage::Alone, Stage::Last] {
            for case in of(stage) {
                usual.iter().for_each(|bench| book.enter(case, bench));
            }
        }
        lap("cases that hurt servers");
    }
    let failed = book.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failed.is_empty(), "failed on {version}: {}", failed.join(", "));
}
