//! Bodies: routes and lists from name servers and heartbeats to brokers, which are JSON, and records of message trace.

pub mod cluster_info;
mod error;
pub mod heartbeat;
pub mod route;
mod route_json;
pub mod topic_list;
pub mod trace;

pub use cluster_info::ClusterInfo;
pub use error::BodyError;
pub use heartbeat::{write_heartbeat_data, write_heartbeat_v2};
pub use route::{BrokerData, QueueData, RouteLimits, TopicRouteData};
pub use topic_list::read_topic_list;
pub use trace::{EndTransactionTrace, PubTrace, TraceKeys, TraceMessageType};
