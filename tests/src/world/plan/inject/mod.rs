//! What each fault does to the world.

mod answers;
mod clock;
mod connections;
mod servers;

use super::run::Run;
use super::{FaultClass, FaultKind, FaultStep};
use crate::cluster::{ServerId, TopicConfig};
use crate::world::Connects;

impl Run<'_> {
    /// Lets a fault happen. It is counted when there was something to which it could happen; rules for answers are
    /// counted whenever they change one.
    pub(super) fn inject(&mut self, fault: &FaultStep) {
        let done = match fault.kind.class() {
            FaultClass::Everywhere => false,
            FaultClass::Connections => self.connection_fault(fault),
            FaultClass::Answers => return self.answer_fault(fault),
            FaultClass::Servers => self.server_fault(fault),
            FaultClass::Clock => self.clock_fault(fault),
            FaultClass::Callers => self.caller_fault(fault),
        };
        self.faults.count(fault.kind, u64::from(done));
    }

    fn caller_fault(&mut self, fault: &FaultStep) -> bool {
        match fault.kind {
            FaultKind::CloseAnywhere => {
                self.close(fault.which as usize, fault.time / 4);
                true
            }
            FaultKind::EarlyShutdown => {
                self.leave(fault.which as usize, fault.time / 4, fault.draw.is_multiple_of(2))
            }
            _ => false,
        }
    }

    /// Ends every fault, except that what vanished on its way is lost.
    pub(super) fn heal(&mut self) {
        let topics = self.plan.shape.names.all_on_servers(self.plan.shape.clients);
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
            for topic in &topics {
                cluster.set_permission(now, topic, 6);
            }
        });
        world.free_connections();
        world.network.refused_connects = 0;
        world.network.hanging_connects = 0;
    }

    fn broker(&self, which: u64) -> usize {
        (which % self.plan.shape.brokers.max(1) as u64) as usize
    }

    fn name_server(&self, which: u64) -> ServerId {
        ServerId::NameServer((which % self.plan.shape.name_servers.max(1) as u64) as usize)
    }

    /// Any server, brokers more often.
    fn server(&self, which: u64) -> ServerId {
        if which.is_multiple_of(4) {
            self.name_server(which / 4)
        } else {
            ServerId::Broker(self.broker(which / 4))
        }
    }
}
