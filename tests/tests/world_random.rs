//! Random worlds: every seed draws its own cluster, network, faults and load; all invariants are checked after every
//! event. `ROCKETMQ_SIM_SEEDS` sets how many seeds are run in each mode, `ROCKETMQ_SIM_FIRST_SEED` where they start.
//! A seed that fails is run again with its story, which is printed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rocketmq_sim::world::{Reached, SeedOutcome, run_seed};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn run(seed: u64, liveness: bool) -> SeedOutcome {
    let quiet = catch_unwind(AssertUnwindSafe(|| run_seed(seed, liveness, true)));
    quiet.unwrap_or_else(|_| {
        // Once more for the story: it ends in the same panic, with the report.
        run_seed(seed, liveness, false);
        panic!("seed {seed} (liveness: {liveness}) failed once and passed once: not deterministic");
    })
}

fn run_all(default: u64, liveness: bool) -> Reached {
    let first = setting("ROCKETMQ_SIM_FIRST_SEED", 0);
    let count = setting("ROCKETMQ_SIM_SEEDS", default);
    let mut reached = Reached::default();
    for seed in first..first + count {
        let outcome = run(seed, liveness);
        if seed % 20 == 0 {
            assert_eq!(run(seed, liveness), outcome, "I9 determinism: seed {seed} (liveness: {liveness})");
        }
        reached.add(&outcome.reached);
    }
    reached
}

/// Every state that the simulation is there for was reached.
fn nothing_left_out(reached: &Reached, except: &[&str]) {
    println!("{:?}", reached.fields());
    for (state, count) in reached.fields() {
        assert!(count > 0 || except.contains(&state), "no seed ever reached: {state}");
    }
}

#[test]
fn nothing_false_is_ever_said_whatever_happens() {
    nothing_left_out(&run_all(1_200, false), &[]);
}

#[test]
fn everything_succeeds_once_all_faults_are_over() {
    // A shutdown in a healthy world leaves nothing behind.
    nothing_left_out(&run_all(800, true), &["shutdowns_with_rest"]);
}
