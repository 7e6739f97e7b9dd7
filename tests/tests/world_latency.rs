//! The latency-fault strategy in numbers: three brokers, one of them in trouble, and what each sees of 100 messages a
//! second for half a minute, with the strategy and without. `cargo test -p rocketmq-sim --test world_latency -- --nocapture`
//! prints the table that stands in ARCHITECTURE.md.

mod world_common;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rocketmq_core::client::{FaultDetector, LatencyFault};
use rocketmq_sim::cluster::{ClusterConfig, SendDecision, ServerId};
use rocketmq_sim::world::plan::{Mode, Plan, RunOptions, run_plan};
use rocketmq_sim::world::{Order, SendHandle, World};
use world_common::{SECOND, policy, ready_in};

const BROKERS: usize = 3;
/// The one in trouble.
const TROUBLED: usize = 1;
const LOAD: Duration = Duration::from_secs(30);
const GAP: Duration = Duration::from_millis(10);
const LATE_MS: u64 = 800;
const HEALED_AFTER: Duration = Duration::from_secs(10);
const STOPPED_FOR: Duration = Duration::from_secs(15);

/// What is the matter with the second broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    None,
    /// Every answer comes 800 ms late.
    Slow,
    /// Every third answer does.
    Erratic,
    /// Every message is refused with `SERVICE_NOT_AVAILABLE`.
    Refusing,
    /// It is stopped: connections stay, and nothing is answered.
    Silent,
    /// It is dead.
    Dead,
    /// It is stopped for 15 s.
    Stopped,
    /// Slow for 10 s, then well.
    Healing,
}

impl Trouble {
    const ALL: [Self; 8] = [
        Self::None,
        Self::Slow,
        Self::Erratic,
        Self::Refusing,
        Self::Silent,
        Self::Dead,
        Self::Stopped,
        Self::Healing,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Slow => "every answer 800 ms late",
            Self::Erratic => "every third answer 800 ms late",
            Self::Refusing => "refuses everything (14)",
            Self::Silent => "stopped, says nothing",
            Self::Dead => "dead",
            Self::Stopped => "stopped for 15 s, then well",
            Self::Healing => "800 ms late for 10 s, then well",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Strategy {
    Off,
    On,
    Detecting,
}

impl Strategy {
    const ALL: [Self; 3] = [Self::Off, Self::On, Self::Detecting];

    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Detecting => "on, with detector",
        }
    }

    fn settings(self) -> Option<LatencyFault> {
        let detector = (self == Self::Detecting).then(FaultDetector::default);
        (self != Self::Off).then(|| LatencyFault { detector, ..LatencyFault::default() })
    }
}

/// What came of one run.
struct Figures {
    trouble: Trouble,
    strategy: Strategy,
    /// Requests that reached each broker, those that it refused included.
    reached: [u64; BROKERS],
    /// The same in the last ten seconds.
    reached_late: [u64; BROKERS],
    latencies: Vec<Duration>,
    attempts: u64,
}

fn per_cent(counts: &[u64; BROKERS]) -> f64 {
    counts[TROUBLED] as f64 * 100.0 / counts.iter().sum::<u64>().max(1) as f64
}

impl Figures {
    fn share(&self) -> f64 {
        per_cent(&self.reached)
    }

    fn late_share(&self) -> f64 {
        per_cent(&self.reached_late)
    }

    fn percentile(&self, of_1000: usize) -> Duration {
        self.latencies[(self.latencies.len() * of_1000 / 1_000).min(self.latencies.len() - 1)]
    }

    /// Of a hundred messages, those that took longer than 100 ms.
    fn late(&self) -> f64 {
        let late = self.latencies.iter().filter(|latency| **latency > Duration::from_millis(100)).count();
        late as f64 * 100.0 / self.latencies.len() as f64
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |of_1000| self.percentile(of_1000).as_secs_f64() * 1_000.0;
        write!(
            f,
            "| {} | {} | {:.1} % | {:.1} % | {:.1} | {:.1} | {:.1} % | {:.2} |",
            self.trouble.name(),
            self.strategy.name(),
            self.share(),
            self.late_share(),
            millis(500),
            millis(990),
            self.late(),
            self.attempts as f64 / self.latencies.len() as f64,
        )
    }
}

/// Lets a broker be in trouble; returns the number of requests that it gets.
fn prepare(world: &mut World, broker: usize, trouble: Trouble) -> Arc<AtomicU64> {
    let reached = Arc::new(AtomicU64::new(0));
    let counted = reached.clone();
    let healed = Arc::new(AtomicBool::new(false));
    let seen = healed.clone();
    let trouble = if broker == TROUBLED { trouble } else { Trouble::None };
    policy(world, broker, move |_| {
        let number = counted.fetch_add(1, Relaxed);
        match trouble {
            Trouble::Slow => SendDecision::Delay { millis: LATE_MS },
            Trouble::Erratic if number.is_multiple_of(3) => SendDecision::Delay { millis: LATE_MS },
            Trouble::Healing if !seen.load(Relaxed) => SendDecision::Delay { millis: LATE_MS },
            Trouble::Refusing => {
                SendDecision::Refuse { code: 14, remark: "service not available now.".to_owned() }
            }
            _ => SendDecision::Store,
        }
    });
    match trouble {
        Trouble::Silent | Trouble::Stopped => world.pause(ServerId::Broker(broker)),
        Trouble::Dead => world.crash(ServerId::Broker(broker)),
        Trouble::Healing => world.later(HEALED_AFTER, move |_| healed.store(true, Relaxed)),
        _ => {}
    }
    if trouble == Trouble::Stopped {
        world.later(STOPPED_FOR, move |world| world.resume(ServerId::Broker(broker)));
    }
    reached
}

fn run(trouble: Trouble, strategy: Strategy) -> Figures {
    let config = ClusterConfig { brokers: BROKERS, ..ClusterConfig::default() };
    let world = World::new(5, config, |config| config.latency_fault = strategy.settings());
    let (mut world, producer) = ready_in(world, BROKERS);
    let counts: [Arc<AtomicU64>; BROKERS] = std::array::from_fn(|n| prepare(&mut world, n, trouble));
    let now = |counts: &[Arc<AtomicU64>; BROKERS]| std::array::from_fn(|n| counts[n].load(Relaxed));
    let attempts = world.core(0).counters().attempts;
    let start = world.elapsed();
    let mut sends: Vec<(SendHandle, Duration)> = Vec::new();
    let mut before: [u64; BROKERS] = [0; BROKERS];
    while world.elapsed() < start + LOAD {
        if world.elapsed() < start + 2 * LOAD / 3 {
            before = now(&counts);
        }
        let handle = world.send(producer, Order::to("orders"));
        sends.push((handle, world.elapsed()));
        world.run_for(GAP);
    }
    world.run_for(5 * SECOND);
    let reached: [u64; BROKERS] = now(&counts);
    let mut latencies = Vec::new();
    for (handle, given) in sends {
        let verdict = world.verdict(handle).expect("a verdict at the deadline");
        assert!(verdict.receipt().is_some(), "{trouble:?}, {strategy:?}: {verdict:?}");
        latencies.push(world.ended_at(handle).expect("its end") - given);
    }
    latencies.sort_unstable();
    let attempts = world.core(0).counters().attempts - attempts;
    let troubled = ServerId::Broker(TROUBLED);
    match trouble {
        Trouble::Silent => world.resume(troubled),
        Trouble::Dead => world.restart(troubled),
        _ => {}
    }
    world.run_for(5 * SECOND);
    world.finish();
    let reached_late = std::array::from_fn(|n| reached[n] - before[n]);
    Figures { trouble, strategy, reached, reached_late, latencies, attempts }
}

#[test]
fn what_the_strategy_brings() {
    let mut table = vec![
        "| trouble of the second broker | strategy | its share | in the last 10 s | p50, ms | p99, ms | above 100 ms | attempts per message |".to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    let runs = Trouble::ALL.map(|trouble| Strategy::ALL.map(|strategy| run(trouble, strategy)));
    for [off, on, detecting] in &runs {
        table.extend([off, on].map(ToString::to_string));
        // Mostly there is nothing to detect.
        if detecting.to_string().replace(", with detector", "") != on.to_string() {
            table.push(detecting.to_string());
        }
    }
    println!("{}", table.join("\n"));
    for [off, on, detecting] in &runs {
        check(off, on);
        check(off, detecting);
    }
    let document = include_str!("../../ARCHITECTURE.md");
    for row in table {
        assert!(document.contains(&row), "ARCHITECTURE.md has no row\n{row}");
    }
}

/// Worlds in which everything goes wrong, with short times of avoidance, a detector, and heartbeats of version 2.
#[test]
fn random_worlds_keep_every_invariant_with_the_strategy_on() {
    let settings = LatencyFault {
        latency_max: [20, 300].map(Duration::from_millis).to_vec(),
        not_available_duration: [200, 1_500].map(Duration::from_millis).to_vec(),
        detector: Some(FaultDetector::default()),
    };
    let options = RunOptions { silent: false, ..RunOptions::default() };
    let (mut sends, mut avoided) = (0, 0);
    for (seed, mode) in (0..30).flat_map(|seed| [(seed, Mode::Safety), (seed, Mode::Liveness)]) {
        let mut plan = Plan::draw(seed, mode, None);
        plan.shape.heartbeat_v2 = true;
        plan.shape.latency_fault = Some(settings.clone());
        let report = run_plan(&plan, &options);
        assert!(report.broken.is_none(), "seed {seed} ({mode:?}): {:?}", report.broken);
        sends += report.reached.stored;
        avoided += report.transcript.matches("BrokerAvoided").count();
    }
    assert!(sends > 1_000 && avoided > 50, "{sends} messages stored, brokers avoided {avoided} times");
}

/// What must hold of a run with the strategy against the one without.
fn check(off: &Figures, on: &Figures) {
    let third = 100.0 / 3.0;
    let is_third = |share: f64| (third - 1.0..third + 1.0).contains(&share);
    match on.trouble {
        Trouble::None => {
            assert!(is_third(off.share()) && is_third(on.share()), "{off}\n{on}");
            assert_eq!(on.latencies, off.latencies);
        }
        Trouble::Slow => {
            assert!(on.share() < 1.0 && off.share() > 5.0, "{off}\n{on}");
            assert!(on.percentile(990) < Duration::from_millis(10), "{on}");
            assert!(off.percentile(990) >= Duration::from_millis(LATE_MS), "{off}");
        }
        Trouble::Erratic => {
            assert!(on.share() < off.share() && on.late() < off.late() / 2.0, "{off}\n{on}");
        }
        Trouble::Refusing => {
            assert!(on.share() < 1.0 && off.share() > 5.0, "{off}\n{on}");
            assert!(on.attempts < off.attempts, "{off}\n{on}");
        }
        Trouble::Silent | Trouble::Dead => {
            assert!(on.share() <= off.share() && on.late() <= off.late(), "{off}\n{on}");
        }
        Trouble::Stopped => {
            assert!(is_third(on.late_share()), "it gets its share again\n{on}");
            assert!(on.late() <= off.late(), "{off}\n{on}");
        }
        Trouble::Healing => {
            assert!(is_third(on.late_share()), "it gets its share again\n{on}");
            assert!(on.late() < off.late() / 2.0, "{off}\n{on}");
        }
    }
}
