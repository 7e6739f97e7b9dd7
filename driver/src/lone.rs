//! A caller who is alone writes its request itself, on its own thread.
//!
//! Otherwise it would wake the driver's task, be left for it, and the driver would visit the core twice: that is most
//! of what a lone send costs beyond its system calls. When others are under way too, their requests had better leave
//! together, and the driver writes.
//!
//! What the stream does not take at once is left to the driver, as if the caller had never tried: the core's outbox
//! still has it.

use crate::shared::{Chore, Shared, State};
use bytes::Bytes;
use rocketmq_core::ground::Now;
use rocketmq_core::interface::{ConnId, Input};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;

/// A stream that a caller may write to, whatever the runtime.
pub(crate) trait Outlet: Send + Sync {
    /// Writes `out` if nobody is at the stream, and tells `report` how many bytes the stream took and gives the chunks
    /// back. The stream stays locked until `report` returns. `waker` is the driver's.
    fn write(&self, out: Vec<Bytes>, waker: &Waker, report: &mut dyn FnMut(usize, Vec<Bytes>));
}

/// The streams of open connections. They belong to the driver: none is closed by being forgotten here, under the lock.
#[derive(Default)]
pub(crate) struct Outlets {
    streams: BTreeMap<ConnId, Weak<dyn Outlet>>,
    /// Memory for chunks.
    spare: Vec<Bytes>,
}

impl Outlets {
    pub(crate) fn add(&mut self, conn: ConnId, stream: Weak<dyn Outlet>) {
        self.streams.insert(conn, stream);
    }

    pub(crate) fn remove(&mut self, conn: ConnId) {
        self.streams.remove(&conn);
    }

    pub(crate) fn clear(&mut self) {
        self.streams.clear();
    }
}

/// What a caller is to write.
struct Errand {
    conn: ConnId,
    stream: Arc<dyn Outlet>,
    out: Vec<Bytes>,
    driver: Waker,
}

impl Shared {
    /// As [`enter`](Self::enter), for a caller who waits for nothing but the answer to what it gives: it writes its
    /// request itself when it is alone.
    pub(crate) fn enter_alone<T>(&self, work: impl FnOnce(&mut State, Now) -> T) -> T {
        let ((result, errand), after) = self.enter_quietly(Vec::new(), |state, now| {
            let result = work(state, now);
            (result, state.take_errand())
        });
        drop(after.settle());
        if let Some(errand) = errand {
            self.run(errand);
        }
        result
    }

    fn run(&self, errand: Errand) {
        let Errand { conn, stream, out, driver } = errand;
        let mut after = None;
        stream.write(out, &driver, &mut |wrote, out| {
            let ((), then) =
                self.enter_quietly(Vec::new(), |state, now| state.end_errand(now, conn, wrote, out));
            after = Some(then);
        });
        // Nobody is woken under the lock of the stream.
        if let Some(after) = after {
            drop(after.settle());
        }
    }
}

impl State {
    /// The one chore of a sleeping driver, if it is to write and a caller may do that: only one command is under way.
    ///
    /// A connection asks to be written to when its outbox was empty, so the driver has none of its bytes, and it gets
    /// none before what the caller wrote is reported.
    fn take_errand(&mut self) -> Option<Errand> {
        let Some(&Chore::Write(conn)) = self.chores.front() else {
            return None;
        };
        if self.chores.len() > 1 || self.answers.len() > 1 || self.driver_oversleeps() {
            return None;
        }
        let driver = self.driver.clone()?;
        let stream = self.outlets.streams.get(&conn)?.upgrade()?;
        self.chores.clear();
        let mut out = std::mem::take(&mut self.outlets.spare);
        self.core.outbox(conn, &mut out);
        Some(Errand { conn, stream, out, driver })
    }

    /// The stream took `wrote` bytes of a connection. When it did not take all, the driver goes on.
    fn end_errand(&mut self, now: Now, conn: ConnId, wrote: usize, mut out: Vec<Bytes>) {
        let all = out.is_empty();
        out.clear();
        self.outlets.spare = out;
        if wrote > 0 {
            self.feed(now, Input::Wrote { conn, count: wrote });
        }
        if !all {
            self.chores.push_back(Chore::Write(conn));
        }
    }
}
