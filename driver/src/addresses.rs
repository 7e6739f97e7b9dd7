//! One connect, tried at every address of a host.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::runtime::unresolved;

/// How long an address has the network for itself before the next one is tried beside it (RFC 8305 recommends it).
pub const HEAD_START: Duration = Duration::from_millis(250);
/// Further addresses of one host are not tried.
const MOST_ADDRESSES: usize = 16;

/// Opens a stream at the first of these addresses that takes one.
///
/// They are tried in the order of the resolver, IPv6 and IPv4 in turn. The next one is tried as soon as one fails, and
/// beside those under way when [`HEAD_START`] has passed: a dead address costs that, not the whole time of a connect. The
/// first stream that is open wins, and the other connects are dropped.
///
/// # Errors
/// What the last address said, when all of them failed; one of the name resolution when there is no address.
pub async fn connect_any<S, C, T>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    connect: impl Fn(SocketAddr) -> C,
    sleep: impl Fn(Duration) -> T,
) -> io::Result<S>
where
    C: Future<Output = io::Result<S>>,
    T: Future<Output = ()>,
{
    let mut race = Race { waiting: in_turns(addresses), running: Vec::new(), head_start: None, last: None };
    poll_fn(|cx| race.poll(cx, &connect, &sleep)).await
}

/// Connects under way, and addresses that wait for their turn.
struct Race<C, T> {
    waiting: VecDeque<SocketAddr>,
    running: Vec<Pin<Box<C>>>,
    head_start: Option<Pin<Box<T>>>,
    last: Option<io::Error>,
}

impl<C, T> Race<C, T> {
    fn poll<S>(
        &mut self,
        cx: &mut Context<'_>,
        connect: &impl Fn(SocketAddr) -> C,
        sleep: &impl Fn(Duration) -> T,
    ) -> Poll<io::Result<S>>
    where
        C: Future<Output = io::Result<S>>,
        T: Future<Output = ()>,
    {
        loop {
            let before = self.running.len();
            if let Some(stream) = self.poll_running(cx) {
                return Poll::Ready(Ok(stream));
            }
            let is_over = |timer: &mut Pin<Box<T>>| timer.as_mut().poll(cx).is_ready();
            let one_failed = self.running.len() < before;
            let next = one_failed || before == 0 || self.head_start.as_mut().is_some_and(is_over);
            if !next {
                return Poll::Pending;
            }
            self.head_start = None;
            match self.waiting.pop_front() {
                Some(address) => self.running.push(Box::pin(connect(address))),
                None if self.running.is_empty() => {
                    let none = || unresolved(ErrorKind::NotFound.into());
                    return Poll::Ready(Err(self.last.take().unwrap_or_else(none)));
                }
                None => return Poll::Pending,
            }
            if !self.waiting.is_empty() {
                self.head_start = Some(Box::pin(sleep(HEAD_START)));
            }
        }
    }

    /// Drops the connects that failed; returns the stream of one that is open.
    fn poll_running<S>(&mut self, cx: &mut Context<'_>) -> Option<S>
    where
        C: Future<Output = io::Result<S>>,
    {
        let (mut open, last) = (None, &mut self.last);
        self.running.retain_mut(|connecting| match connecting.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(Ok(stream)) => {
                open = Some(stream);
                false
            }
            Poll::Ready(Err(error)) => {
                *last = Some(error);
                false
            }
        });
        open
    }
}

/// The addresses without doubles, those of the first one's family and the others in turn.
fn in_turns(addresses: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let (mut first, mut second): (VecDeque<SocketAddr>, VecDeque<SocketAddr>) = Default::default();
    for address in addresses {
        let is_first = first.front().is_none_or(|other| other.is_ipv6() == address.is_ipv6());
        let list = if is_first { &mut first } else { &mut second };
        if !list.contains(&address) {
            list.push_back(address);
        }
    }
    let mut turns = VecDeque::new();
    while !(first.is_empty() && second.is_empty()) && turns.len() < MOST_ADDRESSES {
        turns.extend(first.pop_front());
        turns.extend(second.pop_front());
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::{HEAD_START, connect_any, in_turns};
    use std::cell::RefCell;
    use std::future::{Future, pending, ready};
    use std::io::{self, ErrorKind};
    use std::net::SocketAddr;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    type Connect = Pin<Box<dyn Future<Output = io::Result<SocketAddr>>>>;

    fn addresses(list: &str) -> Vec<SocketAddr> {
        list.split_whitespace().map(|one| one.parse().unwrap()).collect()
    }

    /// Port 1 never answers, port 2 refuses, any other is open.
    fn connect(tried: &RefCell<Vec<u16>>, to: SocketAddr) -> Connect {
        tried.borrow_mut().push(to.port());
        match to.port() {
            1 => Box::pin(pending()),
            2 => Box::pin(ready(Err(ErrorKind::ConnectionRefused.into()))),
            _ => Box::pin(ready(Ok(to))),
        }
    }

    /// Polls once, with timers that are over at once or never.
    fn race(list: &str, time_passes: bool) -> (Poll<Result<u16, ErrorKind>>, Vec<u16>) {
        let tried = RefCell::default();
        let sleep = |time: Duration| {
            assert_eq!(time, HEAD_START);
            let timer: Pin<Box<dyn Future<Output = ()>>> =
                if time_passes { Box::pin(ready(())) } else { Box::pin(pending()) };
            timer
        };
        let polled = {
            let mut race = pin!(connect_any(addresses(list), |to| connect(&tried, to), sleep));
            race.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        let polled = polled.map(|result| result.map(|to| to.port()).map_err(|error| error.kind()));
        (polled, tried.into_inner())
    }

    #[test]
    fn one_that_refuses_is_followed_by_the_next_at_once() {
        assert_eq!(race("10.0.0.1:2 10.0.0.2:2 10.0.0.3:7", false), (Poll::Ready(Ok(7)), vec![2, 2, 7]));
        let refused = Poll::Ready(Err(ErrorKind::ConnectionRefused));
        assert_eq!(race("10.0.0.1:2 10.0.0.2:2", false), (refused, vec![2, 2]));
        assert_eq!(race("", false), (Poll::Ready(Err(ErrorKind::NotFound)), vec![]));
    }

    #[test]
    fn one_that_is_silent_has_a_head_start_and_no_more() {
        assert_eq!(race("10.0.0.1:1 10.0.0.2:7", false), (Poll::Pending, vec![1]));
        assert_eq!(race("10.0.0.1:1 10.0.0.2:1 10.0.0.3:7", true), (Poll::Ready(Ok(7)), vec![1, 1, 7]));
        // The last one may still come up.
        assert_eq!(race("10.0.0.1:1 10.0.0.2:2", true), (Poll::Pending, vec![1, 2]));
    }

    #[test]
    fn families_take_turns_and_no_address_comes_twice() {
        let turns = in_turns(addresses("[::1]:1 [::2]:2 [::3]:3 10.0.0.1:4 [::1]:1 10.0.0.2:5"));
        assert_eq!(turns.iter().map(SocketAddr::port).collect::<Vec<_>>(), [1, 4, 2, 5, 3]);
        let many = (1..100).map(|port| SocketAddr::from(([10, 0, 0, 1], port)));
        assert!(in_turns(many).len() <= 17);
    }
}
