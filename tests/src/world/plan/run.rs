//! How a plan runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rocketmq_core::message::Message;
use rocketmq_core::producer::{MessageQueue, Target};

use super::report::RunReport;
use super::{Aim, FaultCounts, Mode, Plan, SendStep, Step, TOPICS, What};
use crate::world::{
    Broken, Invariant, LocalTransaction, Mutant, Order, SendHandle, SimProducer, Ticket, World,
};

/// How a plan is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// No story is kept, which is faster.
    pub silent: bool,
    /// Inputs are recorded and given once more to a client whose actions are taken in the end.
    pub records: bool,
    /// The clients are broken on purpose.
    pub mutant: Option<Mutant>,
}

/// Runs a plan to its end, or to the first invariant that does not hold. Never panics: a panic of a client is a broken
/// invariant, too.
pub fn run_plan(plan: &Plan, options: &RunOptions) -> RunReport {
    let mut run = Run::new(plan, options);
    let played = catch_unwind(AssertUnwindSafe(|| run.play()));
    run.report(
        played.err().map(|payload| Broken { invariant: Invariant::NoPanic, text: panic_text(&*payload) }),
    )
}

/// Draws the plan of a seed and runs it. `liveness`: all faults heal, and then every send must succeed.
///
/// # Panics
/// With a report when an invariant breaks.
pub fn run_seed(seed: u64, liveness: bool, silent: bool) -> RunReport {
    let mode = if liveness { Mode::Liveness } else { Mode::Safety };
    let report = run_plan(&Plan::draw(seed, mode, None), &RunOptions { silent, records: true, mutant: None });
    if let Some(broken) = &report.broken {
        panic!("seed {seed} ({mode:?})\n{}\n{broken}", report.transcript);
    }
    report
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

/// An open producer, and which of the plan's it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened {
    pub(super) producer: SimProducer,
    shape: usize,
}

pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World,
    pub(super) producers: Vec<Opened>,
    /// Producers that close, to be opened again.
    pub(super) closing: Vec<(Ticket, Opened)>,
    /// Clients that shut down, to be replaced: the shutdown, and whether it is over.
    pub(super) leaving: Vec<(Ticket, usize)>,
    /// Which client each of the plan's clients is now.
    pub(super) clients: Vec<usize>,
    pub(super) reserved: Vec<(Ticket, SimProducer)>,
    /// Callers that did not get room at once.
    pub(super) waiting: Vec<Ticket>,
    pub(super) sends: Vec<(u32, SendHandle, Duration)>,
    pub(super) unsent: Vec<u32>,
    pub(super) faults: FaultCounts,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, options: &RunOptions) -> Run<'a> {
        let shape = &plan.shape;
        let mut world = World::new(plan.seed, shape.cluster(plan.seed), |config| {
            shape.configure(0, config);
            config.seed = shape.client_seed.unwrap_or(config.seed);
        });
        world.be_lenient();
        world.vip_is_open = shape.vip_channel == Some(true);
        if let Some(rules) = shape.hooks {
            world.with_hooks(rules);
        }
        if let Some(mutant) = options.mutant {
            world.with_mutant(mutant);
        }
        if options.silent {
            world.be_silent();
        }
        if !options.records {
            world.record_nothing();
        }
        world.network = shape.network.clone();
        if let Some(interval) = shape.check_interval_ms {
            world.change_cluster(|cluster, _| {
                for number in 0..shape.brokers {
                    if let Some(broker) = cluster.broker_mut(number) {
                        broker.ask_about_halves_every(interval);
                    }
                }
            });
        }
        if let Some(trace) = &shape.trace {
            let off = (0..shape.brokers).filter(|broker| trace.switched_off >> broker & 1 == 1);
            off.for_each(|broker| world.switch_trace_off(broker));
        }
        let mut clients = vec![0];
        for place in 1..shape.clients {
            clients.push(world.add_client(|config| shape.configure(place, config)));
        }
        Run {
            plan,
            world,
            producers: Vec::new(),
            closing: Vec::new(),
            leaving: Vec::new(),
            clients,
            reserved: Vec::new(),
            waiting: Vec::new(),
            sends: Vec::new(),
            unsent: Vec::new(),
            faults: FaultCounts::default(),
        }
    }

    fn play(&mut self) {
        for shape in 0..self.plan.shape.producers.len() {
            self.open(shape);
        }
        for step in &self.plan.steps {
            self.take(step);
            self.replace_clients();
            self.reopen();
            if !step.pause.is_zero() {
                self.world.run_for(step.pause);
            }
            if !self.world.broken().is_empty() {
                return;
            }
        }
        if self.plan.mode == Mode::Liveness {
            self.live();
        }
        self.end();
    }

    /// Opens a producer of the plan, unless its client is shut down.
    fn open(&mut self, number: usize) {
        let shape = &self.plan.shape.producers[number];
        let client = self.clients[shape.client];
        if self.world.clients[client].over || self.leaving.iter().any(|(ticket, _)| ticket.client == client) {
            return;
        }
        let trace = self.plan.shape.trace_of(number);
        match self.world.try_open_producer(client, shape.group, |config| shape.apply(trace, config)) {
            Ok(producer) => self.producers.push(Opened { producer, shape: number }),
            Err(error) => {
                let text = format!("{} cannot be opened: {error}", shape.group);
                self.world.fail(Invariant::ExactlyOneVerdict, text);
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match &step.what {
            What::Send(send) => self.send(send, None),
            What::Half { send, local } => self.send_half(send, *local),
            What::Reserve { producer, topic, weight, within } => {
                if let Some(opened) = self.producer(*producer) {
                    let topic = TOPICS[topic % TOPICS.len()];
                    let ticket = self.world.reserve(opened.producer, topic, *weight, *within);
                    let waits = self.world.room(ticket).is_none() && self.world.network.late_actions_us == 0;
                    self.waiting.extend(waits.then_some(ticket));
                    self.reserved.push((ticket, opened.producer));
                }
            }
            What::UseReservation { reservation, send } => self.use_reservation(*reservation, send),
            What::Withdraw { reservation } => {
                if !self.reserved.is_empty() {
                    let (ticket, _) = self.reserved.swap_remove(reservation % self.reserved.len());
                    self.world.withdraw(ticket);
                }
            }
            What::Flush { client, producer, within } => self.flush(*client, *producer, *within),
            What::Close { producer, within } => self.close(*producer, *within),
            What::SetNameServers { client } => {
                let list = self.world.cluster.name_server_addr();
                let client = self.clients[client % self.clients.len()];
                self.world.set_name_servers(client, &list);
            }
            What::Heal => {
                self.world.tell_control(|| "all faults end".to_owned());
                self.heal();
            }
            What::Fault(fault) => {
                self.world.tell_control(|| format!("FAULT {}", fault.kind.name()));
                self.inject(fault);
            }
        }
    }

    pub(super) fn producer(&self, number: usize) -> Option<Opened> {
        let count = self.producers.len();
        (count > 0).then(|| self.producers[number % count])
    }

    fn send(&mut self, step: &SendStep, room: Option<(Ticket, SimProducer)>) {
        let producer =
            room.map(|(_, producer)| producer).or(self.producer(step.producer).map(|it| it.producer));
        let Some(producer) = producer else {
            return self.unsent.push(step.label);
        };
        if let Some(kind) = step.odd {
            self.faults.count(kind, 1);
        }
        let topic = TOPICS[step.topic % TOPICS.len()];
        let mut order = Order::to(topic).within(step.within).size(step.size).target(target(topic, step.aim));
        if step.property > 0 {
            let key = format!("k{}", self.world.sends.len());
            let builder = Message::builder(topic.parse().expect("a topic")).key(&key);
            let built =
                builder.body(vec![b'x'; step.size]).property("padding", &"y".repeat(step.property)).build();
            let Ok(message) = built else {
                return self.unsent.push(step.label);
            };
            order.message = Some(message);
        }
        order.one_way = step.one_way;
        order.retries = step.retries;
        order.reservation = room.map(|(ticket, _)| ticket);
        let given = self.world.elapsed();
        let send = self.world.send(producer, order);
        self.sends.push((step.label, send, given));
    }

    fn send_half(&mut self, step: &SendStep, local: LocalTransaction) {
        let Some(opened) = self.producer(step.producer) else {
            return self.unsent.push(step.label);
        };
        let topic = TOPICS[step.topic % TOPICS.len()];
        let mut order = Order::to(topic).within(step.within).size(step.size);
        order.retries = step.retries;
        let given = self.world.elapsed();
        let send = self.world.send_half(opened.producer, order, local);
        self.sends.push((step.label, send, given));
    }

    fn use_reservation(&mut self, number: usize, step: &SendStep) {
        if self.reserved.is_empty() {
            return self.unsent.push(step.label);
        }
        let (ticket, producer) = self.reserved.swap_remove(number % self.reserved.len());
        if matches!(self.world.room(ticket), Some(Ok(()))) {
            self.send(step, Some((ticket, producer)));
        } else {
            self.world.withdraw(ticket);
            self.unsent.push(step.label);
        }
    }

    fn flush(&mut self, client: usize, producer: Option<usize>, within: Duration) {
        let opened = producer.and_then(|number| self.producer(number)).map(|it| it.producer);
        let client = opened.map_or(self.clients[client % self.clients.len()], |it| it.client);
        self.world.flush(client, opened, within);
    }

    pub(super) fn close(&mut self, number: usize, within: Duration) {
        let count = self.producers.len();
        if count > 1 {
            let opened = self.producers.swap_remove(number % count);
            let ticket = self.world.close_producer(opened.producer, within);
            self.closing.push((ticket, opened));
        }
    }

    /// Shuts a client down; another one takes its place once that is over.
    pub(super) fn leave(&mut self, number: usize, within: Duration, twice: bool) -> bool {
        let place = number % self.clients.len();
        let client = self.clients[place];
        if self.leaving.iter().any(|(_, leaving)| *leaving == place) {
            return false;
        }
        let ticket = self.world.shutdown(client, within);
        if twice {
            self.world.shutdown(client, within / 2);
        }
        self.leaving.push((ticket, place));
        true
    }

    pub(super) fn replace_clients(&mut self) {
        let world = &mut self.world;
        let (over, leaving): (Vec<_>, _) =
            self.leaving.drain(..).partition(|(ticket, _)| world.closed(*ticket).is_some());
        self.leaving = leaving;
        for (ticket, place) in over {
            self.producers.retain(|opened| opened.producer.client != ticket.client);
            self.closing.retain(|(closing, _)| closing.client != ticket.client);
            self.reserved.retain(|(_, producer)| producer.client != ticket.client);
            let shape = &self.plan.shape;
            self.clients[place] = self.world.add_client(|config| shape.configure(place, config));
            for number in 0..shape.producers.len() {
                if shape.producers[number].client == place {
                    self.open(number);
                }
            }
        }
    }

    /// Opens again what has closed.
    pub(super) fn reopen(&mut self) {
        let world = &mut self.world;
        let (closed, closing): (Vec<_>, _) =
            self.closing.drain(..).partition(|(ticket, _)| world.closed(*ticket).is_some());
        self.closing = closing;
        for (_, opened) in closed {
            self.open(opened.shape);
        }
    }
}

fn target(topic: &str, aim: Aim) -> Target {
    match aim {
        Aim::Any => Target::Any,
        Aim::ShardingKey(key) => Target::ShardingKey(format!("shard {key}")),
        Aim::Queue { broker, queue } => Target::Queue(MessageQueue {
            topic: topic.parse().expect("a topic"),
            broker_name: format!("broker-{}", char::from(b'a' + (broker % 26) as u8))
                .parse()
                .expect("a broker name"),
            queue_id: queue,
        }),
    }
}
