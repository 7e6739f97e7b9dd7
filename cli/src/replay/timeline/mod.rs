//! The picture: sends on top, then one lane for each server with its connections and requests, time from left to
//! right.

mod draw;
mod pack;
mod svg;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::event::{Conn, Event, RequestKind, Verdict, What};
use super::summary::Summary;

/// More bars than these make no picture that anybody can read.
const MOST_BARS: usize = 20_000;

/// Ends of connections that are no faults.
const WISHES: [&str; 4] =
    ["client is shutting down", "no longer needed", "server is going away (1500)", "closed by the client"];

/// What is drawn.
#[derive(Debug)]
pub(super) struct Timeline {
    from: Option<Duration>,
    to: Option<Duration>,
    /// The last event.
    last: Duration,
    sends: Vec<SendBar>,
    /// Sends without verdict, by their number.
    open_sends: HashMap<usize, usize>,
    lanes: Vec<Lane>,
    lane_of: BTreeMap<Conn, (usize, usize)>,
    /// Numbers of sends by the unique keys of their messages.
    numbers: HashMap<String, usize>,
    retries: Vec<Mark>,
    bars: usize,
}

/// A message from its hand-in to its verdict.
#[derive(Debug)]
struct SendBar {
    number: usize,
    from: Duration,
    to: Option<Duration>,
    verdict: Option<Verdict>,
    text: String,
}

/// A server.
#[derive(Debug)]
struct Lane {
    address: String,
    peer: String,
    connections: Vec<Connection>,
    requests: Vec<RequestBar>,
}

#[derive(Debug)]
struct Connection {
    conn: Conn,
    opens: Duration,
    up: Option<Duration>,
    ends: Option<End>,
    /// Places of requests without answer in the lane's list, by their opaques.
    waiting: HashMap<i32, usize>,
}

#[derive(Debug)]
struct End {
    at: Duration,
    why: String,
    /// Not by the client's own wish.
    fault: bool,
}

/// A request from its last byte to its answer.
#[derive(Debug)]
struct RequestBar {
    from: Duration,
    to: Option<Duration>,
    kind: RequestKind,
    end: RequestEnd,
    name: String,
    /// The unique key of the message in it.
    key: Option<String>,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestEnd {
    /// Nothing yet.
    Open,
    Done,
    Refused,
    /// The connection ended before.
    Lost,
    /// No answer is wanted.
    OneWay,
}

/// A moment, and what happened then.
#[derive(Debug)]
struct Mark {
    at: Duration,
    text: String,
}

impl Timeline {
    /// A picture of this part of the time; none is the beginning, or the end.
    pub(super) fn new(from: Option<Duration>, to: Option<Duration>) -> Self {
        Self {
            from,
            to,
            last: Duration::ZERO,
            sends: Vec::new(),
            open_sends: HashMap::new(),
            lanes: Vec::new(),
            lane_of: BTreeMap::new(),
            numbers: HashMap::new(),
            retries: Vec::new(),
            bars: 0,
        }
    }

    /// The picture as SVG.
    pub(super) fn draw(&self, summary: &Summary) -> String {
        draw::draw(self, summary)
    }

    /// One more event.
    ///
    /// # Errors
    /// How many sends and requests there may be, when these are more.
    pub(super) fn add(&mut self, event: &Event) -> Result<(), usize> {
        let at = event.at;
        // What began before counts to its end, so that it shows how it ended.
        if self.to.is_some_and(|to| at > to) && event.what.begins_something() {
            return Ok(());
        }
        self.last = self.last.max(at);
        match &event.what {
            What::Opens { conn, address, peer } => self.opens(at, *conn, address, peer),
            What::Up { conn } => {
                if let Some(connection) = self.connection(*conn) {
                    connection.up = Some(at);
                }
            }
            What::Down { conn, why, .. } => self.ends(at, *conn, why, true),
            What::ClosedByClient { conn, why, .. } => {
                // Its own wish, or what it found out about the connection.
                let wish = why.is_empty() || WISHES.contains(&why.as_str());
                self.ends(at, *conn, why, !wish);
            }
            What::Unreadable { .. } | What::Told { .. } => {}
            What::Asked { conn, request } => {
                let bar = RequestBar {
                    from: at,
                    to: request.one_way.then_some(at),
                    kind: request.kind,
                    end: if request.one_way { RequestEnd::OneWay } else { RequestEnd::Open },
                    name: request.name.clone(),
                    key: request.key.clone(),
                    text: format!("{} {} {}", request.name, request.opaque, request.about),
                };
                self.asked(*conn, request.opaque, bar);
            }
            What::Answered { conn, answer } => {
                let end = if answer.success { RequestEnd::Done } else { RequestEnd::Refused };
                self.answered(at, *conn, answer.opaque, end, &answer.to_string());
            }
            What::Send { number, text } => {
                self.open_sends.insert(*number, self.sends.len());
                let text = format!("#{number} {text}");
                self.sends.push(SendBar { number: *number, from: at, to: None, verdict: None, text });
            }
            What::Verdict { number, verdict, text, key, .. } => {
                if let Some(key) = key {
                    self.numbers.insert(key.clone(), *number);
                }
                let place = self.open_sends.remove(number);
                if let Some(bar) = place.and_then(|place| self.sends.get_mut(place)) {
                    bar.to = Some(at);
                    bar.verdict = Some(*verdict);
                    bar.text = format!("{}\n{text}", bar.text);
                    self.count_if_shown(at);
                }
            }
            What::Retry { text } => self.retries.push(Mark { at, text: text.clone() }),
        }
        if self.bars > MOST_BARS { Err(MOST_BARS) } else { Ok(()) }
    }

    fn opens(&mut self, at: Duration, conn: Conn, address: &str, peer: &str) {
        let found = self.lanes.iter().position(|lane| lane.address == address);
        let place = found.unwrap_or_else(|| {
            self.lanes.push(Lane {
                address: address.to_owned(),
                peer: peer.to_owned(),
                connections: Vec::new(),
                requests: Vec::new(),
            });
            self.lanes.len() - 1
        });
        if let Some(lane) = self.lanes.get_mut(place) {
            self.lane_of.insert(conn, (place, lane.connections.len()));
            let waiting = HashMap::new();
            lane.connections.push(Connection { conn, opens: at, up: None, ends: None, waiting });
        }
    }

    fn connection(&mut self, conn: Conn) -> Option<&mut Connection> {
        let (lane, place) = *self.lane_of.get(&conn)?;
        self.lanes.get_mut(lane)?.connections.get_mut(place)
    }

    fn ends(&mut self, at: Duration, conn: Conn, why: &str, fault: bool) {
        let Some(connection) = self.connection(conn) else { return };
        connection.ends = Some(End { at, why: why.to_owned(), fault });
        let lost: Vec<usize> = connection.waiting.drain().map(|(_, place)| place).collect();
        let Some((lane, _)) = self.lane_of.get(&conn).copied() else { return };
        for place in lost {
            let bar = self.lanes.get_mut(lane).and_then(|lane| lane.requests.get_mut(place));
            if let Some(bar) = bar {
                bar.to = Some(at);
                bar.end = RequestEnd::Lost;
                self.count_if_shown(at);
            }
        }
    }

    fn asked(&mut self, conn: Conn, opaque: i32, bar: RequestBar) {
        let Some((lane, _)) = self.lane_of.get(&conn).copied() else { return };
        let Some(place) = self.lanes.get(lane).map(|lane| lane.requests.len()) else { return };
        if bar.to.is_none()
            && let Some(connection) = self.connection(conn)
        {
            connection.waiting.insert(opaque, place);
        }
        self.count_if_shown(bar.from);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.requests.push(bar);
        }
    }

    fn answered(&mut self, at: Duration, conn: Conn, opaque: i32, end: RequestEnd, text: &str) {
        let Some((lane, _)) = self.lane_of.get(&conn).copied() else { return };
        let place = self.connection(conn).and_then(|connection| connection.waiting.remove(&opaque));
        let bar =
            place.and_then(|place| self.lanes.get_mut(lane).and_then(|lane| lane.requests.get_mut(place)));
        if let Some(bar) = bar {
            bar.to = Some(at);
            bar.end = end;
            bar.text = format!("{}\n{text}", bar.text);
        }
    }

    fn count_if_shown(&mut self, at: Duration) {
        self.bars += usize::from(self.from.is_none_or(|from| from <= at));
    }
}
