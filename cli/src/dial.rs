//! Plain blocking connections, for questions outside the client.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use rocketmq_driver::Endpoint;

/// Connects to the first address of the endpoint that accepts, each within the given time.
///
/// # Errors
/// The name cannot be resolved, or what the last address said.
pub(crate) fn dial(endpoint: &Endpoint, patience: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the host has no address");
    for address in (endpoint.host(), endpoint.port()).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
