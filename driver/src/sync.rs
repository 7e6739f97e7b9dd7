//! The locks, flags and variables of threads of the driver. Built with `--cfg shuttle`, the tests get some whose every
//! use is a point where another thread may go on, so that all orders of threads can be tried (see `tests/threads.rs`).

#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicBool};
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::thread_local;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicBool};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::thread_local;
