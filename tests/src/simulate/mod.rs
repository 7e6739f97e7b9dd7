//! What the program `simulate` is made of, as far as tests and fuzzers use it too: sessions that are drawn from a seed,
//! plans that are made smaller and told in words, and the list of sessions that broke something once.

pub mod corpus;
pub mod describe;
pub mod session;
pub mod shrink;
