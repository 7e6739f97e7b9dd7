//! The latency-fault strategy: who gets messages, who is tried, who is asked for a sign of life.

use super::*;
use crate::interface::{FaultDetector, LatencyFault, MessageQueue};

const A: &str = "broker-a";
const SLOW: Duration = Duration::from_millis(800);
/// What a slow answer and a failure cost.
const AFTER_SLOW: Duration = Duration::from_secs(2);
const AFTER_FAILURE: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);

/// A rig with two connected brokers, whose heartbeats and first messages are answered.
fn ready_with(latency_fault: Option<LatencyFault>) -> (Rig, ProducerId) {
    let mut rig = Rig::new(ClientConfig { latency_fault, ..config() });
    let producer = rig.open("PG");
    // One for each queue, so that both brokers are connected.
    for _ in 0..8 {
        rig.send(producer, "T", MINUTE);
    }
    rig.connect_all();
    rig.answer_route(&[A, "broker-b"]);
    rig.connect_all();
    for request in core::mem::take(&mut rig.requests) {
        match request.code {
            RequestCode::HEART_BEAT => rig.answer(&request, 0, None),
            _ => rig.answer_stored(&request, 0, 0),
        }
    }
    assert_eq!(rig.client.counters().stored, 8);
    (rig, producer)
}

fn with_detector() -> LatencyFault {
    LatencyFault { detector: Some(FaultDetector::default()), ..LatencyFault::default() }
}

/// Sends a message and returns the request.
fn request(rig: &mut Rig, producer: ProducerId) -> Request {
    rig.send(producer, "T", MINUTE);
    rig.take_request(RequestCode::SEND_MESSAGE_V2)
}

/// How many of the next sixteen messages, all answered at once, go to the first broker.
fn share_of_a(rig: &mut Rig, producer: ProducerId) -> usize {
    let sends = (0..16).map(|_| {
        let send = request(rig, producer);
        rig.answer_stored(&send, 0, 0);
        send
    });
    sends.filter(|send| send.ext["n"] == A).count()
}

/// A message that the first broker has to answer.
fn pending_at_a(rig: &mut Rig, producer: ProducerId) -> Request {
    for _ in 0..16 {
        let send = request(rig, producer);
        if send.ext["n"] == A {
            return send;
        }
        rig.answer_stored(&send, 0, 0);
    }
    panic!("nothing goes to {A}");
}

/// The first broker answers a message late.
fn be_slow(rig: &mut Rig, producer: ProducerId) {
    let send = pending_at_a(rig, producer);
    rig.pass(SLOW);
    rig.answer_stored(&send, 0, 0);
}

/// What is told of brokers that are avoided: latency, failure, time.
fn avoided(rig: &mut Rig) -> Vec<(Duration, bool, Duration)> {
    let notices = core::mem::take(&mut rig.notices).into_iter();
    let told = notices.filter_map(|notice| match notice {
        Notice::BrokerAvoided { broker, latency, failed, avoided_for } => {
            assert_eq!(broker.as_str(), A);
            Some((latency, failed, avoided_for))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn without_the_strategy_a_slow_broker_gets_its_share() {
    let (mut rig, producer) = ready_with(None);
    be_slow(&mut rig, producer);
    assert_eq!(share_of_a(&mut rig, producer), 8);
    assert_eq!(avoided(&mut rig), []);
}

#[test]
fn a_slow_broker_is_avoided_then_tried_with_one_message_then_used_again() {
    let (mut rig, producer) = ready_with(Some(LatencyFault::default()));
    assert_eq!(share_of_a(&mut rig, producer), 8);
    be_slow(&mut rig, producer);
    assert_eq!(avoided(&mut rig), [(SLOW, false, AFTER_SLOW)]);
    assert_eq!(share_of_a(&mut rig, producer), 0);
    rig.pass(AFTER_SLOW);
    let trial = pending_at_a(&mut rig, producer);
    assert_eq!(share_of_a(&mut rig, producer), 0, "the others wait for the outcome of that one");
    rig.answer_stored(&trial, 0, 0);
    assert_eq!(share_of_a(&mut rig, producer), 8);
    assert_eq!(avoided(&mut rig), [], "it was avoided before");
}

#[test]
fn a_broker_that_is_late_again_is_avoided_again() {
    let (mut rig, producer) = ready_with(Some(LatencyFault::default()));
    for _ in 0..3 {
        be_slow(&mut rig, producer);
        assert_eq!(share_of_a(&mut rig, producer), 0);
        rig.pass(AFTER_SLOW);
    }
}

#[test]
fn one_way_messages_try_nothing_and_their_hand_over_proves_nothing() {
    let (mut rig, producer) = ready_with(Some(LatencyFault::default()));
    be_slow(&mut rig, producer);
    let one_ways = |rig: &mut Rig| {
        let mut to_a = 0;
        for _ in 0..16 {
            let message = Message::new("T".parse().unwrap(), "body");
            rig.send_with(producer, message, MINUTE, Target::Any, SendMode::OneWay);
            to_a += usize::from(rig.take_request(RequestCode::SEND_MESSAGE_V2).ext["n"] == A);
        }
        to_a
    };
    assert_eq!(one_ways(&mut rig), 0);
    rig.pass(AFTER_SLOW);
    assert_eq!(one_ways(&mut rig), 8);
    let trial = pending_at_a(&mut rig, producer);
    assert_eq!(one_ways(&mut rig), 0);
    rig.answer_stored(&trial, 0, 0);
    assert_eq!(one_ways(&mut rig), 8);
}

#[test]
fn a_busy_broker_is_avoided_and_one_that_refuses_the_message_is_not() {
    for (code, avoided_for) in [(2, Some(AFTER_FAILURE)), (14, Some(AFTER_FAILURE)), (13, None)] {
        let (mut rig, producer) = ready_with(Some(LatencyFault::default()));
        let send = pending_at_a(&mut rig, producer);
        rig.answer(&send, code, Some("no"));
        let told = avoided(&mut rig).into_iter().map(|(_, failed, time)| (failed, time)).next();
        assert_eq!(told, avoided_for.map(|time| (true, time)), "code {code}");
    }
}

#[test]
fn messages_for_a_queue_stay_there_and_count_as_well() {
    let (mut rig, producer) = ready_with(Some(LatencyFault::default()));
    let to_a = |rig: &mut Rig| {
        let queue =
            MessageQueue { topic: "T".parse().unwrap(), broker_name: A.parse().unwrap(), queue_id: 1 };
        let message = Message::new("T".parse().unwrap(), "body");
        rig.send_with(producer, message, MINUTE, Target::Queue(queue), SendMode::Acknowledged);
        rig.take_request(RequestCode::SEND_MESSAGE_V2)
    };
    let slow = to_a(&mut rig);
    rig.pass(SLOW);
    rig.answer_stored(&slow, 0, 0);
    assert_eq!(to_a(&mut rig).ext["n"], A);
    assert_eq!(share_of_a(&mut rig, producer), 0);
}

#[test]
fn brokers_that_are_all_avoided_are_used_as_without_the_strategy() {
    let (mut rig, producer) = ready_with(Some(LatencyFault::default()));
    let slow: Vec<Request> = (0..8).map(|_| request(&mut rig, producer)).collect();
    rig.pass(SLOW);
    for send in &slow {
        rig.answer_stored(send, 0, 0);
    }
    assert_eq!(share_of_a(&mut rig, producer), 8);
}

/// The connection to the first broker is lost with a message under way, and opened again.
fn fail(rig: &mut Rig, producer: ProducerId) {
    let send = pending_at_a(rig, producer);
    rig.input(Input::Closed { conn: send.conn, why: CloseReason::Reset });
    assert_eq!(avoided(rig), [(Duration::ZERO, true, AFTER_FAILURE)]);
    let again = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    assert_ne!(again.ext["n"], A);
    rig.answer_stored(&again, 0, 0);
    rig.pass(Duration::from_secs(1));
    rig.answer_route(&[A, "broker-b"]);
    rig.connect_all();
    let greeting = rig.take_request(RequestCode::HEART_BEAT);
    rig.answer(&greeting, 0, None);
}

#[test]
fn without_a_detector_a_broker_that_failed_is_tried_when_its_time_is_over() {
    let (mut rig, producer) = ready_with(Some(LatencyFault::default()));
    fail(&mut rig, producer);
    rig.pass(Duration::from_millis(8_900));
    assert_eq!(share_of_a(&mut rig, producer), 0);
    rig.pass(Duration::from_millis(100));
    assert_eq!(share_of_a(&mut rig, producer), 8);
}

#[test]
fn with_a_detector_a_broker_that_failed_gives_a_sign_of_life_first() {
    let (mut rig, producer) = ready_with(Some(with_detector()));
    fail(&mut rig, producer);
    rig.pass(Duration::from_millis(8_999));
    assert!(rig.requests.is_empty());
    rig.pass(Duration::from_millis(1));
    let question = rig.take_request(RequestCode::HEART_BEAT);
    assert_eq!(rig.addresses[&question.conn], "10.0.0.0:10911");
    // Nobody answers: nothing goes there, and it is asked again. The silence alone would end with its answer.
    rig.pass(Duration::from_millis(200));
    rig.requests.clear();
    assert_eq!(share_of_a(&mut rig, producer), 0);
    rig.pass(Duration::from_millis(1_999));
    assert!(rig.requests.is_empty());
    rig.pass(Duration::from_millis(1));
    let question = rig.take_request(RequestCode::HEART_BEAT);
    rig.answer(&question, 2, Some("busy"));
    assert_eq!(share_of_a(&mut rig, producer), 0, "it lives, and wants no messages");
    rig.pass(Duration::from_millis(2_000));
    for request in core::mem::take(&mut rig.requests) {
        assert_eq!(request.code, RequestCode::HEART_BEAT);
        rig.answer(&request, 0, None);
    }
    assert_eq!(share_of_a(&mut rig, producer), 8);
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let latency_fault = LatencyFault { latency_max: Vec::new(), ..LatencyFault::default() };
    let refused =
        Client::new(ClientConfig { latency_fault: Some(latency_fault), ..config() }, Now::default());
    assert_eq!(refused.unwrap_err().field, "latency_max");
}
