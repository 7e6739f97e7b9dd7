//! Unique keys for one-way messages. Their end does not tell the key that the client would choose, so the
//! messages get theirs here; the client keeps a key that is there.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rocketmq_core::message::UniqueKeys;
use rocketmq_driver::{ClientId, UniqueKey};

/// Makes keys for all senders.
#[derive(Debug)]
pub(crate) struct Ids(Mutex<UniqueKeys>);

impl Ids {
    /// Keys with the address of this client.
    pub(crate) fn new(client: &ClientId) -> Self {
        let address = client.as_str().split('@').next().and_then(|ip| ip.parse().ok());
        let ip = address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        // The only randomness that the standard library offers.
        let seed = RandomState::new().hash_one(client.as_str());
        Self(Mutex::new(UniqueKeys::new(ip, std::process::id(), seed)))
    }

    /// A key that no other message has.
    pub(crate) fn next(&self) -> UniqueKey {
        // A clock before 1970 is set wrongly; keys differ all the same.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ms = i64::try_from(wall.as_millis()).unwrap_or(i64::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next(unix_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_start_with_the_address_and_differ() {
        let client = ClientId::new([10, 0, 0, 2].into(), "4711#1", None).expect("a client id");
        let ids = Ids::new(&client);
        let (a, b) = (ids.next(), ids.next());
        assert!(a.as_str().starts_with("0A000002"));
        assert_ne!(a, b);
    }
}
