//! Start and identity: what a client is before its first request, and what it says of itself.

use super::{Rig, config};
use crate::client::{Action, Answer, Client, ClientConfig, Command, Input, ServiceState};
use crate::command::{LanguageCode, version};
use crate::ground::Now;
use crate::ground::endpoint::NameServers;
use crate::ground::names::{GroupName, NameError};
use crate::interface::{NoRoute, OpenError, Outcome};
use crate::producer::{ProducerConfig, SendErrorKind};
use crate::wire::{Header, Inbox, SerializeType, WireLimits};
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

const SHORT: Duration = Duration::from_secs(3);

#[test]
fn the_instance_name_makes_the_client_id_and_default_is_none() {
    let id = |instance: Option<&str>, unit: Option<&str>, seed: u64| {
        let mut config = ClientConfig { seed, ..config() };
        config.identity.pid = 4_711;
        config.identity.instance_name = instance.map(Into::into);
        config.identity.unit_name = unit.map(Into::into);
        config.client_id().unwrap().to_string()
    };
    assert_eq!(id(Some("one"), None, 1), "127.0.0.1@one");
    assert_eq!(id(Some("one"), Some("north"), 1), "127.0.0.1@one@north");
    assert_eq!(id(Some("one"), Some(" "), 1), "127.0.0.1@one", "a blank unit is none");
    // Many processes have that name in Java, and none of them has that id.
    assert_eq!(id(Some("DEFAULT"), None, 1), id(None, None, 1));
    assert!(id(None, None, 1).starts_with("127.0.0.1@4711#"));
    assert_ne!(id(None, None, 1), id(None, None, 2));
}

#[test]
fn groups_are_checked_before_anything_else() {
    let group = |text: &str| text.parse::<GroupName>().map(drop);
    let what = "group";
    assert_eq!(group(" "), Err(NameError::Blank { what }));
    assert_eq!(group(&"g".repeat(121)), Err(NameError::TooLong { what, len: 121, max: 120 }));
    assert_eq!(group("a b"), Err(NameError::IllegalCharacter { what, character: ' ', at: 1 }));
    for reserved in ["DEFAULT_PRODUCER", "CLIENT_INNER_PRODUCER"] {
        assert!(matches!(group(reserved), Err(NameError::Reserved { .. })), "{reserved}");
    }
}

#[test]
fn requests_say_which_language_and_version_wrote_them() {
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let mut rig = Rig::new(ClientConfig { serialize_type, ..config() });
        let producer = rig.open("PG");
        rig.send(producer, "T", SHORT);
        rig.keep_bytes = true;
        rig.connect_all();
        let conn = *rig.addresses.keys().next().unwrap();
        let mut chunks = Vec::new();
        rig.client.outbox(conn, &mut chunks);
        let mut inbox = Inbox::new(WireLimits::default());
        let mut frames = inbox.feed(&chunks[0]);
        let frame = frames.next().unwrap().unwrap();
        let header = Header::parse(&frame, &WireLimits::default()).unwrap();
        assert_eq!((header.language, header.version), (LanguageCode::Rust, version::CURRENT));
        assert_eq!(frame.serialize, serialize_type);
    }
}

#[test]
fn a_client_starts_once_and_its_end_is_the_end() {
    let mut client = Client::new(config(), Now::default()).unwrap();
    assert_eq!(client.service_state(), ServiceState::CreateJust);
    client.handle(Now::default(), Input::Tick);
    client.handle(Now::default(), Input::Tick);
    assert_eq!(client.service_state(), ServiceState::Running, "a second start is none");
    let mut answers = |id: u64, command: Command| {
        client.handle(Now::default(), Input::Command { id: crate::client::CommandId(id), command });
        let answer = core::iter::from_fn(|| client.poll_action()).find_map(|action| match action {
            Action::Answer { answer, .. } => Some(answer),
            _ => None,
        });
        (answer, client.service_state())
    };
    let (closed, state) = answers(1, Command::Shutdown { deadline: crate::ground::Instant::ZERO });
    assert!(matches!(closed, Some(Answer::Closed(_))));
    assert_eq!(state, ServiceState::ShutdownAlready);
    let open = Command::OpenProducer { config: Box::new(ProducerConfig::new("PG".parse().unwrap())) };
    let (opened, state) = answers(2, open);
    assert!(matches!(opened, Some(Answer::Opened(Err(OpenError::ClientClosed)))), "{opened:?}");
    assert_eq!(state, ServiceState::ShutdownAlready);
    let (again, _) = answers(3, Command::Shutdown { deadline: crate::ground::Instant::ZERO });
    assert!(matches!(again, Some(Answer::Closed(left)) if left.is_empty()));
}

#[test]
fn without_a_name_server_the_start_succeeds_and_sends_say_why_they_wait() {
    // None answers: the send waits until its deadline.
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    rig.pass(SHORT / 2);
    assert!(rig.answers.is_empty(), "there is time left");
    rig.pass(SHORT / 2);
    let error = rig.sent(id).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::NoRoute(NoRoute::NoNameServerReachable(_))), "{error}");
    assert_eq!(error.outcome(), Outcome::NotStored);
    // There is none: waiting helps nobody.
    let mut rig = Rig::new(ClientConfig { name_servers: NameServers::none(), ..config() });
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", SHORT);
    let error = rig.sent(id).unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::NoRoute(NoRoute::NoNameServerConfigured)), "{error}");
}
