//! Connections from which no answer comes.

use super::transactions::{KEY, asks};
use super::{Rig, frame, ready};
use crate::client::{ConnId, Input};
use crate::command::RequestCode;
use crate::interface::Outcome;
use crate::wire::SerializeType;
use alloc::vec::Vec;
use core::time::Duration;

/// Lets a send run into its deadline on a connection, while `sign` comes on it every three seconds. Returns after how many
/// seconds the connection was closed.
fn closed_after(sign: impl Fn(&mut Rig, ConnId, i64)) -> Option<u64> {
    let (mut rig, producer) = ready(&["broker-a"]);
    let conn = rig.broker_conn();
    let id = rig.send(producer, "T", Duration::from_secs(3));
    for seconds in 1..=20 {
        rig.pass(Duration::from_secs(1));
        if seconds == 4 {
            assert_eq!(rig.sent(id).unwrap_err().outcome(), Outcome::MayBeStored);
        }
        if rig.closes.contains(&conn) {
            return Some(seconds);
        }
        if seconds % 3 == 0 {
            sign(&mut rig, conn, i64::try_from(seconds).unwrap());
        }
    }
    None
}

#[test]
fn a_connection_without_a_sign_of_life_is_closed() {
    assert_eq!(closed_after(|_, _, _| {}), Some(10));
}

#[test]
fn the_requests_of_a_broker_are_no_sign_that_it_hears_us() {
    let whole = |rig: &mut Rig, conn: ConnId, number: i64| rig.check(conn, KEY, "PG", number);
    assert_eq!(closed_after(whole), Some(10));
    // Nor are they when they come in pieces, which might have been those of an answer.
    let in_pieces = |rig: &mut Rig, conn: ConnId, number: i64| {
        let bytes = frame(SerializeType::Json, (39, 2, 77), None, asks(KEY, number), b"half");
        for bytes in bytes.chunks(bytes.len() / 2) {
            rig.input(Input::Received { conn, bytes });
        }
    };
    assert_eq!(closed_after(in_pieces), Some(10));
}

#[test]
fn an_answer_to_something_else_is_a_sign_of_life() {
    let answers = |rig: &mut Rig, conn: ConnId, _: i64| {
        rig.check(conn, KEY, "PG", 1);
        rig.answer_raw(conn, 12_345, 0, None, Vec::new(), b"");
    };
    assert_eq!(closed_after(answers), None);
}

#[test]
fn a_broker_that_only_asks_is_greeted_again() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let conn = rig.broker_conn();
    rig.send(producer, "T", Duration::from_secs(3));
    rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.pass(Duration::from_secs(2));
    rig.check(conn, KEY, "PG", 1);
    rig.pass(Duration::from_secs(1));
    rig.take_request(RequestCode::HEART_BEAT);
}

#[test]
fn a_part_of_a_brokers_request_ends_no_silence() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let conn = rig.broker_conn();
    rig.send(producer, "T", Duration::from_secs(2));
    for second in 1..=12 {
        // A send of each second runs into its deadline just after the first half of a request came, and before the rest.
        let bytes = frame(SerializeType::Json, (39, 2, 77), None, asks(KEY, second), b"half");
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        rig.pass(Duration::from_millis(900));
        rig.input(Input::Received { conn, bytes: first });
        rig.send(producer, "T", Duration::from_secs(2));
        rig.pass(Duration::from_millis(100));
        if rig.closes.contains(&conn) {
            assert_eq!(second, 11);
            return;
        }
        rig.input(Input::Received { conn, bytes: rest });
    }
    panic!("still open");
}
