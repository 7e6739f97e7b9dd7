//! Simulated RocketMQ name servers and brokers.
//!
//! [`cluster`] holds the servers as state machines without I/O, clock or thread: bytes and the time go in, bytes come out.
//! [`serve`] runs the same machines on loopback sockets, for programs that expect a real address.
//! [`world`] runs them against the client's real core in memory, under simulated time, with every fault of a network.
//! [`simulate`] draws, shrinks and tells whole sessions of such worlds, for the program of the same name.
//! [`lab`] runs a user's own code, with the client's ordinary handles, against them under simulated time.
//!
//! The servers have a codec of their own and share no code with the client, so that a client is checked by a second
//! reading of the protocol. They check what live servers of the chosen [`Dialect`](cluster::Dialect) check, and no more.
#![forbid(unsafe_code)]

pub mod cluster;
pub mod lab;
mod memo;
pub mod real;
pub mod serve;
pub mod simulate;
pub mod world;
