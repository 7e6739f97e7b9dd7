//! Cases that hurt nobody and run side by side.

use std::time::{Duration, Instant};

use rocketmq_tokio::{Message, MessageError, Outcome, SendErrorKind, Timing, TopicName};

use super::audit::audit;
use super::bench::Bench;
use super::load::{Load, Until};

const LONG: Duration = Duration::from_secs(30);
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// The first message to a topic that does not exist creates it.
pub(crate) fn auto_create(bench: &Bench<'_>) -> String {
    let topic = bench.topic("auto-create");
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "auto-create"), &topic).within(LONG);
    let sent = bench.wait(load.lanes(1, &Until::count(10)));
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    bench.run(async move { client.shutdown(LONG).await });
    figures.to_string()
}

/// One message after the other, each awaited.
pub(crate) fn awaited(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("awaited", &["broker-a", "broker-b"]);
    let client = bench.client();
    let load = Load::new(bench, &bench.producer(&client, "awaited"), &topic).within(LONG);
    let sent = bench.wait(load.lanes(1, &Until::count(1_000)));
    bench.run(async move { client.shutdown(LONG).await });
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    assert_eq!(figures.stored, 1_000);
    figures.to_string()
}

/// 1 000 messages that nobody answers, at 200 a second; then the brokers are asked how many they have. A busy broker drops
/// such messages without a word, so with other cases beside it this one may need more than one round.
pub(crate) fn one_way(bench: &Bench<'_>) -> String {
    let client = bench.client();
    let producer = bench.producer(&client, "one-way");
    let mut counts = Vec::new();
    for round in 1..=3 {
        let topic = bench.topic_on(&format!("one-way-{round}"), &["broker-a", "broker-b"]);
        let load = Load::new(bench, &producer, &topic).within(LONG);
        let failed = bench.wait(load.one_way(200, 1_000));
        assert!(failed.is_empty(), "{failed:?}");
        counts.push(stored_in_the_end(bench, &topic));
        if counts.ends_with(&[1_000]) {
            break;
        }
    }
    bench.run(async move { client.shutdown(LONG).await });
    assert_eq!(counts.last(), Some(&1_000), "stored in each round of 1 000: {counts:?}");
    format!("stored in each round of 1 000: {counts:?}")
}

/// How many messages of a topic there are once no more come.
fn stored_in_the_end(bench: &Bench<'_>, topic: &TopicName) -> usize {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let keys: Vec<_> = bench.cluster.stored(topic.as_str()).expect("the store");
        if keys.len() >= 1_000 || Instant::now() >= deadline {
            return keys.len();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What no broker would take, or none should, is refused before a byte is written; the largest body allowed is stored.
pub(crate) fn refused_locally(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("refused", &["broker-a"]);
    let client = bench.client();
    let producer = bench.producer(&client, "refused");
    let send = |body: Vec<u8>| {
        let (producer, message) = (producer.clone(), Message::new(topic.clone(), body));
        bench.run(async move { producer.send(message).within(LONG).await })
    };
    let empty = send(Vec::new()).expect_err("an empty body");
    let kind = empty.kind();
    assert!(matches!(kind, SendErrorKind::InvalidMessage(MessageError::EmptyBody { .. })), "{kind:?}");
    assert_eq!((empty.outcome(), empty.written_attempts()), (Outcome::NotStored, 0));
    let large = send(vec![b'x'; LARGEST_BODY + 1]).expect_err("one byte too many");
    let SendErrorKind::InvalidMessage(MessageError::BodyTooLarge { len, max }) = large.kind() else {
        panic!("{large:?}")
    };
    assert_eq!((*len, *max), (LARGEST_BODY + 1, LARGEST_BODY));
    assert_eq!(large.outcome(), Outcome::NotStored);
    assert_eq!(client.counters().attempts, 0, "nothing was written");
    assert_eq!(bench.cluster.stored(topic.as_str()).expect("the store"), []);

    let receipt = send(vec![b'x'; LARGEST_BODY]).expect("the largest body is stored");
    let stored = bench.cluster.stored(topic.as_str()).expect("the store");
    let [only] = stored.as_slice() else { panic!("one message, not {stored:?}") };
    assert_eq!(
        (only.body_len(), only.offset_message_id()),
        (LARGEST_BODY, receipt.offset_message_id.to_string())
    );
    bench.run(async move { client.shutdown(LONG).await });
    format!("{LARGEST_BODY} bytes stored; 0 and {} bytes refused", LARGEST_BODY + 1)
}

/// A producer that is closed leaves the brokers while its client stays, and a client that is shut down leaves with all
/// its producers: the brokers say so at once, not after their time-out of 120 s.
pub(crate) fn graceful_shutdown(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("shutdown", &["broker-a", "broker-b"]);
    let client = bench.client();
    let (first, second) = (bench.producer(&client, "leaves-first"), bench.producer(&client, "leaves-second"));
    // Eight messages go round all queues, so both brokers are connected and have had a heartbeat.
    for producer in [&first, &second] {
        let sent = bench.wait(Load::new(bench, producer, &topic).within(LONG).lanes(1, &Until::count(8)));
        assert!(sent.iter().all(|one| one.result.is_ok()));
    }
    let members = |producer: &str| {
        let found = bench.cluster.producers(&bench.name(producer));
        let mut found: Vec<_> = found
            .expect("the producers")
            .into_iter()
            .map(|one| (one.broker, one.client_id, one.language))
            .collect();
        found.sort_unstable();
        found
    };
    let id = client.client_id().to_string();
    let on_both = ["broker-a", "broker-b"].map(|broker| (broker.to_owned(), id.clone(), "RUST".to_owned()));
    assert_eq!(members("leaves-first"), on_both);
    assert_eq!(members("leaves-second"), on_both);

    let undelivered = bench.run(async move { first.close(LONG).await });
    assert!(undelivered.is_empty(), "{undelivered:?}");
    assert_eq!(members("leaves-first"), []);
    assert_eq!(members("leaves-second"), on_both);
    let start = Instant::now();
    let undelivered = bench.run(async move { client.shutdown(LONG).await });
    let took = start.elapsed();
    assert!(undelivered.is_empty(), "{undelivered:?}");
    assert_eq!(members("leaves-second"), []);
    format!("shut down in {:.1} ms", took.as_secs_f64() * 1000.0)
}

/// Heartbeats of version 2, eight a second or so: brokers of 5.x hear everything once and then that nothing changed, those
/// of 4.x hear version 1. All keep the client, and learn of another group at once.
pub(crate) fn heartbeat_v2(bench: &Bench<'_>) -> String {
    let topic = bench.topic_on("heartbeat-v2", &["broker-a", "broker-b"]);
    let timing = Timing { heartbeat_interval: Duration::from_millis(250), ..Timing::default() };
    let client = bench.client_with(|builder| builder.heartbeat_v2(true).timing(timing));
    let first = bench.producer(&client, "heartbeat-v2-first");
    let sent = bench.wait(Load::new(bench, &first, &topic).within(LONG).lanes(1, &Until::count(8)));
    assert!(sent.iter().all(|one| one.result.is_ok()));
    std::thread::sleep(Duration::from_secs(3));
    let second = bench.producer(&client, "heartbeat-v2-second");
    let deadline = Instant::now() + LONG;
    for group in ["heartbeat-v2-first", "heartbeat-v2-second"] {
        let members = || bench.cluster.producers(&bench.name(group)).expect("the producers").len();
        while members() < 2 {
            assert!(Instant::now() < deadline, "{group} is not known to both brokers");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let counters = client.counters();
    assert!(counters.heartbeats >= 10, "{counters:?}");
    assert_eq!(counters.heartbeats_failed, 0, "{counters:?}");
    let knows_it = bench.cluster.version().starts_with('5');
    assert_eq!(counters.heartbeats_without_sub > 0, knows_it, "{counters:?}");
    drop((first, second));
    bench.run(async move { client.shutdown(LONG).await });
    format!(
        "{} heartbeats, {} of them told only that nothing changed",
        counters.heartbeats, counters.heartbeats_without_sub
    )
}
