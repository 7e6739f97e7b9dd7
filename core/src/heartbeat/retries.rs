//! Heartbeats that failed on a connection that lives are sent again, at growing intervals.

use crate::ground::Instant;
use crate::net::LinkKey;
use alloc::collections::BTreeMap;

/// Failures in a row of one broker, and when it is asked again.
#[derive(Debug)]
struct Retry {
    failures: u32,
    /// [`Instant::NEVER`] while a heartbeat is under way.
    at: Instant,
}

/// The brokers whose last heartbeat failed. Empty nearly always.
#[derive(Debug, Default)]
pub(super) struct Retries {
    links: BTreeMap<LinkKey, Retry>,
}

impl Retries {
    /// A heartbeat failed; `at` tells when the next one follows so many failures.
    pub(super) fn failed(&mut self, link: LinkKey, at: impl FnOnce(u32) -> Instant) {
        let retry = self.links.entry(link).or_insert(Retry { failures: 0, at: Instant::NEVER });
        retry.failures = retry.failures.saturating_add(1);
        retry.at = at(retry.failures);
    }

    pub(super) fn succeeded(&mut self, link: LinkKey) {
        self.links.remove(&link);
    }

    /// A heartbeat leaves anyway: its outcome is waited for.
    pub(super) fn rest(&mut self, link: LinkKey) {
        if let Some(retry) = self.links.get_mut(&link) {
            retry.at = Instant::NEVER;
        }
    }

    /// The next broker that is to be asked again by now. Its failures stay counted.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<LinkKey> {
        let (link, retry) = self.links.iter_mut().find(|(_, retry)| retry.at <= now)?;
        retry.at = Instant::NEVER;
        Some(*link)
    }

    pub(super) fn next(&self) -> Instant {
        self.links.values().map(|retry| retry.at).min().unwrap_or(Instant::NEVER)
    }

    pub(super) fn retain(&mut self, stays: impl Fn(LinkKey) -> bool) {
        self.links.retain(|link, _| stays(*link));
    }
}
