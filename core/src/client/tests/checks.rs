//! What brokers ask about half messages, and what becomes of the answers.

use super::transactions::{KEY, SHORT, place, stored_half};
use super::{Rig, ready};
use crate::client::Command;
use crate::command::RequestCode;
use crate::interface::{CheckId, EndErrorKind, HalfMessage, TransactionEnd};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;

#[test]
fn a_check_is_put_to_the_application_and_its_newest_offsets_count() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let conn = rig.broker_conn();
    rig.check(conn, KEY, "PG", 6);
    let check = rig.checks.pop().unwrap();
    assert_eq!((check.producer, check.unique_key.as_str()), (producer, KEY));
    assert_eq!(
        (&check.message.message.body()[..], check.message.transaction_check_times()),
        (&b"half"[..], 1)
    );
    rig.check(conn, KEY, "PG", 7);
    assert!(rig.checks.is_empty(), "it is asked already");
    let half = half_of(&check.message, KEY);
    let deadline = rig.now.mono + SHORT;
    let answer = |end| Command::AnswerCheck { check: check.id, half: half.clone(), end, deadline };
    let id = rig.command(answer(TransactionEnd::Commit));
    let request = rig.take_request(RequestCode::END_TRANSACTION);
    assert_eq!((request.conn, place(&request)), (conn, ("8", "7", "700", "true")));
    rig.answer(&request, 0, None);
    assert!(rig.ended(id).is_ok());
    // It was answered: a second answer goes nowhere.
    let id = rig.command(answer(TransactionEnd::Rollback));
    let error = rig.ended(id).unwrap_err();
    assert!(matches!(error.kind(), EndErrorKind::CheckOver), "{error}");
    rig.no_request(RequestCode::END_TRANSACTION);
}

fn half_of(message: &crate::message::MessageExt, key: &str) -> HalfMessage {
    HalfMessage {
        topic: message.message.topic().clone(),
        broker_name: "broker-a".parse().unwrap(),
        unique_key: key.parse().unwrap(),
        queue_offset: message.queue_offset,
        commit_log_offset: message.commit_log_offset,
    }
}

#[test]
fn a_dropped_check_is_put_again() {
    let (mut rig, _) = ready(&["broker-a"]);
    let conn = rig.broker_conn();
    for offset in 6..9 {
        rig.check(conn, KEY, "PG", offset);
        let check = rig.checks.pop().expect("it is asked again");
        rig.command(Command::DropCheck { check: check.id });
        assert_eq!(rig.client.memory().transaction_checks, 0);
    }
    rig.no_request(RequestCode::END_TRANSACTION);
    assert!(rig.answers.is_empty());
}

#[test]
fn checks_go_to_the_producer_of_their_group_and_foreign_ones_nowhere() {
    let (mut rig, first) = ready(&["broker-a"]);
    let second = rig.open("OTHER");
    let conn = rig.broker_conn();
    rig.check(conn, KEY, "OTHER", 6);
    rig.check(conn, "0A0000021267ABCE", "PG", 7);
    let asked: Vec<_> = rig.checks.drain(..).map(|check| check.producer).collect();
    assert_eq!(asked, [second, first]);
    rig.check(conn, "0A0000021267ABCF", "NOBODY", 8);
    rig.check(conn, "", "PG", 8);
    rig.receive(conn, (39, 2, 1), None, Vec::new(), b"");
    let places = |offset: &str| {
        vec![("tranStateTableOffset", offset.to_string()), ("commitLogOffset", String::from("1"))]
    };
    rig.receive(conn, (39, 2, 1), None, places("x"), &stored_half("PG", KEY, b"b", 0));
    rig.receive(conn, (39, 2, 1), None, places("1"), b"\0\0\0\x08\xDA\xA3\x20\xA7");
    assert!(rig.checks.is_empty());
    assert_eq!(rig.client.counters().checks_left, 5);
    // A proxy wants an answer; it gets none, as from Java.
    rig.receive(conn, (39, 0, 1), None, places("1"), &stored_half("PG", KEY, b"b", 0));
    assert!(rig.checks.is_empty() || rig.checks.len() == 1);
    rig.no_request(RequestCode::CHECK_TRANSACTION_STATE);
}

#[test]
fn checks_are_bounded_by_number_by_bytes_and_by_time() {
    let mut config = super::config();
    config.limits.transaction_checks = 2;
    let mut rig = Rig::new(config);
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    let (heartbeat, send) =
        (rig.take_request(RequestCode::HEART_BEAT), rig.take_request(RequestCode::SEND_MESSAGE_V2));
    rig.answer(&heartbeat, 0, None);
    rig.answer_stored(&send, 0, 1);
    assert!(rig.sent(id).is_ok());
    let conn = rig.broker_conn();
    for n in 0..4 {
        rig.check(conn, &format!("0A0000021267ABC{n}"), "PG", n);
    }
    assert_eq!((rig.checks.len(), rig.client.memory().transaction_checks), (2, 2));
    rig.pass(Duration::from_secs(121));
    assert_eq!(rig.client.memory().transaction_checks, 0);
    let check: CheckId = rig.checks[0].id;
    let half = half_of(&rig.checks[0].message, "0A0000021267ABC0");
    let deadline = rig.now.mono + SHORT;
    let id = rig.command(Command::AnswerCheck { check, half, end: TransactionEnd::Commit, deadline });
    assert!(matches!(rig.ended(id).unwrap_err().kind(), EndErrorKind::CheckOver));
}
