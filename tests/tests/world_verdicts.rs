//! Stories about what becomes of one message: answers, refusals, statuses, retries.

mod world_common;

use rocketmq_core::command::ResponseCode;
use rocketmq_core::producer::{AttemptFailure, Outcome, Resend, SendErrorKind, SendStatus};
use rocketmq_sim::cluster::SendDecision;
use rocketmq_sim::world::{Order, Tamper, Verdict};
use std::time::Duration;
use world_common::*;

#[test]
fn a_busy_broker_is_waited_out() {
    for (code, remark) in
        [(2, "[REJECTREQUEST]system busy"), (215, "flow control"), (1, "broker unable to service")]
    {
        let (mut world, producer) = ready(1);
        refuse(&mut world, 5, code, remark);
        let verdict = world.send_and_wait(producer, Order::to("orders").retries(0));
        let receipt = verdict.receipt().unwrap_or_else(|| panic!("{}", world.transcript()));
        assert_eq!(receipt.attempts, 6);
        world.finish();
    }
}

#[test]
fn a_broker_that_stays_busy_ends_in_not_stored_at_the_deadline() {
    let (mut world, producer) = ready(1);
    refuse(&mut world, 10_000, 2, "[REJECTREQUEST]system busy");
    let before = world.elapsed();
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    assert_eq!(failed(&verdict).outcome(), Outcome::NotStored);
    assert!(matches!(failed(&verdict).kind(), SendErrorKind::Timeout), "{verdict:?}");
    assert!(world.elapsed() - before <= 3 * SECOND + Duration::from_millis(2));
    assert!(sends(&world) < 40, "pauses grow: {} attempts", sends(&world));
    world.finish();
}

#[test]
fn each_code_does_what_the_table_says() {
    // Code, remark, attempts with two retries, outcome.
    let table = [
        (1, "java.lang.IllegalStateException", 3, Outcome::MayBeStored),
        (1, "org.apache.rocketmq.acl.common.AclException: no", 1, Outcome::NotStored),
        (3, "not supported", 1, Outcome::NotStored),
        (13, "the message is illegal", 1, Outcome::NotStored),
        (14, "service not available now", 3, Outcome::NotStored),
        (15, "no broker name", 1, Outcome::NotStored),
        (16, "No permission by ACL 2.0", 1, Outcome::NotStored),
        (16, "the broker[10.0.1.1] sending message is forbidden", 3, Outcome::NotStored),
        (17, "topic[orders] not exist", 3, Outcome::NotStored),
        (26, "subscription group not exist", 1, Outcome::NotStored),
        (29, "request queueId[9] is illegal, TopicConfig", 3, Outcome::NotStored),
        (29, "The specified topic is blank", 1, Outcome::NotStored),
        (204, "no buyer id", 3, Outcome::NotStored),
        (205, "not in current unit", 3, Outcome::NotStored),
        (501, "not leader for queue", 3, Outcome::NotStored),
        (9_999, "what is this", 1, Outcome::MayBeStored),
    ];
    for (code, remark, attempts, outcome) in table {
        let (mut world, producer) = ready(1);
        let before = sends(&world);
        refuse(&mut world, 100, code, remark);
        let verdict = world.send_and_wait(producer, Order::to("orders").within(20 * SECOND));
        let error = failed(&verdict);
        assert_eq!(
            (sends(&world) - before, error.outcome()),
            (attempts, outcome),
            "{code} {remark}: {error}"
        );
        assert!(
            matches!(error.kind(), SendErrorKind::Refused { code: ResponseCode(it), .. } if *it == code),
            "{error}"
        );
        assert_eq!(error.attempts().len() as u64, attempts);
        assert_eq!(error.written_attempts() as u64, attempts);
        world.finish();
    }
}

#[test]
fn four_statuses_mean_stored() {
    let table = [
        (0, SendStatus::SendOk),
        (10, SendStatus::FlushDiskTimeout),
        (11, SendStatus::SlaveNotAvailable),
        (12, SendStatus::FlushSlaveTimeout),
    ];
    for (code, status) in table {
        let (mut world, producer) = ready(2);
        refuse(&mut world, 1, code, "");
        let verdict = world.send_and_wait(producer, to_broker_a());
        assert_eq!(verdict.receipt().expect("stored").status, status);
        world.finish();
    }
}

#[test]
fn another_broker_is_tried_for_a_better_status_when_asked_for() {
    for wanted in [false, true] {
        let (mut world, producer) =
            ready_with(2, |config| config.retry_another_broker_when_not_store_ok = wanted);
        refuse(&mut world, 100, 10, "");
        for _ in 0..4 {
            let verdict = world.send_and_wait(producer, Order::to("orders"));
            let receipt = verdict.receipt().expect("stored");
            let on_a = receipt.queue.broker_name == "broker-a";
            assert_eq!(receipt.status == SendStatus::FlushDiskTimeout, on_a);
            assert!(!(wanted && on_a), "{receipt:?}");
        }
        world.finish();
    }
}

#[test]
fn a_message_that_is_stored_already_keeps_its_receipt_when_no_other_broker_helps() {
    let (mut world, producer) = ready_with(2, |config| config.retry_another_broker_when_not_store_ok = true);
    refuse(&mut world, 100, 10, "");
    policy(&mut world, 1, |_| SendDecision::Refuse { code: 13, remark: "illegal".to_owned() });
    for _ in 0..4 {
        let verdict = world.send_and_wait(producer, Order::to("orders"));
        match &verdict {
            Verdict::Stored(receipt) => {
                assert_eq!((receipt.status, receipt.attempts), (SendStatus::FlushDiskTimeout, 2));
            }
            other => assert!(matches!(failed(other).kind(), SendErrorKind::Refused { .. })),
        }
    }
    world.finish();
}

#[test]
fn a_connection_lost_behind_the_last_byte_may_be_stored_and_its_message_can_be_sent_again() {
    let (mut world, producer) = ready(1);
    let pipe = broker_pipe(&world);
    world.cut_down(pipe, 0);
    let send = world.send(producer, to_broker_a().within_ms(4));
    world.run_for(10 * SECOND);
    let error = failed(world.verdict(send).expect("a verdict")).clone();
    assert_eq!((error.outcome(), error.written_attempts()), (Outcome::MayBeStored, 1), "{error}");
    assert_eq!(world.copies(send).len(), 1);
    let message = error.into_message().expect("the message");
    let key = message.unique_key().expect("its unique key");
    let verdict = world.send_and_wait(producer, Order::again(message));
    assert_eq!(verdict.receipt().expect("stored").message_id, key);
    assert_eq!(world.copies(send).len(), 2, "both with one unique id, so that a consumer can tell");
    world.finish();
}

#[test]
fn a_retry_after_a_lost_answer_is_the_policy_of_the_user() {
    for resend in [Resend::WhenMayBeStored, Resend::OnlyWhenNotStored] {
        let (mut world, producer) = ready_with(1, |config| config.resend = resend);
        let pipe = broker_pipe(&world);
        world.cut_down(pipe, 0);
        let send = world.send(producer, to_broker_a());
        world.run_for(4 * SECOND);
        match resend {
            Resend::WhenMayBeStored => {
                let receipt = world.verdict(send).and_then(Verdict::receipt).expect("stored");
                assert_eq!(receipt.attempts, 2);
                assert_eq!(world.copies(send).len(), 2);
            }
            Resend::OnlyWhenNotStored => {
                let error = failed(world.verdict(send).expect("a verdict"));
                assert!(matches!(error.kind(), SendErrorKind::ResendForbidden));
                assert!(error.may_be_stored());
                assert_eq!(world.copies(send).len(), 1);
            }
        }
        world.finish();
    }
}

#[test]
fn a_broker_that_is_alone_and_keeps_silent_does_not_double_what_is_left_to_send() {
    let (mut world, producer) = ready(1);
    world.pause(BROKER);
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    let error = failed(&verdict);
    assert_eq!((error.outcome(), error.written_attempts()), (Outcome::MayBeStored, 3), "{error}");
    world.resume(BROKER);
    world.run_for(SECOND);
    world.finish();
}

#[test]
fn an_answer_without_its_fields_is_no_receipt() {
    let (mut world, producer) = ready(1);
    world.on_answers(|_, frame| {
        let mut frame = frame.clone();
        if let Some(fields) = &mut frame.ext_fields {
            fields.retain(|(name, _)| name != "msgId");
        }
        Tamper::Instead(frame.encode())
    });
    let send = world.send(producer, to_broker_a().retries(0));
    world.run_for(4 * SECOND);
    let error = failed(world.verdict(send).expect("a verdict"));
    assert!(error.may_be_stored());
    assert!(matches!(error.attempts()[0].failure, AttemptFailure::BadAnswer(_)), "{error}");
    world.finish();
}
