//! Random worlds: every seed draws its own cluster, network, faults and load; all invariants are checked. `ROCKETMQ_SIM_SEEDS` sets how many seeds are run in each mode, `ROCKETMQ_SIM_FIRST_SEED` where they start.
//! A seed that fails is run again with its story, which is printed.
//!
//! Every state of [`Reached`](rocketmq_sim::world::Reached) must be reached, every kind of fault injected, and every kind
//! that can must have changed what became of some send: a run is repeated without it, and compared.

use rocketmq_sim::world::plan::{
    CoverageReport, FAULT_ROWS, FaultKind, Mode, Plan, RunOptions, RunReport, run_plan,
};

/// One seed of so many runs twice.
const TWICE: u64 = 10;
/// One seed of so many runs without each of its faults, too.
const COMPARED: u64 = 40;
/// Plans of one kind of fault that are tried when the sample has none that made a difference.
const ALONE: u64 = 30;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn run(plan: &Plan) -> RunReport {
    let report = run_plan(plan, &RunOptions { silent: true, records: true, ..RunOptions::default() });
    if report.broken.is_some() {
        let again = run_plan(plan, &RunOptions { silent: false, records: true, ..RunOptions::default() });
        let (seed, mode) = (plan.seed, plan.mode);
        println!("{}\nseed {seed} ({mode:?}) with {:?}", again.transcript, plan.faults());
        match again.broken {
            Some(broken) => panic!("seed {seed} ({mode:?}): {broken}"),
            None => panic!("seed {seed} ({mode:?}) failed once and passed once: not deterministic"),
        }
    }
    report
}

fn run_all(default: u64, mode: Mode) -> CoverageReport {
    let first = setting("ROCKETMQ_SIM_FIRST_SEED", 0);
    let count = setting("ROCKETMQ_SIM_SEEDS", default);
    let mut coverage = CoverageReport::default();
    for seed in first..first + count {
        let plan = Plan::draw(seed, mode, None);
        let report = run(&plan);
        if seed % TWICE == 0 {
            assert_eq!(run(&plan).hash, report.hash, "I9 determinism: seed {seed} ({mode:?})");
        }
        coverage.note(&report);
        if seed % COMPARED == 0 {
            coverage.compare(&plan, &plan.faults());
        }
    }
    coverage
}

/// Every state was reached and every kind of fault injected. Few seeds reach little.
fn nothing_left_out(coverage: &CoverageReport, least: u64, except: &[&str]) {
    println!("{coverage}");
    if coverage.runs >= least {
        let missing: Vec<_> =
            coverage.never_reached().into_iter().filter(|state| !except.contains(state)).collect();
        assert!(missing.is_empty(), "no seed ever reached {missing:?}");
        assert!(coverage.never_injected().is_empty(), "no seed ever had {:?}", coverage.never_injected());
    }
}

#[test]
fn nothing_false_is_ever_said_whatever_happens() {
    let mut coverage = run_all(1_200, Mode::Safety);
    for kind in coverage.never_changed() {
        coverage.compare_alone(Mode::Safety, kind, 0..ALONE);
    }
    nothing_left_out(&coverage, 1_200, &[]);
    assert!(coverage.never_changed().is_empty(), "without effect: {:?}", coverage.never_changed());
}

#[test]
fn everything_succeeds_once_all_faults_are_over() {
    // A shutdown in a healthy world leaves nothing behind.
    nothing_left_out(&run_all(800, Mode::Liveness), 800, &["shutdowns_with_rest"]);
}

#[test]
fn every_row_of_the_fault_table_has_a_place() {
    for (index, row) in FAULT_ROWS.iter().enumerate() {
        assert_eq!(usize::from(row.number), index + 1);
        let kinds = FaultKind::of_row(row.number).count();
        assert_eq!(kinds > 0, row.is_simulated(), "row {}: {}", row.number, row.fault);
    }
}

#[test]
fn a_plan_without_a_fault_is_the_same_otherwise() {
    for seed in 0..60 {
        let plan = Plan::draw(seed, Mode::Safety, None);
        assert_eq!(plan, Plan::draw(seed, Mode::Safety, None));
        assert!(plan.sends() >= 50, "seed {seed} has {} sends only", plan.sends());
        for kind in plan.faults() {
            let without = plan.without(kind);
            assert!(!without.faults().contains(&kind), "seed {seed} still has {kind:?}");
            assert_eq!(without.sends(), plan.sends());
        }
    }
}
