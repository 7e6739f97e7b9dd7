//! A replay compares the bytes that sockets took: in a recording without bodies all but those, in an old one none.

use super::world::{Task, World, run};
use crate::{Bodies, Driver, Message, Recording};
use rocketmq_core::recording::{FORMAT_VERSION, Reader, Replay, ReplayError};
use std::future::IntoFuture;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ALL_BODIES: [Bodies; 3] = [Bodies::Keep, Bodies::LeaveOut, Bodies::Hash];
const SENDS: usize = 5;
/// Bytes of a recording before its version.
const MAGIC: &[u8] = b"RMQ-REC";
/// The kind of the records that tell what a socket took.
const WROTE: u8 = 18;
/// Bytes of a hash, the last part of such a record.
const HASH: usize = 8;

/// A file in memory.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl Write for File {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The recording of a few sends.
fn record(bodies: Bodies) -> Vec<u8> {
    let (world, file) = (World::new(), File::default());
    let recording = Recording::to_writer(file.clone()).bodies(bodies);
    let (client, driver) = World::builder().record(recording).build_with(world).unwrap();
    let mut driver: Task<Driver<World>> = Task::new(driver);
    let producer = run(&mut driver, client.producer("group").into_future()).unwrap();
    for number in 0..SENDS {
        let message = Message::builder("topic".parse().unwrap())
            .body(format!("the body {number}"))
            .key(&format!("the-key-{number}"))
            .build();
        run(&mut driver, producer.send(message.unwrap()).into_future()).unwrap();
    }
    drop(run(&mut driver, client.shutdown(Duration::from_secs(1))));
    file.0.lock().unwrap().clone()
}

/// How many writes were compared, and how many were not.
fn replay(bytes: &[u8]) -> Result<(u64, u64), ReplayError> {
    let mut replay = Replay::new(Reader::new(bytes)?)?;
    while replay.next_step()?.is_some() {}
    Ok((replay.compared_writes(), replay.uncompared_writes()))
}

/// Each record, with the bytes of its length, as they lie in the recording.
fn records(bytes: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let mut at = MAGIC.len() + 1;
    std::iter::from_fn(move || {
        let (mut len, mut size) = (0, 0);
        loop {
            let byte = *bytes.get(at + size)?;
            len |= usize::from(byte & 0x7F) << (7 * size);
            size += 1;
            if byte < 0x80 {
                break;
            }
        }
        let record = at..at + size + len;
        at = record.end;
        Some(record)
    })
}

/// Records of writes are so short that their lengths have one byte.
fn is_write(record: &[u8]) -> bool {
    matches!(record, [len, kind, ..] if usize::from(*len) + 1 == record.len() && *kind == WROTE)
}

fn writes(bytes: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    records(bytes).filter(|record| is_write(&bytes[record.clone()]))
}

/// The same recording with one byte changed in a text that it has `number` times.
fn changed(bytes: &[u8], text: &[u8], number: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let found: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    assert_eq!(found.len(), number, "{}", String::from_utf8_lossy(text));
    bytes[found[0] + text.len() - 1] ^= 1;
    bytes
}

#[test]
fn every_write_is_compared() {
    for bodies in ALL_BODIES {
        let bytes = record(bodies);
        let all = writes(&bytes).count() as u64;
        assert!(all > SENDS as u64, "{all} writes");
        assert_eq!(replay(&bytes), Ok((all, 0)), "{bodies:?}");
    }
}

#[test]
fn another_recorded_hash_of_any_write_is_found_in_its_place() {
    for bodies in ALL_BODIES {
        let bytes = record(bodies);
        for write in writes(&bytes) {
            for byte in 1..=HASH {
                let mut other = bytes.clone();
                other[write.end - byte] ^= 1;
                let error = replay(&other).unwrap_err();
                let ReplayError::OtherBytes { position, expected_hash, found_hash, .. } = error else {
                    panic!("{bodies:?}: {error}");
                };
                assert!(error.is_difference());
                assert_eq!(position, write.start);
                assert_eq!((expected_hash ^ found_hash).count_ones(), 1);
            }
        }
    }
}

/// The body and the key of a message decide about nothing that the client does, so only its bytes tell.
#[test]
fn another_byte_of_a_message_is_found() {
    let is_found = |bytes: &[u8]| matches!(replay(bytes), Err(ReplayError::OtherBytes { .. }));
    assert!(is_found(&changed(&record(Bodies::Keep), b"the body 3", 1)));
    for bodies in ALL_BODIES {
        assert!(is_found(&changed(&record(bodies), b"the-key-3", 1)), "{bodies:?}");
    }
}

/// The first version of the format is the same without the hashes of writes.
#[test]
fn a_recording_of_the_first_version_is_replayed_without_comparing_its_writes() {
    for bodies in ALL_BODIES {
        let bytes = record(bodies);
        assert_eq!(bytes[MAGIC.len()], FORMAT_VERSION);
        let mut old = [MAGIC, &[1]].concat();
        for record in records(&bytes) {
            let record = &bytes[record];
            if is_write(record) {
                old.push(record[0] - HASH as u8);
                old.extend_from_slice(&record[1..record.len() - HASH]);
            } else {
                old.extend_from_slice(record);
            }
        }
        let all = writes(&bytes).count() as u64;
        assert_eq!(replay(&old), Ok((0, all)), "{bodies:?}");
        if bodies == Bodies::Keep {
            assert_eq!(replay(&changed(&old, b"the body 3", 1)), Ok((0, all)));
        }
    }
}
