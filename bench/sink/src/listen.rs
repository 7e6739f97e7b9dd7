//! The ports of the brokers.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};

/// Clients with "VIP channel" go to the broker's port minus this.
const VIP_DISTANCE: u16 = 2;
/// How often a free pair of ports is looked for.
const ATTEMPTS: u32 = 100;

/// One broker's listeners: on its own port, and on the one of its VIP channel.
pub(crate) struct Ports {
    pub(crate) port: u16,
    pub(crate) listeners: [TcpListener; 2],
}

/// Listens for broker number `index`. Asked for a certain port, brokers are 10 apart; port 0 takes any.
pub(crate) fn listen(first_port: u16, index: u16) -> io::Result<Ports> {
    if first_port != 0 {
        let port = index.checked_mul(10).and_then(|distance| first_port.checked_add(distance));
        let port = port.filter(|_| first_port > VIP_DISTANCE).ok_or_else(|| {
            io::Error::new(
                ErrorKind::InvalidInput,
                format!("no port for broker {index} from port {first_port} on"),
            )
        })?;
        return pair(port);
    }
    let mut attempt = pair(0);
    for _ in 1..ATTEMPTS {
        match attempt {
            // The port below the one that the system chose is not free.
            Err(error) if error.kind() == ErrorKind::AddrInUse => attempt = pair(0),
            _ => break,
        }
    }
    attempt
}

fn pair(port: u16) -> io::Result<Ports> {
    let main = bind(port)?;
    let port = main.local_addr()?.port();
    let vip = bind(port - VIP_DISTANCE)?;
    Ok(Ports { port, listeners: [main, vip] })
}

fn bind(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        io::Error::new(error.kind(), format!("port {port}: {error}; give --port another one"))
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
