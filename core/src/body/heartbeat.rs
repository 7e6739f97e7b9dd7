//! The body of `HEART_BEAT` (34).

use alloc::string::ToString;

use bytes::{BufMut, BytesMut};

use crate::wire::text::control_escape;

/// Adds the heartbeat of a client that only produces to `out`.
///
/// `client_id` is what replies and `UNREGISTER_CLIENT` are matched with. Each group in
/// `producer_groups` is registered for transaction checks. The list of consumers is written as an
/// empty list, because brokers fail on a missing one.
///
/// ```
/// let mut body = bytes::BytesMut::new();
/// rocketmq_core::body::write_heartbeat_data(&mut body, "10.0.0.1@7", ["PG"]);
/// assert_eq!(
///     body,
///     concat!(
///         r#"{"clientID":"10.0.0.1@7","consumerDataSet":[],"heartbeatFingerprint":0,"#,
///         r#""producerDataSet":[{"groupName":"PG"}],"withoutSub":false}"#,
///     )
/// );
/// ```
#[doc(alias = "HeartbeatData")]
pub fn write_heartbeat_data<'g>(
    out: &mut BytesMut,
    client_id: &str,
    producer_groups: impl IntoIterator<Item = &'g str>,
) {
    write(out, client_id, producer_groups, 0, false);
}

/// Adds a heartbeat of version 2, for brokers from 5.1.3 on, of a client that only produces.
///
/// `fingerprint` stands for everything that the client says besides its id; 0 would mean version 1. `without_sub`
/// says that subscriptions are left out, because the broker has had them with the same fingerprint before.
/// Producer groups are never left out. Older brokers pass over both fields.
#[doc(alias = "useHeartbeatV2")]
pub fn write_heartbeat_v2<'g>(
    out: &mut BytesMut,
    client_id: &str,
    producer_groups: impl IntoIterator<Item = &'g str>,
    fingerprint: i32,
    without_sub: bool,
) {
    write(out, client_id, producer_groups, fingerprint, without_sub);
}

fn write<'g>(
    out: &mut BytesMut,
    client_id: &str,
    producer_groups: impl IntoIterator<Item = &'g str>,
    fingerprint: i32,
    without_sub: bool,
) {
    out.put_slice(b"{\"clientID\":\"");
    put_escaped(out, client_id);
    if fingerprint == 0 {
        out.put_slice(b"\",\"consumerDataSet\":[],\"heartbeatFingerprint\":0,\"producerDataSet\":[");
    } else {
        out.put_slice(b"\",\"consumerDataSet\":[],\"heartbeatFingerprint\":");
        out.put_slice(fingerprint.to_string().as_bytes());
        out.put_slice(b",\"producerDataSet\":[");
    }
    let mut separator: &[u8] = b"";
    for group in producer_groups {
        out.put_slice(separator);
        separator = b",";
        out.put_slice(b"{\"groupName\":\"");
        put_escaped(out, group);
        out.put_slice(b"\"}");
    }
    let end: &[u8] = if without_sub { b"],\"withoutSub\":true}" } else { b"],\"withoutSub\":false}" };
    out.put_slice(end);
}

/// The inside of a JSON string.
fn put_escaped(out: &mut BytesMut, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.put_slice(&[b'\\', byte]),
            0x20.. => out.put_u8(byte),
            control => out.put_slice(&control_escape(control)),
        }
    }
}

#[cfg(test)]
mod tests;
