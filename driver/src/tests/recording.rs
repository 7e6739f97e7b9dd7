//! Recordings as a driver makes them: when they are written, how they end, and that clients do not care.

use super::world::{Task, World, message, run};
use crate::{Bodies, Client, Driver, Producer, Recording, RecordingState};
use rocketmq_core::interface::{Action, Answer};
use rocketmq_core::recording::{Condition, EndReason, Reader, Record, Replay, ReplayError};
use std::future::IntoFuture;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A file in memory. It takes so many bytes.
#[derive(Clone)]
struct File {
    bytes: Arc<Mutex<Vec<u8>>>,
    most: usize,
}

impl File {
    fn new(most: usize) -> Self {
        Self { bytes: Arc::default(), most }
    }

    fn len(&self) -> usize {
        self.bytes.lock().unwrap().len()
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

impl Write for File {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.lock().unwrap();
        if bytes.len() + from.len() > self.most {
            return Err(io::Error::other("the disk is full"));
        }
        bytes.extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(world: &World, recording: Recording) -> (Client, Producer, Task<Driver<World>>) {
    let (client, driver) = World::builder().record(recording).build_with(world.clone()).unwrap();
    let mut driver = Task::new(driver);
    let producer = run(&mut driver, client.producer("group").into_future()).unwrap();
    (client, producer, driver)
}

fn send(driver: &mut Task<Driver<World>>, producer: &Producer, body: &str) {
    run(driver, producer.send(message(body)).into_future()).unwrap();
}

/// Receipts, and how the recording ends.
fn replay(bytes: &[u8]) -> Result<(usize, Condition), ReplayError> {
    let mut replay = Replay::new(Reader::new(bytes)?)?;
    let mut receipts = 0;
    while let Some(step) = replay.next_step()? {
        receipts += step
            .actions
            .iter()
            .filter(|action| matches!(action, Action::Answer { answer: Answer::Sent(Ok(_)), .. }))
            .count();
    }
    Ok((receipts, replay.condition()))
}

#[test]
fn a_whole_session_is_recorded_and_replayed() {
    for bodies in [Bodies::Keep, Bodies::LeaveOut, Bodies::Hash] {
        let (world, file) = (World::new(), File::new(usize::MAX));
        let (client, producer, mut driver) = start(&world, Recording::to_writer(file.clone()).bodies(bodies));
        for number in 0..20 {
            send(&mut driver, &producer, &format!("the body {number}"));
        }
        let undelivered = run(&mut driver, client.shutdown(Duration::from_secs(1)));
        assert!(undelivered.is_empty());
        let bytes = file.bytes();
        assert_eq!(replay(&bytes), Ok((20, Condition::Ended(EndReason::ClientEnded))));
        let body = b"the body 7";
        let has_body = bytes.windows(body.len()).any(|window| window == body);
        // The world's broker does not send bodies back, so this is all of them.
        assert_eq!(has_body, bodies == Bodies::Keep);
        let written = bytes.len() as u64;
        assert_eq!(client.recording_state(), RecordingState::Ended { bytes: written, failure: None });
        assert_eq!(client.recent_recording(), None);
    }
}

#[test]
fn little_is_written_soon() {
    let (world, file) = (World::new(), File::new(usize::MAX));
    let (client, producer, mut driver) = start(&world, Recording::to_writer(file.clone()));
    send(&mut driver, &producer, "one");
    let before = file.len();
    let RecordingState::Running { bytes } = client.recording_state() else { panic!("it does not run") };
    assert!((before as u64) < bytes);
    world.advance(Duration::from_millis(100));
    let _ = driver.settle();
    assert_eq!(file.len() as u64, bytes);
    assert_eq!(replay(&file.bytes()), Ok((1, Condition::Unfinished)));
}

#[test]
fn much_is_written_at_once() {
    let (world, file) = (World::new(), File::new(usize::MAX));
    let (_client, producer, mut driver) =
        start(&world, Recording::to_writer(file.clone()).bodies(Bodies::Keep));
    send(&mut driver, &producer, &"x".repeat(100_000));
    assert!(file.len() > 100_000);
}

#[test]
fn a_full_disk_ends_the_recording_and_nothing_else() {
    let (world, file) = (World::new(), File::new(5_000));
    let (client, producer, mut driver) = start(&world, Recording::to_writer(file.clone()));
    for _ in 0..50 {
        send(&mut driver, &producer, "goes on");
        world.advance(Duration::from_millis(100));
    }
    assert_eq!(world.store().messages(), 50);
    let RecordingState::Ended { failure: Some(failure), .. } = client.recording_state() else {
        panic!("{:?}", client.recording_state());
    };
    assert_eq!(failure, "the disk is full");
    assert!(file.len() > 1_000);
    let (_, condition) = replay(&file.bytes()).unwrap();
    assert_eq!(condition, Condition::Unfinished);
}

#[test]
fn a_dropped_driver_ends_the_recording() {
    let (world, file) = (World::new(), File::new(usize::MAX));
    let (_client, producer, mut driver) = start(&world, Recording::to_writer(file.clone()));
    send(&mut driver, &producer, "one");
    drop(driver);
    assert_eq!(replay(&file.bytes()), Ok((1, Condition::Ended(EndReason::DriverDropped))));
}

#[test]
fn one_writer_has_one_client() {
    let builder = World::builder().record(Recording::to_writer(File::new(usize::MAX)));
    let first = builder.clone().build_with(World::new());
    assert!(first.is_ok());
    let error = builder.build_with(World::new()).unwrap_err();
    assert_eq!(error.field, "record");
}

#[test]
fn nothing_is_recorded_unasked() {
    let world = World::new();
    let (client, _driver) = World::builder().build_with(world).unwrap();
    assert_eq!(client.recording_state(), RecordingState::Off);
    assert_eq!(client.recent_recording(), None);
}

#[test]
fn the_newest_part_can_be_had_at_any_time() {
    let world = World::new();
    let (client, producer, mut driver) = start(&world, Recording::recent(10_000));
    send(&mut driver, &producer, "first");
    let whole = client.recent_recording().unwrap();
    assert_eq!(replay(&whole), Ok((1, Condition::Unfinished)));
    for _ in 0..100 {
        send(&mut driver, &producer, "later");
    }
    let recent = client.recent_recording().unwrap();
    assert!((5_000..15_000).contains(&recent.len()), "{} bytes", recent.len());
    assert!(matches!(replay(&recent), Err(ReplayError::Gap { .. })));
    let mut reader = Reader::new(&recent).unwrap();
    let mut told = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Told { text, .. } = record {
            told.push(text);
        }
    }
    let stored = told.iter().filter(|text| text.contains("stored, SEND_OK in topic/")).count();
    assert!(stored > 5, "{told:#?}");
}

/// Answers that nobody fetches make the driver give commands of its own; they are inputs, too.
#[test]
fn commands_of_the_driver_itself_are_recorded() {
    let (world, file) = (World::new(), File::new(usize::MAX));
    let (client, producer, mut driver) = start(&world, Recording::to_writer(file.clone()));
    send(&mut driver, &producer, "one");
    let mut opening = Task::new(client.producer("other").into_future());
    let _ = opening.poll();
    drop(opening);
    drop((client, producer));
    assert!(driver.settle().is_ready());
    assert_eq!(replay(&file.bytes()), Ok((1, Condition::Ended(EndReason::ClientEnded))));
}
