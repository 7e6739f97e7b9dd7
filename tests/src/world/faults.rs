//! The faults of random runs: which there are, how likely each is in one seed, and what each does.

use std::time::Duration;

use rocketmq_core::ground::Rng;

use super::random::{Run, TOPICS};
use super::{Connects, Network, Tamper};
use crate::cluster::{SendAttempt, SendDecision, ServerId, TopicConfig};

/// What is no answer of a server.
const GARBAGE: [&[u8]; 5] = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x00\x00\x00\x0c\x00\x00\x00\x08{\"code\":",
    b"\x00\x00\x00\x04\x00\x00\x00\x00",
    b"\x80\x00\x00\x00\x00\x00\x00\x00",
];

/// Faults of one seed: each has a weight, many of them zero.
pub(super) struct Weights {
    faults: Vec<(u64, Fault)>,
    total: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
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
    Garbage,
    LostAnswers,
    LateAnswers,
    NameServerList,
    Heal,
}

const ALL_FAULTS: [Fault; 27] = [
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
    Fault::Garbage,
    Fault::LostAnswers,
    Fault::LateAnswers,
    Fault::NameServerList,
    Fault::Heal,
];

impl Run {
    pub(super) fn draw_fault(&mut self) -> Fault {
        let mut at = self.dice(self.weights.total);
        for (weight, fault) in &self.weights.faults {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return *fault,
            }
        }
        Fault::Heal
    }

    pub(super) fn fault(&mut self, fault: Fault) {
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
            (Fault::Garbage, Some(pipe)) => world.inject(pipe, GARBAGE[bytes % GARBAGE.len()]),
            (
                Fault::Reset
                | Fault::CutUp
                | Fault::CutDown
                | Fault::Stall
                | Fault::HalfOpen
                | Fault::Garbage,
                None,
            ) => {}
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
                world.change_cluster(|cluster, now| {
                    cluster.set_auto_create_topics(now, bytes.is_multiple_of(2))
                });
            }
            (Fault::WallJump, _) => {
                let jump = [-3_600_000, 3_600_000, -40, 86_400_000 * 31, -1_733_000_000_000][bytes % 5];
                world.jump_wall_clock(jump);
            }
            (Fault::LostAnswers | Fault::LateAnswers, _) => {
                let (every, late) = (2 + bytes % 5, fault == Fault::LateAnswers);
                let mut count = 0;
                world.on_answers(move |_, _| {
                    count += 1;
                    match (count % every == 0, late) {
                        (false, _) => Tamper::Keep,
                        (true, false) => Tamper::Drop,
                        (true, true) => Tamper::Late(bytes as u64 * 3_000),
                    }
                });
            }
            (Fault::NameServerList, _) => {
                let list = world.cluster.name_server_addr();
                world.set_name_servers(0, &list);
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
    pub(super) fn heal(&mut self) {
        let world = &mut self.world;
        world.leave_answers_alone();
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
        for pipe in world.pipes.values_mut() {
            (pipe.cut_up, pipe.cut_down) = (None, None);
        }
        world.network.refused_connects = 0;
        world.network.hanging_connects = 0;
    }
}

pub(super) fn draw_network(dice: &mut Rng) -> Network {
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
pub(super) fn draw_weights(dice: &mut Rng) -> Weights {
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
