//! Half messages, their ends, and what real brokers ask.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rocketmq_tokio::{
    Client, EndErrorKind, EndVerdict, LocalTransactionState, Message, Producer, SendErrorKind, Start,
    TopicName, UniqueKey,
};

use super::bench::Bench;

/// The servers of this suite ask about half messages this often; with its time-outs that is three rounds at the most.
const PATIENCE: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(30);
const EACH: usize = 10;

fn half(topic: &TopicName, key: &str) -> Message {
    Message::builder(topic.clone()).body(key.to_owned()).key(key).build().expect("a message")
}

/// What can be seen of a topic, by key; each of them once.
fn visible(bench: &Bench<'_>, topic: &TopicName) -> BTreeSet<String> {
    let stored = bench.cluster.stored(topic.as_str()).expect("the store");
    let keys: BTreeSet<String> = stored.iter().map(|message| message.keys().to_owned()).collect();
    assert_eq!(keys.len(), stored.len(), "a message can be seen twice: {stored:?}");
    keys
}

fn wait_until_visible(bench: &Bench<'_>, topic: &TopicName, expected: &BTreeSet<String>) {
    let until = Instant::now() + PATIENCE;
    while visible(bench, topic) != *expected {
        assert!(Instant::now() < until, "{:?} instead of {expected:?}", visible(bench, topic));
        std::thread::sleep(Duration::from_millis(200));
    }
}

async fn end_each(producer: Producer, topic: TopicName, state: LocalTransactionState) -> Vec<UniqueKey> {
    let mut unique = Vec::new();
    for number in 0..EACH {
        let message = half(&topic, &format!("{state:?}-{number}"));
        let transaction = producer.send_half(message).within(LONG).await.expect("a half message");
        unique.push(transaction.unique_key());
        match state {
            LocalTransactionState::Commit => transaction.commit().within(LONG).await.expect("a commit"),
            LocalTransactionState::Rollback => transaction.rollback().within(LONG).await.expect("a rollback"),
            LocalTransactionState::Unknown => drop(transaction),
        }
    }
    unique
}

/// Commits are seen, once each; what is rolled back is not; what is left open is asked about, and seen when the answer is a
/// commit.
pub(crate) fn transactions(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("transactions", &["broker-a", "broker-b"]);
    let client = bench.client();
    let producer = bench.producer(&client, "transactions");
    let run = |state| bench.run(end_each(producer.clone(), topic.clone(), state));
    run(LocalTransactionState::Commit);
    run(LocalTransactionState::Rollback);
    let open: BTreeSet<UniqueKey> = run(LocalTransactionState::Unknown).into_iter().collect();
    let keys = |state: &str| (0..EACH).map(|number| format!("{state}-{number}")).collect::<BTreeSet<_>>();
    let mut expected = keys("Commit");
    assert_eq!(visible(bench, &topic), expected);

    let mut checks = producer.checks();
    let answered = bench.run(async move {
        let (mut left, mut asked) = (open, 0);
        while !left.is_empty() {
            let check = checks.next().await.expect("an open producer");
            assert!(check.times() > 0);
            asked += 1;
            let key = check.unique_key();
            assert_eq!(check.message().unique_key(), Some(key));
            check.commit().within(LONG).await.expect("a commit");
            left.remove(&key);
        }
        asked
    });
    expected.extend(keys("Unknown"));
    wait_until_visible(bench, &topic, &expected);
    let counters = client.counters();
    bench.run(async move { client.shutdown(LONG).await });
    assert_eq!(counters.ends_acknowledged, 3 * EACH as u64);
    format!("{EACH} committed, {EACH} rolled back, {EACH} left open and committed after {answered} checks")
}

/// Refusals of real brokers are told apart: a half message that is not there, one that can only be ended by a check any
/// more, and a topic that refuses half messages.
pub(crate) fn ends_refused(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("ends-refused", &["broker-a"]);
    let client = bench.client();
    let producer = bench.producer(&client, "ends-refused");
    let late = Message::builder(topic.clone()).body("late").check_immunity_time(Duration::from_secs(1));
    let late = late.build();
    let sending = producer.clone();
    let result = bench.run(async move {
        let transaction = sending.send_half(late?).within(LONG).await.expect("a half message");
        std::thread::sleep(Duration::from_millis(1_500));
        Ok::<_, rocketmq_tokio::MessageError>(transaction.commit().within(LONG).await)
    });
    let told = match result {
        Ok(Ok(())) => "taken",
        Ok(Err(error)) => {
            assert_eq!(error.verdict(), EndVerdict::Refused, "{error}");
            assert!(matches!(error.kind(), EndErrorKind::ImmunityTimeOver { .. }), "{error}");
            "refused"
        }
        Err(error) => panic!("{error}"),
    };
    // 4.x takes an end at any time.
    assert_eq!(told, if bench.cluster.version().starts_with('4') { "taken" } else { "refused" });
    let empty = Message::new(topic.clone(), "");
    let sending = producer.clone();
    let error = bench.run(async move { sending.send_half(empty).await }).expect_err("an empty body");
    assert!(matches!(error.kind(), SendErrorKind::InvalidMessage(_)), "{error}");
    bench.run(async move { client.shutdown(LONG).await });
    format!("a commit after the immunity time is {told}")
}

/// A process dies between a half message and its end. Another one of the group, which sends nothing itself, is asked and
/// ends the transaction.
pub(crate) fn transaction_restart(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("transaction-restart", &["broker-a", "broker-b"]);
    let group = bench.name("transaction-restart");
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(1).enable_all().build().expect("a runtime");
    let (servers, in_group, to) = (bench.cluster.name_server().to_owned(), group.clone(), topic.clone());
    let (key, client, producer) = runtime.block_on(async move {
        let client = Client::builder(servers.as_str()).start().expect("a client");
        let producer = client.producer(in_group).await.expect("a producer");
        let transaction = producer.send_half(half(&to, "left")).within(LONG).await.expect("a half message");
        (transaction.unique_key(), client, producer)
    });
    // As a process that is killed: its connections end, and nobody says farewell.
    runtime.shutdown_background();
    drop((client, producer));
    assert_eq!(visible(bench, &topic), BTreeSet::new());

    let client = bench.client();
    let opening = client.producer(group).topics([topic.clone()]).open();
    let producer = bench.run(opening).expect("a producer");
    let mut checks = producer.checks();
    let times = bench.run(async move {
        loop {
            let check = checks.next().await.expect("an open producer");
            if check.unique_key() == key {
                let times = check.times();
                check.commit().within(LONG).await.expect("a commit");
                return times;
            }
        }
    });
    wait_until_visible(bench, &topic, &BTreeSet::from(["left".to_owned()]));
    assert_eq!(client.counters().sends, 0);
    drop(producer);
    bench.run(async move { client.shutdown(LONG).await });
    format!("the other process was asked and committed, check number {times}")
}
