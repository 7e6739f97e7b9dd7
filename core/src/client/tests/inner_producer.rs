//! The inner producer: what a shutdown and a close do about records of trace, and that nobody reaches it.

use super::trace::{records, traced};
use super::transactions::SHORT;
use crate::client::{Answer, Command};
use crate::command::RequestCode;
use crate::ground::Key;
use crate::interface::ProducerId;
use crate::producer::{SendErrorKind, TraceConfig};
use alloc::string::{String, ToString};
use core::time::Duration;

#[test]
fn a_shutdown_sends_the_records_after_the_last_verdict_and_then_unregisters() {
    let (mut rig, producer) = traced();
    rig.traced(producer, 2);
    let pending = rig.send(producer, "T", Duration::from_secs(60));
    let shutdown = rig.command(Command::Shutdown { deadline: rig.now.mono + Duration::from_secs(2) });
    assert_eq!(rig.sends_to("RMQ_SYS_TRACE_TOPIC"), 0, "the last record is still to come");
    let request = rig.take_send("T");
    rig.answer_stored(&request, 0, 1);
    assert!(rig.sent(pending).is_ok());
    let trace = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    assert_eq!(records(&trace).len(), 3);
    let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
    assert_eq!(farewell.ext["producerGroup"], "PG");
    rig.answer(&farewell, 0, None);
    assert!(!rig.answers.contains_key(&shutdown));
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    assert!(
        String::from_utf8(heartbeat.body).unwrap().contains(r#"[{"groupName":"CLIENT_INNER_PRODUCER"}]"#)
    );
    rig.answer_stored(&trace, 0, 1);
    assert_eq!(rig.trace_counts(), (3, 3, 0, 0));
    let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
    assert_eq!(farewell.ext["producerGroup"], "CLIENT_INNER_PRODUCER");
    rig.answer(&farewell, 0, None);
    assert!(matches!(rig.answers.remove(&shutdown), Some(Answer::Closed(left)) if left.is_empty()));
    assert_eq!(rig.client.deadline(), None);
}

#[test]
fn a_shutdown_waits_for_trace_no_longer_than_it_may() {
    let (mut rig, producer) = traced();
    rig.traced(producer, 2);
    let pending = rig.send(producer, "T", Duration::from_secs(60));
    let shutdown = rig.command(Command::Shutdown { deadline: rig.now.mono + Duration::from_secs(2) });
    rig.pass(Duration::from_secs(2));
    assert!(matches!(rig.sent(pending).unwrap_err().kind(), SendErrorKind::ClientClosed));
    assert_eq!(rig.trace_counts(), (3, 0, 3, 0), "all of them are counted");
    // Nobody answers the farewells.
    rig.pass(Duration::from_secs(1));
    assert!(matches!(rig.answers.remove(&shutdown), Some(Answer::Closed(left)) if left.len() == 1));
    assert_eq!(rig.client.deadline(), None);

    let (mut rig, producer) = traced();
    rig.traced(producer, 2);
    rig.command(Command::Shutdown { deadline: rig.now.mono + Duration::from_secs(2) });
    assert_eq!(rig.sends_to("RMQ_SYS_TRACE_TOPIC"), 1);
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.trace_counts(), (2, 0, 2, 0), "one that was written may be stored, which nobody knows");
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.client.deadline(), None);
}

#[test]
fn the_records_of_a_closed_producer_go_out_and_the_client_lives_on() {
    let (mut rig, producer) = traced();
    rig.traced(producer, 1);
    let close = rig.command(Command::CloseProducer { producer, deadline: rig.now.mono + SHORT });
    let trace = rig.take_send("RMQ_SYS_TRACE_TOPIC");
    let farewell = rig.take_request(RequestCode::UNREGISTER_CLIENT);
    rig.answer(&farewell, 0, None);
    assert!(matches!(rig.answers.remove(&close), Some(Answer::Closed(_))));
    rig.answer_stored(&trace, 0, 1);
    assert_eq!(rig.trace_counts(), (1, 1, 0, 0));
    let producers = rig.client.running_info(rig.now).producers;
    assert_eq!(producers.len(), 1);
    assert_eq!((producers[0].group.as_str(), producers[0].is_open), ("CLIENT_INNER_PRODUCER", true));
    // The same group again: its records have a queue of their own.
    let again = rig.open_traced("PG", TraceConfig::default());
    assert_ne!(again, producer);
    rig.traced(again, 1);
    assert_eq!(rig.trace_counts(), (2, 1, 0, 1));
}

#[test]
fn no_user_reaches_the_inner_producer() {
    let (mut rig, _) = traced();
    let inner: ProducerId = Key::from_parts(u32::MAX, u32::MAX);
    let id = rig.send(inner, "T", SHORT);
    assert!(matches!(rig.sent(id).unwrap_err().kind(), SendErrorKind::ProducerClosed));
    let close = rig.command(Command::CloseProducer { producer: inner, deadline: rig.now.mono + SHORT });
    assert!(matches!(rig.answers.remove(&close), Some(Answer::Closed(left)) if left.is_empty()));
    assert!(!rig.client.has_producer(inner) && rig.requests.is_empty());
    let error = "CLIENT_INNER_PRODUCER".parse::<crate::ground::names::GroupName>().unwrap_err();
    assert!(error.to_string().contains("inner producer"), "{error}");
}
