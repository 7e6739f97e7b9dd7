//! The driver of each client: gives inputs, takes actions, and uses every liberty that a driver has.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rocketmq_core::client::{Action, Answer, Client, Command, CommandId, Notice, OwnedInput};
use rocketmq_core::ground::Instant;
use rocketmq_core::producer::Outcome;

use super::{Event, Invariant, TraceHash, Verdict, World};

/// Actions that one input may cause besides those for each message, caller and connection.
const FEW_ACTIONS: usize = 64;
/// No answer of a server is shorter.
const SMALL_ANSWER_BYTES: usize = 64;

impl World {
    /// Gives an input to a client and takes the actions now or later.
    pub(super) fn give(&mut self, client: usize, input: OwnedInput) {
        if !self.broken.is_empty() {
            return;
        }
        match &input {
            OwnedInput::Closed { conn, .. } => self.ledger.note_end(client, *conn),
            OwnedInput::Command { id, command } => self.note_command(client, *id, command),
            _ => {}
        }
        if self.mutation.is_none() {
            return self.give_to_core(client, input);
        }
        for input in self.mutate_input(client, input) {
            self.give_to_core(client, input);
        }
    }

    fn note_command(&mut self, client: usize, id: CommandId, command: &Command) {
        match command {
            Command::Send(send) => self.note_send_command(client, id, send),
            // No answer is on its way to it, so none may come any more.
            Command::Withdraw { reservation } if !self.clients[client].actions_planned => {
                self.withdrawn.remove(&(client, *reservation));
            }
            _ => {}
        }
        self.clients[client].held.note_command(id, command);
    }

    fn give_to_core(&mut self, client: usize, input: OwnedInput) {
        let now = self.now();
        self.hash.add(&(client, now));
        self.hash.add(&input);
        self.slack_us = self.slack_us.max(self.network.granule_us());
        let is_tick = matches!(input, OwnedInput::Tick);
        let panics = self.is_time_to_panic();
        let it = &mut self.clients[client];
        // One read may bring many answers, each of them late: every one is told.
        it.held.inputs += 1 + received(&input) / SMALL_ANSWER_BYTES;
        if self.records {
            it.inputs.push((now, input.clone()));
        }
        let given = self.guarded(client, |core| {
            input.give(core, now);
            if panics {
                // As a panic, without its noise.
                std::panic::resume_unwind(Box::new("a mutant panics"));
            }
        });
        if given.is_none() {
            return;
        }
        let deadline = self.deadline_of(client);
        self.check_input(client, is_tick, deadline);
        self.arm(client, deadline);
        if self.chance(self.network.extra_ticks) {
            let at = self.now_us + self.rng.below(2_000);
            self.plan(at, Event::Tick { client });
        }
        if self.network.late_actions_us == 0 {
            self.take_actions(client);
        } else if !self.clients[client].actions_planned {
            self.clients[client].actions_planned = true;
            let late = self.up_to(self.network.late_actions_us);
            self.plan(self.now_us + late, Event::Actions { client });
        }
    }

    /// I16: asks something of a core; none when it panics.
    fn guarded<R>(&mut self, client: usize, ask: impl FnOnce(&mut Client) -> R) -> Option<R> {
        self.checked(Invariant::NoPanic);
        let core = &mut self.clients[client].core;
        match catch_unwind(AssertUnwindSafe(|| ask(core))) {
            Ok(result) => Some(result),
            Err(why) => {
                let text = why.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("no text");
                let text = format!("client {client}: {text}");
                self.fail(Invariant::NoPanic, text);
                None
            }
        }
    }

    /// I5, I6 and I11, after every input.
    fn check_input(&mut self, client: usize, is_tick: bool, deadline: Option<Instant>) {
        let now = self.now().mono;
        self.checked(Invariant::NoBusyLoop);
        if is_tick && deadline.is_some_and(|at| at <= now) {
            let text = format!("client {client}: deadline {deadline:?} after a tick at {now:?}");
            self.fail(Invariant::NoBusyLoop, text);
        }
        if self.clients[client].over {
            self.checked(Invariant::ShutdownDrains);
            if let Some(deadline) = deadline {
                let text = format!("client {client} is shut down and wants a tick at {deadline:?}");
                self.fail(Invariant::ShutdownDrains, text);
            }
        }
        self.check_memory(client);
        self.check_hooks(client);
    }

    fn arm(&mut self, client: usize, deadline: Option<Instant>) {
        let it = &mut self.clients[client];
        if deadline == it.armed_for {
            return;
        }
        it.armed_for = deadline;
        it.timer = None;
        if let Some(at) = deadline {
            let late = self.up_to(self.network.late_ticks_us);
            let at = self.network.timer_time(at.as_micros().saturating_add(late).max(self.now_us));
            self.clients[client].timer = Some((at, self.events.next_sequence()));
        }
    }

    pub(super) fn timer(&mut self, client: usize) {
        if self.fails_to_wake(client) {
            return;
        }
        let it = &mut self.clients[client];
        (it.armed_for, it.timer) = (None, None);
        self.give(client, OwnedInput::Tick);
    }

    pub(super) fn take_actions(&mut self, client: usize) {
        let memory = self.clients[client].core.memory();
        let held = &mut self.clients[client].held;
        let work = memory.messages + memory.waiting_callers + memory.requests + held.unanswered;
        let most = FEW_ACTIONS + 8 * (work + std::mem::take(&mut held.inputs) + self.by_conn.len());
        let mut taken = 0;
        while let Some(action) = self.next_action(client) {
            if self.clients[client].over && !matches!(action, Action::Answer { .. }) {
                let text = format!("client {client} is shut down and acts: {action:?}");
                self.fail(Invariant::ShutdownDrains, text);
            }
            self.carry_out(client, action);
            taken += 1;
            if taken > most {
                let text = format!("client {client}: more than {most} actions at once");
                self.fail(Invariant::NoBusyLoop, text);
            }
            if !self.broken.is_empty() {
                return;
            }
        }
        if let Some(action) = self.next_action(client) {
            let text = format!("client {client}: an action after none was left: {action:?}");
            self.fail(Invariant::NoBusyLoop, text);
        }
        self.check_overtaken();
        self.check_held(client);
    }

    fn next_action(&mut self, client: usize) -> Option<Action> {
        if self.mutation.is_none() {
            let action = self.poll_core(client)?;
            self.note_action(client, &action);
            return Some(action);
        }
        if let Some(action) = self.mutant_action(client) {
            return Some(action);
        }
        loop {
            let action = self.poll_swapped(client)?;
            self.note_action(client, &action);
            if let Some(action) = self.mutate_action(client, action) {
                self.check_names_handed_out(client, &action);
                return Some(action);
            }
        }
    }

    pub(super) fn note_action(&mut self, client: usize, action: &Action) {
        let hash = TraceHash::of(action);
        self.hash.add(&hash);
        let it = &mut self.clients[client];
        it.actions_hash.add(&hash);
        it.actions += 1;
    }

    pub(super) fn poll_core(&mut self, client: usize) -> Option<Action> {
        self.guarded(client, Client::poll_action)?
    }

    /// I17: no slot is leaked, freed twice, or taken from somebody else. Holds when all actions are taken.
    fn check_held(&mut self, client: usize) {
        self.checked(Invariant::Cancellation);
        let it = &self.clients[client];
        let result = it.held.compare(&it.core.memory());
        let leftover = it.over && !it.held.is_empty();
        if let Err(text) = result {
            self.fail(Invariant::Cancellation, format!("client {client} {text}"));
        }
        if leftover {
            let text = format!("client {client} is shut down, and not everybody was answered");
            self.fail(Invariant::ShutdownDrains, text);
        }
    }

    pub(super) fn carry_out(&mut self, client: usize, action: Action) {
        match action {
            Action::Connect { conn, to } => {
                let address = to.to_string();
                self.ledger.note_connect(client, conn, &address);
                self.connect(client, conn, &address);
            }
            Action::Write { conn } => {
                if let Some(pipe) = self.by_conn.get(&(client, conn)).copied() {
                    self.plan_write(pipe, self.now_us);
                }
            }
            Action::Close { conn } => {
                self.ledger.note_end(client, conn);
                if let Some(pipe) = self.by_conn.get(&(client, conn)).copied() {
                    self.ends.note_end(pipe, self.now_us);
                    self.client_closes(pipe);
                    self.check_nothing_left(pipe, client, conn);
                }
            }
            // The deadline is asked for after every input.
            Action::SetTimer { .. } => {}
            Action::Answer { id, answer } => self.take_answer(client, id, answer),
            Action::Check(check) => self.check_put(client, *check),
            Action::Notice(notice) => self.notice(client, &notice),
        }
    }

    fn take_answer(&mut self, client: usize, id: CommandId, answer: Answer) {
        self.checked(Invariant::ExactlyOneVerdict);
        if self.withdrawn.remove(&(client, id)) {
            return;
        }
        if !self.pending.remove(&(client, id)) {
            let text = format!("client {client}: {id:?} answered again or unasked: {answer:?}");
            return self.fail(Invariant::ExactlyOneVerdict, text);
        }
        if let Some(due) = self.due_of.remove(&(client, id)) {
            self.due.remove(&(due, client, id));
        }
        if let Err(text) = self.clients[client].held.note_answer(id, &answer, self.now_us) {
            self.fail(Invariant::Order, format!("client {client}: {text}"));
        }
        self.answered(client, id, answer);
    }

    fn answered(&mut self, client: usize, id: CommandId, answer: Answer) {
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
                if matches!(other, Answer::Ended(_)) {
                    return self.end_answered(client, id, &other);
                }
                self.note_closed(client, id, &other);
                self.answers.insert((client, id), other);
                return;
            }
        };
        let Some(number) = self.by_command.get(&(client, id)).copied() else {
            return self.fail(Invariant::ExactlyOneVerdict, format!("client {client}: {id:?} is no send"));
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
        self.reached.verdict(&verdict);
        match &verdict {
            Verdict::Stored(_) => self.reached.stored += 1,
            Verdict::HandedOver => self.reached.handed_over += 1,
            Verdict::Failed(error) if error.outcome() == Outcome::NotStored => self.reached.not_stored += 1,
            Verdict::Failed(_) => self.reached.may_be_stored += 1,
        }
        let (key, told) = (key.clone(), verdict.clone());
        self.sends[number].ended_at = at;
        self.sends[number].verdict = Some(verdict);
        self.check_verdict(number);
        self.check_hook_told(client, &key, &told);
        self.half_sent(number);
    }

    fn notice(&mut self, client: usize, notice: &Notice) {
        self.reached.notice(notice);
        let at = self.now_us;
        match notice {
            Notice::ConnectionUp { .. } => {}
            Notice::ConnectionDown { endpoint, why } => {
                self.checked(Invariant::Isolation);
                if !self.ledger.note_told_end(client, &endpoint.to_string()) {
                    let text = format!("client {client} takes a connection to {endpoint} for ended: {why}");
                    self.fail(Invariant::Isolation, text);
                }
                self.story.tell(at, || format!("client {client}: connection to {endpoint} is down: {why}"));
            }
            Notice::RouteChanged { topic, queues, provisional } => {
                self.ledger.note_route_change(client);
                let borrowed = if *provisional { ", borrowed" } else { "" };
                self.story
                    .tell(at, || format!("client {client}: route of {topic}: {queues} queues{borrowed}"));
            }
            Notice::Retry { topic, broker, why, after } => {
                self.ledger.note_retry(client, topic.as_str());
                let broker = broker.as_ref().map(ToString::to_string).unwrap_or_default();
                self.story.tell(at, || {
                    format!("client {client}: tries again for {topic} in {after:?}: {broker} {why}")
                });
            }
            Notice::NameServersChanged { name_servers } => {
                self.story.tell(at, || format!("client {client}: name servers are {name_servers} now"));
            }
            other => self.story.tell(at, || format!("client {client}: {other:?}")),
        }
    }

    /// I5: what a client holds stays within its limits.
    fn check_memory(&mut self, client: usize) {
        self.checked(Invariant::BoundedMemory);
        let it = &self.clients[client];
        let (memory, limits) = (it.core.memory(), &it.config.limits);
        let open =
            self.by_conn.range((client, lowest())..).take_while(|((owner, _), _)| *owner == client).count();
        // One frame may go beyond the limit, and answers to servers up to four times as far.
        let outbox = (open + 1) * (limits.outbox_bytes * 4 + limits.message_bytes.min(16 << 20));
        let others =
            8 * (open + 2) + limits.producers.min(64) * (open + 1) + self.routes.topics_of(client) + 8;
        // Each transaction is ended by one request at a time.
        let others = others + self.ends.count_of(client) + self.halves.count_of(client);
        let (traces, most_records) = self.traces.most_of(client);
        let others = others + traces;
        let broken = memory.messages > limits.messages
            || memory.message_bytes > limits.message_bytes
            || memory.waiting_callers > limits.waiting_callers
            || memory.transaction_checks > limits.transaction_checks
            || memory.ended_transactions > limits.ended_transactions + memory.requests
            || memory.outbox_bytes > outbox
            // Records of what nobody traces are another invariant's business.
            || most_records > 0 && memory.trace_records > most_records
            || memory.inbox_bytes > (open + 1) * limits.frame_bytes
            || memory.requests > memory.messages + others;
        if broken {
            self.fail(
                Invariant::BoundedMemory,
                format!("client {client}: {memory:?} with {open} connections"),
            );
        }
    }
}

fn lowest() -> rocketmq_core::client::ConnId {
    rocketmq_core::client::ConnId::from_parts(0, 0)
}

/// Number of bytes that an input brings from a server.
fn received(input: &OwnedInput) -> usize {
    match input {
        OwnedInput::Received { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
