//! Faults of servers.

use std::time::Duration;

use super::super::{FaultKind, FaultStep, TOPICS};
use super::Run;
use crate::cluster::{SendAttempt, SendDecision, ServerId};
use crate::world::{PipeId, World};

/// Codes with which brokers refuse sends, and remarks that make a difference.
const REFUSALS: [(i32, &str); 20] = [
    (1, "as drawn"),
    (1, "the broker's message store is not available, broker unable to service"),
    (1, "request queueId[9] is illegal, TopicConfig [topicName=orders] Producer: 10.9.0.1"),
    (1, "org.apache.rocketmq.acl.common.AclException: no permission"),
    (2, "[REJECTREQUEST]system busy"),
    (3, "request type 310 not supported"),
    (13, "the message is illegal"),
    (14, "service not available now. It may be caused by one of the following reasons: disk full"),
    (16, "no permission"),
    (16, "the broker[10.0.1.1] sending message is forbidden"),
    (17, "topic[orders] not exist, apply first please!"),
    (26, "subscription group not exist"),
    (29, "request queueId[9] is illegal"),
    (29, "invalid parameter"),
    (204, "no buyer id"),
    (205, "not in current unit"),
    (215, "[FLOW]client has exhausted the send quota"),
    (501, "not leader for queue"),
    (1_500, "please go away"),
    (9_999, "as drawn"),
];

/// Draws from here on (of 65 536) are for what a draw has no room for otherwise.
const RARE_DRAWS: u64 = 49_152;

/// The refusal that a draw stands for.
fn refusal(draw: u64) -> (i32, &'static str) {
    if draw > 63_000 {
        return (15, "the client's version is not supported");
    }
    REFUSALS[(draw % REFUSALS.len() as u64) as usize]
}

impl Run<'_> {
    pub(super) fn server_fault(&mut self, fault: &FaultStep) -> bool {
        let broker = self.broker(fault.which);
        let name_server = self.name_server(fault.which);
        let world = &mut self.world;
        let time = fault.time;
        match fault.kind {
            FaultKind::Crash => down(world, ServerId::Broker(broker), time),
            FaultKind::NameServerCrash => down(world, name_server, time),
            FaultKind::Pause => pause(world, ServerId::Broker(broker), time),
            FaultKind::NameServerPause => pause(world, name_server, time),
            FaultKind::Leave => leave(world, broker, time),
            FaultKind::RollingRestart => rolling_restart(world, fault),
            FaultKind::AllBrokersDown => {
                let most = Duration::from_secs(1 + fault.draw % 600);
                all_down(world, |server| matches!(server, ServerId::Broker(_)), most);
            }
            FaultKind::NameServersDown => {
                let longest = if fault.draw.is_multiple_of(16) { 7_200 } else { 300 };
                let most = Duration::from_secs(1 + fault.draw % longest);
                all_down(world, |server| matches!(server, ServerId::NameServer(_)), most);
            }
            FaultKind::GoAway => {
                world.go_away(broker, true);
                world.later(time / 4, move |world| world.go_away(broker, false));
            }
            FaultKind::MasterSwitch => switch_master(world, fault, broker),
            FaultKind::Permission => {
                let topic = TOPICS[fault.draw as usize % TOPICS.len()];
                let permission = [4, 0, 2, 6][fault.which as usize % 4];
                let topics = self.plan.shape.names.on_servers(topic, self.plan.shape.clients);
                world.change_cluster(|cluster, now| {
                    topics.iter().for_each(|topic| cluster.set_permission(now, topic, permission));
                });
            }
            FaultKind::NoAutoCreate => {
                world.change_cluster(|cluster, now| cluster.set_auto_create_topics(now, false));
            }
            _ => self.send_policy(fault, broker),
        }
        true
    }

    fn send_policy(&mut self, fault: &FaultStep, broker: usize) {
        let (kind, draw) = (fault.kind, fault.draw);
        let every = 1 + fault.which / 8 % 4;
        let most = [2, 8, u64::MAX][(fault.which / 32 % 3) as usize];
        let mut count = 0;
        let decide = move |send: &SendAttempt<'_>| {
            if !send.number.is_multiple_of(every) || count == most {
                return SendDecision::Store;
            }
            count += 1;
            match kind {
                FaultKind::SilentStore => SendDecision::StoreSilently,
                FaultKind::LostRequests => SendDecision::Lose,
                FaultKind::SlowBroker => SendDecision::Delay { millis: draw % 3_500 / (1 + send.number % 3) },
                FaultKind::LesserStatus => {
                    let code = [10, 11, 12][(draw % 3) as usize];
                    SendDecision::StoreThenAnswer { code, remark: "as drawn".to_owned() }
                }
                FaultKind::Refusals => {
                    let (code, remark) = refusal(draw);
                    SendDecision::Refuse { code, remark: remark.to_owned() }
                }
                _ => SendDecision::Refuse { code: 2, remark: "[PC_SYNCHRONIZED]broker busy".to_owned() },
            }
        };
        self.world.change_cluster(|cluster, _| {
            cluster.broker_mut(broker).into_iter().for_each(|it| it.set_send_policy(decide));
        });
    }
}

/// Unless it runs already, because the world was healed meanwhile.
fn start_again(world: &mut World, server: ServerId) {
    if !world.cluster().is_up(server) {
        world.restart(server);
    }
}

fn down(world: &mut World, server: ServerId, time: Duration) {
    world.crash(server);
    world.later(time, move |world| start_again(world, server));
}

fn pause(world: &mut World, server: ServerId, time: Duration) {
    world.pause(server);
    world.later(time, move |world| {
        if world.cluster().is_paused(server) {
            world.resume(server);
        }
    });
}

fn leave(world: &mut World, broker: usize, time: Duration) {
    world.leave(broker);
    world.later(time, move |world| start_again(world, ServerId::Broker(broker)));
}

/// The master of a broker moves: the old one is gone at once, or first refuses sends for a while, or nothing is heard from it.
fn switch_master(world: &mut World, fault: &FaultStep, broker: usize) {
    if fault.draw < RARE_DRAWS {
        return world.move_master(broker);
    }
    let (code, remark) = match fault.draw % 3 {
        0 => (501, "not leader for queue"),
        1 => (16, "the broker[10.0.1.1] sending message is forbidden"),
        _ => {
            let to_it = |id: &PipeId| world.server_of(*id) == Some(ServerId::Broker(broker));
            let pipes: Vec<PipeId> = world.pipes().into_iter().filter(to_it).collect();
            pipes.into_iter().for_each(|pipe| world.half_open(pipe));
            return world.move_master(broker);
        }
    };
    world.change_cluster(|cluster, _| {
        let refuse = move |_: &SendAttempt<'_>| SendDecision::Refuse { code, remark: remark.to_owned() };
        cluster.broker_mut(broker).into_iter().for_each(|it| it.set_send_policy(refuse));
    });
    world.later(fault.time / 2, move |world| {
        world.change_cluster(|cluster, _| {
            cluster.broker_mut(broker).into_iter().for_each(|it| it.clear_send_policy());
        });
        world.move_master(broker);
    });
}

/// One broker after the other: with a request to go away and an end in order, or killed.
fn rolling_restart(world: &mut World, fault: &FaultStep) {
    let brokers = world.cluster().brokers().len();
    let share = fault.time / brokers.max(1) as u32;
    for broker in 0..brokers {
        let killed = fault.draw >> (broker % 16) & 1 == 1;
        let starts = share * broker as u32;
        world.later(starts, move |world| {
            if killed {
                world.crash(ServerId::Broker(broker));
            } else {
                world.go_away(broker, true);
                world.later(share / 4, move |world| world.leave(broker));
            }
        });
        world.later(starts + share / 2, move |world| start_again(world, ServerId::Broker(broker)));
    }
}

fn all_down(world: &mut World, which: impl Fn(ServerId) -> bool, time: Duration) {
    for server in world.cluster().servers().into_iter().filter(|server| which(*server)) {
        down(world, server, time);
    }
}
