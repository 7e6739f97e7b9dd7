use super::{MOST_KEYS, MOST_UNDER_WAY, Tracer};
use crate::body::{PubTrace, TraceMessageType};
use crate::ground::Instant;
use crate::interface::TraceConfig;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

const NOW: Instant = Instant::from_millis(10_000);

fn tracer(change: impl FnOnce(&mut TraceConfig)) -> Tracer {
    let mut config = TraceConfig::default();
    change(&mut config);
    Tracer::new(config, "PG".parse().unwrap())
}

fn take(tracer: &mut Tracer, id: &str, keys: Option<&str>) -> bool {
    let record = PubTrace {
        time_stamp: 1,
        region: "R",
        group: "PG",
        topic: "T",
        msg_id: id,
        tags: None,
        keys,
        store_host: None,
        body_length: 1,
        cost_time: 1,
        message_type: TraceMessageType::Normal,
        offset_msg_id: None,
        success: true,
    };
    tracer.take(|out| record.write(out))
}

#[test]
fn a_message_has_so_many_records_and_their_keys_once() {
    let mut tracer = tracer(|config| config.batch_records = 3);
    for id in ["A", "B", "C", "D"] {
        assert!(take(&mut tracer, id, Some("k1 A")));
    }
    let batch = tracer.next_batch(NOW).unwrap();
    assert_eq!((batch.records, batch.keys.as_str()), (3, "A k1 B C"));
    let ids: Vec<&str> =
        batch.body.split_terminator('\u{2}').map(|r| r.split('\u{1}').nth(5).unwrap()).collect();
    assert_eq!(ids, ["A", "B", "C"]);
    assert!(tracer.next_batch(NOW).is_none(), "one is too few, and has not waited long enough");
    tracer.overdue = true;
    assert_eq!(tracer.next_batch(NOW).unwrap().records, 1);
    assert_eq!(tracer.memory().0, 4, "they are on their way");
    let bytes = tracer.memory().1;
    assert_eq!(tracer.message_over(NOW, 4, bytes, true), 0);
    assert_eq!(tracer.memory(), (0, 0));
}

#[test]
fn sizes_are_looked_at_before_a_record_is_added() {
    let mut tracer = tracer(|config| config.batch_bytes = 1_024);
    let long = "k".repeat(300);
    for id in ["A", "B", "C", "D"] {
        assert!(take(&mut tracer, id, Some(&long)));
    }
    let batch = tracer.next_batch(NOW).unwrap();
    assert_eq!(batch.records, 2, "a third would be too much");
    assert!(batch.body.len() <= 1_024 && batch.body.len() > 600, "{}", batch.body.len());
    assert!(!take(&mut tracer, "E", Some(&"k".repeat(1_100))), "longer than any message");
    // Keys have a limit of their own; a record with too many is found by its id alone.
    let mut tracer = self::tracer(|_| ());
    let half = "k".repeat(MOST_KEYS / 2);
    for (id, keys) in [("A", &half), ("B", &"j".repeat(MOST_KEYS / 2)), ("C", &"l".repeat(MOST_KEYS))] {
        assert!(take(&mut tracer, id, Some(keys)));
    }
    tracer.overdue = true;
    let keys: Vec<String> = core::iter::from_fn(|| tracer.next_batch(NOW)).map(|batch| batch.keys).collect();
    assert_eq!(keys[0], format!("A {half}"));
    assert!(keys[1].starts_with("B j") && keys[1].ends_with("j C"), "{}", keys.len());
}

#[test]
fn the_queue_is_bounded_by_records_and_bytes_and_so_is_what_is_under_way() {
    let mut tracer = tracer(|config| (config.queue_records, config.batch_records) = (40, 5));
    let taken = (0..50).filter(|n| take(&mut tracer, &format!("{n}"), None)).count();
    assert_eq!(taken, 40);
    let batches = core::iter::from_fn(|| tracer.next_batch(NOW)).count();
    assert_eq!(batches, MOST_UNDER_WAY);
    assert_eq!(tracer.next_look(NOW), None, "the end of a message tells");

    let mut tracer = self::tracer(|config| (config.batch_bytes, config.queue_bytes) = (1_024, 1_100));
    let taken = (0..50).filter(|n| take(&mut tracer, &format!("{n:02}"), None)).count();
    let (records, bytes) = tracer.memory();
    assert_eq!(taken, records);
    assert!(bytes <= 1_100 && bytes > 1_000, "{bytes}");
    // What is on its way still takes room.
    assert!(tracer.next_batch(NOW).is_some());
    assert_eq!(tracer.memory(), (records, bytes));
    assert!(!take(&mut tracer, "99", None));
}

#[test]
fn after_a_failure_it_rests_and_a_closed_producers_records_go() {
    let mut tracer = tracer(|config| config.batch_records = 1);
    assert!(take(&mut tracer, "A", None) && take(&mut tracer, "B", None));
    let batch = tracer.next_batch(NOW).unwrap();
    assert_eq!(tracer.message_over(NOW, 1, batch.body.len(), false), 0);
    assert!(tracer.next_batch(NOW).is_none());
    assert_eq!(tracer.next_look(NOW), Some(NOW + Duration::from_secs(5)));
    tracer.retire();
    let batch = tracer.next_batch(NOW).unwrap();
    assert!(take(&mut tracer, "C", None));
    assert_eq!(tracer.message_over(NOW, 1, batch.body.len(), false), 1, "the rest is dropped");
    assert!(tracer.is_done());
}
