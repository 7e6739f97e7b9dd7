use super::*;
use crate::simulate::session::{Care, Session, run};
use crate::world::plan::Mode;
use crate::world::{Invariant, Mutant};

fn broken(invariant: Invariant) -> Broken {
    Broken { invariant, text: "as told".to_owned() }
}

fn drawn(seed: u64) -> Plan {
    Session { mode: Mode::Safety, seed, only: None, without: None, plain: false }.plan()
}

fn is_send(what: &What) -> bool {
    matches!(what, What::Send(_))
}

/// How long it takes from the first step to the end of all pauses.
fn length(plan: &Plan) -> Duration {
    plan.steps.iter().map(|step| step.pause).sum()
}

#[test]
fn what_a_failure_does_not_need_goes() {
    let plan = drawn(3);
    assert!(plan.steps.len() > 20 && !plan.faults().is_empty());
    let mut fails = |plan: &Plan| {
        let sends = plan.steps.iter().filter(|step| is_send(&step.what)).count();
        (sends >= 3).then(|| broken(Invariant::Order))
    };
    let shrunk = shrink(plan, broken(Invariant::Order), 5_000, &mut fails);
    assert!(shrunk.done && shrunk.runs <= 5_000);
    assert_eq!(shrunk.plan.steps.len(), 3);
    assert!(shrunk.plan.steps.iter().all(|step| is_send(&step.what) && step.pause.is_zero()));
    assert_eq!(shrunk.plan.faults(), []);
    assert_eq!((shrunk.plan.shape.brokers, shrunk.plan.shape.name_servers), (1, 1));
    assert_eq!(shrunk.plan.shape.limits, Limits::default());
}

#[test]
fn a_failure_that_needs_time_keeps_its_time() {
    let plan = drawn(4);
    let least = length(&plan) / 2;
    let mut fails = |plan: &Plan| (length(plan) >= least).then(|| broken(Invariant::Deadlines));
    let shrunk = shrink(plan, broken(Invariant::Deadlines), 5_000, &mut fails);
    assert!(shrunk.done);
    assert_eq!(shrunk.plan.steps.len(), 1, "{:?}", shrunk.plan.steps);
    assert!(length(&shrunk.plan) >= least);
}

#[test]
fn another_invariant_is_another_failure() {
    let plan = drawn(5);
    let all = plan.steps.len();
    // Whatever is left out, something else breaks.
    let mut fails = |plan: &Plan| {
        let as_before = plan.steps.len() == all;
        Some(broken(if as_before { Invariant::NoFalseOk } else { Invariant::Liveness }))
    };
    let shrunk = shrink(plan, broken(Invariant::NoFalseOk), 3_000, &mut fails);
    assert_eq!(shrunk.plan.steps.len(), all);
    assert_eq!(shrunk.broken.invariant, Invariant::NoFalseOk);
}

#[test]
fn no_more_runs_than_allowed() {
    for most in [0, 1, 7] {
        let mut runs = 0;
        let shrunk = shrink(drawn(6), broken(Invariant::Order), most, &mut |_| {
            runs += 1;
            Some(broken(Invariant::Order))
        });
        assert_eq!((shrunk.runs, runs, shrunk.done), (most, most, false));
    }
}

#[test]
fn a_real_failure_gets_small_and_stays_the_same() {
    let care = Care { mutant: Some(Mutant::ALL[0]), ..Care::default() };
    let failing = (0..200).map(drawn).find_map(|plan| run(&plan, care).broken.map(|broken| (plan, broken)));
    let (plan, first) = failing.expect("a seed that the mutant fails with");
    let (steps, invariant) = (plan.steps.len(), first.invariant);
    let shrunk = shrink(plan, first, 400, &mut |plan| run(plan, care).broken);
    assert!(shrunk.plan.steps.len() < steps, "{} steps of {steps}", shrunk.plan.steps.len());
    let again = run(&shrunk.plan, care).broken.expect("a failure");
    assert_eq!((again.invariant, &again), (invariant, &shrunk.broken));
}
