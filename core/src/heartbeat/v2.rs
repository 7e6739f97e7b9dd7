//! Heartbeats of version 2: a broker that has heard all of it is only told that nothing has changed.
//!
//! What is left out are subscriptions, so a client that only produces gains nothing by it but a shorter way through
//! the broker. Knowledge of a broker ends with its connection: behind the same address another process may answer.

use crate::body::{write_heartbeat_data, write_heartbeat_v2};
use crate::ground::names::ClientId;
use crate::interface::Counters;
use crate::message::java_string_hash;
use crate::net::LinkKey;
use crate::request::HeartbeatAnswer;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use bytes::BytesMut;

/// What is said in version 2, and which brokers have heard it.
#[derive(Debug, Default)]
pub(super) struct VersionTwo {
    fingerprint: i32,
    whole: BytesMut,
    without_sub: BytesMut,
    brokers: BTreeMap<LinkKey, Known>,
}

/// What is known of the broker at the other end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Known {
    /// It did not say that it knows version 2, or rejected a heartbeat.
    speaks_v1: bool,
    /// The fingerprint of the last heartbeat that was written; none of one in version 1.
    written: Option<i32>,
    /// The fingerprint of what it has heard in whole.
    heard: Option<i32>,
}

/// How a heartbeat is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    V1,
    Whole,
    WithoutSub,
}

impl Known {
    /// The form of the next heartbeat.
    pub(super) fn form(self, fingerprint: i32) -> Form {
        if self.speaks_v1 {
            Form::V1
        } else if self.heard == Some(fingerprint) {
            Form::WithoutSub
        } else {
            Form::Whole
        }
    }

    pub(super) fn wrote(&mut self, form: Form, fingerprint: i32) {
        self.written = (form != Form::V1).then_some(fingerprint);
    }

    /// The broker accepted a heartbeat.
    pub(super) fn answered(&mut self, answer: HeartbeatAnswer) {
        self.speaks_v1 = !answer.supports_v2;
        self.heard = self.written.filter(|_| answer.supports_v2 && !answer.sub_change);
    }

    /// The broker rejected a heartbeat: the plain form is tried, whose answer tells of version 2 as well.
    pub(super) fn rejected(&mut self) {
        self.speaks_v1 = true;
        self.heard = None;
    }
}

impl VersionTwo {
    pub(super) fn set_groups(&mut self, client_id: &ClientId, groups: Vec<&str>) {
        self.fingerprint = fingerprint(groups.clone());
        for (body, without_sub) in [(&mut self.whole, false), (&mut self.without_sub, true)] {
            body.clear();
            let groups = groups.iter().copied();
            write_heartbeat_v2(body, client_id.as_str(), groups, self.fingerprint, without_sub);
        }
    }

    /// The body of the heartbeat that is written to a broker now; `plain` is that of version 1.
    pub(super) fn body<'a>(
        &'a mut self,
        link: LinkKey,
        plain: &'a BytesMut,
        counters: &mut Counters,
    ) -> &'a BytesMut {
        let known = self.brokers.entry(link).or_default();
        let form = known.form(self.fingerprint);
        known.wrote(form, self.fingerprint);
        match form {
            Form::V1 => plain,
            Form::Whole => &self.whole,
            Form::WithoutSub => {
                counters.heartbeats_without_sub += 1;
                &self.without_sub
            }
        }
    }

    pub(super) fn answered(&mut self, link: LinkKey, answer: HeartbeatAnswer) {
        if let Some(known) = self.brokers.get_mut(&link) {
            known.answered(answer);
        }
    }

    pub(super) fn rejected(&mut self, link: LinkKey) {
        if let Some(known) = self.brokers.get_mut(&link) {
            known.rejected();
        }
    }

    /// Nothing is known of the broker any more.
    pub(super) fn forget(&mut self, link: LinkKey) {
        self.brokers.remove(&link);
    }

    pub(super) fn retain(&mut self, stays: impl Fn(LinkKey) -> bool) {
        self.brokers.retain(|link, _| stays(*link));
    }
}

/// Java's `HeartbeatData.computeHeartbeatFingerprint` of a client that only produces: the string hash of the plain body
/// without the client id. Java writes its groups in the order of a hash set, which differs from run to run; here they
/// are sorted, so equal groups have one fingerprint.
pub(super) fn fingerprint(mut groups: Vec<&str>) -> i32 {
    groups.sort_unstable();
    let mut text = BytesMut::new();
    write_heartbeat_data(&mut text, "", groups);
    java_string_hash(core::str::from_utf8(&text).unwrap_or_default())
}
