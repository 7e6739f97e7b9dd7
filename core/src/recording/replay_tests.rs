//! Recordings of a whole session: their replay, and what a ring keeps of them.

use super::tests::{BODY, message, read_all, send};
use super::*;
use crate::client::{Client, OwnedInput};
use crate::ground::{Instant, Now};
use crate::interface::{
    Action, ClientConfig, CloseReason, Command, CommandId, Hooks, Input, InterceptedMessage, ProducerConfig,
    Refusal, Send, SendInterceptor, SendMode, Target,
};
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// A client that finds nobody, recorded as a driver does it.
fn record_a_session(bodies: Bodies) -> Vec<u8> {
    record_with_hooks(bodies, Hooks::default())
}

fn record_with_hooks(bodies: Bodies, hooks: Hooks) -> Vec<u8> {
    let config = ClientConfig::new("127.0.0.1:9876".parse().unwrap(), 7);
    let mut now = Now { mono: Instant::from_millis(5), unix_ms: 1_700_000_000_000 };
    let mut recorder = Recorder::with_hooks(&config, &hooks.names(), now, bodies);
    let mut client = Client::with_hooks(config, hooks, now).unwrap();
    let mut bytes = Vec::new();
    let mut connecting = Vec::new();
    let mut producer = None;
    for turn in 0..200_u64 {
        now.mono = now.mono + Duration::from_millis(100);
        now.unix_ms += 100;
        let id = CommandId(turn);
        let deadline = now.mono + Duration::from_secs(3);
        let input = match (turn, producer, connecting.pop()) {
            (_, _, Some(conn)) => Input::Closed { conn, why: CloseReason::Refused },
            (0, ..) => {
                let config = Box::new(ProducerConfig::new("orders".parse().unwrap()));
                Input::Command { id, command: Command::OpenProducer { config } }
            }
            (199, ..) => Input::Command { id, command: Command::Shutdown { deadline } },
            (_, Some(producer), None) if turn % 3 == 1 => {
                let send = send(message(BODY), Target::Any);
                let send =
                    Send { producer, deadline, mode: SendMode::Acknowledged, reservation: None, ..send };
                Input::Command { id, command: Command::Send(send) }
            }
            _ => Input::Tick,
        };
        recorder.input(now, &input, &mut client);
        client.handle(now, input);
        while let Some(action) = client.poll_action() {
            recorder.action(now, &action);
            match action {
                Action::Connect { conn, .. } => connecting.push(conn),
                Action::Answer { answer: crate::interface::Answer::Opened(Ok(id)), .. } => {
                    producer = Some(id)
                }
                _ => {}
            }
        }
        recorder.mark();
        bytes.extend(recorder.take());
    }
    bytes
}

fn replay(bytes: &[u8]) -> Result<(u64, u64), ReplayError> {
    let mut replay = Replay::new(Reader::new(bytes)?)?;
    let mut actions = 0;
    while let Some(step) = replay.next_step()? {
        actions += step.actions.len() as u64;
    }
    assert_eq!(replay.checked_actions(), actions);
    Ok((replay.inputs(), actions))
}

#[test]
fn a_replay_does_the_same_whatever_became_of_the_bodies() {
    let mut found = Vec::new();
    for bodies in [Bodies::Keep, Bodies::LeaveOut, Bodies::Hash] {
        let (inputs, actions) = replay(&record_a_session(bodies)).unwrap();
        assert_eq!(inputs, 200);
        assert!(actions > 80, "{actions} actions");
        found.push(actions);
    }
    found.dedup();
    assert_eq!(found.len(), 1);
}

#[test]
fn a_difference_is_found_at_the_first_input_that_makes_one() {
    let bytes = record_a_session(Bodies::LeaveOut);
    let mut reader = Reader::new(&bytes).unwrap();
    // Where each input begins, and what it is.
    let mut inputs = Vec::new();
    loop {
        let begin = reader.position();
        match reader.next_record().unwrap() {
            Some(Record::Input { input, .. }) => inputs.push((begin, reader.position(), input)),
            Some(_) => {}
            None => break,
        }
    }
    let is_send = |input: &OwnedInput| matches!(input, OwnedInput::Command { command: Command::Send(_), .. });
    let sends = inputs.iter().enumerate().filter(|(_, (_, _, input))| is_send(input));
    let mut found = 0;
    for (number, (begin, end, _)) in sends {
        let mut without = bytes[..*begin].to_vec();
        without.extend_from_slice(&bytes[*end..]);
        let Err(ReplayError::Different { inputs: given, .. }) = replay(&without) else {
            panic!("input {number} was not missed");
        };
        assert!(given >= number as u64);
        found += 1;
    }
    assert!(found > 10, "{found} sends");
}

#[test]
fn a_ring_keeps_the_newest_records_whole() {
    let bytes = record_a_session(Bodies::Hash);
    let start = Reader::new(&bytes).unwrap().position();
    let (all, _) = read_all(&bytes).unwrap();
    let mut ring = Ring::new(bytes[..start].to_vec(), 4_000);
    for chunk in split_at_records(&bytes, start) {
        ring.push(chunk);
        assert!(ring.len() <= 4_000);
    }
    assert!(!ring.is_whole());
    let kept = ring.to_vec();
    let (records, condition) = read_all(&kept).unwrap();
    assert_eq!(condition, Condition::Unfinished);
    let Some((Record::Gap { records: dropped, bytes: dropped_bytes }, rest)) = records.split_first() else {
        panic!("no gap at the beginning");
    };
    assert_eq!(*dropped as usize + rest.len(), all.len());
    assert_eq!(*dropped_bytes as usize + ring.len(), bytes.len() - start);
    let tail = &all[all.len() - rest.len()..];
    assert_eq!(format!("{rest:?}"), format!("{tail:?}"));
    assert!(matches!(replay(&kept), Err(ReplayError::Gap { .. })));
}

#[test]
fn a_ring_that_dropped_nothing_can_be_replayed() {
    let bytes = record_a_session(Bodies::Hash);
    let start = Reader::new(&bytes).unwrap().position();
    let mut ring = Ring::new(bytes[..start].to_vec(), bytes.len());
    ring.push(&bytes[start..]);
    assert!(ring.is_whole());
    assert_eq!(ring.to_vec(), bytes);
}

#[test]
fn a_ring_for_nothing_holds_nothing() {
    let bytes = record_a_session(Bodies::Hash);
    let start = Reader::new(&bytes).unwrap().position();
    let mut ring = Ring::new(bytes[..start].to_vec(), 0);
    ring.push(&bytes[start..]);
    assert!(ring.is_empty());
    let (records, _) = read_all(&ring.to_vec()).unwrap();
    assert!(matches!(&records[..], [Record::Gap { .. }]));
}

/// Pieces of whole records.
fn split_at_records(bytes: &[u8], start: usize) -> Vec<&[u8]> {
    let mut reader = Reader::new(bytes).unwrap();
    let (mut pieces, mut begin, mut count) = (Vec::new(), start, 0);
    while reader.next_record().unwrap().is_some() {
        count += 1;
        if count % 5 == 0 {
            pieces.push(&bytes[begin..reader.position()]);
            begin = reader.position();
        }
    }
    pieces.push(&bytes[begin..]);
    pieces
}

#[test]
fn a_client_with_hooks_is_replayed_with_the_same_ones_only() {
    struct Marks(&'static str, &'static str);
    impl SendInterceptor for Marks {
        fn name(&self) -> &str {
            self.0
        }
        fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
            message.set_property("mark", self.1).map_err(|error| Refusal::new(format!("{error}")))
        }
    }
    let hooks =
        |name, mark| Hooks { interceptors: [Arc::new(Marks(name, mark)) as _].into(), ..Hooks::default() };
    let bytes = record_with_hooks(Bodies::Keep, hooks("marks", "1"));
    let replay = |hooks| {
        let mut replay = Replay::with_hooks(Reader::new(&bytes)?, hooks)?;
        while replay.next_step()?.is_some() {}
        Ok::<u64, ReplayError>(replay.checked_actions())
    };
    assert!(replay(hooks("marks", "1")).unwrap() > 0);
    let other = replay(hooks("others", "1")).unwrap_err();
    assert!(format!("{other}").contains("marks"), "{other}");
    assert!(matches!(replay(Hooks::default()), Err(ReplayError::Hooks { .. })));
    // The same name, and yet something else: the errors give other messages back.
    assert!(replay(hooks("marks", "2")).unwrap_err().is_difference());
}
