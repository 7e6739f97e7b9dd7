//! Every limit and every time-out of the client, in two tables with their defaults.

use super::config::ConfigError;
use crate::wire::WireLimits;
use alloc::format;
use core::time::Duration;

macro_rules! table {
    ($(#[$outer:meta])* $name:ident of $of:ty { $($(#[$inner:meta])* $field:ident = $default:expr,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$inner])* pub $field: $of,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            pub(crate) fn fields(&self) -> [(&'static str, $of); [$(stringify!($field)),*].len()] {
                [$((stringify!($field), self.$field)),*]
            }

            /// The field of this name.
            #[cfg(feature = "record")]
            pub(crate) fn field_mut(&mut self, name: &str) -> Option<&mut $of> {
                $(if name == stringify!($field) {
                    return Some(&mut self.$field);
                })*
                None
            }
        }
    };
}

table! {
    /// Every period and time-out of a client.
    Timing of Duration {
        /// Opening a connection. Java: `connectTimeoutMillis`. Default 3 s.
        connect_timeout = Duration::from_secs(3),
        /// One question to a name server, one heartbeat, one unregister. Java: `mqClientApiTimeout`. Default 3 s.
        api_timeout = Duration::from_secs(3),
        /// Between two heartbeats to a broker. Java: `heartbeatBrokerInterval`. Default 30 s; brokers forget after 120 s.
        heartbeat_interval = Duration::from_secs(30),
        /// First pause after a heartbeat that a broker rejected or left without an answer; doubled with jitter, up to
        /// `heartbeat_interval`. Default 1 s.
        heartbeat_retry_interval = Duration::from_secs(1),
        /// Between two route queries of a topic. Java: `pollNameServerInterval`. Default 30 s.
        route_interval = Duration::from_secs(30),
        /// Between two questions of HTTP discovery for the list of name servers. Java fixes it to the default. Default 2 min.
        name_server_interval = Duration::from_secs(120),
        /// Between two route queries while a topic lives on the default topic's route, or an answer
        /// showed that the route is stale. Default 1 s, doubled up to `route_interval`.
        route_retry_interval = Duration::from_secs(1),
        /// A topic that was not used for this long is forgotten. Default 1 h.
        topic_expiry = Duration::from_secs(3_600),
        /// A connection with pending requests is closed when no byte came for this long. Default 10 s.
        silence_timeout = Duration::from_secs(10),
        /// A connection with pending requests from which no byte came for this long has stalled: sends that may
        /// go elsewhere do. Default 100 ms.
        stall_timeout = Duration::from_millis(100),
        /// First pause after a failed connect; doubled with jitter. Default 100 ms.
        reconnect_pause_min = Duration::from_millis(100),
        /// Longest pause between two connects. Default 2 s.
        reconnect_pause_max = Duration::from_secs(2),
        /// Longest pause between two connects to a broker's VIP port; one below `reconnect_pause_min` counts as that.
        /// Default 30 s.
        vip_pause_max = Duration::from_secs(30),
        /// First pause of a send that cannot go out or is asked to wait; doubled with jitter. Default 20 ms.
        retry_pause_min = Duration::from_millis(20),
        /// Longest pause of a send. Default 1 s.
        retry_pause_max = Duration::from_secs(1),
        /// Least time for one attempt, however many are left. Default 200 ms.
        attempt_time_min = Duration::from_millis(200),
        /// How long a shutdown waits for answers to unregistering after the drain. Default 1 s.
        unregister_timeout = Duration::from_secs(1),
        /// How long a check of a transaction waits for its answer: longer than until the broker asks again. Default 2 min.
        transaction_check_kept = Duration::from_secs(120),
        /// How long it is remembered that a transaction was ended: longer than brokers ask, 15 times each 30 s or, in 4.x,
        /// 60 s. Default 20 min.
        ended_transaction_kept = Duration::from_secs(1_200),
    }
}

impl Timing {
    /// Refuses periods of zero and longer than a year, and maxima below their minima.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (field, value) in self.fields() {
            if value.is_zero() || value > Duration::from_secs(366 * 86_400) {
                let reason = format!("{value:?} is not between 1 ns and a year");
                return Err(ConfigError { field, reason });
            }
        }
        for (field, least, most) in [
            ("reconnect_pause_max", self.reconnect_pause_min, self.reconnect_pause_max),
            ("retry_pause_max", self.retry_pause_min, self.retry_pause_max),
        ] {
            if most < least {
                return Err(ConfigError {
                    field,
                    reason: format!("{most:?} is less than its minimum {least:?}"),
                });
            }
        }
        Ok(())
    }
}

table! {
    /// Every limit of number and size of a client.
    Limits of usize {
        /// Messages under way in the whole client. Default 65 536.
        messages = 65_536,
        /// Bytes of messages under way in the whole client. Default 128 MiB.
        message_bytes = 128 * 1024 * 1024,
        /// Messages under way of one producer. Default 49 152.
        producer_messages = 49_152,
        /// Bytes of messages under way of one producer. Default 96 MiB.
        producer_message_bytes = 96 * 1024 * 1024,
        /// Messages under way of one topic of one producer. Default 32 768.
        topic_messages = 32_768,
        /// Bytes of messages under way of one topic of one producer. Default 64 MiB.
        topic_message_bytes = 64 * 1024 * 1024,
        /// Callers that wait for room; further ones are refused. Default 1 048 576 (100 bytes each).
        waiting_callers = 1_048_576,
        /// Requests without answer on one connection; further ones wait as values. At most 65 536. Default 65 536.
        connection_requests = 65_536,
        /// Encoded bytes not yet taken by a socket, from which on requests wait as values. Default 128 KiB.
        outbox_bytes = 128 * 1024,
        /// Producers of one client. Default 1 024.
        producers = 1_024,
        /// Checks of transactions that wait for their answers; further ones are left to be asked again. Java:
        /// `checkRequestHoldMax`. Default 2 000.
        transaction_checks = 2_000,
        /// Bytes of their messages. Default 16 MiB.
        transaction_check_bytes = 16 * 1024 * 1024,
        /// Ended transactions that are remembered, the newest. Default 65 536 (about 150 bytes each).
        ended_transactions = 65_536,
        /// Topics whose routes are kept. Default 65 536.
        topics = 65_536,
        /// Largest frame that is read, its four length bytes included. Default 16 MiB, as Java.
        frame_bytes = crate::wire::MAX_FRAME_BYTES,
        /// Largest header that is read. Default 1 MiB.
        header_bytes = 1024 * 1024,
        /// Most ext fields of a header. Default 256.
        ext_fields = 256,
        /// Most brokers, and most queue entries, of one route. Default 16 384.
        route_entries = 16_384,
        /// Longest body of an answer of HTTP discovery, and most bytes around it. Default 64 KiB.
        discovery_bytes = 64 * 1024,
        /// Most queues of one route. Default 1 048 576.
        route_queues = 1_048_576,
        /// Administrative calls under way; further ones are refused. Default 1 024.
        admin_calls = 1_024,
        /// Bytes of the messages that one administrative call brings. Default 64 MiB.
        admin_message_bytes = 64 * 1024 * 1024,
    }
}

impl Limits {
    /// Refuses limits of zero and those that the wire cannot keep.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (field, value) in self.fields() {
            if value == 0 {
                return Err(ConfigError { field, reason: "must not be zero".into() });
            }
        }
        for (field, value, most) in [
            ("connection_requests", self.connection_requests, 65_536),
            ("frame_bytes", self.frame_bytes, crate::wire::MAX_FRAME_BYTES),
            ("header_bytes", self.header_bytes, crate::wire::MAX_FRAME_BYTES),
            ("messages", self.messages, 1 << 28),
        ] {
            if value > most {
                return Err(ConfigError { field, reason: format!("{value} is more than {most}") });
            }
        }
        Ok(())
    }

    /// What the codec needs of the table.
    #[must_use]
    pub fn wire(&self) -> WireLimits {
        WireLimits {
            max_frame: self.frame_bytes,
            max_header: self.header_bytes,
            max_ext_fields: self.ext_fields,
            ..WireLimits::default()
        }
    }
}
