//! Random runs: each seed draws its own network, its own faults with their weights, and its own load.

use std::time::Duration;

use rocketmq_core::producer::{MessageQueue, Resend, Target};
use rocketmq_core::wire::SerializeType;

use super::faults::{Weights, draw_network, draw_weights};
use super::reached::Reached;
use super::{Order, SendHandle, SimProducer, Ticket, Verdict, World};
use crate::cluster::{ClusterConfig, Dialect};

/// What came out of one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedOutcome {
    /// Hash over all inputs and actions.
    pub hash: u64,
    /// What was reached.
    pub reached: Reached,
}

pub(super) const TOPICS: [&str; 3] = ["orders", "payments", "logs"];

pub(super) struct Run {
    pub(super) world: World,
    producers: Vec<(SimProducer, &'static str)>,
    /// Producers that close, to be opened again under the same group.
    closing: Vec<(Ticket, usize, &'static str)>,
    pub(super) weights: Weights,
    reserved: Vec<(Ticket, SimProducer)>,
    liveness: bool,
}

/// Runs one seed to its end and checks all invariants. `liveness`: all faults heal, and then every send must succeed.
/// `silent`: without the story, which is faster.
///
/// # Panics
/// With a report when an invariant breaks.
pub fn run_seed(seed: u64, liveness: bool, silent: bool) -> SeedOutcome {
    let mut run = Run::new(seed, liveness, silent);
    let steps = 20 + run.world.rng.below(60);
    for _ in 0..steps {
        run.act();
        run.reopen();
        let scale = [200, 5_000, 100_000, 2_000_000][run.world.rng.below(4) as usize];
        let pause = run.world.rng.below(scale);
        run.world.run_for(Duration::from_micros(pause));
    }
    if liveness {
        run.live();
    }
    run.end()
}

impl Run {
    fn new(seed: u64, liveness: bool, silent: bool) -> Run {
        let mut dice = rocketmq_core::ground::Rng::new(seed).fork("shape");
        let cluster = ClusterConfig {
            name_servers: 1 + dice.below(3) as usize,
            brokers: 1 + dice.below(3) as usize,
            dialect: if dice.below(2) == 0 { Dialect::V4_9_7 } else { Dialect::V5_5_0 },
            seed,
            ..ClusterConfig::default()
        };
        let serialize = if dice.below(3) == 0 { SerializeType::RocketMq } else { SerializeType::Json };
        let (small_rooms, few_requests, small_outbox) =
            (dice.below(4) == 0, dice.below(4) == 0, dice.below(4) == 0);
        let mut world = World::new(seed, cluster, |config| {
            config.serialize_type = serialize;
            if small_rooms {
                config.limits.messages = 12;
                config.limits.producer_messages = 8;
                config.limits.topic_messages = 4;
            }
            if few_requests {
                config.limits.connection_requests = 2;
            }
            if small_outbox {
                config.limits.outbox_bytes = 600;
            }
        });
        if silent {
            world.be_silent();
        }
        world.network = draw_network(&mut dice);
        let mut producers = Vec::new();
        if dice.below(4) == 0 {
            world.add_client(|config| config.serialize_type = serialize);
            producers.push((world.try_open_producer(1, "other", |_| {}), "other"));
        }
        for group in ["first", "second"] {
            let (retries, careful, another) = (dice.below(4) as u32, dice.below(3) == 0, dice.below(3) == 0);
            let opened = world.try_open_producer(0, group, |config| {
                config.retries = retries;
                config.resend = if careful { Resend::OnlyWhenNotStored } else { Resend::WhenMayBeStored };
                config.retry_another_broker_when_not_store_ok = another;
            });
            producers.push((opened, group));
        }
        let opened = |(opened, group): (Result<_, _>, _)| (opened.expect("an open producer"), group);
        let producers = producers.into_iter().map(opened).collect();
        let weights = draw_weights(&mut dice);
        Run { world, producers, closing: Vec::new(), weights, reserved: Vec::new(), liveness }
    }

    pub(super) fn dice(&mut self, below: u64) -> u64 {
        self.world.rng.below(below)
    }

    fn act(&mut self) {
        match self.dice(100) {
            0..=54 => {
                for _ in 0..=self.dice(6) {
                    self.send();
                }
            }
            55..=59 => self.reserve(),
            60..=62 => self.use_reservation(),
            63 => {
                let within = Duration::from_millis(self.dice(2_000));
                self.world.flush(0, None, within);
            }
            64 => self.close_one(),
            _ => {
                let fault = self.draw_fault();
                self.fault(fault);
            }
        }
    }

    fn close_one(&mut self) {
        if self.producers.len() > 1 {
            let count = self.producers.len() as u64;
            let at = self.dice(count) as usize;
            let (producer, group) = self.producers.swap_remove(at);
            let within = Duration::from_millis(self.dice(3_000));
            let ticket = self.world.close_producer(producer, within);
            self.closing.push((ticket, producer.client, group));
        }
    }

    /// Opens again what has closed.
    fn reopen(&mut self) {
        let world = &mut self.world;
        let (closed, closing) =
            self.closing.drain(..).partition(|(ticket, _, _)| world.closed(*ticket).is_some());
        self.closing = closing;
        let closed: Vec<_> = closed;
        for (_, client, group) in closed {
            let again = world.try_open_producer(client, group, |_| {}).expect("the group is free again");
            self.producers.push((again, group));
        }
    }

    fn producer(&mut self) -> SimProducer {
        let count = self.producers.len() as u64;
        let at = self.dice(count) as usize;
        self.producers[at].0
    }

    fn order(&mut self) -> Order {
        let topic = TOPICS[self.dice(3) as usize];
        let within = [50, 400, 3_000, 3_000, 20_000][self.dice(5) as usize];
        let size = if self.dice(60) == 0 { 70_000 } else { [1, 20, 20, 900][self.dice(4) as usize] };
        let mut order = Order::to(topic).within_ms(within).size(size);
        match self.dice(10) {
            0 => order = order.one_way(),
            1 => order = order.target(Target::ShardingKey(format!("shard {within}"))),
            2 => {
                let queue = MessageQueue {
                    topic: topic.parse().expect("a topic"),
                    broker_name: "broker-a".parse().expect("a broker name"),
                    queue_id: self.dice(5) as i32,
                };
                order = order.target(Target::Queue(queue));
            }
            _ => {}
        }
        order
    }

    fn send(&mut self) -> SendHandle {
        let (producer, order) = (self.producer(), self.order());
        self.world.send(producer, order)
    }

    fn reserve(&mut self) {
        let producer = self.producer();
        let topic = TOPICS[self.dice(3) as usize];
        let within = Duration::from_millis(self.dice(1_000));
        let ticket = self.world.reserve(producer, topic, 600, within);
        self.reserved.push((ticket, producer));
    }

    fn use_reservation(&mut self) {
        if self.reserved.is_empty() {
            return;
        }
        let count = self.reserved.len() as u64;
        let at = self.dice(count) as usize;
        let (ticket, producer) = self.reserved.swap_remove(at);
        if self.dice(3) > 0 && matches!(self.world.room(ticket), Some(Ok(()))) {
            let order = self.order().size(10).reservation(ticket);
            self.world.send(producer, order);
        } else {
            self.world.withdraw(ticket);
        }
    }

    /// I8: in a healthy world every send succeeds. Faults that end later than this do no harm: they end healthy.
    fn live(&mut self) {
        self.world.run_for(Duration::from_secs(13));
        self.heal();
        // Silence is noticed after 10 s, name servers that restarted know brokers after 30 s at the latest.
        self.world.run_for(Duration::from_secs(45));
        let producers = self.producers.clone();
        let mut sends = Vec::new();
        for (producer, _) in producers {
            for topic in TOPICS {
                sends.push(self.world.send(producer, Order::to(topic).within_ms(15_000)));
            }
        }
        self.world.run_for(Duration::from_secs(16));
        for send in sends {
            let verdict = self.world.verdict(send).cloned();
            let no_room = matches!(&verdict, Some(Verdict::Failed(error))
                if matches!(error.kind(), rocketmq_core::producer::SendErrorKind::Full));
            if !no_room && !matches!(verdict, Some(Verdict::Stored(_))) {
                self.world.fail("I8 liveness", format!("{send:?} in a healthy world: {verdict:?}"));
            }
        }
        self.world.check();
    }

    /// Closes and shuts down, then checks that nothing moves any more.
    fn end(mut self) -> SeedOutcome {
        if self.dice(2) == 0 {
            let producer = self.producer();
            let within = Duration::from_millis(self.dice(3_000));
            self.world.close_producer(producer, within);
        }
        for (ticket, _) in std::mem::take(&mut self.reserved) {
            if self.dice(2) == 0 {
                self.world.withdraw(ticket);
            }
        }
        let within = Duration::from_millis(self.dice(5_000));
        let clients = self.world.clients.len();
        let tickets: Vec<Ticket> = (0..clients).map(|client| self.world.shutdown(client, within)).collect();
        let late = self.send();
        self.world.run_for(Duration::from_secs(40));
        for ticket in tickets {
            match self.world.closed(ticket) {
                Some([]) => {}
                Some(_) => self.world.reached.shutdowns_with_rest += 1,
                None => self.world.fail("I11 shutdown", "not over in time".to_owned()),
            }
        }
        if self.world.verdict(late).is_none_or(|verdict| verdict.error().is_none()) {
            self.world.fail("I11 shutdown", "a send during shutdown was not refused".to_owned());
        }
        let again = self.send();
        self.world.run_for(Duration::from_secs(1));
        if self.world.verdict(again).is_none_or(|verdict| verdict.error().is_none()) {
            self.world.fail("I11 shutdown", "a send after shutdown was not refused".to_owned());
        }
        if self.liveness {
            // Brokers forget connections that go nowhere after 120 s.
            self.world.run_for(Duration::from_secs(140));
        }
        self.world.finish();
        self.farewells();
        let world = &mut self.world;
        for client in 0..clients {
            let counters = world.core(client).counters();
            world.reached.late_answers += counters.late_answers;
            world.reached.duplicate_answers += counters.duplicate_answers;
            world.reached.silences += counters.silences;
        }
        for number in 0..world.sends.len() {
            world.reached.duplicates += u64::from(world.copies(SendHandle(number)).len() > 1);
        }
        SeedOutcome { hash: world.trace_hash(), reached: world.reached }
    }

    /// In a healthy world every broker has seen the farewell of every group.
    fn farewells(&mut self) {
        if !self.liveness {
            return;
        }
        for group in ["first", "second", "other"] {
            let left = self.world.cluster.producers(group);
            if !left.is_empty() {
                self.world.fail("I11 shutdown", format!("brokers still have {left:?} in {group}"));
            }
        }
        self.world.check();
    }
}
