//! One address: whether there is a connection to it, how it fared, and who waits for it.

use super::{ConnKey, NetTimer, RequestKey};
use crate::ground::endpoint::Endpoint;
use crate::ground::{Instant, Rng, TimerKey};
use alloc::collections::VecDeque;
use core::time::Duration;

/// As what an address is used. Each role has a connection of its own: what is sent to a name server's address because a
/// route calls it a broker's must not stand in the way of the next question to the name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    NameServer,
    Broker,
    /// An HTTP server that knows the name servers.
    Discovery,
    /// A broker, for administrative calls: their answers may be large.
    Admin,
    /// A broker's second port, for sends. Whoever finds no connection there takes the ordinary one.
    Vip,
}

/// An address with the state of its connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) role: Role,
    pub(crate) endpoint: Endpoint,
    pub(crate) state: LinkState,
    /// Requests that are not encoded yet, oldest first.
    pub(crate) waiting: VecDeque<RequestKey>,
    /// How many of them have not ended meanwhile.
    pub(crate) live: usize,
    /// Failures in a row: connects that failed and connections that ended while in use. Zero again with the
    /// first proper answer: a server that accepts and then closes, or says go away, is not well.
    pub(crate) failures: u32,
    /// Connected again by itself when the connection is lost.
    pub(crate) keep: bool,
    /// Was wanted once and is not any more: forgotten when nothing is left of it.
    pub(crate) let_go: bool,
    /// Stands in the queue of links that can write.
    pub(crate) queued: bool,
}

/// Whether there is a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LinkState {
    /// None; none is opened before `not_before`.
    Down {
        not_before: Instant,
        timer: Option<TimerKey<NetTimer>>,
    },
    Connecting {
        conn: ConnKey,
        timer: TimerKey<NetTimer>,
    },
    Up {
        conn: ConnKey,
    },
}

impl Link {
    pub(crate) fn new(role: Role, endpoint: Endpoint) -> Self {
        Self {
            role,
            endpoint,
            state: LinkState::Down { not_before: Instant::ZERO, timer: None },
            waiting: VecDeque::new(),
            live: 0,
            failures: 0,
            keep: false,
            let_go: false,
            queued: false,
        }
    }

    /// The connection, open or being opened.
    pub(crate) fn conn(&self) -> Option<ConnKey> {
        match self.state {
            LinkState::Down { .. } => None,
            LinkState::Connecting { conn, .. } | LinkState::Up { conn } => Some(conn),
        }
    }
}

/// The pause before the next try after `failures` failures in a row: doubled each time, with jitter.
pub(crate) fn pause(rng: &mut Rng, failures: u32, min: Duration, max: Duration) -> Duration {
    let doubled = min.saturating_mul(1_u32 << failures.saturating_sub(1).min(20));
    rng.jitter(doubled.min(max))
}

#[cfg(test)]
mod tests {
    use super::pause;
    use crate::ground::Rng;
    use core::time::Duration;

    #[test]
    fn pauses_double_up_to_the_maximum_and_differ() {
        let (min, max) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut rng = Rng::new(1);
        for (failures, most) in [(1, 100), (2, 200), (3, 400), (7, 5_000), (60, 5_000)] {
            let most = Duration::from_millis(most);
            let got = pause(&mut rng, failures, min, max);
            assert!(got >= most / 2 && got <= most, "{failures}: {got:?}");
        }
        assert_ne!(pause(&mut rng, 9, min, max), pause(&mut rng, 9, min, max));
    }
}
