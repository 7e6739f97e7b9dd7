//! How a plan is drawn: first which kinds of faults, then the world, then what applications do, then the faults.

use std::time::Duration;

use rocketmq_core::client::{FaultDetector, LatencyFault, TransactionEnd};
use rocketmq_core::producer::TraceConfig;

use super::dice::{Dice, Forks, once_in, pick};
use super::{
    Aim, Ending, FaultClass, FaultKind, FaultStep, Mode, Names, Plan, SendStep, Shape, Step, TOPICS,
    TraceShape, What,
};
use crate::world::{HookRules, LocalTransaction};

/// A session has at least so many sends.
const LEAST_SENDS: usize = 50;

/// Labels of the sends that one kind of fault adds start at this multiple of its number.
const LABELS_OF_A_KIND: u32 = 100_000;

/// Labels of half messages start here.
const FIRST_LABEL_OF_HALVES: u32 = 50_000;

/// What applications do at one time, and the faults that come before.
type Moment = (Vec<Step>, Vec<Step>);

pub(super) fn plan(seed: u64, mode: Mode, only: Option<&[FaultKind]>, forks: &mut Forks<'_>) -> Plan {
    let enabled = match only {
        Some(kinds) => kinds.to_vec(),
        None => forks.part("faults", draw_subset),
    };
    let shape = Shape::draw(forks, &enabled);
    let mut moments = forks.part("load", |dice| draw_load(dice, &shape));
    let few = enabled.contains(&FaultKind::Everything);
    for kind in FaultKind::ALL.iter().copied().filter(|kind| enabled.contains(kind)) {
        forks.part(&format!("steps of {}", kind.name()), |dice| {
            add_fault(dice, kind, few, &shape, &mut moments)
        });
    }
    forks.part("heal", |dice| {
        for _ in 0..dice.below(4) {
            let (faults, _) = moment(dice, &mut moments);
            faults.push(step(What::Heal));
        }
    });
    let ending = forks.part("ending", draw_ending);
    let check_interval_ms = forks.part("transactions", |dice| add_halves(dice, &shape, &mut moments));
    // Drawn last, each from dice of its own: what was drawn before stays as it is.
    let names = forks.part("names", Names::draw);
    let trace = forks.part("trace", draw_trace);
    let hooks = forks.part("hooks", |dice| draw_hooks(dice, mode));
    let vip_channel = forks.part("vip", |dice| match dice.below(8) {
        6 => Some(true),
        7 => Some(false),
        _ => None,
    });
    let (heartbeat_v2, latency_fault) = forks.part("strategies", draw_strategies);
    let shape =
        Shape { check_interval_ms, names, trace, hooks, vip_channel, heartbeat_v2, latency_fault, ..shape };
    let twice = enabled.contains(&FaultKind::SecondShutdown);
    let steps = moments.into_iter().flat_map(|(faults, load)| faults.into_iter().chain(load)).collect();
    Plan { seed, mode, shape, steps, ending: Ending { twice, ..ending } }
}

/// Which kinds of faults: of some seeds one only, of some all, of most some.
fn draw_subset(dice: &mut dyn Dice) -> Vec<FaultKind> {
    let mut kinds = draw_kinds(dice);
    if kinds.contains(&FaultKind::OpaqueWrap) && !kinds.contains(&FaultKind::ReplayedAnswers) {
        // An answer that comes again is at its worst when its slot has another request.
        kinds.push(FaultKind::ReplayedAnswers);
    }
    kinds
}

fn draw_kinds(dice: &mut dyn Dice) -> Vec<FaultKind> {
    let all = FaultKind::ALL;
    match dice.below(32) {
        0 => all.iter().copied().filter(|kind| !is_heavy(*kind) || once_in(dice, 32)).collect(),
        1..=7 => vec![pick(dice, all)],
        style => {
            let (most, of) = [(1, 16), (1, 8), (1, 4)][style as usize % 3];
            let rare = |kind| match kind {
                FaultKind::OpaqueWrap => 24,
                kind if is_heavy(kind) => 8,
                _ => 1,
            };
            let wanted =
                |kind: &FaultKind| *kind != FaultKind::Everything && dice.below(of * rare(*kind)) < most;
            all.iter().copied().filter(wanted).collect()
        }
    }
}

/// Runs with these are long.
fn is_heavy(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::InFlightSweep | FaultKind::OpaqueWrap | FaultKind::HugeMessages)
}

fn step(what: What) -> Step {
    Step { what, pause: Duration::ZERO }
}

fn moment<'a>(dice: &mut dyn Dice, moments: &'a mut [Moment]) -> (&'a mut Vec<Step>, &'a mut Vec<Step>) {
    let at = dice.below(moments.len() as u64) as usize;
    let (faults, load) = &mut moments[at];
    (faults, load)
}

fn draw_load(dice: &mut dyn Dice, shape: &Shape) -> Vec<Moment> {
    let count = 20 + dice.below(25);
    let mut label = 0;
    let mut moments: Vec<Moment> = Vec::new();
    for _ in 0..count {
        let mut load = Vec::new();
        match dice.below(50) {
            // Several callers that want the same: they stand in line behind each other.
            0..=3 => {
                let (reserve, callers) = (step(draw_reserve(dice)), 1 + dice.below(6));
                load.extend((0..callers).map(|_| reserve.clone()));
            }
            4..=6 => {
                let (reservation, send) = (dice.below(16) as usize, draw_send(dice, shape, &mut label));
                load.push(step(What::UseReservation { reservation, send: SendStep { size: 10, ..send } }));
            }
            7 => load.push(step(What::Withdraw { reservation: dice.below(16) as usize })),
            8 => load.push(step(draw_flush(dice, shape))),
            9 => load.push(step(What::SetNameServers { client: dice.below(2) as usize })),
            _ => {
                for _ in 0..=dice.below(5) {
                    load.push(step(What::Send(draw_send(dice, shape, &mut label))));
                }
            }
        }
        let pause = draw_pause(dice);
        if let Some(last) = load.last_mut() {
            last.pause = pause;
        }
        moments.push((Vec::new(), load));
    }
    while (label as usize) < LEAST_SENDS {
        let send = draw_send(dice, shape, &mut label);
        let (_, load) = moment(dice, &mut moments);
        load.insert(0, step(What::Send(send)));
    }
    moments
}

/// Mostly short, so that much happens at once; now and then as long as heartbeats, routes and idle connections need.
fn draw_pause(dice: &mut dyn Dice) -> Duration {
    let most_us = match dice.below(80) {
        0 => 40_000_000,
        1 => return Duration::from_secs(130),
        other => [200, 5_000, 100_000, 2_000_000][other as usize % 4],
    };
    Duration::from_micros(dice.below(most_us))
}

fn draw_send(dice: &mut dyn Dice, shape: &Shape, label: &mut u32) -> SendStep {
    *label += 1;
    let aim = match dice.below(10) {
        0 => Aim::ShardingKey(dice.below(4) as u8),
        1 => Aim::Queue { broker: dice.below(shape.brokers as u64) as usize, queue: dice.below(5) as i32 },
        _ => Aim::Any,
    };
    SendStep {
        label: *label,
        producer: dice.below(6) as usize,
        topic: pick(dice, &[0, 0, 0, 1, 1, 2]),
        within: Duration::from_millis(pick(dice, &[50, 400, 3_000, 3_000, 20_000])),
        size: pick(dice, &[1, 20, 20, 900]),
        property: 0,
        aim,
        one_way: once_in(dice, 10),
        retries: if once_in(dice, 8) { Some(dice.below(4) as u32) } else { None },
        odd: None,
    }
}

/// Message trace in one of four runs, with bounds that are reached.
fn draw_trace(dice: &mut dyn Dice) -> Option<TraceShape> {
    if dice.below(4) != 3 {
        return None;
    }
    let batch_records = pick(dice, &[1, 3, 10]);
    let batch_bytes = pick(dice, &[1_024, 128_000]);
    Some(TraceShape {
        config: TraceConfig {
            flush_interval: Duration::from_millis(pick(dice, &[50, 1_000, 5_000])),
            batch_records,
            batch_bytes,
            queue_records: pick(dice, &[batch_records, 20, 2_048]),
            queue_bytes: pick(dice, &[batch_bytes, 4 << 20]),
            ..TraceConfig::default()
        },
        producers: 1 + dice.below(7),
        switched_off: pick(dice, &[0, 0, 1, 2, 7]),
    })
}

/// Half messages in one of four runs, and how often their brokers ask.
fn add_halves(dice: &mut dyn Dice, shape: &Shape, moments: &mut [Moment]) -> Option<u64> {
    if !once_in(dice, 4) {
        return None;
    }
    let mut label = FIRST_LABEL_OF_HALVES;
    for _ in 0..2 + dice.below(9) {
        let within = Duration::from_millis(pick(dice, &[400, 3_000, 3_000, 20_000]));
        let send = SendStep { aim: Aim::Any, one_way: false, within, ..draw_send(dice, shape, &mut label) };
        let local = draw_local_transaction(dice);
        let (_, load) = moment(dice, moments);
        load.insert(0, step(What::Half { send, local }));
    }
    pick(dice, &[None, Some(3_000), Some(10_000)])
}

/// Heartbeats of version 2 in one of eight runs, and the latency-fault strategy in another one, with a detector or without.
fn draw_strategies(dice: &mut dyn Dice) -> (bool, Option<LatencyFault>) {
    let heartbeat_v2 = dice.below(8) == 1;
    let detector = [None, Some(FaultDetector::default())];
    let latency_fault = match dice.below(16) {
        drawn @ 1..=2 => {
            Some(LatencyFault { detector: detector[drawn as usize - 1], ..LatencyFault::default() })
        }
        _ => None,
    };
    (heartbeat_v2, latency_fault)
}

/// One of four worlds has hooks. Where everything is to succeed in the end, they refuse nothing.
fn draw_hooks(dice: &mut dyn Dice, mode: Mode) -> Option<HookRules> {
    let adds = match dice.below(8) {
        6 => false,
        7 => true,
        _ => return None,
    };
    Some(HookRules { adds, refuses: mode == Mode::Safety && dice.below(2) == 1 })
}

fn draw_local_transaction(dice: &mut dyn Dice) -> LocalTransaction {
    let after_us = pick(dice, &[0, 100_000, 10_000_000]);
    let after = Duration::from_micros(dice.below(after_us + 1));
    let think_us = pick(dice, &[10, 50_000, 4_000_000]);
    LocalTransaction {
        end: pick(dice, &[TransactionEnd::Commit, TransactionEnd::Commit, TransactionEnd::Rollback]),
        after: if once_in(dice, 5) { None } else { Some(after) },
        within: Duration::from_millis(pick(dice, &[50, 3_000, 3_000, 8_000])),
        unknown: pick(dice, &[0, 0, 0, 1, 3]),
        think: Duration::from_micros(dice.below(think_us)),
    }
}

fn draw_reserve(dice: &mut dyn Dice) -> What {
    What::Reserve {
        producer: dice.below(6) as usize,
        topic: dice.below(TOPICS.len() as u64) as usize,
        weight: 600,
        within: Duration::from_millis(dice.below(1_000)),
    }
}

fn draw_flush(dice: &mut dyn Dice, shape: &Shape) -> What {
    What::Flush {
        client: dice.below(shape.clients as u64) as usize,
        producer: if once_in(dice, 2) { Some(dice.below(6) as usize) } else { None },
        within: Duration::from_millis(dice.below(2_000)),
    }
}

fn draw_ending(dice: &mut dyn Dice) -> Ending {
    let closes = once_in(dice, 2);
    let close = (dice.below(6) as usize, Duration::from_millis(dice.below(3_000)));
    Ending {
        close: closes.then_some(close),
        withdraw: dice.below(1 << 16),
        within: Duration::from_millis(dice.below(5_000)),
        twice: false,
    }
}

/// Brings one kind of fault into the run, one to three times.
fn add_fault(dice: &mut dyn Dice, kind: FaultKind, few: bool, shape: &Shape, moments: &mut [Moment]) {
    match kind {
        FaultKind::Flood | FaultKind::InFlightSweep | FaultKind::OpaqueWrap | FaultKind::HugeMessages => {
            add_odd_sends(dice, kind, shape, moments);
        }
        FaultKind::OddDeadlines => {
            for _ in 0..=dice.below(5) {
                let within = Duration::from_secs(pick(dice, &[0, 0, 86_400]));
                change_a_send(dice, moments, |send| (send.within, send.odd) = (within, Some(kind)));
            }
        }
        FaultKind::SecondShutdown => {}
        _ if kind.class() == FaultClass::Everywhere => {}
        _ => {
            let times = if few { 1 } else { 1 + dice.below(3) };
            for _ in 0..times {
                let fault = draw_fault(dice, kind);
                let (faults, _) = moment(dice, moments);
                faults.push(step(What::Fault(fault)));
            }
            if kind == FaultKind::ReplayedAnswers && shape.client_seed.is_some() {
                // The first answers, once more when slots are used again.
                let fault = FaultStep { kind, which: 15, draw: 3, time: Duration::ZERO };
                let (faults, _) = &mut moments[0];
                faults.insert(0, step(What::Fault(fault)));
            }
        }
    }
}

fn draw_fault(dice: &mut dyn Dice, kind: FaultKind) -> FaultStep {
    FaultStep {
        kind,
        which: dice.below(1 << 16),
        draw: dice.below(1 << 16),
        time: Duration::from_millis(dice.below(12_000)),
    }
}

fn change_a_send(dice: &mut dyn Dice, moments: &mut [Moment], change: impl FnOnce(&mut SendStep)) {
    let (_, load) = moment(dice, moments);
    let first = load.iter_mut().find_map(|step| match &mut step.what {
        What::Send(send) => Some(send),
        _ => None,
    });
    if let Some(send) = first {
        change(send);
    }
}

/// Sends beyond the ordinary load, all at one moment.
fn add_odd_sends(dice: &mut dyn Dice, kind: FaultKind, shape: &Shape, moments: &mut [Moment]) {
    let window = shape.limits.connection_requests as u64;
    let count = match kind {
        FaultKind::Flood => 40 + dice.below(100),
        FaultKind::OpaqueWrap => 1_100 + dice.below(50),
        FaultKind::HugeMessages => 1 + dice.below(3),
        _ if once_in(dice, 12) => pick(dice, &[511, 512, 513, 1_100]),
        _ => (window.min(40) + dice.below(3)).saturating_sub(1).max(1),
    };
    let mut label = kind as u32 * LABELS_OF_A_KIND;
    let producer = dice.below(6) as usize;
    let mut sends = Vec::new();
    for _ in 0..count {
        let mut send = draw_send(dice, shape, &mut label);
        send.odd = Some(kind);
        match kind {
            FaultKind::HugeMessages => draw_huge(dice, &mut send),
            FaultKind::Flood => {}
            _ => {
                (send.producer, send.topic, send.aim, send.one_way) = (producer, 0, Aim::Any, false);
                send.within = Duration::from_secs(20);
            }
        }
        sends.push(step(What::Send(send)));
    }
    let (_, load) = match (kind, moments.first_mut()) {
        // Numbers wrap on the first connection to a broker only.
        (FaultKind::OpaqueWrap, Some((faults, load))) => (faults, load),
        _ => moment(dice, moments),
    };
    load.splice(0..0, sends);
}

/// At the limits of size, just above, or far above what is usual. The largest are rare: they take long.
fn draw_huge(dice: &mut dyn Dice, send: &mut SendStep) {
    if once_in(dice, 3) {
        send.property = pick(dice, &[30_000, 32_500, 32_540, 32_767, 40_000]);
    } else if once_in(dice, 40) {
        send.size = pick(dice, &[4 << 20, (4 << 20) + 1]);
    } else {
        send.size = pick(dice, &[0, 999, 1_000, 1_001, 70_000, 300_000]);
    }
}
