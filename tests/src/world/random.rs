//! Random runs: each seed draws its own network, its own faults with their weights, and its own load.

use std::time::Duration;

use rocketmq_core::producer::{MessageQueue, Resend, Target};
use rocketmq_core::wire::SerializeType;

use super::{Connects, Network, Order, SendHandle, SimProducer, Ticket, Verdict, World};
use crate::cluster::{ClusterConfig, Dialect, SendAttempt, SendDecision, ServerId, TopicConfig};

/// States that random runs should reach, counted: a simulation that never reaches one tests nothing there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Reached {
    pub stored: u64,
    pub handed_over: u64,
    pub not_stored: u64,
    pub may_be_stored: u64,
    pub retries: u64,
    pub resets: u64,
    pub refused_connects: u64,
    pub hanging_connects: u64,
    pub short_writes: u64,
    pub short_reads: u64,
    pub duplicates: u64,
    pub late_answers: u64,
    pub duplicate_answers: u64,
    pub silences: u64,
    pub shutdowns_with_rest: u64,
}

impl Reached {
    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Reached) {
        for (mine, theirs) in self.fields_mut().into_iter().zip(other.fields()) {
            *mine.1 += theirs.1;
        }
    }

    /// The counts by name.
    pub fn fields(&self) -> Vec<(&'static str, u64)> {
        let mut copy = *self;
        copy.fields_mut().into_iter().map(|(name, value)| (name, *value)).collect()
    }

    fn fields_mut(&mut self) -> Vec<(&'static str, &mut u64)> {
        macro_rules! list {
            ($($field:ident),*) => { vec![$((stringify!($field), &mut self.$field)),*] };
        }
        list!(
            stored, handed_over, not_stored, may_be_stored, retries, resets, refused_connects, hanging_connects,
            short_writes, short_reads, duplicates, late_answers, duplicate_answers, silences, shutdowns_with_rest
        )
    }
}

/// What came out of one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedOutcome {
    /// Hash over all inputs and actions.
    pub hash: u64,
    /// What was reached.
    pub reached: Reached,
}

/// Faults of one seed: each has a weight, many of them zero.
struct Weights {
    faults: Vec<(u64, Fault)>,
    total: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Reset,
    CutUp,
    CutDown,
    Stall,
    HalfOpen,
    Crash,
    Pause,
    Leave,
    GoAway,
    BusyBurst,
    Refusals,
    LosingBroker,
    DoubleAnswers,
    SlowBroker,
    BadStatus,
    RefuseConnects,
    HangConnects,
    NameServerCrash,
    NameServerPause,
    WallJump,
    Permission,
    AutoCreate,
    Heal,
}

const ALL_FAULTS: [Fault; 23] = [
    Fault::Reset,
    Fault::CutUp,
    Fault::CutDown,
    Fault::Stall,
    Fault::HalfOpen,
    Fault::Crash,
    Fault::Pause,
    Fault::Leave,
    Fault::GoAway,
    Fault::BusyBurst,
    Fault::Refusals,
    Fault::LosingBroker,
    Fault::DoubleAnswers,
    Fault::SlowBroker,
    Fault::BadStatus,
    Fault::RefuseConnects,
    Fault::HangConnects,
    Fault::NameServerCrash,
    Fault::NameServerPause,
    Fault::WallJump,
    Fault::Permission,
    Fault::AutoCreate,
    Fault::Heal,
];

const TOPICS: [&str; 3] = ["orders", "payments", "logs"];

struct Run {
    world: World,
    producers: Vec<SimProducer>,
    weights: Weights,
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
        let (small_rooms, few_requests, small_outbox) = (dice.below(4) == 0, dice.below(4) == 0, dice.below(4) == 0);
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
            producers.push(world.try_open_producer(1, "other", |_| {}));
        }
        for group in ["first", "second"] {
            let (retries, careful, another) = (dice.below(4) as u32, dice.below(3) == 0, dice.below(3) == 0);
            producers.push(world.try_open_producer(0, group, |config| {
                config.retries = retries;
                config.resend = if careful { Resend::OnlyWhenNotStored } else { Resend::WhenMayBeStored };
                config.retry_another_broker_when_not_store_ok = another;
            }));
        }
        let producers = producers.into_iter().map(|opened| opened.expect("an open producer")).collect();
        let weights = draw_weights(&mut dice);
        Run { world, producers, weights, reserved: Vec::new(), liveness }
    }

    fn dice(&mut self, below: u64) -> u64 {
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
            _ => {
                let fault = self.draw_fault();
                self.fault(fault);
            }
        }
    }

    fn producer(&mut self) -> SimProducer {
        let count = self.producers.len() as u64;
        let at = self.dice(count) as usize;
        self.producers[at]
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

    fn draw_fault(&mut self) -> Fault {
        let mut at = self.dice(self.weights.total);
        for (weight, fault) in &self.weights.faults {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return *fault,
            }
        }
        Fault::Heal
    }

    fn fault(&mut self, fault: Fault) {
        let brokers = self.world.cluster.brokers().len() as u64;
        let name_servers = self.world.cluster.name_servers().len() as u64;
        let broker = self.dice(brokers) as usize;
        let name_server = ServerId::NameServer(self.dice(name_servers) as usize);
        let server = ServerId::Broker(broker);
        let bytes = self.dice(700) as usize;
        let time = Duration::from_millis(self.dice(12_000));
        let pipes = self.world.pipes();
        let pipe = if pipes.is_empty() { None } else { Some(pipes[self.dice(pipes.len() as u64) as usize]) };
        let world = &mut self.world;
        match (fault, pipe) {
            (Fault::Reset, Some(pipe)) => world.reset(pipe),
            (Fault::CutUp, Some(pipe)) => world.cut_up(pipe, bytes),
            (Fault::CutDown, Some(pipe)) => world.cut_down(pipe, bytes),
            (Fault::Stall, Some(pipe)) => world.stall(pipe, time),
            (Fault::HalfOpen, Some(pipe)) => world.half_open(pipe),
            (Fault::Reset | Fault::CutUp | Fault::CutDown | Fault::Stall | Fault::HalfOpen, None) => {}
            (Fault::Crash, _) => {
                world.crash(server);
                world.later(time, move |world| world.restart(server));
            }
            (Fault::Pause, _) => {
                world.pause(server);
                world.later(time, move |world| world.resume(server));
            }
            (Fault::Leave, _) => {
                world.leave(broker);
                world.later(time, move |world| world.restart(server));
            }
            (Fault::GoAway, _) => {
                world.go_away(broker, true);
                world.later(time / 4, move |world| world.go_away(broker, false));
            }
            (Fault::NameServerCrash, _) => {
                world.crash(name_server);
                world.later(time, move |world| world.restart(name_server));
            }
            (Fault::NameServerPause, _) => {
                world.pause(name_server);
                world.later(time, move |world| world.resume(name_server));
            }
            (Fault::RefuseConnects, _) => world.connects(server, Connects::Refused),
            (Fault::HangConnects, _) => world.connects(server, Connects::Hanging),
            (Fault::Permission, _) => {
                let (topic, permission) = (TOPICS[bytes % 3], if bytes % 2 == 0 { 4 } else { 6 });
                world.change_cluster(|cluster, now| cluster.set_permission(now, topic, permission));
            }
            (Fault::AutoCreate, _) => {
                world.change_cluster(|cluster, now| cluster.set_auto_create_topics(now, bytes.is_multiple_of(2)));
            }
            (Fault::WallJump, _) => {
                let jump = [-3_600_000, 3_600_000, -40, 86_400_000 * 31, -1_733_000_000_000][bytes % 5];
                world.jump_wall_clock(jump);
            }
            (Fault::Heal, _) => self.heal(),
            (other, _) => self.broker_fault(other, broker, bytes as u64),
        }
    }

    fn broker_fault(&mut self, fault: Fault, broker: usize, draw: u64) {
        let every = 1 + draw % 4;
        let decide = move |send: &SendAttempt<'_>| {
            if !send.number.is_multiple_of(every) {
                return SendDecision::Store;
            }
            match fault {
                Fault::LosingBroker if draw % 2 == 0 => SendDecision::StoreSilently,
                Fault::LosingBroker => SendDecision::Lose,
                Fault::DoubleAnswers => SendDecision::AnswerTwice,
                Fault::SlowBroker => SendDecision::Delay { millis: draw * 5 },
                Fault::BadStatus => {
                    let code = [10, 11, 12, 1][(draw % 4) as usize];
                    SendDecision::StoreThenAnswer { code, remark: "as drawn".to_owned() }
                }
                Fault::Refusals => {
                    let code = [1, 13, 14, 16, 17, 204, 215, 501, 9_999][(draw % 9) as usize];
                    SendDecision::Refuse { code, remark: "as drawn".to_owned() }
                }
                _ => SendDecision::Refuse { code: 2, remark: "[REJECTREQUEST]system busy".to_owned() },
            }
        };
        self.world.change_cluster(|cluster, _| {
            cluster.broker_mut(broker).into_iter().for_each(|it| it.set_send_policy(decide));
        });
    }

    /// Ends every fault, except that connections which go nowhere stay so.
    fn heal(&mut self) {
        let world = &mut self.world;
        for server in world.cluster.servers() {
            world.connects(server, Connects::Ordinary);
            if !world.cluster.is_up(server) {
                world.restart(server);
            }
            if world.cluster.is_paused(server) {
                world.resume(server);
            }
        }
        world.change_cluster(|cluster, now| {
            for index in 0..cluster.brokers().len() {
                if let Some(broker) = cluster.broker_mut(index) {
                    broker.clear_send_policy();
                    broker.go_away(false);
                }
            }
            cluster.set_auto_create_topics(now, true);
            // Turned off, it had lost the right to be inherited from for good, as on a real broker.
            cluster.create_topic(now, &TopicConfig { permission: 7, ..TopicConfig::new("TBW102", 8) });
            for topic in TOPICS {
                cluster.set_permission(now, topic, 6);
            }
        });
        world.network.refused_connects = 0;
        world.network.hanging_connects = 0;
    }

    /// I8: in a healthy world every send succeeds. Faults that end later than this do no harm: they end healthy.
    fn live(&mut self) {
        self.world.run_for(Duration::from_secs(13));
        self.heal();
        // Silence is noticed after 10 s, name servers that restarted know brokers after 30 s at the latest.
        self.world.run_for(Duration::from_secs(45));
        let producers = self.producers.clone();
        let mut sends = Vec::new();
        for producer in producers {
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

fn draw_network(dice: &mut rocketmq_core::ground::Rng) -> Network {
    let mut pick = |choices: &[u64]| choices[dice.below(choices.len() as u64) as usize];
    Network {
        latency_us: pick(&[10, 500, 500, 20_000]),
        jitter_us: pick(&[0, 100, 5_000]),
        short_writes: pick(&[0, 0, 300, 900]),
        short_reads: pick(&[0, 0, 300, 900]),
        read_delay_us: pick(&[0, 0, 3_000]),
        late_actions_us: pick(&[0, 0, 2_000]),
        late_ticks_us: pick(&[0, 0, 1_000, 30_000]),
        late_wrote_us: pick(&[0, 0, 2_000]),
        extra_ticks: pick(&[0, 0, 100]),
        refused_connects: pick(&[0, 0, 0, 200]),
        hanging_connects: pick(&[0, 0, 0, 100]),
    }
}

/// Each seed has its own subset of the faults, so that some are harsh in one way only.
fn draw_weights(dice: &mut rocketmq_core::ground::Rng) -> Weights {
    let most = 1 + dice.below(3);
    let mut faults = Vec::new();
    for fault in ALL_FAULTS {
        if dice.below(4) < most {
            faults.push((1 + dice.below(10), fault));
        }
    }
    faults.push((2, Fault::Heal));
    let total = faults.iter().map(|(weight, _)| weight).sum();
    Weights { faults, total }
}
