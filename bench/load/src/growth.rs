//! How the core's cost per send grows with what a client has to keep apart.

use crate::answers::Shape;
use crate::rig::{Rig, Setting};
use crate::stopwatch::median;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::message::Message;
use rocketmq_core::wire::SerializeType;
use serde::Serialize;

/// Bytes of a body; each message has its own.
const BODY: usize = 100;
/// Sends that are taken on, and answered, between two looks at another broker.
const BATCH: usize = 256;

/// The same for all sizes.
const SEED: u64 = 1;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Series {
    /// Sends without answer, to one broker. Beyond 65 536 they wait as values.
    Waiting,
    /// Topics, with 10 000 sends without answer.
    Topics,
    /// Queues of the topic, with 1 024 sends without answer.
    Queues,
    /// Brokers, with 1 024 sends without answer on each.
    Brokers,
}

impl Series {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Topics, Self::Queues, Self::Brokers];

    /// As the flag says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Topics => "topics",
            Self::Queues => "queues",
            Self::Brokers => "brokers",
        }
    }

    /// The sizes of the series; the first is what the others are compared with.
    #[must_use]
    pub fn sizes(self) -> &'static [usize] {
        match self {
            Self::Waiting => &[1_000, 10_000, 100_000, 1_000_000],
            Self::Topics => &[1, 10, 100, 1_000, 10_000],
            Self::Queues => &[8, 80, 800, 8_000],
            Self::Brokers => &[1, 2, 4, 8, 16, 32, 64],
        }
    }

    fn load(self, size: usize) -> Load {
        let load = Load { waiting: 1_024, topics: 1, shape: Shape { brokers: 1, queues: 8 } };
        match self {
            Self::Waiting => Load { waiting: size, ..load },
            Self::Topics => Load { waiting: 10_000, topics: size, ..load },
            Self::Queues => Load { shape: Shape { brokers: 1, queues: size }, ..load },
            Self::Brokers => {
                Load { waiting: 1_024 * size, shape: Shape { brokers: size, queues: 8 }, ..load }
            }
        }
    }
}

/// What is kept up while it is measured.
#[derive(Clone, Copy, Debug)]
struct Load {
    waiting: usize,
    topics: usize,
    shape: Shape,
}

/// One size of a series, measured.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Which series.
    pub series: &'static str,
    /// Which size.
    pub size: usize,
    /// The median of the rounds.
    pub ns_per_send: f64,
    /// The quickest round.
    pub ns_least: f64,
    /// The slowest round.
    pub ns_most: f64,
    /// If they are counted.
    pub allocations_per_send: Option<f64>,
}

/// Measures one size: `rounds` times at least `sends` sends.
#[must_use]
pub fn measure(series: Series, size: usize, rounds: usize, sends: usize) -> Point {
    let load = series.load(size);
    let form = SerializeType::Json;
    let setting = Setting { requests: form, answers: form, shape: load.shape, seed: SEED };
    let mut rig = Rig::new(setting);
    let topics: Vec<TopicName> =
        (0..load.topics).map(|number| format!("T{number}").parse().expect("a topic name")).collect();
    rig.warm_up(&topics);
    let mut source = topics.iter().cycle();
    while rig.under_way() < load.waiting {
        let count = BATCH.min(load.waiting - rig.under_way());
        rig.submit(&mut messages(&mut source, count));
    }
    let (mut nanos, mut allocations) = (Vec::new(), None);
    // The first round is for the caches, and for tables that reach their size.
    for round in 0..=rounds {
        rig.take_costs();
        let mut done = 0;
        while done < sends.max(load.waiting.min(4 * sends)) {
            rig.answer(BATCH);
            let count = load.waiting - rig.under_way();
            rig.submit(&mut messages(&mut source, count));
            done += count;
        }
        let costs = rig.take_costs();
        if round > 0 {
            nanos.push(costs.nanos() / done as f64);
            allocations = costs.allocations.map(|count| count as f64 / done as f64);
        }
    }
    let (_, failed) = rig.verdicts();
    assert_eq!((rig.under_way(), failed), (load.waiting, 0), "sends were lost");
    Point {
        series: series.name(),
        size,
        ns_per_send: median(&nanos).unwrap_or(0.0),
        ns_least: nanos.iter().copied().fold(f64::INFINITY, f64::min),
        ns_most: nanos.iter().copied().fold(0.0, f64::max),
        allocations_per_send: allocations,
    }
}

/// The next messages, each for the next topic.
fn messages<'a>(topics: &mut impl Iterator<Item = &'a TopicName>, count: usize) -> Vec<Message> {
    topics.take(count).map(|topic| Message::new(topic.clone(), vec![7_u8; BODY])).collect()
}

#[cfg(test)]
mod tests {
    use super::{Series, measure};

    #[test]
    fn each_series_keeps_up_its_load() {
        for series in Series::ALL {
            let size = series.sizes()[1].min(2_000);
            let point = measure(series, size, 2, 1_000);
            assert_eq!(point.series, series.name());
            assert!(0.0 < point.ns_least && point.ns_least <= point.ns_per_send, "{point:?}");
            assert!(point.ns_per_send <= point.ns_most, "{point:?}");
        }
    }

    #[test]
    fn the_sizes_are_those_that_the_target_names() {
        let ends: Vec<_> =
            Series::ALL.iter().map(|series| (series.sizes()[0], *series.sizes().last().unwrap())).collect();
        assert_eq!(ends, [(1_000, 1_000_000), (1, 10_000), (8, 8_000), (1, 64)]);
    }
}
