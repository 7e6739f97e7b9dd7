//! What this process has used up so far.

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs::read_to_string;
use std::io::{Error, Result};
use std::time::Instant;

/// Differences of two of these are the figures of a phase.
pub(crate) struct Figures {
    pub(crate) instant: Instant,
    pub(crate) user_seconds: f64,
    pub(crate) system_seconds: f64,
    pub(crate) voluntary_switches: i64,
    pub(crate) involuntary_switches: i64,
    /// Calls of `write` and `writev`: sockets, and the event counter that wakes the runtime. The kernel does not count
    /// `recv`, with which the client reads.
    pub(crate) writes: u64,
    pub(crate) allocations: Option<Allocations>,
}

#[derive(Clone, Copy)]
pub(crate) struct Allocations {
    pub(crate) calls: usize,
    pub(crate) bytes: usize,
}

impl Figures {
    /// Time comes last, so that reading the other figures is not part of the phase that begins.
    pub(crate) fn before() -> Result<Self> {
        let writes = writes()?;
        let allocations = allocations();
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        Ok(Self::new(Instant::now(), usage, allocations, writes))
    }

    /// Time comes first, for the same reason.
    pub(crate) fn after() -> Result<Self> {
        let instant = Instant::now();
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let allocations = allocations();
        Ok(Self::new(instant, usage, allocations, writes()?))
    }

    fn new(instant: Instant, usage: Usage, allocations: Option<Allocations>, writes: u64) -> Self {
        Self {
            instant,
            user_seconds: usage.user_time().num_microseconds() as f64 / 1e6,
            system_seconds: usage.system_time().num_microseconds() as f64 / 1e6,
            voluntary_switches: usage.voluntary_context_switches(),
            involuntary_switches: usage.involuntary_context_switches(),
            writes,
            allocations,
        }
    }
}

#[cfg(feature = "allocations")]
fn allocations() -> Option<Allocations> {
    let stats = stats_alloc::INSTRUMENTED_SYSTEM.stats();
    Some(Allocations { calls: stats.allocations + stats.reallocations, bytes: stats.bytes_allocated })
}

#[cfg(not(feature = "allocations"))]
fn allocations() -> Option<Allocations> {
    None
}

fn writes() -> Result<u64> {
    number("/proc/self/io", "syscw:")
}

pub(crate) fn peak_memory_kib() -> Result<u64> {
    number("/proc/self/status", "VmHWM:")
}

fn number(file: &str, name: &str) -> Result<u64> {
    let text = read_to_string(file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value
        .and_then(|value| value.trim().trim_end_matches(" kB").parse().ok())
        .ok_or_else(|| Error::other(format!("{file} has no number behind {name}")))
}
