//! `rocketmq cluster`: serves the simulated cluster until interrupted.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::channel;

use rocketmq_sim::cluster::ClusterConfig;
use rocketmq_sim::serve::ServedCluster;

use crate::args::ClusterArgs;
use crate::interrupt::on_interrupt;

/// Serves until SIGINT or SIGTERM. The first line of standard output is the address of the name server.
///
/// # Errors
/// The port is taken, or the system refuses a thread, a socket or a signal handler.
pub(crate) fn run(args: &ClusterArgs) -> io::Result<()> {
    let (interrupted, interruption) = channel();
    // Before the address is printed: whoever has read it may interrupt.
    on_interrupt(move |_| {
        // Nobody listens any more when the cluster is ending already.
        let _ = interrupted.send(());
    })?;
    let loopback = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let name_server = loopback(args.name_server_port);
    let discovery = args.discovery_port.map(loopback);
    let where_to = discovery.map_or_else(String::new, |http| format!(" and {http}"));
    let cluster = ServedCluster::start(ClusterConfig {
        name_servers: 1,
        brokers: args.brokers,
        name_server_addresses: vec![name_server],
        discovery: args.discovery_port.is_some(),
        discovery_address: discovery,
        ..ClusterConfig::default()
    })
    .map_err(|error| {
        io::Error::new(error.kind(), format!("cannot serve on {name_server}{where_to}: {error}"))
    })?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", cluster.name_server_addr())?;
    if args.discovery_port.is_some() {
        writeln!(out, "http://{}/rocketmq/nsaddr tells it", cluster.discovery_addr())?;
    }
    writeln!(out, "{} broker(s) are up; Ctrl-C ends the cluster", args.brokers)?;
    out.flush()?;
    drop(out);
    // The handler lives as long as the process, so this ends with a signal only.
    interruption.recv().map_err(io::Error::other)
}
