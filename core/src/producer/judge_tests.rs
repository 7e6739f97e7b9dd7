use super::judge::{NextStep, Refusal, Verdict, judge};
use crate::command::ResponseCode;
use crate::interface::SendStatus;

fn refusal(code: i32, remark: &str) -> Refusal {
    match judge(ResponseCode(code), remark) {
        Verdict::Refused(refusal) => refusal,
        Verdict::Stored(status) => panic!("{code} is {status}"),
    }
}

#[test]
fn four_codes_mean_stored() {
    for (code, status) in [
        (0, SendStatus::SendOk),
        (10, SendStatus::FlushDiskTimeout),
        (11, SendStatus::SlaveNotAvailable),
        (12, SendStatus::FlushSlaveTimeout),
    ] {
        assert_eq!(judge(ResponseCode(code), "FOUND"), Verdict::Stored(status));
    }
}

/// Code, remark, proves not stored, next step, route refreshed. The remarks are those of live brokers.
#[test]
fn the_table_of_refusals() {
    use NextStep::{GiveUp, TryElsewhere, WaitAndTry};
    let queue = "request queueId[99] is illegal, TopicConfig [topicName=T] Producer: 127.0.0.1:1";
    let acl = "org.apache.rocketmq.acl.common.AclException: No default permission for topic:Other";
    for (code, remark, proves, next, refresh) in [
        (1, "java.lang.NullPointerException: null", false, TryElsewhere, false),
        (1, acl, true, GiveUp, false),
        (1, queue, true, TryElsewhere, true),
        (1, "broker unable to service, until 2026", true, WaitAndTry, false),
        (2, "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while", true, WaitAndTry, false),
        (2, "[REJECTREQUEST]system busy, start flow control for a while", true, WaitAndTry, false),
        (3, " request type 310 not supported", true, GiveUp, false),
        (13, "the message is illegal, maybe msg body or properties length not matched.", true, GiveUp, false),
        (14, "service not available now.", true, TryElsewhere, false),
        (15, "Request doesn't have field bname", true, GiveUp, false),
        (16, "username cannot be null.", true, GiveUp, false),
        (16, "the broker[127.0.0.1] sending message is forbidden", true, TryElsewhere, true),
        (16, "Sending message to topic[SCHEDULE_TOPIC_XXXX] is forbidden.", true, GiveUp, false),
        (17, "topic[T] not exist, apply first please!", true, TryElsewhere, true),
        (26, "subscription group not exist", true, GiveUp, false),
        (29, queue, true, TryElsewhere, true),
        (29, "The specified topic contains illegal characters", true, GiveUp, false),
        (204, "", true, TryElsewhere, false),
        (205, "", true, TryElsewhere, false),
        (215, "", true, WaitAndTry, false),
        (501, "", true, TryElsewhere, true),
        (1500, "please go away", true, WaitAndTry, true),
        (4, "", false, GiveUp, false),
        (-1006, "", false, GiveUp, false),
        (31_999, "", false, GiveUp, false),
    ] {
        let got = refusal(code, remark);
        assert_eq!(
            (got.proves_not_stored, got.next, got.refresh_route, got.go_away),
            (proves, next, refresh, code == 1500),
            "{code} {remark}"
        );
    }
}

#[test]
fn a_refusal_speaks_against_the_broker_unless_message_or_route_are_at_fault() {
    let queue = "request queueId[99] is illegal, TopicConfig [topicName=T] Producer: 127.0.0.1:1";
    for (code, remark, against) in [
        (2, "[TIMEOUT_CLEAN_QUEUE]broker busy", true),
        (215, "", true),
        (14, "service not available now.", true),
        (1, "java.lang.NullPointerException: null", true),
        (1_500, "please go away", true),
        (13, "the message is illegal", false),
        (16, "username cannot be null.", false),
        (16, "the broker[127.0.0.1] sending message is forbidden", false),
        (17, "topic[T] not exist, apply first please!", false),
        (29, queue, false),
        (31_999, "", false),
    ] {
        assert_eq!(refusal(code, remark).speaks_against_the_broker(), against, "{code} {remark}");
    }
}
