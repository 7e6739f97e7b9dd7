//! The one kind of connection that carries no frames: to the HTTP server that knows the name servers.

use super::{Client, Purpose};
use crate::cluster::DiscoveryPurpose;
use crate::net::ConnKey;

impl From<DiscoveryPurpose> for Purpose {
    fn from(_: DiscoveryPurpose) -> Self {
        Self::Discovery
    }
}

impl Client {
    /// Bytes came on a connection whose bytes are not cut into frames.
    #[cold]
    pub(super) fn received_text(&mut self, conn: ConnKey, bytes: &[u8]) {
        if !self.net.is_discovery(conn) {
            return;
        }
        let Some(question) = self.cluster.read_discovery(bytes) else {
            return;
        };
        if self.net.claim(conn, question).is_ok() {
            self.net.proved_well(conn);
            let Self { now, cluster, net, actions, .. } = self;
            cluster.discovered(now.mono, net, actions);
        }
    }
}
