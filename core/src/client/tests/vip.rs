//! The VIP channel: sends go to the second port while its connection is well, and never wait for it.

use super::transactions::SHORT;
use super::{Notice, Rig, config};
use crate::client::{ClientConfig, CloseReason, ConnId, Input};
use crate::command::RequestCode;
use crate::interface::{Hooks, Outcome, ProducerId, SendMode, Target, Timing, TransactionEnd};
use crate::message::Message;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

const PLAIN: &str = "10.0.0.0:10911";
const VIP: &str = "10.0.0.0:10909";

/// A client with the option on that has sent its first message, and the connection that it opens beside.
fn ready() -> (Rig, ProducerId, ConnId) {
    ready_with(Timing::default())
}

fn ready_with(timing: Timing) -> (Rig, ProducerId, ConnId) {
    let config = ClientConfig { vip_channel: true, timing, ..config() };
    let mut rig = Rig::with_hooks(config, Hooks::default());
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    let asked: Vec<String> = rig.connects.iter().map(|conn| rig.addresses[conn].clone()).collect();
    assert_eq!(asked, [VIP, PLAIN]);
    let vip = rig.connects.remove(0);
    rig.connect_all();
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    rig.answer(&heartbeat, 0, None);
    assert_eq!(rig.send_is_stored(id), PLAIN, "it waits for nothing");
    (rig, producer, vip)
}

impl Rig {
    /// Answers a send that is under way; where it went.
    fn send_is_stored(&mut self, id: u64) -> String {
        let send = self.take_request(RequestCode::SEND_MESSAGE_V2);
        self.answer_stored(&send, 0, 1);
        assert!(self.sent(id).is_ok());
        self.addresses[&send.conn].clone()
    }

    fn goes_to(&mut self, producer: ProducerId) -> String {
        let id = self.send(producer, "T", SHORT);
        self.send_is_stored(id)
    }

    fn unreachable(&self) -> Vec<Duration> {
        let of_vip = |notice: &Notice| match notice {
            Notice::VipChannelUnreachable { broker, address, pause, .. } => {
                assert_eq!((broker.as_str(), address.to_string().as_str()), ("broker-a", VIP));
                Some(*pause)
            }
            _ => None,
        };
        self.notices.iter().filter_map(of_vip).collect()
    }
}

#[test]
fn sends_take_the_second_port_and_all_else_the_first() {
    let (mut rig, producer, vip) = ready();
    assert_eq!(rig.goes_to(producer), PLAIN, "still being opened");
    rig.input(Input::Connected { conn: vip });
    assert!(rig.requests.is_empty(), "nobody is greeted there");
    assert_eq!(rig.goes_to(producer), VIP);
    let half = rig.half(producer);
    let id = rig.end(producer, &half, TransactionEnd::Commit);
    let end = rig.take_request(RequestCode::END_TRANSACTION);
    assert_eq!(rig.addresses[&end.conn], PLAIN);
    rig.answer(&end, 0, None);
    assert!(rig.ended(id).is_ok());
    rig.pass(Duration::from_secs(31));
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    assert_eq!(rig.addresses[&heartbeat.conn], PLAIN);
    assert!(rig.unreachable().is_empty());
}

#[test]
fn a_closed_port_costs_nothing_and_is_tried_again_after_growing_pauses() {
    // Nothing else is asked meanwhile.
    let rarely = Duration::from_secs(3_600);
    let (mut rig, producer, mut vip) =
        ready_with(Timing { heartbeat_interval: rarely, route_interval: rarely, ..Timing::default() });
    let mut pauses = Vec::new();
    for tries in 1..=12_usize {
        rig.input(Input::Closed { conn: vip, why: CloseReason::Refused });
        pauses = rig.unreachable();
        assert_eq!(pauses.len(), tries, "each time it says so");
        assert_eq!(rig.goes_to(producer), PLAIN);
        assert!(rig.connects.is_empty(), "left alone");
        rig.requests.clear();
        rig.pass(pauses[tries - 1]);
        assert!(rig.connects.is_empty(), "nobody wants it");
        assert_eq!(rig.goes_to(producer), PLAIN);
        vip = rig.connects.pop().expect("tried again");
        assert_eq!(rig.addresses[&vip], VIP);
        rig.requests.clear();
    }
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(30)));
    assert!(pauses[0] <= Duration::from_millis(100) && pauses[11] > Duration::from_secs(14), "{pauses:?}");
    // It opens at last: one message tries it, the others follow.
    rig.input(Input::Connected { conn: vip });
    let first = rig.send(producer, "T", SHORT);
    let second = rig.send(producer, "T", SHORT);
    let sends: Vec<_> = rig.requests.drain(..).filter(|r| r.code == RequestCode::SEND_MESSAGE_V2).collect();
    let to: Vec<_> = sends.iter().map(|send| rig.addresses[&send.conn].as_str()).collect();
    assert_eq!(to, [VIP, PLAIN]);
    for (send, id) in sends.iter().zip([first, second]) {
        rig.answer_stored(send, 0, 1);
        assert!(rig.sent(id).is_ok());
    }
    assert_eq!(rig.goes_to(producer), VIP);
}

#[test]
fn an_attempt_that_left_on_the_second_port_counts_as_any_other() {
    let (mut rig, producer, vip) = ready();
    rig.input(Input::Connected { conn: vip });
    let id = rig.send(producer, "T", Duration::from_millis(500));
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(send.conn, vip);
    rig.input(Input::Closed { conn: vip, why: CloseReason::Reset });
    assert_eq!(rig.unreachable().len(), 1);
    rig.pass(Duration::from_millis(600));
    let again = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(rig.addresses[&again.conn], PLAIN);
    let error = rig.sent(id).unwrap_err();
    assert_eq!(error.outcome(), Outcome::MayBeStored);
    assert_eq!(error.attempts()[0].endpoint.to_string(), VIP);
}

#[test]
fn an_idle_second_port_may_close_and_a_stalled_one_is_passed_over() {
    let (mut rig, producer, vip) = ready();
    rig.input(Input::Connected { conn: vip });
    assert_eq!(rig.goes_to(producer), VIP);
    // Brokers close connections from which they hear nothing.
    rig.input(Input::Closed { conn: vip, why: CloseReason::EndOfStream });
    assert!(rig.unreachable().is_empty() && rig.connects.is_empty(), "nothing is wrong, and nobody wants it");
    assert_eq!(rig.goes_to(producer), PLAIN);
    let vip = rig.connects.pop().unwrap();
    rig.input(Input::Connected { conn: vip });
    let stuck = rig.send(producer, "T", SHORT);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_eq!(send.conn, vip);
    rig.pass(Duration::from_millis(150));
    assert_eq!(rig.goes_to(producer), PLAIN);
    rig.answer_stored(&send, 0, 3);
    assert!(rig.sent(stuck).is_ok());
    assert_eq!(rig.goes_to(producer), VIP);
}

#[test]
fn what_is_ordered_stays_on_one_connection() {
    let (mut rig, producer, vip) = ready();
    rig.input(Input::Connected { conn: vip });
    for number in 0..3 {
        assert_eq!(rig.goes_to(producer), VIP);
        let target = Target::ShardingKey(number.to_string());
        let message = Message::new("T".parse().unwrap(), "ordered");
        let id = rig.send_with(producer, message, SHORT, target, SendMode::Acknowledged);
        assert_eq!(rig.send_is_stored(id), PLAIN);
    }
}

#[test]
fn one_that_was_idle_for_long_is_opened_anew() {
    let (mut rig, producer, vip) = ready();
    rig.input(Input::Connected { conn: vip });
    assert_eq!(rig.goes_to(producer), VIP);
    rig.pass(Duration::from_secs(29));
    assert_eq!(rig.goes_to(producer), VIP);
    rig.pass(Duration::from_secs(2));
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    rig.answer(&heartbeat, 0, None);
    rig.pass(Duration::from_secs(28));
    // It may be dead, and nobody would know.
    assert_eq!(rig.goes_to(producer), PLAIN);
    assert!(rig.closes.contains(&vip));
    let newer = rig.connects.pop().unwrap();
    assert_eq!(rig.addresses[&newer], VIP);
    rig.input(Input::Connected { conn: newer });
    assert_eq!(rig.goes_to(producer), VIP);
    assert!(rig.unreachable().is_empty());
}

#[test]
fn it_belongs_to_the_life_of_its_broker() {
    let (mut rig, producer, vip) = ready();
    rig.input(Input::Connected { conn: vip });
    assert_eq!(rig.goes_to(producer), VIP);
    // The broker moves: both connections go.
    rig.pass(Duration::from_secs(30));
    rig.requests.retain(|request| request.code == RequestCode::GET_ROUTEINFO_BY_TOPIC);
    rig.answer_route(&["broker-b", "broker-a"]);
    rig.pass(Duration::from_secs(60));
    assert!(rig.closes.contains(&vip), "{:?}", rig.closes);
    assert!(rig.unreachable().is_empty());
}
