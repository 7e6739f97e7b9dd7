//! The ends of transactions on the wire: which requests of a client left, what brokers answered and asked. From this follow
//! the rules for them: one outcome, once, and a result that is true.

use std::collections::BTreeMap;

use rocketmq_core::client::{CommandId, EndErrorKind, EndTransactionError, EndVerdict, TransactionEnd};

use super::transactions::EndCall;
use super::{Invariant, PipeId, Verdict, World, micros};
use crate::cluster::{Frame, ServerId};

const COMMIT: &str = "8";
const ROLLBACK: &str = "12";
/// The refusals of a broker that has not looked at the request.
const NOT_LOOKED_AT: [i32; 2] = [2, 1500];
/// Once the world is healthy, a check is settled within this time.
const SETTLED_US: u64 = 20_000_000;

/// Place among half messages and in the commit log.
type Place = (i64, i64);

/// One request that ends a transaction: all of it was handed over.
#[derive(Debug, Clone)]
struct EndFrame {
    pipe: PipeId,
    end: TransactionEnd,
    place: Place,
    at: u64,
    /// The code that the client has read, and when.
    said: Option<(i32, u64)>,
    /// Whether that came in time beyond doubt.
    certain: bool,
    /// Until then the client waits for the answer, and the command that waits with it; none when the client answers a
    /// check by itself.
    due: u64,
    command: Option<CommandId>,
}

impl EndFrame {
    fn is_not_looked_at(&self) -> bool {
        self.said.is_some_and(|(code, _)| NOT_LOOKED_AT.contains(&code))
    }
}

/// A check that a client has read.
#[derive(Debug)]
struct SeenCheck {
    server: Option<ServerId>,
    place: Place,
    at: u64,
    used: bool,
}

/// What one client has done about one transaction.
#[derive(Debug, Default)]
struct Ends {
    frames: Vec<EndFrame>,
    checks: Vec<SeenCheck>,
    /// Requests whose result came before all of them was handed over: the rest may still leave, and nobody waits for the
    /// answer.
    cut_short: usize,
    /// How many there have been of them.
    ever_cut_short: usize,
}

impl Ends {
    /// The most requests of which a part may have left: a check that no whole frame answered may have been answered by a part
    /// of one.
    fn begun_at_most(&self) -> usize {
        let unanswered = self.checks.iter().filter(|check| !check.used).count();
        self.frames.len() + unanswered + self.ever_cut_short
    }
}

/// All requests that end transactions, and all checks, by client and unique key.
#[derive(Debug, Default)]
pub(super) struct EndBook {
    of: BTreeMap<(usize, String), Ends>,
    on_wire: BTreeMap<(PipeId, i32), ((usize, String), usize)>,
}

impl EndBook {
    pub(super) fn frames_of(&self, client: usize, unique: &str) -> usize {
        self.of.get(&(client, unique.to_owned())).map_or(0, |ends| ends.frames.len())
    }

    /// Of how many requests of a client a part may have left.
    pub(super) fn begun_by(&self, client: usize) -> u64 {
        let of_client = self.of.iter().filter(|((of, _), _)| *of == client);
        of_client.map(|(_, ends)| ends.begun_at_most() as u64).sum()
    }

    /// Of how many transactions a client knows.
    pub(super) fn count_of(&self, client: usize) -> usize {
        self.of.keys().filter(|(of, _)| *of == client).count()
    }

    /// Whether any client has asked for this end.
    pub(super) fn was_asked_for(&self, unique: &str, end: TransactionEnd) -> bool {
        let mut all = self.of.iter().filter(|((_, key), _)| key == unique);
        all.any(|(_, ends)| ends.frames.iter().any(|frame| frame.end == end))
    }

    /// What was read in the moment in which its connection ended may not have been understood.
    pub(super) fn note_end(&mut self, pipe: PipeId, now_us: u64) {
        let of_pipe = self.on_wire.range((pipe, i32::MIN)..=(pipe, i32::MAX));
        for (key, at) in of_pipe.map(|(_, place)| place) {
            let frame = self.of.get_mut(key).and_then(|ends| ends.frames.get_mut(*at));
            if let Some(frame) = frame.filter(|frame| frame.said.is_some_and(|(_, at)| at == now_us)) {
                frame.certain = false;
            }
        }
    }
}

fn place_of(frame: &Frame) -> Option<Place> {
    let number = |name: &str| frame.ext(name)?.parse::<i64>().ok();
    Some((number("tranStateTableOffset")?, number("commitLogOffset")?))
}

impl World {
    /// A client has read a check.
    pub(super) fn note_check(&mut self, id: PipeId, frame: &Frame) {
        let Some(pipe) = self.pipes.get(&id) else { return };
        let (Some(unique), Some(place)) = (frame.ext("msgId"), place_of(frame)) else {
            return;
        };
        let check = SeenCheck { server: pipe.server, place, at: self.now_us, used: false };
        let ends = self.ends.of.entry((pipe.client, unique.to_owned())).or_default();
        ends.checks.push(check);
    }

    /// I19 and I20: all of an `END_TRANSACTION` was handed over.
    pub(super) fn note_end_frame(&mut self, id: PipeId, frame: &Frame) {
        let Some(client) = self.pipes.get(&id).map(|pipe| pipe.client) else {
            return;
        };
        self.checked(Invariant::OneOutcome);
        self.checked(Invariant::EndsOnce);
        let unique = frame.ext("msgId").unwrap_or_default().to_owned();
        let end = match frame.ext("commitOrRollback") {
            Some(COMMIT) => TransactionEnd::Commit,
            Some(ROLLBACK) => TransactionEnd::Rollback,
            other => {
                let text = format!("client {client} ends {unique} by {other:?}");
                return self.fail(Invariant::OneOutcome, text);
            }
        };
        let Some(place) = place_of(frame) else {
            return self
                .fail(Invariant::EndsOnce, format!("client {client} ends {unique} without its place"));
        };
        self.check_outcome(client, &unique, end);
        let asked = frame.ext("fromTransactionCheck") == Some("true");
        if let Err(text) = self.may_end(id, &unique, place, asked) {
            self.fail(Invariant::EndsOnce, format!("client {client} ends {unique}: {text}"));
        }
        let awaited = self.awaited_until(client, &unique, asked.then_some(place));
        let key = (client, unique);
        let ends = self.ends.of.entry(key.clone()).or_default();
        let (due, command) = match ends.cut_short.checked_sub(1) {
            Some(others) => {
                ends.cut_short = others;
                (0, None)
            }
            None => awaited,
        };
        let number = ends.frames.len();
        let at = self.now_us;
        ends.frames.push(EndFrame { pipe: id, end, place, at, said: None, certain: false, due, command });
        self.ends.on_wire.insert((id, frame.opaque.unwrap_or_default()), (key, number));
    }

    /// How long a client waits for the answer to a request that leaves now.
    fn awaited_until(&self, client: usize, unique: &str, asked: Option<Place>) -> (u64, Option<CommandId>) {
        // Its clock may be behind when it asks, so that its time is over that much earlier.
        let early = self.network.granule_us() + 1_000;
        let of_it = |(of, call): (&(usize, CommandId), &EndCall)| {
            (of.0 == client && call.unique == unique).then_some((of.1, call.at))
        };
        if let Some((command, given)) = self.halves.calls.iter().find_map(of_it) {
            if asked.is_some_and(|place| self.was_asked_elsewhere(client, unique, place, given)) {
                return (0, None);
            }
            let due = self.due_of.get(&(client, command)).copied().unwrap_or(0);
            return (due.saturating_sub(early), Some(command));
        }
        let known = self.ends.of.get(&(client, unique.to_owned()));
        let asked_at =
            known.and_then(|ends| ends.checks.iter().rfind(|check| check.used)).map(|check| check.at);
        let wait = micros(self.clients[client].config.timing.api_timeout);
        (asked_at.map_or(0, |at| at.saturating_add(wait).saturating_sub(early)), None)
    }

    /// Whether a client had been asked about another place when it was given a command: its request names the newest one.
    /// One for an older place is what the client had written before, by itself, and given up when the socket took none of it.
    fn was_asked_elsewhere(&self, client: usize, unique: &str, place: Place, given: u64) -> bool {
        let asked = self.ends.of.get(&(client, unique.to_owned()));
        let newest = asked.and_then(|ends| ends.checks.iter().rfind(|check| check.at <= given));
        newest.is_some_and(|check| check.place != place)
    }

    /// I19: the outcome is that of the local transaction.
    fn check_outcome(&mut self, client: usize, unique: &str, end: TransactionEnd) {
        let send = self.ledger.owner_of(unique);
        let wanted = send.and_then(|send| self.halves.end_of(send));
        if wanted != Some(end) {
            let text =
                format!("client {client} asks for the {end} of {unique}, which was to end by {wanted:?}");
            self.fail(Invariant::OneOutcome, text);
        }
    }

    /// I20: whether a client may ask for this end now.
    fn may_end(&mut self, id: PipeId, unique: &str, place: Place, asked: bool) -> Result<(), String> {
        let Some((client, server)) = self.pipes.get(&id).map(|pipe| (pipe.client, pipe.server)) else {
            return Ok(());
        };
        let kept = micros(self.clients[client].config.timing.ended_transaction_kept);
        let now_us = self.now_us;
        let last = self.ends.of.get(&(client, unique.to_owned())).and_then(|ends| ends.frames.last());
        let last = last.filter(|last| now_us - last.at < kept).cloned();
        let retries = last.as_ref().is_some_and(EndFrame::is_not_looked_at);
        match &last {
            Some(last) if retries && last.place == place => return Ok(()),
            Some(EndFrame { said: Some((0, _)), certain: true, .. }) => {
                return Err("it was acknowledged".to_owned());
            }
            Some(last) if last.said.is_none() && self.waits_for(client, last) => {
                return Err("the request before has no answer yet".to_owned());
            }
            _ => {}
        }
        if asked {
            self.use_check(client, unique, place, server)
        } else {
            self.is_first(unique, place, last.is_some())
        }
    }

    /// An end that nobody asked for: the first one, for the place that the receipt tells.
    fn is_first(&self, unique: &str, place: Place, again: bool) -> Result<(), String> {
        if again {
            return Err("unasked, and not for the first time".to_owned());
        }
        let send = self.ledger.owner_of(unique).and_then(|send| self.sends.get(send));
        let Some(Verdict::Stored(receipt)) = send.and_then(|send| send.verdict.as_ref()) else {
            return Err("unasked, and nobody was told where it is stored".to_owned());
        };
        let told = (receipt.queue_offset, receipt.offset_message_id.commit_log_offset());
        if told != (place.0, Some(place.1)) {
            return Err(format!("at {place:?}, and the receipt says {told:?}"));
        }
        Ok(())
    }

    /// An end that was asked for: each check is answered once, and none before an older one of the same server. What was
    /// written to another server may have waited for its socket meanwhile.
    fn use_check(
        &mut self,
        client: usize,
        unique: &str,
        place: Place,
        server: Option<ServerId>,
    ) -> Result<(), String> {
        let ends = self.ends.of.entry((client, unique.to_owned())).or_default();
        let at = |of: &dyn Fn(&SeenCheck) -> bool| {
            ends.checks.iter().rposition(|check| check.place == place && of(check))
        };
        let Some(at) = at(&|check| check.server == server).or_else(|| at(&|_| true)) else {
            return Err(format!("there was no check for {place:?}"));
        };
        let server = ends.checks[at].server;
        let mut newer = ends.checks[at..].iter().filter(|check| check.server == server);
        if newer.any(|check| check.used) {
            return Err(format!("the check for {place:?} or a newer one was answered before"));
        }
        ends.checks[at].used = true;
        Ok(())
    }

    /// Whether a client still waits for the answer to a request; false when that is not certain.
    fn waits_for(&self, client: usize, last: &EndFrame) -> bool {
        let is_live = self.pipes.get(&last.pipe).is_some_and(super::Pipe::is_live);
        let closed_since = self.halves.closed_at.get(&client).is_some_and(|at| *at >= last.at);
        let pending = last.command.is_none_or(|command| self.halves.calls.contains_key(&(client, command)));
        let prompt = self.network.late_actions_us == 0;
        is_live && !closed_since && pending && prompt && self.now_us < last.due
    }

    /// A client has read an answer.
    pub(super) fn note_end_answer(&mut self, id: PipeId, answer: &Frame) {
        let Some(opaque) = answer.opaque else { return };
        let Some((key, at)) = self.ends.on_wire.get(&(id, opaque)) else {
            return;
        };
        let (now_us, prompt) = (self.now_us, self.network.late_actions_us == 0);
        let closed_at = self.halves.closed_at.get(&key.0).copied();
        let frame = self.ends.of.get_mut(key).and_then(|ends| ends.frames.get_mut(*at));
        if let Some(frame) = frame.filter(|frame| frame.said.is_none()) {
            frame.said = Some((answer.code, now_us));
            // Later, or once it closes, the client may have given up.
            frame.certain = prompt && now_us < frame.due && closed_at.is_none_or(|closed| closed < frame.at);
        }
    }

    /// I21: what a client says of an end is true.
    pub(super) fn check_end_verdict(
        &mut self,
        client: usize,
        call: &EndCall,
        result: &Result<(), EndTransactionError>,
    ) {
        self.checked(Invariant::EndVerdicts);
        let all = self.ends.of.get(&(client, call.unique.clone()));
        let frames = all.and_then(|ends| ends.frames.get(call.frames..)).unwrap_or_default();
        let code = |frame: &EndFrame| frame.said.map(|(code, _)| code);
        let is_cut_short = frames.is_empty()
            && result.as_ref().is_err_and(|error| error.verdict() == EndVerdict::MayBeDelivered);
        let is_true = match result.as_ref().map_err(EndTransactionError::verdict) {
            Ok(()) => frames.iter().any(|frame| code(frame) == Some(0)),
            // Of two commands for one transaction at the same time the frames are those of the other one; those beside the
            // answer to a check that is over are those of the client itself, which was told how the transaction ends.
            Err(EndVerdict::NotDelivered) => {
                let is_over =
                    result.as_ref().is_err_and(|error| matches!(error.kind(), EndErrorKind::CheckOver));
                self.is_ended_by_another(client, &call.unique)
                    || (is_over && call.frames > 0)
                    || frames.iter().all(EndFrame::is_not_looked_at)
            }
            Err(EndVerdict::Refused) => {
                !frames.is_empty() && frames.iter().all(|frame| code(frame).is_some_and(|code| code != 0))
            }
            // A part of a frame may have left.
            Err(EndVerdict::MayBeDelivered) => true,
        };
        if !is_true {
            let text = format!("client {client}: {} {result:?} after {frames:?}", call.unique);
            self.fail(Invariant::EndVerdicts, text);
        }
        if is_cut_short {
            let ends = self.ends.of.entry((client, call.unique.clone())).or_default();
            ends.cut_short += 1;
            ends.ever_cut_short += 1;
        }
    }

    /// Whether another command for a transaction has no answer yet.
    fn is_ended_by_another(&self, client: usize, unique: &str) -> bool {
        let mut calls = self.halves.calls.iter();
        calls.any(|((of, _), other)| *of == client && other.unique == unique)
    }

    /// I22: in a world that is healthy since `healed_at`, what a broker has asked about is settled.
    pub(super) fn check_settled(&mut self, healed_at: u64) {
        let mut open = Vec::new();
        let mut count = 0;
        for ((client, unique), ends) in &self.ends.of {
            let Some(check) = ends.checks.last().filter(|_| !self.clients[*client].over) else {
                continue;
            };
            if check.at < healed_at || check.at + SETTLED_US > self.now_us {
                continue;
            }
            count += 1;
            // An older copy of it stays open at its broker, which asks about it in vain.
            if ends.frames.iter().any(|frame| matches!(frame.said, Some((0, _)))) {
                continue;
            }
            let Some(ServerId::Broker(broker)) = check.server else { continue };
            let broker = self.cluster.brokers().get(broker);
            if broker.is_some_and(|broker| broker.is_open_half(check.place.1)) {
                open.push(format!("client {client} was asked about {unique}, and did not end it: {ends:?}"));
            }
        }
        for _ in 0..count {
            self.checked(Invariant::UnknownsSettle);
        }
        for text in open {
            self.fail(Invariant::UnknownsSettle, text);
        }
    }
}
