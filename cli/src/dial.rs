//! Plain blocking connections, for questions outside the client.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use rocketmq_driver::Endpoint;

/// No time at all would be refused.
const LEAST: Duration = Duration::from_millis(1);

/// Connects to the first address of the endpoint that accepts. All of them together have the given time, each one an
/// equal share of what is left.
///
/// # Errors
/// The name cannot be resolved, or what the last address said.
pub(crate) fn dial(endpoint: &Endpoint, patience: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the host has no address");
    let addresses: Vec<SocketAddr> = (endpoint.host(), endpoint.port()).to_socket_addrs()?.collect();
    let end = Instant::now() + patience;
    for (index, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share.max(LEAST)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
