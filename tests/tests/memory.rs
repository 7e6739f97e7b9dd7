//! Memory: a send in steady state allocates nothing in the core, and every limit of the table holds in bytes of
//! the allocator, not only in the core's own books.

use rocketmq_core::client::{Action, Answer, Command, CommandId, Input, Limits};
use rocketmq_core::message::Message;
use rocketmq_core::producer::SendErrorKind;
use rocketmq_sim::cluster::{ClusterConfig, ServerId};
use rocketmq_sim::world::{Order, World};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

mod memory_rig;

use memory_rig::Rig;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts for the whole process, so only one test measures at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

const MIB: usize = 1024 * 1024;

/// Bytes that the allocator holds more than at `start`.
fn grown(start: &Region<'_, System>) -> usize {
    let change = start.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

fn steady_state(mut rig: Rig, in_flight: usize) -> f64 {
    let messages: Vec<Message> = (0..in_flight).map(|_| Rig::message(1_024)).collect();
    let round = |rig: &mut Rig| {
        for message in &messages {
            rig.send(message.clone());
        }
        rig.answer_all();
    };
    let rounds = 20_000 / in_flight;
    for _ in 0..rounds {
        round(&mut rig);
    }
    rig.allocations = 0;
    for _ in 0..rounds {
        round(&mut rig);
    }
    rig.allocations as f64 / (rounds * in_flight) as f64
}

#[test]
fn a_send_in_steady_state_allocates_nothing() {
    let _alone = alone();
    for in_flight in [1, 16, 256, 1_024] {
        for rig in [Rig::warm(Limits::default()), Rig::warm_in_namespaces()] {
            let per_send = steady_state(rig, in_flight);
            // What is left is the outbox's chunk, shared by the frames of 64 KiB.
            assert!(per_send < 0.1, "{per_send} allocations per send with {in_flight} in flight");
        }
    }
}

#[test]
fn messages_under_way_hold_what_the_limit_says_and_no_more() {
    let _alone = alone();
    let limits = Limits {
        messages: 2_000,
        message_bytes: 4 * MIB,
        producer_messages: 1_500,
        producer_message_bytes: 3 * MIB,
        topic_messages: 1_000,
        topic_message_bytes: 2 * MIB,
        ..Limits::default()
    };
    for size in [100, 4_096] {
        let mut rig = Rig::warm(limits.clone());
        let start = Region::new(ALLOCATOR);
        let topic = "T".parse().unwrap();
        let mut accepted = 0;
        for _ in 0..5_000 {
            let message = Rig::message(size);
            if rig.client.room_for(rig.producer, &topic, message.weight()) {
                accepted += 1;
            }
            rig.send(message);
        }
        let by_number = accepted == limits.topic_messages;
        let by_bytes = accepted == limits.topic_message_bytes / Rig::message(size).weight();
        assert!(by_number || by_bytes, "{accepted} of {size} bytes");
        assert_eq!(rig.failed, 5_000 - accepted as u64);
        // The message, its place in the tables, its frame in the outbox of the broker that has not answered.
        let most = 3 * limits.topic_message_bytes + MIB;
        assert!(grown(&start) < most, "{} bytes held for {accepted} messages", grown(&start));
        rig.answer_all();
        while !rig.pending.is_empty() {
            rig.answer_all();
        }
        assert_eq!(rig.stored, 1 + accepted as u64);
        assert_eq!(rig.client.memory().message_bytes, 0);
    }
}

#[test]
fn a_broker_that_takes_no_byte_fills_the_outbox_and_no_more() {
    let _alone = alone();
    let limits = Limits { outbox_bytes: 64 * 1024, ..Limits::default() };
    let mut rig = Rig::warm(limits);
    rig.stuck = true;
    for _ in 0..5_000 {
        rig.send(Rig::message(1_024));
    }
    let memory = rig.client.memory();
    assert!(memory.outbox_bytes >= 64 * 1024, "{memory:?}");
    assert!(memory.outbox_bytes < 64 * 1024 + 2_048, "one frame beyond the limit at most: {memory:?}");
    assert_eq!(memory.messages, 5_000, "the others wait as values");
}

#[test]
fn callers_in_line_are_bounded_in_number_and_size() {
    let _alone = alone();
    let limits = Limits { topic_messages: 1, waiting_callers: 10_000, ..Limits::default() };
    let mut rig = Rig::warm(limits);
    rig.send(Rig::message(10));
    let start = Region::new(ALLOCATOR);
    let topic: rocketmq_core::ground::names::TopicName = "T".parse().unwrap();
    let mut refused = 0;
    for n in 0..12_000_u64 {
        let deadline = rig.now.mono + Duration::from_secs(60);
        let command =
            Command::Reserve { producer: rig.producer, topic: topic.clone(), weight: 300, deadline };
        rig.client.handle(rig.now, Input::Command { id: CommandId(1_000_000 + n), command });
        while let Some(action) = rig.client.poll_action() {
            if let Action::Answer { answer: Answer::Room(Err(error)), .. } = action {
                assert!(matches!(error.kind(), SendErrorKind::Full));
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 2_000);
    assert_eq!(rig.client.memory().waiting_callers, 10_000);
    let each = grown(&start) / 10_000;
    assert!(each <= 400, "{each} bytes for each caller in line");
}

#[test]
fn a_frame_that_is_announced_takes_memory_as_its_bytes_come() {
    let _alone = alone();
    let mut rig = Rig::warm(Limits::default());
    rig.send(Rig::message(10));
    let conn = rig.pending[0].0;
    let start = Region::new(ALLOCATOR);
    let mut announced = 16_000_000_u32.to_be_bytes().to_vec();
    announced.extend_from_slice(&[0, 0, 0, 200]);
    announced.extend_from_slice(&[b' '; 1_000]);
    rig.input(Input::Received { conn, bytes: &announced });
    assert!(grown(&start) < 64 * 1024, "{} bytes held for 1 KiB that came", grown(&start));
    assert_eq!(rig.client.memory().inbox_bytes, announced.len());
    assert_eq!(rig.closed, 0);
}

#[test]
fn a_frame_above_the_limit_closes_the_connection_and_holds_nothing() {
    let _alone = alone();
    let mut rig = Rig::warm(Limits { frame_bytes: 100_000, header_bytes: 10_000, ..Limits::default() });
    rig.send(Rig::message(10));
    let conn = rig.pending[0].0;
    let start = Region::new(ALLOCATOR);
    let mut frame = 100_001_u32.to_be_bytes().to_vec();
    frame.extend_from_slice(&[0, 0, 0, 200]);
    rig.input(Input::Received { conn, bytes: &frame });
    assert_eq!(rig.closed, 1);
    assert_eq!(rig.client.counters().bad_frames, 1);
    assert!(grown(&start) < 64 * 1024);
}

#[test]
fn requests_on_a_connection_are_bounded_and_the_rest_waits() {
    let _alone = alone();
    let mut rig = Rig::warm(Limits { connection_requests: 100, ..Limits::default() });
    for _ in 0..1_000 {
        rig.send(Rig::message(10));
    }
    assert_eq!(rig.pending.len(), 100);
    while !rig.pending.is_empty() {
        rig.answer_all();
    }
    assert_eq!(rig.stored, 1_001);
}

/// A world in which messages pile up: a broker that stands still, sockets that take little or nothing, connections that
/// break, more sends than there is room for, and a shutdown in the end.
fn crowded_world() -> World {
    let mut world = World::new(11, ClusterConfig::default(), |config| {
        config.limits.messages = 300;
        config.limits.message_bytes = 2 * MIB;
        config.limits.outbox_bytes = 64 * 1024;
    });
    world.be_silent();
    let producer = world.open_producer("group");
    world.network().short_writes = 300;
    for round in 0..40_u64 {
        for number in 0..60 {
            let size = [20, 900, 20_000][(round + number) as usize % 3];
            world.send(producer, Order::to("orders").size(size).within_ms(200 + 40 * number));
            world.reserve(producer, "orders", size, Duration::from_millis(300));
        }
        let pipe = world.pipe_to(0, ServerId::Broker(0));
        match (round % 5, pipe) {
            (1, _) => world.pause(ServerId::Broker(0)),
            (2, _) => world.resume(ServerId::Broker(0)),
            (3, Some(pipe)) => world.stall(pipe, Duration::from_millis(900)),
            (4, Some(pipe)) => world.reset(pipe),
            _ => {}
        }
        world.run_for(Duration::from_millis(50 * round));
    }
    world.shutdown(0, Duration::from_secs(1));
    world.run_for(Duration::from_secs(5));
    world.finish();
    world
}

#[test]
fn whatever_happens_the_allocator_agrees_with_the_books_of_the_core() {
    let _alone = alone();
    let world = crowded_world();
    let start = Region::new(ALLOCATOR);
    let (mut most, mut most_in_books) = (0, 0);
    world.replay_each(0, |core| {
        let (held, books) = (grown(&start), core.memory());
        let bytes = books.message_bytes + books.outbox_bytes + books.inbox_bytes;
        let entries = books.messages + books.requests + books.waiting_callers;
        // Bodies are shared with the recording, so the books may say more; connections have chunks to write into.
        let allowed = MIB + 2 * bytes + 2_048 * entries;
        assert!(held <= allowed, "{held} bytes of the allocator, {allowed} allowed by {books:?}");
        most = held.max(most);
        most_in_books = bytes.max(most_in_books);
    });
    println!("at most {most} bytes of the allocator, {most_in_books} in the books");
    assert!(most_in_books > MIB, "{most_in_books} bytes are no crowd");
    assert!(grown(&start) < 64 * 1024, "{} bytes are left of a client that is gone", grown(&start));
}
