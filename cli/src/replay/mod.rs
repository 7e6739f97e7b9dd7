//! `rocketmq replay`: runs the client's core on a recording, checks that it does the same again, and tells the
//! story.

mod event;
mod story;
mod summary;
mod timeline;
mod wire;

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rocketmq_core::recording::{ReadError, Reader, Record, Replay, ReplayError, told};

use crate::args::ReplayArgs;
use crate::exit_code;
use event::Event;
use story::Story;
use summary::Summary;
use timeline::Timeline;

/// So many actions of the client are shown when it does something else than recorded.
const SHOWN_ACTIONS: usize = 20;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file is no recording, or is damaged.
    #[error("{path}: {error}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong, and where.
        error: ReadError,
    },
    /// The client cannot be made as it was.
    #[error("{path}: {error}")]
    NotReplayable {
        /// The file.
        path: String,
        /// Why not.
        error: ReplayError,
    },
    /// The beginning is missing, so there is no picture.
    #[error("the recording does not have its beginning, so there is only its --transcript")]
    NoBeginning,
    /// The picture would not be readable.
    #[error("more than {most} sends and requests: narrow it down with --from and --to")]
    TooMuch {
        /// How many fit.
        most: usize,
    },
    /// The picture or the text cannot be written.
    #[error("{path}: {error}")]
    Unwritable {
        /// Where to.
        path: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Where the story goes.
struct Output<'a> {
    args: &'a ReplayArgs,
    text: BufWriter<io::StdoutLock<'static>>,
    summary: Summary,
    timeline: Option<Timeline>,
}

/// Replays, and prints the story.
///
/// # Errors
/// What kept it from being read, replayed or written. That the client acted differently is a result.
pub(crate) fn run(args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let path = args.file.display().to_string();
    let bytes = fs::read(&args.file).map_err(|error| Failure::Unreadable { path: path.clone(), error })?;
    let reader = Reader::new(&bytes).map_err(|error| Failure::Damaged { path: path.clone(), error })?;
    let summary = Summary::new(reader.start());
    let mut output = Output {
        args,
        text: BufWriter::new(io::stdout().lock()),
        timeline: args.timeline.as_ref().map(|_| Timeline::new(args.from, args.to)),
        summary,
    };
    let result = match gap_of(&bytes) {
        Some(_) => output.read(reader),
        None => output.replay(reader),
    };
    let unwritable = |error| Failure::Unwritable { path: "standard output".into(), error };
    output.text.flush().map_err(unwritable)?;
    let code = match result {
        Ok(()) => exit_code::SUCCESS,
        Err(Stop::Different) => exit_code::NOT_ALL,
        Err(Stop::Error(ReplayError::Read(error))) => return Err(Failure::Damaged { path, error }),
        Err(Stop::Error(error)) => return Err(Failure::NotReplayable { path, error }),
        Err(Stop::Failure(failure)) => return Err(failure),
    };
    if let (Some(timeline), Some(to)) = (&output.timeline, &args.timeline) {
        draw(timeline, &output.summary, to)?;
    }
    Ok(ExitCode::from(code))
}

/// How a replay ended early.
enum Stop {
    Different,
    Error(ReplayError),
    Failure(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failure(Failure::Unwritable { path: "standard output".into(), error })
    }
}

/// How many records are missing at the beginning, if any are.
fn gap_of(bytes: &[u8]) -> Option<u64> {
    match Reader::new(bytes).ok()?.next_record() {
        Ok(Some(Record::Gap { records, .. })) => Some(records),
        _ => None,
    }
}

impl Output<'_> {
    fn replay(&mut self, reader: Reader<'_>) -> Result<(), Stop> {
        let mut story = Story::new(reader.start());
        let mut replay = Replay::new(reader).map_err(Stop::Error)?;
        let mut last = VecDeque::new();
        let end = loop {
            match replay.next_step() {
                Ok(Some(step)) => {
                    self.events(&story.step(&step, replay.client()))?;
                    self.summary.passed(story.time(step.now));
                    for action in step.actions.iter().filter_map(told) {
                        last.push_back((step.number, action));
                    }
                    last.drain(..last.len().saturating_sub(SHOWN_ACTIONS));
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let differs = end.as_ref().is_err_and(ReplayError::is_difference);
        self.summary.replayed(&replay, story.open_sends(), differs);
        self.summary()?;
        match end {
            Ok(()) => Ok(()),
            Err(error) if error.is_difference() => {
                self.text.flush()?;
                eprintln!("rocketmq: the client acts differently: {error}");
                let since = self.summary.lasted().as_secs_f64();
                eprintln!("rocketmq: that is {since:.6} s after the start; the last it did here:");
                for (input, action) in last {
                    eprintln!("rocketmq:   at input {input}: {action}");
                }
                Err(Stop::Different)
            }
            Err(error) => Err(Stop::Error(error)),
        }
    }

    /// The story of a recording without its beginning.
    fn read(&mut self, mut reader: Reader<'_>) -> Result<(), Stop> {
        if self.timeline.is_some() {
            return Err(Stop::Failure(Failure::NoBeginning));
        }
        let mut story = Story::new(reader.start());
        loop {
            match reader.next_record().map_err(|error| Stop::Error(error.into()))? {
                Some(Record::Input { now, input, body, .. }) => {
                    self.events(&story.input_only(now, &input, body))?;
                    self.summary.passed(story.time(now));
                }
                Some(Record::Told { now, text }) => {
                    let what = event::What::Told { text: event::clean(&text) };
                    self.events(&[Event { at: story.time(now), what }])?;
                }
                Some(Record::Gap { records, bytes }) => self.summary.gap(records, bytes),
                Some(Record::Mark { .. } | Record::End { .. }) => {}
                None => break,
            }
        }
        self.summary.only_read(reader.condition());
        self.summary()?;
        Ok(())
    }

    fn events(&mut self, events: &[Event]) -> Result<(), Stop> {
        for event in events {
            self.summary.count(&event.what);
            if let Some(timeline) = &mut self.timeline {
                timeline.add(event).map_err(|most| Stop::Failure(Failure::TooMuch { most }))?;
            }
            if self.args.transcript && self.is_wanted(event.at) {
                writeln!(self.text, "{event}")?;
            }
        }
        Ok(())
    }

    fn is_wanted(&self, at: Duration) -> bool {
        self.args.from.is_none_or(|from| from <= at) && self.args.to.is_none_or(|to| at <= to)
    }

    fn summary(&mut self) -> io::Result<()> {
        if self.args.transcript {
            writeln!(self.text)?;
        }
        write!(self.text, "{}", self.summary)
    }
}

fn draw(timeline: &Timeline, summary: &Summary, to: &Path) -> Result<(), Failure> {
    let unwritable = |error| Failure::Unwritable { path: to.display().to_string(), error };
    fs::write(to, timeline.draw(summary)).map_err(unwritable)
}
