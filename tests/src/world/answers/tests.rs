use super::*;
use crate::cluster::{Dialect, FrameReader};

const BROKER: ServerId = ServerId::Broker(0);
const PIPE: PipeId = PipeId(1);

fn answer(opaque: i32, fields: &[(&str, &str)]) -> Frame {
    Frame { flag: 1, code: 0, ..Frame::request(0, opaque, fields) }
}

fn of_send(opaque: i32) -> Frame {
    answer(opaque, &[("msgId", "0A00010100002A9F0000000000000000"), ("queueId", "1"), ("queueOffset", "7")])
}

fn rules(change: AnswerChange, every: u64, left: u64) -> AnswerRules {
    let mut rules = AnswerRules::default();
    rules.add(AnswerRule { kind: FaultKind::LostAnswers, of: AnswersOf::Brokers, every, left, change });
    rules
}

fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut reader = FrameReader::new(Dialect::V4_9_7);
    reader.push(bytes);
    std::iter::from_fn(|| reader.next_frame().ok().flatten()).collect()
}

#[test]
fn a_rule_is_for_some_answers_of_some_servers() {
    let mut rules = rules(AnswerChange::Drop, 2, 2);
    let fates: Vec<Tamper> = (0..6).map(|opaque| rules.apply(PIPE, BROKER, &of_send(opaque))).collect();
    let lost: Vec<bool> = fates.iter().map(|fate| *fate == Tamper::Drop).collect();
    assert_eq!(lost, [true, false, true, false, false, false]);
    assert_eq!(rules.apply(PIPE, ServerId::NameServer(0), &of_send(9)), Tamper::Keep);
    assert_eq!(rules.changed.of(FaultKind::LostAnswers), 2);
}

#[test]
fn an_answer_comes_behind_later_ones() {
    let mut rules = rules(AnswerChange::Behind(1), 1, 1);
    assert_eq!(rules.apply(PIPE, BROKER, &of_send(1)), Tamper::Drop);
    // Another connection releases nothing.
    assert_eq!(rules.apply(PipeId(2), BROKER, &of_send(5)), Tamper::Keep);
    let Tamper::Instead(bytes) = rules.apply(PIPE, BROKER, &of_send(2)) else { panic!("nothing came") };
    let order: Vec<_> = frames(&bytes).iter().map(|frame| frame.opaque).collect();
    assert_eq!(order, [Some(2), Some(1)]);
}

#[test]
fn an_answer_that_comes_again_tells_whether_its_slot_was_used_meanwhile() {
    let mut rules = rules(AnswerChange::Again(2), 1, 1);
    assert_eq!(rules.apply(PIPE, BROKER, &of_send(7)), Tamper::Keep);
    assert_eq!(rules.apply(PIPE, BROKER, &of_send(8)), Tamper::Keep);
    let Tamper::Instead(bytes) = rules.apply(PIPE, BROKER, &of_send((1 << 16) + 7)) else {
        panic!("nothing")
    };
    assert_eq!(frames(&bytes).len(), 2);
    assert_eq!(rules.after_reuse, 1);
}

#[test]
fn numbers_are_exchanged_between_answers_of_different_kinds_only() {
    let mut rules = rules(AnswerChange::OpaqueOfNext, 1, 1);
    assert_eq!(rules.apply(PIPE, BROKER, &of_send(1)), Tamper::Drop);
    assert_eq!(rules.apply(PIPE, BROKER, &of_send(2)), Tamper::Keep);
    let Tamper::Instead(bytes) = rules.apply(PIPE, BROKER, &answer(3, &[])) else { panic!("nothing came") };
    let told: Vec<_> = frames(&bytes).iter().map(|frame| (frame.opaque, is_of_send(frame))).collect();
    assert_eq!(told, [(Some(3), true), (Some(1), false)]);
}

#[test]
fn malformed_headers_are_in_frames_that_end_where_they_say() {
    let whole = |bytes: &[u8]| {
        let (length, rest) = bytes.split_first_chunk::<4>().expect("a length");
        assert_eq!(u32::from_be_bytes(*length) as usize, rest.len());
    };
    JsonFlaw::ALL.iter().for_each(|flaw| whole(&flaw.encode(&of_send(1))));
    BinaryFlaw::ALL.iter().for_each(|flaw| whole(&flaw.encode(&of_send(1))));
    for flaw in FieldFlaw::ALL {
        let mut frame = of_send(1);
        assert_eq!(flaw.apply(&mut frame), Some(()));
        assert_ne!(frame, of_send(1), "{flaw:?}");
    }
}

#[test]
fn every_lie_changes_a_route() {
    let body = "{\"brokerDatas\":[{\"brokerAddrs\":{\"0\":\"10.0.1.1:10911\"},\"brokerName\":\"broker-a\"}],\
                \"queueDatas\":[{\"brokerName\":\"broker-a\",\"perm\":6,\"readQueueNums\":4,\"writeQueueNums\":4}]}";
    let told = Frame { body: body.into(), ..answer(1, &[]) };
    for lie in RouteLie::EMPTY.into_iter().chain(RouteLie::LIES).chain([RouteLie::Flapping, RouteLie::Fewer])
    {
        let mut frame = told.clone();
        assert_eq!(lie.apply(&mut frame, false), Some(()), "{lie:?}");
        assert_ne!(frame, told, "{lie:?}");
    }
    assert_eq!(RouteLie::Flapping.apply(&mut told.clone(), true), None);
}
