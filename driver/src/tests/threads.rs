//! Handles on several threads beside the driver on its own, in thousands of orders. Nothing here has a clock that
//! moves: a wake-up that is lost is a thread that sleeps for ever, which is found as a deadlock.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test -p rocketmq-driver --features record --lib threads`

use super::world::{World, message};
use super::{LONG, narrow};
use crate::{Client, Limits, Outcome, Producer, SendError, SendErrorKind, SendReceipt, SharedClients};
use shuttle::future::block_on;
use shuttle::thread::{self, JoinHandle};
use std::future::{IntoFuture, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// Orders that are tried at random, and as many that favour few changes of thread.
const ORDERS: usize = 2_000;
/// Changes of thread in the second kind.
const CHANGES: usize = 3;

fn in_many_orders(story: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(story, ORDERS);
    shuttle::check_pct(story, ORDERS, CHANGES);
}

/// A client whose driver runs on a thread of its own, and an open producer.
fn start(world: &World, limits: Limits) -> (Client, Producer, JoinHandle<()>) {
    let (client, driver) = World::builder().limits(limits).build_with(world.clone()).unwrap();
    let driver = thread::spawn(move || block_on(driver));
    let producer = block_on(client.producer("group").send_timeout(LONG).into_future()).unwrap();
    (client, producer, driver)
}

fn send(producer: &Producer, body: &'static str) -> JoinHandle<Result<SendReceipt, SendError>> {
    let producer = producer.clone();
    thread::spawn(move || block_on(producer.send(message(body)).into_future()))
}

fn slots_in_use(producer: &Producer) -> usize {
    producer.inner.shared().peek(|state| state.answers.len())
}

#[test]
fn no_wake_up_is_lost_between_senders_and_driver() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, Limits::default());
        let others = [send(&producer, "one"), send(&producer, "two")];
        block_on(producer.send(message("three")).into_future()).unwrap();
        for other in others {
            other.join().unwrap().unwrap();
        }
        assert_eq!((world.store().messages(), slots_in_use(&producer)), (3, 0));
        assert!(block_on(client.shutdown(LONG)).is_empty());
        driver.join().unwrap();
    });
}

#[test]
fn who_waits_for_room_is_woken_when_there_is_some() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, narrow());
        let others = [send(&producer, "one"), send(&producer, "two"), send(&producer, "three")];
        for other in others {
            other.join().unwrap().unwrap();
        }
        assert_eq!((world.store().messages(), slots_in_use(&producer)), (3, 0));
        assert_eq!(client.memory().waiting_callers, 0);
        assert!(block_on(client.shutdown(LONG)).is_empty());
        driver.join().unwrap();
    });
}

#[test]
fn sends_beside_a_shutdown_are_stored_or_told() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, Limits::default());
        let sends = [send(&producer, "one"), send(&producer, "two")];
        let closer = {
            let client = client.clone();
            thread::spawn(move || block_on(client.shutdown(LONG)))
        };
        let mut stored = 0;
        for send in sends {
            match send.join().unwrap() {
                Ok(_) => stored += 1,
                Err(error) => assert_eq!(error.outcome(), Outcome::NotStored, "{error}"),
            }
        }
        assert!(closer.join().unwrap().is_empty(), "a shutdown that drains leaves nothing behind");
        assert_eq!((world.store().messages(), slots_in_use(&producer)), (stored, 0));
        driver.join().unwrap();
    });
}

/// A lone caller writes, and the driver reads the end of the connection as soon as it can: it must not tell the core of
/// that before the caller has told what was written.
#[test]
fn the_end_of_a_connection_does_not_overtake_what_was_written() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, Limits::default());
        // The first one lets the driver set its timer; who comes soon after finds it set, and may write itself.
        for body in ["first", "second"] {
            block_on(producer.send(message(body)).into_future()).unwrap();
        }
        world.end_with_next_write();
        let error = block_on(producer.send(message("last words")).retries(0).into_future()).unwrap_err();
        assert_eq!(world.store().messages(), 3);
        assert_eq!(error.outcome(), Outcome::MayBeStored, "{error}");
        block_on(client.shutdown(LONG));
        driver.join().unwrap();
    });
}

/// The caller goes away at its second look, while the answer may be on its way to it.
#[test]
fn a_send_that_is_dropped_beside_its_answer_frees_its_slot_once() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, narrow());
        let dropper = {
            let producer = producer.clone();
            thread::spawn(move || {
                let mut sending = pin!(producer.send(message("dropped")).into_future());
                let mut polls = 0;
                block_on(poll_fn(|cx| {
                    polls += 1;
                    if polls == 2 { Poll::Ready(()) } else { sending.as_mut().poll(cx).map(drop) }
                }));
            })
        };
        block_on(producer.send(message("kept")).into_future()).unwrap();
        dropper.join().unwrap();
        block_on(producer.flush(LONG)).unwrap();
        assert_eq!((slots_in_use(&producer), client.memory().messages), (0, 0));
        assert!((1..=2).contains(&world.store().messages()));
        block_on(client.shutdown(LONG));
        driver.join().unwrap();
    });
}

#[test]
fn everybody_learns_that_the_driver_was_dropped() {
    in_many_orders(|| {
        let world = World::new();
        let (client, driver) = World::builder().build_with(world.clone()).unwrap();
        let opening = {
            let client = client.clone();
            thread::spawn(move || block_on(client.producer("group").into_future()))
        };
        let dropper = thread::spawn(move || drop(driver));
        if let Ok(producer) = opening.join().unwrap() {
            let error = block_on(producer.send(message("late")).into_future()).unwrap_err();
            assert!(matches!(error.kind(), SendErrorKind::DriverGone), "{error}");
        }
        dropper.join().unwrap();
    });
}

#[test]
fn the_last_handle_ends_the_driver_from_any_thread() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, Limits::default());
        let others = [
            thread::spawn(move || drop(client)),
            thread::spawn(move || drop(block_on(producer.send(message("last")).into_future()))),
        ];
        for other in others {
            other.join().unwrap();
        }
        driver.join().unwrap();
        assert_eq!(world.store().messages(), 1);
    });
}

#[test]
fn a_watch_misses_no_change_and_no_end() {
    in_many_orders(|| {
        let world = World::new();
        let (client, driver) = World::builder().build_with(world.clone()).unwrap();
        let mut watch = client.watch();
        let driver = thread::spawn(move || block_on(driver));
        // It sleeps for ever when the news of a change or of the end passes it by.
        let watcher = thread::spawn(move || while block_on(watch.changed()).is_some() {});
        let producer = block_on(client.producer("group").send_timeout(LONG).into_future()).unwrap();
        block_on(producer.send(message("seen")).into_future()).unwrap();
        block_on(client.shutdown(LONG));
        driver.join().unwrap();
        watcher.join().unwrap();
    });
}

/// Somebody waits for checks while the producer is closed on another thread.
#[test]
fn who_waits_for_checks_learns_of_the_close() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, Limits::default());
        let mut checks = producer.checks();
        let waiter = thread::spawn(move || assert!(block_on(checks.next()).is_none()));
        block_on(producer.close(LONG));
        waiter.join().unwrap();
        block_on(client.shutdown(LONG));
        driver.join().unwrap();
    });
}

#[test]
fn sends_beside_a_close_are_stored_or_told() {
    in_many_orders(|| {
        let world = World::new();
        let (client, producer, driver) = start(&world, Limits::default());
        let sends = [send(&producer, "one"), send(&producer, "two")];
        // Whoever ends last drops the last handle of a producer that is closed already.
        let closer = thread::spawn(move || block_on(producer.close(LONG)));
        let mut stored = 0;
        for send in sends {
            match send.join().unwrap() {
                Ok(_) => stored += 1,
                Err(error) => {
                    assert!(matches!(error.kind(), SendErrorKind::ProducerClosed), "{error}");
                    assert_eq!(error.outcome(), Outcome::NotStored);
                }
            }
        }
        assert!(closer.join().unwrap().is_empty(), "a close that drains leaves nothing behind");
        assert_eq!((world.store().messages(), client.memory().messages), (stored, 0));
        // Its group is free again.
        let again = block_on(client.producer("group").into_future()).unwrap();
        assert_eq!(slots_in_use(&again), 0);
        block_on(client.shutdown(LONG));
        driver.join().unwrap();
    });
}

type Asked = (Client, Option<JoinHandle<()>>);

/// Asks for the one client; whoever gets a new one lets it be driven.
fn ask(clients: &SharedClients, world: &World) -> Asked {
    let builder = World::builder().ip([10, 0, 0, 7].into());
    let (client, driver) = clients.build_with(builder, world.clone()).unwrap();
    (client, driver.map(|driver| thread::spawn(move || block_on(driver))))
}

#[test]
fn two_who_ask_for_one_id_at_the_same_time_get_one_client() {
    in_many_orders(|| {
        let (world, clients) = (World::new(), SharedClients::default());
        let other = {
            let (world, clients) = (world.clone(), clients.clone());
            thread::spawn(move || {
                let asked = ask(&clients, &world);
                let producer = block_on(asked.0.producer("one").send_timeout(LONG).into_future()).unwrap();
                block_on(producer.send(message("one")).into_future()).unwrap();
                asked
            })
        };
        let (client, driver) = ask(&clients, &world);
        let producer = block_on(client.producer("two").send_timeout(LONG).into_future()).unwrap();
        block_on(producer.send(message("two")).into_future()).unwrap();
        let (same, others) = other.join().unwrap();
        assert!(client.is_same(&same) && clients.count() == 1);
        assert_eq!(world.store().messages(), 2);
        assert!(block_on(client.shutdown(LONG)).is_empty());
        let drivers: Vec<_> = [driver, others].into_iter().flatten().collect();
        assert_eq!(drivers.len(), 1, "one client has one driver");
        drivers.into_iter().for_each(|driver| driver.join().unwrap());
    });
}

#[test]
fn who_asks_while_the_last_handle_goes_gets_a_client_that_lives() {
    static FATES: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    in_many_orders(|| {
        let (world, clients) = (World::new(), SharedClients::default());
        let (first, driver) = ask(&clients, &world);
        let releaser = thread::spawn(move || drop(first));
        let (client, own) = ask(&clients, &world);
        FATES[usize::from(own.is_some())].fetch_add(1, Ordering::Relaxed);
        let producer = block_on(client.producer("group").send_timeout(LONG).into_future()).unwrap();
        block_on(producer.send(message("lives")).into_future()).unwrap();
        assert_eq!((world.store().messages(), clients.count()), (1, 1));
        releaser.join().unwrap();
        drop((client, producer));
        // Each driver ends with its last handle.
        driver.into_iter().chain(own).for_each(|driver| driver.join().unwrap());
        assert_eq!(clients.count(), 0);
    });
    assert!(FATES.iter().all(|fate| fate.load(Ordering::Relaxed) > 0), "the orders must see both: {FATES:?}");
}

/// Clones of one builder have one writer between them.
#[cfg(feature = "record")]
#[test]
fn the_writer_of_a_recording_goes_to_one_client_only() {
    in_many_orders(|| {
        let builder = World::builder().record(crate::Recording::to_writer(std::io::sink()));
        let build = |builder: crate::ClientBuilder| {
            thread::spawn(move || builder.build_with(World::new()).map(drop).map_err(|error| error.field))
        };
        let mut built = [build(builder.clone()), build(builder)].map(|built| built.join().unwrap());
        built.sort();
        assert_eq!(built, [Ok(()), Err("record")]);
    });
}
