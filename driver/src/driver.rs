//! The one loop: it moves bytes between sockets and the core, and tells the core the time.

use crate::clock::RuntimeClock;
use crate::link::{Link, Step};
use crate::recording::Pen;
use crate::runtime::{Runtime, Stream};
use crate::shared::{Chore, Shared, State};
use crate::timer::Timer;
use rocketmq_core::ground::Now;
use rocketmq_core::interface::{CloseReason, ConnId, Input};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Rounds of one poll; then the executor gets its turn although there is more to do.
const ROUNDS: usize = 16;

/// The task of a client: spawn it, or poll it as part of something else.
///
/// It ends after [`Client::shutdown`](crate::Client::shutdown), or, when the last handle is dropped, after a
/// short drain. When it is dropped before, every waiting caller learns it:
/// [`SendErrorKind::DriverGone`](rocketmq_core::interface::SendErrorKind::DriverGone).
#[must_use = "a client does nothing until its driver is spawned or polled"]
pub struct Driver<R: Runtime> {
    shared: Arc<Shared>,
    runtime: Arc<R>,
    clock: Arc<RuntimeClock<R>>,
    links: BTreeMap<ConnId, Link<R::Stream>>,
    timer: Timer<R>,
    /// What the last pass over the links found; kept for its memory.
    found: Vec<(ConnId, Found)>,
    chores: VecDeque<Chore>,
    wakers: Vec<Waker>,
    pen: Pen,
    /// Those who were woken had their turn before this one.
    gave_way: bool,
    ended: bool,
}

/// What one pass over the links found, to be told to the core.
#[derive(Debug)]
enum Found {
    Connected,
    /// So many bytes were taken by the socket.
    Wrote(usize),
    /// So many bytes lie in the link's read buffer.
    Received(usize),
    Closed(CloseReason),
}

/// What to do after a turn with the core.
enum Turn {
    /// There is more to do.
    GoOn,
    /// There is more to do, once other tasks had their turn.
    GiveWay,
    /// Nothing is left to do until somebody wakes the driver, or the timer does.
    Sleep,
    Finished,
}

impl<R: Runtime> std::fmt::Debug for Driver<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("connections", &self.links.len()).field("ended", &self.ended).finish()
    }
}

impl<R: Runtime> Driver<R> {
    pub(crate) fn new(shared: Arc<Shared>, runtime: Arc<R>, clock: Arc<RuntimeClock<R>>, pen: Pen) -> Self {
        Self {
            shared,
            runtime,
            clock,
            links: BTreeMap::new(),
            timer: Timer::default(),
            found: Vec::new(),
            chores: VecDeque::new(),
            wakers: Vec::new(),
            pen,
            gave_way: false,
            ended: false,
        }
    }

    /// Reads and writes what the sockets allow, outside the lock. True when a link wants another pass.
    fn move_bytes(&mut self, cx: &mut Context<'_>) -> bool {
        let mut again = false;
        let (runtime, found) = (&self.runtime, &mut self.found);
        self.links.retain(|conn, link| {
            let step = link.step(&**runtime, cx);
            let Step { connected, wrote, received, closed, more } = step;
            again |= more;
            // This order: a byte that was taken before the end counts as taken.
            if connected {
                found.push((*conn, Found::Connected));
            }
            if wrote > 0 {
                found.push((*conn, Found::Wrote(wrote)));
            }
            if received > 0 {
                found.push((*conn, Found::Received(received)));
            }
            if let Some(why) = closed {
                found.push((*conn, Found::Closed(why)));
            }
            closed.is_none()
        });
        again
    }

    /// Tells the core what was found and what time it is, and takes what is to be written.
    fn turn(&mut self, again: bool, waker: &Waker) -> Turn {
        let Self { shared, links, found, chores, wakers, pen, timer, gave_way, .. } = self;
        let (turn, after) = shared.enter_quietly(std::mem::take(wakers), |state, now| {
            state.driver_is_up();
            tell(state, now, links, found);
            // After the answers: one that came before its deadline counts, however late we look.
            if state.core.deadline().is_some_and(|at| at <= now.mono) {
                state.feed(now, Input::Tick);
            }
            if state.is_finished() {
                return Turn::Finished;
            }
            let had_chores = !state.chores.is_empty();
            std::mem::swap(&mut state.chores, chores);
            do_chores(state, chores, links);
            // With several threads the driver is woken by the first of many callers that it woke itself. What the
            // others are about to give would leave in many writes instead of one: so they go first, once.
            if !*gave_way && had_chores && state.answers.roused() > 0 {
                *gave_way = true;
                return Turn::GiveWay;
            }
            *gave_way = false;
            let fetched = fetch_outboxes(state, links);
            let pen_due = pen.fetch(&mut state.tape, now);
            if again || had_chores || fetched {
                return Turn::GoOn;
            }
            let deadline = [state.core.deadline(), pen_due].into_iter().flatten().min();
            let alarm = timer.plan(deadline, now.mono);
            state.driver_sleeps(waker, alarm);
            Turn::Sleep
        });
        *wakers = after.settle();
        self.write_recording();
        turn
    }

    fn finish(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.links.clear();
        let Self { shared, pen, .. } = self;
        shared.enter(|state, now| {
            let is_shut_down = state.is_finished();
            pen.fetch_last(&mut state.tape, now, is_shut_down);
            state.driver_ends();
        });
        self.write_recording();
    }

    /// Behind the lock. What fails is no concern of the client.
    fn write_recording(&mut self) {
        if let Some(why) = self.pen.write() {
            self.shared.enter(|state, _| state.recording_failed(why));
        }
    }
}

fn tell<S: Stream>(
    state: &mut State,
    now: Now,
    links: &mut BTreeMap<ConnId, Link<S>>,
    found: &mut Vec<(ConnId, Found)>,
) {
    for (conn, what) in found.drain(..) {
        match what {
            Found::Connected => {
                if let Some(outlet) = links.get(&conn).and_then(Link::outlet) {
                    state.outlets.add(conn, outlet);
                }
                state.feed(now, Input::Connected { conn });
            }
            Found::Wrote(count) => state.feed(now, Input::Wrote { conn, count }),
            Found::Received(count) => {
                let Some(link) = links.get_mut(&conn) else {
                    continue;
                };
                state.feed(now, Input::Received { conn, bytes: link.received(count) });
                link.fit_read_buffer(count);
            }
            Found::Closed(why) => {
                state.outlets.remove(conn);
                state.feed(now, Input::Closed { conn, why });
            }
        }
    }
}

fn do_chores<S>(state: &mut State, chores: &mut VecDeque<Chore>, links: &mut BTreeMap<ConnId, Link<S>>) {
    for chore in chores.drain(..) {
        match chore {
            Chore::Connect(conn, to) => {
                links.insert(conn, Link::new(to));
            }
            Chore::Write(conn) => {
                if let Some(link) = links.get_mut(&conn) {
                    link.outbox_filled = true;
                }
            }
            Chore::Close(conn) => {
                state.outlets.remove(conn);
                links.remove(&conn);
            }
        }
    }
}

/// Takes bytes for every link whose own buffers are empty. True when there were any.
fn fetch_outboxes<S>(state: &mut State, links: &mut BTreeMap<ConnId, Link<S>>) -> bool {
    let mut fetched = false;
    for (conn, link) in links.iter_mut() {
        if let Some(into) = link.wants_bytes() {
            state.core.outbox(*conn, into);
            fetched |= link.took_bytes();
        }
    }
    fetched
}

impl<R: Runtime> Future for Driver<R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(());
        }
        for _ in 0..ROUNDS {
            let again = this.move_bytes(cx);
            match this.turn(again, cx.waker()) {
                Turn::GoOn => {}
                Turn::GiveWay => break,
                Turn::Sleep => {
                    if this.timer.poll(&*this.runtime, &this.clock, cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                Turn::Finished => {
                    this.finish();
                    return Poll::Ready(());
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<R: Runtime> Drop for Driver<R> {
    fn drop(&mut self) {
        self.finish();
    }
}
