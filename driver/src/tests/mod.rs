//! Handles and driver together, in memory and without real time.

mod hooks;
mod lone;
#[cfg(feature = "record")]
mod recorded_bytes;
#[cfg(feature = "record")]
mod recording;
mod shared_clients;
#[cfg(shuttle)]
mod threads;
mod timer;
mod world;

use crate::{Client, Driver, FlushError, Limits, NameServers, OpenError, Outcome, Producer, SendErrorKind};
use std::future::IntoFuture;
use std::task::Poll;
use std::time::Duration;
use world::{Task, World, message, run};

const LONG: Duration = Duration::from_secs(60);

/// A client with an open producer whose route and connections are warm.
fn warm(world: &World, limits: Limits) -> (Client, Producer, Task<Driver<World>>) {
    let (client, driver) = World::builder().limits(limits).build_with(world.clone()).unwrap();
    let mut driver = Task::new(driver);
    let producer = run(&mut driver, client.producer("group").send_timeout(LONG).into_future()).unwrap();
    run(&mut driver, producer.send(message("warm")).into_future()).unwrap();
    (client, producer, driver)
}

/// Room for one message only.
fn narrow() -> Limits {
    Limits { messages: 1, producer_messages: 1, topic_messages: 1, ..Limits::default() }
}

#[test]
fn a_send_is_woken_once_and_the_driver_only_while_it_sleeps() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    world.hold_answers();
    let _ = driver.settle();
    let before = driver.wakes.count();
    let mut sends: Vec<_> =
        (0..10).map(|_| Task::new(producer.send(message("counted")).into_future())).collect();
    for send in &mut sends {
        assert!(send.poll().is_pending());
    }
    assert_eq!(driver.wakes.count(), before + 1, "one sleeping driver, one wake-up");
    assert!(driver.settle().is_pending());
    assert!(sends.iter().all(|send| send.wakes.count() == 0));
    world.release_answers();
    assert!(driver.settle().is_pending());
    for send in &mut sends {
        assert_eq!(send.wakes.count(), 1);
        assert!(matches!(send.poll(), Poll::Ready(Ok(_))));
    }
    assert_eq!(world.store().messages(), 11);
}

#[test]
fn one_task_with_many_receipts_is_woken_once() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    world.hold_answers();
    let mut receipts = Vec::new();
    for _ in 0..10 {
        receipts.push(producer.try_enqueue(message("together")).unwrap());
    }
    let mut all = Task::new(async {
        // Every receipt is polled before the first one is waited for.
        let mut tasks: Vec<_> = receipts.into_iter().map(Box::pin).collect();
        std::future::poll_fn(|cx| {
            tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
            if tasks.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
    assert!(all.poll().is_pending());
    let _ = driver.settle();
    world.release_answers();
    let _ = driver.settle();
    assert_eq!(all.wakes.count(), 1);
    assert!(all.poll().is_ready());
}

/// Drops a send after each number of polls, with the driver polled in between, with and without room.
#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_send_may_be_dropped_at_any_moment() {
    let mut outcomes = [0, 0];
    for narrow_room in [false, true] {
        for polls in 0..12 {
            let world = World::new();
            let limits = if narrow_room { narrow() } else { Limits::default() };
            let (client, producer, mut driver) = warm(&world, limits);
            world.move_at_most(40);
            let blocker = narrow_room.then(|| producer.try_enqueue(message("blocker")).unwrap());
            let mut send = Task::new(producer.send(message("dropped")).into_future());
            for _ in 0..polls {
                if send.poll().is_ready() {
                    break;
                }
                // One round of the driver only: it moves 40 bytes at a time.
                let _ = driver.poll();
            }
            drop(send);
            drop(blocker);
            let receipt = run(&mut driver, producer.send(message("after")).into_future()).unwrap();
            run(&mut driver, producer.flush(LONG)).unwrap();
            let copies = world.store().bodies().iter().filter(|body| *body == b"dropped").count();
            assert!(copies <= 1 && (copies == 0 || polls > 0), "{copies} copies after {polls} polls");
            outcomes[copies] += 1;
            assert_eq!(receipt.attempts, 1);
            let memory = client.memory();
            assert_eq!((memory.messages, memory.message_bytes, memory.waiting_callers), (0, 0, 0));
            assert_eq!(producer.inner.shared().peek(|state| state.answers.len()), 0, "a slot is left");
        }
    }
    assert!(outcomes[0] > 1 && outcomes[1] > 1, "the sweep must see both fates: {outcomes:?}");
}

#[test]
fn other_futures_may_be_dropped_too() {
    let world = World::new();
    let (client, producer, mut driver) = warm(&world, Limits::default());
    world.hold_answers();
    let receipt = producer.try_enqueue(message("held")).unwrap();
    let mut flush = Task::new(producer.flush(LONG));
    assert!(flush.poll().is_pending());
    drop(flush);
    let mut watch = client.watch();
    let mut changed = Task::new(watch.changed());
    assert!(changed.poll().is_pending());
    drop(changed);
    drop(watch);
    let unopened = Task::new(client.producer("never").into_future());
    drop(unopened);
    world.release_answers();
    run(&mut driver, receipt).unwrap();
    // The group of the producer that was never opened is free, and that of a dropped one becomes free.
    let second = run(&mut driver, client.producer("never").into_future()).unwrap();
    assert!(matches!(run(&mut driver, client.producer("never").into_future()), Err(OpenError::Refused(_))));
    drop(second);
    let _ = driver.settle();
    run(&mut driver, client.producer("never").into_future()).unwrap();
    let _ = driver.settle();
    assert_eq!(producer.inner.shared().peek(|state| (state.answers.len(), state.watchers.len())), (0, 0));
}

#[test]
fn without_room_sends_wait_and_try_enqueue_gives_back() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, narrow());
    world.hold_answers();
    let first = producer.try_enqueue(message("first")).unwrap();
    let mut second = Task::new(producer.enqueue(message("second")).into_future());
    assert!(second.settle().is_pending());
    let error = producer.try_enqueue(message("third")).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::Full), "{error}");
    assert_eq!(error.outcome(), Outcome::NotStored);
    assert_eq!(error.into_message(), Some(message("third")));
    world.release_answers();
    run(&mut driver, first).unwrap();
    let Poll::Ready(second) = second.settle() else { panic!("there is room now") };
    run(&mut driver, second.unwrap()).unwrap();
    assert_eq!(world.store().messages(), 3);
}

#[test]
fn a_send_without_room_ends_at_its_deadline_with_its_message() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, narrow());
    world.hold_answers();
    let _first = producer.enqueue(message("first")).within(LONG).try_now().unwrap();
    let mut second =
        Task::new(producer.send(message("second")).within(Duration::from_millis(50)).into_future());
    assert!(second.settle().is_pending());
    let _ = driver.settle();
    world.advance(Duration::from_millis(51));
    let _ = driver.settle();
    let Poll::Ready(Err(error)) = second.settle() else { panic!("the deadline has passed") };
    assert!(matches!(error.kind(), SendErrorKind::NoRoomInTime), "{error}");
    assert_eq!(error.into_message(), Some(message("second")));
}

#[test]
fn one_way_ends_when_the_last_byte_is_taken() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    let _ = driver.settle();
    world.allow_writes(20);
    let mut send = Task::new(producer.send_oneway(message("one way")).into_future());
    assert!(send.settle().is_pending());
    let _ = driver.settle();
    assert!(send.settle().is_pending(), "only 20 bytes are taken");
    world.allow_writes(usize::MAX);
    let _ = driver.settle();
    assert!(matches!(send.settle(), Poll::Ready(Ok(()))));
    assert_eq!(world.store().messages(), 2);
}

#[test]
fn a_dropped_driver_is_told_to_everybody() {
    let world = World::new();
    let (client, producer, mut driver) = warm(&world, narrow());
    world.hold_answers();
    let mut under_way = Task::new(producer.send(message("under way")).into_future());
    let mut in_line = Task::new(producer.send(message("in line")).into_future());
    let mut flush = Task::new(producer.flush(LONG));
    let mut watch = client.watch();
    assert!(under_way.settle().is_pending());
    assert!(in_line.settle().is_pending());
    assert!(flush.settle().is_pending());
    let _ = driver.settle();
    // The connection's requests have changed nothing in the view since.
    watch.view();
    let mut changed = Task::new(watch.changed());
    assert!(changed.settle().is_pending());
    drop(driver);
    let Poll::Ready(Err(error)) = under_way.settle() else { panic!("nobody drives any more") };
    assert!(matches!(error.kind(), SendErrorKind::DriverGone) && error.may_be_stored(), "{error}");
    let Poll::Ready(Err(error)) = in_line.settle() else { panic!("nobody drives any more") };
    assert!(matches!(error.kind(), SendErrorKind::DriverGone), "{error}");
    assert_eq!((error.outcome(), error.into_message()), (Outcome::NotStored, Some(message("in line"))));
    assert_eq!(flush.settle(), Poll::Ready(Err(FlushError::DriverGone)));
    assert_eq!(changed.settle(), Poll::Ready(None));
    drop(changed);
    let Poll::Ready(Err(error)) = Task::new(producer.send(message("late")).into_future()).poll() else {
        panic!("nobody drives any more")
    };
    assert_eq!(error.into_message(), Some(message("late")));
    let opened = Task::new(client.producer("late").into_future()).poll();
    assert!(matches!(opened, Poll::Ready(Err(OpenError::DriverGone))));
    assert!(matches!(Task::new(client.shutdown(LONG)).poll(), Poll::Ready(left) if left.is_empty()));
}

#[test]
fn the_last_handle_drains_unregisters_and_ends_the_driver() {
    let world = World::new();
    let (client, producer, mut driver) = warm(&world, Limits::default());
    world.hold_answers();
    let receipt = producer.try_enqueue(message("orphan")).unwrap();
    drop(client);
    drop(producer);
    assert!(driver.settle().is_pending());
    assert_eq!(world.store().unregistered(), 0, "the receipt still counts as a handle");
    drop(receipt);
    assert!(driver.settle().is_pending());
    world.release_answers();
    assert!(driver.settle().is_ready());
    assert_eq!(world.store().messages(), 2);
    assert_eq!(world.store().unregistered(), 1);
}

#[test]
fn the_drain_after_the_last_handle_ends_in_time() {
    let world = World::new();
    let (client, producer, mut driver) = warm(&world, Limits::default());
    world.hold_answers();
    drop(producer.try_enqueue(message("unanswered")).unwrap());
    drop((client, producer));
    for _ in 0..100 {
        if driver.settle().is_ready() {
            return;
        }
        world.advance(Duration::from_millis(100));
    }
    panic!("10 s passed, and the driver still waits");
}

#[test]
fn shutdown_returns_what_was_not_delivered() {
    let world = World::new();
    let (client, producer, mut driver) = warm(&world, Limits::default());
    world.hold_answers();
    let receipt = producer.try_enqueue(message("lost")).unwrap();
    let mut shutdown = Task::new(client.shutdown(Duration::from_millis(10)));
    assert!(shutdown.settle().is_pending());
    let mut left = None;
    for _ in 0..100 {
        let _ = driver.settle();
        if let Poll::Ready(undelivered) = shutdown.settle() {
            left = Some(undelivered);
            break;
        }
        world.advance(Duration::from_millis(50));
    }
    let left = left.expect("a shutdown ends");
    assert_eq!(left.len(), 1);
    assert!(left[0].message.body() == "lost" && left[0].error.may_be_stored());
    assert!(run(&mut driver, receipt).unwrap_err().may_be_stored());
    let error = run(&mut driver, producer.send(message("late")).into_future()).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::ClientClosed), "{error}");
    assert!(driver.poll().is_ready(), "a driver that has ended stays so");
}

#[test]
fn a_watch_sees_connections_and_routes() {
    let world = World::new();
    let (client, driver) = World::builder().build_with(world.clone()).unwrap();
    let mut driver = Task::new(driver);
    let mut watch = client.watch();
    assert!(watch.view().topics.is_empty());
    let producer = run(&mut driver, client.producer("group").into_future()).unwrap();
    let receipt = producer.try_enqueue(message("seen")).unwrap();
    let view = run(&mut driver, async {
        loop {
            let view = watch.changed().await.expect("the client lives");
            if !view.topics.is_empty() {
                return view;
            }
        }
    });
    assert_eq!(view.topics[0].topic.as_str(), "topic");
    run(&mut driver, receipt).unwrap();
    assert_eq!(client.view().brokers.len(), 1);
}

#[test]
fn wrong_settings_are_refused_by_name() {
    let refused = |builder: crate::ClientBuilder| builder.build_with(World::new()).unwrap_err().field;
    assert_eq!(refused(Client::builder("nowhere")), "name_servers");
    assert_eq!(refused(Client::builder("")), "name_servers");
    assert_eq!(refused(Client::builder_with_discovery("https://a/")), "discovery");
    assert_eq!(refused(Client::builder_from_properties("no/such/file")), "properties");
    let discovered = Client::builder_with_discovery("jmenv").unit_name("a b");
    assert_eq!(refused(discovered), "unit_name");
    assert_eq!(refused(World::builder().instance_name("")), "instance_name");
    assert_eq!(refused(World::builder().limits(Limits { messages: 0, ..Limits::default() })), "messages");
    let world = World::new();
    let (client, driver) = World::builder().build_with(world).unwrap();
    let mut driver = Task::new(driver);
    let error = run(&mut driver, client.producer("no blanks").into_future()).unwrap_err();
    assert!(error.to_string().contains("group"), "{error}");
    assert!(client.set_name_servers("also nowhere").is_err());
    assert_eq!(client.set_name_servers(NameServers::none()).unwrap_err().field, "name_servers");
    client.set_name_servers("127.0.0.1:1").unwrap();
}

#[test]
fn handles_and_futures_can_cross_threads() {
    fn check<T: Send + Sync>() {}
    fn check_send<T: Send + 'static>() {}
    check::<Client>();
    check::<Producer>();
    check_send::<Driver<World>>();
    check_send::<crate::Sending>();
    check_send::<crate::Enqueueing>();
    check_send::<crate::SendingOneWay>();
    check_send::<crate::Receipt>();
    check_send::<crate::Watch>();
}
