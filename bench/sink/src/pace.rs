//! Answers that do not leave at once: held back for a while, or in another order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a window may wait to be full. In-flight numbers below a window's size never fill it.
const LONGEST_WINDOW: Duration = Duration::from_millis(1);

/// A connection, told apart from later ones in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionId {
    pub(crate) place: usize,
    pub(crate) serial: u64,
}

/// Answers of one connection that have not been handed on yet.
#[derive(Default)]
pub(crate) struct Window {
    /// Where answers are added, each one followed by [`Pace::added`].
    pub(crate) bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Whether the window is in the queue of those to be closed in time.
    is_timed: bool,
}

/// The queue of what leaves later.
pub(crate) struct Pace {
    delay: Duration,
    window: usize,
    rng: fastrand::Rng,
    now: Instant,
    /// In order of time, as all have the same delay.
    delayed: VecDeque<(Instant, ConnectionId, Vec<u8>)>,
    /// In order of time, as all have [`LONGEST_WINDOW`].
    open: VecDeque<(Instant, ConnectionId)>,
    spare: Vec<Vec<u8>>,
}

/// What became due.
pub(crate) enum Due {
    /// Answers to send now; the buffer goes to [`Pace::reuse`] afterwards.
    Answers(ConnectionId, Vec<u8>),
    /// A connection whose window goes to [`Pace::close`] however full it is.
    Window(ConnectionId),
}

impl Pace {
    /// `None` when answers leave at once and in order.
    pub(crate) fn new(delay: Duration, window: usize, seed: u64) -> Option<Self> {
        if delay.is_zero() && window <= 1 {
            return None;
        }
        Some(Self {
            delay,
            window,
            rng: fastrand::Rng::with_seed(seed),
            now: Instant::now(),
            delayed: VecDeque::new(),
            open: VecDeque::new(),
            spare: Vec::new(),
        })
    }

    /// Says what time it is, from now on.
    pub(crate) fn set_time(&mut self, now: Instant) {
        self.now = now;
    }

    /// Takes note of an answer added to `window`. Answers to be sent at once are added to `at_once`.
    pub(crate) fn added(&mut self, id: ConnectionId, window: &mut Window, at_once: &mut Vec<u8>) {
        window.ends.push(window.bytes.len());
        if self.window > 1 && window.ends.len() == self.window {
            self.close(id, window, at_once);
        }
    }

    /// Takes note that there is nothing more to answer for now.
    pub(crate) fn end_of_read(&mut self, id: ConnectionId, window: &mut Window, at_once: &mut Vec<u8>) {
        if window.ends.is_empty() {
            return;
        }
        if self.window <= 1 {
            self.close(id, window, at_once);
        } else if !window.is_timed {
            window.is_timed = true;
            self.open.push_back((self.now + LONGEST_WINDOW, id));
        }
    }

    /// Shuffles what is in `window` and hands it on: to the queue or, without a delay, to `at_once`.
    pub(crate) fn close(&mut self, id: ConnectionId, window: &mut Window, at_once: &mut Vec<u8>) {
        if self.delay.is_zero() {
            self.empty(window, at_once);
        } else if !window.ends.is_empty() {
            let mut answers = self.spare.pop().unwrap_or_default();
            self.empty(window, &mut answers);
            self.delayed.push_back((self.now + self.delay, id, answers));
        }
    }

    fn empty(&mut self, window: &mut Window, into: &mut Vec<u8>) {
        if self.window <= 1 {
            into.extend_from_slice(&window.bytes);
        } else {
            let mut order: Vec<usize> = (0..window.ends.len()).collect();
            self.rng.shuffle(&mut order);
            for index in order {
                let start = index.checked_sub(1).map_or(0, |before| window.ends[before]);
                into.extend_from_slice(&window.bytes[start..window.ends[index]]);
            }
        }
        window.bytes.clear();
        window.ends.clear();
    }

    /// When something becomes due next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let delayed = self.delayed.front().map(|(due, ..)| *due);
        let open = self.open.front().map(|(due, _)| *due);
        delayed.into_iter().chain(open).min()
    }

    /// The next thing that is due.
    pub(crate) fn take_due(&mut self) -> Option<Due> {
        if self.open.front().is_some_and(|(due, _)| *due <= self.now) {
            return self.open.pop_front().map(|(_, id)| Due::Window(id));
        }
        if self.delayed.front().is_some_and(|(due, ..)| *due <= self.now) {
            return self.delayed.pop_front().map(|(_, id, answers)| Due::Answers(id, answers));
        }
        None
    }

    /// Closes a window whose time has come.
    pub(crate) fn close_in_time(&mut self, id: ConnectionId, window: &mut Window, at_once: &mut Vec<u8>) {
        window.is_timed = false;
        self.close(id, window, at_once);
    }

    /// Takes a buffer of [`Due::Answers`] back.
    pub(crate) fn reuse(&mut self, mut answers: Vec<u8>) {
        answers.clear();
        self.spare.push(answers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ConnectionId = ConnectionId { place: 0, serial: 7 };

    /// One read that brings `answers`; gives what is sent at once.
    fn read(pace: &mut Pace, window: &mut Window, answers: std::ops::Range<u8>) -> Vec<u8> {
        let mut at_once = Vec::new();
        for answer in answers {
            window.bytes.extend([answer; 3]);
            pace.added(ID, window, &mut at_once);
        }
        pace.end_of_read(ID, window, &mut at_once);
        at_once
    }

    #[test]
    fn without_delay_and_order_there_is_nothing_to_do() {
        assert!(Pace::new(Duration::ZERO, 1, 1).is_none());
    }

    #[test]
    fn a_delayed_read_leaves_whole_and_not_before_its_time() {
        let (start, delay) = (Instant::now(), Duration::from_micros(250));
        let mut pace = Pace::new(delay, 1, 1).unwrap();
        let mut window = Window::default();
        pace.set_time(start);
        assert!(read(&mut pace, &mut window, 1..3).is_empty());
        pace.set_time(start + Duration::from_micros(100));
        assert!(read(&mut pace, &mut window, 3..4).is_empty());
        assert_eq!(pace.next_due(), Some(start + delay));
        pace.set_time(start + delay - Duration::from_nanos(1));
        assert!(pace.take_due().is_none());

        pace.set_time(start + delay);
        let Some(Due::Answers(id, answers)) = pace.take_due() else { panic!("nothing is due") };
        assert_eq!((id, answers), (ID, vec![1, 1, 1, 2, 2, 2]));
        assert!(pace.take_due().is_none());
        assert_eq!(pace.next_due(), Some(start + delay + Duration::from_micros(100)));
    }

    #[test]
    fn full_windows_leave_shuffled_by_the_seed_with_each_answer_whole() {
        let shuffled = |seed| {
            let mut pace = Pace::new(Duration::ZERO, 32, seed).unwrap();
            read(&mut pace, &mut Window::default(), 0..96)
        };
        let sent = shuffled(5);
        let order: Vec<u8> = sent.chunks(3).map(|answer| answer[0]).collect();
        assert!(sent.chunks(3).all(|answer| answer == [answer[0]; 3]));
        assert_ne!(order, (0..96).collect::<Vec<u8>>());
        for (window, answers) in order.chunks(32).enumerate() {
            let mut sorted = answers.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (window as u8 * 32..window as u8 * 32 + 32).collect::<Vec<u8>>());
        }
        assert_eq!(sent, shuffled(5));
        assert_ne!(sent, shuffled(6));
    }

    #[test]
    fn a_window_that_does_not_fill_is_closed_in_time() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::ZERO, 4, 1).unwrap();
        let mut window = Window::default();
        pace.set_time(start);
        assert!(read(&mut pace, &mut window, 0..3).is_empty());
        assert_eq!(pace.next_due(), Some(start + LONGEST_WINDOW));
        pace.set_time(start + LONGEST_WINDOW);
        assert!(matches!(pace.take_due(), Some(Due::Window(ID))));
        let mut at_once = Vec::new();
        pace.close_in_time(ID, &mut window, &mut at_once);
        at_once.sort_unstable();
        assert_eq!(at_once, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        assert!(pace.next_due().is_none());
    }

    #[test]
    fn shuffled_windows_are_delayed_as_well() {
        let (start, delay) = (Instant::now(), Duration::from_millis(3));
        let mut pace = Pace::new(delay, 2, 1).unwrap();
        pace.set_time(start);
        assert!(read(&mut pace, &mut Window::default(), 0..4).is_empty());
        pace.set_time(start + delay);
        for first in [0, 2] {
            let Some(Due::Answers(_, mut answers)) = pace.take_due() else { panic!("nothing is due") };
            answers.sort_unstable();
            assert_eq!(answers, [[first; 3], [first + 1; 3]].concat());
        }
    }
}
