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
        let draw = self.dice(700) as usize;
        let time = Duration::from_millis(self.dice(12_000));
        match fault {
            Fault::Reset
            | Fault::CutUp
            | Fault::CutDown
            | Fault::Stall
            | Fault::HalfOpen
            | Fault::Garbage => self.connection_fault(fault, draw, time),
            Fault::Crash | Fault::Pause => self.outage(fault, ServerId::Broker(broker), time),
            Fault::NameServerCrash => self.outage(Fault::Crash, name_server, time),
            Fault::NameServerPause => self.outage(Fault::Pause, name_server, time),
            Fault::Leave => {
                self.world.leave(broker);
                self.world.later(time, move |world| world.restart(ServerId::Broker(broker)));
            }
            Fault::GoAway => {
                self.world.go_away(broker, true);
                self.world.later(time / 4, move |world| world.go_away(broker, false));
            }
            Fault::RefuseConnects => self.world.connects(ServerId::Broker(broker), Connects::Refused),
            Fault::HangConnects => self.world.connects(ServerId::Broker(broker), Connects::Hanging),
            Fault::Permission | Fault::AutoCreate => self.topic_fault(fault, draw),
            Fault::WallJump => {
                let jump = [-3_600_000, 3_600_000, -40, 86_400_000 * 31, -1_733_000_000_000][draw % 5];
                self.world.jump_wall_clock(jump);
            }
            Fault::LostAnswers | Fault::LateAnswers => self.answer_fault(fault, draw),
            Fault::NameServerList => {
                let list = self.world.cluster.name_server_addr();
                self.world.set_name_servers(0, &list);
            }
            Fault::Heal => self.heal(),
            Fault::BusyBurst
            | Fault::Refusals
            | Fault::LosingBroker
            | Fault::DoubleAnswers
            | Fault::SlowBroker
            | Fault::BadStatus => self.broker_fault(fault, broker, draw as u64),
        }
    }

    fn connection_fault(&mut self, fault: Fault, draw: usize, time: Duration) {
        let pipes = self.world.pipes();
        if pipes.is_empty() {
            return;
        }
        let pipe = pipes[self.dice(pipes.len() as u64) as usize];
        let world = &mut self.world;
        match fault {
            Fault::CutUp => world.cut_up(pipe, draw),
            Fault::CutDown => world.cut_down(pipe, draw),
            Fault::Stall => world.stall(pipe, time),
            Fault::HalfOpen => world.half_open(pipe),
            Fault::Garbage => world.inject(pipe, GARBAGE[draw % GARBAGE.len()]),
            _ => world.reset(pipe),
        }
    }

    fn outage(&mut self, fault: Fault, server: ServerId, time: Duration) {
        if fault == Fault::Crash {
            self.world.crash(server);
            self.world.later(time, move |world| world.restart(server));
        } else {
            self.world.pause(server);
            self.world.later(time, move |world| world.resume(server));
        }
    }

    fn topic_fault(&mut self, fault: Fault, draw: usize) {
        let on = !draw.is_multiple_of(2);
        self.world.change_cluster(|cluster, now| match fault {
            Fault::Permission => cluster.set_permission(now, TOPICS[draw % 3], if on { 6 } else { 4 }),
            _ => cluster.set_auto_create_topics(now, on),
        });
    }

    fn answer_fault(&mut self, fault: Fault, draw: usize) {
        let (every, late) = (2 + draw % 5, fault == Fault::LateAnswers);
        let mut count = 0;
        self.world.on_answers(move |_, _| {
            count += 1;
            match (count % every == 0, late) {
                (false, _) => Tamper::Keep,
                (true, false) => Tamper::Drop,
                (true, true) => Tamper::Late(draw as u64 * 3_000),
            }
        });
    }

    fn broker_fault(&mut self, fault: Fault, broker: usize, draw: u64) {
        let every = 1 + draw % 4;
        let decide = move |send: &SendAttempt<'_>| {
            if !send.number.is_multiple_of(every) {
                return SendDecision::Store;
            }
            match fault {
                Fault::LosingBroker if draw.is_multiple_of(2) => SendDecision::StoreSilently,
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
