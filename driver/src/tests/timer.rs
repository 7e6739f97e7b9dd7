//! When the driver wakes by itself.

use super::world::{Task, World, message};
use super::{LONG, warm};
use crate::Limits;
use std::future::IntoFuture;
use std::task::Poll;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(10);

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn an_idle_client_wakes_for_heartbeats_and_routes_only() {
    let world = World::new();
    let (client, producer, mut driver) = warm(&world, Limits::default());
    let pass = |driver: &mut Task<_>, time: Duration| {
        for _ in 0..time.as_millis() / STEP.as_millis() {
            world.advance(STEP);
            let _ = driver.settle();
        }
    };
    // What the opening and the first message left behind.
    pass(&mut driver, LONG);
    let (before, asked) = (driver.wakes.count(), client.counters());
    pass(&mut driver, 10 * LONG);
    let (wakes, now) = (driver.wakes.count() - before, client.counters());
    let requests = now.heartbeats - asked.heartbeats + now.route_queries - asked.route_queries;
    assert!(requests >= 40, "{requests} requests in ten minutes");
    // The answer is there when the request is written: that is a wake-up too.
    assert!(wakes as u64 <= 2 * requests, "{wakes} wake-ups for {requests} requests");
    drop(producer);
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_deadline_is_kept_after_others_were_put_off() {
    let world = World::new();
    let (_client, producer, mut driver) = warm(&world, Limits::default());
    for _ in 0..300 {
        // Each answer lets the deadline move later, each send earlier.
        let mut send = Task::new(producer.send(message("answered")).into_future());
        assert!(send.settle().is_pending());
        let _ = driver.settle();
        assert!(matches!(send.settle(), Poll::Ready(Ok(_))));
        world.advance(STEP);
        let _ = driver.settle();
    }
    world.hold_answers();
    let within = Duration::from_millis(500);
    let mut send = Task::new(producer.send(message("unanswered")).within(within).retries(0).into_future());
    assert!(send.settle().is_pending());
    let _ = driver.settle();
    world.advance(within - STEP);
    let _ = driver.settle();
    assert!(send.settle().is_pending());
    world.advance(STEP);
    let _ = driver.settle();
    let Poll::Ready(Err(error)) = send.settle() else { panic!("the deadline has passed") };
    assert!(error.may_be_stored(), "{error}");
}
