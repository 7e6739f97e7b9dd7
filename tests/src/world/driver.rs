//! The driver of each client: gives inputs, takes actions, and uses every liberty that a driver has.

use rocketmq_core::client::{Action, Answer, Notice};
use rocketmq_core::producer::Outcome;

use super::record::Recorded;
use super::{Event, Verdict, World};

/// Actions that one input may cause besides those for each message, caller and connection.
const FEW_ACTIONS: usize = 64;

impl World {
    /// Gives an input to a client and takes the actions now or later.
    pub(super) fn give(&mut self, client: usize, input: Recorded) {
        let now = self.now();
        self.hash.add(&(client, now.mono));
        input.hash(&mut self.hash);
        self.slack_us = self.slack_us.max(self.network.granule_us());
        let is_tick = matches!(input, Recorded::Tick);
        let it = &mut self.clients[client];
        if self.records {
            it.inputs.push((now, input.copy()));
        }
        input.give(&mut it.core, now);
        let deadline = it.core.deadline();
        if is_tick && deadline.is_some_and(|at| at <= now.mono) {
            self.fail(
                "I6 no busy loop",
                format!("client {client}: deadline {deadline:?} after a tick at {:?}", now.mono),
            );
        }
        self.check_memory(client);
        self.arm(client);
        if self.chance(self.network.extra_ticks) {
            let at = self.now_us + self.rng.below(2_000);
            self.plan(at, Event::Tick { client, token: u64::MAX });
        }
        if self.network.late_actions_us == 0 {
            self.take_actions(client);
        } else if !self.clients[client].actions_planned {
            self.clients[client].actions_planned = true;
            let late = self.up_to(self.network.late_actions_us);
            self.plan(self.now_us + late, Event::Actions { client });
        }
    }

    fn arm(&mut self, client: usize) {
        let it = &mut self.clients[client];
        let deadline = it.core.deadline();
        if deadline == it.armed_for {
            return;
        }
        it.armed_for = deadline;
        it.timer_token += 1;
        let token = it.timer_token;
        if let Some(at) = deadline {
            let late = self.up_to(self.network.late_ticks_us);
            self.plan(at.as_micros().saturating_add(late), Event::Tick { client, token });
        }
    }

    pub(super) fn timer(&mut self, client: usize, token: u64) {
        let it = &mut self.clients[client];
        if token != u64::MAX {
            if token != it.timer_token {
                return;
            }
            it.armed_for = None;
        }
        self.give(client, Recorded::Tick);
    }

    pub(super) fn take_actions(&mut self, client: usize) {
        let memory = self.clients[client].core.memory();
        let work = memory.messages + memory.waiting_callers + memory.requests + self.sends.len();
        let most = FEW_ACTIONS + 8 * (work + self.by_conn.len());
        let mut taken = 0;
        while let Some(action) = self.clients[client].core.poll_action() {
            self.note_action(client, &action);
            if self.clients[client].over && !matches!(action, Action::Answer { .. }) {
                self.fail("I11 shutdown", format!("client {client} is shut down and acts: {action:?}"));
            }
            self.carry_out(client, action);
            taken += 1;
            if taken > most {
                return self
                    .fail("I6 no busy loop", format!("client {client}: more than {most} actions at once"));
            }
        }
        if let Some(action) = self.clients[client].core.poll_action() {
            self.fail(
                "I6 no busy loop",
                format!("client {client}: an action after none was left: {action:?}"),
            );
        }
    }

    pub(super) fn carry_out(&mut self, client: usize, action: Action) {
        match action {
            Action::Connect { conn, to } => self.connect(client, conn, &to.to_string()),
            Action::Write { conn } => {
                if let Some(pipe) = self.by_conn.get(&(client, conn)).copied() {
                    self.plan_write(pipe, self.now_us);
                }
            }
            Action::Close { conn } => {
                if let Some(pipe) = self.by_conn.get(&(client, conn)).copied() {
                    self.client_closes(pipe);
                }
            }
            // The deadline is asked for after every input.
            Action::SetTimer { .. } => {}
            Action::Answer { id, answer } => {
                if self.withdrawn.remove(&(client, id)) {
                    return;
                }
                if !self.pending.remove(&(client, id)) {
                    return self.fail(
                        "I1 one verdict",
                        format!("client {client}: {id:?} answered again or unasked: {answer:?}"),
                    );
                }
                if let Some(due) = self.due_of.remove(&(client, id)) {
                    self.due.remove(&(due, client, id));
                }
                self.answered(client, id, answer);
            }
            Action::Notice(notice) => self.notice(client, &notice),
        }
    }

    fn answered(&mut self, client: usize, id: rocketmq_core::client::CommandId, answer: Answer) {
        let verdict = match answer {
            Answer::Sent(Ok(receipt)) => Verdict::Stored(receipt),
            Answer::HandedOver(Ok(())) => Verdict::HandedOver,
            Answer::Sent(Err(error)) | Answer::HandedOver(Err(error)) => Verdict::Failed(error),
            other => {
                let at = self.now_us;
                match &other {
                    Answer::Closed(left) => {
                        self.story.tell(at, || format!("client {client}: closed, {} undelivered", left.len()))
                    }
                    Answer::Flushed(result) => {
                        self.story.tell(at, || format!("client {client}: flushed: {result:?}"))
                    }
                    Answer::Room(Err(error)) => {
                        self.story.tell(at, || format!("client {client}: no room: {error}"))
                    }
                    _ => {}
                }
                self.note_closed(client, id, &other);
                self.answers.insert((client, id), other);
                return;
            }
        };
        let Some(number) = self.by_command.get(&(client, id)).copied() else {
            return self.fail("I1 one verdict", format!("client {client}: {id:?} is no send"));
        };
        let at = self.now_us;
        let key = &self.sends[number].key;
        self.story.tell(at, || match &verdict {
            Verdict::Stored(receipt) => format!(
                "client {client}: {key} stored: {} in {} at {}, {} attempt(s)",
                receipt.status, receipt.queue, receipt.queue_offset, receipt.attempts
            ),
            Verdict::HandedOver => format!("client {client}: {key} handed over"),
            Verdict::Failed(error) => format!("client {client}: {key} failed: {error}"),
        });
        match &verdict {
            Verdict::Stored(_) => self.reached.stored += 1,
            Verdict::HandedOver => self.reached.handed_over += 1,
            Verdict::Failed(error) if error.outcome() == Outcome::NotStored => self.reached.not_stored += 1,
            Verdict::Failed(_) => self.reached.may_be_stored += 1,
        }
        self.sends[number].ended_at = at;
        self.sends[number].verdict = Some(verdict);
        self.check_verdict(number);
    }

    fn notice(&mut self, client: usize, notice: &Notice) {
        let at = self.now_us;
        match notice {
            Notice::ConnectionUp { .. } => {}
            Notice::ConnectionDown { endpoint, why } => {
                self.story.tell(at, || format!("client {client}: connection to {endpoint} is down: {why}"));
            }
            Notice::RouteChanged { topic, queues, provisional } => {
                let borrowed = if *provisional { ", borrowed" } else { "" };
                self.story
                    .tell(at, || format!("client {client}: route of {topic}: {queues} queues{borrowed}"));
            }
            Notice::Retry { topic, broker, why, after } => {
                self.reached.retries += 1;
                let broker = broker.as_ref().map(ToString::to_string).unwrap_or_default();
                self.story.tell(at, || {
                    format!("client {client}: tries again for {topic} in {after:?}: {broker} {why}")
                });
            }
            other => self.story.tell(at, || format!("client {client}: {other:?}")),
        }
    }

    /// I5: what a client holds stays within its limits.
    fn check_memory(&mut self, client: usize) {
        let it = &self.clients[client];
        let (memory, limits) = (it.core.memory(), &it.config.limits);
        let open =
            self.by_conn.range((client, lowest())..).take_while(|((owner, _), _)| *owner == client).count();
        // One frame may go beyond the limit, and answers to servers up to four times as far.
        let outbox = (open + 1) * (limits.outbox_bytes * 4 + limits.message_bytes.min(16 << 20));
        let others =
            8 * (open + 2) + limits.producers.min(64) * (open + 1) + self.routes.topics_of(client) + 8;
        let broken = memory.messages > limits.messages
            || memory.message_bytes > limits.message_bytes
            || memory.waiting_callers > limits.waiting_callers
            || memory.outbox_bytes > outbox
            || memory.inbox_bytes > (open + 1) * limits.frame_bytes
            || memory.requests > memory.messages + others;
        if broken {
            self.fail("I5 bounded memory", format!("client {client}: {memory:?} with {open} connections"));
        }
    }
}

fn lowest() -> rocketmq_core::client::ConnId {
    rocketmq_core::client::ConnId::from_parts(0, 0)
}
