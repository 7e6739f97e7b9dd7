//! Rules by which answers of servers go wrong on their way to clients. A rule is data; what it has held back is kept
//! beside it.

mod malformed;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use malformed::{BinaryFlaw, FieldFlaw, JsonFlaw};
pub use routes::RouteLie;

use super::plan::{FaultCounts, FaultKind};
use super::{PipeId, Tamper};
use crate::cluster::{Frame, SerializeType, ServerId};

/// Rules in force at once; the oldest makes room for a further one.
const MOST_RULES: usize = 6;

/// Answers kept for later, of one rule.
const MOST_KEPT: usize = 4;

/// Which answers go wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRule {
    /// The kind of fault under which it is counted.
    pub kind: FaultKind,
    /// Whose answers.
    pub of: AnswersOf,
    /// One of so many, from the first.
    pub every: u64,
    /// How many at the most.
    pub left: u64,
    /// What becomes of them.
    pub change: AnswerChange,
}

/// Whose answers a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswersOf {
    /// All servers'.
    All,
    /// All brokers'.
    Brokers,
    /// All name servers'.
    NameServers,
    /// Those of one server.
    One(ServerId),
}

impl AnswersOf {
    fn contains(self, server: ServerId) -> bool {
        match self {
            AnswersOf::All => true,
            AnswersOf::Brokers => matches!(server, ServerId::Broker(_)),
            AnswersOf::NameServers => matches!(server, ServerId::NameServer(_)),
            AnswersOf::One(one) => one == server,
        }
    }
}

/// What becomes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerChange {
    /// It is lost.
    Drop,
    /// It comes twice.
    Twice,
    /// It comes later by so many microseconds, and so does everything behind it.
    Late(u64),
    /// It comes behind so many later ones of its connection.
    Behind(u64),
    /// It comes, and comes once more behind so many later ones of its connection.
    Again(u64),
    /// Some bits of its request number are wrong, in a way that no request in flight has.
    Opaque(i32),
    /// It has the request number of an answer on another connection.
    OpaqueOfAnother,
    /// It and the next answer of its connection exchange their request numbers, when one of them is for a send and the
    /// other one is not.
    OpaqueOfNext,
    /// Its flag is this.
    Flag(i32),
    /// Its code is this one.
    Code(i32),
    /// An ext field is missing or unreadable.
    Field(FieldFlaw),
    /// Its header is JSON, with a flaw.
    Json(JsonFlaw),
    /// Its header is binary, with a flaw.
    Binary(BinaryFlaw),
    /// Its header is in the other serialize type.
    OtherSerialization,
    /// The body of another answer stands behind its own, or instead of it.
    Splice {
        /// Instead of it.
        instead: bool,
    },
    /// It is a route, and something else than the truth.
    Route(RouteLie),
}

/// A rule, and what it has seen.
#[derive(Debug)]
struct Active {
    rule: AnswerRule,
    seen: u64,
    /// Answers that come once others have passed: how many are still to pass, the request number, the bytes.
    kept: BTreeMap<PipeId, Vec<Kept>>,
    /// An answer that waits for the next one to exchange numbers with.
    waits: Option<(PipeId, Frame)>,
    /// Whether a route of two was told last.
    second: bool,
}

#[derive(Debug)]
struct Kept {
    to_pass: u64,
    opaque: i32,
    overtaken: bool,
    bytes: Vec<u8>,
}

/// All rules in force.
#[derive(Debug, Default)]
pub(super) struct AnswerRules {
    active: Vec<Active>,
    /// How often rules have changed answers, by kind of fault.
    pub(super) changed: FaultCounts,
    /// Answers that came once more after their slot had been given to another request.
    pub(super) after_reuse: u64,
    last_opaque: Option<(PipeId, i32)>,
    last_body: Option<bytes::Bytes>,
}

impl AnswerRules {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    pub(super) fn add(&mut self, rule: AnswerRule) {
        if self.active.len() == MOST_RULES {
            self.active.remove(0);
        }
        self.active.push(Active { rule, seen: 0, kept: BTreeMap::new(), waits: None, second: false });
    }

    /// Every answer arrives as it is again. What was held back is lost.
    pub(super) fn clear(&mut self) {
        self.active.clear();
        (self.last_opaque, self.last_body) = (None, None);
    }

    /// What becomes of one answer.
    pub(super) fn apply(&mut self, pipe: PipeId, server: ServerId, frame: &Frame) -> Tamper {
        let tamper = self.first_that_fires(pipe, server, frame);
        let released = self.release(pipe, frame);
        if let Some(opaque) = frame.opaque {
            self.last_opaque = Some((pipe, opaque));
        }
        if !frame.body.is_empty() {
            self.last_body = Some(frame.body.clone());
        }
        if released.is_empty() {
            return tamper;
        }
        let mut bytes = match tamper {
            Tamper::Keep | Tamper::Late(_) => frame.encode(),
            Tamper::Twice => [frame.encode(), frame.encode()].concat(),
            Tamper::Instead(other) => other,
            Tamper::Drop => Vec::new(),
        };
        bytes.extend_from_slice(&released);
        Tamper::Instead(bytes)
    }

    fn first_that_fires(&mut self, pipe: PipeId, server: ServerId, frame: &Frame) -> Tamper {
        let AnswerRules { active, changed, last_opaque, last_body, .. } = self;
        for one in active {
            if !one.rule.of.contains(server) {
                continue;
            }
            if let Some((at, first)) = one.waits.take() {
                if at == pipe && differ(&first, frame) {
                    return Tamper::Instead(exchanged(&first, frame));
                }
                one.waits = Some((at, first));
            }
            if one.rule.left == 0 || !fits(&one.rule.change, frame) {
                continue;
            }
            one.seen += 1;
            if !(one.seen - 1).is_multiple_of(one.rule.every) {
                continue;
            }
            if let Some(tamper) = one.change(pipe, frame, *last_opaque, last_body.as_deref()) {
                one.rule.left -= 1;
                changed.count(one.rule.kind, 1);
                return tamper;
            }
        }
        Tamper::Keep
    }

    /// What was kept for the time after this answer.
    fn release(&mut self, pipe: PipeId, frame: &Frame) -> Vec<u8> {
        let mut released = Vec::new();
        for one in &mut self.active {
            let Some(kept) = one.kept.get_mut(&pipe) else { continue };
            let after_reuse = &mut self.after_reuse;
            kept.retain_mut(|it| {
                it.overtaken |=
                    frame.opaque.is_some_and(|newer| newer != it.opaque && newer as u16 == it.opaque as u16);
                it.to_pass = it.to_pass.saturating_sub(1);
                if it.to_pass > 0 {
                    return true;
                }
                *after_reuse += u64::from(it.overtaken);
                released.extend_from_slice(&it.bytes);
                false
            });
        }
        released
    }
}

impl Active {
    /// The change, where it applies to this answer.
    fn change(
        &mut self,
        pipe: PipeId,
        frame: &Frame,
        last_opaque: Option<(PipeId, i32)>,
        last_body: Option<&[u8]>,
    ) -> Option<Tamper> {
        let mut other = frame.clone();
        match &self.rule.change {
            AnswerChange::Drop => return Some(Tamper::Drop),
            AnswerChange::Twice => return Some(Tamper::Twice),
            AnswerChange::Late(micros) => return Some(Tamper::Late(*micros)),
            AnswerChange::Behind(passing) => {
                return self.keep(pipe, frame, *passing).then_some(Tamper::Drop);
            }
            AnswerChange::Again(passing) => {
                return self.keep(pipe, frame, *passing).then_some(Tamper::Keep);
            }
            AnswerChange::Opaque(bits) => other.opaque = Some(frame.opaque? ^ bits),
            AnswerChange::OpaqueOfAnother => {
                let (at, opaque) = last_opaque?;
                // Numbers near the own ones could be those of requests in flight.
                let near = (opaque >> 16).abs_diff(frame.opaque? >> 16) < 16;
                if at == pipe || near {
                    return None;
                }
                other.opaque = Some(opaque);
            }
            AnswerChange::OpaqueOfNext => {
                if frame.code != 0 || self.waits.is_some() {
                    return None;
                }
                self.waits = Some((pipe, other));
                return Some(Tamper::Drop);
            }
            AnswerChange::Flag(flag) => other.flag = *flag,
            AnswerChange::Code(code) => other.code = *code,
            AnswerChange::Field(flaw) => flaw.apply(&mut other)?,
            AnswerChange::Json(flaw) => return Some(Tamper::Instead(flaw.encode(frame))),
            AnswerChange::Binary(flaw) => return Some(Tamper::Instead(flaw.encode(frame))),
            AnswerChange::OtherSerialization => {
                other.serialize_type = match frame.serialize_type {
                    SerializeType::Json => SerializeType::RocketMq,
                    SerializeType::RocketMq => SerializeType::Json,
                };
            }
            AnswerChange::Splice { instead } => {
                let own: &[u8] = if *instead { &[] } else { &frame.body };
                other.body = [own, last_body?].concat().into();
            }
            AnswerChange::Route(lie) => {
                self.second = !self.second;
                lie.apply(&mut other, self.second)?;
            }
        }
        Some(Tamper::Instead(other.encode()))
    }

    fn keep(&mut self, pipe: PipeId, frame: &Frame, passing: u64) -> bool {
        let kept = self.kept.entry(pipe).or_default();
        if kept.len() == MOST_KEPT {
            return false;
        }
        let opaque = frame.opaque.unwrap_or_default();
        // The answer itself passes first.
        kept.push(Kept { to_pass: passing + 1, opaque, overtaken: false, bytes: frame.encode() });
        true
    }
}

/// Whether a change is one for this answer at all.
fn fits(change: &AnswerChange, frame: &Frame) -> bool {
    if !frame.is_response() {
        return false;
    }
    match change {
        AnswerChange::Field(_) => is_of_send(frame),
        AnswerChange::Route(_) => !frame.body.is_empty() || frame.code == 17,
        _ => true,
    }
}

fn is_of_send(frame: &Frame) -> bool {
    frame.ext("msgId").is_some()
}

/// Two answers of success, of which one is for a send.
fn differ(first: &Frame, second: &Frame) -> bool {
    let fine = first.code == 0 && second.code == 0 && second.is_response();
    fine && is_of_send(first) != is_of_send(second)
}

fn exchanged(first: &Frame, second: &Frame) -> Vec<u8> {
    let mut bytes = Frame { opaque: second.opaque, ..first.clone() }.encode();
    Frame { opaque: first.opaque, ..second.clone() }.encode_into(&mut bytes);
    bytes
}
