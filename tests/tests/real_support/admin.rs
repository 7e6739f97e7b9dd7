//! Administrative calls.

use std::time::{Duration, Instant};

use rocketmq_tokio::{
    Admin, AdminError, BrokerName, Message, MessageExt, MessageQuery, MessageQueue, OffsetBoundary,
    SendReceipt, Target, TopicConfig, TopicName, TopicPlace,
};

use super::bench::Bench;

const LONG: Duration = Duration::from_secs(30);
const COUNT: usize = 40;
const KEY: &str = "a-key";

/// A topic is created and written to, and everything about it and its messages is asked for.
pub(crate) fn administration(bench: &Bench<'_>) -> String {
    let (client, topic) = (bench.client(), bench.topic("administration"));
    let admin = client.admin().within(LONG);
    let brokers: Vec<BrokerName> =
        bench.cluster.brokers().map(|name| name.parse().expect("a name")).collect();
    let begin = Instant::now();
    topics_are_made(bench, &admin, &topic, &brokers);
    let queues = in_the_end("the route of the topic", || {
        let (admin, topic) = (admin.clone(), topic.clone());
        let queues = bench.run(async move { admin.publish_queues(topic).await }).ok()?;
        (queues.len() == 2 * brokers.len()).then_some(queues)
    });
    let sent = send(bench, &client, &topic, &queues);
    offsets_add_up(bench, &admin, &queues, &sent);
    what_is_missing_is_told(bench, &admin, &topic, &queues);
    messages_are_found(bench, &admin, &topic, &sent);
    let left = bench.run(async move { client.shutdown(LONG).await });
    assert!(left.is_empty());
    format!("{COUNT} messages found by place, key and unique key, {:.1} s", begin.elapsed().as_secs_f64())
}

/// Routes and indexes follow a moment later.
fn in_the_end<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begin.elapsed() < LONG, "{what} is not what it should be after {LONG:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn topics_are_made(bench: &Bench<'_>, admin: &Admin, topic: &TopicName, brokers: &[BrokerName]) {
    let make = |config: TopicConfig, place: TopicPlace| {
        let making = admin.create_topic(config.topic.clone()).config(config).on(place);
        bench.run(async move { making.await })
    };
    let config = TopicConfig { read_queues: 2, write_queues: 2, ..TopicConfig::new(topic.clone()) };
    let mut made = make(config.clone(), TopicPlace::OnlyCluster).expect("a topic");
    made.sort();
    assert_eq!(made, brokers);
    // Once more, as what it is.
    for broker in brokers {
        assert_eq!(make(config.clone(), TopicPlace::Broker(broker.clone())), Ok(vec![broker.clone()]));
    }
    let unknown = make(config, TopicPlace::Cluster("nowhere".to_owned()));
    assert!(matches!(unknown, Err(AdminError::UnknownCluster { .. })), "{unknown:?}");
    let system = TopicConfig::new("SCHEDULE_TOPIC_XXXX".parse().expect("a name"));
    let refused = make(system, TopicPlace::OnlyCluster);
    assert!(matches!(&refused, Err(AdminError::Brokers { done, .. }) if done.is_empty()), "{refused:?}");

    let (asked, name) = (admin.clone(), topic.to_string());
    in_the_end("the list of topics", || {
        let asked = asked.clone();
        bench.run(async move { asked.topics().await }).expect("an answer").contains(&name).then_some(())
    });
    let asked = admin.clone();
    let info = bench.run(async move { asked.cluster_info().await }).expect("an answer");
    for broker in brokers {
        let address = bench.cluster.broker_address(broker.as_str()).expect("an address");
        assert_eq!(info.brokers[broker.as_str()].broker_addrs[&0], address);
    }
}

/// One message after the other, to each queue in turn.
fn send(
    bench: &Bench<'_>,
    client: &rocketmq_tokio::Client,
    topic: &TopicName,
    queues: &[MessageQueue],
) -> Vec<(SendReceipt, String)> {
    let producer = bench.producer(client, "administration");
    let send = |number: usize| {
        let body = format!("body {number}");
        let message = Message::builder(topic.clone()).body(body.clone()).key(KEY).key(&format!("k-{number}"));
        let target = Target::Queue(queues[number % queues.len()].clone());
        let sending = producer.send(message.build().expect("a message")).to(target).within(LONG);
        (bench.run(async move { sending.await }).expect("it is stored"), body)
    };
    (0..COUNT).map(send).collect()
}

fn offsets_add_up(bench: &Bench<'_>, admin: &Admin, queues: &[MessageQueue], sent: &[(SendReceipt, String)]) {
    for queue in queues {
        let of_queue: Vec<_> = sent.iter().filter(|(receipt, _)| receipt.queue == *queue).collect();
        let count = i64::try_from(of_queue.len()).expect("a few");
        let ask = |boundary: OffsetBoundary, time: i64| {
            let (admin, queue) = (admin.clone(), queue.clone());
            bench.run(async move { admin.search_offset(&queue, time, boundary).await }).expect("an offset")
        };
        let (asked, of) = (admin.clone(), queue.clone());
        let (min, max, first) = in_the_end("the offsets of a queue", || {
            let (asked, of) = (asked.clone(), of.clone());
            let (min, max, first) = bench.run(async move {
                let max = asked.max_offset(&of).await.expect("an offset");
                (asked.min_offset(&of).await.expect("an offset"), max, asked.earliest_store_time(&of).await)
            });
            // What consumers can see follows the store.
            (max == count).then(|| (min, max, first.expect("an answer")))
        });
        assert_eq!((min, max), (0, count), "{queue}");
        let first = first.expect("there are messages");
        assert_eq!(ask(OffsetBoundary::Lower, 0), 0);
        assert_eq!(ask(OffsetBoundary::Lower, first), 0);
        // 4.x names the last message, 5.x the place behind it.
        assert!([max - 1, max].contains(&ask(OffsetBoundary::Lower, first + 86_400_000)));
        assert_eq!(ask(OffsetBoundary::Upper, first - 86_400_000).min(0), 0);
    }
}

fn what_is_missing_is_told(bench: &Bench<'_>, admin: &Admin, topic: &TopicName, queues: &[MessageQueue]) {
    let ask = |queue: MessageQueue| {
        let admin = admin.clone();
        bench.run(async move { admin.max_offset(&queue).await })
    };
    let missing = MessageQueue { queue_id: 99, ..queues[0].clone() };
    assert_eq!(ask(missing.clone()), Err(AdminError::UnknownQueue(missing)));
    let nowhere: TopicName = bench.topic("administration-nowhere");
    let missing = MessageQueue { topic: nowhere.clone(), ..queues[0].clone() };
    assert_eq!(ask(missing), Err(AdminError::TopicUnknown(nowhere)));
    let (asked, topic) = (admin.clone(), topic.clone());
    let none = bench.run(async move { asked.query_messages(MessageQuery::new(topic, "no-such-key")).await });
    assert!(none.expect("an answer").messages.is_empty());
}

fn messages_are_found(bench: &Bench<'_>, admin: &Admin, topic: &TopicName, sent: &[(SendReceipt, String)]) {
    let same = |found: &MessageExt, (receipt, body): &(SendReceipt, String)| {
        assert_eq!(found.message.body(), body.as_bytes());
        assert_eq!(found.unique_key(), Some(receipt.message_id));
        assert_eq!(found.offset_message_id(), receipt.offset_message_id);
        assert_eq!((found.queue_id, found.queue_offset), (receipt.queue.queue_id, receipt.queue_offset));
    };
    for one in sent {
        let (asked, of, id) = (admin.clone(), topic.clone(), one.0.offset_message_id);
        same(&bench.run(async move { asked.view_message(Some(of), id).await }).expect("it is there"), one);
        let found = in_the_end("the index of unique keys", || {
            let (asked, topic, key) = (admin.clone(), topic.clone(), one.0.message_id);
            match bench.run(async move { asked.query_unique_key(topic, key.as_str()).await }) {
                Err(AdminError::NotFound) => None,
                other => Some(other.expect("it is there")),
            }
        });
        same(&found, one);
    }
    let found = in_the_end("the index of keys", || {
        let (asked, query) = (admin.clone(), MessageQuery::new(topic.clone(), KEY));
        let found = bench.run(async move { asked.query_messages(query).await }).expect("an answer");
        assert!(found.failed.is_empty(), "{:?}", found.failed);
        (found.messages.len() == COUNT).then_some(found.messages)
    });
    // Two brokers may have stored two messages in the same millisecond.
    assert!(found.is_sorted_by_key(|message| message.store_timestamp));
    for one in sent {
        let message = found.iter().find(|message| message.unique_key() == Some(one.0.message_id));
        same(message.expect("it is there"), one);
    }
    let (asked, query) = (admin.clone(), MessageQuery::new(topic.clone(), "k-7"));
    let seventh = bench.run(async move { asked.query_messages(query).await }).expect("an answer").messages;
    assert_eq!(seventh.len(), 1);
    same(&seventh[0], &sent[7]);
}
