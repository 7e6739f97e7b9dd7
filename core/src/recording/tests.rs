//! Recordings of a client without servers: everything that can be recorded comes back, and nothing else.

use super::*;
use crate::client::{Client, OwnedInput};
use crate::command::LanguageCode;
use crate::ground::{Instant, Now};
use crate::interface::{
    Action, ClientConfig, CloseReason, Command, CommandId, ConnId, FaultDetector, HookNames, Input,
    LatencyFault, MessageQueue, ProducerConfig, ProducerId, Resend, Send, SendMode, Target, TraceConfig,
    Zone,
};
use crate::message::Message;
use crate::wire::SerializeType;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use core::time::Duration;

pub(super) const BODY: &[u8] = b"the body of the message, which nobody shall see";

/// Nothing in it is a default.
fn config() -> ClientConfig {
    let mut config = ClientConfig::new("10.0.0.1:9876;[::1]:9877".parse().unwrap(), u64::MAX);
    config.discovery = Some("http://web:81/list?zone=a".parse().unwrap());
    config.identity.ip = "fe80::7".parse().unwrap();
    config.identity.pid = 4_711;
    config.identity.instance_name = Some("instance".into());
    config.identity.unit_name = Some("unit".into());
    config.namespace = Some("MQ_INST_1_a".parse().unwrap());
    config.namespace_v2 = Some("second".into());
    config.unit_mode = true;
    config.zone = Some(Zone { name: "zone".into(), mode: true });
    config.serialize_type = SerializeType::RocketMq;
    config.language = LanguageCode::Java;
    config.heartbeat_v2 = true;
    config.vip_channel = true;
    config.latency_fault = Some(LatencyFault {
        latency_max: [3, 5].map(Duration::from_millis).to_vec(),
        not_available_duration: [7, 9].map(Duration::from_millis).to_vec(),
        detector: Some(FaultDetector { interval: Duration::from_secs(4), timeout: Duration::from_nanos(1) }),
    });
    for (number, (name, _)) in config.timing.fields().into_iter().enumerate() {
        *config.timing.field_mut(name).unwrap() = Duration::new(number as u64 + 1, 17);
    }
    for (number, (name, _)) in config.limits.fields().into_iter().enumerate() {
        *config.limits.field_mut(name).unwrap() = number + 1_000;
    }
    config
}

fn producer_config() -> ProducerConfig {
    let mut config = ProducerConfig::new("orders".parse().unwrap());
    config.send_timeout = Duration::MAX;
    config.retries = 7;
    config.resend = Resend::OnlyWhenNotStored;
    config.retry_another_broker_when_not_store_ok = true;
    config.max_message_size = 4_000;
    config.create_topic_key = "KEY".parse().unwrap();
    config.default_topic_queue_nums = 9;
    config.topics = ["T", "payments"].map(|topic| topic.parse().unwrap()).into();
    config.trace = Some(TraceConfig {
        topic: "audit".parse().unwrap(),
        flush_interval: Duration::from_millis(11),
        batch_records: 12,
        batch_bytes: 13_000,
        queue_records: 14,
        queue_bytes: 15_000,
    });
    config
}

pub(super) fn message(body: &'static [u8]) -> Message {
    let builder = Message::builder("T".parse().unwrap()).body(body).tag("tag").key("k1").key("k2");
    builder.property("colour", "blå").flag(-5).wait_store_msg_ok(false).build().unwrap()
}

pub(super) fn send(message: Message, target: Target) -> Send {
    Send {
        producer: ProducerId::from_parts(1, 2),
        message,
        target,
        deadline: Instant::NEVER,
        mode: SendMode::OneWay,
        reservation: Some(CommandId(0)),
        retries: Some(3),
    }
}

fn every_command() -> Vec<Command> {
    let (producer, deadline) = (ProducerId::from_parts(300, 1), Instant::from_micros(77));
    let queue =
        MessageQueue { topic: "T".parse().unwrap(), broker_name: "b 0".parse().unwrap(), queue_id: -1 };
    let plain = Send {
        reservation: None,
        retries: None,
        mode: SendMode::Acknowledged,
        ..send(message(BODY), Target::Any)
    };
    Vec::from([
        Command::OpenProducer { config: Box::new(producer_config()) },
        Command::Reserve { producer, topic: "T".parse().unwrap(), weight: usize::MAX, deadline },
        Command::Withdraw { reservation: CommandId(u64::MAX) },
        Command::Send(plain),
        Command::Send(send(message(BODY), Target::Queue(queue))),
        Command::Send(send(message(b""), Target::ShardingKey("någon".into()))),
        Command::Flush { producer: None, deadline },
        Command::Flush { producer: Some(producer), deadline },
        Command::CloseProducer { producer, deadline },
        Command::Shutdown { deadline },
        Command::SetNameServers { name_servers: "a:1;b:2".parse().unwrap() },
        Command::SetNameServers { name_servers: crate::ground::endpoint::NameServers::none() },
    ])
    .into_iter()
    .chain(admin_tests::every_admin_command())
    .collect()
}

fn every_input() -> Vec<OwnedInput> {
    let conn = ConnId::from_parts(u32::MAX, 7);
    let reasons = [
        CloseReason::Refused,
        CloseReason::Unresolved,
        CloseReason::Unreachable,
        CloseReason::TimedOut,
        CloseReason::EndOfStream,
        CloseReason::Reset,
        CloseReason::Other,
    ];
    let mut inputs = Vec::from([
        OwnedInput::Connected { conn },
        OwnedInput::Received { conn, bytes: Bytes::from_static(b"\x80\x00bytes") },
        OwnedInput::Received { conn, bytes: Bytes::new() },
        OwnedInput::Wrote { conn, count: 1 << 20 },
        OwnedInput::Tick,
    ]);
    inputs.extend(reasons.map(|why| OwnedInput::Closed { conn, why }));
    let ids = (0..).map(|number| CommandId(number << 30));
    inputs.extend(ids.zip(every_command()).map(|(id, command)| OwnedInput::Command { id, command }));
    inputs
}

fn as_input(owned: &OwnedInput) -> Input<'_> {
    match owned {
        OwnedInput::Command { id, command } => Input::Command { id: *id, command: command.clone() },
        OwnedInput::Connected { conn } => Input::Connected { conn: *conn },
        OwnedInput::Received { conn, bytes } => Input::Received { conn: *conn, bytes },
        OwnedInput::Wrote { conn, count } => Input::Wrote { conn: *conn, count: *count },
        OwnedInput::Closed { conn, why } => Input::Closed { conn: *conn, why: *why },
        OwnedInput::Tick => Input::Tick,
    }
}

/// Times that go on, stand still, and jump on the wall.
fn time(number: usize) -> Now {
    let wall = [i64::MIN, -1, 0, 1_700_000_000_123, i64::MAX];
    Now { mono: Instant::from_micros(number as u64 / 2 * 1_234_567), unix_ms: wall[number % wall.len()] }
}

fn record_all(bodies: Bodies) -> Vec<u8> {
    let mut recorder = Recorder::new(&config(), time(3), bodies);
    let mut client = Client::new(config(), time(3)).unwrap();
    for (number, input) in every_input().iter().enumerate() {
        recorder.input(time(number), &as_input(input), &mut client);
        let at = Instant::from_micros(number as u64);
        recorder.action(time(number), &Action::SetTimer { at });
        recorder.mark();
    }
    recorder.end(time(9), EndReason::DriverDropped);
    recorder.take()
}

pub(super) fn read_all(bytes: &[u8]) -> Result<(Vec<Record>, Condition), ReadError> {
    let mut reader = Reader::new(bytes)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    Ok((records, reader.condition()))
}

#[test]
fn what_is_recorded_comes_back() {
    let bytes = record_all(Bodies::Keep);
    let reader = Reader::new(&bytes).unwrap();
    let start = reader.start();
    assert_eq!(format!("{:?}", start.config), format!("{:?}", config()));
    assert_eq!((start.now, start.bodies), (time(3), Bodies::Keep));
    assert_eq!(start.made_by, env!("CARGO_PKG_VERSION"));
    let (records, condition) = read_all(&bytes).unwrap();
    assert_eq!(condition, Condition::Ended(EndReason::DriverDropped));
    let mut found = Vec::new();
    for record in records {
        if let Record::Input { now, input, body, .. } = record {
            assert_eq!(
                body == BodyKept::Whole,
                matches!(&input, OwnedInput::Command { command: Command::Send(_), .. })
            );
            found.push(format!("{now:?} {input:?}"));
        }
    }
    let given = every_input();
    let given: Vec<_> =
        given.iter().enumerate().map(|(number, input)| format!("{:?} {input:?}", time(number))).collect();
    assert_eq!(found, given);
}

#[test]
fn bodies_are_kept_left_out_or_hashed() {
    let holds_body = |bytes: &[u8]| bytes.windows(BODY.len()).any(|window| window == BODY);
    for (bodies, kept) in [
        (Bodies::Keep, BodyKept::Whole),
        (Bodies::LeaveOut, BodyKept::LeftOut),
        (Bodies::Hash, BodyKept::Hashed(body_hash(BODY))),
    ] {
        let bytes = record_all(bodies);
        assert_eq!(holds_body(&bytes), bodies == Bodies::Keep);
        let (records, _) = read_all(&bytes).unwrap();
        let sends = records.iter().filter_map(|record| match record {
            Record::Input {
                input: OwnedInput::Command { command: Command::Send(send), .. }, body, ..
            } if !send.message.body().is_empty() => Some((send, *body)),
            _ => None,
        });
        let zeros = [0; BODY.len()];
        let expected = if bodies == Bodies::Keep { BODY } else { &zeros };
        let mut count = 0;
        for (send, body) in sends {
            assert_eq!((&**send.message.body(), body), (expected, kept));
            assert_eq!(send.message.weight(), message(BODY).weight());
            count += 1;
        }
        assert_eq!(count, 2);
    }
}

/// Whoever adds a setting decides here whether it may be recorded. Secrets may not.
#[test]
fn only_known_settings_are_recorded() {
    let bytes = record_all(Bodies::Keep);
    let mut names: Vec<String> =
        ["name_servers", "discovery", "ip", "pid", "instance_name", "unit_name", "namespace", "namespace_v2"]
            .into_iter()
            .chain(["unit_mode", "zone", "zone_mode", "seed"])
            .chain(["serialize_type", "language", "heartbeat_v2", "vip_channel"])
            .map(ToString::to_string)
            .collect();
    for name in ["latency_max", "latency_max", "not_available_duration", "not_available_duration"] {
        names.push(format!("latency_fault.{name}"));
    }
    names.extend(["interval", "timeout"].map(|name| format!("latency_fault.detector.{name}")));
    names.extend(config().timing.fields().map(|(name, _)| format!("timing.{name}")));
    names.extend(config().limits.fields().map(|(name, _)| format!("limits.{name}")));
    let mut out = Vec::new();
    settings::put_client(&mut out, &config(), &HookNames::default());
    let mut parts = parts::Parts::new(&out);
    let count = parts.number("count").unwrap();
    assert_eq!(count, names.len() as u64);
    for name in &names {
        assert_eq!(parts.text("name").unwrap(), name);
        match parts.byte("kind").unwrap() {
            0 => drop(parts.number("number").unwrap()),
            1 => drop(parts.text("text").unwrap()),
            _ => drop(parts.time("time").unwrap()),
        }
    }
    parts.end().unwrap();
    for secret in ["secret", "access_key", "password", "token"] {
        let found = bytes.windows(secret.len()).any(|window| window.eq_ignore_ascii_case(secret.as_bytes()));
        assert!(!found, "{secret} is in the recording");
    }
}

#[test]
fn a_cut_recording_ends_cleanly() {
    let bytes = record_all(Bodies::Keep);
    let (whole, _) = read_all(&bytes).unwrap();
    let start = Reader::new(&bytes).unwrap().position();
    for len in start..bytes.len() {
        let (records, condition) = read_all(&bytes[..len]).unwrap();
        assert!(records.len() < whole.len());
        match condition {
            Condition::Unfinished => {}
            Condition::Cut { at } => assert!((start..len).contains(&at)),
            other => panic!("{other:?} after {len} bytes"),
        }
    }
    for len in 0..start {
        assert!(Reader::new(&bytes[..len]).is_err());
    }
}

#[test]
fn wrong_bytes_are_told_with_their_place() {
    let bytes = record_all(Bodies::Keep);
    let start = Reader::new(&bytes).unwrap().position();
    let with = |tail: &[u8]| {
        let mut bytes = bytes[..start].to_vec();
        bytes.extend_from_slice(tail);
        read_all(&bytes).unwrap_err()
    };
    assert_eq!(with(&[0]), ReadError { position: start, kind: ReadErrorKind::BadLength(0) });
    let huge = [0xFF, 0xFF, 0xFF, 0xFF, 0x7F];
    assert!(matches!(with(&huge).kind, ReadErrorKind::BadLength(_)));
    let endless = [0xFF; 11];
    assert_eq!(with(&endless), ReadError { position: start, kind: ReadErrorKind::BadNumber("length") });
    // A number with a zero at its end.
    assert!(matches!(with(&[0x81, 0]).kind, ReadErrorKind::BadNumber(_)));
    assert_eq!(with(&[3, 99, 0, 0]).kind, ReadErrorKind::UnknownRecord(99));
    assert_eq!(with(&[1, write::START]).kind, ReadErrorKind::Misplaced(write::START));
    assert_eq!(with(&[2, write::TICK, 0]).kind, ReadErrorKind::TooShort("wall time"));
    let too_long = with(&[4, write::TICK, 0, 0, 0]);
    assert_eq!(too_long, ReadError { position: start + 4, kind: ReadErrorKind::TooLong(1) });
    assert!(matches!(with(&[6, write::CLOSED, 0, 0, 0, 0, 99]).kind, ReadErrorKind::BadValue { .. }));
    // Something behind the end.
    assert_eq!(with(&[4, write::END, 0, 0, 0, 1]).kind, ReadErrorKind::Misplaced(write::END));
    let mut other_version = bytes.clone();
    for other in [OLDEST_FORMAT_VERSION - 1, FORMAT_VERSION + 1] {
        other_version[MAGIC.len()] = other;
        assert_eq!(Reader::new(&other_version).unwrap_err().kind, ReadErrorKind::UnknownVersion(other));
    }
}

#[test]
fn any_changed_byte_is_read_without_harm() {
    let bytes = record_all(Bodies::LeaveOut);
    for at in 0..bytes.len() {
        for change in [1, 0x80, 0xFF] {
            let mut bytes = bytes.clone();
            bytes[at] ^= change;
            // Most changes are found, some make another recording. None harms.
            let _ = read_all(&bytes);
        }
    }
}

#[test]
fn a_body_that_is_too_large_ends_the_recording() {
    let mut recorder = Recorder::new(&config(), time(3), Bodies::LeaveOut);
    let large = Message::new("T".parse().unwrap(), alloc::vec![0; MAX_BODY_BYTES + 1]);
    let command = Command::Send(send(large, Target::Any));
    let mut client = Client::new(config(), time(3)).unwrap();
    recorder.input(time(4), &Input::Command { id: CommandId(1), command }, &mut client);
    assert!(recorder.has_ended());
    recorder.input(time(5), &Input::Tick, &mut client);
    let (records, condition) = read_all(&recorder.take()).unwrap();
    assert_eq!((records.len(), condition), (1, Condition::Ended(EndReason::MessageTooLarge)));
}

#[test]
fn a_story_tells_what_the_client_does() {
    let config = ClientConfig::new("127.0.0.1:9876".parse().unwrap(), 7);
    let mut recorder = Recorder::new(&config, time(0), Bodies::LeaveOut).telling();
    let to = "10.0.0.7:10911".parse().unwrap();
    recorder.action(time(1), &Action::Connect { conn: ConnId::from_parts(3, 1), to });
    recorder.action(time(1), &Action::Write { conn: ConnId::from_parts(3, 1) });
    let (records, _) = read_all(&recorder.take()).unwrap();
    let [Record::Told { text, .. }] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(text, "connection 3.1: opens to 10.0.0.7:10911");
}
