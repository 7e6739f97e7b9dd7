//! Who writes: a caller who is alone, else the driver, once those have had their turn whom it woke.

use super::world::{Task, World, message, run};
use super::{LONG, warm};
use crate::{Driver, Limits, Producer, Sending};
use std::future::IntoFuture;
use std::task::Poll;
use std::time::Duration;

#[test]
fn a_lone_send_is_written_without_the_driver() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    // The first one lets the driver set its timer; those soon after it find it set.
    run(&mut driver, producer.send(message("first")).into_future()).unwrap();
    let _ = driver.settle();
    world.hold_answers();
    for sent in 1..4 {
        let before = driver.wakes.count();
        let mut send = Task::new(producer.send(message("alone")).into_future());
        assert!(send.poll().is_pending());
        assert_eq!(world.store().messages(), 2 + sent);
        assert_eq!(driver.wakes.count(), before, "there is nothing for the driver to do");
        world.release_answers();
        let _ = driver.settle();
        assert!(matches!(send.settle(), Poll::Ready(Ok(_))));
        world.hold_answers();
    }
}

#[test]
fn what_a_lone_caller_cannot_write_the_driver_writes() {
    for taken in [0, 1, 20] {
        let world = World::new();
        let (_client, producer, mut driver) = warm(&world, Limits::default());
        let _ = driver.settle();
        world.allow_writes(taken);
        let mut send = Task::new(producer.send(message("in two parts")).into_future());
        assert!(send.poll().is_pending());
        let _ = driver.settle();
        assert_eq!(world.store().messages(), 1);
        // Two more wait behind what is stuck.
        let others = [0, 1].map(|_| producer.try_enqueue(message("behind")).unwrap());
        let _ = driver.settle();
        world.allow_writes(usize::MAX);
        run(&mut driver, async {
            for other in others {
                other.await.unwrap();
            }
        });
        assert!(matches!(send.settle(), Poll::Ready(Ok(_))), "{taken} bytes at first");
        assert_eq!(world.store().bodies(), [&b"warm"[..], b"in two parts", b"behind", b"behind"]);
    }
}

#[test]
fn a_stream_that_fails_a_lone_caller_is_replaced() {
    let world = World::new();
    let (client, producer, mut driver) = warm(&world, Limits::default());
    let _ = driver.settle();
    world.break_writes();
    let mut send = Task::new(producer.send(message("again")).into_future());
    for _ in 0..100 {
        if let Poll::Ready(receipt) = send.settle() {
            receipt.unwrap();
            assert_eq!(world.store().messages(), 2);
            assert_eq!(client.counters().connections_opened, 3);
            return;
        }
        let _ = driver.settle();
        world.advance(Duration::from_millis(10));
    }
    panic!("the send is stuck");
}

#[test]
fn two_callers_leave_the_writing_to_the_driver() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    let _ = driver.settle();
    world.hold_answers();
    let first = producer.enqueue(message("handed over")).within(LONG).try_now().unwrap();
    let mut second = Task::new(producer.send(message("together")).into_future());
    assert!(second.poll().is_pending());
    assert_eq!(world.store().messages(), 1, "both leave in one write of the driver");
    let _ = driver.settle();
    assert_eq!(world.store().messages(), 3);
    world.release_answers();
    run(&mut driver, first).unwrap();
    assert!(matches!(second.settle(), Poll::Ready(Ok(_))));
}

/// Two callers that were woken for their answers; the first has fetched its own and given another message.
fn two_woken_callers(
    driver: &mut Task<Driver<World>>,
    world: &World,
    producer: &Producer,
) -> [Task<Sending>; 2] {
    world.hold_answers();
    let [mut first, mut second] = [0, 1].map(|_| Task::new(producer.send(message("before")).into_future()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    let _ = driver.settle();
    world.release_answers();
    let _ = driver.settle();
    assert_eq!((first.wakes.count(), second.wakes.count()), (1, 1));
    assert!(matches!(first.poll(), Poll::Ready(Ok(_))));
    let mut next = Task::new(producer.send(message("after")).into_future());
    assert!(next.poll().is_pending());
    [second, next]
}

#[test]
fn callers_that_were_woken_go_before_the_driver_writes() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    let [mut second, mut next] = two_woken_callers(&mut driver, &world, &producer);
    let before = world.writes();
    assert!(driver.poll().is_pending());
    assert_eq!(world.writes(), before, "the second caller has not had its turn");
    assert!(matches!(second.poll(), Poll::Ready(Ok(_))));
    let mut last = Task::new(producer.send(message("after")).into_future());
    assert!(last.poll().is_pending());
    let _ = driver.settle();
    assert_eq!(world.writes(), before + 1, "one write for both");
    assert!(matches!(next.settle(), Poll::Ready(Ok(_))) && matches!(last.settle(), Poll::Ready(Ok(_))));
}

#[test]
fn a_caller_that_never_comes_holds_nobody_up() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    let [second, mut next] = two_woken_callers(&mut driver, &world, &producer);
    assert!(driver.poll().is_pending() && driver.poll().is_pending());
    assert!(matches!(next.settle(), Poll::Ready(Ok(_))));
    drop(second);
    assert_eq!(producer.inner.shared().peek(|state| (state.answers.len(), state.answers.roused())), (0, 0));
}
