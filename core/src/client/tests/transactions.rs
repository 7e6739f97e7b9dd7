//! Half messages, their ends, and the checks of brokers.

use super::{Request, Rig, ready};
use crate::client::{Answer, Command, ConnId};
use crate::command::RequestCode;
use crate::interface::{
    EndErrorKind, EndTransactionError, EndVerdict, HalfMessage, Outcome, ProducerId, SendErrorKind, SendMode,
    Target, TransactionEnd,
};
use crate::message::{MAX_PROPERTIES_LEN, Message};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;

pub(super) const SHORT: Duration = Duration::from_secs(3);
pub(super) const KEY: &str = "0A0000021267ABCD";

/// The half message as its broker keeps it.
pub(super) fn stored_half(group: &str, key: &str, body: &[u8], system_flag: i32) -> Vec<u8> {
    stored_half_of("T", group, key, body, system_flag)
}

pub(super) fn stored_half_of(topic: &str, group: &str, key: &str, body: &[u8], system_flag: i32) -> Vec<u8> {
    let properties = format!(
        "UNIQ_KEY\u{1}{key}\u{2}TRAN_MSG\u{1}true\u{2}PGROUP\u{1}{group}\u{2}TRANSACTION_CHECK_TIMES\u{1}1\u{2}"
    );
    let mut out = vec![0; 4];
    out.extend(0xDAA3_20A7_u32.to_be_bytes());
    out.extend([0; 12]);
    out.extend(7_i64.to_be_bytes());
    out.extend(900_i64.to_be_bytes());
    out.extend(system_flag.to_be_bytes());
    out.extend([0; 8]);
    out.extend([10, 0, 0, 1, 0, 0, 0x15, 0xB3]);
    out.extend([0; 8]);
    out.extend([10, 0, 0, 2, 0, 0, 0x2A, 0x9F]);
    out.extend([0; 12]);
    out.extend(i32::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(body);
    out.push(u8::try_from(topic.len()).unwrap());
    out.extend(topic.as_bytes());
    out.extend(i16::try_from(properties.len()).unwrap().to_be_bytes());
    out.extend(properties.as_bytes());
    out
}

/// The fields of a check, with these offsets.
pub(super) fn asks(key: &str, offset: i64) -> Vec<(&'static str, String)> {
    vec![
        ("tranStateTableOffset", offset.to_string()),
        ("commitLogOffset", (offset * 100).to_string()),
        ("msgId", key.to_string()),
        ("bname", "broker-a".to_string()),
    ]
}

impl Rig {
    pub(super) fn send_half(&mut self, producer: ProducerId, message: Message) -> u64 {
        self.send_with(producer, message, SHORT, Target::Any, SendMode::Half)
    }

    /// A half message that `broker-a` has stored.
    pub(super) fn half(&mut self, producer: ProducerId) -> HalfMessage {
        let id = self.send_half(producer, Message::new("T".parse().unwrap(), "half"));
        let request = self.take_request(RequestCode::SEND_MESSAGE_V2);
        self.answer_stored(&request, 0, 5);
        HalfMessage::of(&self.sent(id).unwrap()).unwrap()
    }

    pub(super) fn end(&mut self, producer: ProducerId, half: &HalfMessage, end: TransactionEnd) -> u64 {
        let deadline = self.now.mono + SHORT;
        self.command(Command::EndTransaction { producer, half: half.clone(), end, deadline })
    }

    pub(super) fn ended(&mut self, id: u64) -> Result<(), EndTransactionError> {
        match self.answers.remove(&id) {
            Some(Answer::Ended(result)) => result,
            other => panic!("not ended: {other:?}"),
        }
    }

    /// A check arrives, with these offsets.
    pub(super) fn check(&mut self, conn: ConnId, key: &str, group: &str, offset: i64) {
        let body = stored_half(group, key, b"half", 0);
        self.receive(conn, (39, 2, 77), None, asks(key, offset), &body);
    }

    pub(super) fn no_request(&mut self, code: RequestCode) {
        assert!(!self.requests.iter().any(|request| request.code == code), "{code:?} was written");
    }

    /// The newest connection to the broker that is not closed.
    pub(super) fn broker_conn(&self) -> ConnId {
        let open = |(conn, at): &(&ConnId, &String)| *at == "10.0.0.0:10911" && !self.closes.contains(conn);
        let (conn, _) = self.addresses.iter().rfind(open).unwrap();
        *conn
    }

    /// Time passes with servers that answer heartbeats and questions for routes.
    pub(super) fn live(&mut self, time: Duration) {
        let step = Duration::from_secs(1);
        for _ in 0..time.as_secs() {
            self.pass(step);
            self.connect_all();
            while self.requests.iter().any(|request| request.code == RequestCode::HEART_BEAT) {
                let heartbeat = self.take_request(RequestCode::HEART_BEAT);
                self.answer(&heartbeat, 0, None);
            }
            while self.requests.iter().any(|request| request.code == RequestCode::GET_ROUTEINFO_BY_TOPIC) {
                self.answer_route(&["broker-a"]);
            }
        }
    }
}

pub(super) fn place(request: &Request) -> (&str, &str, &str, &str) {
    let ext = |name: &str| request.ext[name].as_str();
    (
        ext("commitOrRollback"),
        ext("tranStateTableOffset"),
        ext("commitLogOffset"),
        ext("fromTransactionCheck"),
    )
}

#[test]
fn a_half_message_is_marked_as_one() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let id = rig.send_half(producer, Message::new("T".parse().unwrap(), "half"));
    let request = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(request.ext["f"], "4");
    let properties = &request.ext["i"];
    assert!(properties.contains("TRAN_MSG\u{1}true\u{2}PGROUP\u{1}PG\u{2}UNIQ_KEY\u{1}"), "{properties:?}");
    rig.answer_stored(&request, 0, 5);
    let receipt = rig.sent(id).unwrap();
    let half = HalfMessage::of(&receipt).unwrap();
    assert_eq!((half.queue_offset, half.commit_log_offset), (5, 1_000));
    assert_eq!(half.unique_key, receipt.message_id);
    // The next ordinary one is not.
    let id = rig.send(producer, "T", SHORT);
    let request = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(request.ext["f"], "0");
    assert!(!request.ext["i"].contains("TRAN_MSG"));
    rig.answer_stored(&request, 0, 6);
    assert!(rig.sent(id).is_ok());
}

#[test]
fn a_half_message_needs_room_for_its_marks() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let filler = "x".repeat(MAX_PROPERTIES_LEN - "WAIT\u{1}true\u{2}filler\u{1}\u{2}".len());
    let message =
        Message::builder("T".parse().unwrap()).body("b").property("filler", &filler).build().unwrap();
    let id = rig.send_half(producer, message.clone());
    let error = rig.sent(id).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::InvalidMessage(_)), "{error}");
    assert_eq!((error.outcome(), error.into_message()), (Outcome::NotStored, Some(message)));
}

#[test]
fn commit_and_rollback_are_asked_for_once_and_acknowledged() {
    for (end, number) in [(TransactionEnd::Commit, "8"), (TransactionEnd::Rollback, "12")] {
        let (mut rig, producer) = ready(&["broker-a"]);
        let half = rig.half(producer);
        let id = rig.end(producer, &half, end);
        let request = rig.take_request(RequestCode::END_TRANSACTION);
        assert!(!request.one_way);
        assert_eq!(place(&request), (number, "5", "1000", "false"));
        assert_eq!((request.ext["producerGroup"].as_str(), request.ext["topic"].as_str()), ("PG", "T"));
        assert_eq!(request.ext["msgId"], half.unique_key.as_str());
        assert_eq!(request.ext["bname"], "broker-a");
        rig.answer(&request, 0, None);
        assert!(rig.ended(id).is_ok());
        assert_eq!(rig.client.counters().ends_acknowledged, 1);
        // Whoever ends it again is refused: the broker would do it again.
        let id = rig.end(producer, &half, TransactionEnd::Commit);
        let error = rig.ended(id).unwrap_err();
        assert!(matches!(error.kind(), EndErrorKind::EndedAlready), "{error}");
        rig.no_request(RequestCode::END_TRANSACTION);
    }
}

#[test]
fn refusals_are_told_apart() {
    type Is = fn(&EndErrorKind) -> bool;
    let cases: [(i32, Is); 6] = [
        (604, |kind| matches!(kind, EndErrorKind::ImmunityTimeOver { .. })),
        (1, |kind| matches!(kind, EndErrorKind::NotFound { .. })),
        (11, |kind| matches!(kind, EndErrorKind::NotMaster { .. })),
        (13, |kind| matches!(kind, EndErrorKind::MessageIllegal { .. })),
        (14, |kind| matches!(kind, EndErrorKind::ServiceNotAvailable { .. })),
        (16, |kind| matches!(kind, EndErrorKind::Refused { .. })),
    ];
    for (code, is) in cases {
        let (mut rig, producer) = ready(&["broker-a"]);
        let half = rig.half(producer);
        let id = rig.end(producer, &half, TransactionEnd::Commit);
        let request = rig.take_request(RequestCode::END_TRANSACTION);
        rig.answer(&request, code, Some("why"));
        let error = rig.ended(id).unwrap_err();
        assert!(is(error.kind()), "{code}: {error:?}");
        assert_eq!(error.verdict(), EndVerdict::Refused);
        // The application decides when the broker asks.
        let conn = rig.broker_conn();
        rig.check(conn, half.unique_key.as_str(), "PG", 6);
        assert_eq!(rig.checks.len(), 1);
    }
}

#[test]
fn a_busy_broker_has_not_looked_and_is_asked_again() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    rig.answer(&request, 2, Some("[REJECTREQUEST]system busy"));
    rig.no_request(RequestCode::END_TRANSACTION);
    rig.pass(Duration::from_millis(100));
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    rig.answer(&request, 0, None);
    assert!(rig.ended(id).is_ok());
}

#[test]
fn a_broker_that_stays_busy_has_refused() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    for _ in 0..100 {
        if rig.answers.contains_key(&id) {
            break;
        }
        if rig.requests.iter().any(|request| request.code == RequestCode::END_TRANSACTION) {
            let request = rig.take_request(RequestCode::END_TRANSACTION);
            rig.answer(&request, 2, Some("busy"));
        }
        rig.pass(Duration::from_millis(100));
    }
    let error = rig.ended(id).unwrap_err();
    assert_eq!(error.verdict(), EndVerdict::Refused);
}

#[test]
fn an_end_without_answer_may_be_delivered_and_goes_out_once() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Rollback);
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    rig.pass(SHORT);
    let error = rig.ended(id).unwrap_err();
    assert_eq!((error.verdict(), error.end()), (EndVerdict::MayBeDelivered, TransactionEnd::Rollback));
    rig.no_request(RequestCode::END_TRANSACTION);
    // Late, its answer changes nothing.
    rig.answer(&request, 0, None);
    // Each check that comes is answered once, with its own offsets.
    let conn = rig.broker_conn();
    rig.check(conn, half.unique_key.as_str(), "PG", 6);
    let first = rig.take_request(RequestCode::END_TRANSACTION);
    assert_eq!(place(&first), ("12", "6", "600", "true"));
    rig.check(conn, half.unique_key.as_str(), "PG", 7);
    rig.no_request(RequestCode::END_TRANSACTION);
    rig.pass(SHORT);
    rig.check(conn, half.unique_key.as_str(), "PG", 8);
    let second = rig.take_request(RequestCode::END_TRANSACTION);
    assert_eq!(place(&second), ("12", "8", "800", "true"));
    rig.answer(&second, 0, None);
    rig.check(conn, half.unique_key.as_str(), "PG", 9);
    rig.no_request(RequestCode::END_TRANSACTION);
    assert!(rig.checks.is_empty(), "the application has decided");
    let counters = rig.client.counters();
    assert_eq!((counters.checks_answered, counters.checks_settled), (2, 2));
}

#[test]
fn a_check_gets_no_end_while_one_is_under_way_or_acknowledged() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    let conn = rig.broker_conn();
    rig.check(conn, half.unique_key.as_str(), "PG", 6);
    rig.answer(&request, 0, None);
    assert!(rig.ended(id).is_ok());
    rig.check(conn, half.unique_key.as_str(), "PG", 7);
    rig.no_request(RequestCode::END_TRANSACTION);
    assert!(rig.checks.is_empty());
    // It is remembered for as long as brokers ask.
    rig.live(Duration::from_secs(1_100));
    rig.check(rig.broker_conn(), half.unique_key.as_str(), "PG", 8);
    assert!(rig.checks.is_empty());
    assert_eq!(rig.client.counters().checks_settled, 3);
    rig.live(Duration::from_secs(200));
    rig.check(rig.broker_conn(), half.unique_key.as_str(), "PG", 9);
    assert_eq!(rig.checks.len(), 1);
}

#[test]
fn a_producer_that_is_opened_again_knows_what_was_ended() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    rig.answer(&request, 0, None);
    assert!(rig.ended(id).is_ok());
    let close = rig.command(Command::CloseProducer { producer, deadline: rig.now.mono + SHORT });
    let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
    rig.answer(&farewell, 0, None);
    assert!(matches!(rig.answers.remove(&close), Some(Answer::Closed(_))));
    rig.open("PG");
    rig.check(rig.broker_conn(), half.unique_key.as_str(), "PG", 6);
    assert!(rig.checks.is_empty());
    assert_eq!(rig.client.counters().checks_settled, 1);
    rig.no_request(RequestCode::END_TRANSACTION);
}

#[test]
fn an_end_that_nobody_got_is_asked_for_again_and_told_as_not_delivered() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let half = rig.half(producer);
    let conn = rig.broker_conn();
    rig.keep_bytes = true;
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    rig.input(super::Input::Closed { conn, why: super::CloseReason::Reset });
    assert!(rig.answers.is_empty(), "it was not written");
    for _ in 0..200 {
        for conn in core::mem::take(&mut rig.connects) {
            rig.input(super::Input::Closed { conn, why: super::CloseReason::Refused });
        }
        rig.pass(Duration::from_millis(20));
    }
    let error = rig.ended(id).unwrap_err();
    assert_eq!(error.verdict(), EndVerdict::NotDelivered, "{error}");
    assert!(matches!(error.kind(), EndErrorKind::Lost { .. } | EndErrorKind::Unreachable { .. }), "{error}");
}

#[test]
fn a_producer_that_closes_ends_what_it_began_and_then_nothing() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let (first, second) = (rig.half(producer), rig.half(producer));
    let pending = rig.end(producer, &first, TransactionEnd::Commit);
    let close = rig.command(Command::CloseProducer { producer, deadline: rig.now.mono + SHORT });
    assert!(!rig.answers.contains_key(&close), "an end is under way");
    let during = rig.end(producer, &second, TransactionEnd::Commit);
    for _ in 0..2 {
        let request = rig.take_request(RequestCode::END_TRANSACTION);
        rig.answer(&request, 0, None);
    }
    assert!(rig.ended(pending).is_ok() && rig.ended(during).is_ok());
    let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
    let late = rig.end(producer, &first, TransactionEnd::Commit);
    assert!(matches!(
        rig.ended(late).unwrap_err().kind(),
        EndErrorKind::EndedAlready | EndErrorKind::ProducerClosed
    ));
    rig.answer(&farewell, 0, None);
    assert!(matches!(rig.answers.remove(&close), Some(Answer::Closed(_))));
    rig.check(rig.broker_conn(), KEY, "PG", 8);
    assert!(rig.checks.is_empty());
}

#[test]
fn a_shutdown_does_not_wait_for_an_end_for_ever() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    rig.command(Command::Shutdown { deadline: rig.now.mono + Duration::from_millis(10) });
    rig.pass(Duration::from_millis(10));
    let error = rig.ended(id).unwrap_err();
    assert_eq!(error.verdict(), EndVerdict::MayBeDelivered);
    assert!(matches!(error.kind(), EndErrorKind::ClientClosed), "{error}");
}
