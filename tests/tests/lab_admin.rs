//! Administrative calls against the simulated cluster, in the way of both releases.

use std::time::Duration;

use rocketmq_driver::{
    Admin, AdminError, BrokerName, CallFailure, Message, MessageQuery, MessageQueue, OffsetBoundary,
    SerializeType, TopicConfig, TopicName, TopicPlace,
};
use rocketmq_sim::cluster::Dialect;
use rocketmq_sim::lab::{self, DropAt, Lab, LabBuilder, drop_at};

const SECOND: Duration = Duration::from_secs(1);

fn topic(name: &str) -> TopicName {
    name.parse().expect("a topic's name")
}

fn message(name: &str, key: &str, body: &str) -> Message {
    Message::builder(topic(name)).body(body.to_owned()).key(key).build().expect("a good message")
}

fn queue(name: &str, broker: &str, queue_id: i32) -> MessageQueue {
    MessageQueue { topic: topic(name), broker_name: broker.parse().expect("a name"), queue_id }
}

/// Both releases with both forms of headers, two brokers each.
fn everywhere<Fut: Future<Output = ()>>(test: impl Fn(Lab, Admin) -> Fut) {
    for dialect in [Dialect::V4_9_7, Dialect::V5_5_0] {
        for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
            cluster(dialect).check(0..3, |lab| {
                let client = lab.start(lab.client_builder().serialize_type(serialize_type));
                let admin = client.expect("it starts").admin();
                test(lab, admin)
            });
        }
    }
}

fn cluster(dialect: Dialect) -> LabBuilder {
    lab::builder().dialect(dialect).brokers(2).name_servers(2)
}

#[test]
fn topics_are_created_listed_and_routed() {
    everywhere(|lab, admin| async move {
        let brokers = admin.create_topic(topic("made")).queues(3).await.expect("it is created");
        assert_eq!(brokers, ["broker-a", "broker-b"].map(|name| BrokerName::try_from(name).expect("a name")));
        lab.sleep(SECOND).await;
        assert!(admin.topics().await.expect("an answer").contains("made"));
        let queues = admin.publish_queues(topic("made")).await.expect("queues");
        assert_eq!(queues.len(), 6);
        assert_eq!((&queues[0], &queues[5]), (&queue("made", "broker-a", 0), &queue("made", "broker-b", 2)));
        let info = admin.cluster_info().await.expect("an answer");
        assert_eq!(info.clusters["DefaultCluster"].len(), 2);
        assert_eq!(info.brokers["broker-a"].broker_addrs[&0], lab.broker(0).address().to_string());
        // Once more, and otherwise: one broker, and nothing can be written there any more.
        let config = TopicConfig { writable: false, ..TopicConfig::new(topic("made")) };
        let place = TopicPlace::Broker("broker-a".parse().expect("a name"));
        admin.create_topic(topic("made")).config(config).on(place).await.expect("it is changed");
        lab.sleep(SECOND).await;
        assert_eq!(admin.publish_queues(topic("made")).await.expect("queues").len(), 3);
        let refused = admin.create_topic(topic("SCHEDULE_TOPIC_XXXX")).await.expect_err("a system topic");
        let AdminError::Brokers { done, failed } = refused else {
            panic!("{refused}");
        };
        assert_eq!((done.len(), failed.len()), (0, 2));
        assert!(
            matches!(&failed[0].why, CallFailure::Refused { remark, .. } if remark.contains("system topic"))
        );
    });
}

#[test]
fn offsets_and_times_of_a_queue_are_those_of_its_messages() {
    everywhere(|lab, admin| async move {
        lab.create_topic("events", 2);
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        let place = queue("events", "broker-a", 1);
        assert_eq!(admin.earliest_store_time(&place).await, Ok(None));
        let mut stored_ms = Vec::new();
        for body in ["one", "two", "three"] {
            let target = rocketmq_driver::Target::Queue(place.clone());
            producer.send(message("events", "k", body)).to(target).await.expect("it is stored");
            stored_ms.push(lab.stored("events").last().expect("a message").store_timestamp);
            lab.sleep(SECOND).await;
        }
        assert_eq!(admin.min_offset(&place).await, Ok(0));
        assert_eq!(admin.max_offset(&place).await, Ok(3));
        assert_eq!(admin.earliest_store_time(&place).await, Ok(Some(stored_ms[0])));
        assert_eq!(admin.search_offset(&place, stored_ms[1], OffsetBoundary::Lower).await, Ok(1));
        let empty = queue("events", "broker-b", 0);
        assert_eq!(admin.max_offset(&empty).await, Ok(0));
        for missing in [queue("events", "broker-a", 2), queue("events", "broker-z", 0)] {
            assert_eq!(admin.max_offset(&missing).await, Err(AdminError::UnknownQueue(missing.clone())));
        }
        let unknown = queue("nowhere", "broker-a", 0);
        assert_eq!(admin.min_offset(&unknown).await, Err(AdminError::TopicUnknown(topic("nowhere"))));
    });
}

#[test]
fn messages_are_found_by_place_key_and_unique_key() {
    everywhere(|lab, admin| async move {
        let producer = lab.client().producer("senders").await.expect("the settings are in order");
        let mut receipts = Vec::new();
        for number in 0..8 {
            let message = message("orders", "customer-7", &format!("order {number}"));
            receipts.push(producer.send(message).await.expect("it is stored"));
            lab.sleep(SECOND).await;
        }
        for (number, receipt) in receipts.iter().enumerate() {
            let body = format!("order {number}");
            let viewed = admin.view_message(None, receipt.offset_message_id).await.expect("it is there");
            assert_eq!(
                (&viewed.message.body()[..], viewed.queue_offset),
                (body.as_bytes(), receipt.queue_offset)
            );
            let found = admin.query_unique_key(topic("orders"), receipt.message_id.as_str()).await;
            assert_eq!(found.expect("it is there"), viewed);
        }
        let query = || MessageQuery::new(topic("orders"), "customer-7");
        let found = admin.query_messages(query()).await.expect("an answer");
        let bodies: Vec<_> = found.messages.iter().map(|found| found.message.body().clone()).collect();
        let expected: Vec<String> = (0..8).map(|number| format!("order {number}")).collect();
        assert_eq!(bodies, expected);
        assert!(found.failed.is_empty() && found.index_last_update.is_some());
        let newest = admin.query_messages(MessageQuery { most: 2, ..query() }).await.expect("an answer");
        assert_eq!(newest.messages, found.messages[6..]);
        let none = admin.query_messages(MessageQuery::new(topic("orders"), "customer-8")).await;
        assert!(none.expect("an answer").messages.is_empty());
        let missing = admin.query_unique_key(topic("orders"), "0A0B").await;
        assert_eq!(missing, Err(AdminError::NotFound));
    });
}

#[test]
fn what_is_missing_because_a_broker_is_down_is_not_called_missing() {
    cluster(Dialect::V5_5_0).check(0..5, |lab| async move {
        lab.create_topic("orders", 1);
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        let target = rocketmq_driver::Target::Queue(queue("orders", "broker-b", 0));
        let receipt = producer.send(message("orders", "k", "b")).to(target).await.expect("it is stored");
        lab.broker(0).cut_off();
        let admin = client.admin().within(2 * SECOND);
        let begin = lab.now();
        let found = admin.query_messages(MessageQuery::new(topic("orders"), "k")).await.expect("one of them");
        assert_eq!((found.messages.len(), found.failed.len()), (1, 1));
        assert!(lab.now() - begin < 3 * SECOND);
        // The one who has it is enough.
        admin.query_unique_key(topic("orders"), receipt.message_id.as_str()).await.expect("it is there");
        let unknown = admin.query_unique_key(topic("orders"), "0A0B").await.expect_err("nobody has it");
        assert!(matches!(unknown, AdminError::Brokers { .. }), "{unknown}");
        lab.broker(0).heal();
        let unknown = admin.query_unique_key(topic("orders"), "0A0B").await;
        assert_eq!(unknown, Err(AdminError::NotFound));
    });
}

#[test]
fn calls_wait_out_a_name_server_that_is_down_and_a_connection_that_breaks() {
    cluster(Dialect::V5_5_0).check(0..10, |lab| async move {
        lab.create_topic("orders", 1);
        lab.name_server(0).crash();
        let admin = lab.client().admin();
        for _ in 0..20 {
            if lab.random_below(3) == 0 {
                lab.broker(0).reset_connections();
            }
            assert_eq!(admin.max_offset(&queue("orders", "broker-a", 0)).await, Ok(0));
            lab.sleep(Duration::from_millis(lab.random_below(12_000))).await;
        }
    });
}

#[test]
fn a_future_may_be_dropped_and_the_last_handle_ends_the_client() {
    cluster(Dialect::V5_5_0).check(0..10, |lab| async move {
        lab.create_topic("orders", 1);
        for polls in 0..6 {
            let admin = lab.client().admin();
            let place = queue("orders", "broker-a", 0);
            let dropped = drop_at(DropAt::AfterPoll(polls), async move { admin.max_offset(&place).await });
            let _whatever_came = dropped.await;
            lab.sleep(SECOND).await;
        }
    });
}
