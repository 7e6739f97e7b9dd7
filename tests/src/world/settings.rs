//! What the network and the driver of a simulated world may do.

/// How the network carries bytes and how freely the driver interprets its duties. The default is a network of 500 µs
/// one way and a prompt driver that takes every write whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Least time of one way, in microseconds.
    pub latency_us: u64,
    /// Further random time of one way, in microseconds.
    pub jitter_us: u64,
    /// How many of 1000 writes are taken in part only.
    pub short_writes: u64,
    /// How many of 1000 writes of several chunks end within two bytes of the border between two of them.
    pub border_writes: u64,
    /// How many of 1000 reads hand out a part of what has arrived.
    pub short_reads: u64,
    /// Arrived bytes wait up to this long for others before they are read, in microseconds.
    pub read_delay_us: u64,
    /// Actions are taken up to this late, in microseconds; several inputs may come before.
    pub late_actions_us: u64,
    /// Ticks come up to this late, in microseconds.
    pub late_ticks_us: u64,
    /// What a socket took is reported up to this late, in microseconds.
    pub late_wrote_us: u64,
    /// Timers go off at multiples of this only, in microseconds; 0 for any time.
    pub timer_step_us: u64,
    /// Monotonic time stands still between multiples of this, in microseconds; 0 for a clock that always moves.
    pub clock_step_us: u64,
    /// How many of 1000 inputs are followed by a tick that nobody asked for.
    pub extra_ticks: u64,
    /// How many of 1000 connects are refused although the server is up.
    pub refused_connects: u64,
    /// How many of 1000 connects never end by themselves.
    pub hanging_connects: u64,
}

impl Default for Network {
    fn default() -> Network {
        Network {
            latency_us: 500,
            jitter_us: 0,
            short_writes: 0,
            border_writes: 0,
            short_reads: 0,
            read_delay_us: 0,
            late_actions_us: 0,
            late_ticks_us: 0,
            late_wrote_us: 0,
            timer_step_us: 0,
            clock_step_us: 0,
            extra_ticks: 0,
            refused_connects: 0,
            hanging_connects: 0,
        }
    }
}

impl Network {
    /// How late anything that is due at an instant may happen, in microseconds.
    pub(crate) fn granule_us(&self) -> u64 {
        // A clock that stands still hides a deadline once, and delays the timer that is armed then once more.
        let clock_us = 2 * self.clock_step_us;
        self.late_ticks_us + self.late_actions_us + self.timer_step_us + clock_us + 1
    }

    /// The first time from `at` on at which a timer can go off: its driver must see by its own clock that it is due.
    pub(crate) fn timer_time(&self, at: u64) -> u64 {
        let step = |at: u64, step: u64| if step == 0 { at } else { at.next_multiple_of(step) };
        step(step(at, self.timer_step_us), self.clock_step_us)
    }
}

/// What happens to new connections to one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connects {
    /// Accepted while the server is up, refused otherwise.
    #[default]
    Ordinary,
    /// Refused.
    Refused,
    /// Neither accepted nor refused.
    Hanging,
    /// Accepted by the server so many microseconds later.
    Late(u64),
    /// Its name or address cannot be resolved.
    Unresolved,
    /// Accepted, and nothing is read for so many microseconds.
    Unread(u64),
    /// Accepted by something that sends these bytes and is no RocketMQ server.
    Foreign(&'static [u8]),
}

/// What becomes of one answer on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tamper {
    /// It arrives.
    Keep,
    /// It is lost.
    Drop,
    /// It arrives twice.
    Twice,
    /// These bytes arrive instead.
    Instead(Vec<u8>),
    /// It arrives, but later by this many microseconds, as does everything behind it.
    Late(u64),
}
