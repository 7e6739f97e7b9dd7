//! Processor time of one thread.

use std::time::Duration;

/// Processor time that the calling thread has used, user and system; none where the system does not tell it in
/// `/proc`, as Linux does.
pub(crate) fn thread_time() -> Option<Duration> {
    run_time_of(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

/// The first of three numbers: nanoseconds on a processor.
fn run_time_of(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_counts() {
        assert_eq!(run_time_of("1201380 23784411 4\n"), Some(Duration::from_nanos(1_201_380)));
        assert_eq!(run_time_of(""), None);
        assert_eq!(run_time_of("many"), None);
    }
}
