//! When routes are looked for again after name servers were silent.

use super::{Rig, config};
use crate::command::RequestCode;
use alloc::vec::Vec;
use core::time::Duration;

/// Answers what is asked about routes: topics are unknown, and the default topic is there.
fn answer_queries(rig: &mut Rig) -> usize {
    let borrowed = r#"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.9:10911"},"brokerName":"broker-a","cluster":"C"}],
        "queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}"#;
    let mut count = 0;
    while let Some(at) = rig.requests.iter().position(|it| it.code == RequestCode::GET_ROUTEINFO_BY_TOPIC) {
        let request = rig.requests.remove(at);
        let (code, body) =
            if request.ext["topic"] == "T" { (17, &b""[..]) } else { (0, borrowed.as_bytes()) };
        rig.answer_raw(request.conn, request.opaque, code, None, Vec::new(), body);
        count += 1;
    }
    count
}

/// Lets seconds pass, in which everything that is asked is answered or nothing is. Returns how many queries there were.
fn pass_seconds(rig: &mut Rig, seconds: u64, answers: bool) -> usize {
    let mut queries = 0;
    for _ in 0..seconds {
        rig.connect_all();
        queries += if answers {
            answer_queries(rig)
        } else {
            let before = rig.requests.len();
            rig.requests.retain(|it| it.code != RequestCode::GET_ROUTEINFO_BY_TOPIC);
            before - rig.requests.len()
        };
        while let Some(at) = rig.requests.iter().position(|it| it.code == RequestCode::HEART_BEAT) {
            let request = rig.requests.remove(at);
            rig.answer(&request, 0, None);
        }
        rig.pass(Duration::from_secs(1));
    }
    queries
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_topic_that_was_unknown_for_long_does_not_wait_for_the_next_round_after_a_silence() {
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    rig.send(producer, "T", Duration::from_secs(3));
    // The borrowed route is looked at less and less often, until only the rounds are left.
    pass_seconds(&mut rig, 150, true);
    let in_a_round = pass_seconds(&mut rig, 30, true);
    assert_eq!(in_a_round, 2, "the topic and the default topic");
    // A round without answers is followed by further questions, before the next one is due.
    let (mut silent, mut seconds) = (0, 0);
    while silent == 0 {
        silent = pass_seconds(&mut rig, 1, false);
        seconds += 1;
    }
    assert!(seconds <= 31);
    let again = pass_seconds(&mut rig, 20, false);
    assert!((2..=6).contains(&again), "{again} questions in the 20 s after a silence");
    let after = pass_seconds(&mut rig, 40, false);
    assert!(after <= 4, "{after} questions in the 40 s after them");
}
