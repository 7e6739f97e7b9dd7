//! `rocketmq send`: sends messages, a given number of them under way at any time, and accounts for each.

mod amount;
mod ids;
mod lane;
mod ledger;
pub(crate) mod pace;
mod progress;
mod reach;
mod source;
mod state;
mod ticker;
mod transactions;
mod verdict;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use rocketmq_driver::{Client, ConfigError, Message, MessageError, OpenError, Producer};
use rocketmq_driver::{Recording, RecordingState};

use crate::args::SendArgs;
use crate::exit_code;
use crate::interrupt::on_interrupt;
use crate::name_servers::NameServerError;
use crate::process;
use crate::report::Report;
use crate::runtime::Runtime;
use crate::stats::{Summary, Tally};
use ids::Ids;
use ledger::{Ledger, key_of};
use progress::draw_progress;
use source::Source;
use state::tell_state;
use ticker::Ticker;
use transactions::LocalTransactions;
pub(crate) use verdict::{EndOutcome, HalfEnding};

/// How long the end of the program waits for brokers to hear that the producer leaves.
const LEAVE_TIME: Duration = Duration::from_secs(2);

/// Why `send` could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The key prefix cannot be part of a key.
    #[error("--key-prefix: {0}")]
    KeyPrefix(#[source] MessageError),
    /// The report cannot be written.
    #[error("--report {path}: {error}")]
    Report {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The recording cannot be written.
    #[error("--record {path}: {error}")]
    Record {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// No name server is known.
    #[error(transparent)]
    NameServers(#[from] NameServerError),
    /// No name server accepts connections.
    #[error("no name server reachable: {0}")]
    Unreachable(String),
    /// A setting of the client is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The producer cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A histogram or the like cannot be made.
    #[error(transparent)]
    Histogram(#[from] hdrhistogram::CreationError),
    /// The system refuses a thread, a signal handler or the runtime.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One run: what senders, the handler of Ctrl-C and the end of the program share.
#[derive(Debug)]
struct Run {
    args: SendArgs,
    source: Source,
    ledger: Arc<Ledger>,
    /// With `--transaction`.
    local_transactions: Option<LocalTransactions>,
    /// Closed when nobody needs to wait for checks any more.
    waiting: (Sender<()>, Receiver<()>),
    /// The schedule of starts, set when sending begins with `--rate`.
    due: OnceLock<Receiver<Instant>>,
    /// The unique keys of messages, set when sending begins with `--one-way`.
    ids: OnceLock<Ids>,
    /// Set when sending begins.
    begun: OnceLock<Begun>,
    /// Set when the last message has its verdict.
    used: OnceLock<Used>,
    /// Why the recording is not complete, if it is not.
    recording_failure: OnceLock<String>,
    interrupted: AtomicBool,
    /// Set when the summary is printed: there is one, whoever comes first.
    concluded: AtomicBool,
}

/// Time and processor time when sending began.
#[derive(Debug)]
struct Begun {
    at: Instant,
    cpu: Option<Duration>,
}

/// Time and processor time that sending took.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    elapsed: Duration,
    cpu: Option<Duration>,
}

/// Sends as the flags say and prints the summary.
///
/// # Errors
/// What kept it from starting: no message was sent then.
pub(crate) fn run(args: SendArgs) -> Result<ExitCode, StartError> {
    let runtime = args.runtime;
    let recording = args.record.as_ref().map(create_recording).transpose()?;
    let run = Arc::new(Run::new(args)?);
    let for_handler = Arc::clone(&run);
    on_interrupt(move |count| for_handler.on_interrupt(count))?;
    let name_servers = run.args.servers.list(run.args.timeout)?;
    reach::any(&name_servers, run.args.timeout).map_err(StartError::Unreachable)?;
    let for_main = Arc::clone(&run);
    Runtime::run(runtime, |runtime| main(runtime, for_main, recording))??;
    match run.conclude() {
        Some(code) => Ok(ExitCode::from(code)),
        // The handler of Ctrl-C has printed the summary and is about to end the process.
        None => loop {
            thread::park();
        },
    }
}

async fn main(runtime: Runtime, run: Arc<Run>, recording: Option<File>) -> Result<(), StartError> {
    let (client, producer) = open(&runtime, &run.args, recording).await?;
    let progress = draw_progress(run.args.total(), Arc::clone(&run.ledger))?;
    let state = run.args.state_every.map(|every| tell_state(every, &client)).transpose()?;
    run.begin(&client)?;
    let checks = run.local_transactions.is_some().then(|| producer.checks());
    if let Some(checks) = checks {
        let run = Arc::clone(&run);
        runtime.spawn(async move {
            if let Some(local) = &run.local_transactions {
                transactions::answer_checks(&run, local, checks).await;
            }
        });
    }
    let (running, all_ended) = async_channel::bounded::<()>(1);
    for lane in 0..run.args.lanes() {
        let (run, producer, running) = (Arc::clone(&run), producer.clone(), running.clone());
        runtime.spawn(async move {
            lane::run(lane, &run, &producer).await;
            drop(running);
        });
    }
    drop(running);
    // Nothing is ever sent on this channel: it closes when the last lane has ended.
    let _ = all_ended.recv().await;
    run.used.get_or_init(|| run.used_so_far());
    progress.into_iter().chain(state).for_each(Ticker::end);
    run.wait_for_checks().await?;
    run.ledger.note_checks_since_end(|key| producer.checks_since_end(key));
    producer.close(LEAVE_TIME).await;
    client.shutdown(LEAVE_TIME).await;
    if run.args.trace {
        run.ledger.note_trace(&client.counters());
    }
    if let RecordingState::Ended { failure: Some(failure), .. } = client.recording_state() {
        run.recording_failure.get_or_init(|| failure);
    }
    Ok(())
}

fn create_recording(path: &PathBuf) -> Result<File, StartError> {
    File::create(path).map_err(|error| StartError::Record { path: path.display().to_string(), error })
}

async fn open(
    runtime: &Runtime,
    args: &SendArgs,
    recording: Option<File>,
) -> Result<(Client, Producer), StartError> {
    let builder = args.servers.client()?.serialize_type(args.serialize.into()).vip_channel(args.vip_channel);
    let mut builder = args.identity.apply(builder);
    if let Some(file) = recording {
        builder = builder.record(Recording::to_writer(file).bodies(args.record_bodies.into()));
    }
    let client = runtime.start(builder)?;
    // Brokers can ask about messages of other runs before the first one of this run.
    let topics = args.transaction.map(|_| args.topic.clone());
    let mut builder = client.producer(args.group.clone()).topics(topics);
    if args.trace {
        builder = builder.trace_to(args.trace_topic.clone());
    }
    let producer = builder.open().await?;
    Ok((client, producer))
}

impl Run {
    /// Everything that can be refused before anything is connected.
    fn new(args: SendArgs) -> Result<Self, StartError> {
        if let Some(key) = key_of(args.key_prefix.as_deref(), 0) {
            let probe = Message::builder(args.topic.clone()).key(&key).build();
            probe.map_err(StartError::KeyPrefix)?;
        }
        let create = |path: &PathBuf| {
            let refused = |error| StartError::Report { path: path.display().to_string(), error };
            Report::create(path).map_err(refused)
        };
        let report = args.report.as_ref().map(create).transpose()?;
        let waits = args.wait_checks.is_some();
        let ledger = Ledger::new(Tally::new()?, report, args.key_prefix.clone(), args.lanes(), waits);
        let local = |choice| LocalTransactions::new(choice, args.on_check);
        let local_transactions = args.transaction.map(local);
        Ok(Self {
            source: args.source()?,
            ledger: Arc::new(ledger),
            local_transactions,
            waiting: async_channel::bounded(1),
            due: OnceLock::new(),
            ids: OnceLock::new(),
            begun: OnceLock::new(),
            used: OnceLock::new(),
            recording_failure: OnceLock::new(),
            interrupted: AtomicBool::new(false),
            concluded: AtomicBool::new(false),
            args,
        })
    }

    fn begin(&self, client: &Client) -> io::Result<()> {
        if self.args.one_way {
            self.ids.get_or_init(|| Ids::new(&client.client_id()));
        }
        if let Some(rate) = self.args.rate {
            let due = pace::schedule(rate)?;
            self.due.get_or_init(|| due);
        }
        self.begun.get_or_init(|| Begun { at: Instant::now(), cpu: process::cpu_time() });
        Ok(())
    }

    /// Waits until brokers have asked about what is open, for as long as `--wait-checks` says.
    async fn wait_for_checks(&self) -> io::Result<()> {
        let Some(wait) = self.args.wait_checks.filter(|_| !self.is_settled()) else {
            return Ok(());
        };
        let ends = self.waiting.0.clone();
        thread::Builder::new().name("wait-checks".into()).spawn(move || {
            thread::sleep(wait);
            ends.close();
        })?;
        // Nothing is ever sent on this channel either.
        let _ = self.waiting.1.recv().await;
        Ok(())
    }

    /// Whether every message is sent and brokers have acknowledged the end of each. Of messages of other runs nobody here
    /// knows.
    fn is_settled(&self) -> bool {
        let open = |local: &LocalTransactions| !local.all_ended();
        self.used.get().is_some()
            && self.args.total() != Some(0)
            && !self.local_transactions.as_ref().is_some_and(open)
    }

    /// A transaction has ended: if it was the last one, nobody waits any longer.
    fn note_settled(&self) {
        if self.is_settled() {
            self.waiting.0.close();
        }
    }

    /// Starts no more messages.
    fn stop(&self) {
        self.source.stop();
        if let Some(due) = self.due.get() {
            due.close();
        }
    }

    /// The first Ctrl-C lets what is under way come to its end, the second one does not wait for it.
    fn on_interrupt(&self, count: u32) {
        if self.begun.get().is_none() {
            eprintln!("rocketmq: interrupted before the first message");
            exit(exit_code::NOT_STARTED.into());
        }
        if self.used.get().is_none() {
            self.interrupted.store(true, Ordering::Relaxed);
        }
        self.stop();
        self.waiting.0.close();
        if count == 1 && io::stderr().is_terminal() {
            // Below the progress bar.
            eprintln!("\nrocketmq: waiting for what is under way; Ctrl-C again does not wait");
        }
        if count > 1
            && let Some(code) = self.conclude()
        {
            exit(code.into());
        }
    }

    fn used_so_far(&self) -> Used {
        let Some(begun) = self.begun.get() else {
            return Used::default();
        };
        let cpu = process::cpu_time().zip(begun.cpu).map(|(now, then)| now.saturating_sub(then));
        Used { elapsed: begun.at.elapsed(), cpu }
    }

    /// Closes the books, prints the summary and tells the exit code; none when that was done before.
    fn conclude(&self) -> Option<u8> {
        let book = self.ledger.close(self.args.most_attempts());
        if self.concluded.swap(true, Ordering::Relaxed) {
            return None;
        }
        let used = self.used.get_or_init(|| self.used_so_far());
        let summary = Summary {
            tally: book.tally(),
            elapsed: used.elapsed,
            cpu: used.cpu,
            peak_rss_kib: process::peak_rss_kib(),
            interrupted: self.interrupted.load(Ordering::Relaxed),
        };
        let mut text = summary.to_text();
        if self.args.json {
            text = format!("{}\n", summary.to_json());
        }
        let mut troubles = Vec::new();
        if let Err(error) = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
            troubles.push(format!("standard output: {error}"));
        }
        if let Some(error) = book.report_failure() {
            troubles.push(format!("the report is incomplete: {error}"));
        }
        if let Some(error) = self.recording_failure.get() {
            troubles.push(format!("the recording is incomplete: {error}"));
        }
        if let Some(error) = self.source.take_failure() {
            troubles.push(format!("standard input was not read to its end: {error}"));
        }
        for trouble in &troubles {
            eprintln!("rocketmq: {trouble}");
        }
        Some(exit_code_of(book.tally(), self.args.one_way, !troubles.is_empty()))
    }
}

fn exit_code_of(tally: &Tally, one_way: bool, troubled: bool) -> u8 {
    let doubtful = if one_way { 0 } else { tally.may_be_stored() };
    if tally.not_stored() + doubtful + tally.doubtful_ends() > 0 {
        exit_code::NOT_ALL
    } else if troubled {
        exit_code::NOT_STARTED
    } else {
        exit_code::SUCCESS
    }
}
