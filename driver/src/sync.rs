//! The locks of the driver. Built with `--cfg shuttle`, the tests get locks whose every use is a point where
//! another thread may go on, so that all orders of threads can be tried (see `tests/threads.rs`).

#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard};
