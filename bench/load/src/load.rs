//! The client under load: warmed up, then measured.

mod enqueue;
mod tasks;

use crate::counting::{Counting, Counts, Polled};
use crate::host::{Host, Program};
use crate::latency::Latencies;
use crate::message::{GROUP, Maker};
use crate::pacer::Timetable;
use crate::report::Measured;
use crate::usage::Usage;
use rocketmq_driver::{Client, ClientBuilder, Limits, Producer, SerializeType, TopicName};
use std::error::Error;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{Barrier, Semaphore};

/// How an application sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    /// Many tasks, each of which awaits one send at a time.
    Tasks,
    /// One task: the first await gets room, the second the receipt, and as many as allowed are between the two.
    Enqueue,
    /// Many tasks that want no answer of the broker.
    OneWay,
}

impl Style {
    /// As the flag says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Enqueue => "enqueue",
            Self::OneWay => "one-way",
        }
    }
}

/// A load to be put on a client.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name servers.
    pub name_server: String,
    /// Sends under way at a time.
    pub in_flight: usize,
    /// Bytes of a body.
    pub body: usize,
    /// Sends that are measured.
    pub messages: u64,
    /// Sends before.
    pub warm_up: u64,
    /// Sends each second; none: as fast as `in_flight` allows.
    pub rate: Option<f64>,
    /// Form of the headers of requests.
    pub serialize: SerializeType,
    /// Topic.
    pub topic: TopicName,
    /// How long a send may take.
    pub deadline: Duration,
    /// How to send.
    pub style: Style,
    /// Where to record to.
    pub recording: Record,
}

/// What is recorded of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Record {
    /// Nothing.
    #[default]
    Off,
    /// Everything, to this file.
    #[cfg(feature = "record")]
    File(std::path::PathBuf),
    /// The newest so many bytes, in memory.
    #[cfg(feature = "record")]
    Recent(usize),
}

impl Plan {
    /// Limits that let as many be under way as the plan says. The defaults do so up to 32 768 messages and 64 MiB of
    /// one topic; beyond them sends would wait for room. Connections carry up to 65 536 requests without answer as they
    /// are.
    fn limits(&self) -> Limits {
        /// Topic, properties and what the client adds for its own structures, generously.
        const AROUND: usize = 1_024;
        let defaults = Limits::default();
        let messages = self.in_flight.saturating_mul(2);
        let bytes = messages.saturating_mul(self.body + AROUND);
        Limits {
            messages: defaults.messages.max(messages),
            producer_messages: defaults.producer_messages.max(messages),
            topic_messages: defaults.topic_messages.max(messages),
            message_bytes: defaults.message_bytes.max(bytes),
            producer_message_bytes: defaults.producer_message_bytes.max(bytes),
            topic_message_bytes: defaults.topic_message_bytes.max(bytes),
            ..defaults
        }
    }

    fn builder(&self) -> Result<ClientBuilder, Box<dyn Error>> {
        let builder =
            Client::builder(self.name_server.as_str()).serialize_type(self.serialize).limits(self.limits());
        Ok(match &self.recording {
            Record::Off => builder,
            #[cfg(feature = "record")]
            Record::File(path) => {
                let file = std::fs::File::create(path)
                    .map_err(|error| format!("cannot record to {}: {error}", path.display()))?;
                builder.record(rocketmq_driver::Recording::to_writer(file))
            }
            #[cfg(feature = "record")]
            Record::Recent(bytes) => builder.record(rocketmq_driver::Recording::recent(*bytes)),
        })
    }

    fn tasks(&self) -> usize {
        match self.style {
            Style::Enqueue => 1,
            Style::Tasks | Style::OneWay => self.in_flight,
        }
    }
}

/// Sends of one kind: those before the measurement, or those that are measured.
#[derive(Debug, Default)]
struct Phase {
    messages: u64,
    next: AtomicU64,
    failed: AtomicU64,
    first_error: OnceLock<String>,
    latencies: Latencies,
    /// When the messages are due, if there is a rate.
    timetable: OnceLock<Timetable>,
}

impl Phase {
    fn new(messages: u64) -> Self {
        Self { messages, ..Self::default() }
    }

    /// The number of the next message, while there is one.
    fn take(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.messages).then_some(number)
    }

    fn ended<E: Display>(&self, result: Result<(), E>, took: impl FnOnce() -> Duration) {
        match result {
            Ok(()) => self.latencies.record(took()),
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.first_error.get_or_init(|| error.to_string());
            }
        }
    }
}

/// What the tasks of a load share.
#[derive(Debug)]
struct Load {
    producer: Producer,
    maker: Maker,
    in_flight: usize,
    style: Style,
    phases: [Phase; 2],
    /// Where all tasks and the one that measures meet before and after each phase.
    gate: Barrier,
    /// A permit for each message that is due; none when there is no rate.
    due: Option<Arc<Semaphore>>,
}

impl Program for Plan {
    type Output = Result<Measured, String>;

    async fn run<H: Host>(self, host: H) -> Self::Output {
        self.measure(host).await.map_err(|error| error.to_string())
    }
}

impl Plan {
    async fn measure<H: Host>(self, host: H) -> Result<Measured, Box<dyn Error>> {
        let counts = Arc::new(Counts::default());
        let (client, driver) = self.builder()?.build_with(Counting::new(host.net(), counts.clone()))?;
        host.spawn(Polled::new(driver, counts.clone()));
        let producer = client.producer(GROUP).send_timeout(self.deadline).open().await?;
        let load = Arc::new(Load {
            producer,
            maker: Maker::new(self.topic.clone(), self.body),
            in_flight: self.in_flight,
            style: self.style,
            phases: [Phase::new(self.warm_up), Phase::new(self.messages)],
            gate: Barrier::new(self.tasks() + 1),
            due: self.rate.map(|_| Arc::new(Semaphore::new(0))),
        });
        for _ in 0..self.tasks() {
            host.spawn(take_part(load.clone()));
        }
        self.run_phase(&load, 0).await?;
        let (before, counted_before, start) = (Usage::now()?, counts.now(), Instant::now());
        self.run_phase(&load, 1).await?;
        let seconds = start.elapsed().as_secs_f64();
        let (usage, counted) = (Usage::now()? - before, counts.now() - counted_before);
        let [_, phase] = &load.phases;
        let measured = Measured {
            messages: phase.messages,
            failed: phase.failed.load(Ordering::Relaxed),
            first_error: phase.first_error.get().cloned(),
            seconds,
            usage,
            counted,
            percentiles: phase.latencies.percentiles(),
        };
        client.shutdown(Duration::from_secs(5)).await;
        Ok(measured)
    }

    /// Lets the tasks begin a phase, at the rate that was asked for if one was, and waits until they are through.
    async fn run_phase(&self, load: &Load, number: usize) -> Result<(), Box<dyn Error>> {
        load.gate.wait().await;
        if let (Some(rate), Some(due), Some(phase)) = (self.rate, &load.due, load.phases.get(number)) {
            let start = Timetable::new(Instant::now(), rate);
            let timetable = phase.timetable.get_or_init(|| start);
            drop(timetable.give_out(phase.messages, due.clone())?);
        }
        load.gate.wait().await;
        Ok(())
    }
}

async fn take_part(load: Arc<Load>) {
    for phase in &load.phases {
        load.gate.wait().await;
        match load.style {
            Style::Tasks | Style::OneWay => tasks::send_in_turn(&load, phase).await,
            Style::Enqueue => enqueue::send_ahead(&load, phase).await,
        }
        load.gate.wait().await;
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
