//! Faults of clocks and processes.

use std::time::Duration;

use super::super::{FaultKind, FaultStep};
use super::Run;

/// Jumps of the wall clock, in milliseconds: an hour back and forth, a little back, over the end of a month, of a
/// leap second, and back to 1970.
const JUMPS: [i64; 7] = [-3_600_000, 3_600_000, -40, 86_400_000 * 31, 1_000, -1_000, -1_733_000_000_000];

impl Run<'_> {
    pub(super) fn clock_fault(&mut self, fault: &FaultStep) -> bool {
        if fault.kind == FaultKind::WallJump {
            self.world.jump_wall_clock(JUMPS[fault.draw as usize % JUMPS.len()]);
        } else {
            let time = if fault.draw.is_multiple_of(4) { Duration::from_secs(300) } else { fault.time };
            self.world.freeze(time);
        }
        true
    }
}
