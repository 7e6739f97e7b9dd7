//! Message trace, read back by the key of each message as consoles do.

use std::time::{Duration, Instant};

use rocketmq_tokio::{Client, Message, MessageQuery, Producer, SendReceipt, TopicName, TraceConfig};

use super::bench::Bench;

const LONG: Duration = Duration::from_secs(30);
const COUNT: usize = 25;

/// Records of sends and of the end of a transaction are found by the ids of the messages, in the topic of the servers and in
/// one of the producer's own.
pub(crate) fn trace(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("trace", &["broker-a", "broker-b"]);
    let client = bench.client();
    let begin = Instant::now();
    let own: TopicName = bench.topic("trace-own");
    let open = |group: &str, trace: TraceConfig| {
        let opening = client.producer(bench.name(group)).trace(trace).open();
        bench.run(opening).expect("a producer")
    };
    let usual = open("trace", TraceConfig::default());
    let others = open("trace-own", TraceConfig { batch_records: 1, ..TraceConfig::to(own.clone()) });
    let sent: Vec<SendReceipt> = (0..COUNT).map(|number| send(bench, &usual, &topic, number)).collect();
    let to_own = send(bench, &others, &topic, COUNT);
    let half = Message::builder(topic.clone()).body("half").key("half").build().expect("a message");
    let transaction = bench.run(async move {
        let transaction = usual.send_half(half).within(LONG).await.expect("a half message");
        let key = transaction.unique_key();
        transaction.commit().within(LONG).await.expect("a commit");
        key
    });
    let counted = client.clone();
    let left = bench.run(async move { client.shutdown(LONG).await });
    assert!(left.is_empty());
    // All of them had their verdicts before the end, and what waited went out with the shutdown.
    let counters = counted.counters();
    let records = (counters.trace_records, counters.trace_records_sent, counters.trace_records_dropped);
    assert_eq!(records, (COUNT as u64 + 3, COUNT as u64 + 3, 0));

    let reader = bench.client();
    let servers_own: TopicName = TopicName::trace_topic();
    for (number, receipt) in sent.iter().enumerate() {
        let record = one(find(bench, &reader, &servers_own, receipt.message_id.as_str(), 1));
        is_of(bench, &record, receipt, &topic, number);
        assert_eq!(record[3], bench.name("trace"));
    }
    let record = one(find(bench, &reader, &own, to_own.message_id.as_str(), 1));
    is_of(bench, &record, &to_own, &topic, COUNT);
    let mut of_half = find(bench, &reader, &servers_own, transaction.as_str(), 2);
    of_half.sort();
    assert_eq!((of_half[0][0].as_str(), of_half[1][0].as_str()), ("EndTransaction", "Pub"));
    assert_eq!(of_half[0][9..], ["2", transaction.as_str(), "COMMIT_MESSAGE", "false"]);
    assert_eq!((of_half[1][11].as_str(), of_half[1][13].as_str()), ("1", "true"));
    bench.run(async move { reader.shutdown(LONG).await });
    format!("{} records found by message id, {:.1} s", COUNT + 3, begin.elapsed().as_secs_f64())
}

fn send(bench: &Bench<'_>, producer: &Producer, topic: &TopicName, number: usize) -> SendReceipt {
    let message = Message::builder(topic.clone()).body(format!("body {number}")).tag("a-tag");
    let message = message.key(&format!("k-{number}")).key("another").build().expect("a message");
    let sending = producer.send(message).within(LONG);
    bench.run(async move { sending.await }).expect("it is stored")
}

fn is_of(bench: &Bench<'_>, record: &[String], receipt: &SendReceipt, topic: &TopicName, number: usize) {
    let broker = bench.cluster.broker_address(receipt.queue.broker_name.as_str()).expect("an address");
    let keys = format!("k-{number} another");
    let body_length = format!("body {number}").len().to_string();
    assert_eq!((record[0].as_str(), record.len(), record[2].as_str()), ("Pub", 14, "DefaultRegion"));
    assert_eq!((record[4].as_str(), record[6].as_str(), &record[7]), (topic.as_str(), "a-tag", &keys));
    assert_eq!((record[8].as_str(), &record[9], record[11].as_str()), (broker, &body_length, "0"));
    assert_eq!((record[12].as_str(), record[13].as_str()), (receipt.offset_message_id.as_str(), "true"));
}

fn one(mut records: Vec<Vec<String>>) -> Vec<String> {
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

/// The records of a message; brokers find what is new a moment later.
fn find(bench: &Bench<'_>, client: &Client, topic: &TopicName, id: &str, count: usize) -> Vec<Vec<String>> {
    let begin = Instant::now();
    loop {
        let (admin, query) = (client.admin().within(LONG), MessageQuery::new(topic.clone(), id));
        let result = bench.run(async move { admin.query_messages(query).await });
        let messages = result.map(|found| found.messages).unwrap_or_default();
        let bodies = messages.iter().map(|found| String::from_utf8_lossy(found.message.body()).into_owned());
        let records = bodies.flat_map(|body| {
            let split = |record: &str| record.split('\u{1}').map(str::to_owned).collect::<Vec<String>>();
            body.split_terminator('\u{2}').map(split).collect::<Vec<_>>()
        });
        let found: Vec<Vec<String>> =
            records.filter(|record| record.get(5).is_some_and(|it| it == id)).collect();
        if found.len() >= count {
            return found;
        }
        assert!(begin.elapsed() < LONG, "{} records of {id} in {topic} after {LONG:?}", found.len());
        std::thread::sleep(Duration::from_millis(50));
    }
}
