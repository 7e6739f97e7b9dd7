//! A sink for load tests: name server and broker in one thread, which answers everything and stores nothing.
//!
//! What a client sends is looked at just enough to answer as a stock RocketMQ 5.5.0 broker does, field by
//! field and byte by byte. Each read is answered with one write, so that a client that batches its writes
//! gets its answers in batches as well.

mod answer;
mod answer_binary;
mod answer_json;
mod batch_body;
mod broker;
mod connection;
mod listen;
mod options;
mod pace;
mod request;
mod request_binary;
mod request_json;
mod route;
mod server;
mod stats;
mod store_log;
#[cfg(test)]
mod vectors;

pub use options::{AnswerForm, Options, Topics};
pub use server::Server;
pub use stats::Report;
