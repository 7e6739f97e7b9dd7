//! What applications do about half messages: each has a local transaction that ends in one way, and everything that a
//! client is told about it follows from that. What clients make of it on the wire: `ends.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_core::client::{
    Answer, Command, CommandId, EndTransactionError, EndVerdict, HalfMessage, ProducerId, TransactionCheck,
    TransactionEnd,
};

use super::{Invariant, Order, SendHandle, SimProducer, Verdict, World};

/// How long an application gives an answer to a check at least, once the world has healed.
const PATIENCE: Duration = Duration::from_secs(3);

/// The local transaction of a half message: how it ends, and how its application tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTransaction {
    /// How it ends. When the half message fails, there is no local transaction, and its end is a rollback.
    pub end: TransactionEnd,
    /// How long after the receipt it ends, and the client is told; none when only checks are answered.
    pub after: Option<Duration>,
    /// How long the client may take to end it.
    pub within: Duration,
    /// So many checks come before its outcome is known.
    pub unknown: u32,
    /// How long the answer to a check takes.
    pub think: Duration,
}

/// What is known of one local transaction.
#[derive(Debug)]
struct Local {
    producer: SimProducer,
    what: LocalTransaction,
    /// From then on its outcome is known.
    decided_at: Option<u64>,
    asked: u32,
    /// It was ended unasked, with this result.
    ended: Option<Result<(), EndTransactionError>>,
}

/// A command that ends a transaction and has no answer yet.
#[derive(Debug)]
pub(super) struct EndCall {
    /// Unique key of the message.
    pub(super) unique: String,
    /// How many frames about it the client had written before.
    pub(super) frames: usize,
    /// When it was given, in microseconds.
    pub(super) at: u64,
    /// The send, when the end was not asked for.
    unasked: Option<usize>,
}

/// All half messages of a world.
#[derive(Debug, Default)]
pub(super) struct Halves {
    /// By the number of the send.
    local: BTreeMap<usize, Local>,
    pub(super) calls: BTreeMap<(usize, CommandId), EndCall>,
    /// Groups of producers.
    groups: BTreeMap<(usize, ProducerId), String>,
    /// When a client was last closing something, or a producer of it; `u64::MAX` while it is.
    pub(super) closed_at: BTreeMap<usize, u64>,
    /// From then on the outcome of every transaction is known.
    pub(super) all_known_from: Option<u64>,
}

impl Halves {
    pub(super) fn note_producer(&mut self, client: usize, producer: ProducerId, group: &str) {
        self.groups.insert((client, producer), group.to_owned());
    }

    /// How the local transaction of a send ends; none when the send was no half message.
    pub(super) fn end_of(&self, send: usize) -> Option<TransactionEnd> {
        self.local.get(&send).map(|local| local.what.end)
    }

    /// How many half messages a client was given.
    pub(super) fn count_of(&self, client: usize) -> usize {
        self.local.values().filter(|local| local.producer.client == client).count()
    }

    pub(super) fn is_half(&self, send: usize) -> bool {
        self.local.contains_key(&send)
    }
}

impl World {
    /// Sends a half message, and ends it as its local transaction says.
    ///
    /// # Panics
    /// When the topic is no topic name.
    pub fn send_half(&mut self, producer: SimProducer, order: Order, what: LocalTransaction) -> SendHandle {
        let local = Local { producer, what, decided_at: None, asked: 0, ended: None };
        self.halves.local.insert(self.sends.len(), local);
        self.send(producer, order)
    }

    /// What a client said when it was to end the transaction of a half message unasked; none when it was not, or has not
    /// answered yet.
    pub fn ended(&self, half: SendHandle) -> Option<&Result<(), EndTransactionError>> {
        self.halves.local.get(&half.0)?.ended.as_ref()
    }

    /// How often an application was asked about a half message.
    pub fn asked(&self, half: SendHandle) -> u32 {
        self.halves.local.get(&half.0).map_or(0, |local| local.asked)
    }

    /// From now on the outcome of every local transaction is known, and applications have the patience to tell it.
    pub fn know_all_outcomes(&mut self) {
        self.halves.all_known_from.get_or_insert(self.now_us);
    }

    /// A half message has its verdict.
    pub(super) fn half_sent(&mut self, number: usize) {
        let now_us = self.now_us;
        let half = match &self.sends[number].verdict {
            Some(Verdict::Stored(receipt)) => HalfMessage::of(receipt),
            _ => None,
        };
        let stored = matches!(&self.sends[number].verdict, Some(Verdict::Stored(_)));
        let Some(local) = self.halves.local.get_mut(&number) else {
            return;
        };
        if !stored {
            // Nothing is done for a message that may not be there.
            local.what.end = TransactionEnd::Rollback;
            local.decided_at = Some(now_us);
            return;
        }
        let after = local.what.after.unwrap_or_default();
        local.decided_at = Some(now_us.saturating_add(super::micros(after)));
        if let (Some(half), Some(_)) = (half, local.what.after) {
            self.later(after, move |world| world.end_half(number, half));
        }
    }

    /// While the process stands still, its application does nothing: puts it off, and says so.
    fn put_off_while_frozen(&mut self, call: impl FnOnce(&mut World) + 'static) -> bool {
        let sleeps = self.now_us < self.frozen_until;
        if sleeps {
            self.plan(self.frozen_until, super::Event::Call(Box::new(call)));
        }
        sleeps
    }

    /// The local transaction is over: the client is told.
    fn end_half(&mut self, number: usize, half: HalfMessage) {
        let again = half.clone();
        if self.put_off_while_frozen(move |world| world.end_half(number, again)) {
            return;
        }
        let Some(local) = self.halves.local.get(&number) else {
            return;
        };
        let (producer, end, within) = (local.producer, local.what.end, local.what.within);
        let (deadline, due) = self.until(within);
        let unique = half.unique_key.as_str().to_owned();
        let command = Command::EndTransaction { producer: producer.id, half, end, deadline };
        self.give_end(producer.client, unique, Some(number), due, command);
    }

    fn give_end(
        &mut self,
        client: usize,
        unique: String,
        unasked: Option<usize>,
        due: u64,
        command: Command,
    ) {
        let frames = self.ends.frames_of(client, &unique);
        let id = CommandId(self.clients[client].next_command + 1);
        let at = self.now_us;
        self.halves.calls.insert((client, id), EndCall { unique, frames, at, unasked });
        self.command(client, Some(due), command);
    }

    /// A client puts the question of a broker to its application.
    pub(super) fn check_put(&mut self, client: usize, check: TransactionCheck) {
        self.checked(Invariant::Isolation);
        self.reached.checks_put += 1;
        let at = self.now_us;
        let key = check.message.message.keys().next().unwrap_or_default().to_owned();
        self.story.tell(at, || format!("client {client}: is asked what became of {key}"));
        let group = self.halves.groups.get(&(client, check.producer)).map(String::as_str);
        let wanted = check.message.message.property("PGROUP");
        let on_servers = group.map(|group| self.topic_on_servers(client, group));
        if group.is_none() || on_servers.as_deref() != wanted || group != Some(check.group.as_str()) {
            let text = format!("client {client}: a check for {wanted:?} is put to {group:?}");
            return self.fail(Invariant::Isolation, text);
        }
        let number = self.book.sends_of.get(&key).and_then(|sends| sends.first()).copied();
        let Some(number) = number.filter(|number| self.halves.is_half(*number)) else {
            let text = format!("client {client}: a check for {key:?}, which is no half message");
            return self.fail(Invariant::Isolation, text);
        };
        self.checked(Invariant::FrameIntegrity);
        if self.ledger.body_of(number).is_some_and(|body| body != check.message.message.body()) {
            let text = format!("the check for {key} has another body than the message");
            return self.fail(Invariant::FrameIntegrity, text);
        }
        let think = self.halves.local.get(&number).map_or(Duration::ZERO, |local| local.what.think);
        self.later(think, move |world| world.answer_check(client, number, &check));
    }

    /// The application answers what it was asked, or leaves it.
    fn answer_check(&mut self, client: usize, number: usize, check: &TransactionCheck) {
        let again = check.clone();
        if self.put_off_while_frozen(move |world| world.answer_check(client, number, &again)) {
            return;
        }
        let now_us = self.now_us;
        let all_known = self.halves.all_known_from.is_some();
        let Some(local) = self.halves.local.get_mut(&number) else {
            return;
        };
        local.asked += 1;
        let known = local.decided_at.is_some_and(|at| at <= now_us);
        let end = local.what.end;
        let within = if all_known { local.what.within.max(PATIENCE) } else { local.what.within };
        if !known || (!all_known && local.asked <= local.what.unknown) {
            self.reached.checks_unknown += 1;
            self.command(client, None, Command::DropCheck { check: check.id });
            return;
        }
        self.reached.checks_answered += 1;
        let half = check.half();
        let (deadline, due) = self.until(within);
        let unique = check.unique_key.as_str().to_owned();
        let command = Command::AnswerCheck { check: check.id, half, end, deadline };
        self.give_end(client, unique, None, due, command);
    }

    /// A client says what became of an end.
    pub(super) fn end_answered(&mut self, client: usize, id: CommandId, answer: &Answer) {
        let Answer::Ended(result) = answer else {
            return;
        };
        let Some(call) = self.halves.calls.remove(&(client, id)) else {
            let text = format!("client {client}: {id:?} ends no transaction");
            return self.fail(Invariant::ExactlyOneVerdict, text);
        };
        let at = self.now_us;
        self.story.tell(at, || match result {
            Ok(()) => format!("client {client}: {} has ended", call.unique),
            Err(error) => format!("client {client}: {error}"),
        });
        match result.as_ref().map_err(EndTransactionError::verdict) {
            Ok(()) => self.reached.ends_acknowledged += 1,
            Err(EndVerdict::Refused) => self.reached.ends_refused += 1,
            Err(EndVerdict::NotDelivered) => self.reached.ends_not_delivered += 1,
            Err(EndVerdict::MayBeDelivered) => self.reached.ends_may_be_delivered += 1,
        }
        self.check_end_verdict(client, &call, result);
        if let Some(local) = call.unasked.and_then(|number| self.halves.local.get_mut(&number)) {
            local.ended = Some(result.clone());
        }
    }
}
