//! The client's core alone, without any I/O: what a send costs, and how that grows.

use bench_load::answers::Shape;
use bench_load::growth::{self, Point, Series};
use bench_load::message::Maker;
use bench_load::report::line;
use bench_load::rig::{Rig, Setting};
use bench_load::stopwatch::{Stopwatch, median};
use clap::{Args, Parser, Subcommand};
use rocketmq_core::message::Message;
use rocketmq_core::wire::SerializeType;
use serde::Serialize;

/// Measures the client's core without any I/O.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One send from hand-over to receipt: prints one `CORE` line.
    Send(SendFlags),
    /// The cost per send as waiting sends, topics, queues and brokers grow: prints one `GROWTH` line for each size.
    Growth(GrowthFlags),
}

#[derive(Debug, Args)]
struct SendFlags {
    /// Form of the requests' headers.
    #[arg(long, value_enum, default_value = "json")]
    serialize: Form,
    /// Form of the answers' headers; a broker of version 5.5.0 answers in JSON.
    #[arg(long, value_enum, default_value = "json")]
    answers: Form,
    /// Sends under way at a time.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    in_flight: u32,
    /// Bytes of a message's body.
    #[arg(long, default_value_t = 1_024)]
    body: usize,
    /// All randomness of the client: other seeds are to cost the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sends of a round.
    #[arg(long, default_value_t = 200_000)]
    sends: u64,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

#[derive(Debug, Args)]
struct GrowthFlags {
    /// One series only.
    #[arg(long, value_enum)]
    series: Option<Series>,
    /// One size of the series only.
    #[arg(long, requires = "series", value_parser = clap::value_parser!(u64).range(1..))]
    size: Option<u64>,
    /// Sends of a round at least.
    #[arg(long, default_value_t = 100_000)]
    sends: usize,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Json,
    Rocketmq,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Rocketmq => "rocketmq",
        }
    }

    fn of(self) -> SerializeType {
        match self {
            Self::Json => SerializeType::Json,
            Self::Rocketmq => SerializeType::RocketMq,
        }
    }
}

#[derive(Debug, Default, Serialize)]
struct CoreCost {
    serialize: &'static str,
    answers: &'static str,
    in_flight: u32,
    body_bytes: usize,
    sends: u64,
    /// Medians of the rounds from here on. What the core takes, in all.
    ns_per_send: f64,
    ns_least: f64,
    ns_most: f64,
    /// Its parts: hand-over with encoding, bytes handed out, answers read and sends completed.
    submit_ns: f64,
    write_ns: f64,
    receive_ns: f64,
    /// Making the message, which is not a part of it.
    message_ns: f64,
    allocations_per_send: Option<f64>,
}

fn main() {
    match Flags::parse().what {
        What::Send(flags) => println!("{}", line("CORE", &send(&flags))),
        What::Growth(flags) => grow(&flags),
    }
}

fn send(flags: &SendFlags) -> CoreCost {
    let shape = Shape { brokers: 1, queues: 8 };
    let setting =
        Setting { requests: flags.serialize.of(), answers: flags.answers.of(), shape, seed: flags.seed };
    let topic = "Bench".parse().expect("a topic name");
    let mut rig = Rig::new(setting);
    rig.warm_up(std::slice::from_ref(&topic));
    let maker = Maker::new(topic, flags.body);
    let mut rounds: Vec<CoreCost> = (0..=flags.rounds).map(|_| round(&mut rig, &maker, flags)).collect();
    // The first is for the caches, and for tables that reach their size.
    rounds.remove(0);
    let all = |pick: fn(&CoreCost) -> f64| -> Vec<f64> { rounds.iter().map(pick).collect() };
    let middle = |pick: fn(&CoreCost) -> f64| median(&all(pick)).unwrap_or(0.0);
    let whole = all(|round| round.ns_per_send);
    CoreCost {
        serialize: flags.serialize.name(),
        answers: flags.answers.name(),
        in_flight: flags.in_flight,
        body_bytes: flags.body,
        sends: rounds.iter().map(|round| round.sends).sum(),
        ns_per_send: middle(|round| round.ns_per_send),
        ns_least: whole.iter().copied().fold(f64::INFINITY, f64::min),
        ns_most: whole.iter().copied().fold(0.0, f64::max),
        submit_ns: middle(|round| round.submit_ns),
        write_ns: middle(|round| round.write_ns),
        receive_ns: middle(|round| round.receive_ns),
        message_ns: middle(|round| round.message_ns),
        allocations_per_send: rounds.last().and_then(|round| round.allocations_per_send),
    }
}

fn round(rig: &mut Rig, maker: &Maker, flags: &SendFlags) -> CoreCost {
    rig.take_costs();
    let mut making = Stopwatch::default();
    let mut messages: Vec<Message> = Vec::with_capacity(flags.in_flight as usize);
    let mut done = 0;
    while done < flags.sends {
        let numbers = done..done + u64::from(flags.in_flight);
        making.time(|| messages.extend(numbers.map(|number| maker.make(number))));
        rig.submit(&mut messages);
        rig.answer(usize::MAX);
        done += u64::from(flags.in_flight);
    }
    let (costs, (_, failed)) = (rig.take_costs(), rig.verdicts());
    assert_eq!((rig.under_way(), failed), (0, 0), "every send is stored");
    let each = |nanos: f64| nanos / done as f64;
    CoreCost {
        sends: done,
        ns_per_send: each(costs.nanos()),
        submit_ns: each(costs.submit.nanos()),
        write_ns: each(costs.write.nanos()),
        receive_ns: each(costs.receive.nanos()),
        message_ns: each(making.nanos()),
        allocations_per_send: costs.allocations.map(|count| count as f64 / done as f64),
        ..CoreCost::default()
    }
}

#[derive(Debug, Serialize)]
struct GrowthLine {
    #[serde(flatten)]
    point: Point,
    /// To the first size of the series; none when that was not measured.
    ratio: Option<f64>,
}

fn grow(flags: &GrowthFlags) {
    for series in Series::ALL.into_iter().filter(|series| flags.series.is_none_or(|only| only == *series)) {
        let one = flags.size.map(|size| [usize::try_from(size).unwrap_or(usize::MAX)]);
        let sizes: &[usize] = one.as_ref().map_or(series.sizes(), |one| one);
        let mut first = None;
        for size in sizes {
            let point = growth::measure(series, *size, flags.rounds as usize, flags.sends);
            if *size == series.sizes()[0] {
                first = Some(point.ns_per_send);
            }
            let ratio = first.map(|first| point.ns_per_send / first);
            println!("{}", line("GROWTH", &GrowthLine { point, ratio }));
        }
    }
}
