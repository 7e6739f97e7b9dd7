//! Real Apache RocketMQ servers for tests: started, hurt and asked what they stored.
//!
//! [`RealCluster`] runs `tests/real/servers`, the project's script that fetches the servers from Maven Central and starts
//! them on free loopback ports; it needs Java 17 and, for the first run, Maven. Whatever becomes of the test program,
//! the servers end with it.
//!
//! [`ServerConnection`] asks a server directly, with a codec of its own on a blocking socket: what a test of the client
//! says about the store must not rest on the client's own reading of the protocol.
//!
//! ```no_run
//! use rocketmq_sim::real::RealCluster;
//!
//! # fn main() -> Result<(), rocketmq_sim::real::RealError> {
//! let cluster = RealCluster::start("5.5.0", &[("autoCreateTopicEnable", "false")], 2)?;
//! cluster.create_topic("broker-a", "Orders", 4, 6)?;
//! // ... send with the client to cluster.name_server() ...
//! cluster.kill9("broker-a")?;
//! cluster.restart("broker-a")?;
//! for message in cluster.stored("Orders")? {
//!     println!("{} {} {}", message.broker, message.queue_offset, message.keys());
//! }
//! # Ok(())
//! # }
//! ```

mod cluster;
mod connection;
mod error;
mod requests;
mod stored_message;

pub use cluster::{RealCluster, SetUp};
pub use connection::{Answer, ServerConnection};
pub use error::RealError;
pub use requests::{ProducerConnection, QueueCount};
pub use stored_message::{MalformedStore, StoredMessage};
