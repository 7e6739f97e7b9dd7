//! The core behind one short lock, and what callers and the driver leave there for each other.
//!
//! Two rules keep the lock short and safe: sockets are never touched while it is held, and wakers are
//! collected under it and woken behind it.

use crate::check_queues::CheckQueues;
use crate::clock::{Clock, LastLook};
use crate::completions::{Completions, Delivered};
use crate::events;
use crate::lone::Outlets;
use crate::recording::Tape;
use crate::sync::{Mutex, MutexGuard};
use crate::turn::Turn;
use rocketmq_core::client::Client as Core;
use rocketmq_core::ground::endpoint::Endpoint;
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::interface::{
    Action, Answer, Command, CommandId, ConnId, Input, RunningInfo, ServiceState,
};
use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// Numbers commands that have no answer. Slots never reach it.
const NO_ANSWER: CommandId = CommandId(u64::MAX);

/// Something for the driver to do with a connection.
#[derive(Debug)]
pub(crate) enum Chore {
    /// Open it.
    Connect(ConnId, Endpoint),
    /// Its outbox is no longer empty.
    Write(ConnId),
    /// Close it.
    Close(ConnId),
}

/// What handles and driver share.
pub(crate) struct Shared {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    /// Code of the application runs under the lock.
    has_hooks: bool,
    /// How long sends under way are waited for when nobody is left who could wait.
    pub(crate) drop_budget: Duration,
}

/// What the lock guards.
pub(crate) struct State {
    time: LastLook,
    pub(crate) core: Core,
    pub(crate) answers: Completions,
    pub(crate) chores: VecDeque<Chore>,
    pub(crate) watchers: BTreeMap<u64, Waker>,
    pub(crate) checks: CheckQueues,
    pub(crate) next_watcher: u64,
    pub(crate) notices: events::Pending,
    pub(crate) tape: Tape,
    /// Streams to which a lone caller may write itself.
    pub(crate) outlets: Outlets,
    /// The driver's waker, there exactly while the driver sleeps.
    pub(crate) driver: Option<Waker>,
    /// When the driver wakes by itself.
    alarm: Instant,
    /// When it must, as far as was asked for while it slept.
    alarm_needed: Instant,
    /// The driver has ended or was dropped.
    driver_ended: bool,
    /// To be woken behind the lock.
    to_wake: Vec<Waker>,
    view_version: u64,
}

impl Shared {
    pub(crate) fn new(
        core: Core,
        has_hooks: bool,
        tape: Tape,
        clock: Arc<dyn Clock>,
        drop_budget: Duration,
    ) -> Self {
        let state = State {
            time: LastLook::default(),
            view_version: core.view_version(),
            core,
            answers: Completions::default(),
            chores: VecDeque::new(),
            watchers: BTreeMap::new(),
            checks: CheckQueues::default(),
            next_watcher: 0,
            notices: events::Pending::default(),
            tape,
            outlets: Outlets::default(),
            driver: None,
            alarm: Instant::NEVER,
            alarm_needed: Instant::NEVER,
            driver_ended: false,
            to_wake: Vec::new(),
        };
        Self { state: Mutex::new(state), clock, has_hooks, drop_budget }
    }

    /// Runs `work` under the lock, then wakes whom it concerns. `now` is read under the lock, so that the
    /// core sees time in order.
    pub(crate) fn enter<T>(&self, work: impl FnOnce(&mut State, Now) -> T) -> T {
        let (result, after) = self.enter_quietly(Vec::new(), work);
        after.settle();
        result
    }

    /// As [`enter`](Self::enter); what follows is left to the caller. `wakers` is empty memory for those who are to be
    /// woken.
    pub(crate) fn enter_quietly<T>(
        &self,
        mut wakers: Vec<Waker>,
        work: impl FnOnce(&mut State, Now) -> T,
    ) -> (T, After) {
        let mut state = self.lock();
        let now = state.time.now(&*self.clock);
        let result = work(&mut state, now);
        if !state.to_wake.is_empty() {
            std::mem::swap(&mut state.to_wake, &mut wakers);
        }
        let after = After {
            wakers,
            driver: if state.driver.is_some() && state.needs_driver() { state.driver.take() } else { None },
            notices: state.notices.take(),
            _retired: std::mem::take(&mut state.answers.retired),
        };
        drop(state);
        (result, after)
    }

    /// Looks without giving the core anything: no time is needed, and nobody needs waking afterwards.
    pub(crate) fn peek<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = work(&mut state);
        let _retired = std::mem::take(&mut state.answers.retired);
        drop(state);
        result
    }

    /// How the client fares just now.
    pub(crate) fn running_info(&self) -> RunningInfo {
        self.peek(|state| {
            let now = state.time.now(&*self.clock);
            state.core.running_info(now)
        })
    }

    fn lock(&self) -> Held<'_> {
        // The place of the lock is a number that no other client has.
        let turn = self.has_hooks.then(|| Turn::begin((&raw const self.state).addr()));
        // Nothing under the lock panics by design. Should it happen, an unfinished turn is better than
        // a client that takes every caller down with it.
        Held { state: self.state.lock().unwrap_or_else(PoisonError::into_inner), _turn: turn }
    }
}

/// The state, while its lock is held.
struct Held<'a> {
    state: MutexGuard<'a, State>,
    _turn: Option<Turn>,
}

impl Deref for Held<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

/// What follows a visit under the lock, and must not happen under any.
#[must_use = "somebody waits to be woken"]
pub(crate) struct After {
    wakers: Vec<Waker>,
    driver: Option<Waker>,
    notices: events::Pending,
    /// Dropped behind the lock, see [`Completions`].
    _retired: Vec<Waker>,
}

impl After {
    /// Wakes whom it concerns. Returns the memory for wakers, for the next time.
    pub(crate) fn settle(mut self) -> Vec<Waker> {
        if let Some(driver) = self.driver {
            driver.wake();
        }
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
        self.notices.emit();
        self.wakers
    }
}

impl State {
    /// Gives one input to the core and takes what comes out.
    pub(crate) fn feed(&mut self, now: Now, input: Input<'_>) {
        self.give(now, input);
        self.take_actions(now);
    }

    fn give(&mut self, now: Now, input: Input<'_>) {
        self.tape.input(now, &input, &mut self.core);
        self.core.handle(now, input);
    }

    /// Starts a command. `waker` is woken when its answer comes later; one that comes at once is in `early`, and the
    /// number is free again then.
    pub(crate) fn begin(
        &mut self,
        now: Now,
        command: Command,
        waker: Option<&Waker>,
        early: &mut Option<Answer>,
    ) -> CommandId {
        let id = self.answers.open();
        self.feed(now, Input::Command { id, command });
        self.answers.look(id, waker, early);
        id
    }

    /// Starts a command whose answer nobody will fetch.
    pub(crate) fn begin_unwatched(&mut self, now: Now, command: Command) {
        let id = self.answers.open_abandoned();
        self.feed(now, Input::Command { id, command });
    }

    /// Gives a command that has no answer.
    pub(crate) fn tell(&mut self, now: Now, command: Command) {
        self.feed(now, Input::Command { id: NO_ANSWER, command });
    }

    /// Drops the interest in an answer. What must not be left lying is put away.
    pub(crate) fn abandon(&mut self, now: Now, id: CommandId) {
        if let Some(answer) = self.answers.abandon(id) {
            self.put_away(now, answer);
            self.take_actions(now);
        }
    }

    /// True when no answer can come any more although the core has not refused: the driver was dropped.
    pub(crate) fn is_driver_gone(&self) -> bool {
        self.driver_ended && self.core.service_state() != ServiceState::ShutdownAlready
    }

    /// True when the driver was dropped, or ended after a shutdown.
    pub(crate) fn has_driver_ended(&self) -> bool {
        self.driver_ended
    }

    /// True when the core will never act again.
    pub(crate) fn is_finished(&self) -> bool {
        self.core.service_state() == ServiceState::ShutdownAlready
    }

    /// The driver goes to sleep until `waker` is woken, or until `alarm`.
    pub(crate) fn driver_sleeps(&mut self, waker: &Waker, alarm: Instant) {
        self.driver = Some(waker.clone());
        self.alarm = alarm;
        self.alarm_needed = Instant::NEVER;
    }

    /// True when the driver has something to do.
    fn needs_driver(&self) -> bool {
        !self.chores.is_empty() || self.driver_oversleeps() || self.is_finished()
    }

    /// True when a sleeping driver would miss a deadline. Most new ones are later than one that it waits for already.
    pub(crate) fn driver_oversleeps(&self) -> bool {
        self.alarm_needed < self.alarm || self.tape.due().is_some_and(|due| due < self.alarm)
    }

    /// The driver is up: nobody needs to wake it.
    pub(crate) fn driver_is_up(&mut self) {
        self.driver = None;
    }

    /// The driver will never come back: everybody who waits is to look again.
    pub(crate) fn driver_ends(&mut self) {
        self.driver_ended = true;
        self.driver = None;
        self.chores.clear();
        self.outlets.clear();
        self.answers.take_wakers(&mut self.to_wake);
        self.checks.take_wakers(&mut self.to_wake);
        self.wake_watchers();
    }

    /// What was recorded cannot be written: the recording ends.
    pub(crate) fn recording_failed(&mut self, why: String) {
        self.notices.push_recording_failed(&why);
        self.tape.fail(why);
    }

    fn take_actions(&mut self, now: Now) {
        while let Some(action) = self.core.poll_action() {
            self.tape.action(now, &action);
            match action {
                Action::Answer { id, answer } => self.deliver(now, id, answer),
                Action::Connect { conn, to } => self.chores.push_back(Chore::Connect(conn, to)),
                Action::Write { conn } => self.chores.push_back(Chore::Write(conn)),
                Action::Close { conn } => self.chores.push_back(Chore::Close(conn)),
                Action::SetTimer { at } => self.alarm_needed = self.alarm_needed.min(at),
                Action::Check(check) => {
                    // Nobody answers for that producer: the broker asks again.
                    if let Some(check) = self.checks.push(check, &mut self.to_wake) {
                        let command = Command::DropCheck { check: check.id };
                        self.give(now, Input::Command { id: NO_ANSWER, command });
                    }
                }
                Action::Notice(notice) => self.notices.push(notice),
            }
        }
        self.tape.mark();
        let version = self.core.view_version();
        if version != self.view_version {
            self.view_version = version;
            self.wake_watchers();
        }
    }

    fn deliver(&mut self, now: Now, id: CommandId, answer: Answer) {
        // Those who wait for checks of the producer learn that there will be none.
        if matches!(answer, Answer::Closed(_)) {
            self.checks.take_wakers(&mut self.to_wake);
        }
        match self.answers.deliver(id, answer) {
            // One task that waits for many sends is woken once, not once for each.
            Delivered::Wake(waker) => {
                if !self.to_wake.last().is_some_and(|last| last.will_wake(&waker)) {
                    self.to_wake.push(waker);
                }
            }
            Delivered::Kept => {}
            Delivered::Unwanted(answer) => self.put_away(now, answer),
        }
    }

    fn put_away(&mut self, now: Now, answer: Answer) {
        match answer {
            // Its opener is gone, so nobody could ever close it, and its group would stay taken.
            Answer::Opened(Ok(producer)) => {
                let id = self.answers.open_abandoned();
                let command = Command::CloseProducer { producer, deadline: now.mono };
                self.give(now, Input::Command { id, command });
            }
            Answer::Closed(undelivered) => self.notices.push_undelivered(undelivered.len()),
            Answer::Opened(Err(_))
            | Answer::Ended(_)
            | Answer::Room(_)
            | Answer::Sent(_)
            | Answer::HandedOver(_)
            | Answer::Flushed(_)
            | Answer::Admin(_) => {}
        }
    }

    fn wake_watchers(&mut self) {
        self.to_wake.extend(std::mem::take(&mut self.watchers).into_values());
    }
}

/// Held by every handle and every future. When the last one goes, the client drains and ends.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let budget = self.shared.drop_budget;
        self.shared.enter(|state, now| {
            if !state.has_driver_ended() {
                state.begin_unwatched(now, Command::Shutdown { deadline: now.mono + budget });
            }
        });
    }
}
