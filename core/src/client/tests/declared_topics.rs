//! Topics that a producer names when it is opened.

use super::{Rig, config};
use crate::client::{Answer, Command};
use crate::command::RequestCode;
use crate::ground::names::TopicName;
use crate::interface::{OpenError, ProducerId};
use crate::producer::ProducerConfig;
use alloc::boxed::Box;
use core::time::Duration;

impl Rig {
    fn open_with(&mut self, group: &str, topics: &[&str]) -> Result<ProducerId, OpenError> {
        let mut config = ProducerConfig::new(group.parse().unwrap());
        config.topics = topics.iter().map(|topic| topic.parse::<TopicName>().unwrap()).collect();
        let id = self.command(Command::OpenProducer { config: Box::new(config) });
        match self.answers.remove(&id) {
            Some(Answer::Opened(opened)) => opened,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn their_routes_are_asked_for_and_their_brokers_greeted_before_any_send() {
    let mut rig = Rig::new(config());
    let producer = rig.open_with("PG", &["T"]).unwrap();
    rig.connect_all();
    rig.answer_route(&["broker-a", "broker-b"]);
    rig.connect_all();
    for _ in 0..2 {
        let heartbeat = rig.take_request(RequestCode::HEART_BEAT);
        rig.answer(&heartbeat, 0, None);
    }
    assert!(rig.requests.is_empty());
    // The first send waits for nothing.
    let id = rig.send(producer, "T", Duration::from_secs(3));
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer_stored(&send, 0, 1);
    assert!(rig.sent(id).is_ok());
}

#[test]
fn they_are_kept_while_the_producer_is_open() {
    let mut config = config();
    config.limits.topics = 1;
    let mut rig = Rig::new(config);
    let error = rig.open_with("PG", &["T", "U"]).unwrap_err();
    assert!(matches!(&error, OpenError::Config(error) if error.field == "topics"), "{error}");
    let producer = rig.open_with("PG", &["T"]).unwrap();
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    let id = rig.send(producer, "U", Duration::from_secs(3));
    assert!(rig.sent(id).is_err(), "the only place is taken");
    let close = rig.command(Command::CloseProducer { producer, deadline: rig.now.mono });
    assert!(matches!(rig.answers.remove(&close), Some(Answer::Closed(_))));
    assert!(rig.open_with("PG", &["U"]).is_ok());
}
