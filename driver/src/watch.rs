//! Watching what a client knows of its cluster.

use crate::shared::Handle;
use rocketmq_core::interface::ClusterView;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Watches a client's view of its cluster, see [`Client::watch`](crate::Client::watch).
///
/// It keeps the newest state, not a list of events: changes between two looks come as one.
pub struct Watch {
    handle: Arc<Handle>,
    number: u64,
    seen: u64,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Watch {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        let (number, seen) = handle.shared.peek(|state| {
            state.next_watcher += 1;
            (state.next_watcher, state.core.view_version())
        });
        Self { handle, number, seen }
    }

    /// Waits until the view differs from what this `Watch` last returned, at first from what it was when
    /// the `Watch` was made. Returns none when the client has ended.
    ///
    /// Dropping the future loses nothing: the next call returns the change.
    pub fn changed(&mut self) -> Changed<'_> {
        Changed { watch: self }
    }

    /// The view now; the next [`changed`](Self::changed) waits for one that differs from it.
    pub fn view(&mut self) -> ClusterView {
        let (seen, view) = self.handle.shared.peek(|state| (state.core.view_version(), state.core.view()));
        self.seen = seen;
        view
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let waker = self.handle.shared.peek(|state| state.watchers.remove(&self.number));
        drop(waker);
    }
}

/// Waits for a change, see [`Watch::changed`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Changed<'a> {
    watch: &'a mut Watch,
}

impl Future for Changed<'_> {
    type Output = Option<ClusterView>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClusterView>> {
        let watch = &mut *self.get_mut().watch;
        let (number, seen) = (watch.number, watch.seen);
        // Dropped behind the lock: the last waker of a task may drop the task, and with it other handles.
        let mut old = None;
        let change = watch.handle.shared.peek(|state| {
            let version = state.core.view_version();
            if version != seen {
                old = state.watchers.remove(&number);
                return Poll::Ready(Some((version, state.core.view())));
            }
            if state.has_driver_ended() {
                return Poll::Ready(None);
            }
            old = state.watchers.insert(number, cx.waker().clone());
            Poll::Pending
        });
        drop(old);
        change.map(|change| {
            let (version, view) = change?;
            watch.seen = version;
            Some(view)
        })
    }
}
