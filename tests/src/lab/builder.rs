//! How labs are set up and tests run in them.

use std::fmt::Debug;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_core::ground::Rng;

use super::Lab;
use super::executor::Executor;
use super::network::Network;
use super::sends::{AskRules, SendRules};
use super::state::{Bounds, Payload, Shared, TimeSource, lock, micros};
use super::story::time;
use crate::cluster::{Cluster, ClusterConfig, Dialect, TopicConfig};

/// Lines of the story that a failure prints.
const PRINTED_LINES: usize = 80;
/// Lets [`LabBuilder::check`] run one seed alone.
const SEED_VARIABLE: &str = "ROCKETMQ_LAB_SEED";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts the settings of a lab: one name server, one broker, topics that sends create.
pub fn builder() -> LabBuilder {
    LabBuilder {
        cluster: ClusterConfig::default(),
        topics: Vec::new(),
        network: Network::default(),
        bounds: Bounds { time_us: micros(DAY), polls_per_ms: 1_000_000 },
    }
}

/// Runs a test in a lab with the default settings, once for each seed. See [`LabBuilder::check`].
pub fn check<F, Fut>(seeds: impl IntoIterator<Item = u64>, test: F) -> Checked
where
    F: Fn(Lab) -> Fut,
    Fut: Future<Output: TestResult>,
{
    builder().check(seeds, test)
}

/// Runs a test in a lab with the default settings. See [`LabBuilder::run`].
pub fn run<F, Fut>(seed: u64, test: F) -> Report<Fut::Output>
where
    F: FnOnce(Lab) -> Fut,
    Fut: Future,
{
    builder().run(seed, test)
}

/// The settings of a lab, see [`builder`]. One builder serves any number of runs.
///
/// ```
/// use rocketmq_sim::cluster::Dialect;
/// use rocketmq_sim::lab;
///
/// let cluster = lab::builder().brokers(3).dialect(Dialect::V4_9_7).auto_create_topics(false).topic("placed", 4);
/// cluster.check(0..3, |lab| async move {
///     let client = lab.client();
///     assert_eq!(lab.brokers().count(), 3);
/// #   drop(client);
/// });
/// ```
#[derive(Debug, Clone)]
#[must_use = "a lab does nothing until a test runs in it"]
pub struct LabBuilder {
    cluster: ClusterConfig,
    topics: Vec<TopicConfig>,
    network: Network,
    bounds: Bounds,
}

impl LabBuilder {
    /// Number of brokers, all masters, named `broker-a`, `broker-b`, ... Default 1.
    pub fn brokers(mut self, count: usize) -> Self {
        self.cluster.brokers = count;
        self
    }

    /// Number of name servers. Default 1.
    pub fn name_servers(mut self, count: usize) -> Self {
        self.cluster.name_servers = count;
        self
    }

    /// With an HTTP server that knows the name servers, at [`Server::address`](super::Server::address) of
    /// [`Lab::discovery`]. Default: none.
    pub fn discovery(mut self) -> Self {
        self.cluster.discovery = true;
        self
    }

    /// The release whose behaviour the servers imitate. Default 5.5.0.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.cluster.dialect = dialect;
        self
    }

    /// A topic that exists from the start, on every broker with so many queues.
    pub fn topic(mut self, name: &str, queues: u32) -> Self {
        self.topics.push(TopicConfig::new(name, i32::try_from(queues).unwrap_or(i32::MAX)));
        self
    }

    /// Whether a send to an unknown topic creates it (`autoCreateTopicEnable`). Default: yes.
    pub fn auto_create_topics(mut self, yes: bool) -> Self {
        self.cluster.auto_create_topics = yes;
        self
    }

    /// How bytes travel; [`Lab::set_network`] changes it on the way.
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// How much simulated time a run may take. Default: a day. A test that waits for what never comes ends there.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.bounds.time_us = micros(limit);
        self
    }

    /// How many times tasks may be polled within a millisecond of simulated time; more is a busy loop. Default a million.
    /// A poll that never returns is found by nobody. It has no meaning under tokio.
    pub fn poll_limit(mut self, polls: u64) -> Self {
        self.bounds.polls_per_ms = polls;
        self
    }

    /// Runs a test once and returns what it returned, with the story of the run.
    ///
    /// # Panics
    /// The test panics, cannot go on, or passes a bound. The seed and the end of the story are printed before.
    pub fn run<F, Fut>(&self, seed: u64, test: F) -> Report<Fut::Output>
    where
        F: FnOnce(Lab) -> Fut,
        Fut: Future,
    {
        conclude(self.run_here(seed, test), |_| None)
    }

    /// Runs a test once for each seed, the first one twice to see that the runs are the same. A test may return
    /// nothing, or a `Result` whose error fails it. With `ROCKETMQ_LAB_SEED` in the environment that seed runs alone.
    ///
    /// # Panics
    /// As [`run`](Self::run), with the first seed that fails; the two runs of the first seed differ; there is no seed.
    pub fn check<F, Fut>(&self, seeds: impl IntoIterator<Item = u64>, test: F) -> Checked
    where
        F: Fn(Lab) -> Fut,
        Fut: Future<Output: TestResult>,
    {
        check_seeds(seeds, |seed| conclude(self.run_here(seed, &test), TestResult::failure))
    }

    fn run_here<F, Fut>(&self, seed: u64, test: F) -> Ended<Fut::Output>
    where
        F: FnOnce(Lab) -> Fut,
        Fut: Future,
    {
        let lab = self.lab(seed, TimeSource::Executor);
        let mut executor = Executor::new(lab.clone());
        let result = catch_unwind(AssertUnwindSafe(|| executor.run(test(lab.clone()))));
        Ended::new(lab, result, || drop(executor))
    }

    pub(super) fn lab(&self, seed: u64, time: TimeSource) -> Lab {
        let dice = Rng::new(seed);
        let config = ClusterConfig { seed: dice.fork("lab-cluster").next_u64(), ..self.cluster.clone() };
        let start_ms = Shared::start_ms();
        let mut cluster = Cluster::new(config, start_ms);
        for topic in &self.topics {
            cluster.create_topic(start_ms, topic);
        }
        let mut rules = Vec::new();
        for index in 0..self.cluster.brokers {
            let of_broker = SendRules::new(dice.fork(&format!("lab-sends-{index}")));
            let of_broker = Arc::new(Mutex::new(of_broker));
            if let Some(broker) = cluster.broker_mut(index) {
                broker.set_send_policy(AskRules(of_broker.clone()));
            }
            rules.push(of_broker);
        }
        let shared = Shared::new(seed, self.bounds, time, cluster, self.network.clone());
        shared.enter(|state| state.send_rules = rules);
        Lab { shared: Arc::new(shared) }
    }
}

/// What came of a run, see [`LabBuilder::run`].
#[derive(Debug, Clone)]
pub struct Report<T> {
    /// What the test returned.
    pub value: T,
    /// The seed.
    pub seed: u64,
    /// A number for everything that happened, down to each byte: the same seed gives the same.
    pub story_hash: u64,
    /// What the network and the servers did, the last 4000 lines at most.
    pub story: String,
    /// How much simulated time passed.
    pub elapsed: Duration,
}

/// What came of [`LabBuilder::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// How many seeds ran.
    pub seeds: u64,
    /// How much simulated time passed in all of them.
    pub elapsed: Duration,
}

/// What a test may return: nothing, or a `Result` whose error fails it.
pub trait TestResult {
    /// Why the test failed; none when it did not.
    fn failure(&self) -> Option<String>;
}

impl TestResult for () {
    fn failure(&self) -> Option<String> {
        None
    }
}

impl<E: Debug> TestResult for Result<(), E> {
    fn failure(&self) -> Option<String> {
        self.as_ref().err().map(|error| format!("the test returned an error: {error:?}"))
    }
}

/// A run that is over, before anybody has looked at its result.
pub(super) struct Ended<T> {
    lab: Lab,
    result: Result<T, Payload>,
    story_hash: u64,
    elapsed: Duration,
}

impl<T> Ended<T> {
    /// `drop_tasks` ends what still runs; that is no part of the story.
    pub(super) fn new(lab: Lab, result: Result<T, Payload>, drop_tasks: impl FnOnce()) -> Ended<T> {
        let (story_hash, elapsed) = (lab.story_hash(), lab.now());
        lab.shared.stop_time();
        drop_tasks();
        lab.shared.close();
        // A task that panicked and was not looked at before the end.
        let late = lock(&lab.shared.panics).pop();
        let result = match (result, late) {
            (Ok(_), Some(payload)) => Err(payload),
            (result, _) => result,
        };
        Ended { lab, result, story_hash, elapsed }
    }
}

/// Prints what is to be known of a failure, and fails; else reports.
pub(super) fn conclude<T>(ended: Ended<T>, failure: impl FnOnce(&T) -> Option<String>) -> Report<T> {
    let Ended { lab, result, story_hash, elapsed } = ended;
    match result {
        Err(payload) => {
            print_failure(&lab, story_hash, elapsed);
            resume_unwind(payload)
        }
        Ok(value) => {
            if let Some(text) = failure(&value) {
                print_failure(&lab, story_hash, elapsed);
                panic!("seed {}: {text}", lab.seed());
            }
            Report { value, seed: lab.seed(), story_hash, story: lab.story(), elapsed }
        }
    }
}

fn print_failure(lab: &Lab, story_hash: u64, elapsed: Duration) {
    let (seed, at) = (lab.seed(), time(micros(elapsed)));
    let story = lab.shared.enter(|state| state.story.last(PRINTED_LINES));
    eprintln!(
        "--- The lab's test failed with seed {seed}, at {} s of simulated time. The end of its story \
         (hash {story_hash:016x}):\n{story}--- To run this seed alone: {SEED_VARIABLE}={seed}",
        at.trim_start()
    );
}

/// Runs each seed, the first one twice.
pub(super) fn check_seeds<T>(
    seeds: impl IntoIterator<Item = u64>,
    mut run: impl FnMut(u64) -> Report<T>,
) -> Checked {
    let alone = std::env::var(SEED_VARIABLE).ok().map(|text| match text.parse::<u64>() {
        Ok(seed) => seed,
        Err(error) => panic!("{SEED_VARIABLE}={text}: {error}"),
    });
    let seeds: Vec<u64> = alone.map_or_else(|| seeds.into_iter().collect(), |seed| vec![seed]);
    let mut checked = Checked { seeds: 0, elapsed: Duration::ZERO };
    for seed in seeds {
        let report = run(seed);
        checked.elapsed += report.elapsed;
        checked.seeds += 1;
        if checked.seeds == 1 {
            let again = run(seed);
            assert!(
                report.story_hash == again.story_hash,
                "two runs with seed {seed} differ: something besides the seed decides, such as a real clock, another \
                 thread, or the random order of a HashMap.\n{}",
                first_difference(&report.story, &again.story)
            );
        }
    }
    assert!(checked.seeds > 0, "there is no seed to run");
    checked
}

fn first_difference(one: &str, two: &str) -> String {
    let different = one.lines().zip(two.lines()).find(|(one, two)| one != two);
    match different {
        Some((one, two)) => format!("The first lines that differ:\n{one}\n{two}"),
        None => "The lines of both stories are alike; bytes or the length differ.".to_owned(),
    }
}
