use super::retries::Retries;
use super::v2::{Form, Known, fingerprint};
use crate::ground::{Instant, Key};
use crate::net::LinkKey;
use crate::request::HeartbeatAnswer;
use alloc::vec;

const F: i32 = 837_276_344;

fn link(n: u32) -> LinkKey {
    Key::from_parts(n, 0)
}

#[test]
fn fingerprints_are_those_of_java() {
    assert_eq!(fingerprint(vec!["PG"]), F);
    // The body of a captured heartbeat of Java, without its client id.
    assert_eq!(fingerprint(vec!["CLIENT_INNER_PRODUCER", "PG_vectors11"]), 170_165_630);
    assert_eq!(fingerprint(vec![]), 615_346_385);
}

#[test]
fn the_order_of_groups_does_not_matter() {
    assert_eq!(fingerprint(vec!["PG2", "PG"]), fingerprint(vec!["PG", "PG2"]));
    assert_eq!(fingerprint(vec!["PG", "PG2"]), -143_573_803);
}

/// What a broker answers, and the form of the heartbeat that follows one of each form.
#[test]
fn the_form_follows_from_the_answer() {
    let answer = |supports_v2, sub_change| HeartbeatAnswer { supports_v2, sub_change };
    assert_eq!(Known::default().form(F), Form::Whole, "nobody knows yet");
    for (written, answer, next) in [
        (Form::Whole, answer(true, false), Form::WithoutSub),
        (Form::Whole, answer(true, true), Form::Whole),
        (Form::Whole, answer(false, false), Form::V1),
        (Form::WithoutSub, answer(true, false), Form::WithoutSub),
        (Form::WithoutSub, answer(true, true), Form::Whole),
        (Form::WithoutSub, answer(false, false), Form::V1),
        // A broker of 5.x says so to version 1, too.
        (Form::V1, answer(true, true), Form::Whole),
        (Form::V1, answer(true, false), Form::Whole),
        (Form::V1, answer(false, false), Form::V1),
    ] {
        let mut known = Known::default();
        known.wrote(written, F);
        known.answered(answer);
        assert_eq!(known.form(F), next, "{written:?}, {answer:?}");
    }
}

#[test]
fn other_groups_are_told_in_whole() {
    let mut known = Known::default();
    known.wrote(Form::Whole, F);
    known.answered(HeartbeatAnswer { supports_v2: true, sub_change: false });
    assert_eq!(known.form(F + 1), Form::Whole);
}

#[test]
fn a_rejected_heartbeat_is_followed_by_a_plain_one() {
    let mut known = Known::default();
    known.wrote(Form::Whole, F);
    known.answered(HeartbeatAnswer { supports_v2: true, sub_change: false });
    known.rejected();
    assert_eq!(known.form(F), Form::V1);
}

#[test]
fn retries_wait_their_time_and_count_until_one_succeeds() {
    let at = Instant::from_millis;
    let mut retries = Retries::default();
    assert_eq!(retries.next(), Instant::NEVER);
    for failures in 1..=3 {
        retries.failed(link(1), |counted| {
            assert_eq!(counted, failures);
            at(u64::from(failures))
        });
    }
    retries.failed(link(2), |_| at(5));
    assert_eq!((retries.next(), retries.take_due(at(2))), (at(3), None));
    assert_eq!((retries.take_due(at(4)), retries.take_due(at(4))), (Some(link(1)), None));
    // One that is under way is not asked again, and its failures stay counted.
    assert_eq!(retries.next(), at(5));
    retries.failed(link(1), |counted| {
        assert_eq!(counted, 4);
        at(9)
    });
    retries.rest(link(2));
    assert_eq!(retries.next(), at(9));
    retries.succeeded(link(1));
    retries.retain(|other| other != link(2));
    retries.failed(link(2), |counted| {
        assert_eq!(counted, 1);
        at(1)
    });
}
