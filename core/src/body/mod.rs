//! Bodies that are JSON: routes from name servers, heartbeats to brokers.

mod error;
pub mod heartbeat;
pub mod route;
mod route_json;

pub use error::BodyError;
pub use heartbeat::write_heartbeat_data;
pub use route::{BrokerData, QueueData, RouteLimits, TopicRouteData};
