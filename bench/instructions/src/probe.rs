//! The one function in which instructions and allocations count.

use std::alloc::System;
use std::hint::black_box;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

/// Adds four instructions to each allocation that is counted.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What callgrind calls the function in which it counts.
pub const MEASURED_FUNCTION: &str = "*bench_instructions::probe::measured*";

/// Counts allocations; instructions are counted from outside.
#[derive(Debug, Default)]
pub struct Probe {
    allocations: usize,
}

impl Probe {
    /// Does work that counts. Must not be called from within such work: callgrind would stop counting there.
    pub fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let region = Region::new(ALLOCATOR);
        let result = measured(work);
        let change = region.change();
        self.allocations += change.allocations + change.reallocations;
        result
    }

    /// Allocations and reallocations so far.
    #[must_use]
    pub fn allocations(&self) -> usize {
        self.allocations
    }
}

/// Has a frame of its own, so that callgrind sees it begin and end.
#[inline(never)]
fn measured<R>(work: impl FnOnce() -> R) -> R {
    black_box(work())
}
