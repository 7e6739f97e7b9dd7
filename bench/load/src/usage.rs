//! What the process has used so far, as the system and the allocator count it.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::ops::Sub;
use std::time::Duration;

#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// What the process has used since it began; the difference of two is what a phase used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in its own code.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// Times that a thread had nothing to do and slept.
    pub voluntary_switches: u64,
    /// Times that a thread was sent away.
    pub involuntary_switches: u64,
    /// What was allocated; none when nobody counts.
    pub heap: Option<Heap>,
}

/// Calls of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heap {
    /// Allocations, growths included.
    pub allocations: u64,
    /// Bytes asked for.
    pub bytes: u64,
}

impl Usage {
    /// What was used until now.
    ///
    /// # Errors
    /// That of the system.
    pub fn now() -> std::io::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let count = |number| u64::try_from(number).unwrap_or(0);
        Ok(Self {
            user: duration(usage.user_time()),
            system: duration(usage.system_time()),
            voluntary_switches: count(usage.voluntary_context_switches()),
            involuntary_switches: count(usage.involuntary_context_switches()),
            heap: heap(),
        })
    }

    /// Processor time in all.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let heap = self.heap.zip(earlier.heap).map(|(now, then)| Heap {
            allocations: now.allocations - then.allocations,
            bytes: now.bytes - then.bytes,
        });
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            voluntary_switches: self.voluntary_switches - earlier.voluntary_switches,
            involuntary_switches: self.involuntary_switches - earlier.involuntary_switches,
            heap,
        }
    }
}

fn duration(time: TimeVal) -> Duration {
    let micros = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_usec());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// What was allocated so far; none when nobody counts.
#[must_use]
pub fn heap() -> Option<Heap> {
    #[cfg(feature = "count-allocations")]
    {
        let stats = ALLOCATOR.stats();
        let allocations = (stats.allocations + stats.reallocations) as u64;
        Some(Heap { allocations, bytes: stats.bytes_allocated as u64 })
    }
    #[cfg(not(feature = "count-allocations"))]
    None
}

/// The most memory that the process ever had in use, in KiB (`VmHWM`).
#[must_use]
pub fn peak_rss_kib() -> Option<u64> {
    high_water_mark(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Usage, heap, high_water_mark, peak_rss_kib};
    use std::time::{Duration, Instant};

    #[test]
    fn the_peak_is_read_from_the_status_of_the_process() {
        let status = "Name:\tload\nVmPeak:\t   99 kB\nVmHWM:\t    5120 kB\nVmRSS:\t    4000 kB\n";
        assert_eq!(high_water_mark(status), Some(5_120));
        assert_eq!(high_water_mark("Name:\tload\n"), None);
        assert!(peak_rss_kib().is_none_or(|kib| kib > 100));
    }

    #[test]
    fn work_shows_as_processor_time() {
        let before = Usage::now().unwrap();
        let start = Instant::now();
        while (Usage::now().unwrap() - before).cpu() < Duration::from_millis(5) {
            assert!(start.elapsed() < Duration::from_secs(30), "no processor time is counted");
        }
    }

    #[test]
    fn allocations_are_counted_exactly_when_the_build_counts_them() {
        let before = heap();
        let boxes: Vec<Box<u64>> = (0..100).map(Box::new).collect();
        let after = heap();
        assert_eq!(boxes.len(), 100);
        assert_eq!(before.is_some(), cfg!(feature = "count-allocations"));
        if let (Some(before), Some(after)) = (before, after) {
            assert!(after.allocations - before.allocations >= 101);
            assert!(after.bytes - before.bytes >= 800);
        }
    }
}
