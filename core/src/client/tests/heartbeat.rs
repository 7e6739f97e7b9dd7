//! Heartbeats: their versions, their failures, and that no broker waits for one too long.

use super::*;
use crate::interface::Counters;

const BROKER: &str = "10.0.0.0:10911";
const NO_ANSWER: Duration = Duration::from_secs(3);
const ROUND: Duration = Duration::from_secs(30);

fn v2_config() -> ClientConfig {
    ClientConfig { heartbeat_v2: true, ..config() }
}

/// A rig with a connected broker whose first heartbeat is not answered yet.
fn greeting(config: ClientConfig) -> (Rig, Request) {
    let mut rig = Rig::new(config);
    let producer = rig.open("PG");
    rig.send(producer, "T", Duration::from_secs(600));
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer_stored(&send, 0, 5);
    (rig, heartbeat)
}

/// The answer of a broker of 5.x.
fn accept(rig: &mut Rig, heartbeat: &Request, sub_change: bool) {
    let ext =
        vec![("IS_SUPPORT_HEART_BEAT_V2", "true".to_string()), ("IS_SUB_CHANGE", sub_change.to_string())];
    rig.answer_raw(heartbeat.conn, heartbeat.opaque, 0, None, ext, b"");
}

/// Lets a time pass in which the name server answers and the broker does not; gives the heartbeats that were sent.
fn heartbeats_within(rig: &mut Rig, time: Duration) -> Vec<Request> {
    let end = rig.now.mono + time;
    while rig.now.mono < end {
        let step = rig.client.deadline().unwrap_or(end).min(end).since(rig.now.mono);
        rig.pass(step.max(Duration::from_micros(1)));
        while rig.requests.iter().any(|request| request.code == RequestCode::GET_ROUTEINFO_BY_TOPIC) {
            rig.answer_route(&["broker-a"]);
        }
    }
    let (heartbeats, others) = core::mem::take(&mut rig.requests)
        .into_iter()
        .partition(|request| request.code == RequestCode::HEART_BEAT);
    rig.requests = others;
    heartbeats
}

fn next_heartbeat(rig: &mut Rig, within: Duration) -> Request {
    let end = rig.now.mono + within;
    while rig.now.mono < end {
        let step = Duration::from_millis(100).min(end.since(rig.now.mono));
        let mut heartbeats = heartbeats_within(rig, step);
        if let Some(heartbeat) = heartbeats.pop() {
            assert!(heartbeats.is_empty(), "one at a time");
            return heartbeat;
        }
    }
    panic!("no heartbeat within {within:?}");
}

/// Fingerprint, and whether subscriptions are left out.
fn version_of(heartbeat: &Request) -> (i64, bool) {
    let body: serde_json::Value = serde_json::from_slice(&heartbeat.body).unwrap();
    assert_eq!(body["producerDataSet"], serde_json::json!([{"groupName": "PG"}]), "never left out");
    assert_eq!(body["consumerDataSet"], serde_json::json!([]));
    (body["heartbeatFingerprint"].as_i64().unwrap(), body["withoutSub"].as_bool().unwrap())
}

fn counted(rig: &Rig) -> (u64, u64, u64) {
    let Counters { heartbeats, heartbeats_without_sub, heartbeats_failed, .. } = rig.client.counters();
    (heartbeats, heartbeats_without_sub, heartbeats_failed)
}

fn told_failures(rig: &mut Rig) -> Vec<String> {
    let notices = core::mem::take(&mut rig.notices).into_iter();
    let told = notices.filter_map(|notice| match notice {
        Notice::HeartbeatFailed { endpoint, why } => Some(format!("{endpoint}: {why}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn version_two_is_off_unless_it_is_wanted() {
    let (mut rig, heartbeat) = greeting(config());
    assert_eq!(version_of(&heartbeat), (0, false));
    accept(&mut rig, &heartbeat, true);
    let next = next_heartbeat(&mut rig, ROUND);
    assert_eq!(version_of(&next), (0, false));
}

#[test]
fn a_broker_that_has_heard_everything_is_told_that_nothing_changed() {
    let (mut rig, heartbeat) = greeting(v2_config());
    assert_eq!(version_of(&heartbeat), (837_276_344, false));
    accept(&mut rig, &heartbeat, false);
    let second = next_heartbeat(&mut rig, ROUND);
    assert_eq!(version_of(&second), (837_276_344, true));
    // The broker wants to hear it again.
    accept(&mut rig, &second, true);
    let third = next_heartbeat(&mut rig, ROUND);
    assert_eq!(version_of(&third), (837_276_344, false));
    accept(&mut rig, &third, false);
    assert_eq!(counted(&rig), (3, 1, 0));
    // Another group: everything is told at once, under another fingerprint.
    rig.open("PG2");
    let changed = rig.take_request(RequestCode::HEART_BEAT);
    let body: serde_json::Value = serde_json::from_slice(&changed.body).unwrap();
    assert_eq!(body["heartbeatFingerprint"], -143_573_803);
    assert_eq!(body["withoutSub"], false);
    assert_eq!(body["producerDataSet"].as_array().unwrap().len(), 2);
}

#[test]
fn a_broker_that_does_not_know_version_two_gets_version_one() {
    let (mut rig, heartbeat) = greeting(v2_config());
    rig.answer(&heartbeat, 0, None);
    for _ in 0..2 {
        let next = next_heartbeat(&mut rig, ROUND);
        assert_eq!(version_of(&next), (0, false));
        rig.answer(&next, 0, None);
    }
    // As soon as it says so it gets version 2.
    let next = next_heartbeat(&mut rig, ROUND);
    accept(&mut rig, &next, true);
    assert_eq!(version_of(&next_heartbeat(&mut rig, ROUND)), (837_276_344, false));
}

#[test]
fn a_broker_that_comes_back_is_greeted_at_once_and_in_whole() {
    let (mut rig, heartbeat) = greeting(v2_config());
    accept(&mut rig, &heartbeat, false);
    rig.input(Input::Closed { conn: heartbeat.conn, why: CloseReason::Reset });
    rig.pass(Duration::from_millis(200));
    assert_eq!(rig.connects.len(), 1);
    assert!(rig.requests.is_empty());
    rig.connect_all();
    let greeting = rig.take_request(RequestCode::HEART_BEAT);
    assert_ne!(greeting.conn, heartbeat.conn);
    assert_eq!(version_of(&greeting), (837_276_344, false), "another process may answer there");
}

#[test]
fn a_rejected_heartbeat_is_counted_and_told_and_tried_again() {
    let (mut rig, mut heartbeat) = greeting(v2_config());
    for (failures, most) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 8_000)] {
        rig.answer(&heartbeat, 2, Some("broker\nbusy"));
        assert_eq!(
            told_failures(&mut rig),
            [format!("{BROKER}: {}: broker busy", ResponseCode::SYSTEM_BUSY)]
        );
        assert_eq!(counted(&rig).2, failures);
        let early = heartbeats_within(&mut rig, Duration::from_millis(most / 2 - 1));
        assert!(early.is_empty(), "after {failures} failures");
        heartbeat = next_heartbeat(&mut rig, Duration::from_millis(most / 2 + 1));
        assert_eq!(version_of(&heartbeat), (0, false), "the plain form is tried");
    }
    accept(&mut rig, &heartbeat, true);
    let next = next_heartbeat(&mut rig, ROUND);
    assert_eq!(version_of(&next), (837_276_344, false));
    // A failure after a success starts with the first pause again.
    rig.answer(&next, 1, None);
    next_heartbeat(&mut rig, Duration::from_millis(1_000));
}

#[test]
fn a_heartbeat_that_a_busy_connection_leaves_without_an_answer_is_tried_again() {
    let (mut rig, heartbeat) = greeting(config());
    rig.answer(&heartbeat, 0, None);
    let unanswered = next_heartbeat(&mut rig, ROUND);
    // Something else is heard, so the connection is not silent.
    let conn = unanswered.conn;
    rig.pass(Duration::from_secs(1));
    rig.answer_raw(conn, 12_345, 0, None, Vec::new(), b"");
    let again = next_heartbeat(&mut rig, NO_ANSWER);
    assert_eq!((again.conn, counted(&rig).2), (conn, 1));
    assert_eq!(told_failures(&mut rig), [format!("{BROKER}: no answer in time")]);
}

/// Brokers forget a client after 120 s: whatever they say to heartbeats, the next one comes well before.
#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn no_broker_waits_for_a_heartbeat_longer_than_a_round() {
    let step = Duration::from_millis(100);
    for code in [0, 1, 2, 16] {
        let (mut rig, mut heartbeat) = greeting(config());
        let end = rig.now.mono + Duration::from_secs(600);
        let mut last = rig.now.mono;
        while rig.now.mono < end {
            rig.answer(&heartbeat, code, None);
            heartbeat = loop {
                if let Some(sent) = heartbeats_within(&mut rig, step).pop() {
                    break sent;
                }
            };
            let gap = rig.now.mono.since(last);
            assert!(gap <= ROUND + step, "code {code}: {gap:?} without a heartbeat");
            last = rig.now.mono;
        }
        let (all, _, failed) = counted(&rig);
        assert_eq!(failed > 0, code != 0);
        assert!(all <= 50, "code {code}: {all} heartbeats in ten minutes");
    }
}
