//! Events for the `tracing` crate. Without the feature of that name nothing is kept and nothing is said.

#[cfg(feature = "tracing")]
pub(crate) use told::Pending;
#[cfg(not(feature = "tracing"))]
pub(crate) use untold::Pending;

#[cfg(not(feature = "tracing"))]
mod untold {
    use rocketmq_core::interface::Notice;

    /// Takes notices and keeps none.
    #[derive(Debug, Default)]
    pub(crate) struct Pending {}

    impl Pending {
        pub(crate) fn push(&mut self, _: Notice) {}
        pub(crate) fn push_undelivered(&mut self, _: usize) {}
        pub(crate) fn push_recording_failed(&mut self, _: &str) {}
        pub(crate) fn take(&mut self) -> Self {
            Self {}
        }
        pub(crate) fn emit(self) {}
    }
}

#[cfg(feature = "tracing")]
mod told {
    use rocketmq_core::interface::Notice;
    use std::fmt::{self, Display, Write};

    /// Longest text of a server in an event, in characters.
    const LONGEST: usize = 300;

    /// Notices between the turn that made them and the end of its lock: subscribers are user code.
    #[derive(Debug, Default)]
    pub(crate) struct Pending {
        notices: Vec<Notice>,
        undelivered: usize,
        recording_failed: Option<String>,
    }

    impl Pending {
        pub(crate) fn push(&mut self, notice: Notice) {
            self.notices.push(notice);
        }

        pub(crate) fn push_undelivered(&mut self, count: usize) {
            self.undelivered += count;
        }

        pub(crate) fn push_recording_failed(&mut self, why: &str) {
            self.recording_failed = Some(why.to_owned());
        }

        pub(crate) fn take(&mut self) -> Self {
            std::mem::take(self)
        }

        pub(crate) fn emit(self) {
            for notice in self.notices {
                emit(&notice);
            }
            if self.undelivered > 0 {
                tracing::warn!(
                    messages = self.undelivered,
                    "closed with undelivered messages and nobody to take them"
                );
            }
            if let Some(why) = self.recording_failed {
                tracing::warn!(%why, "recording ended");
            }
        }
    }

    fn emit(notice: &Notice) {
        match notice {
            Notice::ConnectionUp { conn, endpoint } => tracing::info!(?conn, %endpoint, "connected"),
            Notice::ConnectionDown { endpoint, why } => {
                tracing::info!(%endpoint, why = %Safe(why), "connection lost")
            }
            Notice::RouteChanged { topic, queues, provisional } => {
                tracing::info!(topic = %Safe(topic), queues, provisional, "route changed");
            }
            Notice::BrokerLeft { broker } => tracing::info!(broker = %Safe(broker), "broker left all routes"),
            Notice::VipChannelUnreachable { broker, address, why, pause } => {
                tracing::warn!(broker = %Safe(broker), %address, why = %Safe(why), ?pause, "VIP channel unreachable");
            }
            Notice::BrokerAvoided { broker, latency, failed, avoided_for } => {
                tracing::info!(broker = %Safe(broker), ?latency, failed, ?avoided_for, "broker avoided");
            }
            Notice::NameServersChanged { name_servers } => {
                tracing::info!(%name_servers, "other name servers")
            }
            Notice::DiscoveryFailed { endpoint, why } => {
                tracing::warn!(%endpoint, why = %Safe(why), "no list of name servers");
            }
            Notice::Retry { topic, broker, why, after } => {
                let broker = broker.as_ref().map_or("", |broker| broker.as_str());
                tracing::debug!(topic = %Safe(topic), broker = %Safe(&broker), why = %Safe(why), ?after, "send is tried again");
            }
            Notice::StrayAnswer { endpoint, kind, code } => {
                tracing::debug!(%endpoint, ?kind, code = %Safe(code), "answer that nobody waits for");
            }
            Notice::HeartbeatFailed { endpoint, why } => {
                tracing::warn!(%endpoint, why = %Safe(why), "heartbeat failed");
            }
            // The list may grow; an event that is not known here is still worth a line.
            other => tracing::debug!(notice = ?other, "notice"),
        }
    }

    /// A text that may come from a server: control characters escaped, length capped.
    struct Safe<'a, T>(&'a T);

    impl<T: Display> Display for Safe<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut line = Line { into: f, left: LONGEST };
            match write!(line, "{}", self.0) {
                // The end of the room, not a failure of the formatter.
                Err(_) if line.left == 0 => f.write_str("..."),
                done => done,
            }
        }
    }

    struct Line<'a, 'b> {
        into: &'a mut fmt::Formatter<'b>,
        left: usize,
    }

    impl Write for Line<'_, '_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for character in text.chars() {
                if self.left == 0 {
                    return Err(fmt::Error);
                }
                self.left -= 1;
                if character.is_control() {
                    write!(self.into, "{}", character.escape_default())?;
                } else {
                    self.into.write_char(character)?;
                }
            }
            Ok(())
        }
    }

    #[cfg(test)]
    mod tests {
        use super::{LONGEST, Safe};

        #[test]
        fn control_characters_are_escaped_and_length_is_capped() {
            assert_eq!(Safe(&"a\nb\u{1b}[31m").to_string(), "a\\nb\\u{1b}[31m");
            let long = "x".repeat(LONGEST + 1);
            assert_eq!(Safe(&long).to_string(), format!("{}...", "x".repeat(LONGEST)));
            let exact = "y".repeat(LONGEST);
            assert_eq!(Safe(&exact).to_string(), exact);
        }
    }
}
