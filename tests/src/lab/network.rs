//! The simulated network: connects, reads and writes of clients, times of travel.

mod arrivals;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};
use std::time::Duration;

use rocketmq_driver::Endpoint;
use rocketmq_driver::runtime::unresolved;

use super::state::{Event, State, micros};
use crate::cluster::{Dialect, FrameReader, ServerId};

/// Bytes that a connection takes before the server has read them.
const WINDOW: usize = 256 * 1024;

/// How bytes travel, see [`LabBuilder::network`](super::LabBuilder::network). Connections are independent of each other, and
/// bytes of one connection stay in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The way from one end to the other. Default 500 µs.
    pub latency: Duration,
    /// A random part on top, up to this. Default 500 µs.
    pub jitter: Duration,
    /// How many bytes a second each direction of a connection carries. Default: no limit.
    pub bytes_per_second: Option<u64>,
    /// How many of 1000 reads get only a part of what has arrived. Default 20.
    pub short_reads: u32,
    /// How many of 1000 writes are taken only in part. Default 20.
    pub short_writes: u32,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            latency: Duration::from_micros(500),
            jitter: Duration::from_micros(500),
            bytes_per_second: None,
            short_reads: 20,
            short_writes: 20,
        }
    }
}

/// What becomes of new connections to a server, see [`Server::set_connects`](super::Server::set_connects).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connects {
    /// They come up, if the server runs.
    #[default]
    Accepted,
    /// They are refused.
    Refused,
    /// They stay under way.
    Hanging,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Refused,
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

/// A connection, until both ends know of its end.
pub(super) struct Conn {
    client: u32,
    server: Option<ServerId>,
    peer: String,
    phase: Phase,
    /// The end, as the client sees it once it has read what arrived before.
    end: Option<End>,
    client_gone: bool,
    server_gone: bool,
    arrived: VecDeque<u8>,
    /// Bytes that were written and that the server has not taken.
    up_waiting: usize,
    /// Those of them that have arrived at a paused server.
    unread: usize,
    /// When the last bytes on their way arrive, and when the line is free again.
    last_up: u64,
    last_down: u64,
    up_free: u64,
    down_free: u64,
    /// What arrived while the server was cut off.
    held: Vec<Event>,
    connector: Option<Waker>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    frames_up: FrameReader,
    frames_down: FrameReader,
}

impl Conn {
    pub(super) fn take_wakers(&mut self) -> impl Iterator<Item = Waker> {
        [self.connector.take(), self.reader.take(), self.writer.take()].into_iter().flatten()
    }
}

/// Connects, reads and writes of clients.
impl State {
    pub(super) fn connect(&mut self, client: u32, to: &Endpoint) -> io::Result<u64> {
        let Ok(ip) = to.host().parse::<IpAddr>() else {
            self.tell(|| format!("client {client}: {} is no host of the lab", to.host()));
            return Err(unresolved(ErrorKind::NotFound.into()));
        };
        let server = self.cluster.server_at(SocketAddr::new(ip, to.port()));
        let peer = server.map_or_else(|| format!("{ip}:{}", to.port()), server_name);
        self.next_conn += 1;
        let id = self.next_conn;
        self.tell(|| format!("client {client} -> {peer}: connects"));
        // The older reader looks at no connection as a whole, so it fits answers, too.
        let reader = || FrameReader::new(Dialect::V4_9_7);
        let conn = Conn {
            client,
            server,
            peer,
            phase: Phase::Connecting,
            end: None,
            client_gone: false,
            server_gone: false,
            arrived: VecDeque::new(),
            up_waiting: 0,
            unread: 0,
            last_up: 0,
            last_down: 0,
            up_free: 0,
            down_free: 0,
            held: Vec::new(),
            connector: None,
            reader: None,
            writer: None,
            frames_up: reader(),
            frames_down: reader(),
        };
        self.conns.insert(id, conn);
        let round_trip = self.delay(server) + self.delay(server);
        self.plan(self.now_us + round_trip, Event::ConnectDone(id));
        Ok(id)
    }

    pub(super) fn poll_connect(&mut self, id: u64, waker: &Waker) -> Poll<io::Result<()>> {
        let Some(conn) = self.conns.get_mut(&id) else {
            return Poll::Ready(Err(ErrorKind::NotConnected.into()));
        };
        match conn.phase {
            Phase::Connecting => {
                let old = conn.connector.replace(waker.clone());
                self.drop_later(old);
                Poll::Pending
            }
            Phase::Refused => Poll::Ready(Err(ErrorKind::ConnectionRefused.into())),
            Phase::Open => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn read(&mut self, id: u64, into: &mut [u8], waker: &Waker) -> Poll<io::Result<usize>> {
        let short = self.chance(|network| network.short_reads);
        let Some(conn) = self.conns.get_mut(&id) else {
            return Poll::Ready(Err(ErrorKind::NotConnected.into()));
        };
        let mut count = conn.arrived.len().min(into.len());
        if count == 0 {
            return match conn.end {
                Some(End::Closed) => Poll::Ready(Ok(0)),
                Some(End::Reset) => Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
                None => {
                    let old = conn.reader.replace(waker.clone());
                    self.drop_later(old);
                    Poll::Pending
                }
            };
        }
        if short {
            count = 1 + self.network_dice.below(count as u64) as usize;
        }
        for (to, from) in into.iter_mut().zip(conn.arrived.drain(..count)) {
            *to = from;
        }
        Poll::Ready(Ok(count))
    }

    pub(super) fn write(&mut self, id: u64, from: &[IoSlice<'_>], waker: &Waker) -> Poll<io::Result<usize>> {
        let short = self.chance(|network| network.short_writes);
        let Some(conn) = self.conns.get_mut(&id) else {
            return Poll::Ready(Err(ErrorKind::NotConnected.into()));
        };
        match conn.end {
            Some(End::Closed) => return Poll::Ready(Err(ErrorKind::BrokenPipe.into())),
            Some(End::Reset) => return Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
            None => {}
        }
        let wanted: usize = from.iter().map(|slice| slice.len()).sum();
        let mut count = wanted.min(WINDOW.saturating_sub(conn.up_waiting));
        if count == 0 && wanted > 0 {
            let old = conn.writer.replace(waker.clone());
            self.drop_later(old);
            return Poll::Pending;
        }
        if short && count > 0 {
            count = 1 + self.network_dice.below(count as u64) as usize;
        }
        conn.up_waiting += count;
        let bytes: Vec<u8> = from.iter().flat_map(|slice| slice.iter().copied()).take(count).collect();
        let at = self.way_up(id, count);
        self.plan(at, Event::ToServer(id, bytes));
        Poll::Ready(Ok(count))
    }

    /// The client has dropped its end: what it had written arrives first.
    pub(super) fn client_closes(&mut self, id: u64) {
        let at = self.way_up(id, 0);
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let wakers: Vec<Waker> = conn.take_wakers().collect();
        conn.client_gone = true;
        let over = conn.phase != Phase::Open || conn.server_gone;
        wakers.into_iter().for_each(|waker| self.drop_later(Some(waker)));
        if over {
            self.conns.remove(&id);
        } else {
            self.plan(at, Event::ClientEnds(id));
        }
    }
}

/// Times of travel.
impl State {
    fn chance(&mut self, per_mille: impl Fn(&Network) -> u32) -> bool {
        let per_mille = u64::from(per_mille(&self.network));
        per_mille > 0 && self.network_dice.below(1_000) < per_mille
    }

    fn delay(&mut self, server: Option<ServerId>) -> u64 {
        let network = server.and_then(|server| self.networks.get(&server)).unwrap_or(&self.network);
        let (latency, jitter) = (micros(network.latency), micros(network.jitter));
        latency.saturating_add(self.network_dice.below(jitter.saturating_add(1)))
    }

    /// How long a connection is busy with so many bytes.
    fn transmission(&self, server: Option<ServerId>, count: usize) -> u64 {
        let network = server.and_then(|server| self.networks.get(&server)).unwrap_or(&self.network);
        let micros = |rate: u64| (count as u64).saturating_mul(1_000_000) / rate.max(1);
        network.bytes_per_second.map_or(0, micros)
    }

    fn way_up(&mut self, id: u64, count: usize) -> u64 {
        let Some(server) = self.conns.get(&id).map(|conn| conn.server) else { return self.now_us };
        let (delay, busy) = (self.delay(server), self.transmission(server, count));
        let Some(conn) = self.conns.get_mut(&id) else { return self.now_us };
        conn.up_free = conn.up_free.max(self.now_us).saturating_add(busy);
        conn.last_up = conn.last_up.max(conn.up_free.saturating_add(delay));
        conn.last_up
    }

    fn way_down(&mut self, id: u64, count: usize) -> u64 {
        let Some(server) = self.conns.get(&id).map(|conn| conn.server) else { return self.now_us };
        let (delay, busy) = (self.delay(server), self.transmission(server, count));
        let Some(conn) = self.conns.get_mut(&id) else { return self.now_us };
        conn.down_free = conn.down_free.max(self.now_us).saturating_add(busy);
        conn.last_down = conn.last_down.max(conn.down_free.saturating_add(delay));
        conn.last_down
    }

    /// A waker's last clone may drop its task, and that wants the lock.
    fn drop_later(&mut self, waker: Option<Waker>) {
        self.drop_behind_lock(waker.map(Event::Wake));
    }
}

/// As stories and routes name a server.
pub(super) fn server_name(server: ServerId) -> String {
    match server {
        ServerId::NameServer(index) => format!("name server {index}"),
        ServerId::Broker(index) => match u8::try_from(index) {
            Ok(small) if small < 26 => format!("broker-{}", char::from(b'a' + small)),
            _ => format!("broker-{index}"),
        },
        ServerId::Discovery => "discovery".to_owned(),
    }
}
