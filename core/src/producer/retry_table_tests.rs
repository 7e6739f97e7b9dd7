//! The decisions once more, from a table that was written down without the code: every code, and every state of a send.

use super::judge::{NextStep, Verdict, judge};
use super::retry::{Facts, Failed, Next, after_failure};
use crate::command::ResponseCode;
use crate::interface::Resend;
use alloc::vec::Vec;

/// What a broker's answer means, in the words of the protocol's users.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Means {
    Stored,
    /// No broker would take it.
    Final,
    /// Final, and it is not known what became of this attempt.
    FinalAndUnknown,
    /// Another broker may take it.
    Elsewhere,
    /// Another broker may take it; this one may have it already.
    ElsewhereAndUnknown,
    /// The same again after a pause.
    Wait,
}

const QUEUE: &str = "request queueId[4] is illegal, TopicConfig [topicName=T]";

/// Codes with a meaning of their own, whatever their remark.
const CODES: [(i32, Means); 18] = [
    (0, Means::Stored),
    (2, Means::Wait),
    (3, Means::Final),
    (10, Means::Stored),
    (11, Means::Stored),
    (12, Means::Stored),
    (13, Means::Final),
    (14, Means::Elsewhere),
    (15, Means::Final),
    (17, Means::Elsewhere),
    (26, Means::Final),
    (204, Means::Elsewhere),
    (205, Means::Elsewhere),
    (215, Means::Wait),
    (501, Means::Elsewhere),
    (1500, Means::Wait),
    (22, Means::FinalAndUnknown),
    (604, Means::FinalAndUnknown),
];

/// Codes whose remark decides.
const REMARKS: [(i32, &str, Means); 9] = [
    (1, "", Means::ElsewhereAndUnknown),
    (1, "java.lang.IllegalStateException", Means::ElsewhereAndUnknown),
    (1, "org.apache.rocketmq.acl.common.AclException: no", Means::Final),
    (1, QUEUE, Means::Elsewhere),
    (1, "the broker unable to service", Means::Wait),
    (16, "no permission", Means::Final),
    (16, "the broker[1.2.3.4] sending message is forbidden", Means::Elsewhere),
    (29, "illegal characters", Means::Final),
    (29, QUEUE, Means::Elsewhere),
];

fn means(code: i32, remark: &str) -> Means {
    match judge(ResponseCode(code), remark) {
        Verdict::Stored(_) => Means::Stored,
        Verdict::Refused(refusal) => match (refusal.next, refusal.proves_not_stored) {
            (NextStep::GiveUp, true) => Means::Final,
            (NextStep::GiveUp, false) => Means::FinalAndUnknown,
            (NextStep::TryElsewhere, true) => Means::Elsewhere,
            (NextStep::TryElsewhere, false) => Means::ElsewhereAndUnknown,
            (NextStep::WaitAndTry, true) => Means::Wait,
            (NextStep::WaitAndTry, false) => panic!("{code} asks to wait and proves nothing"),
        },
    }
}

#[test]
fn every_code_means_what_the_table_says() {
    for (code, remark, expected) in REMARKS {
        assert_eq!(means(code, remark), expected, "{code} {remark}");
    }
    let with_remark: Vec<i32> = REMARKS.iter().map(|(code, ..)| *code).collect();
    // An interpreter needs a hundred times as long.
    let codes = if cfg!(miri) { -5..30 } else { -2_000..33_000 };
    for code in codes.filter(|code| !with_remark.contains(code)) {
        let listed = CODES.iter().find(|(known, _)| *known == code);
        let expected = listed.map_or(Means::FinalAndUnknown, |(_, expected)| *expected);
        for remark in ["", QUEUE, "sending message is forbidden"] {
            assert_eq!(means(code, remark), expected, "{code} {remark}");
        }
    }
}

/// The rules as sentences, asked in order; the first that applies decides.
fn expected(facts: Facts, failed: Failed) -> (Next, bool) {
    let asked_to_wait = matches!(failed, Failed::Refused { next: NextStep::WaitAndTry, .. });
    let may_be_stored = matches!(failed, Failed::Unknown | Failed::Refused { proves_not_stored: false, .. });
    // What never left, and what asks to come again, costs no attempt.
    let counts = failed != Failed::Unwritten && !asked_to_wait;
    let next = if matches!(failed, Failed::Refused { next: NextStep::GiveUp, .. }) {
        Next::Refused
    } else if counts && facts.counted == facts.retries {
        Next::Exhausted
    } else if may_be_stored && facts.resend == Resend::OnlyWhenNotStored {
        Next::ResendForbidden
    } else if !facts.alternative || (asked_to_wait && facts.waits > 0) {
        Next::AgainAfterPause
    } else {
        Next::Again
    };
    (next, counts)
}

#[test]
fn every_state_of_a_send_leads_where_the_rules_say() {
    let mut failures = Vec::from([Failed::Unwritten, Failed::Unknown]);
    for next in [NextStep::GiveUp, NextStep::TryElsewhere, NextStep::WaitAndTry] {
        for proves_not_stored in [true, false] {
            failures.push(Failed::Refused { proves_not_stored, next });
        }
    }
    let mut decisions = 0;
    for resend in [Resend::WhenMayBeStored, Resend::OnlyWhenNotStored] {
        for (retries, counted) in
            (0..5).flat_map(|retries| (0..=retries).map(move |counted| (retries, counted)))
        {
            for (alternative, waits) in [(true, 0), (true, 1), (false, 0), (false, 3)] {
                for failed in &failures {
                    let facts = Facts { resend, counted, retries, alternative, waits };
                    assert_eq!(
                        after_failure(facts, *failed),
                        expected(facts, *failed),
                        "{facts:?} {failed:?}"
                    );
                    decisions += 1;
                }
            }
        }
    }
    assert_eq!(decisions, 2 * 15 * 4 * 8);
}
