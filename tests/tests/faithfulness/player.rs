//! Plays a script over TCP and writes down what comes back.

use std::collections::{BTreeMap, HashMap};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rocketmq_sim::cluster::{Dialect, Frame, FrameReader};

use super::answer::{facts_of, request_text};
use super::recording::{Facts, Recording};
use super::step::{Step, To, Writes};

/// Longer than any answer takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a real server is given where it has been silent before.
const SILENCE: Duration = Duration::from_secs(4);
/// The first step's number; each step has ten, for steps with several requests.
const FIRST_NUMBER: i32 = 100_000;
/// The first number of the requests that show what has become of the connection.
const FIRST_PROBE: i32 = 50_000_000;

/// The servers that a script is played to.
pub(crate) struct Target<'a> {
    pub(crate) name_server: String,
    pub(crate) broker: String,
    /// Real brokers answer requests of one connection in any order.
    pub(crate) is_real: bool,
    /// Called before a step is tried again: lets time pass.
    pub(crate) pause: Box<dyn Fn() + 'a>,
}

/// Plays the whole script. `known` says which steps of a real server stayed without an answer before: unless
/// `records_anew`, these are not waited for, because an answer that comes all the same shows in a later step.
pub(crate) fn play(
    script: &[Step],
    target: &Target<'_>,
    known: Option<&Recording>,
    records_anew: bool,
) -> Recording {
    let mut player = Player {
        target,
        known,
        records_anew,
        links: BTreeMap::new(),
        subject: String::new(),
        answers: HashMap::new(),
        probes: FIRST_PROBE,
    };
    let mut recording = Recording::new(String::new());
    for (index, step) in script.iter().enumerate() {
        let number = FIRST_NUMBER + 10 * i32::try_from(index).expect("a short script");
        let facts = player.step(step, number);
        assert!(recording.steps.insert(step.name.clone(), facts).is_none(), "{} is there twice", step.name);
    }
    player.leave();
    recording
}

struct Player<'a> {
    target: &'a Target<'a>,
    known: Option<&'a Recording>,
    records_anew: bool,
    links: BTreeMap<(To, u8), Link>,
    subject: String,
    /// Message id and queue offset in the answer of each step that has been played.
    answers: HashMap<String, Option<(String, String)>>,
    probes: i32,
}

/// What came back in a step.
#[derive(Default)]
struct Returned {
    answers: Vec<Frame>,
    requests: Vec<Frame>,
    closed: bool,
}

enum Event {
    Frame(Frame),
    Closed,
    Nothing,
}

impl Player<'_> {
    fn step(&mut self, step: &Step, number: i32) -> Facts {
        if step.subject() != self.subject {
            self.leave();
            self.subject = step.subject().to_owned();
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let facts = self.attempt(step, number);
            let lines: Vec<String> = facts.iter().map(|(fact, value)| format!("{fact}: {value}")).collect();
            let lines = lines.join("\n");
            let found = |text: &&str| lines.contains(text);
            if step.until.is_empty() || step.until.iter().any(found) || Instant::now() >= deadline {
                return facts;
            }
            (self.target.pause)();
        }
    }

    fn attempt(&mut self, step: &Step, number: i32) -> Facts {
        let pieces = match &step.writes {
            Writes::Request(request) => vec![request.encode(number, &|text| self.resolve(text))],
            Writes::Bytes(make) => make(number),
        };
        let key = (step.to, step.connection);
        let mut link = self.links.remove(&key).unwrap_or_else(|| self.connect(step.to));
        let mut returned = Returned::default();
        for piece in pieces {
            // A connection that is closed meanwhile shows when it is read.
            let _ = link.stream.write_all(&piece);
        }
        if step.hangs_up {
            // It fails only when the server has closed already.
            let _ = link.stream.shutdown(Shutdown::Write);
            link.read(&mut returned, PATIENCE, |_| false);
            assert!(returned.closed, "{}: the server does not close", step.name);
        } else {
            self.wait(&mut link, &mut returned, step);
        }
        self.check_numbers(&returned, step, number);
        if !returned.closed {
            self.links.insert(key, link);
        }
        self.facts(step, number, &returned)
    }

    /// How many answers to wait for before asking what has become of the connection, and how long.
    fn wanted(&self, step: &Step) -> (usize, Duration) {
        // Simulated servers answer in the order of the requests: what comes before the probe's answer is all.
        if !self.target.is_real || step.is_one_way() {
            return (0, Duration::ZERO);
        }
        let known = self.known.and_then(|known| known.steps.get(&step.name));
        let was_silent = known.is_some_and(|facts| {
            facts.iter().any(|(fact, value)| fact == "fate" && value.starts_with("silent"))
        });
        match (was_silent, self.records_anew) {
            (false, _) => (step.requests, PATIENCE),
            (true, true) => (step.requests, SILENCE),
            (true, false) => (0, Duration::ZERO),
        }
    }

    fn wait(&mut self, link: &mut Link, returned: &mut Returned, step: &Step) {
        let (wanted, patience) = self.wanted(step);
        if wanted > 0 {
            link.read(returned, patience, |returned| returned.answers.len() >= wanted);
        }
        self.probes += 1;
        let probe = probe(step.to, self.probes);
        let _ = link.stream.write_all(&probe);
        let number = self.probes;
        let is_probe = |answer: &Frame| answer.opaque == Some(number);
        link.read(returned, PATIENCE, |returned| returned.answers.iter().any(is_probe));
        let answered = returned.answers.iter().any(is_probe);
        assert!(answered || returned.closed, "{}: no answer to a request behind it", step.name);
        returned.answers.retain(|answer| !is_probe(answer));
    }

    /// An answer that belongs to an earlier step came after that step had been taken for silent.
    fn check_numbers(&self, returned: &Returned, step: &Step, number: i32) {
        for answer in &returned.answers {
            let opaque = answer.opaque.unwrap_or_default();
            assert!(
                !(FIRST_NUMBER..number).contains(&opaque),
                "{}: a late answer to step number {}",
                step.name,
                (opaque - FIRST_NUMBER) / 10
            );
        }
    }

    fn facts(&mut self, step: &Step, number: i32, returned: &Returned) -> Facts {
        let answered = if returned.answers.is_empty() { "silent" } else { "answered" };
        let open = if returned.closed { "closed" } else { "open" };
        let mut facts: Facts = vec![("fate".to_owned(), format!("{answered}, {open}"))];
        facts.extend(returned.requests.iter().map(|request| ("asked".to_owned(), request_text(request))));
        let mut answers: Vec<&Frame> = returned.answers.iter().collect();
        answers.sort_by_key(|answer| answer.opaque);
        for (index, answer) in answers.iter().enumerate() {
            let expected = match &step.writes {
                Writes::Request(request) => request.number(number),
                Writes::Bytes(_) => number + i32::try_from(index).expect("few answers"),
            };
            let prefix = if answers.len() > 1 { format!("{}. ", index + 1) } else { String::new() };
            let of_answer = facts_of(answer, expected);
            facts.extend(of_answer.into_iter().map(|(fact, value)| (format!("{prefix}{fact}"), value)));
        }
        let place = answers.first().and_then(|answer| {
            let id = answer.ext("msgId")?.to_owned();
            Some((id, answer.ext("queueOffset").unwrap_or_default().to_owned()))
        });
        self.answers.insert(step.name.clone(), place);
        facts
    }

    /// `{place STEP}` and `{offset STEP}`, see [`super::step::Request::field`]; -1 where the answer names no place.
    fn resolve(&self, text: &str) -> Option<String> {
        let (what, step) = text.strip_prefix('{')?.strip_suffix('}')?.split_once(' ')?;
        let answer = self.answers.get(step).unwrap_or_else(|| panic!("{step} has not been played"));
        let Some((id, offset)) = answer else { return Some("-1".to_owned()) };
        if what == "offset" {
            return Some(offset.clone());
        }
        let hexadecimal = id.get(16..32).unwrap_or_default();
        Some(i64::from_str_radix(hexadecimal, 16).expect("an offset message id").to_string())
    }

    fn connect(&self, to: To) -> Link {
        let address = match to {
            To::NameServer => &self.target.name_server,
            To::Broker => &self.target.broker,
        };
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream.set_write_timeout(Some(PATIENCE)).expect("an option");
        Link { stream, reader: FrameReader::new(Dialect::V5_5_0) }
    }

    /// Closes the connections of a subject.
    fn leave(&mut self) {
        for (_, link) in std::mem::take(&mut self.links) {
            let _ = link.stream.shutdown(Shutdown::Both);
        }
    }
}

struct Link {
    stream: TcpStream,
    reader: FrameReader,
}

impl Link {
    /// Reads until `enough`, the end of the stream, or the end of the time.
    fn read(&mut self, returned: &mut Returned, time: Duration, enough: impl Fn(&Returned) -> bool) {
        let deadline = Instant::now() + time;
        while !returned.closed && !enough(returned) {
            match self.next(deadline) {
                Event::Frame(frame) if frame.is_response() => returned.answers.push(frame),
                Event::Frame(frame) => returned.requests.push(frame),
                Event::Closed => returned.closed = true,
                Event::Nothing => return,
            }
        }
    }

    fn next(&mut self, deadline: Instant) -> Event {
        let mut buffer = [0; 65_536];
        loop {
            if let Some(frame) = self.reader.next_frame().expect("a server writes frames that can be read") {
                return Event::Frame(frame);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Event::Nothing;
            }
            self.stream.set_read_timeout(Some(left)).expect("a time above zero");
            match self.stream.read(&mut buffer) {
                Ok(0) => return Event::Closed,
                Ok(length) => self.reader.push(&buffer[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Event::Closed,
            }
        }
    }
}

/// A request that every server answers at once and that changes nothing.
fn probe(to: To, number: i32) -> Vec<u8> {
    let fields = [("topic", "Probe"), ("queueId", "0")];
    let code = match to {
        To::NameServer => 105,
        To::Broker => 30,
    };
    Frame::request(code, number, &fields).encode()
}
