//! The HTTP server that knows the name servers, truly or not.

use arbitrary::{Result, Unstructured};
use rocketmq_core::client::{ClientConfig, ConnId};
use rocketmq_core::ground::endpoint::NameServers;

use super::Machine;

/// Where it is.
pub(crate) const WEB: &str = "10.0.9.1:8080";

/// What it may say. Without choices left, the first.
const ANSWERS: [&[u8]; 9] = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n10.0.0.2:9876",
    b"HTTP/1.1 200 OK\r\n\r\n10.0.0.1:9876;10.0.0.3:9876",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n10.0.0.3\r\n5\r\n:9876\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 No\r\nContent-Length: 13\r\n\r\n10.0.0.2:9876",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n10.0",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
    b"\0\0\0\x08\0\0\0\x04{}{}",
];

/// Some clients ask it for name servers, and some of them know none before.
pub(super) fn draw(config: &mut ClientConfig, seed: u8) {
    if seed & 0xf0 == 0xe0 {
        config.discovery = Some("10.0.9.1".parse().unwrap());
        if seed & 1 != 0 {
            config.name_servers = NameServers::none();
        }
    }
}

impl Machine {
    /// Answers the question, if one came.
    pub(super) fn web_answer(&mut self, conn: ConnId, choices: &mut Unstructured<'_>) -> Result<()> {
        let Some(peer) = self.peers.get_mut(&conn).filter(|peer| peer.asked) else {
            return Ok(());
        };
        peer.asked = false;
        peer.say(choices.choose(&ANSWERS)?, None);
        Ok(())
    }
}
