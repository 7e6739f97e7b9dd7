//! Tests of the simulated servers, by subject.

mod client;
mod codec;
mod connections;
mod controls;
mod discovery;
mod log;
mod name_server;
mod replay;
mod send_errors;
mod sends;
