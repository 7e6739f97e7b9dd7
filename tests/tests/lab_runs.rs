//! Runs of the lab: what the seed decides, time, tasks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rocketmq_driver::{Message, SerializeType};
use rocketmq_sim::cluster::Dialect;
use rocketmq_sim::lab::{self, JoinError, Lab, Network, SendFault};

const SECOND: Duration = Duration::from_secs(1);

fn message(body: impl Into<String>) -> Message {
    Message::new("placed".parse().expect("a topic's name"), body.into())
}

/// A bad day with several clients: enough of everything for runs to differ if they can.
async fn bad_day(lab: Lab) -> usize {
    for broker in lab.brokers() {
        broker.random_sends(100, SendFault::StoreNoAnswer);
        broker.random_sends(100, SendFault::StoreThenReset);
    }
    lab.after(SECOND, |lab| lab.broker(0).crash());
    lab.after(5 * SECOND, |lab| lab.broker(0).restart());
    let mut senders = Vec::new();
    for number in 0..3 {
        let client = lab.client();
        let own = lab.clone();
        senders.push(lab.spawn(async move {
            let producer = client.producer("senders").await.expect("the settings are in order");
            let mut stored = 0;
            for each in 0..30 {
                stored += usize::from(producer.send(message(format!("{number}-{each}"))).await.is_ok());
                own.sleep(Duration::from_millis(own.random_below(200))).await;
            }
            stored
        }));
    }
    let mut stored = 0;
    for sender in senders {
        stored += sender.await.expect("no sender panics");
    }
    stored
}

#[test]
fn the_same_seed_gives_the_same_story() {
    let cluster = lab::builder().brokers(2).name_servers(2);
    for seed in [0, 1, 2, u64::MAX] {
        let (one, two) = (cluster.run(seed, bad_day), cluster.run(seed, bad_day));
        assert_eq!((one.story_hash, one.story, one.value), (two.story_hash, two.story, two.value));
        assert_eq!(one.elapsed, two.elapsed);
    }
}

#[test]
fn another_seed_gives_another_story() {
    let cluster = lab::builder().brokers(2).name_servers(2);
    let mut hashes: Vec<u64> = (0..20).map(|seed| cluster.run(seed, bad_day).story_hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 20);
}

#[test]
fn both_releases_and_both_forms_of_headers_work() {
    for dialect in [Dialect::V4_9_7, Dialect::V5_5_0] {
        for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
            lab::builder().dialect(dialect).check(0..3, |lab| async move {
                let client =
                    lab.start(lab.client_builder().serialize_type(serialize_type)).expect("it starts");
                let producer = client.producer("senders").await.expect("the settings are in order");
                let receipt = producer.send(message("4 apples")).await.expect("it is stored");
                let stored = lab.stored("placed");
                assert_eq!(stored.len(), 1);
                assert_eq!(stored[0].unique_key.as_deref(), Some(receipt.message_id.to_string().as_str()));
                assert_eq!(stored[0].body, "4 apples");
            });
        }
    }
}

#[test]
fn the_turns_of_tasks_are_drawn_from_the_seed() {
    let order = |seed| {
        lab::run(seed, |lab| async move {
            let order = Arc::new(Mutex::new(Vec::new()));
            let tasks: Vec<_> = (0..5)
                .map(|number| {
                    let order = order.clone();
                    lab.spawn(async move { order.lock().expect("no panics").push(number) })
                })
                .collect();
            for task in tasks {
                task.await.expect("no panics");
            }
            order.lock().expect("no panics").clone()
        })
        .value
    };
    let mut orders: Vec<Vec<i32>> = (0..50).map(order).collect();
    orders.sort();
    orders.dedup();
    assert!(orders.len() > 20, "only {} orders of 120 in 50 seeds", orders.len());
}

#[test]
fn timers_fire_in_the_order_of_their_times() {
    lab::check(0..10, |lab| async move {
        let fired = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for millis in [30, 10, 20, 0, 10_000_000] {
            let (fired, own) = (fired.clone(), lab.clone());
            tasks.push(lab.spawn(async move {
                own.sleep(Duration::from_millis(millis)).await;
                fired.lock().expect("no panics").push((millis, own.now()));
            }));
        }
        for task in tasks {
            task.await.expect("no panics");
        }
        let expected = [0, 10, 20, 30, 10_000_000].map(|millis| (millis, Duration::from_millis(millis)));
        assert_eq!(*fired.lock().expect("no panics"), expected);
    });
}

#[test]
fn time_outs_drop_what_they_wait_for() {
    lab::check(0..5, |lab| async move {
        assert_eq!(lab.timeout(SECOND, async { 7 }).await, Ok(7));
        let guard = Arc::new(());
        let held = guard.clone();
        let own = lab.clone();
        let late = lab.timeout(SECOND, async move {
            own.sleep(2 * SECOND).await;
            drop(held);
        });
        assert!(late.await.is_err());
        assert_eq!((lab.now(), Arc::strong_count(&guard)), (SECOND, 1));
        // A sleep that was taken back wakes nobody: the run ends with the time at which the test does.
        drop(lab.sleep(50 * SECOND));
        assert_eq!(lab.now(), SECOND);
    });
}

#[test]
fn a_day_passes_in_no_time() {
    let builder = lab::builder().brokers(3).time_limit(Duration::from_secs(100_000));
    let report = builder.run(1, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        for minute in 0..24 * 60 {
            producer.send(message(minute.to_string())).await.expect("nothing goes wrong");
            lab.sleep(60 * SECOND).await;
        }
        (client.counters().heartbeats, lab.stored("placed").len())
    });
    assert!(report.elapsed >= Duration::from_secs(24 * 60 * 60));
    assert_eq!(report.value.1, 24 * 60);
    // Every 30 s to each broker with a queue of the topic.
    assert!(report.value.0 > 2_000, "{} heartbeats", report.value.0);
}

#[test]
fn the_wall_clock_jumps_and_nothing_hangs_on_it() {
    lab::check(0..5, |lab| async move {
        let start = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_225_600_000);
        assert_eq!(lab.wall_clock(), start);
        let producer = lab.client().producer("senders").await.expect("the settings are in order");
        for by_ms in [0, 3_600_000, -7_200_000] {
            lab.jump_wall_clock(by_ms);
            // So long a client goes by its last look at it.
            lab.sleep(SECOND / 1_000).await;
            let before = lab.now();
            producer.send(message("4 apples")).await.expect("it is stored");
            assert!(lab.now() - before < SECOND);
        }
        let born: Vec<i64> =
            lab.stored("placed").iter().map(|stored| stored.born_timestamp - 1_767_225_600_000).collect();
        assert_eq!(born.len(), 3);
        for (born, jumped) in born.iter().zip([0, 3_600_000, -3_600_000]) {
            assert!((jumped..jumped + 3_000).contains(born), "{born}");
        }
    });
}

#[test]
fn tasks_are_aborted_and_waited_for() {
    lab::check(0..10, |lab| async move {
        let guard = Arc::new(());
        let (held, own) = (guard.clone(), lab.clone());
        let task = lab.spawn(async move {
            own.sleep(SECOND).await;
            drop(held);
        });
        lab.sleep(SECOND / 2).await;
        assert!(!task.is_finished());
        task.abort();
        assert_eq!(task.await, Err(JoinError::Aborted));
        assert_eq!(Arc::strong_count(&guard), 1);
        let task = lab.spawn(async { "done" });
        assert_eq!(task.await, Ok("done"));
        // Dropped, it goes on by itself.
        let (held, own) = (guard.clone(), lab.clone());
        drop(lab.spawn(async move {
            own.sleep(SECOND).await;
            drop(held);
        }));
        lab.sleep(SECOND * 2).await;
        assert_eq!(Arc::strong_count(&guard), 1);
    });
}

#[test]
fn select_of_any_library_works() {
    lab::check(0..10, |lab| async move {
        let slow = async {
            lab.sleep(2 * SECOND).await;
            "slow"
        };
        let fast = async {
            lab.sleep(SECOND).await;
            "fast"
        };
        assert_eq!(smol::future::or(slow, fast).await, "fast");
        let (sender, receiver) = smol::channel::bounded(1);
        let own = lab.clone();
        let producer = lab.spawn(async move {
            for number in 0..10 {
                sender.send(number).await.expect("the receiver lives");
                own.yield_now().await;
            }
        });
        for number in 0..10 {
            assert_eq!(receiver.recv().await, Ok(number));
        }
        producer.await.expect("no panics");
    });
}

#[test]
fn scripts_run_at_their_times() {
    lab::check(0..3, |lab| async move {
        let times = Arc::new(Mutex::new(Vec::new()));
        for seconds in [3, 1, 2] {
            let times = times.clone();
            lab.at(seconds * SECOND, move |lab| times.lock().expect("no panics").push(lab.now()));
        }
        lab.sleep(5 * SECOND).await;
        let late = times.clone();
        lab.at(SECOND, move |lab| late.lock().expect("no panics").push(lab.now()));
        lab.sleep(SECOND).await;
        assert_eq!(*times.lock().expect("no panics"), [1, 2, 3, 5].map(|seconds| seconds * SECOND));
    });
}

#[test]
fn check_counts_its_seeds() {
    let runs = AtomicU64::new(0);
    let checked = lab::check(3..8, |lab| {
        runs.fetch_add(1, Ordering::Relaxed);
        async move { lab.sleep(SECOND).await }
    });
    assert_eq!((checked.seeds, checked.elapsed), (5, 5 * SECOND));
    assert_eq!(runs.load(Ordering::Relaxed), 6, "the first seed runs twice");
}

#[test]
fn a_slow_network_takes_its_time() {
    let slow = Network {
        latency: Duration::from_millis(100),
        jitter: Duration::ZERO,
        bytes_per_second: Some(10_000),
        short_reads: 500,
        short_writes: 500,
    };
    lab::builder().network(slow).check(0..5, |lab| async move {
        let client = lab.start(lab.client_builder()).expect("it starts");
        let producer = client.producer("senders").await.expect("the settings are in order");
        let text: String =
            (0..30_000u32).map(|number| char::from(b'a' + (number * 7919 % 26) as u8)).collect();
        let send = producer.send(message(&text[..])).within(60 * SECOND);
        send.await.expect("it is stored");
        // Compressed or not, some kilobytes go at 10 kB/s, over connections that take two round trips to come up.
        assert!(lab.now() > Duration::from_millis(800), "{:?}", lab.now());
        lab.set_network(Network::default());
        let before = lab.now();
        producer.send(message("small")).await.expect("it is stored");
        // A heartbeat's answer is still on its slow way, and answers of one connection keep their order.
        assert!(lab.now() - before < Duration::from_millis(200), "{:?}", lab.now() - before);
        assert_eq!(lab.stored("placed").len(), 2);
    });
}
