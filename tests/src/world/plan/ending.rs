//! How a run ends: healing, the last sends, closing, shutting down, and what is told of it.

use std::time::Duration;

use rocketmq_core::client::{Answer, TransactionEnd};
use rocketmq_core::producer::SendErrorKind;

use super::report::{RunReport, VerdictLine};
use super::run::Run;
use super::{FaultClass, FaultKind, Mode, Step, TOPICS, What};
use crate::world::{Broken, Invariant, LocalTransaction, Order, SendHandle, Ticket};

impl Run<'_> {
    /// Lets some seconds pass, and opens again what has closed.
    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.world.run_for(Duration::from_secs(1));
            self.replace_clients();
            self.reopen();
        }
    }

    /// I8: in a healthy world every send succeeds. Faults that end later than this do no harm: they end healthy.
    pub(super) fn live(&mut self) {
        self.wait(13);
        self.heal();
        self.world.know_all_outcomes();
        // Silence is noticed after 10 s, name servers that restarted know brokers after 30 s at the latest.
        self.wait(45);
        let mut sends = Vec::new();
        for opened in self.producers.clone() {
            for topic in TOPICS {
                sends.push(self.world.send(opened.producer, Order::to(topic).within_ms(15_000)));
            }
        }
        self.world.run_for(Duration::from_secs(16));
        for send in sends {
            self.world.checked(Invariant::Liveness);
            let verdict = self.world.verdict(send).cloned();
            let no_room = matches!(&verdict, Some(crate::world::Verdict::Failed(error))
                if matches!(error.kind(), SendErrorKind::Full));
            if !no_room && !matches!(verdict, Some(crate::world::Verdict::Stored(_))) {
                self.world.fail(Invariant::Liveness, format!("{send:?} in a healthy world: {verdict:?}"));
            }
        }
        self.settle();
        self.world.check();
    }

    /// I22: what brokers ask about half messages is settled.
    fn settle(&mut self) {
        let has_halves = |step: &Step| matches!(step.what, What::Half { .. });
        if !self.plan.steps.iter().any(has_halves) {
            return;
        }
        let healed_at = self.world.now_us;
        let only_when_asked = LocalTransaction {
            end: TransactionEnd::Commit,
            after: None,
            within: Duration::from_secs(3),
            unknown: 0,
            think: Duration::ZERO,
        };
        for opened in self.producers.clone() {
            let order = Order::to(TOPICS[0]).within_ms(15_000);
            self.world.send_half(opened.producer, order, only_when_asked);
        }
        // Two rounds of questions of an old broker, and the time to answer.
        self.wait(140);
        self.world.check_settled(healed_at);
    }

    /// Closes and shuts down, then checks that nothing moves any more.
    pub(super) fn end(&mut self) {
        let ending = &self.plan.ending;
        if let Some((producer, within)) = ending.close {
            self.close(producer, within);
        }
        for (number, (ticket, _)) in std::mem::take(&mut self.reserved).into_iter().enumerate() {
            if ending.withdraw >> (number % 16) & 1 == 1 {
                self.world.withdraw(ticket);
            }
        }
        let clients = self.world.clients.len();
        let mut tickets: Vec<Ticket> =
            (0..clients).map(|client| self.world.shutdown(client, ending.within)).collect();
        if ending.twice {
            tickets.extend((0..clients).map(|client| self.world.shutdown(client, ending.within / 2)));
            self.faults.count(FaultKind::SecondShutdown, 1);
        }
        self.late_send("during");
        self.world.run_for(Duration::from_secs(40));
        for ticket in tickets {
            self.world.checked(Invariant::ShutdownDrains);
            match self.world.closed(ticket) {
                Some([]) => {}
                Some(_) => self.world.reached.shutdowns_with_rest += 1,
                None => self.world.fail(Invariant::ShutdownDrains, "not over in time".to_owned()),
            }
        }
        self.late_send("after");
        if self.plan.mode == Mode::Liveness {
            // Brokers forget connections that go nowhere after 120 s.
            self.world.run_for(Duration::from_secs(140));
        }
        self.world.finish();
        self.farewells();
    }

    /// A send during or after a shutdown is refused at once.
    fn late_send(&mut self, when: &str) {
        let Some(opened) = self.producer(0) else { return };
        let late = self.world.send(opened.producer, Order::to(TOPICS[0]));
        self.world.run_for(Duration::from_secs(1));
        if self.world.verdict(late).is_none_or(|verdict| verdict.error().is_none()) {
            let text = format!("a send {when} shutdown was not refused");
            self.world.fail(Invariant::ShutdownDrains, text);
        }
    }

    /// In a healthy world every broker has seen the farewell of every group.
    fn farewells(&mut self) {
        if self.plan.mode == Mode::Safety {
            return;
        }
        for producer in &self.plan.shape.producers {
            let left = self.world.cluster.producers(producer.group);
            if !left.is_empty() {
                let text = format!("brokers still have {left:?} in {}", producer.group);
                self.world.fail(Invariant::ShutdownDrains, text);
            }
        }
        // That of clients themselves as well.
        let left = self.world.cluster.producers("CLIENT_INNER_PRODUCER");
        if !left.is_empty() {
            let text = format!("brokers still have {left:?} as inner producers");
            self.world.fail(Invariant::ShutdownDrains, text);
        }
        self.world.check();
    }

    pub(super) fn report(mut self, panicked: Option<Broken>) -> RunReport {
        let broken = self.world.broken().first().cloned().or(panicked);
        if broken.is_none() {
            self.note_reached();
        }
        let mut verdicts: Vec<(u32, VerdictLine)> =
            self.unsent.iter().map(|label| (*label, VerdictLine::NONE)).collect();
        for (label, send, given) in &self.sends {
            let line = match (self.world.verdict(*send), self.world.ended_at(*send)) {
                (Some(verdict), Some(ended)) => VerdictLine::of(verdict, ended.saturating_sub(*given)),
                _ => VerdictLine::NONE,
            };
            verdicts.push((*label, line));
        }
        verdicts.sort_unstable_by_key(|(label, _)| *label);
        let world = &self.world;
        let mut faults = self.faults;
        faults.add(&world.rules.changed);
        for kind in &self.plan.shape.faults {
            faults.count(*kind, u64::from(kind.class() == FaultClass::Everywhere));
        }
        RunReport {
            hash: world.trace_hash(),
            broken,
            transcript: world.transcript(),
            reached: world.reached,
            sends: world.sends.len() as u64,
            checked: *world.checks(),
            faults,
            verdicts,
        }
    }

    fn note_reached(&mut self) {
        let world = &mut self.world;
        for client in 0..world.clients.len() {
            let counters = world.core(client).counters();
            world.reached.counters(&counters);
        }
        world.reached.answers_after_slot_reuse += world.rules.after_reuse;
        for ticket in &self.waiting {
            let granted = matches!(world.room(*ticket), Some(Ok(())));
            world.reached.room_after_wait += u64::from(granted);
        }
        for answer in world.answers.values() {
            if let Answer::Room(Err(error)) = answer {
                let in_time = matches!(error.kind(), SendErrorKind::NoRoomInTime);
                world.reached.failed_no_room_in_time += u64::from(in_time);
            }
        }
        for number in 0..world.sends.len() {
            world.reached.duplicates += u64::from(world.copy_count(SendHandle(number)) > 1);
        }
    }
}
