//! The flags. They are few, so they are read by hand: a parser of command lines would come with every use of this crate
//! as a library.

use std::path::PathBuf;
use std::time::Duration;

use rocketmq_sim::simulate::session::read_faults;
use rocketmq_sim::world::Mutant;
use rocketmq_sim::world::plan::{FaultKind, Mode};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Runs the RocketMQ client against simulated clusters, networks and clocks, one session for each seed.

Usage: simulate --seeds A..B [--jobs N] [--mode safety|liveness|both] [--minutes M] [--faults LIST]
       simulate --seed S [--mode safety|liveness|both] [--transcript]
       simulate --mutants
       simulate --hashes

What to run:
  --seeds A..B      These seeds: A, and all up to B but not B. A..=B takes B in, A.. never ends (see --minutes).
  --seed S          This one seed.
  --mutants         Break the client and the world on purpose, in each known way, and see that each is noticed.
                    Alone, or before --seeds.
  --hashes          Read lines `MODE SEED` from standard input and print each with its hash: how a second process is
                    asked for the same run. With --faults and --mutant of the first one.

How:
  --mode MODE       safety: faults never stop, and nothing false may be said. liveness: the world heals, and then
                    everything must succeed. both: each seed in both modes, the default.
  --faults LIST     Only these faults, by name, separated by commas; none: no fault at all. A wrong name gets the list.
  --without FAULT   With --seed: leave this fault out of what the seed drew, and change nothing else.
  --plain           Without what some seeds draw beside sends and faults: half messages, namespaces, unit and zone, message
                    trace, hooks, VIP channel, heartbeats of version 2, latency-fault strategy. Nothing else changes.
  --mutant NAME     Break the client or the world like this in every run. A wrong name gets the list.
  --jobs N          Worker threads; the default is one for each processor.
  --minutes M       Stop after M minutes, also when seeds are left. May be a fraction.
  --failures N      Stop after N seeds that failed, 1 by default.
  --shrink-runs N   Runs that one failure may take to be made smaller, 2000 by default; 0 leaves it as it is.

What comes out:
  --transcript      With --seed: the story of the run, line by line, on standard output.
  --coverage        Fail as well when a state was never reached or a fault never injected.
  --corpus FILE     Failing seeds are appended here, by default to the list that the tests of this crate replay.
  --json            The summary as one JSON object.
  --help            This text.

Progress goes to standard error, everything else to standard output.
Exit codes: 0 all is well, 1 something broke, 2 it could not run like this.
";

/// What is wrong with the command line; the text names the flag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Usage(pub(crate) String);

/// Seeds from `first` up to `end`, without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) end: u64,
}

/// What is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Seeds(Seeds),
    Seed(u64),
    /// Only the mutants.
    Mutants,
    Hashes,
}

/// The whole command line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Args {
    pub(crate) task: Task,
    pub(crate) modes: Vec<Mode>,
    /// None: all.
    pub(crate) faults: Option<Vec<FaultKind>>,
    /// A fault that is left out of what the seed drew.
    pub(crate) without: Option<FaultKind>,
    /// Half messages are left out.
    pub(crate) plain: bool,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) mutants: bool,
    pub(crate) jobs: usize,
    pub(crate) time: Option<Duration>,
    pub(crate) failures: usize,
    pub(crate) shrink_runs: usize,
    pub(crate) transcript: bool,
    pub(crate) coverage: bool,
    pub(crate) corpus: Option<PathBuf>,
    pub(crate) json: bool,
}

impl Args {
    /// Reads what follows the name of the program.
    pub(crate) fn read(words: impl IntoIterator<Item = String>) -> Result<Args, Usage> {
        let mut reader =
            Reader { words: words.into_iter(), given: Vec::new(), args: Args::nothing(), tasks: Vec::new() };
        while let Some(word) = reader.words.next() {
            reader.flag(&word)?;
        }
        reader.end()
    }

    fn nothing() -> Args {
        Args {
            task: Task::Help,
            modes: vec![Mode::Safety, Mode::Liveness],
            faults: None,
            without: None,
            plain: false,
            mutant: None,
            mutants: false,
            jobs: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            time: None,
            failures: 1,
            shrink_runs: 2_000,
            transcript: false,
            coverage: false,
            corpus: None,
            json: false,
        }
    }
}

struct Reader<W> {
    words: W,
    given: Vec<String>,
    args: Args,
    tasks: Vec<Task>,
}

impl<W: Iterator<Item = String>> Reader<W> {
    fn flag(&mut self, word: &str) -> Result<(), Usage> {
        let (flag, joined) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word, None),
        };
        if self.given.iter().any(|it| it == flag) {
            return Err(Usage(format!("{flag} is given twice")));
        }
        self.given.push(flag.to_owned());
        if self.switch(flag) {
            return joined.map_or(Ok(()), |_| Err(Usage(format!("{flag} takes no value"))));
        }
        if !VALUED.contains(&flag) {
            return Err(Usage(format!("{word} is no flag of this program, see --help")));
        }
        let value =
            joined.or_else(|| self.words.next()).ok_or_else(|| Usage(format!("{flag} needs a value")))?;
        self.value(flag, &value).map_err(|why| Usage(format!("{flag} {value}: {why}")))
    }

    /// True: it was a flag without value.
    fn switch(&mut self, flag: &str) -> bool {
        match flag {
            "--help" | "-h" => self.tasks.push(Task::Help),
            "--hashes" => self.tasks.push(Task::Hashes),
            "--mutants" => self.args.mutants = true,
            "--plain" => self.args.plain = true,
            "--transcript" => self.args.transcript = true,
            "--coverage" => self.args.coverage = true,
            "--json" => self.args.json = true,
            _ => return false,
        }
        true
    }

    fn value(&mut self, flag: &str, value: &str) -> Result<(), String> {
        let args = &mut self.args;
        match flag {
            "--seeds" => self.tasks.push(Task::Seeds(seeds(value)?)),
            "--seed" => self.tasks.push(Task::Seed(number(value)?)),
            "--mode" => args.modes = modes(value)?,
            "--faults" => args.faults = Some(read_faults(value)?),
            "--without" => args.without = read_faults(value)?.first().copied(),
            "--mutant" => args.mutant = Some(mutant(value)?),
            "--jobs" => args.jobs = count(value, 1, 1_024)?,
            "--minutes" => args.time = Some(minutes(value)?),
            "--failures" => args.failures = count(value, 1, 1_000)?,
            "--shrink-runs" => args.shrink_runs = count(value, 0, 10_000_000)?,
            _ => args.corpus = Some(PathBuf::from(value)),
        }
        Ok(())
    }

    fn end(mut self) -> Result<Args, Usage> {
        if self.tasks.contains(&Task::Help) {
            return Ok(Args::nothing());
        }
        self.args.task = match self.tasks[..] {
            [] if self.args.mutants => Task::Mutants,
            [] => {
                return Err(Usage(
                    "one of --seeds, --seed, --mutants and --hashes is needed, see --help".to_owned(),
                ));
            }
            [task] => task,
            _ => return Err(Usage("only one of --seeds, --seed and --hashes can be asked for".to_owned())),
        };
        for (flag, fits) in FITTING {
            if self.given.iter().any(|it| it == flag) && !fits(self.args.task) {
                return Err(Usage(format!("{flag} does not go with what is to be run, see --help")));
            }
        }
        let endless = matches!(self.args.task, Task::Seeds(Seeds { end: u64::MAX, .. }));
        if endless && self.args.time.is_none() {
            return Err(Usage("--seeds without an end needs --minutes".to_owned()));
        }
        Ok(self.args)
    }
}

const VALUED: [&str; 11] = [
    "--seeds",
    "--seed",
    "--mode",
    "--faults",
    "--without",
    "--mutant",
    "--jobs",
    "--minutes",
    "--failures",
    "--shrink-runs",
    "--corpus",
];

type Fits = fn(Task) -> bool;

/// Flags that say nothing about some of the tasks.
const FITTING: [(&str, Fits); 14] = [
    ("--mutants", |task| matches!(task, Task::Mutants | Task::Seeds(_))),
    ("--transcript", |task| matches!(task, Task::Seed(_))),
    ("--coverage", |task| matches!(task, Task::Seeds(_))),
    ("--minutes", |task| matches!(task, Task::Seeds(_))),
    ("--failures", |task| matches!(task, Task::Seeds(_))),
    ("--jobs", |task| matches!(task, Task::Seeds(_))),
    ("--shrink-runs", |task| matches!(task, Task::Seeds(_) | Task::Seed(_))),
    ("--corpus", |task| matches!(task, Task::Seeds(_) | Task::Seed(_))),
    ("--json", |task| !matches!(task, Task::Hashes)),
    ("--mode", |task| matches!(task, Task::Seeds(_) | Task::Seed(_))),
    ("--faults", |task| !matches!(task, Task::Mutants)),
    ("--without", |task| matches!(task, Task::Seed(_))),
    ("--plain", |task| matches!(task, Task::Seeds(_) | Task::Seed(_))),
    ("--mutant", |task| !matches!(task, Task::Mutants)),
];

fn number(text: &str) -> Result<u64, String> {
    text.replace('_', "").parse().map_err(|_| "this is no number from 0 to 2^64-1".to_owned())
}

fn count(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a number from {least} to {most} is needed"))
}

fn seeds(text: &str) -> Result<Seeds, String> {
    let (first, end) = text.split_once("..").ok_or("two numbers with .. between them are needed")?;
    let first = number(first)?;
    let end = match (end, end.strip_prefix('=')) {
        ("", _) => u64::MAX,
        (_, Some(last)) => number(last)?.saturating_add(1),
        (end, None) => number(end)?,
    };
    if first >= end {
        return Err("there is no seed in this range".to_owned());
    }
    Ok(Seeds { first, end })
}

fn modes(text: &str) -> Result<Vec<Mode>, String> {
    match text {
        "safety" => Ok(vec![Mode::Safety]),
        "liveness" => Ok(vec![Mode::Liveness]),
        "both" => Ok(vec![Mode::Safety, Mode::Liveness]),
        _ => Err("safety, liveness or both is needed".to_owned()),
    }
}

fn minutes(text: &str) -> Result<Duration, String> {
    let wrong = || "a number of minutes above 0 is needed".to_owned();
    let minutes: f64 = text.parse().map_err(|_| wrong())?;
    let time = Duration::try_from_secs_f64(minutes * 60.0).map_err(|_| wrong())?;
    // A hundred years; the clock can be added to.
    if time.is_zero() || minutes > 52_560_000.0 { Err(wrong()) } else { Ok(time) }
}

fn mutant(name: &str) -> Result<Mutant, String> {
    let found = Mutant::ALL.iter().find(|mutant| mutant.name() == name);
    let names = || Mutant::ALL.iter().map(|mutant| mutant.name()).collect::<Vec<_>>().join(", ");
    found.copied().ok_or_else(|| format!("there is no mutant {name:?}, but there are: {}", names()))
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
