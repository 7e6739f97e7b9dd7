//! What the threads of a served cluster share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::link::Link;
use crate::cluster::{Cluster, ClusterConfig, ConnKey, ServerAction, ServerId};

pub(super) struct Shared {
    state: Mutex<State>,
    /// The next deadline may have moved, or the end has come.
    ticker: Condvar,
    /// A pause may have ended.
    readers: Condvar,
    reader_threads: Mutex<Vec<JoinHandle<()>>>,
    start: Instant,
    start_ms: u64,
}

pub(super) struct State {
    pub(super) cluster: Cluster,
    links: HashMap<(ServerId, ConnKey), Arc<Link>>,
    next_conn: u64,
    /// Until when the ticker sleeps; `None` while it sleeps without end.
    sleeps_until: Option<u64>,
    pub(super) stopped: bool,
}

/// Something to do on a socket once the state is unlocked.
enum Output {
    Write(Arc<Link>, Vec<u8>),
    Close(Arc<Link>),
}

impl Shared {
    pub(super) fn new(config: ClusterConfig) -> Shared {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let start_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        let state = State {
            cluster: Cluster::new(config, start_ms),
            links: HashMap::new(),
            next_conn: 0,
            sleeps_until: None,
            stopped: false,
        };
        Shared {
            state: Mutex::new(state),
            ticker: Condvar::new(),
            readers: Condvar::new(),
            reader_threads: Mutex::new(Vec::new()),
            start: Instant::now(),
            start_ms,
        }
    }

    /// Wall time at the start plus monotonic time since: it never goes back.
    pub(super) fn now_ms(&self) -> u64 {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.start_ms.saturating_add(passed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does on the sockets what the cluster wants done, after unlocking; wakes the ticker when it sleeps too long.
    pub(super) fn carry_out(&self, mut state: MutexGuard<'_, State>) {
        let outputs = state.take_outputs();
        let deadline = state.cluster.next_deadline();
        let too_long = deadline.is_some_and(|at| state.sleeps_until.is_none_or(|until| at < until));
        drop(state);
        if too_long {
            self.ticker.notify_one();
        }
        for output in outputs {
            match output {
                Output::Write(link, bytes) => link.write(&bytes),
                Output::Close(link) => link.close(),
            }
        }
    }

    /// Whether the server has not closed this connection.
    pub(super) fn is_open(&self, server: ServerId, conn: ConnKey) -> bool {
        self.lock().links.contains_key(&(server, conn))
    }

    /// Sleeps until the next deadline, a wake-up, or the end.
    pub(super) fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.sleeps_until = state.cluster.next_deadline();
        match state.sleeps_until {
            None => self.ticker.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(at) => {
                let time = Duration::from_millis(at.saturating_sub(self.now_ms()));
                self.ticker.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Waits while the server is paused, so that the sockets fill up as those of a stopped process.
    pub(super) fn wait_for_resume<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        server: ServerId,
    ) -> MutexGuard<'a, State> {
        while state.cluster.is_paused(server) && !state.stopped {
            state = self.readers.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    pub(super) fn wake_all(&self) {
        self.ticker.notify_all();
        self.readers.notify_all();
    }

    /// Closes all connections and lets every thread come to its end.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        for link in state.links.values() {
            link.close();
        }
        drop(state);
        self.wake_all();
    }

    pub(super) fn add_reader(&self, thread: JoinHandle<()>) {
        let mut threads = self.reader_threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }

    pub(super) fn join_readers(&self) {
        let threads =
            std::mem::take(&mut *self.reader_threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A panic in the thread has been reported by it already.
            let _ = thread.join();
        }
    }
}

impl State {
    pub(super) fn open(
        &mut self,
        now_ms: u64,
        server: ServerId,
        link: Arc<Link>,
        peer: SocketAddr,
    ) -> ConnKey {
        let conn = ConnKey(self.next_conn);
        self.next_conn += 1;
        self.links.insert((server, conn), link);
        self.cluster.on_connect(now_ms, server, conn, peer);
        conn
    }

    pub(super) fn closed(&mut self, now_ms: u64, server: ServerId, conn: ConnKey) {
        self.links.remove(&(server, conn));
        self.cluster.on_close(now_ms, server, conn);
    }

    fn take_outputs(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some((server, action)) = self.cluster.poll_action() {
            match action {
                ServerAction::Send { conn, bytes } => {
                    if let Some(link) = self.links.get(&(server, conn)) {
                        outputs.push(Output::Write(Arc::clone(link), bytes));
                    }
                }
                ServerAction::Close { conn } => {
                    if let Some(link) = self.links.remove(&(server, conn)) {
                        outputs.push(Output::Close(link));
                    }
                }
            }
        }
        outputs
    }
}
