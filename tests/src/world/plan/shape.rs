//! The world of a plan: servers, clients, limits, network.

use std::sync::LazyLock;

use rocketmq_core::client::{ClientConfig, LatencyFault, Limits, Timing};
use rocketmq_core::ground::Rng;
use rocketmq_core::producer::{ProducerConfig, Resend, TraceConfig};
use rocketmq_core::wire::SerializeType;

use super::dice::{Dice, Forks, once_in, pick};
use super::{FaultKind, Names};
use crate::cluster::{ClusterConfig, Dialect};
use crate::world::{HookRules, Network};

/// The servers, the clients and the network of a random run.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// How many name servers.
    pub name_servers: usize,
    /// How many brokers.
    pub brokers: usize,
    /// The release of the name servers, and of all brokers but those in the next list.
    pub dialect: Dialect,
    /// The releases of the first brokers.
    pub broker_dialects: Vec<Dialect>,
    /// How many clients, at least one.
    pub clients: usize,
    /// The form in which clients write headers.
    pub serialize_type: SerializeType,
    /// The limits of the clients.
    pub limits: Limits,
    /// The periods and time-outs of the clients.
    pub timing: Timing,
    /// Whether clients send heartbeats of version 2.
    pub heartbeat_v2: bool,
    /// The latency-fault strategy of the clients.
    pub latency_fault: Option<LatencyFault>,
    /// A seed for the first client, where its choices matter.
    pub client_seed: Option<u64>,
    /// The producers.
    pub producers: Vec<ProducerShape>,
    /// The network and the driver.
    pub network: Network,
    /// The kinds of faults that are settings of the network or of the driver.
    pub faults: Vec<FaultKind>,
    /// How often brokers ask about half messages, where not as usual, in milliseconds.
    pub check_interval_ms: Option<u64>,
    /// What clients add to names and requests.
    pub names: Names,
    /// Message trace, in some worlds.
    pub trace: Option<TraceShape>,
    /// The hooks of the clients.
    pub hooks: Option<HookRules>,
    /// Sends go to the brokers' second port; whether that is open.
    pub vip_channel: Option<bool>,
}

/// Who is traced, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceShape {
    /// The settings.
    pub config: TraceConfig,
    /// Which producers: a bit for each, by its number.
    pub producers: u64,
    /// Which brokers want no records: a bit for each, by its number.
    pub switched_off: u64,
}

/// One producer.
#[derive(Debug, Clone, PartialEq)]
pub struct ProducerShape {
    /// The client that it belongs to.
    pub client: usize,
    /// Its group.
    pub group: &'static str,
    /// Its number of retries.
    pub retries: u32,
    /// Whether what may be stored is sent again.
    pub resend: Resend,
    /// Whether another broker is tried when the status is not the best.
    pub another_broker: bool,
    /// Largest body in bytes.
    pub max_message_size: usize,
}

impl ProducerShape {
    pub(super) fn apply(&self, trace: Option<TraceConfig>, config: &mut ProducerConfig) {
        config.trace = trace;
        config.retries = self.retries;
        config.resend = self.resend;
        config.retry_another_broker_when_not_store_ok = self.another_broker;
        config.max_message_size = self.max_message_size;
    }
}

impl Shape {
    pub(super) fn draw(forks: &mut Forks<'_>, enabled: &[FaultKind]) -> Shape {
        let mut shape = forks.part("shape", draw_calm);
        for kind in FaultKind::ALL.iter().copied().filter(|kind| enabled.contains(kind)) {
            if forks.part(kind.name(), |dice| disturb(&mut shape, kind, dice)) {
                shape.faults.push(kind);
            }
        }
        shape
    }

    /// How a producer is traced, by its number.
    pub(super) fn trace_of(&self, producer: usize) -> Option<TraceConfig> {
        let trace = self.trace.as_ref().filter(|trace| trace.producers >> producer & 1 == 1);
        trace.map(|trace| trace.config.clone())
    }

    pub(super) fn cluster(&self, seed: u64) -> ClusterConfig {
        ClusterConfig {
            name_servers: self.name_servers,
            brokers: self.brokers,
            dialect: self.dialect,
            broker_dialects: self.broker_dialects.clone(),
            seed,
            ..ClusterConfig::default()
        }
    }

    /// For the client in this place.
    pub(super) fn configure(&self, place: usize, config: &mut ClientConfig) {
        self.names.apply(place, config);
        config.serialize_type = self.serialize_type;
        config.limits = self.limits.clone();
        config.timing = self.timing.clone();
        config.heartbeat_v2 = self.heartbeat_v2;
        config.latency_fault = self.latency_fault.clone();
        config.vip_channel = self.vip_channel.is_some();
    }

    /// Takes one kind of fault out.
    pub(super) fn calm(&mut self, kind: FaultKind) {
        let calm = Network::default();
        let net = &mut self.network;
        match kind {
            FaultKind::ShortReads => net.short_reads = calm.short_reads,
            FaultKind::GluedReads => net.read_delay_us = calm.read_delay_us,
            FaultKind::ShortWrites => net.short_writes = calm.short_writes,
            FaultKind::BorderWrites => net.border_writes = calm.border_writes,
            FaultKind::LateReports => net.late_wrote_us = calm.late_wrote_us,
            FaultKind::LateActions => net.late_actions_us = calm.late_actions_us,
            FaultKind::LateTicks => net.late_ticks_us = calm.late_ticks_us,
            FaultKind::ExtraTicks => net.extra_ticks = calm.extra_ticks,
            FaultKind::CoarseTimers => net.timer_step_us = calm.timer_step_us,
            FaultKind::CoarseClock => net.clock_step_us = calm.clock_step_us,
            FaultKind::Flood => self.limits = without_small_rooms(&self.limits),
            FaultKind::FlakyConnects => {
                (net.refused_connects, net.hanging_connects) = (calm.refused_connects, calm.hanging_connects);
            }
            FaultKind::OpaqueWrap => self.client_seed = None,
            FaultKind::Everything => {
                *net = Network { latency_us: net.latency_us, jitter_us: net.jitter_us, ..calm };
                self.client_seed = None;
                self.faults.clear();
            }
            _ => {}
        }
        self.faults.retain(|fault| *fault != kind);
    }
}

const RELEASES: [Dialect; 2] = [Dialect::V4_9_7, Dialect::V5_5_0];

/// A world without faults, but with small limits now and then.
fn draw_calm(dice: &mut dyn Dice) -> Shape {
    let mut limits = Limits::default();
    if once_in(dice, 4) {
        (limits.messages, limits.producer_messages, limits.topic_messages) =
            pick(dice, &[(12, 8, 4), (64, 40, 24), (3, 2, 1)]);
    }
    if once_in(dice, 4) {
        limits.connection_requests = pick(dice, &[1, 2, 3, 8]);
    }
    if once_in(dice, 4) {
        limits.outbox_bytes = pick(dice, &[1, 600, 4_000]);
    }
    if once_in(dice, 8) {
        (limits.frame_bytes, limits.header_bytes) = (128 * 1024, 8 * 1024);
    }
    if once_in(dice, 8) {
        limits.waiting_callers = 2;
    }
    let clients = if once_in(dice, 4) { 2 } else { 1 };
    let mut producers = Vec::new();
    for (group, client) in [("other", 1), ("first", 0), ("second", 0)] {
        if client < clients {
            producers.push(draw_producer(dice, group, client));
        }
    }
    Shape {
        name_servers: 1 + dice.below(3) as usize,
        brokers: 1 + dice.below(3) as usize,
        dialect: pick(dice, &RELEASES),
        broker_dialects: (0..pick(dice, &[0, 0, 1, 2])).map(|_| pick(dice, &RELEASES)).collect(),
        clients,
        serialize_type: pick(dice, &[SerializeType::RocketMq, SerializeType::Json, SerializeType::Json]),
        limits,
        timing: Timing::default(),
        heartbeat_v2: false,
        latency_fault: None,
        client_seed: None,
        producers,
        network: Network {
            latency_us: pick(dice, &[10, 500, 500, 20_000]),
            jitter_us: pick(dice, &[0, 0, 100, 5_000]),
            ..Network::default()
        },
        faults: Vec::new(),
        check_interval_ms: None,
        names: Names::default(),
        trace: None,
        hooks: None,
        vip_channel: None,
    }
}

fn draw_producer(dice: &mut dyn Dice, group: &'static str, client: usize) -> ProducerShape {
    ProducerShape {
        client,
        group,
        retries: dice.below(4) as u32,
        resend: if once_in(dice, 3) { Resend::OnlyWhenNotStored } else { Resend::WhenMayBeStored },
        another_broker: once_in(dice, 3),
        max_message_size: if once_in(dice, 4) { 1_000 } else { 4 << 20 },
    }
}

/// Brings a kind of fault in that is a setting; false for every other kind.
fn disturb(shape: &mut Shape, kind: FaultKind, dice: &mut dyn Dice) -> bool {
    let net = &mut shape.network;
    match kind {
        FaultKind::ShortReads => net.short_reads = pick(dice, &[100, 300, 900]),
        FaultKind::GluedReads => net.read_delay_us = pick(dice, &[300, 3_000]),
        FaultKind::ShortWrites => net.short_writes = pick(dice, &[100, 300, 900]),
        FaultKind::BorderWrites => net.border_writes = pick(dice, &[300, 900]),
        FaultKind::LateReports => net.late_wrote_us = pick(dice, &[100, 2_000]),
        FaultKind::LateActions => net.late_actions_us = pick(dice, &[100, 2_000]),
        FaultKind::LateTicks => net.late_ticks_us = pick(dice, &[1_000, 30_000]),
        FaultKind::ExtraTicks => net.extra_ticks = pick(dice, &[30, 100]),
        FaultKind::CoarseTimers => net.timer_step_us = pick(dice, &[1_000, 10_000, 1_000_000]),
        FaultKind::CoarseClock => net.clock_step_us = pick(dice, &[1_000, 15_625, 1_000_000]),
        FaultKind::Flood => {
            (shape.limits.messages, shape.limits.producer_messages, shape.limits.topic_messages) =
                pick(dice, &[(40, 30, 20), (20, 20, 20), (12, 8, 4)]);
        }
        FaultKind::OpaqueWrap => {
            // One name server and one broker, so that the broker's is the second connection.
            (shape.name_servers, shape.brokers, shape.clients) = (1, 1, 1);
            shape.producers.retain(|producer| producer.client == 0);
            shape.limits = Limits { connection_requests: 512, ..Limits::default() };
            shape.client_seed = Some(pick(dice, &*SEEDS_THAT_WRAP));
        }
        FaultKind::FlakyConnects => {
            net.refused_connects = pick(dice, &[0, 200]);
            net.hanging_connects = pick(dice, &[50, 100]);
        }
        FaultKind::Everything => {}
        _ => return false,
    }
    true
}

fn without_small_rooms(limits: &Limits) -> Limits {
    let Limits { messages, producer_messages, topic_messages, .. } = Limits::default();
    Limits { messages, producer_messages, topic_messages, ..limits.clone() }
}

/// Seeds of clients whose second connection starts with the last numbers before the middle and the end of all.
static SEEDS_THAT_WRAP: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let second = |seed: u64| {
        let mut rng = Rng::new(seed).fork("net");
        rng.next_u64();
        rng.next_u64() & 0xFFFF
    };
    let find = |life| (0..).find(|seed| second(*seed) == life).unwrap_or_default();
    [find(0x7FFF), find(0xFFFF)]
});
