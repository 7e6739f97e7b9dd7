//! Every invariant can be broken, and is noticed when it is: clients that are broken on purpose, one way at a time, are
//! caught by the check that is meant for them, by no other, and the same runs are clean without them.

use std::collections::BTreeSet;

use rocketmq_sim::world::{Invariant, Mutant, mutant_table, print_mutants};

/// A mutant that so many seeds do not catch lives.
const MOST_SEEDS: u64 = 400;

#[test]
fn every_invariant_has_a_mutant() {
    let broken: BTreeSet<Invariant> = Mutant::ALL.iter().map(|mutant| mutant.breaks()).collect();
    let all: BTreeSet<Invariant> = Invariant::ALL.into_iter().collect();
    assert_eq!(broken, all);
    let names: BTreeSet<&str> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
    assert_eq!(names.len(), Mutant::ALL.len());
}

#[test]
fn every_mutant_is_caught_by_the_check_that_is_meant_for_it() {
    let rows = mutant_table(MOST_SEEDS);
    println!("{}", print_mutants(&rows));
    let missed: Vec<_> = rows.iter().filter(|row| !row.is_proof() || row.checked == 0).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}
