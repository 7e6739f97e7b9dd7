//! Which servers an example talks to: those named on the command line, else an embedded cluster.

use rocketmq_sim::cluster::ClusterConfig;
use rocketmq_sim::serve::ServedCluster;
use std::io;

/// The servers, and the embedded cluster as long as it is needed.
pub(crate) struct Servers {
    /// The name servers, as a client is configured with them.
    pub(crate) address: String,
    _embedded: Option<ServedCluster>,
}

/// The first argument is a list of name servers, such as `127.0.0.1:9876`.
pub(crate) fn servers() -> io::Result<Servers> {
    if let Some(address) = std::env::args().nth(1) {
        return Ok(Servers { address, _embedded: None });
    }
    let cluster = ServedCluster::start(ClusterConfig::default())?;
    let address = cluster.name_server_addr();
    println!("embedded cluster at {address}");
    Ok(Servers { address, _embedded: Some(cluster) })
}
