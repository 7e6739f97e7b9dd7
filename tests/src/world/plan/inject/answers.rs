//! Faults of answers: each is a rule.

use super::super::{FaultKind, FaultStep};
use super::Run;
use crate::cluster::ServerId;
use crate::world::{AnswerChange, AnswerRule, AnswersOf, BinaryFlaw, FieldFlaw, JsonFlaw, RouteLie};

/// Codes that no server of any release gives, so that none of them says anything about a message.
const UNKNOWN_CODES: [i32; 8] = [-32_768, -1, 32_767, 999, 7_777, 254, 25_000, -2];

/// Wrong bits of request numbers: another life far away, negative ones, no slot at all.
const WRONG_BITS: [i32; 4] = [0x4000_0000, i32::MIN, 0x2000_8000, 0x5555_0000];

impl Run<'_> {
    pub(super) fn answer_fault(&mut self, fault: &FaultStep) {
        let every = 1 + fault.which % 5;
        let left = [1, 3, 10, u64::MAX][(fault.which / 5 % 4) as usize];
        let draw = fault.draw;
        let millis = fault.time.as_millis() as u64;
        let (of, change) = match fault.kind {
            FaultKind::LostAnswers => (AnswersOf::All, AnswerChange::Drop),
            FaultKind::LateAnswers => (AnswersOf::All, AnswerChange::Late(millis * 500)),
            FaultKind::ReorderedAnswers => (AnswersOf::Brokers, AnswerChange::Behind(1 + draw % 4)),
            FaultKind::DoubleAnswers => (AnswersOf::All, AnswerChange::Twice),
            FaultKind::ReplayedAnswers => (AnswersOf::All, AnswerChange::Again(of(draw, &[1, 4, 20, 1_060]))),
            FaultKind::WrongOpaque => (AnswersOf::All, wrong_opaque(draw)),
            FaultKind::WrongFlags => (AnswersOf::Brokers, AnswerChange::Flag(of(draw, &[0, 3, 2, -1]))),
            FaultKind::UnknownCodes => (AnswersOf::All, AnswerChange::Code(of(draw, &UNKNOWN_CODES))),
            FaultKind::BadFields => (AnswersOf::Brokers, AnswerChange::Field(of(draw, &FieldFlaw::ALL))),
            FaultKind::BadJson => (AnswersOf::Brokers, AnswerChange::Json(of(draw, &JsonFlaw::ALL))),
            FaultKind::BadBinary => (AnswersOf::Brokers, AnswerChange::Binary(of(draw, &BinaryFlaw::ALL))),
            FaultKind::OtherSerialization => (AnswersOf::All, AnswerChange::OtherSerialization),
            FaultKind::SplicedBodies => {
                (AnswersOf::All, AnswerChange::Splice { instead: draw.is_multiple_of(2) })
            }
            FaultKind::EmptyRoutes => {
                (AnswersOf::NameServers, AnswerChange::Route(of(draw, &RouteLie::EMPTY)))
            }
            FaultKind::LyingRoutes => {
                (AnswersOf::NameServers, AnswerChange::Route(of(draw, &RouteLie::LIES)))
            }
            FaultKind::FlappingRoutes => (AnswersOf::NameServers, AnswerChange::Route(RouteLie::Flapping)),
            _ => {
                let one = ServerId::NameServer((draw % self.plan.shape.name_servers.max(1) as u64) as usize);
                let lie = of(draw / 7, &[RouteLie::Fewer, RouteLie::NoTopic, RouteLie::ReadOnly]);
                (AnswersOf::One(one), AnswerChange::Route(lie))
            }
        };
        let lasting = matches!(change, AnswerChange::Route(_));
        let (every, left) = if lasting { (1, u64::MAX) } else { (every, left) };
        self.world.tamper_with(AnswerRule { kind: fault.kind, of, every, left, change });
    }
}

fn wrong_opaque(draw: u64) -> AnswerChange {
    match draw % 3 {
        0 => AnswerChange::OpaqueOfAnother,
        1 => AnswerChange::OpaqueOfNext,
        _ => AnswerChange::Opaque(of(draw / 3, &WRONG_BITS)),
    }
}

fn of<T: Copy>(draw: u64, choices: &[T]) -> T {
    choices[(draw % choices.len() as u64) as usize]
}
