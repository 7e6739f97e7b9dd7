//! Replays the committed corpus of the coverage-guided simulation, on any compiler.

use std::fs;
use std::path::Path;

#[path = "world_fuzz/simulation.rs"]
mod simulation;

#[test]
fn every_input_that_was_found_keeps_all_invariants() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/simulation");
    let mut inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= 20, "{} inputs", inputs.len());
    for input in inputs {
        // Shown only when the run fails.
        println!("{}", input.display());
        simulation::check(&fs::read(&input).unwrap());
    }
}
