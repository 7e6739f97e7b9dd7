//! The lab's own executor: one thread, simulated time, and an order of turns that the seed decides.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use rocketmq_core::ground::Rng;

use super::Lab;
use super::state::{Shared, lock};
use super::story::time;

/// The number of the test itself among the tasks.
const TEST: u64 = 0;
/// Polls are counted within windows of this length: a task that is busy without an end lets no time pass, or little.
const WINDOW_US: u64 = 1_000;

type Ready = Arc<Mutex<Vec<u64>>>;

/// Puts a task among those that can go on, once.
struct TaskWaker {
    id: u64,
    is_ready: AtomicBool,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::SeqCst) {
            lock(&self.ready).push(self.id);
        }
    }
}

/// What is known of a task, the test included.
struct Entry {
    waker: Arc<TaskWaker>,
    spawned_at: Option<&'static Location<'static>>,
    last_poll_us: Option<u64>,
    polls_in_window: u64,
}

impl Entry {
    fn new(id: u64, ready: &Ready, spawned_at: Option<&'static Location<'static>>) -> Entry {
        let waker = Arc::new(TaskWaker { id, is_ready: AtomicBool::new(false), ready: ready.clone() });
        waker.wake_by_ref();
        Entry { waker, spawned_at, last_poll_us: None, polls_in_window: 0 }
    }

    fn name(&self) -> String {
        match self.spawned_at {
            None => "the test itself".to_owned(),
            Some(place) => format!("the task spawned at {place}"),
        }
    }

    fn last_poll(&self) -> String {
        let last = self.last_poll_us.map(|at| format!("last polled at {} s", time(at).trim_start()));
        last.unwrap_or_else(|| "never polled".to_owned())
    }
}

pub(super) struct Executor {
    lab: Lab,
    dice: Rng,
    ready: Ready,
    entries: BTreeMap<u64, Entry>,
    tasks: BTreeMap<u64, Pin<Box<dyn Future<Output = ()> + Send>>>,
    next_task: u64,
    window_start_us: u64,
    polls_in_window: u64,
}

impl Executor {
    pub(super) fn new(lab: Lab) -> Executor {
        let ready = Ready::default();
        let test = Entry::new(TEST, &ready, None);
        Executor {
            dice: Rng::new(lab.shared.seed).fork("lab-turns"),
            lab,
            ready,
            entries: BTreeMap::from([(TEST, test)]),
            tasks: BTreeMap::new(),
            next_task: TEST,
            window_start_us: 0,
            polls_in_window: 0,
        }
    }

    /// Runs the test to its end. Tasks that still run are dropped with the executor.
    ///
    /// # Panics
    /// The test or a task that nobody waits for panics, nothing can go on, or the run passes its bounds.
    pub(super) fn run<F: Future>(&mut self, test: F) -> F::Output {
        let mut test = pin!(test);
        let shared = self.lab.shared.clone();
        loop {
            self.adopt_tasks();
            if let Some(payload) = lock(&shared.panics).pop() {
                resume_unwind(payload);
            }
            let ready = lock(&self.ready).len() as u64;
            // Whether news arrives first or a task gets its turn is a race in life, too.
            if (ready == 0 || self.dice.below(2) == 0) && shared.step(&self.lab) {
                continue;
            }
            if ready == 0 {
                self.pass_time(&shared);
                continue;
            }
            let turn = self.dice.below(ready) as usize;
            let id = lock(&self.ready).swap_remove(turn);
            if id != TEST {
                self.poll_task(id);
            } else if let Poll::Ready(result) = self.poll_test(test.as_mut()) {
                return result;
            }
        }
    }

    fn adopt_tasks(&mut self) {
        for new in std::mem::take(&mut *lock(&self.lab.shared.spawned)) {
            self.next_task += 1;
            self.entries
                .insert(self.next_task, Entry::new(self.next_task, &self.ready, Some(new.spawned_at)));
            self.tasks.insert(self.next_task, new.task);
        }
    }

    fn poll_test<F: Future>(&mut self, test: Pin<&mut F>) -> Poll<F::Output> {
        match self.begin_poll(TEST) {
            Some(waker) => test.poll(&mut Context::from_waker(&waker)),
            None => Poll::Pending,
        }
    }

    fn poll_task(&mut self, id: u64) {
        // A task that has ended may still be woken.
        let Some(waker) = self.begin_poll(id) else { return };
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.tasks.remove(&id);
            self.entries.remove(&id);
        }
    }

    /// Counts the poll of a task, and finds out whether somebody is busy without an end.
    fn begin_poll(&mut self, id: u64) -> Option<Waker> {
        let now_us = self.lab.shared.now_us();
        if now_us.saturating_sub(self.window_start_us) >= WINDOW_US {
            self.window_start_us = now_us;
            self.polls_in_window = 0;
            self.entries.values_mut().for_each(|entry| entry.polls_in_window = 0);
        }
        self.polls_in_window += 1;
        let entry = self.entries.get_mut(&id)?;
        entry.waker.is_ready.store(false, Ordering::SeqCst);
        entry.last_poll_us = Some(now_us);
        entry.polls_in_window += 1;
        let waker = Waker::from(entry.waker.clone());
        if self.polls_in_window > self.lab.shared.bounds.polls_per_ms {
            self.report_busy_loop(now_us);
        }
        Some(waker)
    }

    fn report_busy_loop(&self, now_us: u64) -> ! {
        let busiest = self.entries.values().max_by_key(|entry| entry.polls_in_window);
        let (name, polls) = busiest.map_or((String::new(), 0), |entry| (entry.name(), entry.polls_in_window));
        panic!(
            "busy loop at {} s: {} polls while hardly any simulated time passed, {polls} of them of {name}",
            time(now_us).trim_start(),
            self.polls_in_window
        )
    }

    /// Nobody can go on: moves the time to the next thing that happens.
    fn pass_time(&mut self, shared: &Shared) {
        let (next, can_wake) = shared.enter(|state| (state.next_due(), state.can_wake()));
        let now = time(shared.now_us());
        let now = now.trim_start();
        match next.filter(|_| can_wake) {
            None => {
                panic!("deadlock at {now} s: nothing is left that could wake the test.\n{}", self.who_waits())
            }
            Some(at) if at > shared.bounds.time_us => panic!(
                "the test is not done after {} s of simulated time (see LabBuilder::time_limit).\n{}",
                time(shared.bounds.time_us).trim_start(),
                self.who_waits()
            ),
            Some(at) => shared.set_now(at),
        }
    }

    fn who_waits(&self) -> String {
        let line = |entry: &Entry| format!("  waiting: {}, {}", entry.name(), entry.last_poll());
        let lines: Vec<String> = self.entries.values().map(line).collect();
        lines.join("\n")
    }
}
