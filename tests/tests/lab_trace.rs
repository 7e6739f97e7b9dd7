//! Message trace as applications switch it on, in simulated time.

use std::time::Duration;

use rocketmq_driver::{Message, TraceConfig};
use rocketmq_sim::lab::{self, SendFault};

const SECOND: Duration = Duration::from_secs(1);

fn message(body: &str) -> Message {
    Message::new("placed".parse().expect("a topic's name"), body.to_owned())
}

/// The records of a topic, field by field.
fn records(stored: Vec<rocketmq_sim::cluster::StoredMessage>) -> Vec<Vec<String>> {
    let text = |body: &[u8]| String::from_utf8(body.to_vec()).expect("text");
    let bodies: Vec<String> = stored.iter().map(|message| text(&message.body)).collect();
    let all = bodies.iter().flat_map(|body| body.split_terminator('\u{2}'));
    all.map(|record| record.split('\u{1}').map(str::to_owned).collect()).collect()
}

#[test]
fn what_waits_of_the_records_goes_out_with_the_shutdown() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let opening = client.producer("senders").trace_to("audit".parse().expect("a topic's name"));
        let producer = opening.await.expect("the settings are in order");
        let receipt = producer.send(message("a")).await.expect("stored");
        assert_eq!(lab.stored("audit").len(), 0, "it waits for others");
        client.shutdown(SECOND).await;
        let records = records(lab.stored("audit"));
        assert_eq!(records.len(), 1, "{records:?}");
        assert_eq!((records[0][3].as_str(), records[0][4].as_str()), ("senders", "placed"));
        assert_eq!(records[0][5], receipt.message_id.to_string());
        assert_eq!(records[0][12], receipt.offset_message_id.to_string());
        assert_eq!(client.counters().trace_records_sent, 1);
    });
}

#[test]
fn trace_that_fails_harms_no_send() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let trace = TraceConfig { batch_records: 1, ..TraceConfig::default() };
        let producer = client.producer("senders").trace(trace).await.expect("the settings are in order");
        producer.send(message("a")).await.expect("stored");
        // Neither the message nor its record is stored any more, and then the broker is well again.
        lab.sleep(SECOND).await;
        lab.broker(0).next_sends(2, SendFault::Refuse { code: 13, remark: "illegal".to_owned() });
        producer.send(message("b")).await.expect_err("refused");
        lab.sleep(60 * SECOND).await;
        let counters = client.counters();
        assert_eq!((counters.trace_records, counters.trace_records_dropped), (2, 1));
        client.shutdown(SECOND).await;
    });
}

#[test]
fn a_setting_that_cannot_work_is_refused_by_its_name() {
    lab::check(0..2, |lab| async move {
        let trace = TraceConfig { queue_bytes: 1, ..TraceConfig::default() };
        let error = lab.client().producer("senders").trace(trace).await.expect_err("too small");
        assert!(error.to_string().contains("trace.queue_bytes"), "{error}");
    });
}
