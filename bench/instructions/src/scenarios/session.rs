//! Scenarios of the whole core, with servers that answer.

use std::time::Duration;

use rocketmq_core::client::{ClientConfig, LatencyFault};
use rocketmq_core::recording::Bodies;
use rocketmq_core::wire::SerializeType;

use crate::answers::Fate;
use crate::probe::Probe;
use crate::rig::Rig;

/// Submit, write, answer, complete: with `in_flight` sends under way at once.
pub(super) fn cycle(probe: &mut Probe, serialize: SerializeType, in_flight: u64, rounds: u64) {
    cycle_of(Rig::warm(probe, serialize), in_flight, rounds);
}

/// The same with a client that has been made.
pub(super) fn cycle_of(mut rig: Rig<'_>, in_flight: u64, rounds: u64) {
    for _ in 0..rounds {
        rig.next_round();
        rig.measuring = true;
        rig.send(in_flight);
        rig.move_bytes();
        rig.next_round();
        rig.answer_all(Fate::Stored);
        rig.measuring = false;
    }
    assert_eq!((rig.done.stored, rig.done.failed), (1 + rounds * in_flight, 0));
}

/// The same with namespaces of both kinds.
pub(super) fn in_namespaces(probe: &mut Probe, rounds: u64) {
    let set = |config: &mut ClientConfig| {
        config.namespace = Some("MQ_INST_4711_shop".parse().expect("a namespace"));
        config.namespace_v2 = Some("MQ_INST_4711_shop".to_owned());
    };
    cycle_of(Rig::warm_set(probe, set), 64, rounds);
}

/// The same with the latency-fault strategy.
pub(super) fn latency_fault(probe: &mut Probe, rounds: u64) {
    let set = |config: &mut ClientConfig| config.latency_fault = Some(LatencyFault::default());
    cycle_of(Rig::warm_set(probe, set), 64, rounds);
}

/// The same with a recording of everything that happens, in which the bodies are or are not.
pub(super) fn recorded(probe: &mut Probe, bodies: Bodies, rounds: u64) {
    cycle_of(Rig::warm_recorded(probe, bodies), 64, rounds);
}

/// The same with message trace: records, and the messages that carry them, ten records each.
pub(super) fn traced(probe: &mut Probe, rounds: u64) {
    const IN_FLIGHT: u64 = 64;
    let mut rig = Rig::warm_traced(probe, SerializeType::Json);
    for _ in 0..rounds {
        rig.next_round();
        rig.measuring = true;
        rig.send(IN_FLIGHT);
        // First the sends, then the trace messages, of which four go out at once.
        for _ in 0..3 {
            rig.move_bytes();
            rig.next_round();
            rig.answer_all(Fate::Stored);
        }
        rig.measuring = false;
    }
    assert_eq!((rig.done.stored, rig.done.failed), (1 + rounds * IN_FLIGHT, 0));
    let (made, sent, dropped) = rig.trace_records();
    assert_eq!((made, dropped), (1 + rounds * IN_FLIGHT, 0));
    assert!(made - sent < 10, "{sent} of {made} records were sent");
}

/// What it costs to write requests that have waited for the socket: the hot encoder with what belongs to it.
pub(super) fn write(probe: &mut Probe, serialize: SerializeType, rounds: u64) {
    const WAITING: u64 = 64;
    let mut rig = Rig::warm(probe, serialize);
    for _ in 0..rounds {
        rig.next_round();
        // The outbox is full when nothing is added to it any more.
        let mut before = 0;
        rig.send(1);
        while rig.outbox_bytes() > before {
            before = rig.outbox_bytes();
            rig.send(1);
        }
        rig.send(WAITING - 1);
        rig.write_measured_report();
        rig.move_bytes();
        rig.answer_all(Fate::Stored);
    }
    assert_eq!(rig.done.failed, 0);
    assert!(rig.done.stored > rounds * WAITING);
}

/// Each send is refused once with `SYSTEM_BUSY`, rests, and is stored then: from the refusal on.
pub(super) fn retry(probe: &mut Probe, rounds: u64) {
    const IN_FLIGHT: u64 = 64;
    let mut rig = Rig::warm(probe, SerializeType::Json);
    for _ in 0..rounds {
        rig.next_round();
        rig.send(IN_FLIGHT);
        rig.move_bytes();
        rig.measuring = true;
        rig.answer_all(Fate::Busy);
        // The first pause is 20 milliseconds at most.
        rig.tick_after(Duration::from_millis(20));
        rig.move_bytes();
        rig.answer_all(Fate::Stored);
        rig.measuring = false;
    }
    assert_eq!((rig.done.stored, rig.done.failed), (1 + rounds * IN_FLIGHT, 0));
}

/// Sends that are written, and whose deadline passes without an answer.
pub(super) fn time_out(probe: &mut Probe, rounds: u64) {
    const SENDS: u64 = 1_024;
    const TIMEOUT: Duration = Duration::from_millis(50);
    let mut rig = Rig::warm(probe, SerializeType::Json);
    for round in 1..=rounds {
        for _ in 0..SENDS {
            rig.send_with(TIMEOUT, Some(0));
        }
        rig.move_bytes();
        rig.measuring = true;
        rig.tick_after(TIMEOUT);
        rig.measuring = false;
        assert_eq!(rig.done.failed, round * SENDS);
        // A sign of life, so that the connection stays.
        rig.move_bytes();
        rig.drop_pending_sends();
        rig.send_and_store(1);
    }
}

/// From nothing to nothing: start, route, 100 sends, ten at a time, shutdown.
pub(super) fn whole(probe: &mut Probe, rounds: u64) {
    for _ in 0..rounds {
        let mut rig = Rig::new(probe, SerializeType::Json, true);
        rig.open_producer();
        for _ in 0..10 {
            rig.next_round();
            rig.send_and_store(10);
        }
        rig.shut_down();
    }
}
