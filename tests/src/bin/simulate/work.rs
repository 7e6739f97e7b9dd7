//! The workers: threads that take seed after seed, run it and count.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rocketmq_sim::simulate::session::{Care, Session, run};
use rocketmq_sim::world::Broken;
use rocketmq_sim::world::plan::{FaultKind, Mode, Plan, RunReport};

use crate::args::{Args, Seeds};
use crate::cpu;
use crate::progress::Progress;
use crate::tally::{Hashed, Tally};

/// One of so many seeds runs a second time, and the hashes must be the same.
const REPEATED: u64 = 10;
/// One of so many seeds keeps its inputs, which are then given again with actions taken at other moments.
const REPLAYED: u64 = 50;
/// One of so many seeds runs again without one of its faults.
const COMPARED: u64 = 20;
/// About so many sessions run again in a second process, at most one seed in twenty.
const SECOND_PROCESS: u64 = 1_000;

/// A session that broke something.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) session: Session,
    pub(crate) broken: Broken,
}

/// What came out of all seeds.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// In the order of their seeds.
    pub(crate) failures: Vec<Failure>,
    pub(crate) took: Duration,
    /// Seeds were left when the time was over.
    pub(crate) cut_short: bool,
}

/// What the workers share.
struct Shared<'a> {
    args: &'a Args,
    seeds: Seeds,
    /// One of so many seeds runs in a second process too.
    spacing: u64,
    next: AtomicU64,
    stop: AtomicBool,
    sessions: AtomicU64,
    sends: AtomicU64,
}

/// Runs all seeds on as many threads as were asked for.
pub(crate) fn run_all(args: &Args, seeds: Seeds, progress: &mut Progress) -> Outcome {
    let began = Instant::now();
    let count = seeds.end - seeds.first;
    let shared = Shared {
        args,
        seeds,
        spacing: (count / SECOND_PROCESS).clamp(20, 10_000),
        next: AtomicU64::new(seeds.first),
        stop: AtomicBool::new(false),
        sessions: AtomicU64::new(0),
        sends: AtomicU64::new(0),
    };
    let mut outcome = Outcome::default();
    std::thread::scope(|scope| {
        let (sender, failures) = channel();
        let workers: Vec<_> = (0..args.jobs)
            .map(|_| {
                let (shared, sender) = (&shared, sender.clone());
                scope.spawn(move || work(shared, &sender))
            })
            .collect();
        drop(sender);
        outcome.failures = watch(&shared, &failures, began, progress);
        for worker in workers {
            // A worker catches what its runs do; if it panics itself, so does this thread.
            let tally = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcome.tally.add(tally);
        }
    });
    outcome.took = began.elapsed();
    outcome.cut_short = outcome.failures.is_empty() && shared.next.load(Ordering::Relaxed) < seeds.end;
    outcome
}

/// Shows progress until all workers are through; stops them when the time is over or enough has failed.
fn watch(
    shared: &Shared<'_>,
    failures: &Receiver<Failure>,
    began: Instant,
    progress: &mut Progress,
) -> Vec<Failure> {
    let mut found: Vec<Failure> = Vec::new();
    loop {
        let left = shared.args.time.map(|time| time.saturating_sub(began.elapsed()));
        if left.is_some_and(|left| left.is_zero()) || found.len() >= shared.args.failures {
            shared.stop.store(true, Ordering::Relaxed);
        }
        // Once the time is over, the runs under way end by themselves.
        let wait =
            left.filter(|left| !left.is_zero()).map_or(progress.pause(), |left| left.min(progress.pause()));
        match failures.recv_timeout(wait) {
            Ok(failure) => {
                progress.line(&format!("{} broke {}", failure.session, failure.broken.invariant));
                found.push(failure);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let (sessions, sends) =
            (shared.sessions.load(Ordering::Relaxed), shared.sends.load(Ordering::Relaxed));
        progress.show(sessions, sends, found.len(), began.elapsed());
    }
    progress.end();
    found.sort_by_key(|failure| (failure.session.seed, failure.session.mode == Mode::Liveness));
    found.truncate(shared.args.failures);
    found
}

fn work(shared: &Shared<'_>, failures: &Sender<Failure>) -> Tally {
    let (clock, began) = (Instant::now(), cpu::thread_time());
    let mut tally = Tally::default();
    while !shared.stop.load(Ordering::Relaxed) {
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        // A counter that ran around would start again; nobody gets there in a life.
        if seed >= shared.seeds.end {
            break;
        }
        for mode in &shared.args.modes {
            let session = Session {
                mode: *mode,
                seed,
                only: shared.args.faults.clone(),
                without: None,
                plain: shared.args.plain,
            };
            if let Some(failure) = one_session(shared, session, &mut tally) {
                // Nobody listens only when the program ends already.
                let _ = failures.send(failure);
                // In the other mode the same steps would most likely fail alike.
                break;
            }
        }
    }
    let used = began.and_then(|began| cpu::thread_time()?.checked_sub(began));
    tally.cpu_is_clock = used.is_none();
    tally.cpu = used.unwrap_or_else(|| clock.elapsed());
    tally
}

fn one_session(shared: &Shared<'_>, session: Session, tally: &mut Tally) -> Option<Failure> {
    let clock = Instant::now();
    let seed = session.seed;
    let care = care(seed, shared.args);
    let plan = session.plan();
    let report = run(&plan, care);
    tally.session(session.mode, seed, &report, clock.elapsed());
    shared.sessions.fetch_add(1, Ordering::Relaxed);
    shared.sends.fetch_add(report.sends, Ordering::Relaxed);
    tally.runs += 1 + u64::from(care.repeated);
    if let Some(broken) = report.broken {
        return Some(Failure { session, broken });
    }
    tally.repeated += u64::from(care.repeated);
    tally.replayed += u64::from(care.replayed);
    if seed.is_multiple_of(shared.spacing) {
        tally.hashes.push(Hashed { mode: session.mode, seed, hash: report.hash });
    }
    if seed.is_multiple_of(COMPARED) && shared.args.mutant.is_none() {
        return leave_one_out(session, &plan, &report, tally);
    }
    None
}

/// The extra checks of a seed: the same ones whenever it runs.
pub(crate) fn care(seed: u64, args: &Args) -> Care {
    Care {
        repeated: seed.is_multiple_of(REPEATED),
        replayed: seed.is_multiple_of(REPLAYED),
        mutant: args.mutant,
    }
}

/// Runs the plan without one of its faults, each of them in its turn, and looks whether a verdict is another one.
fn leave_one_out(session: Session, plan: &Plan, report: &RunReport, tally: &mut Tally) -> Option<Failure> {
    let kinds = plan.faults();
    // The two modes of a seed have the same plan but for the end: each leaves out another fault.
    let turn = session.seed / COMPARED * 2 + u64::from(session.mode == Mode::Liveness);
    let at = usize::try_from(turn % u64::try_from(kinds.len()).ok()?.max(1)).ok()?;
    let kind: FaultKind = *kinds.get(at)?;
    let without = run(&plan.without(kind), Care::default());
    tally.runs += 1;
    let effect = tally.effects.entry(kind).or_default();
    effect.sampled += 1;
    effect.changed += u64::from(without.differences(report) > 0);
    without.broken.map(|broken| Failure { session: Session { without: Some(kind), ..session }, broken })
}
