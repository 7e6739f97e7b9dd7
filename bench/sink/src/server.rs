//! The loop: one thread waits for all sockets and standard input at once.

use crate::broker::Brokers;
use crate::connection::{Connection, Interest};
use crate::listen::listen;
use crate::options::Options;
use crate::pace::{ConnectionId, Due, Pace};
use crate::stats::Stats;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::time::Timespec;
use slab::Slab;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

const CONTROL: u64 = 0;
const FIRST_LISTENER: u64 = 1;
/// Connections follow: there are at most two listeners for each of 64 brokers.
const FIRST_CONNECTION: u64 = 1_000;
const EVENTS_AT_ONCE: usize = 256;

/// The sink, listening.
pub struct Server {
    port: u16,
    poll: OwnedFd,
    /// Each with the number of its broker.
    listeners: Vec<(usize, TcpListener)>,
    connections: Slab<Connection>,
    next_serial: u64,
    brokers: Brokers,
    pace: Option<Pace>,
    stats: Stats,
    /// The answers to one read, kept for its memory.
    answers: Vec<u8>,
}

impl Server {
    /// Opens all ports.
    ///
    /// # Errors
    /// A port that is not free, or a file for the ids that cannot be written.
    pub fn bind(options: &Options) -> io::Result<Self> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut listeners = Vec::new();
        let mut ports = Vec::new();
        for index in 0..u16::from(options.brokers) {
            let opened = listen(options.port, index)?;
            ports.push(opened.port);
            listeners.extend(opened.listeners.map(|listener| (usize::from(index), listener)));
        }
        for (token, (_, listener)) in (FIRST_LISTENER..).zip(&listeners) {
            epoll::add(&poll, listener, EventData::new_u64(token), EventFlags::IN)?;
        }
        let delay = Duration::from_micros(options.delay_us);
        Ok(Self {
            port: ports[0],
            poll,
            listeners,
            connections: Slab::new(),
            next_serial: 0,
            brokers: Brokers::new(options, &ports)?,
            pace: Pace::new(delay, options.reorder as usize, options.seed),
            stats: Stats::new(),
            answers: Vec::new(),
        })
    }

    /// Where the first broker is; every port answers as a name server too.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Serves until the end of `control`, with a report for each of its lines.
    ///
    /// # Errors
    /// What makes going on impossible: no more file descriptors, nobody to take reports, a full disk.
    pub fn run(mut self, control: impl AsFd, mut reports: impl Write) -> io::Result<()> {
        epoll::add(&self.poll, &control, EventData::new_u64(CONTROL), EventFlags::IN).map_err(|error| {
            let hint = "standard input must be a pipe or a terminal, the sink ends with it";
            io::Error::new(error.kind(), format!("{error}: {hint}"))
        })?;
        let mut events = Vec::with_capacity(EVENTS_AT_ONCE);
        loop {
            self.wait(&mut events)?;
            for event in events.drain(..) {
                let token = event.data.u64();
                if token == CONTROL {
                    if !self.control(&control, &mut reports)? {
                        return self.brokers.flush();
                    }
                } else if token < FIRST_CONNECTION {
                    self.accept((token - FIRST_LISTENER) as usize)?;
                } else {
                    self.ready((token - FIRST_CONNECTION) as usize, event.flags);
                }
            }
            self.send_due();
        }
    }

    /// Waits until something happens or becomes due.
    fn wait(&self, events: &mut Vec<Event>) -> io::Result<()> {
        let due = self.pace.as_ref().and_then(Pace::next_due);
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        let timeout = timeout.map(|wait| Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        });
        match epoll::wait(&self.poll, rustix::buffer::spare_capacity(events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reports once for each line. Gives whether there is more to come.
    fn control(&mut self, control: &impl AsFd, reports: &mut impl Write) -> io::Result<bool> {
        let mut text = [0; 4096];
        let bytes = rustix::io::read(control, &mut text)?;
        for _ in text[..bytes].iter().filter(|byte| **byte == b'\n') {
            self.stats.counted.messages = self.brokers.take_messages();
            writeln!(reports, "STATS {}", serde_json::to_string(&self.stats.take())?)?;
            reports.flush()?;
            self.brokers.flush()?;
        }
        Ok(bytes > 0)
    }

    fn accept(&mut self, listener: usize) -> io::Result<()> {
        let (broker, listener) = &self.listeners[listener];
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let connection = Connection::new(stream, *broker, self.next_serial)?;
        self.next_serial += 1;
        self.stats.counted.connections += 1;
        let entry = self.connections.vacant_entry();
        let token = EventData::new_u64(FIRST_CONNECTION + entry.key() as u64);
        epoll::add(&self.poll, &connection.stream, token, EventFlags::IN)?;
        entry.insert(connection);
        Ok(())
    }

    /// Serves a connection; one that has ended or cannot be understood is closed.
    fn ready(&mut self, place: usize, flags: EventFlags) {
        // Closed by an earlier event of the same wait.
        if !self.connections.contains(place) {
            return;
        }
        let served = self.serve(place, flags);
        self.settle(place, served);
    }

    fn serve(&mut self, place: usize, flags: EventFlags) -> io::Result<bool> {
        let connection = &mut self.connections[place];
        if flags.contains(EventFlags::OUT) {
            connection.send_rest(&mut self.stats.counted)?;
        }
        if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            return Ok(true);
        }
        if !connection.read(&mut self.stats.counted)? {
            return Ok(false);
        }
        self.answers.clear();
        if let Some(pace) = &mut self.pace {
            pace.set_time(Instant::now());
        }
        let (broker, id) = (connection.broker, ConnectionId { place, serial: connection.serial });
        while let Some(frame) = connection.next_frame()? {
            let (frame, window) = connection.frame_and_window(frame);
            let request = self.brokers.read(frame).ok_or_else(|| unreadable(frame))?;
            match &mut self.pace {
                Some(pace) if request.is_send() => {
                    self.brokers.answer(broker, &request, &mut window.bytes);
                    if !request.one_way {
                        pace.added(id, window, &mut self.answers);
                    }
                }
                _ => self.brokers.answer(broker, &request, &mut self.answers),
            }
        }
        if let Some(pace) = &mut self.pace {
            pace.end_of_read(id, &mut connection.window, &mut self.answers);
        }
        connection.send(&self.answers, &mut self.stats.counted)?;
        Ok(true)
    }

    /// Sends what has become due.
    fn send_due(&mut self) {
        let Some(pace) = &mut self.pace else { return };
        pace.set_time(Instant::now());
        while let Some(due) = self.pace.as_mut().and_then(Pace::take_due) {
            let (Due::Answers(id, _) | Due::Window(id)) = due;
            let served = self.send_one_due(due);
            if self.is_open(id) {
                self.settle(id.place, served);
            }
        }
    }

    fn send_one_due(&mut self, due: Due) -> io::Result<bool> {
        let Some(pace) = &mut self.pace else { return Ok(true) };
        let (Due::Answers(id, _) | Due::Window(id)) = due;
        let Some(connection) = self.connections.get_mut(id.place).filter(|found| found.serial == id.serial)
        else {
            return Ok(true);
        };
        match due {
            Due::Window(_) => {
                self.answers.clear();
                pace.close_in_time(id, &mut connection.window, &mut self.answers);
                connection.send(&self.answers, &mut self.stats.counted)?;
            }
            Due::Answers(_, answers) => {
                let sent = connection.send(&answers, &mut self.stats.counted);
                pace.reuse(answers);
                sent?;
            }
        }
        Ok(true)
    }

    fn is_open(&self, id: ConnectionId) -> bool {
        self.connections.get(id.place).is_some_and(|found| found.serial == id.serial)
    }

    /// Waits for what the connection needs next, or closes it.
    fn settle(&mut self, place: usize, served: io::Result<bool>) {
        let connection = &mut self.connections[place];
        let wanted = connection.wanted();
        let kept = served.and_then(|is_open| {
            if is_open && wanted != connection.interest {
                connection.interest = wanted;
                let token = EventData::new_u64(FIRST_CONNECTION + place as u64);
                epoll::modify(&self.poll, &connection.stream, token, flags_of(wanted))?;
            }
            Ok(is_open)
        });
        match kept {
            Ok(true) => return,
            Ok(false) => {}
            // Clients that end without closing properly are none of the sink's business.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
            Err(error) => eprintln!("sink: connection closed: {error}"),
        }
        // Dropping the stream takes it out of the poll as well.
        drop(self.connections.remove(place));
    }
}

fn flags_of(interest: Interest) -> EventFlags {
    match interest {
        Interest::Read => EventFlags::IN,
        Interest::ReadAndWrite => EventFlags::IN | EventFlags::OUT,
        Interest::Write => EventFlags::OUT,
    }
}

fn unreadable(frame: &[u8]) -> io::Error {
    let start = String::from_utf8_lossy(&frame[..frame.len().min(200)]).into_owned();
    io::Error::new(ErrorKind::InvalidData, format!("not a frame in a form that is known here: {start:?}"))
}
