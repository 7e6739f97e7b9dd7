//! What a phase used: CPU time, context switches, allocations.

use nix::sys::resource::{Usage as ResourceUsage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::io;

/// Whose use is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// The calling thread's.
    Thread,
    /// The whole process's.
    Process,
}

/// A reading, or the difference of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) user_seconds: f64,
    pub(crate) system_seconds: f64,
    pub(crate) voluntary_switches: i64,
    pub(crate) involuntary_switches: i64,
    pub(crate) allocations: usize,
    pub(crate) allocated_bytes: usize,
}

impl Usage {
    pub(crate) fn now(whose: Whose) -> io::Result<Self> {
        let used = read(whose)?;
        let allocated = crate::ALLOCATOR.stats();
        Ok(Self {
            user_seconds: seconds(used.user_time()),
            system_seconds: seconds(used.system_time()),
            voluntary_switches: used.voluntary_context_switches(),
            involuntary_switches: used.involuntary_context_switches(),
            allocations: allocated.allocations + allocated.reallocations,
            allocated_bytes: allocated.bytes_allocated,
        })
    }

    /// What was used since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            user_seconds: self.user_seconds - before.user_seconds,
            system_seconds: self.system_seconds - before.system_seconds,
            voluntary_switches: self.voluntary_switches - before.voluntary_switches,
            involuntary_switches: self.involuntary_switches - before.involuntary_switches,
            allocations: self.allocations - before.allocations,
            allocated_bytes: self.allocated_bytes - before.allocated_bytes,
        }
    }
}

/// Largest memory the process ever had.
pub(crate) fn peak_rss_kib() -> io::Result<i64> {
    Ok(read(Whose::Process)?.max_rss())
}

fn read(whose: Whose) -> io::Result<ResourceUsage> {
    let who = match whose {
        Whose::Thread => UsageWho::RUSAGE_THREAD,
        Whose::Process => UsageWho::RUSAGE_SELF,
    };
    Ok(getrusage(who)?)
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}
