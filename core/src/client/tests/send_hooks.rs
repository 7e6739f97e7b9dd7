//! Send interceptors and the check before each attempt.

use super::transactions::SHORT;
use super::{Rig, config};
use crate::client::{Answer, ClientConfig, Command, CommandId};
use crate::command::RequestCode;
use crate::interface::{
    CheckForbidden, Hooks, InterceptedMessage, Limits, Outcome, PlannedAttempt, Refusal, SendEnd,
    SendErrorKind, SendInterceptor, SendMode, SendVerdict, Target,
};
use crate::message::Message;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use std::sync::Mutex;

/// Marks each message, refuses those with the body `no`, and writes down what it sees.
struct Marker {
    name: &'static str,
    body: Option<&'static str>,
    growth: usize,
    seen: Mutex<Vec<String>>,
}

impl Marker {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, body: None, growth: 4_096, seen: Mutex::default() })
    }

    fn take(&self) -> Vec<String> {
        core::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl SendInterceptor for Marker {
    fn name(&self) -> &str {
        self.name
    }

    fn most_growth(&self) -> usize {
        self.growth
    }

    fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
        let line = format!("before {:?} {} {}", message.mode(), message.group(), message.topic());
        self.seen.lock().unwrap().push(line);
        if message.body().as_ref() == self.name.as_bytes() {
            return Err(Refusal::new("not mine"));
        }
        let wrong = |error: crate::message::PropertyError| Refusal::new(error.to_string());
        message.set_property(self.name, "was here").map_err(wrong)?;
        message.set_property("gone", "x").map_err(wrong)?;
        message.remove_property("gone").map_err(wrong)?;
        message.set_tag("tagged").map_err(wrong)?;
        message.set_keys(["k1", "k2"]).map_err(wrong)?;
        assert!(message.set_property("UNIQ_KEY", "mine").is_err());
        assert!(message.remove_property("WAIT").is_err());
        if let Some(body) = self.body {
            message.set_body(body);
        }
        Ok(())
    }

    fn after_send(&self, send: &SendEnd<'_>) {
        let verdict = match send.verdict {
            SendVerdict::Stored(receipt) => {
                assert_eq!(send.unique_key, Some(receipt.message_id));
                "stored".to_string()
            }
            SendVerdict::HandedOver => "handed over".to_string(),
            SendVerdict::Failed(error) => error.to_string(),
        };
        self.seen
            .lock()
            .unwrap()
            .push(format!("after {:?} {} {}: {verdict}", send.mode, send.group, send.topic));
    }
}

fn intercepted(config: ClientConfig, all: &[&Arc<Marker>]) -> Rig {
    let interceptors = all.iter().map(|one| Arc::clone(one) as Arc<dyn SendInterceptor>).collect();
    Rig::with_hooks(config, Hooks { interceptors, ..Hooks::default() })
}

#[test]
fn a_message_is_changed_once_and_told_of_once_however_many_attempts() {
    let marker = Marker::new("first");
    let mut rig = intercepted(config(), &[&marker]);
    let producer = rig.set_up();
    assert_eq!(marker.take(), ["before Acknowledged PG T", "after Acknowledged PG T: stored"]);
    let id = rig.send(producer, "T", SHORT);
    for _ in 0..2 {
        let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
        let properties = &send.ext["i"];
        for text in ["first\u{1}was here\u{2}", "TAGS\u{1}tagged\u{2}", "KEYS\u{1}k1 k2\u{2}"] {
            assert_eq!(properties.matches(text).count(), 1, "{properties:?}");
        }
        assert!(!properties.contains("gone"));
        rig.answer(&send, 2, Some("busy"));
        rig.pass(core::time::Duration::from_millis(200));
    }
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer_stored(&send, 0, 9);
    assert!(rig.sent(id).is_ok());
    assert_eq!(marker.take(), ["before Acknowledged PG T", "after Acknowledged PG T: stored"]);
    // One-way and half messages too.
    let message = Message::new("T".parse().unwrap(), "x");
    rig.send_with(producer, message.clone(), SHORT, Target::Any, SendMode::OneWay);
    assert_eq!(marker.take(), ["before OneWay PG T", "after OneWay PG T: handed over"]);
    let half = rig.send_half(producer, message);
    let sends: Vec<_> = rig.requests.drain(..).collect();
    rig.answer_stored(sends.last().unwrap(), 0, 10);
    assert!(rig.sent(half).is_ok());
    assert_eq!(marker.take(), ["before Half PG T", "after Half PG T: stored"]);
}

#[test]
fn a_refused_message_is_not_sent_and_those_before_learn_of_it() {
    let all = [Marker::new("first"), Marker::new("second"), Marker::new("third")];
    let mut rig = intercepted(config(), &[&all[0], &all[1], &all[2]]);
    let producer = rig.set_up();
    all.iter().for_each(|marker| drop(marker.take()));
    let message = Message::new("T".parse().unwrap(), "second");
    let id = rig.send_with(producer, message, SHORT, Target::Any, SendMode::Acknowledged);
    let error = rig.sent(id).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::Intercepted(why) if why.hook == "second"), "{error}");
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotStored, 0));
    assert_eq!(error.message().unwrap().property("first"), Some("was here"), "as it is then");
    let told = format!("after Acknowledged PG T: {error}");
    assert_eq!(all[0].take(), ["before Acknowledged PG T".to_string(), told]);
    assert_eq!(all[1].take(), ["before Acknowledged PG T"]);
    assert!(all[2].take().is_empty());
    assert!(rig.requests.is_empty());
    // A message that is refused for another reason is told of as well.
    rig.command(Command::CloseProducer { producer, deadline: rig.now.mono + SHORT });
    let id = rig.send(producer, "T", SHORT);
    let error = rig.sent(id).unwrap_err();
    assert!(all.iter().all(|marker| marker.take()
        == ["before Acknowledged PG T".to_string(), format!("after Acknowledged PG T: {error}")]));
}

#[test]
fn room_is_booked_for_the_changed_message_and_its_growth_is_bounded() {
    const LONG: &str = "a body that is a good deal longer than the one before, and then some more";
    let marker = |growth| Arc::new(Marker { name: "m", body: Some(LONG), growth, seen: Mutex::default() });
    // What was announced is kept.
    let mut rig = intercepted(config(), &[&marker(20)]);
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    let error = rig.sent(id).unwrap_err();
    assert!(error.to_string().contains("20 are announced"), "{error}");
    assert_eq!(rig.client.memory().message_bytes, 0);

    // So much room is reserved, and the message that comes has it.
    let limits = Limits {
        message_bytes: 2_000,
        producer_message_bytes: 2_000,
        topic_message_bytes: 2_000,
        ..Limits::default()
    };
    let mut rig = intercepted(ClientConfig { limits, ..config() }, &[&marker(1_000)]);
    let producer = rig.open("PG");
    let message = Message::new("T".parse().unwrap(), "body");
    let (topic, weight, deadline) = (message.topic().clone(), message.weight(), rig.now.mono + SHORT);
    assert!(rig.client.room_for(producer, &topic, weight));
    let reserve = |rig: &mut Rig| {
        let topic = topic.clone();
        rig.command(Command::Reserve { producer, topic, weight, deadline })
    };
    let first = reserve(&mut rig);
    assert!(matches!(rig.answers.remove(&first), Some(Answer::Room(Ok(())))));
    assert_eq!(rig.client.memory().message_bytes, weight + 1_000);
    assert!(!rig.client.room_for(producer, &topic, weight), "it would fit unchanged only");
    let second = reserve(&mut rig);
    let id = rig.command(Command::Send(crate::client::Send {
        producer,
        message,
        target: Target::Any,
        deadline,
        mode: SendMode::Acknowledged,
        reservation: Some(CommandId(first)),
        retries: None,
    }));
    assert!(!rig.answers.contains_key(&id), "it is under way");
    assert!(!rig.answers.contains_key(&second));
    assert!(rig.client.memory().message_bytes <= 2_000);
}

#[test]
fn a_forbidden_attempt_ends_its_send() {
    struct NotThere(Mutex<Option<i32>>);
    impl CheckForbidden for NotThere {
        fn name(&self) -> &str {
            "not-there"
        }
        fn check(&self, attempt: &PlannedAttempt<'_>) -> Result<(), Refusal> {
            assert_eq!((attempt.broker.as_str(), attempt.group.as_str()), ("broker-a", "PG"));
            assert_eq!(attempt.endpoint.to_string(), "10.0.0.0:10911");
            match *self.0.lock().unwrap() {
                Some(after) if i64::from(attempt.earlier) >= i64::from(after) => {
                    Err(Refusal::new("closed for stocktaking"))
                }
                _ => Ok(()),
            }
        }
    }
    let hook = Arc::new(NotThere(Mutex::new(None)));
    let mut rig = Rig::with_hooks(config(), Hooks { forbidden: vec![hook.clone()], ..Hooks::default() });
    let producer = rig.set_up();
    *hook.0.lock().unwrap() = Some(0);
    let id = rig.send(producer, "T", SHORT);
    let error = rig.sent(id).unwrap_err();
    assert!(
        matches!(error.kind(), SendErrorKind::Forbidden { broker, .. } if broker.as_str() == "broker-a"),
        "{error}"
    );
    assert!(error.to_string().contains("not-there: closed for stocktaking"));
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotStored, 0));
    assert!(rig.requests.is_empty());
    // An attempt that was made before counts.
    *hook.0.lock().unwrap() = Some(1);
    let id = rig.send(producer, "T", SHORT);
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer(&send, 1, Some("who knows"));
    rig.pass(core::time::Duration::from_millis(200));
    let error = rig.sent(id).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::Forbidden { .. }), "{error}");
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::MayBeStored, 1));
}
