//! What the cases of the client against real servers share, and the cases themselves.

mod admin;
mod audit;
mod bench;
mod calm;
mod discovery;
mod faults;
mod hooks;
mod identity;
mod load;
mod peers;
mod plan;
mod recorded;
mod rush;
mod topics;
mod trace;
mod transactions;

pub(crate) use bench::Kind;
pub(crate) use plan::run;
