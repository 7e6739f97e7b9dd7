use super::brokers::BrokerKey;
use super::latency_fault::{LatencyFaults, Noted, Watch};
use crate::ground::{Instant, Key};
use crate::interface::{FaultDetector, LatencyFault};
use core::time::Duration;

const FAST: Duration = Duration::from_millis(3);
const SLOW: Duration = Duration::from_millis(800);
/// What a slow answer earns, and what a failure does.
const AFTER_SLOW: Duration = Duration::from_secs(2);
const AFTER_FAILURE: Duration = Duration::from_secs(10);

fn broker(n: u32) -> BrokerKey {
    Key::from_parts(n, 0)
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn without_detector() -> LatencyFaults {
    LatencyFaults::new(LatencyFault::default())
}

fn with_detector() -> LatencyFaults {
    let detector = Some(FaultDetector::default());
    LatencyFaults::new(LatencyFault { detector, ..LatencyFault::default() })
}

#[test]
fn a_broker_that_answers_in_time_leaves_no_trace() {
    let mut faults = without_detector();
    assert_eq!(faults.note(at(0), broker(1), Duration::from_millis(549), false), Noted::default());
    assert!(faults.is_available(at(0), broker(1)) && faults.is_reachable(broker(1)));
    assert_eq!(faults.remembered(), 0);
}

#[test]
fn a_late_answer_and_a_failure_cost_what_the_table_says() {
    for (latency, failed, back_off) in [(SLOW, false, AFTER_SLOW), (FAST, true, AFTER_FAILURE)] {
        let mut faults = without_detector();
        let noted = faults.note(at(500), broker(1), latency, failed);
        assert_eq!(noted, Noted { avoided_for: Some(back_off), watch_at: None });
        let over = at(500) + back_off;
        assert!(!faults.is_available(over - Duration::from_micros(1), broker(1)));
        assert!(faults.is_available(over, broker(1)));
        assert!(faults.is_available(at(500), broker(2)), "nobody else");
        assert!(faults.is_reachable(broker(1)), "only a detector could tell that it is reachable again");
    }
}

#[test]
fn the_time_of_avoidance_grows_and_is_not_cut_short() {
    let mut faults = without_detector();
    faults.note(at(0), broker(1), FAST, true);
    let again = faults.note(at(100), broker(1), SLOW, false);
    assert_eq!(again.avoided_for, None, "it was avoided before");
    faults.note(at(200), broker(1), FAST, false);
    assert!(!faults.is_available(at(9_999), broker(1)));
    faults.note(at(9_000), broker(1), SLOW, false);
    assert!(!faults.is_available(at(10_999), broker(1)));
    assert!(faults.is_available(at(11_000), broker(1)));
}

#[test]
fn one_message_tries_a_broker_whose_time_is_over() {
    let mut faults = without_detector();
    faults.note(at(0), broker(1), SLOW, false);
    faults.chosen(at(1_000), broker(1));
    assert!(faults.is_available(at(2_000), broker(1)), "a message that had no better choice tries nothing");
    faults.chosen(at(2_000), broker(1));
    assert!(!faults.is_available(at(2_001), broker(1)), "the others wait for its outcome");
    // Still late: only what that earned holds.
    let noted = faults.note(at(2_800), broker(1), SLOW, false);
    assert_eq!(noted.avoided_for, None);
    assert!(!faults.is_available(at(4_799), broker(1)) && faults.is_available(at(4_800), broker(1)));
    faults.chosen(at(5_000), broker(1));
    faults.note(at(5_003), broker(1), FAST, false);
    assert!(faults.is_available(at(5_003), broker(1)));
    assert_eq!(faults.remembered(), 0);
}

#[test]
fn a_trial_without_an_outcome_does_not_last() {
    let mut faults = without_detector();
    faults.note(at(0), broker(1), SLOW, false);
    faults.chosen(at(2_000), broker(1));
    assert!(!faults.is_available(at(11_999), broker(1)));
    assert!(faults.is_available(at(12_000), broker(1)));
}

#[test]
fn a_broker_that_failed_is_asked_when_its_time_is_over_and_used_once_it_answered() {
    let mut faults = with_detector();
    let noted = faults.note(at(0), broker(1), FAST, true);
    assert_eq!(noted, Noted { avoided_for: Some(AFTER_FAILURE), watch_at: Some(at(10_000)) });
    assert!(!faults.is_reachable(broker(1)));
    // Another failure meanwhile: no second timer.
    assert_eq!(faults.note(at(4_000), broker(1), FAST, true), Noted::default());
    assert_eq!(faults.look(at(10_000), broker(1)), Watch::At(at(14_000)));
    assert_eq!(faults.look(at(14_000), broker(1)), Watch::Ask(Duration::from_millis(200)));
    assert_eq!(faults.asked(at(14_200), broker(1), false), Some(at(16_200)));
    assert!(!faults.is_available(at(15_000), broker(1)), "its time is over, and it cannot be reached");
    assert_eq!(faults.look(at(16_200), broker(1)), Watch::Ask(Duration::from_millis(200)));
    assert_eq!(faults.asked(at(16_201), broker(1), true), None);
    assert!(faults.is_reachable(broker(1)) && faults.is_available(at(16_201), broker(1)));
    // It lives; whether it is fast shows with one message.
    faults.chosen(at(16_300), broker(1));
    assert!(!faults.is_available(at(16_300), broker(1)));
    faults.note(at(16_303), broker(1), FAST, false);
    assert_eq!(faults.remembered(), 0);
}

#[test]
fn a_broker_that_is_only_late_is_not_asked() {
    let mut faults = with_detector();
    assert_eq!(faults.note(at(0), broker(1), SLOW, false).watch_at, None);
    assert!(faults.is_reachable(broker(1)) && faults.is_available(at(2_000), broker(1)));
}

#[test]
fn an_answer_to_a_message_is_a_sign_of_life_as_well() {
    let mut faults = with_detector();
    faults.note(at(0), broker(1), FAST, true);
    faults.note(at(1), broker(1), FAST, false);
    assert!(faults.is_reachable(broker(1)) && !faults.is_available(at(9_999), broker(1)));
    assert_eq!(faults.look(at(10_000), broker(1)), Watch::Over);
    assert!(faults.is_available(at(10_000), broker(1)));
    // A later failure is watched anew.
    assert_eq!(faults.note(at(11_000), broker(1), FAST, true).watch_at, Some(at(21_000)));
}

#[test]
fn a_broker_that_left_is_forgotten() {
    let mut faults = with_detector();
    faults.note(at(0), broker(1), FAST, true);
    faults.note(at(0), broker(2), FAST, true);
    faults.retain(|kept| kept == broker(2));
    assert_eq!(faults.remembered(), 1);
    assert_eq!(faults.look(at(10_000), broker(1)), Watch::Over);
    assert_eq!(faults.asked(at(10_000), broker(1), false), None);
}
