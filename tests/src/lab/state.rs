//! What everything in a lab shares: the servers, the network, the time, the story.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rocketmq_core::ground::Rng;

use super::Lab;
use super::network::{Conn, Connects, Network};
use super::sends::SendRules;
use super::story::Story;
use crate::cluster::{Cluster, ServerId};

/// Wall time at the start of every run, in milliseconds since 1970: 1 January 2026, 00:00 UTC.
const START_MS: u64 = 1_767_225_600_000;

/// What a panic carries.
pub(super) type Payload = Box<dyn Any + Send>;
pub(super) type Script = Box<dyn FnOnce(&Lab) + Send>;

/// Who moves the time.
pub(super) enum TimeSource {
    /// The lab's own executor.
    Executor,
    /// tokio, whose clock was paused at this instant.
    #[cfg(feature = "tokio")]
    Tokio(tokio::time::Instant),
}

/// How far a run may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) time_us: u64,
    pub(super) polls_per_ms: u64,
}

/// A task that waits to be taken by the executor.
pub(super) struct NewTask {
    pub(super) task: Pin<Box<dyn Future<Output = ()> + Send>>,
    pub(super) spawned_at: &'static Location<'static>,
}

pub(super) struct Shared {
    pub(super) seed: u64,
    pub(super) bounds: Bounds,
    pub(super) time: TimeSource,
    origin: Instant,
    now_us: AtomicU64,
    wall_offset_ms: AtomicI64,
    state: Mutex<State>,
    pub(super) spawned: Mutex<Vec<NewTask>>,
    /// Panics of tasks that nobody waits for: they end the run.
    pub(super) panics: Mutex<Vec<Payload>>,
    /// Wakes the test when there is such a panic, where the executor is not ours.
    pub(super) test: Mutex<Option<Waker>>,
    /// The run is over: its time stands still.
    is_over: AtomicBool,
}

/// Something that happens at its time.
pub(super) enum Event {
    Wake(Waker),
    Script(Script),
    ConnectDone(u64),
    ToServer(u64, Vec<u8>),
    ClientEnds(u64),
    ToClient(u64, Vec<u8>),
    ServerEnds(u64),
}

/// Names a planned event, so that it can be taken back.
pub(super) type EventKey = (u64, u64);

pub(super) struct State {
    pub(super) now_us: u64,
    pub(super) cluster: Cluster,
    pub(super) network: Network,
    /// Networks of single servers.
    pub(super) networks: BTreeMap<ServerId, Network>,
    pub(super) connects: BTreeMap<ServerId, Connects>,
    pub(super) cut_off: BTreeSet<ServerId>,
    pub(super) conns: BTreeMap<u64, Conn>,
    pub(super) next_conn: u64,
    pub(super) next_client: u32,
    pub(super) next_runtime: u32,
    pub(super) send_rules: Vec<Arc<Mutex<SendRules>>>,
    pub(super) story: Story,
    pub(super) network_dice: Rng,
    pub(super) user_dice: Rng,
    pub(super) seeds: Rng,
    events: BTreeMap<EventKey, Event>,
    next_event: u64,
    ticked_ms: Option<u64>,
    /// Who sleeps until the next event when the executor is not ours, and until when.
    pub(super) pump: Option<(u64, Waker)>,
    /// To be woken, or dropped, behind the lock: both may run code that wants it.
    pub(super) to_wake: Vec<Waker>,
    trash: Vec<Event>,
}

impl Shared {
    pub(super) fn new(
        seed: u64,
        bounds: Bounds,
        time: TimeSource,
        cluster: Cluster,
        network: Network,
    ) -> Self {
        let dice = Rng::new(seed);
        let state = State {
            now_us: 0,
            cluster,
            network,
            networks: BTreeMap::new(),
            connects: BTreeMap::new(),
            cut_off: BTreeSet::new(),
            conns: BTreeMap::new(),
            next_conn: 0,
            next_client: 0,
            next_runtime: 0,
            send_rules: Vec::new(),
            story: Story::default(),
            network_dice: dice.fork("lab-network"),
            user_dice: dice.fork("lab-user"),
            seeds: dice.fork("lab-seeds"),
            events: BTreeMap::new(),
            next_event: 0,
            ticked_ms: None,
            pump: None,
            to_wake: Vec::new(),
            trash: Vec::new(),
        };
        Shared {
            seed,
            bounds,
            time,
            origin: Instant::now(),
            now_us: AtomicU64::new(0),
            wall_offset_ms: AtomicI64::new(0),
            state: Mutex::new(state),
            spawned: Mutex::default(),
            panics: Mutex::default(),
            test: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Wall time of the servers at the start.
    pub(super) fn start_ms() -> u64 {
        START_MS
    }

    /// Microseconds since the start.
    pub(super) fn now_us(&self) -> u64 {
        #[cfg(feature = "tokio")]
        if let TimeSource::Tokio(origin) = self.time
            && !self.is_over.load(Ordering::Relaxed)
        {
            let passed = micros(tokio::time::Instant::now().saturating_duration_since(origin));
            return self.now_us.fetch_max(passed, Ordering::Relaxed).max(passed);
        }
        self.now_us.load(Ordering::Relaxed)
    }

    /// Moves the time on.
    pub(super) fn set_now(&self, now_us: u64) {
        if !self.is_over.load(Ordering::Relaxed) {
            self.now_us.fetch_max(now_us, Ordering::Relaxed);
        }
    }

    pub(super) fn instant(&self) -> Instant {
        self.origin + Duration::from_micros(self.now_us())
    }

    pub(super) fn to_us(&self, at: Instant) -> u64 {
        micros(at.saturating_duration_since(self.origin))
    }

    pub(super) fn wall_clock(&self) -> SystemTime {
        let server_ms = START_MS + self.now_us() / 1_000;
        let wall_ms = server_ms.saturating_add_signed(self.wall_offset_ms.load(Ordering::Relaxed));
        UNIX_EPOCH + Duration::from_millis(wall_ms)
    }

    pub(super) fn jump_wall_clock(&self, by_ms: i64) {
        let _before = self.wall_offset_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Runs `work` under the lock, then wakes and drops what it leaves.
    pub(super) fn enter<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        state.now_us = self.now_us();
        let result = work(&mut state);
        state.wake_pump();
        let to_wake = std::mem::take(&mut state.to_wake);
        let trash = std::mem::take(&mut state.trash);
        drop(state);
        to_wake.into_iter().for_each(Waker::wake);
        drop(trash);
        result
    }

    /// A lab belongs to one thread, so a taken lock means that its own code came back.
    fn lock(&self) -> MutexGuard<'_, State> {
        match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => panic!(
                "the lab was used from inside of `with_cluster`, `settings` or a send policy, or from two threads at once"
            ),
        }
    }

    /// Lets the next thing happen that is due. False when nothing is.
    pub(super) fn step(&self, lab: &Lab) -> bool {
        match self.enter(State::take_due) {
            Due::Nothing => false,
            Due::Done => true,
            Due::Script(script) => {
                script(lab);
                true
            }
        }
    }

    /// Ends the run with a panic.
    pub(super) fn fail(&self, payload: Payload) {
        lock(&self.panics).push(payload);
        let test = lock(&self.test).take();
        if let Some(test) = test {
            test.wake();
        }
    }

    /// The run is over: its time stands still from now on.
    pub(super) fn stop_time(&self) {
        let _last = self.now_us();
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// What was planned does not happen any more.
    pub(super) fn close(&self) {
        loop {
            let spawned = std::mem::take(&mut *lock(&self.spawned));
            let events = self.enter(State::close);
            if spawned.is_empty() && events.is_empty() {
                return;
            }
        }
    }
}

enum Due {
    Nothing,
    Done,
    Script(Script),
}

impl State {
    /// Time of the servers, in milliseconds since 1970. The wall clock of clients may jump, this one does not.
    pub(super) fn server_ms(&self) -> u64 {
        START_MS + self.now_us / 1_000
    }

    pub(super) fn plan(&mut self, at_us: u64, event: Event) -> EventKey {
        self.next_event += 1;
        let key = (at_us.max(self.now_us), self.next_event);
        self.events.insert(key, event);
        key
    }

    /// Takes a planned event back. It is dropped behind the lock.
    pub(super) fn unplan(&mut self, key: EventKey) {
        self.trash.extend(self.events.remove(&key));
    }

    /// The waker of a planned [`Event::Wake`], to be replaced.
    pub(super) fn replan_wake(&mut self, key: EventKey, waker: &Waker) -> bool {
        match self.events.get_mut(&key) {
            Some(Event::Wake(known)) => {
                if !known.will_wake(waker) {
                    let old = std::mem::replace(known, waker.clone());
                    self.trash.push(Event::Wake(old));
                }
                true
            }
            _ => false,
        }
    }

    /// Drops something behind the lock.
    pub(super) fn drop_behind_lock(&mut self, event: Option<Event>) {
        self.trash.extend(event);
    }

    pub(super) fn tell(&mut self, text: impl FnOnce() -> String) {
        self.story.tell(self.now_us, text);
    }

    /// When the next thing happens, in microseconds since the start.
    pub(super) fn next_due(&self) -> Option<u64> {
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        event.into_iter().chain(self.next_tick()).min()
    }

    /// True while something may still wake a task: without events and connections, servers only talk to themselves.
    pub(super) fn can_wake(&self) -> bool {
        !self.events.is_empty() || !self.conns.is_empty()
    }

    fn next_tick(&self) -> Option<u64> {
        let wanted = self.cluster.next_deadline()?;
        // Once in a millisecond is as fine as the servers' clock is.
        let at_ms = self.ticked_ms.map_or(wanted, |ticked| wanted.max(ticked + 1));
        Some(at_ms.saturating_sub(START_MS).saturating_mul(1_000))
    }

    fn take_due(&mut self) -> Due {
        if let Some(entry) = self.events.first_entry()
            && entry.key().0 <= self.now_us
        {
            match entry.remove() {
                Event::Wake(waker) => self.to_wake.push(waker),
                Event::Script(script) => return Due::Script(script),
                Event::ConnectDone(conn) => self.connect_done(conn),
                Event::ToServer(conn, bytes) => self.arrive_at_server(conn, bytes),
                Event::ClientEnds(conn) => self.client_ends(conn),
                Event::ToClient(conn, bytes) => self.arrive_at_client(conn, bytes),
                Event::ServerEnds(conn) => self.server_ends(conn),
            }
            return Due::Done;
        }
        if self.next_tick().is_some_and(|at| at <= self.now_us) {
            let now_ms = self.server_ms();
            self.ticked_ms = Some(now_ms);
            self.cluster.on_tick(now_ms);
            self.collect();
            return Due::Done;
        }
        Due::Nothing
    }

    fn wake_pump(&mut self) {
        if let Some((until, _)) = &self.pump
            && self.next_due().is_some_and(|at| at < *until)
            && let Some((_, waker)) = self.pump.take()
        {
            self.to_wake.push(waker);
        }
    }

    fn close(&mut self) -> Vec<Event> {
        let mut events: Vec<Event> = std::mem::take(&mut self.events).into_values().collect();
        for conn in self.conns.values_mut() {
            events.extend(conn.take_wakers().map(Event::Wake));
        }
        events.extend(self.pump.take().map(|(_, waker)| Event::Wake(waker)));
        events
    }
}

/// The lock of something that no panic leaves half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
