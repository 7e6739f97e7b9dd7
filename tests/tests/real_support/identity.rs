//! Namespaces, unit and zone against real servers, and clients that are shared by their id.

use std::time::{Duration, Instant};

use rocketmq_tokio::{
    Admin, AdminError, Client, ClientBuilder, Message, MessageQuery, SharedClientError, SharedClients,
    TopicName, TopicPlace, Zone,
};

use super::bench::Bench;

const LONG: Duration = Duration::from_secs(30);
const NAMESPACE: &str = "MQ_INST_real_a";
const EACH: usize = 10;

fn wrapped(name: &str) -> String {
    format!("{NAMESPACE}%{name}")
}

/// Routes, indexes and registrations follow a moment later.
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

fn message(topic: &TopicName, key: &str) -> Message {
    Message::builder(topic.clone()).body(key.to_owned()).key(key).build().expect("a message")
}

/// A client with all that can be added, and one with nothing, use the same names and meet nowhere.
pub(crate) fn namespaces(bench: &Bench<'_>) -> String {
    let (topic, group) = (bench.topic("namespaces"), bench.name("namespaces"));
    let client = bench.client_with(|builder| {
        let zone = Zone { name: "real".to_owned(), mode: false };
        builder.namespace(NAMESPACE).namespace_v2("second").unit_name("north").unit_mode(true).zone(zone)
    });
    let plain = bench.client();
    let admin = client.admin().within(LONG);
    let making = admin.create_topic(topic.clone()).queues(2).on(TopicPlace::OnlyCluster);
    bench.run(async move { making.await }).expect("a topic");
    in_the_end("the route of the topic", || {
        let (admin, topic) = (admin.clone(), topic.clone());
        let queues = bench.run(async move { admin.publish_queues(topic).await }).ok()?;
        assert!(queues.iter().all(|queue| !queue.topic.as_str().contains('%')), "{queues:?}");
        (queues.len() == 4).then_some(())
    });
    let missing = bench.run({
        let (admin, topic) = (plain.admin().within(LONG), topic.clone());
        async move { admin.publish_queues(topic).await }
    });
    assert_eq!(
        missing,
        Err(AdminError::TopicUnknown(topic.clone())),
        "without the namespace it is not there"
    );

    let (here, there) = (bench.producer(&client, "namespaces"), bench.producer(&plain, "namespaces"));
    let mut last = None;
    for number in 0..EACH {
        for (producer, key) in [(&here, "here"), (&there, "there")] {
            let sending = producer.send(message(&topic, &format!("{key}-{number}"))).within(LONG);
            let receipt = bench.run(async move { sending.await }).expect("it is stored");
            assert_eq!(receipt.queue.topic, topic);
            if key == "here" {
                last = Some(receipt);
            }
        }
    }
    let store = |name: &str| bench.cluster.stored(name).expect("the store");
    let of = |name: &str, key: &str| store(name).iter().filter(|it| it.keys().starts_with(key)).count();
    assert_eq!((of(&wrapped(topic.as_str()), "here"), of(&wrapped(topic.as_str()), "there")), (EACH, 0));
    assert_eq!((of(topic.as_str(), "here"), of(topic.as_str(), "there")), (0, EACH));
    let marked = store(&wrapped(topic.as_str()));
    assert!(marked.iter().all(|it| it.properties.get("INSTANCE_ID").is_some_and(|id| id == NAMESPACE)));

    let members = |name: &str| bench.cluster.producers(name).expect("the producers");
    let registered =
        in_the_end("the registration", || Some(members(&wrapped(&group))).filter(|it| it.len() == 2));
    assert!(registered.iter().all(|it| it.client_id.ends_with("@north")), "{registered:?}");
    assert_eq!(members(&group).len(), 2, "the other client has the bare group");

    messages_are_found(bench, &admin, &topic, last.expect("a receipt").message_id.as_str());
    let checks = a_check_comes_with_bare_names(bench, &client, &topic);
    for client in [client, plain] {
        assert!(bench.run(async move { client.shutdown(LONG).await }).is_empty());
    }
    in_the_end("the farewell", || members(&wrapped(&group)).is_empty().then_some(()));
    format!(
        "2 x {EACH} messages under one name kept apart; found by key and id; committed after {checks} checks"
    )
}

fn messages_are_found(bench: &Bench<'_>, admin: &Admin, topic: &TopicName, id: &str) {
    let found = in_the_end("the index", || {
        let (admin, topic) = (admin.clone(), topic.clone());
        let found = bench.run(async move { admin.query_messages(MessageQuery::new(topic, "here-3")).await });
        found.expect("an answer").messages.pop()
    });
    assert_eq!(found.message.topic(), topic);
    let (asking, of, id) = (admin.clone(), topic.clone(), id.to_owned());
    let found = in_the_end("the index", || {
        let (asking, of, id) = (asking.clone(), of.clone(), id.clone());
        bench.run(async move { asking.query_unique_key(of, id).await }).ok()
    });
    assert_eq!(found.message.topic(), topic);
    let asking = admin.clone();
    let topics = bench.run(async move { asking.topics().await }).expect("an answer");
    assert!(topics.contains(topic.as_str()) && topics.contains("TBW102"));
    assert!(!topics.iter().any(|topic| topic.contains(NAMESPACE)), "{topics:?}");
}

/// How often the broker asked.
fn a_check_comes_with_bare_names(bench: &Bench<'_>, client: &Client, topic: &TopicName) -> u32 {
    let producer = bench.run(client.producer(bench.name("namespaces-halves")).open()).expect("a producer");
    let (mut checks, to) = (producer.checks(), topic.clone());
    let times = bench.run(async move {
        let transaction =
            producer.send_half(message(&to, "half")).within(LONG).await.expect("a half message");
        let key = transaction.unique_key();
        drop(transaction);
        let check = checks.next().await.expect("an open producer");
        assert_eq!((check.unique_key(), check.message().message.topic()), (key, &to));
        let times = check.times();
        check.commit().within(LONG).await.expect("a commit");
        times
    });
    in_the_end("the committed message", || {
        let stored = bench.cluster.stored(&wrapped(topic.as_str())).expect("the store");
        stored.iter().any(|it| it.keys() == "half").then_some(())
    });
    times
}

/// One client for two that ask for the same id: brokers see one connection with both groups.
pub(crate) fn shared_client(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("shared-client", &["broker-a", "broker-b"]);
    let clients = SharedClients::default();
    let settings = |builder: ClientBuilder| builder.instance_name(bench.name("shared-client"));
    let one = bench.shared(&clients, settings).expect("a client");
    let other = bench.shared(&clients, settings).expect("the same client");
    assert!(one.is_same(&other) && clients.count() == 1);
    let refused = bench.shared(&clients, |builder| settings(builder).heartbeat_v2(true));
    let is_named = |error: &SharedClientError| {
        matches!(error, SharedClientError::OtherSetting { setting: "heartbeat_v2", .. })
    };
    assert!(refused.as_ref().is_err_and(is_named), "{refused:?}");

    let groups = ["shared-client-one", "shared-client-other"];
    let producers = [bench.producer(&one, groups[0]), bench.producer(&other, groups[1])];
    for (number, producer) in producers.iter().cycle().take(2 * EACH).enumerate() {
        let sending = producer.send(message(&topic, &format!("k-{number}"))).within(LONG);
        bench.run(async move { sending.await }).expect("it is stored");
    }
    assert_eq!(bench.cluster.stored(topic.as_str()).expect("the store").len(), 2 * EACH);
    let places = |group: &str| {
        let mut found = bench.cluster.producers(&bench.name(group)).expect("the producers");
        found.sort_by(|a, b| a.broker.cmp(&b.broker));
        found.into_iter().map(|it| (it.broker, it.client_id, it.client_address)).collect::<Vec<_>>()
    };
    let places = in_the_end("the registrations", || {
        let both = groups.map(places);
        both.iter().all(|places| places.len() == 2).then_some(both)
    });
    assert_eq!(places[0], places[1], "the same connections");
    // The first user leaves; the other goes on.
    let [first, second] = producers;
    drop((one, first));
    let sending = second.send(message(&topic, "later")).within(LONG);
    bench.run(async move { sending.await }).expect("it is stored");
    bench.run(async move { other.shutdown(LONG).await });
    let new = bench.shared(&clients, settings).expect("a new client");
    bench.run(new.clone().producer(bench.name(groups[0])).open()).expect("a producer of the new client");
    bench.run(async move { new.shutdown(LONG).await });
    format!("{} messages of two producers over one client", 2 * EACH + 1)
}
