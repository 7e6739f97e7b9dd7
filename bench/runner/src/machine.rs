//! How busy the machine is, what processes have used of it, and which machine it is.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use procfs::{Current, CurrentSI};

/// Below this share of idle CPU time, a machine that should do nothing is called busy.
pub const IDLE_ENOUGH: f64 = 0.95;
/// What ended a moment ago may still be cleaned up: a busy machine gets this many looks before it is believed.
const LOOKS: u32 = 6;
const ONE_LOOK: Duration = Duration::from_millis(300);

/// CPU time of the whole machine up to one moment, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct CpuTime {
    /// Of all processes, and what the host took away (steal).
    pub busy: f64,
    pub idle: f64,
}

impl CpuTime {
    pub fn now() -> Result<Self> {
        let total = procfs::KernelStats::current().context("/proc/stat cannot be read")?.total;
        let ticks = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
        let waiting = total.iowait.unwrap_or(0);
        let interrupts = total.irq.unwrap_or(0) + total.softirq.unwrap_or(0);
        let busy = total.user + total.nice + total.system + interrupts + total.steal.unwrap_or(0);
        Ok(Self { busy: ticks(busy), idle: ticks(total.idle + waiting) })
    }

    /// Share of idle time since `before`, 0 … 1.
    pub fn idle_since(&self, before: &Self) -> f64 {
        let (busy, idle) = (self.busy - before.busy, self.idle - before.idle);
        if busy + idle > 0.0 { idle / (busy + idle) } else { 1.0 }
    }

    /// Share of the machine, 0 … 1, that others have used since `before` when `ours` seconds were our own.
    pub fn used_by_others_since(&self, before: &Self, ours: f64) -> f64 {
        let (busy, idle) = (self.busy - before.busy, self.idle - before.idle);
        if busy + idle > 0.0 { ((busy - ours) / (busy + idle)).max(0.0) } else { 0.0 }
    }
}

/// The best of a few looks at a machine that should be idle: 0 … 1.
pub fn idle_now() -> Result<f64> {
    let mut best = 0.0_f64;
    for _ in 0..LOOKS {
        let before = CpuTime::now()?;
        std::thread::sleep(ONE_LOOK);
        best = best.max(CpuTime::now()?.idle_since(&before));
        if best >= IDLE_ENOUGH {
            break;
        }
    }
    Ok(best)
}

/// CPU seconds of a running process: user and system time of all its threads.
pub fn cpu_of(pid: u32) -> Result<f64> {
    let stat = procfs::process::Process::new(pid as i32)
        .and_then(|process| process.stat())
        .with_context(|| format!("process {pid} cannot be read"))?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// CPU seconds of all processes that we started and that have ended.
pub fn cpu_of_ended_children() -> Result<f64> {
    let stat = procfs::process::Process::myself().and_then(|process| process.stat())?;
    Ok((stat.cutime + stat.cstime) as f64 / procfs::ticks_per_second() as f64)
}

/// What a reader of the figures has to know about the machine, as name and value.
pub fn describe() -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Option<String>| {
        facts.extend(value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value)));
    };
    let processors = procfs::CpuInfo::current().ok();
    let model = processors.as_ref().and_then(|all| all.model_name(0).map(str::to_owned));
    let count = processors.as_ref().map(|all| all.num_cores());
    fact("processor", model.zip(count).map(|(model, count)| format!("{count} x {model}")));
    let memory = procfs::Meminfo::current().ok();
    fact("memory", memory.map(|memory| format!("{} MiB", memory.mem_total >> 20)));
    fact("kernel", output(Command::new("uname").args(["-s", "-r", "-m"])));
    fact("rust", output(Command::new("rustc").arg("--version")));
    let sources = env!("CARGO_MANIFEST_DIR");
    let describe = ["-C", sources, "describe", "--always", "--dirty", "--abbrev=12"];
    fact("commit", output(Command::new("git").args(describe)));
    facts
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_machine() {
        let before = CpuTime { busy: 10.0, idle: 100.0 };
        let after = CpuTime { busy: 13.0, idle: 101.0 };
        assert_eq!(after.idle_since(&before), 0.25);
        assert_eq!(after.used_by_others_since(&before, 2.0), 0.25);
        assert_eq!(after.used_by_others_since(&before, 3.02), 0.0, "ticks are rounded: never below nothing");
        assert_eq!(before.idle_since(&before), 1.0);
    }

    #[test]
    fn the_machine_and_our_own_process_can_be_read() {
        let now = CpuTime::now().unwrap();
        assert!(now.busy > 0.0 && now.idle > 0.0);
        assert!(cpu_of(std::process::id()).unwrap() >= 0.0);
        assert!(cpu_of_ended_children().unwrap() >= 0.0);
        assert!(describe().iter().any(|(name, _)| name == "memory"));
    }
}
