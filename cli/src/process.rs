//! What this process has used so far: processor time and memory.

use std::time::Duration;

/// Processor time of all threads, user and system; none where the system has no such clock.
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd"))]
pub(crate) fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let secs = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    Some(Duration::new(secs, nanos))
}

/// Processor time of all threads, user and system; none where the system has no such clock.
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd")))]
pub(crate) fn cpu_time() -> Option<Duration> {
    None
}

/// The most memory this process ever had resident, in KiB (`VmHWM`). Linux only, else none.
pub(crate) fn peak_rss_kib() -> Option<u64> {
    peak_rss_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_rss_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_its_line() {
        let status = "Name:\trocketmq\nVmPeak:\t  9999 kB\nVmHWM:\t    5124 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(peak_rss_of(status), Some(5124));
        assert_eq!(peak_rss_of("VmRSS:\t12 kB\n"), None);
        assert_eq!(peak_rss_of("VmHWM:\t-5 kB\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_both() {
        assert!(cpu_time().is_some_and(|time| !time.is_zero()));
        assert!(peak_rss_kib().is_some_and(|kib| kib > 0));
    }
}
